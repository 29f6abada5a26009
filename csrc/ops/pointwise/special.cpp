// The error function's and the gamma function's families, Bessel functions, entropy terms.
// Derivatives follow NIST's Digital Library of Mathematical Functions, chapters 5, 7, 10 and 25.
#include <cmath>

#include "ops/expr.h"

namespace rl {
inline namespace RL_ISA {

// exp(x * x) * erfc(x): the square keeps its low half, and far out the asymptotic series (DLMF 7.12.1) takes over.
inline double scaled_erfc(double x) {
  if (x < 25) {
    double square = x * x, low = std::fma(x, x, -square);
    return std::exp(square) * (x < -26.7 ? 2 : std::erfc(x) * (1 + low));
  }
  double t = 0.5 / (x * x);
  return (1 - t * (1 - 3 * t * (1 - 5 * t * (1 - 7 * t)))) * 0.56418958354775628695 / x;
}
template <floating T> [[gnu::noinline]] vec<T> erfcx(vec<T> x) {
  return vec<T>::from_lanes([&](int i) { return static_cast<T>(scaled_erfc(static_cast<double>(x[i]))); });
}

}  // namespace RL_ISA
}  // namespace rl
using namespace rl;

OP(erf, floats, "erf(input: Tensor) -> Tensor") {
  .doc = "The error function, 2 / sqrt(pi) * integral of exp(-t * t) from 0 to input.",
  .aliases = "special_erf",
  .result = Result::floating,
  .value = EXPR([](auto input) { return erf(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * (1.1283791670955126 * exp(-(input * input))); })},
  .samples = "randn(3, 4)\nrandint(-2, 3, (5,))",
};

OP(erfc, floats, "erfc(input: Tensor) -> Tensor") {
  .doc = "1 - erf(input), exact where that is small.",
  .aliases = "special_erfc",
  .result = Result::floating,
  .value = EXPR([](auto input) { return erfc(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * (-1.1283791670955126 * exp(-(input * input))); })},
  .samples = "randn(3, 4)\nrandint(-2, 3, (5,))",
};

OP(erfcx, floats, "erfcx(input: Tensor) -> Tensor") {
  .doc = "exp(input * input) * erfc(input), without the overflow and the loss of its factors.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return erfcx(input); }),
  .grad = {GRAD([](auto gy, auto input, auto result) { return gy * (2. * input * result - 1.1283791670955126); })},
  .samples = "randn(3, 4)\nuniform(4, low=3, high=40)",
};

OP(erfinv, floats, "erfinv(input: Tensor) -> Tensor") {
  .doc = "The number whose erf is input; infinite at -1 and 1, NaN beyond.",
  .aliases = "special_erfinv",
  .result = Result::floating,
  .value = EXPR([](auto input) { return erfinv(input); }),
  .grad = {GRAD([](auto gy, auto result) { return gy * (0.88622692545275801 * exp(result * result)); })},
  .samples = "uniform(3, 4, low=-0.9, high=0.9)",
};

OP(lgamma, floats, "lgamma(input: Tensor) -> Tensor") {
  .doc = "log(|gamma(input)|), elementwise.",
  .aliases = "special_gammaln",
  .result = Result::floating,
  .value = EXPR([](auto input) { return lgamma(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * digamma(input); })},
  .samples = "positive(3, 4)\nrandint(1, 5, (3,))",
};

OP(digamma, floats, "digamma(input: Tensor) -> Tensor") {
  .doc = "The derivative of log(gamma(input)).",
  .aliases = "special_digamma, special_psi",
  .result = Result::floating,
  .value = EXPR([](auto input) { return digamma(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * trigamma(input); })},
  .samples = "positive(3, 4)\nrandint(1, 5, (3,))",
};

OP(trigamma, floats, "trigamma(input: Tensor) -> Tensor") {
  .doc = "The derivative of digamma.",
  .home = "_core",
  .forms = function,
  .result = Result::floating,
  .value = EXPR([](auto input) { return trigamma(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * polygamma(2., input); })},
  .samples = "positive(3, 4)",
};

