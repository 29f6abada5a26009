// L1: what CUDA must know before it compiles a formula: numbers and masks that act like the lanes of
// kernels/cpu/simd.h, the vocabulary of formulas, and the walk over strided operands. NVRTC reads it as text; no header
// of CUDA is needed.
#pragma once

namespace rl {

// Compiled with --device-as-default-execution-space: a function without a word about it runs on the device.
inline constexpr char kCudaPrelude[] = R"cuda(
typedef long long i64;
#define RL_INFINITY __longlong_as_double(0x7ff0000000000000ll)
#define RL_NAN __longlong_as_double(0x7ff8000000000000ll)

namespace std {  // what the special functions call
using ::acos; using ::ceil; using ::copysign; using ::cos; using ::cosh; using ::erf; using ::erfc; using ::exp;
using ::expm1; using ::fabs; using ::floor; using ::fmin; using ::fmod; using ::log; using ::log1p; using ::pow;
using ::sin; using ::sinh; using ::sqrt; using ::tan;
}

namespace rl {

// ---- storage: every 16-bit float is computed with as float
struct f16 { unsigned short bits; };
struct bf16 { unsigned short bits; };

inline float load(float x) { return x; }
inline double load(double x) { return x; }
inline i64 load(i64 x) { return x; }
inline float load(bf16 x) { return __uint_as_float((unsigned)x.bits << 16); }
inline float load(f16 x) {
  float r;
  asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(x.bits));
  return r;
}
inline void store(float& to, float x) { to = x; }
inline void store(double& to, double x) { to = x; }
inline void store(i64& to, i64 x) { to = x; }
inline void store(bf16& to, float x) { asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(to.bits) : "f"(x)); }
inline void store(f16& to, float x) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(to.bits) : "f"(x)); }

// ---- numbers: a literal of a formula is a double, but the arithmetic stays in T
template <class T> struct mask;
template <class T> struct num {
  T v;
  num() = default;
  num(float x) : v(T(x)) {}
  num(double x) : v(T(x)) {}
  num(i64 x) : v(T(x)) {}
  num(int x) : v(T(x)) {}

  friend num operator-(num a) { return T(-a.v); }
  friend num operator~(num a) { return ~a.v; }
#define RL_OPERATOR(symbol) \
  friend num operator symbol(num a, num b) { return T(a.v symbol b.v); }
  RL_OPERATOR(+) RL_OPERATOR(-) RL_OPERATOR(*) RL_OPERATOR(/) RL_OPERATOR(&) RL_OPERATOR(|) RL_OPERATOR(^)
#undef RL_OPERATOR
  // A count below 0 or above 63 shifts everything out.
  friend num operator<<(num a, num n) { return n.v < 0 || n.v > 63 ? T(0) : T((unsigned long long)a.v << n.v); }
  friend num operator>>(num a, num n) { return T(a.v >> (n.v < 0 || n.v > 63 ? 63 : n.v)); }
#define RL_COMPARISON(symbol) \
  friend mask<T> operator symbol(num a, num b) { return {a.v symbol b.v}; }
  RL_COMPARISON(<) RL_COMPARISON(>) RL_COMPARISON(<=) RL_COMPARISON(>=) RL_COMPARISON(==) RL_COMPARISON(!=)
#undef RL_COMPARISON
};

template <class T> struct mask {
  bool v;
  friend mask operator&(mask a, mask b) { return {a.v && b.v}; }
  friend mask operator|(mask a, mask b) { return {a.v || b.v}; }
  friend mask operator^(mask a, mask b) { return {a.v != b.v}; }
  friend mask operator==(mask a, mask b) { return {a.v == b.v}; }
  friend mask operator!=(mask a, mask b) { return {a.v != b.v}; }
  friend mask operator!(mask a) { return {!a.v}; }
  friend num<T> where(mask c, num<T> a, num<T> b) { return c.v ? a : b; }
  friend mask where(mask c, mask a, mask b) { return c.v ? a : b; }
};

// ---- the vocabulary
#define RL_SAME(name, expression) \
  template <class T> num<T> name(num<T> a) { return expression; }
#define RL_CUDA(name, function)                                       \
  inline num<float> name(num<float> a) { return ::function(a.v); }    \
  inline num<double> name(num<double> a) { return ::function(a.v); }
#define RL_WHOLE(name, function) \
  RL_CUDA(name, function)        \
  inline num<i64> name(num<i64> a) { return a; }
#define RL_IN_DOUBLE(name)                                                                  \
  inline num<float> name(num<float> a) { return float(scalar::name(double(a.v))); }         \
  inline num<double> name(num<double> a) { return scalar::name(a.v); }
#define RL_MASK(name, expression) \
  template <class T> mask<T> name(num<T> a) { return {expression}; }

