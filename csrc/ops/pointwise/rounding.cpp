// Rounding to whole numbers. The functions are constant between steps: their gradient is zero.
#include <cmath>

#include "ops/expr.h"
using namespace rl;

namespace {

void zero_gradient(Backward& b) { b.set(0, zeros(b.sizes(0), b.gradient()->dtype)); }

}  // namespace

OP(floor, number_types, "floor(input: Tensor) -> Tensor") {
  .doc = "The largest whole number that is not above input; integers stay.",
  .value = EXPR([](auto input) { return floor(input); }),
  .vjp = zero_gradient,
  .samples = "randn(3, 4)\nrandint(-5, 5, (3,))",
  .errors = "bools(3) => RuntimeError: [floor] input must be integer",
};

OP(ceil, number_types, "ceil(input: Tensor) -> Tensor") {
  .doc = "The smallest whole number that is not below input; integers stay.",
  .value = EXPR([](auto input) { return ceil(input); }),
  .vjp = zero_gradient,
  .samples = "randn(3, 4)\nrandint(-5, 5, (3,))",
};

OP(trunc, number_types, "trunc(input: Tensor) -> Tensor") {
  .doc = "input without its fraction; integers stay.",
  .aliases = "fix",
  .value = EXPR([](auto input) { return trunc(input); }),
  .vjp = zero_gradient,
  .samples = "randn(3, 4)\nrandint(-5, 5, (3,))",
};

OP(frac, floats, "frac(input: Tensor) -> Tensor") {
  .doc = "The fraction of input, with its sign: input - trunc(input).",
  .value = EXPR([](auto input) { return input - trunc(input); }),
  .grad = {GRAD([](auto gy) { return gy; })},
  .samples = "randn(3, 4)",
};

OP(round_to_whole, number_types, "round_to_whole(input: Tensor) -> Tensor") {
  .doc = "round() without decimals.",
  .home = "_core",
  .value = EXPR([](auto input) { return round(input); }),
  .vjp = zero_gradient,
  .samples = "randn(3, 4)\nrandint(-5, 5, (3,))",
};

OP(round, number_types, "round(input: Tensor, *, decimals: int = 0) -> Tensor") {
  .doc = "input rounded to the nearest whole number, halves to the even one, or to the given number of decimals "
         "(negative ones stand left of the point); integers stay.\n\nRaises RuntimeError for integers with decimals.",
  .aliases = "special_round",
  .forms = pointwise_forms,
  .cpu =
      [](const Call& c) {
        static const OpDef& whole = require_op("round_to_whole");
        GradMode off(false);
        Tensor t(&c.tensor(0));
        i64 decimals = c.integer(1);
        double scale = std::pow(10.0, std::fabs(static_cast<double>(decimals)));
        if (decimals) {
          c.check(is_floating(t->dtype), "\"round\" not implemented for '", t->dtype,
                  "' with decimals. Received decimals=", decimals, ".");
          t = decimals > 0 ? t * scale : t / scale;
        }
        Arg operand(t);
        c.out[0] = run_formula(c.op, whole.value, &operand, 1, nullptr, nullptr, Result::promoted);
        if (decimals) c.out[0] = decimals > 0 ? c.out[0] / scale : c.out[0] * scale;
      },
  .vjp = zero_gradient,
  .samples = "randn(3, 4)\nrandn(3, 4), decimals=2\nrandn(3, 4) * 100, decimals=-1\nrandint(-5, 5, (3,))",
};
