// An index of the shape of what is read or written: element i, j, k names place (index[i, j, k], j, k) for dim 0.
#pragma once
#include "ops/index/along.h"

namespace rl {

struct ElementIndex {
  int dim;
  Dims size;                   // of the index, at least one dimension
  Dims stride;                 // of the tensor it points into; 0 along dim
  i64 step, extent;            // of that tensor along dim
  i64 length, lines;           // the index, line by line along its last dimension
  Tensor place;                // int64, row-major, checked

  // `other`, when given, is what is written: it covers the index. Only who reads may check the index as he goes.
  enum Check { at_once, line_by_line };
  ElementIndex(std::string_view op, const TensorImpl& t, i64 along, TensorImpl& index,
               const TensorImpl* other = nullptr, Check when = at_once)
      : dim(wrap_dim(op, along, t.ndim)), size(at_least_1d(index.sizes())), stride(at_least_1d(t.strides())) {
    Dims target = at_least_1d(t.sizes());
    length = size.back();
    lines = length ? index.numel / length : 0;
    if (index.numel == 0) return;
    check_index_dtype(op, index);
    check(size.n == target.n, ErrorKind::runtime, "[", op,
          "] Index tensor must have the same number of dimensions as input tensor. Received index ", index.sizes(),
          " for ", describe(t), ".");
    for (int d = 0; d < size.n; ++d)
      check(d == dim || size[d] <= target[d], ErrorKind::runtime, "[", op, "] Size does not match at dimension ", d,
            " expected index ", index.sizes(), " to be no larger than self ", t.sizes(), " apart from dimension ", dim,
            ".");
    if (other) {
      Dims source = at_least_1d(other->sizes());
      check(source.n == size.n, ErrorKind::runtime, "[", op,
            "] Index tensor must have the same number of dimensions as src tensor. Received index ", index.sizes(),
            " and src ", other->sizes(), ".");
      for (int d = 0; d < size.n; ++d)
        check(size[d] <= source[d], ErrorKind::runtime, "[", op, "] Expected index ", index.sizes(),
              " to be no larger than src ", other->sizes(), ". They differ at dimension ", d, ".");
    }
    extent = target[dim];
    step = stride[dim];
    stride[dim] = 0;
    place = when == at_once ? checked_index(op, index, extent, dim, ErrorKind::runtime, false, &t)
                            : packed(index, DType::i64);
  }

  void check_line(std::string_view op, i64 line) const {
    check_indices(op, place->data_as<i64>() + line * length, length, extent, dim, ErrorKind::runtime);
  }

  i64 line_start(i64 line, const Dims& strides) const {
    i64 at = 0;
    for (int d = size.n - 2; d >= 0; --d) {
      at += line % size[d] * strides[d];
      line /= size[d];
    }
    return at;
  }

  // run(offset in the tensor's memory, offset in `other` with the given strides), for the lines in [begin, end).
  template <class Run> void for_each(i64 begin, i64 end, const Dims& other, Run&& run) const {
    const i64* p = place->data_as<i64>() + begin * length;
    i64 across = stride[size.n - 1], other_step = other[size.n - 1];
    for (i64 line = begin; line < end; ++line, p += length) {
      i64 base = line_start(line, stride), from = line_start(line, other);
      for (i64 j = 0; j < length; ++j) run(base + p[j] * step + j * across, from + j * other_step);
    }
  }
};

}  // namespace rl
