// Views by explicit geometry. They carry the history of every in-place write into a view, see eager/tape.cpp.
#include <algorithm>
#include <numeric>

#include "eager/call.h"
#include "kernels/pointwise.h"
using namespace rl;

namespace {

void check_geometry(std::string_view op, const TensorImpl& t, Sizes size, Sizes stride, i64 offset) {
  check(size.size() == stride.size(), ErrorKind::runtime, "[", op,
        "] mismatch in length of strides and shape: size and stride must have one entry each per dimension. Received ",
        size, " and ", stride, ".");
  for (i64 s : stride)
    check(s >= 0, ErrorKind::runtime, "[", op, "] as_strided: Negative strides are not supported. Received ", stride,
          ".");
  i64 n = checked_numel("as_strided", size), span = storage_span(size, stride);
  i64 available = static_cast<i64>(t.storage->bytes) / size_of(t.dtype);
  check(offset >= 0 && (n == 0 || (offset <= available && span <= available - offset)), ErrorKind::runtime, "[", op,
        "] setStorage: size, stride and offset must stay inside the storage of ", available, " elements. Received ",
        size, ", ", stride, " and offset ", offset, ".");
}

// Gradients come in any layout; geometry is meant for the layout that the tensor had.
Tensor in_layout(const Tensor& g, Sizes stride) {
  if (same_sizes(g->strides(), stride)) return g;
  std::size_t n = stride.size();
  Dims order, inverse(stride);
  for (std::size_t i = 0; i < n; ++i) order.push(static_cast<i64>(i));
  std::stable_sort(order.value, order.value + n, [&](i64 a, i64 b) {
    return stride[static_cast<std::size_t>(a)] > stride[static_cast<std::size_t>(b)];
  });
  for (std::size_t i = 0; i < n; ++i) inverse[static_cast<int>(order[static_cast<int>(i)])] = static_cast<i64>(i);
  return call<"permute">(contiguous(call<"permute">(g, order)), inverse);
}

// A copy of `input` in its own layout whose elements at the geometry are written, or added to.
template <bool Add> void scatter_strided(const Call& c) {
  TensorImpl &input = c.tensor(0), &src = c.tensor(1);
  c.out[0] = is_dense(input) ? Tensor::steal(empty_strided_impl(input.sizes(), input.strides(), input.dtype))
                             : empty(input.sizes(), input.dtype);
  c.check(is_dense(input), "input must fill its memory without gaps. Received ", describe(input), " with strides ",
          input.strides(), ". Call contiguous() first.");
  copy_elements(*c.out[0], input);
  check_geometry(c.op.name(), *c.out[0], c.ints(2), c.ints(3), c.integer(4));
  Tensor region = strided_alias(*c.out[0], c.ints(2), c.ints(3), c.integer(4));
  c.check(same_shape(*region, src), "expected src to have a size equal to the slice of self. Received src of ",
          src.sizes(), " for size ", c.ints(2), ".");
  if (!Add) return copy_elements(*region, src);
  GradMode off(false);
  if (!has_internal_overlap(*region)) {
    ArgRoom arg;
    bind_arguments(op_called<"add">(), arg, region, Tensor(&src));
    invoke_inplace(op_called<"add">(), arg);
    return;
  }
  // Several elements of src meet in one place: one after the other.
  Tensor plain = contiguous(to_dtype(Tensor(&src), input.dtype));
  visit(input.dtype, [&]<class T>(Type<T>) {
    i64 index[kMaxDim] = {};
    T* base = region->data_as<T>();
    const T* from = plain->data_as<T>();
    for (i64 i = 0; i < plain->numel; ++i) {
      i64 at = 0;
      for (int d = 0; d < region->ndim; ++d) at += index[d] * region->stride[d];
      if constexpr (std::is_same_v<T, bool>) base[at] = base[at] || from[i];
      else if constexpr (is_half_type<T>) base[at] = T(static_cast<float>(base[at]) + static_cast<float>(from[i]));
      else base[at] = static_cast<T>(base[at] + from[i]);
      for (int d = region->ndim - 1; d >= 0 && ++index[d] == region->size[d]; --d) index[d] = 0;
    }
  });
}

}  // namespace

// Offsets of the rows below are relative to input's own first element, so that a gradient can be laid out without its
// storage.

