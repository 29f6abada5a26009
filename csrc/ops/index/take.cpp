// A tensor of any shape indexed as if it were one row.
#include "ops/index/along.h"
using namespace rl;

OP(take, all_types, "take(input: Tensor, index: Tensor) -> Tensor") {
  .doc = "The elements that index (int64) names in input read row by row; of index's shape. Negative indices count "
         "from the end.\n\nRaises IndexError when index is out of range.",
  .forms = plain_forms | out_apart | out_exact,
  .cpu =
      [](const Call& c) {
        TensorImpl &input = c.tensor(0), &index = c.tensor(1);
        check_index_dtype("take", index);
        Tensor at = checked_index("take", index, input.numel, 0, ErrorKind::index, true),
               source = packed(input, input.dtype);
        TensorImpl& out = c.output(0, index.sizes(), input.dtype);
        const i64* p = at->data_as<i64>();
        visit_size(input.dtype, [&]<class T>(Type<T>) {
          const T* from = source->data_as<T>();
          T* to = out.data_as<T>();
          parallel_for(out.numel, kParallelElements, [&](i64 b, i64 e) {
            for (i64 i = b; i < e; ++i) to[i] = from[p[i]];
          });
        });
      },
  .vjp =
      [](Backward& b) {
        b.set(0, call<"put">(zeros(b.sizes(0), b.gradient()->dtype), b.tensor(1), b.gradient(), true));
      },
  .saves = "index for input",
  .samples = "randn(3, 4), randint(-12, 12, (2, 3))\nrandn(3, 4).t(), randint(0, 12, (5,))",
  .errors = "randn(3), randint(5, 6, (2,)) => IndexError: [take] index 5 is out of bounds",
};

OP(put, all_types, "put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor") {
  .doc = "A copy of input in which the elements that index (int64) names in input read row by row are those of source, "
         "or have them added when accumulate. Of writes to one place the last stays.\n\nRaises IndexError when index "
         "is out of range, RuntimeError when source has another dtype or number of elements.",
  .forms = function | method | inplace,
  .infer = begin_with_input,
  .cpu =
      [](const Call& c) {
        TensorImpl &index = c.tensor(1), &source = c.tensor(2);
        bool accumulate = c.flag(3);
        with_packed(*c.out[0], [&](TensorImpl& out) {
          check_index_dtype("put", index);
          c.check(source.dtype == out.dtype, "self and source expected to have the same dtype. Received ", out.dtype,
                  " and ", source.dtype, ".");
          c.check(source.numel == index.numel, "source and index must have the same number of elements. Received ",
                  describe(source), " and index ", describe(index), ".");
          Tensor at = checked_index("put", index, out.numel, 0, ErrorKind::index, true, c.out[0].get()),
                 from = packed_apart(source, source.dtype, *c.out[0]);
          const i64* p = at->data_as<i64>();
          visit(out.dtype, [&]<class T>(Type<T>) {
            T* to = out.data_as<T>();
            const T* value = from->data_as<T>();
            for (i64 i = 0; i < at->numel; ++i) to[p[i]] = accumulate ? add(to[p[i]], value[i]) : value[i];
          });
        });
      },
  .writes_over = true,
  .vjp =
      [](Backward& b) {
        Tensor index = b.tensor(1), gy = b.gradient();
        if (b.needs(0)) b.set(0, b.flag(3) ? gy : call<"put">(gy, index, zeros(index->sizes(), gy->dtype)));
        if (b.needs(2)) b.set(2, call<"reshape">(call<"take">(gy, index), b.sizes(2)));
      },
  .saves = "index",
  .samples = "randn(3, 4), randint(0, 12, (1,)), randn(1)\nrandn(3, 4), randint(-12, 12, (2, 3)), randn(6), True",
  .errors = "randn(3), randint(5, 6, (2,)), randn(2) => IndexError: [put] index 5 is out of bounds",
};
