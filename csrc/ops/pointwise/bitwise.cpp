// Bits of integers; of bools, logic.
#include "ops/expr.h"
using namespace rl;

#define BITS(name, symbol, dtypes, what, samples_, errors_)                                                     \
  OP(name, dtypes, #name "(input: Tensor | Number, other: Tensor | Number) -> Tensor") {                        \
    .doc = what, .value = EXPR([](auto input, auto other) { return input symbol other; }), .samples = samples_, \
    .errors = errors_,                                                                                          \
  }

BITS(bitwise_and, &, whole_types, "The bits set in both.",
     "randint(0, 99, (3, 4)), randint(0, 99, (4,))\nbools(3), bools(3)\nrandint(0, 99, (3,)), 5",
     "randn(3), randn(3) => RuntimeError: [bitwise_and] input must be bool or integer");
BITS(bitwise_or, |, whole_types, "The bits set in either.",
     "randint(0, 99, (3, 4)), randint(0, 99, (4,))\nbools(3), bools(3)", "");
BITS(bitwise_xor, ^, whole_types, "The bits set in one but not in both.",
     "randint(0, 99, (3, 4)), randint(0, 99, (4,))\nbools(3), bools(3)", "");
BITS(bitwise_left_shift, <<, integers, "input * 2 ** other, on the bits.",
     "randint(0, 99, (3, 4)), randint(0, 5, (4,))\nrandint(0, 99, (3,)), 2", "");
BITS(bitwise_right_shift, >>, integers, "input // 2 ** other, on the bits; the sign is kept.",
     "randint(0, 99, (3, 4)), randint(0, 5, (4,))\nrandint(0, 99, (3,)), 2", "");

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
