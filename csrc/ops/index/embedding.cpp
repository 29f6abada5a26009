// Rows of a table.
#include <vector>

#include "ops/index/along.h"
using namespace rl;

namespace {

Tensor checked_rows(TensorImpl& indices, i64 rows) {
  check_index_dtype("embedding", indices);
  Tensor flat = packed(indices, DType::i64);
  const i64* p = flat->data_as<i64>();
  for (i64 i = 0; i < flat->numel; ++i)
    check(p[i] >= 0 && p[i] < rows, ErrorKind::index, "[embedding] index out of range in self: indices must be in [0, ",
          rows, "). Received ", p[i], ".");
  return flat;
}

// Sums in T what is stored as S, one row after the other; threads divide the columns, which leaves the order of sums
// alone.
template <class T, class S> void add_rows(T* to, const S* from, const i64* row, i64 n, i64 width, i64 skipped) {
  constexpr i64 block = 64;
  i64 blocks = (width + block - 1) / block;
  parallel_for(blocks, std::max<i64>(1, (1 << 16) / std::max<i64>(1, n * block)), [&](i64 b, i64 e) {
    i64 begin = b * block, count = std::min(width, e * block) - begin;
    for (i64 i = 0; i < n; ++i) {
      if (row[i] == skipped) continue;
      T* t = to + row[i] * width + begin;
      const S* f = from + i * width + begin;
      for (i64 j = 0; j < count; ++j) t[j] = add(t[j], static_cast<T>(f[j]));
    }
  });
}

}  // namespace

OP(embedding, all_types, "embedding(weight: Tensor, indices: Tensor, padding_idx: int = -1) -> Tensor") {
  .doc = "weight[indices]: [*indices.shape, D] for weight [V, D] and int64 or int32 indices. The row padding_idx, when "
         "it is not -1, receives no gradient.\n\nRaises IndexError when an index is out of range, RuntimeError when "
         "weight is no matrix.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl &weight = c.tensor(0), &indices = c.tensor(1);
        c.check(weight.ndim == 2, "'weight' must be 2-D. Received ", describe(weight), ".");
        Tensor rows = checked_rows(indices, weight.size[0]), table = packed(weight, weight.dtype);
        Dims size(indices.sizes());
        size.push(weight.size[1]);
        TensorImpl& out = c.output(0, size, weight.dtype);
        i64 bytes = weight.size[1] * size_of(weight.dtype);
        const i64* p = rows->data_as<i64>();
        char *to = out.data(), *from = table->data();
        parallel_for(rows->numel, std::max<i64>(1, (1 << 18) / std::max<i64>(bytes, 1)), [&](i64 b, i64 e) {
          for (i64 i = b; i < e; ++i) std::memcpy(to + i * bytes, from + p[i] * bytes, static_cast<std::size_t>(bytes));
        });
      },
  .vjp =
      [](Backward& b) {
        b.set(0, call<"embedding_dense_backward">(b.gradient(), b.tensor(1), b.sizes(0)[0], b.integer(2)));
      },
  .saves = "indices for weight",
  .samples = "randn(5, 3), randint(0, 5, (2, 4))\nrandn(5, 3), randint(0, 5, (6,)), 2",
  .errors = "randn(5, 3), randint(7, 8, (2,)) => IndexError: [embedding] index out of range\nrandn(5), randint(0, 5, "
            "(2,)) => RuntimeError: [embedding] 'weight' must be 2-D",
};

OP(embedding_dense_backward, all_types,
   "embedding_dense_backward(gradient: Tensor, indices: Tensor, rows: int, padding_idx: int) -> Tensor") {
  .doc = "The gradient of embedding's weight, [rows, D]: row i is the sum of the gradient's rows where indices is i; "
         "zeros for padding_idx.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl &gradient = c.tensor(0), &indices = c.tensor(1);
        i64 rows = c.integer(2);
        c.check(gradient.ndim == indices.ndim + 1 && same_sizes(gradient.sizes().first(indices.ndim), indices.sizes()),
                "gradient must have the sizes of indices and one more. Received ", gradient.sizes(), " and ",
                indices.sizes(), ".");
        Tensor at = checked_rows(indices, rows), g = packed(gradient, gradient.dtype);
        i64 width = gradient.size[gradient.ndim - 1];
        c.check(rows >= 0, "rows must not be negative. Received ", rows, ".");
        TensorImpl& out = c.output(0, Dims{rows, width}, gradient.dtype);
        std::memset(out.data(), 0, static_cast<std::size_t>(out.numel * size_of(out.dtype)));
        visit(out.dtype, [&]<class T>(Type<T>) {
          if constexpr (is_half_type<T>) {  // summed in float, rounded once
            Tensor sum = zeros(out.sizes(), DType::f32);
            add_rows(sum->data_as<float>(), g->data_as<T>(), at->data_as<i64>(), at->numel, width, c.integer(3));
            copy_elements(out, *sum);
          } else {
            add_rows(out.data_as<T>(), g->data_as<T>(), at->data_as<i64>(), at->numel, width, c.integer(3));
          }
        });
      },
  .vjp =
      [](Backward& b) {
        Tensor index = b.tensor(1), g = call<"embedding">(b.gradient(), index);
        b.set(0, call<"masked_fill">(g, call<"unsqueeze">(call<"eq">(index, b.integer(3)), -1), 0.0));
      },
  .saves = "indices for gradient",
  .samples = "randn(4, 3), randint(0, 5, (4,)), 5, 2",
};
