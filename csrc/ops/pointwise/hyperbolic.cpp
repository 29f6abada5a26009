// Hyperbolic functions and their inverses; tanh is among the activations.
#include "ops/pointwise/function.h"
using namespace rl;

FUNCTION(sinh, inexact_types, "", "The hyperbolic sine, elementwise.", "randn(3, 4)",
         [](auto gy, auto input) { return gy * conj(cosh(input)); });
FUNCTION(cosh, inexact_types, "", "The hyperbolic cosine, elementwise.", "randn(3, 4)",
         [](auto gy, auto input) { return gy * conj(sinh(input)); });
FUNCTION(asinh, inexact_types, "arcsinh", "The inverse hyperbolic sine, elementwise.", "randn(3, 4)",
         [](auto gy, auto input) { return gy * conj(rsqrt(input * input + 1.)); });
FUNCTION(acosh, inexact_types, "arccosh", "The inverse hyperbolic cosine, elementwise; NaN for real numbers below 1.",
         "uniform(3, 4, low=1.1, high=4.0)",
         [](auto gy, auto input) { return gy * conj(rsqrt(input - 1.) * rsqrt(input + 1.)); });
FUNCTION(atanh, inexact_types, "arctanh",
         "The inverse hyperbolic tangent, elementwise; infinite at -1 and 1, NaN for real numbers beyond.",
         "uniform(3, 4, low=-0.9, high=0.9)", [](auto gy, auto input) { return gy / conj(1. - input * input); });
