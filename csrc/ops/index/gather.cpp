// Reading the elements that an index of the result's shape names.
#include "ops/index/element.h"
using namespace rl;

OP(gather, all_types, "gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor") {
  .doc = "result[i, j, k] = input[index[i, j, k], j, k] for dim 0, and likewise for others; of index's shape.\n\nindex "
         "is int64 or int32. sparse_grad is accepted; the gradient is dense. Raises RuntimeError when index is out of "
         "bounds or larger than input in another dimension.",
  .forms = plain_forms | out_apart | out_exact,
  .cpu =
      [](const Call& c) {
        TensorImpl &input = c.tensor(0), &index = c.tensor(2);
        ElementIndex at("gather", input, c.integer(1), index, nullptr, ElementIndex::line_by_line);
        TensorImpl& out = c.output(0, index.sizes(), input.dtype);
        if (out.numel == 0) return;
        Dims plain = contiguous_strides(at.size);
        visit_size(input.dtype, [&]<class T>(Type<T>) {
          const T* from = input.data_as<T>();
          T* to = out.data_as<T>();
          parallel_for(at.lines, std::max<i64>(1, kParallelElements / at.length), [&](i64 b, i64 e) {
            for (i64 line = b; line < e; ++line) {
              at.check_line("gather", line);
              at.for_each(line, line + 1, plain, [&](i64 source, i64 target) { to[target] = from[source]; });
            }
          });
        });
      },
  .vjp =
      [](Backward& b) {
        b.set(0, call<"scatter_add">(zeros(b.sizes(0), b.gradient()->dtype), b.integer(1), b.tensor(2), b.gradient()));
      },
  .saves = "index for input",
  .samples =
      "randn(3, 4), 0, randint(0, 3, (2, 4))\nrandn(3, 4), -1, randint(0, 4, (3, 6))\nrandn(()), 0, randint(0, 1, ())",
  .errors = "randn(3), 0, randint(5, 6, (2,)) => RuntimeError: [gather] index 5 is out of bounds\nrandn(3), 0, "
            "randint(0, 1, (2, 2)) => RuntimeError: [gather] Index tensor must have the same number of dimensions",
};
