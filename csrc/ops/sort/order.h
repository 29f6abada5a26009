// Ordering of the elements along a dimension: NaN is larger than every number, equals keep their order.
#pragma once
#include <algorithm>

#include "ops/reduce/reduce.h"

namespace rl {

template <class T> bool before(T a, T b) {
  if constexpr (std::is_integral_v<T>) return a < b;
  else return a < b || (is_nan(b) && !is_nan(a));
}

template <class T> struct Ranked {
  T value;
  i64 index;
};
// Ties are decided by the place, so that every selection has one answer.
template <class T> bool ascending(const Ranked<T>& a, const Ranked<T>& b) {
  return before(a.value, b.value) || (!before(b.value, a.value) && a.index < b.index);
}
template <class T> bool descending(const Ranked<T>& a, const Ranked<T>& b) {
  return before(b.value, a.value) || (!before(a.value, b.value) && a.index < b.index);
}

// Calls body(element type, line, first element, line number) for the lines along a dimension of x [outer, n, inner]
// (contiguous), with the line's elements ranked in their order of appearance; `body` may reorder them.
template <class Body> void for_lines(const Tensor& x, const Along& a, Body&& body) {
  visit(x->dtype, [&]<class T>(Type<T>) {
    if constexpr (!is_complex_type<T>) {
      using V = Wide<T>;
      const T* from = x->data_as<T>();
      parallel_for(a.outer * a.inner, std::max<i64>(1, 2048 / std::max<i64>(1, a.n)), [&](i64 begin, i64 end) {
        std::vector<Ranked<V>> line(static_cast<std::size_t>(a.n));
        for (i64 k = begin; k < end; ++k) {
          i64 at = k / a.inner * a.n * a.inner + k % a.inner;
          for (i64 i = 0; i < a.n; ++i) line[static_cast<std::size_t>(i)] = {V(from[at + i * a.inner]), i};
          body(Type<T>{}, line, at, k);
        }
      });
    }
  });
}

// One result per line: [outer, inner] in memory, whatever keepdim is.
inline void infer_picked(const Call& c, int dim_at, int keepdim_at) {
  TensorImpl& t = c.tensor(0);
  int dim = wrap_dim(c.op.name(), c.integer(dim_at), t.ndim);
  check_accepted(c);
  Dims size = reduced_sizes(t.sizes(), 1u << dim, c.flag(keepdim_at));
  check(t.ndim == 0 || t.size[dim] > 0, ErrorKind::index, "[", c.op.name(), "] Expected reduction dim ", dim,
        " to have non-zero size. Received ", describe(t), ".");
  c.output(0, size, t.dtype);
  c.output(1, size, DType::i64);
}

}  // namespace rl