OP(polygamma, floats, "polygamma(n: int, input: Tensor) -> Tensor") {
  .doc = "The n-th derivative of digamma, n >= 0; NaN for a negative n.",
  .aliases = "special_polygamma",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto n, auto input) { return polygamma(n, input); }),
  .grad = {{}, GRAD([](auto gy, auto n, auto input) { return gy * polygamma(n + 1., input); })},
  .samples = "0, positive(3, 4)\n1, positive(3, 4)\n3, positive(3, 4)",
};

OP(zeta, floats, "zeta(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "The Hurwitz zeta function: the sum of (k + other) ** -input over k = 0, 1, ... There is no derivative for "
         "input.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input, auto other) { return zeta(input, other); }),
  .grad = {{}, GRAD([](auto gy, auto input, auto other) { return gy * (-input * zeta(input + 1., other)); })},
  .samples = "uniform(3, 4, low=1.5, high=4), positive(3, 4)",
};

OP(i0, floats, "i0(input: Tensor) -> Tensor") {
  .doc = "The modified Bessel function of the first kind and order 0.",
  .aliases = "special_i0, special_modified_bessel_i0",
  .result = Result::floating,
  .value = EXPR([](auto input) { return i0(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * i1(input); })},
  .samples = "randn(3, 4)\nrandint(0, 5, (3,))",
};

OP(i0e, floats, "i0e(input: Tensor) -> Tensor") {
  .doc = "exp(-|input|) * i0(input), without overflow.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return i0e(input); }),
  .grad = {GRAD([](auto gy, auto input, auto result) { return gy * (i1e(input) - sgn(input) * result); })},
  .samples = "randn(3, 4)",
};

OP(i1, floats, "i1(input: Tensor) -> Tensor") {
  .doc = "The modified Bessel function of the first kind and order 1.",
  .home = "special",
  .aliases = "special_modified_bessel_i1",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return i1(input); }),
  .grad = {GRAD([](auto gy, auto input, auto result) {
    return gy * where(input == 0., 0.5, i0(input) - result / where(input == 0., 1., input));
  })},
  .samples = "randn(3, 4)",
};

OP(i1e, floats, "i1e(input: Tensor) -> Tensor") {
  .doc = "exp(-|input|) * i1(input), without overflow.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return i1e(input); }),
  .grad = {GRAD([](auto gy, auto input, auto result) {
    return gy * where(input == 0., 0.5, i0e(input) - result * (sgn(input) + 1. / where(input == 0., 1., input)));
  })},
  .samples = "randn(3, 4)",
};

OP(bessel_j0, floats, "bessel_j0(input: Tensor) -> Tensor") {
  .doc = "The Bessel function of the first kind and order 0. It has no gradient here.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return bessel_j0(input); }),
  .samples = "randn(3, 4)",
};

OP(bessel_j1, floats, "bessel_j1(input: Tensor) -> Tensor") {
  .doc = "The Bessel function of the first kind and order 1. It has no gradient here.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return bessel_j1(input); }),
  .samples = "randn(3, 4)",
};

OP(bessel_y0, floats, "bessel_y0(input: Tensor) -> Tensor") {
  .doc = "The Bessel function of the second kind and order 0; NaN below zero. It has no gradient here.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return bessel_y0(input); }),
  .samples = "positive(3, 4)",
};

OP(bessel_y1, floats, "bessel_y1(input: Tensor) -> Tensor") {
  .doc = "The Bessel function of the second kind and order 1; NaN below zero. It has no gradient here.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return bessel_y1(input); }),
  .samples = "positive(3, 4)",
};

OP(scaled_modified_bessel_k0, floats, "scaled_modified_bessel_k0(input: Tensor) -> Tensor") {
  .doc = "exp(input) * modified_bessel_k0(input), without underflow. It has no gradient here.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return scaled_modified_bessel_k0(input); }),
  .samples = "positive(3, 4)\nuniform(4, low=0, high=1e-3)",
};

