// Slices along one dimension, named by a 1-d index: read, written, added to, filled.
#include "ops/index/along.h"
using namespace rl;

namespace {

i64 checked_length(const Call& c, const TensorImpl& index) {
  c.check(index.ndim <= 1, ErrorKind::index,
          "Index is supposed to be a vector: index must have at most 1 dimension. Received ", describe(index), ".");
  check_index_dtype(c.op.name(), index);
  return index.numel;
}

// Calls write(first element in out, first element in source, how many) for every slice, in the order of the index.
template <class Write> void write_slices(const Call& c, int index_at, int source_at, Write&& write) {
  TensorImpl& source = c.tensor(source_at);
  std::string_view op = c.op.name();
  with_packed(*c.out[0], [&](TensorImpl& out) {
    int dim = wrap_dim(op, c.integer(1), out.ndim);
    i64 n = checked_length(c, c.tensor(index_at));
    c.check(out.dtype == source.dtype, "self and source expected to have the same dtype, but got (self) ", out.dtype,
            " and (source) ", source.dtype, ".");
    Dims expected = at_least_1d(out.sizes());
    if (out.ndim) expected[dim] = n;
    c.check(n == expected[dim] && same_sizes(expected, at_least_1d(source.sizes())),
            "source must have self's sizes, and index's length along dim ", dim,
            ": the number of indices should be equal to source.size(dim). Received source ", source.sizes(),
            " for self ", out.sizes(), " and ", n, " indices.");
    if (out.numel == 0 && out.ndim > 1 && op == "index_add") return;  // as in PyTorch, no index is looked at
    Along a(at_least_1d(out.sizes()), dim);
    Tensor index = checked_index(op, c.tensor(index_at), a.n, dim, ErrorKind::index, false, c.out[0].get()),
           from = packed_apart(source, source.dtype, *c.out[0]);
    const i64* p = index->data_as<i64>();
    visit(out.dtype, [&]<class T>(Type<T>) {
      parallel_for(a.outer, std::max<i64>(1, kParallelElements / std::max<i64>(1, n * a.inner)),
                   [&](i64 begin, i64 end) {
                     for (i64 o = begin; o < end; ++o)
                       for (i64 i = 0; i < n; ++i)
                         write(out.data_as<T>() + (o * a.n + p[i]) * a.inner,
                               from->data_as<T>() + (o * n + i) * a.inner, a.inner);
                   });
    });
  });
}

Tensor gradient_of_source(Backward& b) {
  Tensor g = call<"index_select">(b.gradient(), b.integer(1), b.tensor(2));
  return same_sizes(g->sizes(), b.sizes(3)) ? g : call<"reshape">(g, b.sizes(3));
}

}  // namespace

OP(index_select, all_types, "index_select(input: Tensor, dim: int, index: Tensor) -> Tensor") {
  .doc = "The slices of input along dim that the 1-d index names, in its order.\n\nRaises IndexError when index is out "
         "of range.",
  .forms = plain_forms | out_apart | out_exact,
  .cpu =
      [](const Call& c) {
        TensorImpl &input = c.tensor(0), &index = c.tensor(2);
        int dim = wrap_dim("index_select", c.integer(1), input.ndim);
        i64 n = checked_length(c, index);
        Dims size = at_least_1d(input.sizes());
        Along a(size, dim);
        size[dim] = n;
        c.check(input.ndim > 0 || n == 1, "Index to scalar can have only 1 value, got ", n, " value(s).");
        c.check(a.n > 0 || n == 0, "self indexing axis dim should be positive: there is nothing to select along dim ",
                dim, ". Received ", describe(input), ".");
        Tensor at = checked_index("index_select", index, a.n, dim, ErrorKind::index),
               source = packed(input, input.dtype);
        TensorImpl& out = c.output(0, input.ndim ? Sizes(size) : Sizes{}, input.dtype);
        const i64* p = at->data_as<i64>();
        i64 bytes = a.inner * size_of(input.dtype);
        const char* from = source->data();
        char* to = out.data();
        auto copy = [&]<class Copy>(Copy&& one) {
          parallel_for(a.outer * n, std::max<i64>(1, (1 << 18) / std::max<i64>(bytes, 1)), [&](i64 b, i64 e) {
            for (i64 k = b; k < e;) {
              const char* block = from + k / n * a.n * bytes;
              for (i64 i = k % n; i < n && k < e; ++i, ++k) one(to + k * bytes, block + p[i] * bytes);
            }
          });
        };
        if (bytes == 4) copy([](char* t, const char* f) { std::memcpy(t, f, 4); });
        else if (bytes == 8) copy([](char* t, const char* f) { std::memcpy(t, f, 8); });
        else copy([&](char* t, const char* f) { std::memcpy(t, f, static_cast<std::size_t>(bytes)); });
      },
  .vjp =
      [](Backward& b) {
        b.set(0, call<"index_add">(zeros(b.sizes(0), b.gradient()->dtype), b.integer(1), b.tensor(2), b.gradient()));
      },
  .saves = "index for input",
  .samples = "randn(3, 4), 0, randint(0, 3, (5,))\nrandn(3, 4), -1, randint(0, 4, (2,))\nrandn(3, 4).t(), 0, "
             "randint(0, 4, (2,))",
  .errors = "randn(3), 0, randint(5, 6, (2,)) => IndexError: [index_select] index 5 is out of bounds\nrandn(3), 1, "
            "randint(0, 1, (2,)) => IndexError: [index_select] Dimension out of range",
};

