// Powers and roots.
#include <cmath>

#include "ops/pointwise/function.h"
using namespace rl;

OP(pow_formula, numeric_types, "pow_formula(input: Tensor | Number, exponent: Tensor | Number) -> Tensor") {
  .doc = "pow() with no look at the exponent: integers to a negative power are the whole part of the quotient.",
  .home = "_core",
  .value = EXPR([](auto input, auto exponent) { return pow(input, exponent); }),
  .samples = "positive(3, 4), randn(3, 4)",
};

OP(scaled_product, inexact_types, "scaled_product(input: Tensor, other: Tensor, scale: Number) -> Tensor") {
  .doc = "input * conj(other) * scale in one pass, elementwise: the derivative of a power, where it is not recorded.",
  .home = "_core",
  .value = EXPR([](auto input, auto other, auto scale) { return input * conj(other) * scale; }),
  .samples = "randn(3, 4), randn(3, 4), 2.5",
};

OP(pow, numeric_types, "pow(input: Tensor | Number, exponent: Tensor | Number) -> Tensor") {
  .doc = "input ** exponent, elementwise.\n\nRaises RuntimeError for integers to a power that is a negative integer.",
  .forms = pointwise_forms,
  .cpu =
      [](const Call& c) {
        static const OpDef& formula = require_op("pow_formula");
        bool whole = c.arg[0].is_tensor() && is_integral(c.tensor(0).dtype) &&
                     (c.arg[1].kind == Kind::integer || c.arg[1].kind == Kind::boolean);
        c.check(!whole || c.integer(1) >= 0, "Integers to negative integer powers are not allowed. Received exponent ",
                c.real(1), ". Convert input to floating point.");
        c.out[0] = run_formula(c.op, formula.value, c.arg, 2, nullptr, nullptr, Result::promoted);
      },
  .vjp =
      [](Backward& b) {
        Tensor gy = b.gradient();
        if (b.needs(0) && b.arg(1).is_number()) {
          double e = b.real(1);
          Tensor x = e == 0 ? Tensor() : e == 2 ? b.tensor(0) : call<"pow">(b.tensor(0), e - 1);
          b.set(0, !x ? gy * 0.0 : eager_state.grad ? gy * conj(x * e) : call<"scaled_product">(gy, x, e));
        } else if (b.needs(0)) {
          Tensor x = b.tensor(0), e = b.tensor(1);
          b.set(0, call<"where">(call<"eq">(e, 0.0), 0.0, gy * conj(e * call<"pow">(x, e - 1.0))));
        }
        if (!b.needs(1)) return;
        if (b.arg(0).is_number()) {
          double x = b.real(0);
          b.set(1, x == 0 ? call<"where">(call<"eq">(b.tensor(1), 0.0), gy * (b.result() * std::log(x)), 0.0)
                          : gy * conj(b.result() * std::log(x)));
          return;
        }
        // 0 ** e does not change while e is positive.
        Tensor x = b.tensor(0), e = b.tensor(1), at_zero = call<"eq">(x, 0.0);
        if (!is_complex(e->dtype)) at_zero = call<"logical_and">(at_zero, call<"ge">(e, 0.0));
        b.set(1, call<"where">(at_zero, 0.0, gy * conj(b.result() * call<"log">(x))));
      },
  .saves = "input for input, exponent for input, input for exponent, exponent for exponent, result for exponent",
  .samples = "positive(3, 4), randn(3, 4)\nrandn(3, 4), 2\npositive(3, 4), 0.5\n2.0, randn(3)\nrandint(1, 5, (4,)), "
             "randint(0, 4, (4,))",
  .errors = "randint(1, 5, (3,)), -1 => RuntimeError: [pow] Integers to negative integer powers",
};

FUNCTION(sqrt, inexact_types, "", "The square root, elementwise; NaN below zero.", "positive(3, 4)",
         [](auto gy, auto result) { return gy / (2. * conj(result)); });
FUNCTION(rsqrt, inexact_types, "", "1 / sqrt(input), elementwise.", "positive(3, 4)",
         [](auto gy, auto result) { return -0.5 * gy * conj(result * result * result); });

OP(square_formula, numeric_types, "square_formula(input: Tensor) -> Tensor") {
  .doc = "input * input, elementwise.",
  .home = "_core",
  .value = EXPR([](auto input) { return input * input; }),
  .grad = {GRAD([](auto gy, auto input) { return gy * conj(2. * input); })},
  .samples = "randn(3, 4)\nrandint(0, 5, (3,))",
};

OP(square, all_types, "square(input: Tensor) -> Tensor") {
  .doc = "input * input, elementwise; bools give int64.",
  .forms = pointwise_forms,
  .compose =
      [](const Call& c) {
        Tensor t(&c.tensor(0));
        c.out[0] = call<"square_formula">(t->dtype == DType::bool_ ? to_dtype(t, DType::i64) : t);
      },
  .samples = "randn(3, 4)\nrandint(0, 5, (3,))\nbools(3)",
};

FUNCTION(reciprocal, inexact_types, "", "1 / input, elementwise.", "positive(3, 4)",
         [](auto gy, auto result) { return -(gy * conj(result * result)); });
