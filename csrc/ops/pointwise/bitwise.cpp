// Bits of integers; of bools, logic.
#include "ops/expr.h"
using namespace rl;

OP(bitwise_and, whole_types, "bitwise_and(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "The bits set in both.",
  .value = EXPR([](auto input, auto other) { return input & other; }),
  .samples = "randint(0, 99, (3, 4)), randint(0, 99, (4,))\nbools(3), bools(3)\nrandint(0, 99, (3,)), 5",
  .errors = "randn(3), randn(3) => RuntimeError: [bitwise_and] input must be bool or integer",
};

OP(bitwise_or, whole_types, "bitwise_or(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "The bits set in either.",
  .value = EXPR([](auto input, auto other) { return input | other; }),
  .samples = "randint(0, 99, (3, 4)), randint(0, 99, (4,))\nbools(3), bools(3)",
};

OP(bitwise_xor, whole_types, "bitwise_xor(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "The bits set in one but not in both.",
  .value = EXPR([](auto input, auto other) { return input ^ other; }),
  .samples = "randint(0, 99, (3, 4)), randint(0, 99, (4,))\nbools(3), bools(3)",
};

OP(bitwise_invert, integers, "bitwise_invert(input: Tensor) -> Tensor") {
  .doc = "Every bit of an integer inverted.",
  .home = "_core",
  .value = EXPR([](auto input) { return ~input; }),
  .samples = "randint(0, 99, (3, 4))",
};

OP(bitwise_not, whole_types, "bitwise_not(input: Tensor) -> Tensor") {
  .doc = "Every bit inverted; of bools, the logical negation.",
  .forms = pointwise_forms,
  .compose =
      [](const Call& c) {
        Tensor t(&c.tensor(0));
        c.out[0] = t->dtype == DType::bool_ ? call<"logical_not">(t) : call<"bitwise_invert">(t);
      },
  .samples = "randint(0, 99, (3, 4))\nbools(3)",
};

OP(bitwise_left_shift, integers, "bitwise_left_shift(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "input * 2 ** other, on the bits.",
  .value = EXPR([](auto input, auto other) { return input << other; }),
  .samples = "randint(0, 99, (3, 4)), randint(0, 5, (4,))\nrandint(0, 99, (3,)), 2",
};

OP(bitwise_right_shift, integers, "bitwise_right_shift(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "input // 2 ** other, on the bits; the sign is kept.",
  .value = EXPR([](auto input, auto other) { return input >> other; }),
  .samples = "randint(0, 99, (3, 4)), randint(0, 5, (4,))\nrandint(0, 99, (3,)), 2",
};
