// Circular functions and their inverses.
#include "ops/expr.h"
using namespace rl;

OP(sin, inexact_types, "sin(input: Tensor) -> Tensor") {
  .doc = "The sine of radians, elementwise.",
  .result = Result::floating,
  .value = EXPR([](auto input) { return sin(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * conj(cos(input)); })},
  .samples = "randn(3, 4)\nrandint(0, 5, (3,))",
};

OP(cos, inexact_types, "cos(input: Tensor) -> Tensor") {
  .doc = "The cosine of radians, elementwise.",
  .result = Result::floating,
  .value = EXPR([](auto input) { return cos(input); }),
  .grad = {GRAD([](auto gy, auto input) { return -(gy * conj(sin(input))); })},
  .samples = "randn(3, 4)\nrandint(0, 5, (3,))",
};

OP(tan, inexact_types, "tan(input: Tensor) -> Tensor") {
  .doc = "The tangent of radians, elementwise.",
  .result = Result::floating,
  .value = EXPR([](auto input) { return tan(input); }),
  .grad = {GRAD([](auto gy, auto result) { return gy * conj(1. + result * result); })},
  .samples = "randn(3, 4)",
};

OP(asin, inexact_types, "asin(input: Tensor) -> Tensor") {
  .doc = "The angle in [-pi/2, pi/2] whose sine is input; NaN for real numbers outside [-1, 1].",
  .aliases = "arcsin",
  .result = Result::floating,
  .value = EXPR([](auto input) { return asin(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * conj(rsqrt(1. - input * input)); })},
  .samples = "uniform(3, 4, low=-0.9, high=0.9)",
};

OP(acos, inexact_types, "acos(input: Tensor) -> Tensor") {
  .doc = "The angle in [0, pi] whose cosine is input; NaN for real numbers outside [-1, 1].",
  .aliases = "arccos",
  .result = Result::floating,
  .value = EXPR([](auto input) { return acos(input); }),
  .grad = {GRAD([](auto gy, auto input) { return -(gy * conj(rsqrt(1. - input * input))); })},
  .samples = "uniform(3, 4, low=-0.9, high=0.9)",
};

OP(atan, inexact_types, "atan(input: Tensor) -> Tensor") {
  .doc = "The angle in [-pi/2, pi/2] whose tangent is input.",
  .aliases = "arctan",
  .result = Result::floating,
  .value = EXPR([](auto input) { return atan(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy / conj(input * input + 1.); })},
  .samples = "randn(3, 4)",
};

OP(atan2, floats, "atan2(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "The angle in [-pi, pi] of the point (other, input): the quadrant follows both signs.",
  .aliases = "arctan2",
  .result = Result::floating,
  .value = EXPR([](auto input, auto other) { return atan2(input, other); }),
  .grad = {GRAD([](auto gy, auto input, auto other) { return gy * (other / (input * input + other * other)); }),
           GRAD([](auto gy, auto input, auto other) { return gy * (-input / (input * input + other * other)); })},
  .samples = "randn(3, 4), randn(3, 4)\nrandn(3, 4), positive(4)",
};

OP(sinc, inexact_types, "sinc(input: Tensor) -> Tensor") {
  .doc = "sin(pi * input) / (pi * input), 1 at 0.",
  .aliases = "special_sinc",
  .result = Result::floating,
  .value = EXPR([](auto input) { return sinc(input); }),
  .grad = {GRAD([](auto gy, auto input) {
    auto x = input * 3.14159265358979323846;
    return where(input == 0., 0., gy * conj((cos(x) * x - sin(x)) / (x * input)));
  })},
  .samples = "randn(3, 4)\nrandint(-2, 3, (5,))",
};

OP(deg2rad, floats, "deg2rad(input: Tensor) -> Tensor") {
  .doc = "Degrees as radians: input * pi / 180.",
  .result = Result::floating,
  .value = EXPR([](auto input) { return input * 0.017453292519943295769; }),
  .grad = {GRAD([](auto gy) { return gy * 0.017453292519943295769; })},
  .samples = "randn(3, 4)\nrandint(0, 180, (3,))",
};

OP(rad2deg, floats, "rad2deg(input: Tensor) -> Tensor") {
  .doc = "Radians as degrees: input * 180 / pi.",
  .result = Result::floating,
  .value = EXPR([](auto input) { return input * 57.295779513082320877; }),
  .grad = {GRAD([](auto gy) { return gy * 57.295779513082320877; })},
  .samples = "randn(3, 4)\nrandint(0, 5, (3,))",
};
