// The error function's and the gamma function's families, Bessel functions, entropy terms.
// Derivatives follow NIST's Digital Library of Mathematical Functions, chapters 5, 7, 10 and 25.
#include <cmath>

#include "ops/pointwise/function.h"

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

#define SPECIAL_FUNCTION(name, aliases_, what, samples_, ...)                                                \
  OP(name, floats, #name "(input: Tensor) -> Tensor") {                                                      \
    .doc = what, .home = "special", .aliases = aliases_, .result = Result::floating,                         \
    .value = EXPR([](auto input) { return name(input); }), .grad = {GRAD(__VA_ARGS__)}, .samples = samples_, \
  }

FUNCTION(erf, floats, "special_erf", "The error function, 2 / sqrt(pi) * integral of exp(-t * t) from 0 to input.",
         "randn(3, 4)\nrandint(-2, 3, (5,))",
         [](auto gy, auto input) { return gy * (1.1283791670955126 * exp(-(input * input))); });
FUNCTION(erfc, floats, "special_erfc", "1 - erf(input), exact where that is small.",
         "randn(3, 4)\nrandint(-2, 3, (5,))",
         [](auto gy, auto input) { return gy * (-1.1283791670955126 * exp(-(input * input))); });
SPECIAL_FUNCTION(erfcx, "", "exp(input * input) * erfc(input), without the overflow and the loss of its factors.",
                 "randn(3, 4)\nuniform(4, low=3, high=40)",
                 [](auto gy, auto input, auto result) { return gy * (2. * input * result - 1.1283791670955126); });
FUNCTION(erfinv, floats, "special_erfinv", "The number whose erf is input; infinite at -1 and 1, NaN beyond.",
         "uniform(3, 4, low=-0.9, high=0.9)",
         [](auto gy, auto result) { return gy * (0.88622692545275801 * exp(result * result)); });
FUNCTION(lgamma, floats, "special_gammaln", "log(|gamma(input)|), elementwise.", "positive(3, 4)\nrandint(1, 5, (3,))",
         [](auto gy, auto input) { return gy * digamma(input); });
FUNCTION(digamma, floats, "special_digamma, special_psi", "The derivative of log(gamma(input)).",
         "positive(3, 4)\nrandint(1, 5, (3,))", [](auto gy, auto input) { return gy * trigamma(input); });

OP(trigamma, floats, "trigamma(input: Tensor) -> Tensor") {
  .doc = "The derivative of digamma.",
  .home = "_core",
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
  .result = Result::floating,
  .value = EXPR([](auto input, auto other) { return zeta(input, other); }),
  .grad = {{}, GRAD([](auto gy, auto input, auto other) { return gy * (-input * zeta(input + 1., other)); })},
  .samples = "uniform(3, 4, low=1.5, high=4), positive(3, 4)",
};

FUNCTION(i0, floats, "special_i0, special_modified_bessel_i0",
         "The modified Bessel function of the first kind and order 0.", "randn(3, 4)\nrandint(0, 5, (3,))",
         [](auto gy, auto input) { return gy * i1(input); });
SPECIAL_FUNCTION(i0e, "", "exp(-|input|) * i0(input), without overflow.", "randn(3, 4)",
                 [](auto gy, auto input, auto result) { return gy * (i1e(input) - sgn(input) * result); });
SPECIAL_FUNCTION(i1, "special_modified_bessel_i1", "The modified Bessel function of the first kind and order 1.",
                 "randn(3, 4)", [](auto gy, auto input, auto result) {
                   return gy * where(input == 0., 0.5, i0(input) - result / where(input == 0., 1., input));
                 });
SPECIAL_FUNCTION(i1e, "", "exp(-|input|) * i1(input), without overflow.", "randn(3, 4)",
                 [](auto gy, auto input, auto result) {
                   return gy * where(input == 0., 0.5,
                                     i0e(input) - result * (sgn(input) + 1. / where(input == 0., 1., input)));
                 });

#define WITHOUT_GRADIENT(name, what, formula, samples_)                                      \
  OP(name, floats, #name "(input: Tensor) -> Tensor") {                                      \
    .doc = what ". It has no gradient here.", .home = "special", .result = Result::floating, \
    .value = EXPR([](auto input) { return formula; }), .samples = samples_,                  \
  }

