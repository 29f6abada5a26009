// A whole operator in one file: function, module, stub, documentation and tests are read from this row.
#include "ops/expr.h"
using namespace rl;

OP(softplus, floats, "softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor") {
  .doc = "log(1 + exp(beta * input)) / beta, elementwise; the identity where beta * input is above threshold.",
  .home = "nn.functional",
  .forms = function | out_,
  .value = EXPR([](auto input, auto beta, auto threshold) {
    return where(beta * input > threshold, input, log1p(exp(beta * input)) / beta);
  }),
  .grad = {GRAD([](auto gy, auto input, auto beta, auto threshold) {
    return where(beta * input > threshold, gy, gy * sigmoid(beta * input));
  })},
  .samples = "randn(3, 4)\nrandn(3, 4), 0.5, 1.0",
  .errors = "randint(0, 5, (3,)) => RuntimeError: [softplus] input must be floating point",
};
