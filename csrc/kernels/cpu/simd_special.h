// L4: functions of real lanes that are compositions of others, or go lane by lane.
#pragma once
#include "kernels/cpu/simd_elementary.h"
#include "kernels/cpu/simd_int.h"
#include "kernels/cpu/special_functions.h"

namespace rl {
inline namespace RL_ISA {

// Lane by lane, in double. Out of line: a formula stays small, and the compiler has nothing to vectorise here.
#define RL_LANES_1(name, function)             \
  template <floating T>                        \
  [[gnu::noinline]] vec<T> name(vec<T> a) {    \
    T x[vec<T>::lanes];                        \
    a.store(x);                                \
    for (T& v : x) v = T(function(double(v))); \
    return vec<T>::load(x);                    \
  }
#define RL_LANES_2(name, function)                                                          \
  template <floating T>                                                                     \
  [[gnu::noinline]] vec<T> name(vec<T> a, vec<T> b) {                                       \
    T x[vec<T>::lanes], y[vec<T>::lanes];                                                   \
    a.store(x), b.store(y);                                                                 \
    for (int i = 0; i < vec<T>::lanes; ++i) x[i] = T(function(double(x[i]), double(y[i]))); \
    return vec<T>::load(x);                                                                 \
  }
#if !RL_FUSED
RL_LANES_1(exp, std::exp)
RL_LANES_1(exp2, std::exp2)
RL_LANES_1(expm1, std::expm1)
RL_LANES_1(log, std::log)
RL_LANES_1(log2, std::log2)
RL_LANES_1(log10, std::log10)
RL_LANES_1(log1p, std::log1p)
RL_LANES_1(sin, std::sin)
RL_LANES_1(cos, std::cos)
RL_LANES_1(tan, std::tan)
RL_LANES_1(asin, std::asin)
RL_LANES_1(acos, std::acos)
RL_LANES_1(atan, std::atan)
RL_LANES_1(sinh, std::sinh)
RL_LANES_1(cosh, std::cosh)
RL_LANES_1(tanh, std::tanh)
RL_LANES_1(asinh, std::asinh)
RL_LANES_1(acosh, std::acosh)
RL_LANES_1(atanh, std::atanh)
RL_LANES_1(erf, std::erf)
RL_LANES_1(erfc, std::erfc)
RL_LANES_2(atan2, std::atan2)
#endif
RL_LANES_2(general_pow, std::pow)  // of double; float has a better match with fused multiply-add
RL_LANES_1(lgamma, scalar::lgamma)
RL_LANES_1(erfinv, scalar::erfinv)
RL_LANES_1(digamma, scalar::digamma)
RL_LANES_1(trigamma, scalar::trigamma)
RL_LANES_1(ndtri, scalar::ndtri)
RL_LANES_1(i0, scalar::i0)
RL_LANES_1(i0e, scalar::i0e)
RL_LANES_1(i1, scalar::i1)
RL_LANES_1(i1e, scalar::i1e)
RL_LANES_1(bessel_j0, scalar::bessel_j0)
RL_LANES_1(bessel_j1, scalar::bessel_j1)
RL_LANES_1(bessel_y0, scalar::bessel_y0)
RL_LANES_1(bessel_y1, scalar::bessel_y1)
RL_LANES_1(scaled_modified_bessel_k0, scalar::scaled_modified_bessel_k0)
RL_LANES_1(scaled_modified_bessel_k1, scalar::scaled_modified_bessel_k1)
RL_LANES_1(airy_ai, scalar::airy_ai)
RL_LANES_2(zeta, scalar::zeta)
RL_LANES_2(polygamma, scalar::polygamma)
RL_LANES_2(igamma, scalar::igamma)
RL_LANES_2(igammac, scalar::igammac)
RL_LANES_2(chebyshev_polynomial_t, scalar::chebyshev_polynomial_t)
RL_LANES_2(chebyshev_polynomial_u, scalar::chebyshev_polynomial_u)
RL_LANES_2(chebyshev_polynomial_v, scalar::chebyshev_polynomial_v)
RL_LANES_2(chebyshev_polynomial_w, scalar::chebyshev_polynomial_w)
RL_LANES_2(hermite_polynomial_h, scalar::hermite_polynomial_h)
RL_LANES_2(hermite_polynomial_he, scalar::hermite_polynomial_he)
RL_LANES_2(laguerre_polynomial_l, scalar::laguerre_polynomial_l)
RL_LANES_2(legendre_polynomial_p, scalar::legendre_polynomial_p)
#undef RL_LANES_1
#undef RL_LANES_2

// Frequent exponents take a shorter way, lane for lane the same whether or not all lanes share it.
template <floating T>
RL_INLINE vec<T> pow(vec<T> x, vec<T> y) {
  const mask<T> two = y == 2, three = y == 3, root = y == 0.5;
  const vec<T> square = x * x, cube = square * x;
  vec<T> power = square;
  if (!all(two | three)) {
    // 0 + x and abs give pow(-0, 0.5) = 0 and pow(-inf, 0.5) = inf
    const vec<T> square_root = sqrt(where(x == -kInfinity, kInfinity, 0 + x));
    power = all(root) ? square_root : select(root, square_root, general_pow(x, y));
  }
  return where(two, square, where(three, cube, power));
}

// Scaled by a power of two, so that the squares neither overflow nor vanish.
template <floating T>
RL_INLINE vec<T> hypot(vec<T> x, vec<T> y) {
  using lane = typename mask<T>::lane;
  constexpr int bits = std::numeric_limits<T>::digits - 1, largest = 2 * (std::numeric_limits<T>::max_exponent - 1);
  const vec<T> a = abs(x), b = abs(y), high = maximum(a, b), low = minimum(a, b);
  typename mask<T>::raw e = high.bits() >> bits;
  e = e < lane(1) ? typename mask<T>::raw{} + lane(1) : e;
  e = e > lane(largest - 1) ? typename mask<T>::raw{} + lane(largest - 1) : e;
  const vec<T> up = vec<T>::from_bits(e << bits), down = vec<T>::from_bits((lane(largest) - e) << bits);
  const vec<T> u = high * down, v = low * down;
  const vec<T> r = up * sqrt(mul_add(u, u, v * v));
  return where((a == kInfinity) | (b == kInfinity), kInfinity, r);
}

// exp of a number that is never positive neither overflows nor loses small results.
template <floating T>
RL_INLINE vec<T> sigmoid(vec<T> x) {
#if RL_FUSED
  const vec<T> e = exp_of_negative(-abs(x));
#else
  const vec<T> e = exp(-abs(x));
#endif
  return where(signbit(x), e, 1) / (1 + e);
}
template <floating T>
RL_INLINE vec<T> ndtr(vec<T> x) {
  return 0.5 * erfc(-0.70710678118654752440 * x);
}
#if RL_FUSED
RL_INLINE vfloat ndtr(vfloat x) {  // rounding erfc's argument to float would cost dozens of ulp
  const double_pair a = widen(x);
  constexpr double scale = -0.70710678118654752440;
  return 0.5 * narrow(erfc_of_float(scale * a.low), erfc_of_float(scale * a.high));
}
#endif
template <floating T>
RL_INLINE vec<T> sinc(vec<T> x) {
  constexpr double pi = 3.14159265358979323846;
  const vec<T> turns = round(x), half = 0.5 * turns, s = sin(pi * (x - turns));  // precise next to the zeros, too
  return where(x == 0, 1, where(half == trunc(half), s, -s) / (pi * x));
}
template <floating T>
RL_INLINE vec<T> xlogy(vec<T> x, vec<T> y) {
  return where((x == 0) & (y == y), 0, x * log(y));
}
template <floating T>
RL_INLINE vec<T> xlog1py(vec<T> x, vec<T> y) {
  return where((x == 0) & (y == y), 0, x * log1p(y));
}
template <floating T>
RL_INLINE vec<T> logaddexp(vec<T> a, vec<T> b) {
  const vec<T> high = maximum(a, b);
  return where(isinf(a) & (a == b), a, high + log1p(exp(-abs(a - b))));
}
template <floating T>
RL_INLINE vec<T> logaddexp2(vec<T> a, vec<T> b) {
  const vec<T> high = maximum(a, b);
  return where(isinf(a) & (a == b), a, high + log1p(exp2(-abs(a - b))) * 1.44269504088896340736);
}

RL_EITHER_SIDE(pow)
RL_EITHER_SIDE(atan2)
RL_EITHER_SIDE(hypot)
RL_EITHER_SIDE(zeta)
RL_EITHER_SIDE(polygamma)
RL_EITHER_SIDE(xlogy)
RL_EITHER_SIDE(xlog1py)
RL_EITHER_SIDE(logaddexp)
RL_EITHER_SIDE(logaddexp2)

}  // namespace RL_ISA
}  // namespace rl
