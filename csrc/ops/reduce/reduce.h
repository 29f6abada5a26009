// What the rows that fold or walk along dimensions share.
#pragma once
#include "eager/call.h"
#include "kernels/pointwise.h"
#include "kernels/reduce.h"

namespace rl {

// The categories in a row's OP(...) are those it accepts.
inline void check_accepted(const Call& c, int k = 0) {
  TensorImpl& t = c.tensor(k);
  c.check(c.op.dtypes >> static_cast<int>(category(t.dtype)) & 1, ErrorKind::not_implemented, "\"", c.op.name(),
          "\" not implemented for '", t.dtype, "'. Received ", describe(t), ". Convert with .to(dtype).");
}

// The type that elements are compared or summed in.
template <class T> using Wide = std::conditional_t<is_half_type<T>, float, T>;

template <class T> struct RealType {
  using type = T;
};
template <class R> struct RealType<std::complex<R>> {
  using type = R;
};
template <class T> using RealOf = typename RealType<T>::type;

template <class T> bool is_nan(T x) {
  if constexpr (is_complex_type<T>) return is_nan(x.real()) || is_nan(x.imag());
  else if constexpr (std::is_integral_v<T>) return false;
  else return x != x;
}

// Reduced dimensions come back as size 1, so that a gradient broadcasts.
inline Tensor restore_dims(const Tensor& g, Sizes size, std::uint32_t mask) {
  Dims kept = reduced_sizes(size, mask, true);
  return same_sizes(g->sizes(), kept) ? g : call<"reshape">(g, kept);
}

// The gradient of values that were picked along `dim` by `indices`: each lands where it came from.
inline Tensor place_along(const Tensor& gy, const Tensor& indices, Sizes size, i64 dim, bool dim_was_dropped) {
  Tensor g = gy, at = indices;
  if (dim_was_dropped && !size.empty()) g = call<"unsqueeze">(g, dim), at = call<"unsqueeze">(at, dim);
  return call<"scatter_add">(zeros(size, gy->dtype), dim, at, g);
}

}  // namespace rl
