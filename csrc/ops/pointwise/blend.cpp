// Mixtures of several tensors, and numbers put in the place of NaN and infinity.
#include "ops/expr.h"
using namespace rl;

OP(lerp, inexact_types, "lerp(input: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor") {
  .doc = "input + weight * (end - input); exactly input for weight 0 and end for weight 1.",
  .value = EXPR([](auto input, auto end, auto weight) { return (1. - weight) * input + weight * end; }),
  .grad = {GRAD([](auto gy, auto weight) { return gy * conj(1. - weight); }),
           GRAD([](auto gy, auto weight) { return gy * conj(weight); }),
           GRAD([](auto gy, auto input, auto end) { return gy * conj(end - input); })},
  .samples = "randn(3, 4), randn(3, 4), 0.3\nrandn(3, 4), randn(4), randn(3, 1)",
};

OP(addcmul, numeric_types,
   "addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1.0) -> Tensor") {
  .doc = "input + value * tensor1 * tensor2, elementwise; all three broadcast.",
  .value = EXPR([](auto input, auto tensor1, auto tensor2, auto value) { return input + value * tensor1 * tensor2; }),
  .grad = {GRAD([](auto gy) { return gy; }),
           GRAD([](auto gy, auto tensor2, auto value) { return gy * conj(tensor2) * value; }),
           GRAD([](auto gy, auto tensor1, auto value) { return gy * conj(tensor1) * value; })},
  .samples = "randn(3, 4), randn(3, 4), randn(3, 4)\nrandn(3, 4), randn(3, 1), randn(4), value=0.5\nrandint(0, 5, "
             "(3,)), randint(0, 5, (3,)), randint(0, 5, (3,)), value=2",
};

OP(addcdiv, inexact_types,
   "addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1.0) -> Tensor") {
  .doc = "input + value * tensor1 / tensor2, elementwise; all three broadcast.",
  .value = EXPR([](auto input, auto tensor1, auto tensor2, auto value) { return input + value * tensor1 / tensor2; }),
  .grad = {GRAD([](auto gy) { return gy; }),
           GRAD([](auto gy, auto tensor2, auto value) { return gy * conj(value / tensor2); }),
           GRAD([](auto gy, auto tensor1, auto tensor2, auto value) {
             return -(gy * conj(value * tensor1 / (tensor2 * tensor2)));
           })},
  .samples = "randn(3, 4), randn(3, 4), positive(3, 4)\nrandn(3, 4), randn(3, 1), positive(4), value=0.5",
  .errors = "randint(0, 5, (3,)), randint(0, 5, (3,)), randint(1, 5, (3,)) => RuntimeError: [addcdiv] input must be "
            "floating point",
};

OP(replace_nonfinite, floats, "replace_nonfinite(input: Tensor, nan: float, posinf: float, neginf: float) -> Tensor") {
  .doc = "nan_to_num() with all three numbers given.",
  .home = "_core",
  .value = EXPR([](auto input, auto nan, auto posinf, auto neginf) {
    return where(isnan(input), nan, where(isinf(input), where(input > 0., posinf, neginf), input));
  }),
  .grad = {GRAD([](auto gy, auto input) { return where(isfinite(input), gy, 0.); })},
  .samples = "randn(3, 4), 0.0, 1.0, -1.0",
};

OP(nan_to_num, all_types,
   "nan_to_num(input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> "
   "Tensor") {
  .doc = "input with NaN replaced by nan (0 by default), inf by posinf and -inf by neginf (by default the largest and "
         "smallest numbers of the dtype); in complex numbers, part by part.",
  .forms = pointwise_forms,
  .cpu =
      [](const Call& c) {
        GradMode off(false);
        Tensor t(&c.tensor(0));
        if (is_integral(t->dtype)) {
          c.out[0] = call<"clone">(t);
          return;
        }
        DType d = to_real(t->dtype);
        double largest = d == DType::f16    ? 65504.0
                         : d == DType::bf16 ? 0x1.fep127
                         : d == DType::f32  ? static_cast<double>(std::numeric_limits<float>::max())
                                            : std::numeric_limits<double>::max();
        auto replaced = [&](const Tensor& x) {
          return call<"replace_nonfinite">(x, c.has(1) ? c.real(1) : 0.0, c.has(2) ? c.real(2) : largest,
                                           c.has(3) ? c.real(3) : -largest);
        };
        c.out[0] = is_complex(t->dtype) ? call<"view_as_complex">(call<"contiguous">(replaced(call<"view_as_real">(t))))
                                        : replaced(t);
      },
  .vjp = [](Backward& b) { b.set(0, call<"where">(call<"isfinite">(b.tensor(0)), b.gradient(), 0.0)); },
  .saves = "input",
  .samples = "randn(3, 4)\nrandn(3, 4) / 0.0, 1.0, 2.0, -3.0\nrandint(0, 5, (3,))",
};
