// L4: functions of real lanes that need no approximation: signs, rounding, extrema, remainders, classification.
#pragma once
#include "kernels/cpu/simd_types.h"

namespace rl {
inline namespace RL_ISA {

// a * b + c, rounded once where the machine can.
template <floating T>
RL_INLINE vec<T> mul_add(vec<T> a, vec<T> b, vec<T> c) {
#if RL_VECTOR_BYTES == 64
  if constexpr (sizeof(T) == 4) return (vfloat::raw)_mm512_fmadd_ps((__m512)a.v, (__m512)b.v, (__m512)c.v);
  else return (vdouble::raw)_mm512_fmadd_pd((__m512d)a.v, (__m512d)b.v, (__m512d)c.v);
#elif RL_VECTOR_BYTES == 32
  if constexpr (std::is_same_v<T, float>) return (vfloat::raw)_mm256_fmadd_ps((__m256)a.v, (__m256)b.v, (__m256)c.v);
  else return (vdouble::raw)_mm256_fmadd_pd((__m256d)a.v, (__m256d)b.v, (__m256d)c.v);
#elif RL_FUSED
  return vec<T>::from_lanes([&](int i) { return std::fma(a[i], b[i], c[i]); });  // the compiler finds the vector form
#else
  return a * b + c;
#endif
}

// x, but not below or above a limit; NaN passes.
template <floating T>
RL_INLINE vec<T> at_least(double limit, vec<T> x) {
#if RL_VECTOR_BYTES == 32
  if constexpr (sizeof(T) == 4) return (vfloat::raw)_mm256_max_ps((__m256)vec<T>(limit).v, (__m256)x.v);
  else return (vdouble::raw)_mm256_max_pd((__m256d)vec<T>(limit).v, (__m256d)x.v);
#else
  return select(x < limit, vec<T>(limit), x);
#endif
}
template <floating T>
RL_INLINE vec<T> at_most(double limit, vec<T> x) {
#if RL_VECTOR_BYTES == 32
  if constexpr (sizeof(T) == 4) return (vfloat::raw)_mm256_min_ps((__m256)vec<T>(limit).v, (__m256)x.v);
  else return (vdouble::raw)_mm256_min_pd((__m256d)vec<T>(limit).v, (__m256d)x.v);
#else
  return select(x > limit, vec<T>(limit), x);
#endif
}

// The four hardware roundings and the square root; other machines go lane by lane, where the compiler knows its own.
#if RL_VECTOR_BYTES == 64
#define RL_HARDWARE(name, ps, pd)                             \
  RL_INLINE vfloat name(vfloat x) { return (vfloat::raw)ps; } \
  RL_INLINE vdouble name(vdouble x) { return (vdouble::raw)pd; }
#define RL_ROUND(name, mode)                                           \
  RL_HARDWARE(name, _mm512_maskz_roundscale_ps(-1, (__m512)x.v, mode), \
              _mm512_maskz_roundscale_pd(-1, (__m512d)x.v, mode))
RL_HARDWARE(sqrt, _mm512_maskz_sqrt_ps(-1, (__m512)x.v), _mm512_maskz_sqrt_pd(-1, (__m512d)x.v))
#elif RL_VECTOR_BYTES == 32
#define RL_HARDWARE(name, ps, pd)                             \
  RL_INLINE vfloat name(vfloat x) { return (vfloat::raw)ps; } \
  RL_INLINE vdouble name(vdouble x) { return (vdouble::raw)pd; }
#define RL_ROUND(name, mode) RL_HARDWARE(name, _mm256_round_ps((__m256)x.v, mode), _mm256_round_pd((__m256d)x.v, mode))
RL_HARDWARE(sqrt, _mm256_sqrt_ps((__m256)x.v), _mm256_sqrt_pd((__m256d)x.v))
#endif
#if RL_VECTOR_BYTES > 16
RL_ROUND(floor, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)
RL_ROUND(ceil, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)
RL_ROUND(trunc, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)
RL_ROUND(round, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#undef RL_ROUND
#undef RL_HARDWARE
#else
#define RL_BY_LANES(name, function)                                        \
  template <floating T>                                                    \
  RL_INLINE vec<T> name(vec<T> x) {                                        \
    return vec<T>::from_lanes([&](int i) { return std::function(x[i]); }); \
  }
RL_BY_LANES(floor, floor)
RL_BY_LANES(ceil, ceil)
RL_BY_LANES(trunc, trunc)
RL_BY_LANES(round, nearbyint)
RL_BY_LANES(sqrt, sqrt)
#undef RL_BY_LANES
#endif

template <class T>
constexpr typename mask<T>::lane kSignBit = std::numeric_limits<typename mask<T>::lane>::min();

template <number T>
RL_INLINE vec<T> neg(vec<T> x) {
  return -x;
}
template <number T>
RL_INLINE vec<T> abs(vec<T> x) {
  if constexpr (floating<T>) {
    return vec<T>::from_bits(x.bits() & ~kSignBit<T>);
  } else {
    return where(x < 0, -x, x);
  }
}
template <number T>
RL_INLINE vec<T> square(vec<T> x) {
  return x * x;
}
template <number T>
RL_INLINE vec<T> sign(vec<T> x) {  // 0 for NaN, as in PyTorch
  return where(x > 0, 1, where(x < 0, -1, vec<T>(0)));
}
template <number T>
RL_INLINE vec<T> sgn(vec<T> x) {
  return sign(x);
}
template <number T>
RL_INLINE mask<T> signbit(vec<T> x) {
  return {x.bits() < 0};
}
template <floating T>
RL_INLINE vec<T> copysign(vec<T> x, vec<T> y) {
  return vec<T>::from_bits((x.bits() & ~kSignBit<T>) | (y.bits() & kSignBit<T>));
}

// Formulas say conj and real of every type.
template <number T>
RL_INLINE vec<T> conj(vec<T> x) {
  return x;
}
template <number T>
RL_INLINE vec<T> real(vec<T> x) {
  return x;
}
template <number T>
RL_INLINE vec<T> imag(vec<T>) {
  return 0;
}
template <floating T>
RL_INLINE vec<T> angle(vec<T> x) {  // 0 or pi; NaN stays NaN
  return where(x < 0, 3.14159265358979323846, where(x != x, x, 0));
}
template <floating T>
RL_INLINE vec<T> arg(vec<T> x) {
  return angle(x);
}

template <floating T>
RL_INLINE mask<T> isnan(vec<T> x) {
  return x != x;
}
template <floating T>
RL_INLINE mask<T> isinf(vec<T> x) {
  return abs(x) == kInfinity;
}
template <floating T>
RL_INLINE mask<T> isfinite(vec<T> x) {
  return abs(x) < kInfinity;
}

// maximum and minimum hand NaN on, fmax and fmin ignore it. Of equal numbers the first is taken.
template <number T>
RL_INLINE vec<T> maximum(vec<T> a, vec<T> b) {
  return select((a >= b) | (a != a), a, b);
}
template <number T>
RL_INLINE vec<T> minimum(vec<T> a, vec<T> b) {
  return select((a <= b) | (a != a), a, b);
}
template <number T>
RL_INLINE vec<T> fmax(vec<T> a, vec<T> b) {
  return select((a >= b) | (b != b), a, b);
}
template <number T>
RL_INLINE vec<T> fmin(vec<T> a, vec<T> b) {
  return select((a <= b) | (b != b), a, b);
}
template <number T>
RL_INLINE vec<T> clamp(vec<T> x, std::type_identity_t<vec<T>> low, std::type_identity_t<vec<T>> high) {
  return minimum(maximum(x, low), high);
}

template <floating T>
RL_INLINE vec<T> reciprocal(vec<T> x) {
  return 1 / x;
}
template <floating T>
RL_INLINE vec<T> rsqrt(vec<T> x) {
  return 1 / sqrt(x);
}
template <floating T>
RL_INLINE vec<T> frac(vec<T> x) {
  return x - trunc(x);
}
template <floating T>
RL_INLINE vec<T> rad2deg(vec<T> x) {
  return x * 57.295779513082320877;
}
template <floating T>
RL_INLINE vec<T> deg2rad(vec<T> x) {
  return x * 0.017453292519943295769;
}

template <floating T>
[[gnu::noinline]] vec<T> fmod_lanes(vec<T> a, vec<T> b) {
  return vec<T>::from_lanes([&](int i) { return std::fmod(a[i], b[i]); });
}
// The remainder with the sign of a. With q = trunc(a / b) below 2^23, a - q * b is exact in one fused operation, and
// the rounding of a / b can only have raised |q| by one. Everything else goes lane by lane, which is exact too.
template <floating T>
RL_INLINE vec<T> fmod(vec<T> a, vec<T> b) {
#if RL_VECTOR_BYTES > 16
  const vec<T> x = abs(a), y = abs(b), q = trunc(x / y);
  if (all((q < 8388608.) & (y < kInfinity))) [[likely]] {
    const vec<T> r = mul_add(-q, y, x);
    return copysign(where(r < 0, r + y, r), a);
  }
#endif
  return fmod_lanes(a, b);
}
// The remainder with the sign of b.
template <floating T>
RL_INLINE vec<T> remainder(vec<T> a, vec<T> b) {
  const vec<T> r = fmod(a, b);
  return where((r != 0) & ((b < 0) != (r < 0)), r + b, r);
}
// Python's rounding: the largest integer below the exact quotient, not below the rounded one.
template <floating T>
RL_INLINE vec<T> floor_divide(vec<T> a, vec<T> b) {
  const vec<T> r = fmod(a, b), quotient = a / b;
  vec<T> q = (a - r) / b;
  q = where((r != 0) & ((b < 0) != (r < 0)), q - 1, q);
  const vec<T> low = floor(q), nearest = where(q - low > 0.5, low + 1, low);
  return where(b == 0, quotient, where(q == 0, copysign(vec<T>(0), quotient), nearest));
}
template <floating T>
RL_INLINE vec<T> floor_div(vec<T> a, vec<T> b) {
  return floor_divide(a, b);
}
template <floating T>
RL_INLINE vec<T> trunc_div(vec<T> a, vec<T> b) {
  return trunc(a / b);
}
template <floating T>
RL_INLINE vec<T> trunc_divide(vec<T> a, vec<T> b) {
  return trunc(a / b);
}

// The next number after x on the way to y: its neighbour as an integer.
template <floating T>
RL_INLINE vec<T> nextafter(vec<T> x, vec<T> y) {
  using lane = typename mask<T>::lane;
  const mask<T> away = (y > x) == (x > 0);
  const vec<T> step = vec<T>::from_bits(x.bits() - away.m - (~away.m & 1));
  const vec<T> smallest = copysign(vec<T>::from_bits(typename mask<T>::raw{} + lane(1)), y);
  return where((x != x) | (y != y), x + y, where(x == y, y, where(x == 0, smallest, step)));
}

RL_EITHER_SIDE(copysign)
RL_EITHER_SIDE(maximum)
RL_EITHER_SIDE(minimum)
RL_EITHER_SIDE(fmax)
RL_EITHER_SIDE(fmin)
RL_EITHER_SIDE(fmod)
RL_EITHER_SIDE(remainder)
RL_EITHER_SIDE(floor_divide)
RL_EITHER_SIDE(floor_div)
RL_EITHER_SIDE(trunc_div)
RL_EITHER_SIDE(trunc_divide)
RL_EITHER_SIDE(nextafter)

}  // namespace RL_ISA
}  // namespace rl