OP(index_add, all_types,
   "index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor") {
  .doc = "A copy of input with alpha * source added to the slices along dim that the 1-d index names, one after the "
         "other.\n\nRaises IndexError when index is out of range, RuntimeError when sizes or dtypes do not fit.",
  .forms = pointwise_forms,
  .infer = begin_with_input,
  .cpu =
      [](const Call& c) {
        bool plain = c.real(4) == 1;
        Tensor alpha = empty(Sizes{}, c.out[0]->dtype);
        fill_elements(*alpha, c.arg[4]);
        write_slices(c, 2, 3, [&]<class T>(T* to, const T* from, i64 n) {
          T scale = *alpha->data_as<T>();
          if (plain)
            for (i64 i = 0; i < n; ++i) to[i] = add(to[i], from[i]);
          else
            for (i64 i = 0; i < n; ++i) to[i] = add(to[i], multiply(scale, from[i]));
        });
      },
  .writes_over = true,
  .vjp =
      [](Backward& b) {
        if (b.needs(0)) b.set(0, b.gradient());
        if (!b.needs(3)) return;
        Tensor g = gradient_of_source(b);
        b.set(3, b.real(4) == 1 ? g : g * b.real(4));
      },
  .saves = "index for source",
  .samples = "randn(3, 4), 0, randint(0, 3, (5,)), randn(5, 4)\nrandn(3, 4), -1, randint(0, 4, (2,)), randn(3, 2), "
             "alpha=0.5\nrandint(0, 9, (4,)), 0, randint(0, 4, (6,)), randint(0, 9, (6,))",
  .errors = "randn(3), 0, randint(5, 6, (2,)), randn(2) => IndexError: [index_add] index 5 is out of bounds\nrandn(3, "
            "4), 0, randint(0, 3, (2,)), randn(3, 4) => RuntimeError: [index_add] source must have",
};

OP(index_copy, all_types, "index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor") {
  .doc =
      "A copy of input whose slices along dim that the 1-d index names are those of source; of writes to one slice the "
      "last stays.\n\nRaises IndexError when index is out of range, RuntimeError when sizes or dtypes do not fit.",
  .forms = pointwise_forms,
  .infer = begin_with_input,
  .cpu =
      [](const Call& c) {
        write_slices(c, 2, 3, []<class T>(T* to, const T* from, i64 n) { std::copy_n(from, n, to); });
      },
  .writes_over = true,
  .vjp =
      [](Backward& b) {
        if (b.needs(0)) b.set(0, call<"index_fill">(b.gradient(), b.integer(1), b.tensor(2), 0.0));
        if (b.needs(3)) b.set(3, gradient_of_source(b));
      },
  .saves = "index",
  .samples = "randn(3, 4), 0, randint(0, 3, (1,)), randn(1, 4)\nrandn(3, 4), -1, randint(0, 4, (1,)), randn(3, 1)",
  .errors = "randn(3), 0, randint(5, 6, (2,)), randn(2) => IndexError: [index_copy] index 5 is out of bounds",
};

OP(index_fill, all_types, "index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor") {
  .doc = "A copy of input whose slices along dim that the 1-d index names are value, a number or a 0-d tensor. "
         "Negative indices count from the end.\n\nRaises IndexError when index is out of range, RuntimeError when "
         "value is a tensor with dimensions.",
  .forms = function | method | inplace,
  .infer = begin_with_input,
  .cpu =
      [](const Call& c) {
        with_packed(*c.out[0], [&](TensorImpl& out) {
          int dim = wrap_dim("index_fill", c.integer(1), out.ndim);
          checked_length(c, c.tensor(2));
          Tensor number = empty(Sizes{}, out.dtype);
          if (c.arg[3].is_tensor()) {
            c.check(c.tensor(3).ndim == 0, "only supports a 0-dimensional value tensor. Received ",
                    describe(c.tensor(3)), ".");
            copy_elements(*number, c.tensor(3));
          } else {
            fill_elements(*number, fitting_number("index_fill", c.arg[3], out.dtype));
          }
          Along a(at_least_1d(out.sizes()), dim);
          Tensor index = checked_index("index_fill", c.tensor(2), a.n, dim, ErrorKind::index, true, c.out[0].get());
          const i64* p = index->data_as<i64>();
          visit_size(out.dtype, [&]<class T>(Type<T>) {
            for (i64 o = 0; o < a.outer; ++o)
              for (i64 i = 0; i < index->numel; ++i)
                std::fill_n(out.data_as<T>() + (o * a.n + p[i]) * a.inner, a.inner, *number->data_as<T>());
          });
        });
      },
  .writes_over = true,
  .vjp =
      [](Backward& b) {
        if (b.needs(0)) b.set(0, call<"index_fill">(b.gradient(), b.integer(1), b.tensor(2), 0.0));
        if (!b.needs(3)) return;
        // An index that repeats fills its slice once.
        Tensor filled = call<"index_fill">(zeros(b.sizes(0), b.gradient()->dtype), b.integer(1), b.tensor(2), 1.0);
        b.set(3, call<"sum">(b.gradient() * filled));
      },
  .saves = "index",
  .samples = "randn(3, 4), 0, randint(0, 3, (2,)), 1.5\nrandn(3, 4), 1, randint(-4, 4, (2,)), randn(())",
  .errors = "randn(3), 0, randint(5, 6, (2,)), 1.0 => IndexError: [index_fill] index 5 is out of bounds",
};