OP(strided_view, all_types, "strided_view(input: Tensor, size: ints, stride: ints, offset: int) -> Tensor") {
  .doc = "A view with the given size and stride that begins `offset` elements after input's first.",
  .home = "_core",
  .view =
      [](const Call& c, Geometry& g) {
        g.size = c.ints(1);
        g.stride = c.ints(2);
        g.offset = c.tensor(0).offset + c.integer(3);
        check_geometry("as_strided", c.tensor(0), g.size, g.stride, g.offset);
      },
  .vjp =
      [](Backward& b) {
        Sizes size = b.ints(1), stride = b.ints(2);
        Dims base_stride = b.strides(0);
        i64 first = std::min<i64>(0, b.integer(3));  // where the common stretch of memory begins
        i64 length = std::max(storage_span(b.sizes(0), base_stride), b.integer(3) + storage_span(size, stride)) - first;
        Tensor flat = call<"strided_add">(zeros(Dims{length}, b.gradient()->dtype), b.gradient(), size, stride,
                                          b.integer(3) - first);
        b.set(0, call<"strided_view">(flat, b.sizes(0), base_stride, -first));
      },
  .samples = "randn(24), (2, 3), (12, 4), 1\nrandn(10), (4, 3), (2, 1), 0",
};

OP(strided_scatter, all_types,
   "strided_scatter(input: Tensor, src: Tensor, size: ints, stride: ints, offset: int) -> Tensor") {
  .doc = "A copy of input whose elements at strided_view(input, size, stride, offset) are src.",
  .home = "_core",
  .cpu = scatter_strided<false>,
  .vjp =
      [](Backward& b) {
        Tensor g = in_layout(b.gradient(), b.strides(0));
        if (b.needs(0))
          b.set(0, call<"strided_scatter">(g, zeros(b.ints(2), g->dtype), b.ints(2), b.ints(3), b.integer(4)));
        if (b.needs(1)) b.set(1, call<"strided_view">(g, b.ints(2), b.ints(3), b.integer(4)));
      },
  .samples = "randn(24), randn(2, 3), (2, 3), (12, 4), 1",
};

OP(strided_add, all_types, "strided_add(input: Tensor, src: Tensor, size: ints, stride: ints, offset: int) -> Tensor") {
  .doc = "A copy of input with src added at the geometry; elements that meet in one place are summed.",
  .home = "_core",
  .cpu = scatter_strided<true>,
  .vjp =
      [](Backward& b) {
        if (b.needs(0)) b.set(0, b.gradient());
        if (b.needs(1))
          b.set(1, call<"strided_view">(in_layout(b.gradient(), b.strides(0)), b.ints(2), b.ints(3), b.integer(4)));
      },
  .samples = "randn(24), randn(2, 3), (2, 3), (12, 4), 1\nrandn(10), randn(4, 3), (4, 3), (2, 1), 0",
};

OP(as_strided, all_types,
   "as_strided(input: Tensor, size: ints, stride: ints, storage_offset: int | None = None) -> Tensor") {
  .doc = "A view with the given size, stride and storage offset (in elements; None keeps input's).\n\nRaises "
         "RuntimeError when it would leave the storage.",
  .forms = view_forms,
  .compose =
      [](const Call& c) {
        i64 own = c.tensor(0).offset;
        c.out[0] =
            call<"strided_view">(Tensor(&c.tensor(0)), c.ints(1), c.ints(2), (c.has(3) ? c.integer(3) : own) - own);
      },
  .samples = "randn(24), (2, 3), (12, 4), 1\nrandn(10), (4, 3), (2, 1)",
  .errors = "randn(4), (3, 3), (3, 1) => RuntimeError: [as_strided] setStorage",
};

OP(as_strided_scatter, all_types,
   "as_strided_scatter(input: Tensor, src: Tensor, size: ints, stride: ints, storage_offset: int | None = None) -> "
   "Tensor") {
  .doc = "A copy of input whose elements at as_strided(input, size, stride, storage_offset) are src.",
  .compose =
      [](const Call& c) {
        i64 own = c.tensor(0).offset;
        c.out[0] = call<"strided_scatter">(Tensor(&c.tensor(0)), Tensor(&c.tensor(1)), c.ints(2), c.ints(3),
                                           (c.has(4) ? c.integer(4) : own) - own);
      },
  .samples = "randn(24), randn(2, 3), (2, 3), (12, 4), 1",
};
