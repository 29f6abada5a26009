// Comparisons: bool results, no gradients.
#include "ops/expr.h"
using namespace rl;

OP(eq, all_types, "eq(input: Tensor, other: Tensor | Number) -> Tensor") {
  .doc = "input == other, elementwise, as bool.",
  .value = EXPR([](auto input, auto other) { return input == other; }),
  .samples = "randint(0, 3, (3, 4)), randint(0, 3, (3, 4))\nrandn(3, 4), randn(4)\nrandn(3), 0.5",
  .errors = "2, ones(3) => TypeError: [eq] argument 'input' must be Tensor, not int",
};

OP(ne, all_types, "ne(input: Tensor, other: Tensor | Number) -> Tensor") {
  .doc = "input != other, elementwise, as bool.",
  .aliases = "not_equal",
  .value = EXPR([](auto input, auto other) { return input != other; }),
  .samples = "randint(0, 3, (3, 4)), randint(0, 3, (3, 4))\nrandn(3, 4), randn(4)\nrandn(3), 0.5",
};

OP(lt, real_types, "lt(input: Tensor, other: Tensor | Number) -> Tensor") {
  .doc = "input < other, elementwise, as bool.",
  .aliases = "less",
  .value = EXPR([](auto input, auto other) { return input < other; }),
  .samples = "randint(0, 3, (3, 4)), randint(0, 3, (3, 4))\nrandn(3, 4), randn(4)\nrandn(3), 0.5",
};

OP(le, real_types, "le(input: Tensor, other: Tensor | Number) -> Tensor") {
  .doc = "input <= other, elementwise, as bool.",
  .aliases = "less_equal",
  .value = EXPR([](auto input, auto other) { return input <= other; }),
  .samples = "randint(0, 3, (3, 4)), randint(0, 3, (3, 4))\nrandn(3, 4), randn(4)\nrandn(3), 0.5",
};

OP(gt, real_types, "gt(input: Tensor, other: Tensor | Number) -> Tensor") {
  .doc = "input > other, elementwise, as bool.",
  .aliases = "greater",
  .value = EXPR([](auto input, auto other) { return input > other; }),
  .samples = "randint(0, 3, (3, 4)), randint(0, 3, (3, 4))\nrandn(3, 4), randn(4)\nrandn(3), 0.5",
};

OP(ge, real_types, "ge(input: Tensor, other: Tensor | Number) -> Tensor") {
  .doc = "input >= other, elementwise, as bool.",
  .aliases = "greater_equal",
  .value = EXPR([](auto input, auto other) { return input >= other; }),
  .samples = "randint(0, 3, (3, 4)), randint(0, 3, (3, 4))\nrandn(3, 4), randn(4)\nrandn(3), 0.5",
};
