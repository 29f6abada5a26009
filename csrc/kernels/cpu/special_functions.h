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
    const double fraction = x - std::floor(x + 0.5);
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
// exp(x) K_v(x) (DLMF 10.32.9), x >= 1: the integrand of exp(x - x cosh t) cosh(v t) is analytic and decays doubly
// exponentially, so the trapezoidal rule is exact but for exp(-pi^2 / step).
RL_NOINLINE inline double scaled_bessel_k(double v, double x) {
  if (x == kInfinity) return 0;
  const double step = std::fmin(0.22, 0.6 / std::sqrt(x));
  double term = 1, sum = 0.5;
  for (int k = 1; term > sum * 1e-18; ++k) {
    const double t = k * step, s = std::sinh(0.5 * t);
    sum += term = std::exp(-2 * (x * s) * s) * std::cosh(v * t);
  }
  return sum * step;
}
// Orders 0 and 1. Below 1 by the power series (Abramowitz & Stegun 9.6.13) and the Wronskian I0 K1 + I1 K0 = 1 / x.
RL_NOINLINE inline double scaled_modified_bessel_k(int v, double x) {
  if (!(x > 0)) return x == 0 ? kInfinity : kNaN;
  if (x >= 1) return scaled_bessel_k(v, x);
  double term = 1, harmonic = 0, i = 1, k0 = 0;
  for (int k = 1; k < 12; ++k) {
    i += term *= 0.25 * x * x / (k * k);
    k0 += term * (harmonic += 1. / k);
  }
  k0 -= (std::log(0.5 * x) + 0.57721566490153286061) * i;
  return std::exp(x) * (v == 0 ? k0 : (1 / x - i1(x) * k0) / i);
}
inline double scaled_modified_bessel_k0(double x) { return scaled_modified_bessel_k(0, x); }
inline double scaled_modified_bessel_k1(double x) { return scaled_modified_bessel_k(1, x); }

// From 1 on by K_1/3 (DLMF 9.6.2), below -10 by the asymptotic series (DLMF 9.7.9). Between, Taylor steps of
// y'' = x y from 0, which is stable in that direction: term k holds y^(k) h^k / k!.
RL_NOINLINE inline double airy_ai(double x) {
  const double z = std::fabs(x), zeta = 2 * z * std::sqrt(z) / 3;
  if (x >= 1) return z > 110 ? 0 : std::exp(-zeta) * std::sqrt(z / 3) / kPi * scaled_bessel_k(1. / 3, zeta);
  if (x < -10) {
    double term = 1, part[] = {1, 0};
    for (int k = 1; k < 20; ++k) {
      term *= (6 * k - 5) * (6 * k - 3) * (6 * k - 1) / ((2 * k - 1) * 216. * k * zeta);
      part[k % 2] += k % 4 < 2 ? term : -term;
    }
    const double phase = zeta - kPi / 4;
    return (std::cos(phase) * part[0] + std::sin(phase) * part[1]) / std::sqrt(kPi * std::sqrt(z));
  }
  const int steps = z > 1 ? int(std::ceil(z)) : 1;
  const double h = x / steps;
  double y = 0.35502805388781723926, slope = -0.25881940379280679841;
  for (int step = 0; step < steps; ++step) {
    double before = 0, term = y, next = slope * h, change = next;
    y += next;
    for (int k = 0; k < 26; ++k) {
      const double after = h * h * (step * h * term + h * before) / ((k + 1) * (k + 2));
      before = term;
      term = next;
      next = after;
      y += after;
      change += (k + 2) * after;
    }
    slope = change / h;
  }
  return y;
}

