// Which numbers are NaN, infinite or finite.
#include "ops/expr.h"
using namespace rl;

OP(isnan, all_types, "isnan(input: Tensor) -> Tensor") {
  .doc = "True where input is NaN; of a complex number, either part.",
  .forms = view_forms,
  .value = EXPR([](auto input) { return isnan(input); }),
  .samples = "randn(3, 4)\nrandint(0, 5, (3,))\nbools(3)",
};

OP(isinf, all_types, "isinf(input: Tensor) -> Tensor") {
  .doc = "True where input is infinite; of a complex number, either part.",
  .forms = view_forms,
  .value = EXPR([](auto input) { return isinf(input); }),
  .samples = "randn(3, 4)\nrandint(0, 5, (3,))\nbools(3)",
};

OP(isfinite, all_types, "isfinite(input: Tensor) -> Tensor") {
  .doc = "True where input is neither infinite nor NaN; of a complex number, both parts.",
  .forms = view_forms,
  .value = EXPR([](auto input) { return isfinite(input); }),
  .samples = "randn(3, 4)\nrandint(0, 5, (3,))\nbools(3)",
};

OP(isposinf, real_types, "isposinf(input: Tensor) -> Tensor") {
  .doc = "True where input is positive infinity.",
  .forms = plain_forms,
  .value = EXPR([](auto input) { return isinf(input) & (input > 0.); }),
  .samples = "randn(3, 4) / 0.0\nrandint(0, 5, (3,))",
};

OP(isneginf, real_types, "isneginf(input: Tensor) -> Tensor") {
  .doc = "True where input is negative infinity.",
  .forms = plain_forms,
  .value = EXPR([](auto input) { return isinf(input) & (input < 0.); }),
  .samples = "randn(3, 4) / 0.0\nrandint(0, 5, (3,))",
};
