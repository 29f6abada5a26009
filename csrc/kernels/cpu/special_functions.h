// L4: special functions of one double, for the lane loops of simd_special.h.
#pragma once
#include <cmath>
#include <limits>

#include "kernels/cpu/simd_types.h"

#define RL_NOINLINE [[gnu::noinline]]

namespace rl {
inline namespace RL_ISA {
namespace scalar {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = 3.14159265358979323846;

inline double lgamma(double x) {
#if defined(__GLIBC__) || defined(__APPLE__)
  int sign;  // lgamma itself writes a global variable
  return ::lgamma_r(x, &sign);
#else
  return std::lgamma(x);
#endif
}

// Inverse of the normal distribution's erf: Giles' approximation (2010) as a start, then two steps of Halley's method.
RL_NOINLINE inline double erfinv(double y) {
  if (!(std::fabs(y) < 1)) return std::fabs(y) == 1 ? std::copysign(kInfinity, y) : kNaN;
  const double a = std::fabs(y), w = -std::log1p(-a * a);
  double x;
  if (w < 5) {
    const double t = w - 2.5;
    x = 1.50140941 + t * (0.246640727 + t * (-0.00417768164 + t * (-0.00125372503 + t * 0.00021858087)));
  } else {
    const double t = std::sqrt(w) - 3;
    x = 2.83297682 + t * (1.00167406 + t * (0.00943887047 + t * (-0.0076224613 + t * 0.00573950773)));
  }
  x *= a;
  for (int step = 0; step < 3; ++step) {
    // erf(x) - a, without the cancellation of erf near 1
    const double error = a > 0.5 ? (1 - a) - std::erfc(x) : std::erf(x) - a;
    const double u = error / (1.1283791670955125739 * std::exp(-x * x));
    x -= u / (1 + x * u);
  }
  return std::copysign(x, y);
}

// x with ndtr(x) = p
RL_NOINLINE inline double ndtri(double p) {
  if (!(p > 0 && p < 1)) return p == 0 ? -kInfinity : p == 1 ? kInfinity : kNaN;
  if (p > 0.25 && p < 0.75) return 1.4142135623730950488 * erfinv(2 * p - 1);
  const double tail = p < 0.5 ? p : 1 - p;
  // start from the asymptotic series, then Newton's method on the logarithm of the tail, which is nearly quadratic
  const double t = std::sqrt(-2 * std::log(tail));
  double x = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (int step = 0; step < 4; ++step) {
    const double q = 0.5 * std::erfc(x * 0.70710678118654752440);
    const double density = 0.39894228040143267794 * std::exp(-0.5 * x * x);
    x += std::log(q / tail) * q / density;
  }
  return p < 0.5 ? -x : x;
}

// These are compiled a second time, from their text, by CUDA.
#define RL_WITH_TEXT(text, ...) __VA_ARGS__ inline constexpr char text[] = #__VA_ARGS__;
// clang-format off
RL_WITH_TEXT(kSpecialFunctionsText,

// Abramowitz & Stegun 6.3.18 after raising x to 10; negative x by reflection.
RL_NOINLINE inline double digamma(double x) {
  if (x == 0) return std::copysign(kInfinity, -x);
  if (x < 0) {
    if (x == std::floor(x)) return kNaN;
    const double fraction = x - std::floor(x);
    return digamma(1 - x) - kPi / std::tan(kPi * fraction);
  }
  if (x == kInfinity) return x;
  double sum = 0;
  for (; x < 10; x += 1) sum -= 1 / x;
  const double r = 1 / (x * x);
  const double tail =
      r * (1. / 12 - r * (1. / 120 - r * (1. / 252 - r * (1. / 240 - r * (1. / 132 - r * (691. / 32760 - r / 12))))));
  return sum + std::log(x) - 0.5 / x - tail;
}

// Hurwitz zeta, sum over k >= 0 of (k + q)^-x, by Euler and Maclaurin's formula.
RL_NOINLINE inline double zeta(double x, double q) {
  if (x == 1) return kInfinity;
  if (!(x > 1)) return kNaN;
  if (q <= 0) {
    if (q == std::floor(q)) return kInfinity;
    if (x != std::floor(x)) return kNaN;  // powers of negative numbers
  }
  if (q < -64) {  // the terms before q's first positive one are those of another series, run backwards
    const double first = q - std::floor(q), sign = std::fmod(x, 2) == 0 ? 1 : -1;
    return zeta(x, first) + sign * (zeta(x, 1 - first) - zeta(x, 1 - q));
  }
  double sum = 0, a = q;
  for (int k = 0; k < 12 || a < 12; ++k, a += 1) {
    const double term = std::pow(a, -x);
    sum += term;
    if (a > 0 && term < sum * 1e-17) return sum;
  }
  const double power = std::pow(a, -x);
  sum += power * a / (x - 1) + 0.5 * power;
  // B_2j / (2j)!
  constexpr double bernoulli[] = {1. / 12,
                                  -1. / 720,
                                  1. / 30240,
                                  -1. / 1209600,
                                  1. / 47900160,
                                  -691. / 1307674368000.,
                                  1. / 74724249600.,
                                  -3617. / 10670622842880000.,
                                  43867. / 5109094217170944000.};
  double factor = power * x / a;
  for (int j = 0; j < 9; ++j) {
    const double term = bernoulli[j] * factor;
    sum += term;
    if (std::fabs(term) < std::fabs(sum) * 1e-17) break;
    factor *= (x + 2 * j + 1) * (x + 2 * j + 2) / (a * a);
  }
  return sum;
}

RL_NOINLINE inline double trigamma(double x) {
  if (x < 0.5) {
    if (x == std::floor(x)) return kInfinity;
    const double s = std::sin(kPi * (x - std::floor(x)));
    return kPi * kPi / (s * s) - zeta(2, 1 - x);
  }
  return zeta(2, x);
}

// The n-th derivative of digamma, n a whole number.
inline double polygamma(double n, double x) {
  if (n == 0) return digamma(x);
  if (n == 1) return trigamma(x);
  if (!(n > 0) || n != std::floor(n)) return kNaN;
  const double sign = std::fmod(n, 2) == 0 ? -1 : 1;
  return sign * std::exp(lgamma(n + 1)) * zeta(n + 1, x);
}

// exp(-|x|) I_v(|x|) for v = 0 or 1. All terms of the power series are positive, so it is accurate wherever it is
// short; above 25 the asymptotic series (Abramowitz & Stegun 9.7.1) has terms far below the last bit.
RL_NOINLINE inline double scaled_bessel_i(int v, double x) {
  x = std::fabs(x);
  if (x != x) return x;
  if (x == kInfinity) return 0;
  if (x < 25) {
    const double t = 0.25 * x * x;
    double term = v == 0 ? 1 : 0.5 * x, sum = term;
    for (int k = 1; term > sum * 1e-18; ++k) sum += term *= t / (double(k) * (k + v));
    return sum * std::exp(-x);
  }
  const double mu = 4. * v * v;
  double term = 1, sum = 1;
  for (int k = 1; k < 40 && std::fabs(term) > 1e-18; ++k) {
    const double odd = 2 * k - 1;
    sum += term *= (odd * odd - mu) / (8 * k * x);
  }
  return sum / std::sqrt(2 * kPi * x);
}
inline double i0e(double x) { return scaled_bessel_i(0, x); }
inline double i1e(double x) { return std::copysign(scaled_bessel_i(1, x), x); }
// exp in two halves: exp(|x|) may overflow where the product does not
inline double grow(double y, double x) {
  const double half = std::exp(0.5 * std::fabs(x));
  return std::fabs(x) == kInfinity ? kInfinity : y * half * half;
}
inline double i0(double x) { return x != x ? x : grow(scaled_bessel_i(0, x), x); }
inline double i1(double x) { return x != x ? x : std::copysign(grow(scaled_bessel_i(1, x), x), x); }
)
// clang-format on
#undef RL_WITH_TEXT

inline double bessel_j0(double x) { return ::j0(x); }
inline double bessel_j1(double x) { return ::j1(x); }
inline double bessel_y0(double x) { return x < 0 ? kNaN : ::y0(x); }
inline double bessel_y1(double x) { return x < 0 ? kNaN : ::y1(x); }

}  // namespace scalar
}  // namespace RL_ISA
}  // namespace rl
