// Truth: anything but zero is true.
#include "ops/expr.h"
using namespace rl;

OP(logical_and, all_types, "logical_and(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "True where both are nonzero.",
  .value = EXPR([](auto input, auto other) { return (input != 0.) & (other != 0.); }),
  .samples = "randint(0, 2, (3, 4)), randint(0, 2, (3, 4))\nbools(3, 4), bools(4)",
};

OP(logical_or, all_types, "logical_or(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "True where either is nonzero.",
  .value = EXPR([](auto input, auto other) { return (input != 0.) | (other != 0.); }),
  .samples = "randint(0, 2, (3, 4)), randint(0, 2, (3, 4))\nbools(3, 4), bools(4)",
};

OP(logical_xor, all_types, "logical_xor(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "True where exactly one is nonzero.",
  .value = EXPR([](auto input, auto other) { return (input != 0.) ^ (other != 0.); }),
  .samples = "randint(0, 2, (3, 4)), randint(0, 2, (3, 4))\nbools(3, 4), bools(4)",
};

OP(logical_not, all_types, "logical_not(input: Tensor) -> Tensor") {
  .doc = "True where input is zero.",
  .value = EXPR([](auto input) { return input == 0.; }),
  .samples = "randint(0, 2, (3, 4))\nbools(3)",
};
