// Quotients that are whole numbers, and what they leave. Integers cannot be divided by zero: the rows look before they
// compute.
#include "ops/expr.h"
using namespace rl;

namespace {

void check_divisor(const Call& c) {
  if (!is_integral(result_type(c.arg, 2))) return;
  bool zero;
  if (c.arg[1].is_tensor()) {
    Tensor plain = empty(c.tensor(1).sizes(), c.tensor(1).dtype);
    copy_elements(*plain, c.tensor(1));
    zero = visit(plain->dtype, [&]<class T>(Type<T>) {
      const T* p = plain->data_as<T>();
      return std::find(p, p + plain->numel, T(0)) != p + plain->numel;
    });
  } else {
    zero = c.arg[1].number() == 0;
  }
  c.check(!zero, "ZeroDivisionError: integers cannot be divided by zero. Received a divisor of 0.");
}

// `formula`'s value under the row's own name and dtypes.
void divide(const Call& c, const OpDef& formula) {
  check_divisor(c);
  c.out[0] = run_formula(c.op, formula.value, c.arg, 2, nullptr, nullptr, Result::promoted);
}

// input - quotient * other: the quotient is constant between steps.
template <OpName quotient> void remainder_gradient(Backward& b) {
  Tensor gy = b.gradient();
  if (b.needs(0)) b.set(0, gy);
  if (!b.needs(1)) return;
  Tensor q = b.arg(0).is_number() ? call<quotient>(b.arg(0), b.tensor(1)) : call<quotient>(b.tensor(0), b.tensor(1));
  b.set(1, -(gy * q));
}

void zero_gradients(Backward& b) {
  for (int k = 0; k < 2; ++k)
    if (b.needs(k)) b.set(k, zeros(b.sizes(k), b.gradient()->dtype));
}

}  // namespace

#define FORMULA(name, what)                                                                                      \
  OP(name##_formula, number_types, #name "_formula(input: Tensor | Number, other: Tensor | Number) -> Tensor") { \
    .doc = #name "() that takes integers to be divisible by 0, with 0 as the " what ".", .home = "_core",        \
    .forms = function, .value = EXPR([](auto input, auto other) { return name(input, other); }),                 \
    .samples = "randn(3, 4), positive(3, 4)",                                                                    \
  }

FORMULA(fmod, "remainder");
FORMULA(remainder, "remainder");
FORMULA(floor_divide, "quotient");
FORMULA(trunc_divide, "quotient");

OP(fmod, number_types, "fmod(input: Tensor, other: Tensor | Number) -> Tensor") {
  .doc = "What input leaves when it is divided by other, with the sign of input (C's fmod).\n\nRaises RuntimeError "
         "when an integer is divided by 0.",
  .forms = pointwise_forms,
  .cpu = [](const Call& c) { divide(c, require_op("fmod_formula")); },
  .vjp = remainder_gradient<"trunc_divide">,
  .saves = "input for other, other for other",
  .samples = "randn(3, 4), positive(3, 4)\nrandn(3, 4), 0.7\nrandint(-9, 9, (5,)), 4",
  .errors = "randint(0, 5, (3,)), 0 => RuntimeError: [fmod] ZeroDivisionError",
};

OP(remainder, number_types, "remainder(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "What input leaves when it is divided by other, with the sign of other (Python's %).\n\nRaises RuntimeError "
         "when an integer is divided by 0.",
  .forms = pointwise_forms,
  .cpu = [](const Call& c) { divide(c, require_op("remainder_formula")); },
  .vjp = remainder_gradient<"floor_divide">,
  .saves = "input for other, other for other",
  .samples = "randn(3, 4), positive(3, 4)\nrandn(3, 4), -0.7\nrandint(-9, 9, (5,)), 4\n5, randint(1, 4, (3,))",
  .errors = "randint(0, 5, (3,)), 0 => RuntimeError: [remainder] ZeroDivisionError",
};

OP(floor_divide, number_types, "floor_divide(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "The largest whole number that is not above input / other (Python's //); constant between steps, so that "
         "gradients are zero.\n\nRaises RuntimeError when an integer is divided by 0.",
  .forms = pointwise_forms | numbers_alone,
  .cpu = [](const Call& c) { divide(c, require_op("floor_divide_formula")); },
  .vjp = zero_gradients,
  .samples = "randn(3, 4), positive(3, 4)\nrandint(-9, 9, (5,)), 4\nrandn(3), -0.7",
  .errors = "randint(0, 5, (3,)), 0 => RuntimeError: [floor_divide] ZeroDivisionError",
};

OP(trunc_divide, number_types, "trunc_divide(input: Tensor | Number, other: Tensor | Number) -> Tensor") {
  .doc = "input / other without its fraction (C's integer division); gradients are zero.\n\nRaises RuntimeError when "
         "an integer is divided by 0.",
  .home = "_core",
  .forms = pointwise_forms,
  .cpu = [](const Call& c) { divide(c, require_op("trunc_divide_formula")); },
  .vjp = zero_gradients,
  .samples = "randn(3, 4), positive(3, 4)\nrandint(-9, 9, (5,)), 4",
  .errors = "randint(0, 5, (3,)), 0 => RuntimeError: [trunc_divide] ZeroDivisionError",
};