WITHOUT_GRADIENT(bessel_j0, "The Bessel function of the first kind and order 0", bessel_j0(input), "randn(3, 4)");
WITHOUT_GRADIENT(bessel_j1, "The Bessel function of the first kind and order 1", bessel_j1(input), "randn(3, 4)");
WITHOUT_GRADIENT(bessel_y0, "The Bessel function of the second kind and order 0; NaN below zero", bessel_y0(input),
                 "positive(3, 4)");
WITHOUT_GRADIENT(bessel_y1, "The Bessel function of the second kind and order 1; NaN below zero", bessel_y1(input),
                 "positive(3, 4)");
WITHOUT_GRADIENT(scaled_modified_bessel_k0, "exp(input) * modified_bessel_k0(input), without underflow",
                 scaled_modified_bessel_k0(input), "positive(3, 4)\nuniform(4, low=0, high=1e-3)");
WITHOUT_GRADIENT(scaled_modified_bessel_k1, "exp(input) * modified_bessel_k1(input), without underflow",
                 scaled_modified_bessel_k1(input), "positive(3, 4)\nuniform(4, low=0, high=1e-3)");
WITHOUT_GRADIENT(modified_bessel_k0, "The modified Bessel function of the second kind and order 0; NaN below zero",
                 exp(-input) * scaled_modified_bessel_k0(input), "positive(3, 4)\nuniform(4, low=5, high=90)");
WITHOUT_GRADIENT(modified_bessel_k1, "The modified Bessel function of the second kind and order 1; NaN below zero",
                 exp(-input) * scaled_modified_bessel_k1(input), "positive(3, 4)\nuniform(4, low=5, high=90)");
WITHOUT_GRADIENT(spherical_bessel_j0, "sin(input) / input; 1 at 0",
                 where(input == 0., 1., where(isinf(input), 0., sin(input) / input)),
                 "randn(3, 4)\nrandint(-2, 3, (5,))");
WITHOUT_GRADIENT(airy_ai, "The Airy function Ai", airy_ai(input), "randn(3, 4)\nuniform(8, low=-2, high=9)");

#define INCOMPLETE_GAMMA(name, what, alias, sign)                                      \
  OP(name, floats, #name "(input: Tensor, other: Tensor) -> Tensor") {                 \
    .doc = what " There is no derivative for input.", .aliases = alias,                \
    .value = EXPR([](auto input, auto other) { return name(input, other); }),          \
    .grad = {{}, GRAD([](auto gy, auto input, auto other) {                            \
               return gy * sign exp(xlogy(input - 1., other) - other - lgamma(input)); \
             })},                                                                      \
    .samples = "positive(3, 4), positive(4)",                                          \
  }

INCOMPLETE_GAMMA(igamma, "The regularized lower incomplete gamma function P(input, other).", "special_gammainc", );
INCOMPLETE_GAMMA(igammac, "1 - igamma(input, other), exact where that is small.", "special_gammaincc", -);
SPECIAL_FUNCTION(ndtr, "", "The distribution function of the standard normal distribution.",
                 "randn(3, 4)\nrandint(-3, 4, (3,))",
                 [](auto gy, auto input) { return gy * (0.39894228040143268 * exp(-0.5 * input * input)); });
SPECIAL_FUNCTION(
    ndtri, "", "The number whose ndtr is input: the quantile of the standard normal distribution; NaN outside [0, 1].",
    "uniform(3, 4, low=0.05, high=0.95)",
    [](auto gy, auto result) { return gy * (2.5066282746310002 * exp(0.5 * result * result)); });

OP(log_ndtr, floats, "log_ndtr(input: Tensor) -> Tensor") {
  .doc = "log(ndtr(input)), also where ndtr vanishes.",
  .home = "special",
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
  .result = Result::floating,
  .value = EXPR([](auto input) { return where(input < 0., -1. / 0., where(input == 0., 0., -input * log(input))); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * (-1. - log(input)); })},
  .samples = "positive(3, 4)",
};

OP(xlog1py, floats, "xlog1py(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "input * log1p(other); 0 where input is 0 and other is not NaN.",
  .home = "special",
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