template <class T> num<T> absolute(T a) { return a < 0 ? T(-a) : a; }
inline num<float> abs(num<float> a) { return ::fabsf(a.v); }
inline num<double> abs(num<double> a) { return ::fabs(a.v); }
inline num<i64> abs(num<i64> a) { return absolute(a.v); }
RL_SAME(sign, (T(a.v > T(0)) - T(a.v < T(0))))
RL_SAME(sgn, sign(a))
RL_SAME(square, a * a)
RL_SAME(conj, a)
RL_WHOLE(floor, floor) RL_WHOLE(ceil, ceil) RL_WHOLE(trunc, trunc) RL_WHOLE(round, rint)
RL_CUDA(sqrt, sqrt) RL_CUDA(exp, exp) RL_CUDA(exp2, exp2) RL_CUDA(expm1, expm1) RL_CUDA(log, log) RL_CUDA(log2, log2)
RL_CUDA(log10, log10) RL_CUDA(log1p, log1p) RL_CUDA(sin, sin) RL_CUDA(cos, cos) RL_CUDA(tan, tan) RL_CUDA(asin, asin)
RL_CUDA(acos, acos) RL_CUDA(atan, atan) RL_CUDA(sinh, sinh) RL_CUDA(cosh, cosh) RL_CUDA(tanh, tanh)
RL_CUDA(asinh, asinh) RL_CUDA(acosh, acosh) RL_CUDA(atanh, atanh) RL_CUDA(erf, erf) RL_CUDA(erfc, erfc)
RL_CUDA(erfcx, erfcx) RL_CUDA(erfinv, erfinv) RL_CUDA(lgamma, lgamma) RL_CUDA(ndtri, normcdfinv)
RL_CUDA(ndtr, normcdf)
RL_CUDA(bessel_j0, j0) RL_CUDA(bessel_j1, j1) RL_CUDA(bessel_y0, y0) RL_CUDA(bessel_y1, y1)
RL_IN_DOUBLE(digamma) RL_IN_DOUBLE(trigamma) RL_IN_DOUBLE(i0) RL_IN_DOUBLE(i0e) RL_IN_DOUBLE(i1) RL_IN_DOUBLE(i1e)
RL_IN_DOUBLE(scaled_modified_bessel_k0) RL_IN_DOUBLE(scaled_modified_bessel_k1) RL_IN_DOUBLE(airy_ai)
RL_SAME(reciprocal, T(1) / a)
RL_SAME(rsqrt, T(1) / sqrt(a))
RL_MASK(isnan, a.v != a.v)
RL_MASK(signbit, bool(::signbit(double(a.v))))
template <class T> mask<T> isinf(num<T> a) { return abs(a) == RL_INFINITY; }
template <class T> mask<T> isfinite(num<T> a) { return abs(a) < RL_INFINITY; }
inline mask<i64> isinf(num<i64>) { return {false}; }
inline mask<i64> isfinite(num<i64>) { return {true}; }
inline mask<i64> signbit(num<i64> a) { return {a.v < 0}; }
template <class T> num<T> angle(num<T> a) { return where(a < 0, 3.14159265358979323846, where(a != a, a, 0)); }
template <class T> num<T> sinc(num<T> a) {
  num<T> x = a * 3.14159265358979323846;
  return where(a == 0, 1, sin(x) / x);
}
template <class T> num<T> sigmoid(num<T> a) {  // exp of a number that is never positive cannot overflow
  num<T> e = exp(-abs(a));
  return where(a < 0, e, 1) / (1 + e);
}

#define RL_CUDA_2(name, function)                                                              \
  inline num<float> name(num<float> a, num<float> b) { return ::function(a.v, b.v); }          \
  inline num<double> name(num<double> a, num<double> b) { return ::function(a.v, b.v); }
#define RL_IN_DOUBLE_2(name)                                                                                        \
  inline num<float> name(num<float> a, num<float> b) { return float(scalar::name(double(a.v), double(b.v))); }      \
  inline num<double> name(num<double> a, num<double> b) { return scalar::name(a.v, b.v); }
RL_CUDA_2(pow, pow) RL_CUDA_2(fmod, fmod) RL_CUDA_2(copysign, copysign) RL_CUDA_2(hypot, hypot)
RL_CUDA_2(nextafter, nextafter) RL_CUDA_2(atan2, atan2) RL_IN_DOUBLE_2(zeta) RL_IN_DOUBLE_2(polygamma)
RL_IN_DOUBLE_2(igamma) RL_IN_DOUBLE_2(igammac) RL_IN_DOUBLE_2(chebyshev_polynomial_t)
RL_IN_DOUBLE_2(chebyshev_polynomial_u) RL_IN_DOUBLE_2(chebyshev_polynomial_v) RL_IN_DOUBLE_2(chebyshev_polynomial_w)
RL_IN_DOUBLE_2(hermite_polynomial_h) RL_IN_DOUBLE_2(hermite_polynomial_he) RL_IN_DOUBLE_2(laguerre_polynomial_l)
RL_IN_DOUBLE_2(legendre_polynomial_p)

// maximum and minimum hand NaN on, fmax and fmin ignore it.
template <class T> num<T> maximum(num<T> a, num<T> b) { return where((a >= b) | (a != a), a, b); }
template <class T> num<T> minimum(num<T> a, num<T> b) { return where((a <= b) | (a != a), a, b); }
template <class T> num<T> fmax(num<T> a, num<T> b) { return where((a >= b) | (b != b), a, b); }
template <class T> num<T> fmin(num<T> a, num<T> b) { return where((a <= b) | (b != b), a, b); }

