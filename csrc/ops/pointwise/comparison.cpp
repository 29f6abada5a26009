// Comparisons: bool results, no gradients.
#include "ops/expr.h"
using namespace rl;

#define COMPARISON(name, symbol, dtypes, aliases_, errors_)                                          \
  OP(name, dtypes, #name "(input: Tensor, other: Tensor | Number) -> Tensor") {                      \
    .doc = "input " #symbol " other, elementwise, as bool.", .aliases = aliases_,                    \
    .value = EXPR([](auto input, auto other) { return input symbol other; }),                        \
    .samples = "randint(0, 3, (3, 4)), randint(0, 3, (3, 4))\nrandn(3, 4), randn(4)\nrandn(3), 0.5", \
    .errors = errors_,                                                                               \
  }

COMPARISON(eq, ==, all_types, "", "2, ones(3) => TypeError: [eq] argument 'input' must be Tensor, not int");
COMPARISON(ne, !=, all_types, "not_equal", "");
COMPARISON(lt, <, real_types, "less", "");
COMPARISON(le, <=, real_types, "less_equal", "");
COMPARISON(gt, >, real_types, "greater", "");
COMPARISON(ge, >=, real_types, "greater_equal", "");
