// Which numbers are NaN, infinite or finite.
#include "ops/expr.h"
using namespace rl;

#define CLASS(name, what)                                                                                           \
  OP(name, all_types, #name "(input: Tensor) -> Tensor") {                                                          \
    .doc = "True where input is " what, .forms = view_forms, .value = EXPR([](auto input) { return name(input); }), \
    .samples = "randn(3, 4)\nrandint(0, 5, (3,))\nbools(3)",                                                        \
  }

CLASS(isnan, "NaN; of a complex number, either part.");
CLASS(isinf, "infinite; of a complex number, either part.");
CLASS(isfinite, "neither infinite nor NaN; of a complex number, both parts.");

#define INFINITY_OF_SIGN(name, sign, symbol)                                    \
  OP(name, real_types, #name "(input: Tensor) -> Tensor") {                     \
    .doc = "True where input is " sign " infinity.", .forms = plain_forms,      \
    .value = EXPR([](auto input) { return isinf(input) & (input symbol 0.); }), \
    .samples = "randn(3, 4) / 0.0\nrandint(0, 5, (3,))",                        \
  }

INFINITY_OF_SIGN(isposinf, "positive", >);
INFINITY_OF_SIGN(isneginf, "negative", <);
