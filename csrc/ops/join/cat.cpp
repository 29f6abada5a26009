// Joining tensors: along a dimension they have (cat), or along a new one (stack).
#include <vector>

#include "base/parallel.h"
#include "eager/call.h"
#include "kernels/pointwise.h"
using namespace rl;

namespace {

DType common_dtype(std::span<TensorImpl* const> tensors) {
  std::vector<Arg> operands;
  for (TensorImpl* t : tensors) operands.emplace_back(t);
  return result_type(operands.data(), static_cast<int>(operands.size()));
}

std::span<TensorImpl* const> checked_list(const Call& c, ErrorKind kind_of_none) {
  std::span<TensorImpl* const> tensors = c.tensors(0);
  c.check(!tensors.empty(), kind_of_none, "expected a non-empty list of Tensors. Received none.");
  for (TensorImpl* t : tensors) c.check(t != nullptr, ErrorKind::type, "every entry must be a Tensor. Received None.");
  return tensors;
}

// out seen as rows of `stride` bytes: each piece fills its part of every row.
void copy_piece(const TensorImpl& out, int dim, i64 start, i64 length, const TensorImpl& piece) {
  i64 width = size_of(out.dtype);
  if (!piece.is_contiguous() || piece.dtype != out.dtype) {
    Dims size(out.sizes());
    size[dim] = length;
    Tensor part = strided_alias(out, size, out.strides(), out.offset + start * out.stride[dim]);
    Tensor source = strided_alias(piece, size, piece.ndim == out.ndim ? Dims(piece.strides()) : [&] {
      Dims stride(piece.strides());
      stride.insert(dim, 0);
      return stride;
    }(), piece.offset);
    return copy_elements(*part, *source);
  }
  i64 row = out.size[dim] * out.stride[dim] * width, part = length * out.stride[dim] * width;
  if (part == 0 || out.numel == 0) return;
  i64 rows = out.numel * width / row;
  char* to = out.data() + start * out.stride[dim] * width;
  const char* from = piece.data();
  parallel_for(rows, std::max<i64>(1, (1 << 18) / part), [&](i64 b, i64 e) {
    for (i64 r = b; r < e; ++r) std::memcpy(to + r * row, from + r * part, static_cast<std::size_t>(part));
  });
}

// Before tensors could have sizes of 0 in any dimension, the empty one was [0]; it is still joined with anything.
bool is_skipped(Sizes size) { return size.size() == 1 && size[0] == 0; }

}  // namespace

OP(cat, all_types, "cat(tensors: list[Tensor], dim: int = 0) -> Tensor") {
  .doc =
      "The tensors one after the other along dim; all other sizes agree. Dtypes are promoted. Tensors of shape [0] are "
      "skipped.\n\nRaises RuntimeError when sizes disagree or a tensor is 0-d, IndexError for a dim out of range.",
  .aliases = "concat, concatenate",
  .forms = function | out_ | out_apart,
  .cpu =
      [](const Call& c) {
        std::span<TensorImpl* const> tensors = checked_list(c, ErrorKind::value);
        const TensorImpl* first = nullptr;
        int dim = 0;
        Dims size{0};
        for (std::size_t i = 0; i < tensors.size(); ++i) {
          const TensorImpl& t = *tensors[i];
          c.check(t.ndim > 0, "zero-dimensional tensor (at position ", i, ") cannot be concatenated. Received ",
                  describe(t), ". Use stack().");
          if (is_skipped(t.sizes())) continue;
          if (!first) {
            first = &t;
            size = Dims(t.sizes());
            dim = wrap_dim("cat", c.integer(1), t.ndim);
            continue;
          }
          c.check(t.ndim == first->ndim, "Tensors must have same number of dimensions: got ", first->ndim, " and ",
                  t.ndim, ". Received ", describe(*first), " and ", describe(t), ".");
          for (int d = 0; d < t.ndim; ++d)
            c.check(d == dim || t.size[d] == first->size[d], "Sizes of tensors must match except in dimension ", dim,
                    ". Expected size ", first->size[d], " but got size ", t.size[d], " for tensor number ", i,
                    " in the list.");
          size[dim] += t.size[dim];
        }
        if (!first) dim = wrap_dim("cat", c.integer(1), 1);
        TensorImpl& out = c.output(0, size, common_dtype(tensors));
        i64 at = 0;
        for (const TensorImpl* t : tensors) {
          if (is_skipped(t->sizes())) continue;
          copy_piece(out, dim, at, t->size[dim], *t);
          at += t->size[dim];
        }
      },
  .vjp =
      [](Backward& b) {
        int ndim = static_cast<int>(b.result_sizes().size()), dim = wrap_dim("cat", b.integer(1), ndim);
        i64 at = 0;
        for (int i = 0; i < b.length(0); ++i) {
          Sizes size = b.sizes(0, i);
          bool skipped = is_skipped(size);
          i64 length = skipped ? 0 : size[static_cast<std::size_t>(dim)];
          if (b.needs(0, i))
            b.set(0, i, skipped ? zeros(size, b.gradient()->dtype) : call<"narrow">(b.gradient(), dim, at, length));
          at += length;
        }
      },
  .samples = "[randn(2, 3), randn(4, 3)]\n[randn(2, 3), randn(2, 1)], 1\n[randn(2, 3).t(), randn(3, 2)], "
             "-1\n[randn(0), randn(2, 3)]",
  .errors = "[randn(2, 3), randn(2, 4)] => RuntimeError: [cat] Sizes of tensors must match\n[randn(())] => "
            "RuntimeError: [cat] zero-dimensional\n[randn(2)], 1 => IndexError: [cat] Dimension out of range",
};

OP(stack, all_types, "stack(tensors: list[Tensor], dim: int = 0) -> Tensor") {
  .doc = "The tensors side by side along a new dimension dim; all have one shape. Dtypes are promoted.\n\nRaises "
         "RuntimeError when shapes disagree, IndexError for a dim out of range.",
  .forms = function | out_ | out_apart,
  .cpu =
      [](const Call& c) {
        std::span<TensorImpl* const> tensors = checked_list(c, ErrorKind::runtime);
        const TensorImpl& first = *tensors[0];
        int dim = wrap_dim("stack", c.integer(1), first.ndim + 1);
        for (std::size_t i = 1; i < tensors.size(); ++i)
          c.check(same_shape(first, *tensors[i]), "stack expects each tensor to be equal size, but got ", first.sizes(),
                  " at entry 0 and ", tensors[i]->sizes(), " at entry ", i, ".");
        Dims size(first.sizes());
        size.insert(dim, static_cast<i64>(tensors.size()));
        TensorImpl& out = c.output(0, size, common_dtype(tensors));
        for (std::size_t i = 0; i < tensors.size(); ++i) copy_piece(out, dim, static_cast<i64>(i), 1, *tensors[i]);
      },
  .vjp =
      [](Backward& b) {
        i64 dim = wrap_dim("stack", b.integer(1), static_cast<i64>(b.result_sizes().size()));
        for (int i = 0; i < b.length(0); ++i)
          if (b.needs(0, i)) b.set(0, i, call<"select">(b.gradient(), dim, i));
      },
  .samples = "[randn(2, 3), randn(2, 3)]\n[randn(2, 3), randn(2, 3)], -1\n[randn(()), randn(())]\n[randn(2, 3).t(), "
             "randn(3, 2)], 1",
  .errors = "[randn(2), randn(3)] => RuntimeError: [stack] stack expects each tensor to be equal size\n[randn(2)], 2 "
            "=> IndexError: [stack] Dimension out of range",
};
