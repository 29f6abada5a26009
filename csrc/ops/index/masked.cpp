// Elements chosen by a mask: filled, taken out, written.
#include "ops/index/along.h"
using namespace rl;

namespace {

void check_mask(const Call& c, const TensorImpl& mask) {
  c.check(mask.dtype == DType::bool_, "only supports boolean masks, but got mask with dtype ", mask.dtype,
          ". Compare first, as in mask != 0.");
}

// A view of t in a larger shape, off the tape.
Tensor broadcast_to(TensorImpl& t, Sizes size) {
  Dims stride;
  int shift = static_cast<int>(size.size()) - t.ndim;
  for (int d = 0; d < static_cast<int>(size.size()); ++d)
    stride.push(d < shift || (t.size[d - shift] == 1 && size[static_cast<std::size_t>(d)] != 1) ? 0
                                                                                                : t.stride[d - shift]);
  return strided_alias(t, size, stride, t.offset);
}

i64 count_true(const TensorImpl& mask) {
  const bool* p = mask.data_as<bool>();
  i64 n = 0;
  for (i64 i = 0; i < mask.numel; ++i) n += p[i];
  return n;
}

}  // namespace

OP(masked_fill, all_types, "masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor") {
  .doc = "input, with value (a number or a 0-d tensor) where the bool tensor mask holds; input and mask broadcast, in "
         "place mask to input.\n\nRaises RuntimeError for a mask that is not bool, or a value that input's dtype "
         "cannot hold.",
  .forms = function | method | inplace,
  .cpu =
      [](const Call& c) {
        TensorImpl &input = c.tensor(0), &mask = c.tensor(1);
        check_mask(c, mask);
        if (c.arg[2].is_tensor()) {
          c.check(c.tensor(2).ndim == 0, "only supports a 0-dimensional value tensor, but got tensor with ",
                  c.tensor(2).ndim, " dimension(s). Use where().");
          c.check(category(c.tensor(2).dtype) <= category(input.dtype) || !is_complex(c.tensor(2).dtype),
                  "value cannot be converted to type ", input.dtype, " without overflow. Received ",
                  describe(c.tensor(2)), ".");
        }
        // where(), computed in input's dtype whatever value's is.
        static const OpDef& where = require_op("where");
        Arg operand[] = {
          c.arg[1], c.arg[2].is_tensor() ? c.arg[2] : fitting_number("masked_fill", c.arg[2], input.dtype), c.arg[0]};
        c.out[0] = run_formula(where, where.value, operand, 3, nullptr, &input.dtype, Result::promoted);
      },
  .vjp =
      [](Backward& b) {
        if (b.needs(0)) b.set(0, call<"masked_fill">(b.gradient(), b.tensor(1), 0.0));
        if (b.needs(2)) b.set(2, call<"sum">(call<"where">(b.tensor(1), b.gradient(), 0.0)));
      },
  .saves = "mask",
  .samples = "randn(3, 4), bools(3, 4), 1.5\nrandn(3, 4), bools(4), float('-inf')\nrandn(3, 4), bools(3, 1), "
             "randn(())\nrandint(0, 9, (4,)), bools(4), 2",
  .errors = "randn(3), ones(3), 1.0 => RuntimeError: [masked_fill] only supports boolean masks\nrandn(3), bools(3), "
            "randn(1) => RuntimeError: [masked_fill] only supports a 0-dimensional value\nrandint(0, 9, (3,)), "
            "bools(3), float('inf') => RuntimeError: [masked_fill] value cannot be converted",
};

OP(masked_select, all_types, "masked_select(input: Tensor, mask: Tensor) -> Tensor") {
  .doc = "The elements of input where the bool tensor mask holds, [n], in row-major order of the broadcast "
         "shape.\n\nRaises RuntimeError for a mask that is not bool.",
  .forms = plain_forms | out_apart | out_exact,
  .cpu =
      [](const Call& c) {
        TensorImpl &input = c.tensor(0), &mask = c.tensor(1);
        check_mask(c, mask);
        Dims size = broadcast("masked_select", input.sizes(), mask.sizes());
        Tensor chosen = packed(*broadcast_to(mask, size), DType::bool_),
               source = packed(*broadcast_to(input, size), input.dtype);
        TensorImpl& out = c.output(0, Dims{count_true(*chosen)}, input.dtype);
        visit_size(input.dtype, [&]<class T>(Type<T>) {
          const bool* m = chosen->data_as<bool>();
          T* to = out.data_as<T>();
          for (i64 i = 0; i < chosen->numel; ++i)
            if (m[i]) *to++ = source->data_as<T>()[i];
        });
      },
  .vjp =
      [](Backward& b) {
        Tensor mask = b.tensor(1);
        Dims size = broadcast("masked_select", b.sizes(0), mask->sizes());
        b.set(0, call<"masked_scatter">(zeros(size, b.gradient()->dtype), mask,
                                        b.gradient()));  // the engine sums over what was broadcast
      },
  .saves = "mask for input",
  .samples = "randn(3, 4), bools(3, 4)\nrandn(3, 4), bools(4)\nrandn(4), bools(3, 4)",
  .errors = "randn(3), ones(3) => RuntimeError: [masked_select] only supports boolean masks",
};

OP(masked_scatter, all_types, "masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor") {
  .doc = "input, with the elements of source, in row-major order, where the bool tensor mask holds; input and mask "
         "broadcast, in place mask to input.\n\nRaises RuntimeError when source has too few elements or another dtype.",
  .forms = function | method | inplace,
  .cpu =
      [](const Call& c) {
        TensorImpl &input = c.tensor(0), &mask = c.tensor(1), &source = c.tensor(2);
        check_mask(c, mask);
        c.check(source.dtype == input.dtype, "expected self and source to have same dtypes but got ", input.dtype,
                " and ", source.dtype, ".");
        Dims size = broadcast("masked_scatter", input.sizes(), mask.sizes());
        Tensor chosen = packed(*broadcast_to(mask, size), DType::bool_), from = packed(source, source.dtype);
        i64 n = count_true(*chosen);
        c.check(n <= from->numel, "expected number of elements of source (", from->numel,
                ") to be at least the number of ones in mask (", n, ").");
        TensorImpl& out = c.output(0, size, input.dtype);
        copy_elements(out, input);
        visit_size(input.dtype, [&]<class T>(Type<T>) {
          const bool* m = chosen->data_as<bool>();
          const T* next = from->data_as<T>();
          T* to = out.data_as<T>();
          for (i64 i = 0; i < out.numel; ++i)
            if (m[i]) to[i] = *next++;
        });
      },
  .vjp =
      [](Backward& b) {
        Tensor mask = b.tensor(1);
        if (b.needs(0)) b.set(0, call<"masked_fill">(b.gradient(), mask, 0.0));
        if (!b.needs(2)) return;
        Tensor g = call<"masked_select">(b.gradient(), mask);
        Sizes size = b.sizes(2);
        i64 numel = checked_numel("masked_scatter", size);
        if (g->numel < numel) g = call<"constant_pad_nd">(g, Dims{0, numel - g->numel}, 0.0);
        b.set(2, call<"reshape">(g, size));
      },
  .saves = "mask",
  .samples = "randn(3, 4), bools(3, 4), randn(12)\nrandn(3, 4), bools(4), randn(3, 5)",
  .errors = "randn(3), ones(3, dtype=bool), randn(2) => RuntimeError: [masked_scatter] expected number of elements",
};
