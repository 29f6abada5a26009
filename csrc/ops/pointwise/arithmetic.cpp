// Sums, products and quotients: the operators behind + - * / // %.
#include "ops/expr.h"
using namespace rl;

OP(add, all_types, "add(input: Tensor | Number, other: Tensor | Number, *, alpha: Number = 1) -> Tensor") {
  .doc = "input + alpha * other, elementwise.",
  .forms = pointwise_forms | numbers_alone,
  .value = EXPR([](auto input, auto other, auto alpha) { return input + alpha * other; }),
  .grad = {GRAD([](auto gy) { return gy; }), GRAD([](auto gy, auto alpha) { return gy * alpha; })},
  .samples = "randn(3, 4), randn(3, 4)\nrandn(3, 4), randn(4), alpha=2.5\nrandn(3, 1), 2\nrandint(0, 9, (5,)), "
             "randint(0, 9, (5,)), alpha=3",
  .errors = "ones(3), ones(4) => RuntimeError: [add] shapes must broadcast",
};

OP(sub, numeric_types, "sub(input: Tensor | Number, other: Tensor | Number, *, alpha: Number = 1) -> Tensor") {
  .doc = "input - alpha * other, elementwise.",
  .aliases = "subtract",
  .forms = pointwise_forms | numbers_alone,
  .value = EXPR([](auto input, auto other, auto alpha) { return input - alpha * other; }),
  .grad = {GRAD([](auto gy) { return gy; }), GRAD([](auto gy, auto alpha) { return -(gy * alpha); })},
  .samples = "randn(3, 4), randn(3, 4)\nrandn(3, 4), randn(3, 1), alpha=2.5\nrandn(3), 2",
  .errors = "ones(3, dtype=bool), ones(3, dtype=bool) => RuntimeError: [sub] input must be integer",
};

OP(mul, all_types, "mul(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "input * other, elementwise.",
  .aliases = "multiply",
  .forms = pointwise_forms | numbers_alone,
  .value = EXPR([](auto input, auto other) { return input * other; }),
  .grad = {GRAD([](auto gy, auto other) { return gy * conj(other); }),
           GRAD([](auto gy, auto input) { return gy * conj(input); })},
  .samples = "randn(3, 4), randn(3, 4)\nrandn(3, 4), randn(4)\nrandn(3), 2.5\nrandint(0, 9, (5,)), randint(0, 9, (5,))",
};

OP(div, inexact_types, "div(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "input / other, elementwise; integers are divided as floating point numbers.",
  .home = "_core",
  .forms = pointwise_forms | numbers_alone,
  .result = Result::floating,
  .value = EXPR([](auto input, auto other) { return input / other; }),
  .grad = {GRAD([](auto gy, auto other) { return gy / conj(other); }),
           GRAD([](auto gy, auto result, auto other) { return -(gy * conj(result / other)); })},
  .samples =
      "randn(3, 4), positive(3, 4)\nrandn(3, 4), positive(4)\nrandn(3), 2.5\nrandint(1, 9, (5,)), randint(1, 9, (5,))",
};

OP(neg, numeric_types, "neg(input: Tensor) -> Tensor") {
  .doc = "-input, elementwise.",
  .aliases = "negative",
  .value = EXPR([](auto input) { return -input; }),
  .grad = {GRAD([](auto gy) { return -gy; })},
  .samples = "randn(3, 4)\nrandint(0, 9, (5,))",
  .errors = "ones(3, dtype=bool) => RuntimeError: [neg] input must be integer",
};
