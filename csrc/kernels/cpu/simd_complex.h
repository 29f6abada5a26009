// L4: complex lanes. Functions that PyTorch gives a real result (abs, angle, real, imag) have an imaginary part of zero
// here; the kernel stores the real part.
// The formulas below hold for finite numbers of ordinary size; other lanes go to the C++ library, each for itself.
#pragma once
#include "kernels/cpu/simd_special.h"

namespace rl {
inline namespace RL_ISA {

RL_INLINE vcomplex conj(vcomplex z) { return {z.re, -z.im}; }
RL_INLINE vcomplex real(vcomplex z) { return {z.re, 0.}; }
RL_INLINE vcomplex imag(vcomplex z) { return {z.im, 0.}; }
RL_INLINE vcomplex abs(vcomplex z) { return {hypot(z.re, z.im), 0.}; }
RL_INLINE vcomplex angle(vcomplex z) { return {atan2(z.im, z.re), 0.}; }
RL_INLINE vcomplex arg(vcomplex z) { return angle(z); }
RL_INLINE vcomplex neg(vcomplex z) { return -z; }
RL_INLINE vcomplex square(vcomplex z) { return z * z; }
RL_INLINE mask<complex128> isnan(vcomplex z) { return {(isnan(z.re) | isnan(z.im)).m}; }
RL_INLINE mask<complex128> isinf(vcomplex z) { return {(isinf(z.re) | isinf(z.im)).m}; }
RL_INLINE mask<complex128> isfinite(vcomplex z) { return {(isfinite(z.re) & isfinite(z.im)).m}; }
RL_INLINE vcomplex sgn(vcomplex z) {
  const vdouble r = hypot(z.re, z.im);
  return where(z == 0, 0, vcomplex(z.re / r, z.im / r));
}
RL_INLINE vcomplex sign(vcomplex z) { return sgn(z); }

// The lanes of `ordinary` keep their result, the others take function(lane).
template <class F>
RL_INLINE vcomplex otherwise(mask<double> ordinary, vcomplex result, F function) {
  if (all(ordinary)) [[likely]]
    return result;
  return [=]() __attribute__((noinline, cold)) {
    return vcomplex::from_lanes([&](int i) { return ordinary[i] ? result[i] : function(i); });
  }();
}

#if RL_FUSED

// z = 2^e (u + iv), the larger part's exponent taken out; exact but for subnormal numbers
RL_INLINE vcomplex without_exponent(vcomplex z, mask<double>::raw& e) {
  const vdouble high = maximum(abs(z.re), abs(z.im));
  e = (high.bits() >> 52) - 1023;
  e = e < -1022 ? mask<double>::raw{} - 1022 : e;
  e = e > 1022 ? mask<double>::raw{} + 1022 : e;
  const vdouble down = power_of_two<double>(-e);
  return {z.re * down, z.im * down};
}
// Both operands scaled: no square overflows or vanishes.
RL_INLINE vcomplex vcomplex::divide(vcomplex a, vcomplex b) {
  mask<double>::raw ea, eb;
  const vcomplex p = without_exponent(a, ea), q = without_exponent(b, eb);
  const vdouble square = q.re * q.re + q.im * q.im;
  const vdouble re = (p.re * q.re + p.im * q.im) / square, im = (p.im * q.re - p.re * q.im) / square;
  const vcomplex result{scale(re, ea - eb), scale(im, ea - eb)};
  const mask<double> ordinary = isfinite(a.re) & isfinite(a.im) & isfinite(square) & (square > 0);
  return otherwise(ordinary, result, [&](int i) { return a[i] / b[i]; });
}

RL_INLINE vcomplex exp(vcomplex z) {
  const vdouble r = exp(z.re);
  const mask<double> ordinary = (abs(z.re) < 700) & isfinite(z.im);
  return otherwise(ordinary, {r * cos(z.im), r * sin(z.im)}, [&](int i) { return std::exp(z[i]); });
}
RL_INLINE vcomplex sinh(vcomplex z) {
  const mask<double> ordinary = (abs(z.re) < 700) & isfinite(z.im);
  return otherwise(ordinary, {sinh(z.re) * cos(z.im), cosh(z.re) * sin(z.im)}, [&](int i) { return std::sinh(z[i]); });
}
RL_INLINE vcomplex cosh(vcomplex z) {
  const mask<double> ordinary = (abs(z.re) < 700) & isfinite(z.im);
  return otherwise(ordinary, {cosh(z.re) * cos(z.im), sinh(z.re) * sin(z.im)}, [&](int i) { return std::cosh(z[i]); });
}
// Kahan (1987), Branch cuts for complex elementary functions
RL_INLINE vcomplex tanh(vcomplex z) {
  const vdouble t = tan(z.im), s = sinh(z.re), beta = 1 + t * t, square = s * s, below = 1 + beta * square;
  const mask<double> ordinary = (abs(z.re) < 20) & isfinite(z.im);
  return otherwise(ordinary, {beta * sqrt(1 + square) * s / below, t / below}, [&](int i) { return std::tanh(z[i]); });
}
// sin(z) = -i sinh(iz), cos(z) = cosh(iz), tan(z) = -i tanh(iz)
RL_INLINE vcomplex sin(vcomplex z) {
  const vcomplex y = sinh(vcomplex(-z.im, z.re));
  return {y.im, -y.re};
}
RL_INLINE vcomplex cos(vcomplex z) { return cosh(vcomplex(-z.im, z.re)); }
RL_INLINE vcomplex tan(vcomplex z) {
  const vcomplex y = tanh(vcomplex(-z.im, z.re));
  return {y.im, -y.re};
}
// Near |z| = 1, log|z| = log1p(|z|^2 - 1) / 2 without the cancellation.
RL_INLINE vcomplex log(vcomplex z) {
  const vdouble x = abs(z.re), y = abs(z.im), high = maximum(x, y), low = minimum(x, y), r = hypot(x, y);
  const vdouble near = 0.5 * log1p(mul_add(high - 1, high + 1, low * low));
  return {where((r > 0.5) & (r < 2), near, log(r)), atan2(z.im, z.re)};
}
RL_INLINE vcomplex sqrt(vcomplex z) {
  const vdouble x = abs(z.re), y = abs(z.im), t = sqrt(0.5 * (x + hypot(x, y))), u = 0.5 * y / t;
  const mask<double> left = z.re < 0;
  const vcomplex result{where(left, u, t), copysign(where(left, t, u), z.im)};
  const vdouble high = maximum(x, y);
  return otherwise((high < 1e300) & (high > 1e-290), result, [&](int i) { return std::sqrt(z[i]); });
}

#else

RL_INLINE vcomplex vcomplex::divide(vcomplex a, vcomplex b) {
  return from_lanes([&](int i) { return a[i] / b[i]; });
}

#endif  // RL_FUSED

#define RL_COMPLEX_LANES(name)                                           \
  [[gnu::noinline]] inline vcomplex name(vcomplex z) {                   \
    return vcomplex::from_lanes([&](int i) { return std::name(z[i]); }); \
  }
#if !RL_FUSED
RL_COMPLEX_LANES(exp)
RL_COMPLEX_LANES(log)
RL_COMPLEX_LANES(sqrt)
RL_COMPLEX_LANES(sin)
RL_COMPLEX_LANES(cos)
RL_COMPLEX_LANES(tan)
RL_COMPLEX_LANES(sinh)
RL_COMPLEX_LANES(cosh)
RL_COMPLEX_LANES(tanh)
#endif
RL_COMPLEX_LANES(asin)
RL_COMPLEX_LANES(acos)
RL_COMPLEX_LANES(atan)
RL_COMPLEX_LANES(asinh)
RL_COMPLEX_LANES(acosh)
RL_COMPLEX_LANES(atanh)
#undef RL_COMPLEX_LANES

RL_INLINE vcomplex reciprocal(vcomplex z) { return 1 / z; }
RL_INLINE vcomplex rsqrt(vcomplex z) { return 1 / sqrt(z); }
RL_INLINE vcomplex log2(vcomplex z) {
  const vcomplex y = log(z);
  return {y.re * 1.44269504088896340736, y.im * 1.44269504088896340736};
}
RL_INLINE vcomplex log10(vcomplex z) {
  const vcomplex y = log(z);
  return {y.re * 0.43429448190325182765, y.im * 0.43429448190325182765};
}
RL_INLINE vcomplex exp2(vcomplex z) {
  return exp(vcomplex(z.re * 0.69314718055994530942, z.im * 0.69314718055994530942));
}
// log(1 + z): |1 + z|^2 - 1 = x (2 + x) + y^2 keeps the small parts of a small z.
RL_INLINE vcomplex log1p(vcomplex z) {
  const vdouble x = z.re, y = z.im;
  const vdouble near = 0.5 * log1p(mul_add(x, 2 + x, y * y)), far = log(hypot(1 + x, y));
  return {where((abs(x) < 0.5) & (abs(y) < 0.5), near, far), atan2(y, 1 + x)};
}
// exp(x + iy) - 1 = expm1(x) cos y - 2 sin(y / 2)^2 + i exp(x) sin y
RL_INLINE vcomplex expm1(vcomplex z) {
  const vdouble half = sin(0.5 * z.im), re = expm1(z.re) * cos(z.im) - 2 * half * half, im = exp(z.re) * sin(z.im);
  const mask<double> ordinary = (abs(z.re) < 700) & isfinite(z.im);
  return otherwise(ordinary, {re, im}, [&](int i) { return std::exp(z[i]) - 1.; });
}
RL_INLINE vcomplex sinc(vcomplex z) {
  const vcomplex y = z * 3.14159265358979323846;
  return where(z == 0, 1, sin(y) / y);
}
RL_INLINE vcomplex sigmoid(vcomplex z) { return 1 / (1 + exp(-z)); }
// exp(w log z). Anything to the power 0 is 1; 0 to a power with positive real part is 0.
RL_INLINE vcomplex pow(vcomplex z, vcomplex w) {
  const mask<complex128> square = w == 2, half = w == 0.5;
  if (all(square)) return z * z;
  const mask<complex128> vanishes{((z.re == 0) & (z.im == 0) & (w.re > 0)).m};
  const vcomplex power = where(vanishes, 0, where(w == 1, z, exp(w * log(z))));
  return where(w == 0, 1, where(square, z * z, where(half, sqrt(z), power)));
}

}  // namespace RL_ISA
}  // namespace rl
