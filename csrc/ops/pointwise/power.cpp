// Powers and roots.
#include "ops/expr.h"
using namespace rl;

OP(pow, numeric_types, "pow(input: Tensor | Number, exponent: Tensor | Number) -> Tensor") {
  .doc = "input ** exponent, elementwise.\n\nRaises RuntimeError for integers to a negative integer power.",
  .value = EXPR([](auto input, auto exponent) { return pow(input, exponent); }),
  .grad = {GRAD([](auto gy, auto input, auto exponent) {
             return where(exponent == 0., 0., gy * conj(exponent * pow(input, exponent - 1.)));
           }),
           GRAD([](auto gy, auto result, auto input) { return where(input == 0., 0., gy * conj(result * log(input))); })},
  .samples = "positive(3, 4), randn(3, 4)\nrandn(3, 4), 2\npositive(3, 4), 0.5\n2.0, randn(3)\nrandint(1, 5, (4,)), randint(0, 4, (4,))",
};

OP(sqrt, inexact_types, "sqrt(input: Tensor) -> Tensor") {
  .doc = "The square root, elementwise; NaN below zero.",
  .result = Result::floating,
  .value = EXPR([](auto input) { return sqrt(input); }),
  .grad = {GRAD([](auto gy, auto result) { return gy / (2. * conj(result)); })},
  .samples = "positive(3, 4)",
};

OP(rsqrt, inexact_types, "rsqrt(input: Tensor) -> Tensor") {
  .doc = "1 / sqrt(input), elementwise.",
  .result = Result::floating,
  .value = EXPR([](auto input) { return rsqrt(input); }),
  .grad = {GRAD([](auto gy, auto result) { return -0.5 * gy * conj(result * result * result); })},
  .samples = "positive(3, 4)",
};

OP(square, numeric_types, "square(input: Tensor) -> Tensor") {
  .doc = "input * input, elementwise.",
  .value = EXPR([](auto input) { return input * input; }),
  .grad = {GRAD([](auto gy, auto input) { return gy * conj(2. * input); })},
  .samples = "randn(3, 4)\nrandint(0, 5, (3,))",
};

OP(reciprocal, inexact_types, "reciprocal(input: Tensor) -> Tensor") {
  .doc = "1 / input, elementwise.",
  .result = Result::floating,
  .value = EXPR([](auto input) { return reciprocal(input); }),
  .grad = {GRAD([](auto gy, auto result) { return -(gy * conj(result * result)); })},
  .samples = "positive(3, 4)",
};