OP(scaled_modified_bessel_k1, floats, "scaled_modified_bessel_k1(input: Tensor) -> Tensor") {
  .doc = "exp(input) * modified_bessel_k1(input), without underflow. It has no gradient here.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return scaled_modified_bessel_k1(input); }),
  .samples = "positive(3, 4)\nuniform(4, low=0, high=1e-3)",
};

OP(modified_bessel_k0, floats, "modified_bessel_k0(input: Tensor) -> Tensor") {
  .doc = "The modified Bessel function of the second kind and order 0; NaN below zero. It has no gradient here.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return exp(-input) * scaled_modified_bessel_k0(input); }),
  .samples = "positive(3, 4)\nuniform(4, low=5, high=90)",
};

OP(modified_bessel_k1, floats, "modified_bessel_k1(input: Tensor) -> Tensor") {
  .doc = "The modified Bessel function of the second kind and order 1; NaN below zero. It has no gradient here.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return exp(-input) * scaled_modified_bessel_k1(input); }),
  .samples = "positive(3, 4)\nuniform(4, low=5, high=90)",
};

OP(spherical_bessel_j0, floats, "spherical_bessel_j0(input: Tensor) -> Tensor") {
  .doc = "sin(input) / input; 1 at 0. It has no gradient here.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return where(input == 0., 1., where(isinf(input), 0., sin(input) / input)); }),
  .samples = "randn(3, 4)\nrandint(-2, 3, (5,))",
};

OP(airy_ai, floats, "airy_ai(input: Tensor) -> Tensor") {
  .doc = "The Airy function Ai. It has no gradient here.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return airy_ai(input); }),
  .samples = "randn(3, 4)\nuniform(8, low=-2, high=9)",
};

OP(igamma, floats, "igamma(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "The regularized lower incomplete gamma function P(input, other). There is no derivative for input.",
  .aliases = "special_gammainc",
  .value = EXPR([](auto input, auto other) { return igamma(input, other); }),
  .grad = {{}, GRAD([](auto gy, auto input, auto other) {
             return gy * exp(xlogy(input - 1., other) - other - lgamma(input));
           })},
  .samples = "positive(3, 4), positive(4)",
};

OP(igammac, floats, "igammac(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "1 - igamma(input, other), exact where that is small. There is no derivative for input.",
  .aliases = "special_gammaincc",
  .value = EXPR([](auto input, auto other) { return igammac(input, other); }),
  .grad = {{}, GRAD([](auto gy, auto input, auto other) {
             return gy * -exp(xlogy(input - 1., other) - other - lgamma(input));
           })},
  .samples = "positive(3, 4), positive(4)",
};

OP(ndtr, floats, "ndtr(input: Tensor) -> Tensor") {
  .doc = "The distribution function of the standard normal distribution.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return ndtr(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * (0.39894228040143268 * exp(-0.5 * input * input)); })},
  .samples = "randn(3, 4)\nrandint(-3, 4, (3,))",
};

OP(ndtri, floats, "ndtri(input: Tensor) -> Tensor") {
  .doc = "The number whose ndtr is input: the quantile of the standard normal distribution; NaN outside [0, 1].",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return ndtri(input); }),
  .grad = {GRAD([](auto gy, auto result) { return gy * (2.5066282746310002 * exp(0.5 * result * result)); })},
  .samples = "uniform(3, 4, low=0.05, high=0.95)",
};

OP(log_ndtr, floats, "log_ndtr(input: Tensor) -> Tensor") {
  .doc = "log(ndtr(input)), also where ndtr vanishes.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) {
    auto tail = log(0.5 * erfcx(-0.70710678118654752 * input)) - 0.5 * input * input;
    return where(input < -1., tail, log1p(-ndtr(-input)));
  }),
  .grad = {GRAD([](auto gy, auto input) { return gy * (0.79788456080286536 / erfcx(input * -0.70710678118654752)); })},
  .samples = "randn(3, 4)\nuniform(4, low=-30, high=-5)",
};

OP(entr, floats, "entr(input: Tensor) -> Tensor") {
  .doc = "-input * log(input): 0 at 0, -inf below.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input) { return where(input < 0., -1. / 0., where(input == 0., 0., -input * log(input))); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * (-1. - log(input)); })},
  .samples = "positive(3, 4)",
};

