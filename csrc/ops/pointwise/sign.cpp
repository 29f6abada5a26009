// Magnitude and sign.
#include "ops/expr.h"
using namespace rl;

OP(abs, numeric_types, "abs(input: Tensor) -> Tensor") {
  .doc = "|input|, elementwise; real for complex input.",
  .aliases = "absolute",
  .result = Result::real_part,
  .value = EXPR([](auto input) { return abs(input); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * sgn(input); })},
  .samples = "randn(3, 4)\nrandint(-5, 5, (3,))",
};

OP(sign, real_types, "sign(input: Tensor) -> Tensor") {
  .doc = "-1, 0 or 1, elementwise.",
  .value = EXPR([](auto input) { return sign(input); }),
  .grad = {GRAD([](auto gy) { return gy * 0.; })},
  .samples = "randn(3, 4)\nrandint(-5, 5, (3,))",
};

OP(sgn, all_types, "sgn(input: Tensor) -> Tensor") {
  .doc = "sign(input); for complex input, input / |input| (0 at 0).",
  .value = EXPR([](auto input) { return sgn(input); }),
  .grad = {GRAD([](auto gy, auto input, auto result) {
    return where(input == 0., 0., (gy - conj(gy) * result * result) / (2. * abs(input)));
  })},
  .samples = "randn(3, 4)\nrandint(-5, 5, (3,))",
};

OP(signbit, real_types, "signbit(input: Tensor) -> Tensor") {
  .doc = "True where the sign bit is set (also of -0.0).",
  .forms = plain_forms,
  .value = EXPR([](auto input) { return signbit(input); }),
  .samples = "randn(3, 4)\nrandint(-5, 5, (3,))",
};

OP(copysign, floats, "copysign(input: Tensor, other: Tensor | Number) -> Tensor") {
  .doc = "|input| with the sign of other.",
  .result = Result::floating,
  .value = EXPR([](auto input, auto other) { return copysign(input, other); }),
  .grad = {GRAD([](auto gy, auto input, auto result) {
             return where(input == 0., 0., gy * sign(input) * sign(result));
           }),
           GRAD([](auto gy) { return gy * 0.; })},
  .samples = "randn(3, 4), randn(3, 4)\nrandn(3, 4), -1.0",
};
