// Circular functions and their inverses.
#include "ops/pointwise/function.h"
using namespace rl;

FUNCTION(sin, inexact_types, "", "The sine of radians, elementwise.", "randn(3, 4)\nrandint(0, 5, (3,))",
         [](auto gy, auto input) { return gy * conj(cos(input)); });
FUNCTION(cos, inexact_types, "", "The cosine of radians, elementwise.", "randn(3, 4)\nrandint(0, 5, (3,))",
         [](auto gy, auto input) { return -(gy * conj(sin(input))); });
FUNCTION(tan, inexact_types, "", "The tangent of radians, elementwise.", "randn(3, 4)",
         [](auto gy, auto result) { return gy * conj(1. + result * result); });
FUNCTION(asin, inexact_types, "arcsin",
         "The angle in [-pi/2, pi/2] whose sine is input; NaN for real numbers outside [-1, 1].",
         "uniform(3, 4, low=-0.9, high=0.9)", [](auto gy, auto input) { return gy * conj(rsqrt(1. - input * input)); });
FUNCTION(acos, inexact_types, "arccos",
         "The angle in [0, pi] whose cosine is input; NaN for real numbers outside [-1, 1].",
         "uniform(3, 4, low=-0.9, high=0.9)",
         [](auto gy, auto input) { return -(gy * conj(rsqrt(1. - input * input))); });
FUNCTION(atan, inexact_types, "arctan", "The angle in [-pi/2, pi/2] whose tangent is input.", "randn(3, 4)",
         [](auto gy, auto input) { return gy / conj(input * input + 1.); });

OP(atan2, floats, "atan2(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "The angle in [-pi, pi] of the point (other, input): the quadrant follows both signs.",
  .aliases = "arctan2",
  .result = Result::floating,
  .value = EXPR([](auto input, auto other) { return atan2(input, other); }),
  .grad = {GRAD([](auto gy, auto input, auto other) { return gy * (other / (input * input + other * other)); }),
           GRAD([](auto gy, auto input, auto other) { return gy * (-input / (input * input + other * other)); })},
  .samples = "randn(3, 4), randn(3, 4)\nrandn(3, 4), positive(4)",
};

FUNCTION(sinc, inexact_types, "special_sinc", "sin(pi * input) / (pi * input), 1 at 0.",
         "randn(3, 4)\nrandint(-2, 3, (5,))", [](auto gy, auto input) {
           auto x = input * 3.14159265358979323846;
           return where(input == 0., 0., gy * conj((cos(x) * x - sin(x)) / (x * input)));
         });

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
