// Exponentials and logarithms.
#include "ops/pointwise/function.h"
using namespace rl;

FUNCTION(exp, inexact_types, "", "e ** input, elementwise.", "randn(3, 4)\nrandint(0, 5, (3,))",
         [](auto gy, auto result) { return gy * conj(result); });
FUNCTION(exp2, inexact_types, "special_exp2", "2 ** input, elementwise.", "randn(3, 4)",
         [](auto gy, auto result) { return gy * conj(result) * 0.69314718055994531; });
FUNCTION(expm1, inexact_types, "special_expm1", "e ** input - 1, elementwise, exact near zero.", "randn(3, 4)",
         [](auto gy, auto result) { return gy * conj(result + 1.); });
FUNCTION(log, inexact_types, "", "The natural logarithm, elementwise; NaN below zero.",
         "positive(3, 4)\nrandint(1, 5, (3,))", [](auto gy, auto input) { return gy / conj(input); });
FUNCTION(log2, inexact_types, "", "The logarithm to base 2, elementwise.", "positive(3, 4)",
         [](auto gy, auto input) { return gy / (conj(input) * 0.69314718055994531); });
FUNCTION(log10, inexact_types, "", "The logarithm to base 10, elementwise.", "positive(3, 4)",
         [](auto gy, auto input) { return gy / (conj(input) * 2.3025850929940457); });
FUNCTION(log1p, inexact_types, "special_log1p", "log(1 + input), elementwise, exact near zero.", "positive(3, 4)",
         [](auto gy, auto input) { return gy / conj(input + 1.); });

OP(logaddexp_formula, floats, "logaddexp_formula(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "log(exp(input) + exp(other)), without overflow.",
  .home = "_core",
  .value = EXPR([](auto input, auto other) { return logaddexp(input, other); }),
  .grad = {GRAD([](auto gy, auto input, auto other) { return gy * sigmoid(input - other); }),
           GRAD([](auto gy, auto input, auto other) { return gy * sigmoid(other - input); })},
  .samples = "randn(3, 4), randn(3, 4)\nrandn(3, 4), randn(4)",
};

OP(logaddexp, inexact_types, "logaddexp(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "log(exp(input) + exp(other)), without overflow.",
  .forms = plain_forms,
  .compose =
      [](const Call& c) {
        Tensor a(&c.tensor(0)), b(&c.tensor(1));
        if (!is_complex(a->dtype) && !is_complex(b->dtype)) {
          c.out[0] = call<"logaddexp_formula">(a, b);
          return;
        }
        // Of complex numbers, the one with the larger real part is taken out.
        Tensor first = call<"ge">(call<"real">(a), call<"real">(b));
        Tensor large = call<"where">(first, a, b), small = call<"where">(first, b, a);
        c.out[0] = large + call<"log1p">(call<"exp">(small - large));
      },
  .samples = "randn(3, 4), randn(3, 4)\nrandn(3, 4), randn(4)",
};

OP(logaddexp2, floats, "logaddexp2(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "log2(2 ** input + 2 ** other), without overflow.",
  .forms = plain_forms,
  .value = EXPR([](auto input, auto other) {
    return logaddexp(input * 0.69314718055994531, other * 0.69314718055994531) * 1.4426950408889634;
  }),
  .grad = {GRAD([](auto gy, auto input, auto other) { return gy * sigmoid((input - other) * 0.69314718055994531); }),
           GRAD([](auto gy, auto input, auto other) { return gy * sigmoid((other - input) * 0.69314718055994531); })},
  .samples = "randn(3, 4), randn(3, 4)",
};

OP(xlogy, floats, "xlogy(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "input * log(other); 0 where input is 0 and other is not NaN.",
  .aliases = "special_xlogy",
  .result = Result::floating,
  .value = EXPR([](auto input, auto other) { return xlogy(input, other); }),
  .grad = {GRAD([](auto gy, auto input, auto other) {
             return where((input == 0.) & (other <= 0.), 0., gy * log(other));
           }),
           GRAD([](auto gy, auto input, auto other) { return gy * input / other; })},
  .samples = "randn(3, 4), positive(3, 4)\nrandn(3, 4), 2.5",
  .errors = "2, 3 => TypeError: [xlogy] needs a Tensor, not numbers alone",
};

FUNCTION(sigmoid, inexact_types, "special_expit", "1 / (1 + exp(-input)), elementwise.",
         "randn(3, 4)\nrandint(0, 5, (3,))", [](auto gy, auto result) { return gy * conj(result * (1. - result)); });