// The integer divisions: by zero gives 0, and the smallest number divided by -1 is itself.
inline i64 negated(i64 a) { return i64(-(unsigned long long)a); }
inline num<i64> fmod(num<i64> a, num<i64> b) { return b.v == 0 || b.v == -1 ? 0 : a.v % b.v; }
inline num<i64> trunc_divide(num<i64> a, num<i64> b) { return b.v == 0 ? 0 : b.v == -1 ? negated(a.v) : a.v / b.v; }
inline num<i64> floor_divide(num<i64> a, num<i64> b) {
  return trunc_divide(a, b).v - (fmod(a, b).v != 0 && (a.v < 0) != (b.v < 0));
}
// The remainder with the sign of b.
template <class T> num<T> remainder(num<T> a, num<T> b) {
  num<T> r = fmod(a, b);
  return where((r != 0) & ((b < 0) != (r < 0)), r + b, r);
}
template <class T> num<T> trunc_divide(num<T> a, num<T> b) { return trunc(a / b); }
template <class T> num<T> floor_divide(num<T> a, num<T> b) {  // of the exact quotient, not of the rounded one
  num<T> r = fmod(a, b), quotient = a / b, q = (a - r) / b;
  q = where((r != 0) & ((b < 0) != (r < 0)), q - 1, q);
  num<T> low = floor(q), nearest = where(q - low > 0.5, low + 1, low);
  return where(b == 0, quotient, where(q == 0, copysign(num<T>(0), quotient), nearest));
}
inline num<i64> gcd(num<i64> a, num<i64> b) {
  while (b.v != 0) {
    num<i64> r = fmod(a, b);
    a = b, b = r;
  }
  return a.v < 0 ? negated(a.v) : a.v;
}
inline num<i64> lcm(num<i64> a, num<i64> b) {
  i64 g = gcd(a, b).v;
  if (g == 0) return 0;
  i64 m = i64((unsigned long long)trunc_divide(a, g).v * (unsigned long long)b.v);
  return m < 0 ? negated(m) : m;
}
inline num<i64> pow(num<i64> a, num<i64> b) {
  i64 base = a.v, exponent = b.v;
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  unsigned long long result = 1, power = base;
  for (; exponent != 0; exponent >>= 1, power *= power)
    if (exponent & 1) result *= power;
  return i64(result);
}

template <class T> num<T> xlogy(num<T> a, num<T> b) { return where((a == 0) & (b == b), 0, a * log(b)); }
template <class T> num<T> xlog1py(num<T> a, num<T> b) { return where((a == 0) & (b == b), 0, a * log1p(b)); }
template <class T> num<T> logaddexp(num<T> a, num<T> b) {
  return where(isinf(a) & (a == b), a, maximum(a, b) + log1p(exp(-abs(a - b))));
}

// A number may stand on either side.
#define RL_EITHER_SIDE(name)                                                             \
  template <class T> num<T> name(num<T> a, double b) { return name(a, num<T>(b)); }      \
  template <class T> num<T> name(double a, num<T> b) { return name(num<T>(a), b); }
RL_EITHER_SIDE(pow) RL_EITHER_SIDE(fmod) RL_EITHER_SIDE(remainder) RL_EITHER_SIDE(floor_divide)
RL_EITHER_SIDE(trunc_divide) RL_EITHER_SIDE(copysign) RL_EITHER_SIDE(hypot) RL_EITHER_SIDE(nextafter)
RL_EITHER_SIDE(maximum) RL_EITHER_SIDE(minimum) RL_EITHER_SIDE(fmax) RL_EITHER_SIDE(fmin) RL_EITHER_SIDE(atan2)
RL_EITHER_SIDE(logaddexp) RL_EITHER_SIDE(xlogy) RL_EITHER_SIDE(xlog1py) RL_EITHER_SIDE(zeta)
RL_EITHER_SIDE(polygamma) RL_EITHER_SIDE(gcd) RL_EITHER_SIDE(lcm)

// ---- the walk over the result's elements; strides are in elements, 0 where an operand is broadcast
template <int operands> struct Geometry {
  i64 elements;
  int ndim;
  i64 size[16], stride[operands + 1][16];  // of the result, then of each operand
};
template <int operands, class F> void for_each(const Geometry<operands>& g, F f) {
  for (i64 i = blockIdx.x * i64(blockDim.x) + threadIdx.x; i < g.elements; i += i64(gridDim.x) * blockDim.x) {
    i64 at[operands + 1] = {}, rest = i;
    for (int d = g.ndim - 1; d >= 0; --d) {
      i64 index = rest % g.size[d];
      rest /= g.size[d];
      for (int k = 0; k <= operands; ++k) at[k] += index * g.stride[k][d];
    }
    f(at);
  }
}

}  // namespace rl
)cuda";

}  // namespace rl