OP(xlog1py, floats, "xlog1py(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "input * log1p(other); 0 where input is 0 and other is not NaN.",
  .home = "special",
  .forms = function | out_,
  .result = Result::floating,
  .value = EXPR([](auto input, auto other) { return xlog1py(input, other); }),
  .grad = {GRAD([](auto gy, auto input, auto other) {
             return where((input == 0.) & (other <= -1.), 0., gy * log1p(other));
           }),
           GRAD([](auto gy, auto input, auto other) { return gy * input / (other + 1.); })},
  .samples = "randn(3, 4), positive(3, 4)\nrandn(3, 4), 2.5",
};

OP(logit, floats, "logit(input: Tensor, eps: float | None = None) -> Tensor") {
  .doc = "log(input / (1 - input)), the inverse of sigmoid. When eps > 0, input is first limited to [eps, 1 - eps]; "
         "the gradient is 0 outside.",
  .aliases = "special_logit",
  .result = Result::floating,
  .value = EXPR([](auto input, auto eps) {
    auto x = where(eps > 0., minimum(maximum(input, eps), 1. - eps), input);
    auto upper = x > 0.5, tiny = abs(x) < 1e-30;  // the quotient, exact near 1/2, would overflow: 2^64 x instead of x
    auto low = where(upper, 1. - x, where(tiny, 18446744073709551616. * x + 0., x));
    auto power = log1p(abs(1. - 2. * x) / low), size = where(tiny, power + 44.361419555836500, power);
    return where(upper, size, -size);
  }),
  .grad = {GRAD([](auto gy, auto input, auto eps) {
    return where((eps > 0.) & ((input < eps) | (input > 1. - eps)), 0., gy / (input * (1. - input)));
  })},
  .samples = "uniform(3, 4, low=0.05, high=0.95)\nuniform(3, 4, low=0.05, high=0.95), 0.2",
};

OP(heaviside, real_types, "heaviside(input: Tensor, values: Tensor) -> Tensor") {
  .doc = "0 below zero, 1 above, values at zero. It has no gradient.",
  .value = EXPR([](auto input, auto values) { return where(input == 0., values, where(input > 0., 1., input * 0.)); }),
  .samples = "randn(3, 4), randn(3, 4)\nrandint(-1, 2, (5,)), randint(0, 5, (5,))",
};

OP(hypot, floats, "hypot(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "sqrt(input ** 2 + other ** 2), without overflow.",
  .value = EXPR([](auto input, auto other) { return hypot(input, other); }),
  .grad = {GRAD([](auto gy, auto input, auto result) { return gy * (input / result); }),
           GRAD([](auto gy, auto other, auto result) { return gy * (other / result); })},
  .samples = "randn(3, 4), randn(3, 4)\nrandn(3, 4), randn(4)",
};

OP(nextafter, floats, "nextafter(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "The next floating point number after input on the way to other. The gradient goes to input, where the two "
         "differ.",
  .value = EXPR([](auto input, auto other) { return nextafter(input, other); }),
  .grad = {GRAD([](auto gy, auto input, auto other) { return where(input == other, 0., gy); }),
           GRAD([](auto gy) { return gy * 0.; })},
  .samples = "randn(3, 4), randn(3, 4)",
};

OP(gcd, integers, "gcd(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "The greatest common divisor, never negative; gcd(0, 0) is 0.",
  .value = EXPR([](auto input, auto other) { return gcd(input, other); }),
  .samples = "randint(-20, 20, (6,)), randint(-20, 20, (6,))",
  .errors = "randn(3), randn(3) => RuntimeError: [gcd] input must be integer",
};

OP(lcm, integers, "lcm(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "The least common multiple, never negative; 0 when either number is.",
  .value = EXPR([](auto input, auto other) { return lcm(input, other); }),
  .samples = "randint(-20, 20, (6,)), randint(-20, 20, (6,))",
  .errors = "randn(3), randn(3) => RuntimeError: [lcm] input must be integer",
};
