// Choosing between values: where, extrema, clamping.
#include "ops/expr.h"
using namespace rl;

OP(where, all_types, "where(condition: Mask, input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "input where condition holds, other elsewhere; all three broadcast.",
  .home = "_core",
  .forms = function | out_,
  .value = EXPR([](auto condition, auto input, auto other) { return where(condition, input, other); }),
  .grad = {{},
           GRAD([](auto gy, auto condition) { return where(condition, gy, 0.); }),
           GRAD([](auto gy, auto condition) { return where(condition, 0., gy); })},
  .samples = "bools(3, 4), randn(3, 4), randn(3, 4)\nbools(3, 1), randn(4), 0.0",
};

#define EXTREMUM(name, symbol, which)                                                                     \
  OP(name, real_types, #name "(input: Tensor, other: Tensor) -> Tensor") {                                \
    .doc = "The " which " of the two, elementwise; NaN if either is. Equal elements share the gradient.", \
    .forms = plain_forms, .value = EXPR([](auto input, auto other) { return name(input, other); }),       \
    .grad = {GRAD([](auto gy, auto input, auto other) {                                                   \
               return where(input == other, gy * 0.5, where(input symbol other, gy, 0.));                 \
             }),                                                                                          \
             GRAD([](auto gy, auto input, auto other) {                                                   \
               return where(input == other, gy * 0.5, where(other symbol input, gy, 0.));                 \
             })},                                                                                         \
    .samples = "randn(3, 4), randn(3, 4)\nrandint(0, 5, (3,)), randint(0, 5, (3,))",                      \
  }

EXTREMUM(maximum, >, "larger");
EXTREMUM(minimum, <, "smaller");

#define EXTREMUM_OF_NUMBERS(name, symbol, which)                                           \
  OP(name, real_types, #name "(input: Tensor, other: Tensor) -> Tensor") {                 \
    .doc = "The " which " of the two, elementwise; NaN is ignored.", .forms = plain_forms, \
    .value = EXPR([](auto input, auto other) { return name(input, other); }),              \
    .grad = {GRAD([](auto gy, auto input, auto other) {                                    \
               return where((input symbol other) | (other != other), gy, 0.);              \
             }),                                                                           \
             GRAD([](auto gy, auto input, auto other) {                                    \
               return where((input symbol other) | (other != other), 0., gy);              \
             })},                                                                          \
    .samples = "randn(3, 4), randn(3, 4)",                                                 \
  }

EXTREMUM_OF_NUMBERS(fmax, >=, "larger");
EXTREMUM_OF_NUMBERS(fmin, <=, "smaller");

OP(clamp_min, real_types, "clamp_min(input: Tensor, min: Tensor | Number) -> Tensor") {
  .doc = "input, but at least min. At equality the gradient goes to input.",
  .value = EXPR([](auto input, auto min) { return maximum(input, min); }),
  .grad = {GRAD([](auto gy, auto input, auto min) { return where(input >= min, gy, 0.); }),
           GRAD([](auto gy, auto input, auto min) { return where(input < min, gy, 0.); })},
  .samples = "randn(3, 4), 0.1\nrandn(3, 4), randn(4)",
};

OP(clamp_between, real_types, "clamp_between(input: Tensor, min: Tensor | Number, max: Tensor | Number) -> Tensor") {
  .doc = "input, but at least min and at most max; max where they cross. At equality the gradient goes to input.",
  .home = "_core",
  .value = EXPR([](auto input, auto min, auto max) { return minimum(maximum(input, min), max); }),
  .grad = {GRAD([](auto gy, auto input, auto min, auto max) { return where((input >= min) & (input <= max), gy, 0.); }),
           GRAD([](auto gy, auto input, auto min, auto max) { return where((input < min) & (min <= max), gy, 0.); }),
           GRAD([](auto gy, auto input, auto min, auto max) { return where((input > max) | (min > max), gy, 0.); })},
  .samples = "randn(3, 4), -0.5, 0.5\nrandn(3, 4), randn(4), randn(4)\nrandint(0, 9, (5,)), 2, 6",
};

OP(clamp_max, real_types, "clamp_max(input: Tensor, max: Tensor | Number) -> Tensor") {
  .doc = "input, but at most max. At equality the gradient goes to input.",
  .value = EXPR([](auto input, auto max) { return minimum(input, max); }),
  .grad = {GRAD([](auto gy, auto input, auto max) { return where(input <= max, gy, 0.); }),
           GRAD([](auto gy, auto input, auto max) { return where(input > max, gy, 0.); })},
  .samples = "randn(3, 4), 0.1\nrandn(3, 4), randn(4)",
};