// x^a exp(-x) / gamma(a + 1); for large a by Stirling's series, whose large terms cancel on paper.
RL_NOINLINE inline double gamma_density(double a, double x) {
  if (a < 20) return std::exp(a * std::log(x) - x - lgamma(a + 1));
  const double mu = (x - a) / a, r = 1 / (a * a);
  const double stirling = (1. / 12 - r * (1. / 360 - r * (1. / 1260 - r / 1680))) / a;
  return std::exp(a * (std::log1p(mu) - mu) - stirling) / std::sqrt(2 * kPi * a);
}
// The regularized incomplete gamma functions, upper: Q(a, x), else P(a, x).
RL_NOINLINE inline double incomplete_gamma(double a, double x, bool upper) {
  if (!(a >= 0 && x >= 0) || (a == 0 && x == 0) || (a == kInfinity && x == kInfinity)) return kNaN;
  if (a == 0 || x == kInfinity) return upper ? 0 : 1;
  if (x == 0 || a == kInfinity) return upper ? 1 : 0;
  if (a > 1e5) {  // Temme's uniform expansion (DLMF 8.12.3) to the order 1 / a
    const double mu = (x - a) / a, sign = upper ? 1 : -1;
    double eta = std::copysign(std::sqrt(2 * (mu - std::log1p(mu))), mu), c0 = 1 / mu - 1 / eta;
    double c1 = 1 / (eta * eta * eta) - (1 / mu + 1 + mu / 12) / (mu * mu);
    if (std::fabs(mu) < 1e-3) {
      eta = mu * (1 - mu * (1. / 3 - mu * (7. / 36 - mu * (73. / 540 - mu * 1331. / 12960))));
      c0 = -1. / 3 + eta * (1. / 12 - eta * (2. / 135 - eta / 864));
      c1 = -1. / 540 - eta / 288;
    }
    const double rest = std::exp(-0.5 * a * eta * eta) / std::sqrt(2 * kPi * a) * (c0 + c1 / a);
    return 0.5 * std::erfc(sign * eta * std::sqrt(0.5 * a)) + sign * rest;
  }
  if (x < a + 1) {
    double term = 1, sum = 1;
    if (upper && a < 1) {  // 1 - P without cancellation (DLMF 8.7.1)
      const double one_a = 1 + a, log_gamma = lgamma(one_a) + (a - (one_a - 1)) * digamma(one_a);
      const double exponent = a * std::log(x) - log_gamma;
      sum = 0;
      for (int k = 1; std::fabs(term) > 1e-18; ++k) sum += (term *= -x / k) / (a + k);
      return -std::expm1(exponent) - std::exp(exponent) * a * sum;
    }
    for (double k = 1; term > sum * 1e-17; ++k) sum += term *= x / (a + k);  // DLMF 8.11.4
    const double lower = gamma_density(a, x) * sum;
    return upper ? 1 - lower : lower;
  }
  // Legendre's continued fraction (DLMF 8.9.2), from its front by Lentz's method
  double b = x + 1 - a, c = 1e300, d = 1 / b, fraction = d;
  for (double k = 1; k < 20000; ++k) {
    const double numerator = k * (a - k);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    fraction *= c * d;
    if (std::fabs(c * d - 1) < 1e-16) break;
  }
  const double value = a * gamma_density(a, x) * fraction;
  return upper ? value : 1 - value;
}
inline double igamma(double a, double x) { return incomplete_gamma(a, x, false); }
inline double igammac(double a, double x) { return incomplete_gamma(a, x, true); }

// Orthogonal polynomials by their three-term recurrences (DLMF 18.9): p(0) = 1, p(k + 1) = next(k, p(k), p(k - 1)).
// n loses its fraction; below 0 the result is 0, above 2^20 NaN.
template <class Next>
inline double recurrence(double n, double before, Next next) {
  if (!(n > -1)) return 0;
  if (n > 1048576) return kNaN;
  double p = 1;
  for (int k = 0; k < int(n) && p == p; ++k) {
    const double after = next(double(k), p, before);
    before = p;
    p = after;
  }
  return p;
}
// The four kinds of Chebyshev differ in p(-1) only; inside (-1, 1) there is a closed form for large n.
RL_NOINLINE inline double chebyshev(double x, double n, double before) {
  if (n > 256 && std::fabs(x) < 1) {
    const double angle = std::acos(x), m = std::floor(n);
    return (std::sin((m + 1) * angle) - before * std::sin(m * angle)) / std::sin(angle);
  }
  return recurrence(n, before, [=](double, double p, double q) { return 2 * x * p - q; });
}
inline double chebyshev_polynomial_t(double x, double n) { return chebyshev(x, n, x); }
inline double chebyshev_polynomial_u(double x, double n) { return chebyshev(x, n, 0); }
inline double chebyshev_polynomial_v(double x, double n) { return chebyshev(x, n, 1); }
inline double chebyshev_polynomial_w(double x, double n) { return chebyshev(x, n, -1); }
inline double hermite_polynomial_h(double x, double n) {
  return recurrence(n, 0, [=](double k, double p, double q) { return 2 * (x * p - k * q); });
}
inline double hermite_polynomial_he(double x, double n) {
  return recurrence(n, 0, [=](double k, double p, double q) { return x * p - k * q; });
}
inline double laguerre_polynomial_l(double x, double n) {
  return recurrence(n, 0, [=](double k, double p, double q) { return ((2 * k + 1 - x) * p - k * q) / (k + 1); });
}
inline double legendre_polynomial_p(double x, double n) {
  return recurrence(n, 0, [=](double k, double p, double q) { return ((2 * k + 1) * x * p - k * q) / (k + 1); });
}
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
