// Hyperbolic functions and their inverses; tanh is among the activations.
#include "ops/expr.h"
using namespace rl;

OP(sinh, inexact_types, "sinh(input: Tensor) -> Tensor") {
  .doc = "The hyperbolic sine, elementwise.",
  .result = Result::floating,
  .value = EXPR([](auto input) { return sinh(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * conj(cosh(input)); })},
  .samples = "randn(3, 4)",
};

OP(cosh, inexact_types, "cosh(input: Tensor) -> Tensor") {
  .doc = "The hyperbolic cosine, elementwise.",
  .result = Result::floating,
  .value = EXPR([](auto input) { return cosh(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * conj(sinh(input)); })},
  .samples = "randn(3, 4)",
};

OP(asinh, inexact_types, "asinh(input: Tensor) -> Tensor") {
  .doc = "The inverse hyperbolic sine, elementwise.",
  .aliases = "arcsinh",
  .result = Result::floating,
  .value = EXPR([](auto input) { return asinh(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * conj(rsqrt(input * input + 1.)); })},
  .samples = "randn(3, 4)",
};

OP(acosh, inexact_types, "acosh(input: Tensor) -> Tensor") {
  .doc = "The inverse hyperbolic cosine, elementwise; NaN for real numbers below 1.",
  .aliases = "arccosh",
  .result = Result::floating,
  .value = EXPR([](auto input) { return acosh(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * conj(rsqrt(input - 1.) * rsqrt(input + 1.)); })},
  .samples = "uniform(3, 4, low=1.1, high=4.0)",
};

OP(atanh, inexact_types, "atanh(input: Tensor) -> Tensor") {
  .doc = "The inverse hyperbolic tangent, elementwise; infinite at -1 and 1, NaN for real numbers beyond.",
  .aliases = "arctanh",
  .result = Result::floating,
  .value = EXPR([](auto input) { return atanh(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy / conj(1. - input * input); })},
  .samples = "uniform(3, 4, low=-0.9, high=0.9)",
};
