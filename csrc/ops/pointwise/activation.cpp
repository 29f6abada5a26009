// Activation functions.
#include "ops/pointwise/function.h"
using namespace rl;

OP(relu, number_types, "relu(input: Tensor) -> Tensor") {
  .doc = "max(input, 0), elementwise.",
  .forms = function | method | inplace,
  .value = EXPR([](auto input) { return where(input <= 0., 0., input); }),
  .grad = {GRAD([](auto gy, auto result) { return where(result <= 0., 0., gy); })},
  .samples = "randn(3, 4)\nrandint(-5, 5, (3,))",
};

FUNCTION(tanh, inexact_types, "", "The hyperbolic tangent, elementwise.", "randn(3, 4)",
         [](auto gy, auto result) { return gy * conj(1. - result * result); });

OP(gelu_erf, floats, "gelu_erf(input: Tensor) -> Tensor") {
  .doc = "input * Phi(input), Phi the normal distribution function (Hendrycks & Gimpel 2016).",
  .home = "_core",
  .value = EXPR([](auto input) { return 0.5 * input * (1. + erf(0.70710678118654752 * input)); }),
  .grad = {GRAD([](auto gy, auto input) {
    return gy *
           (0.5 * (1. + erf(0.70710678118654752 * input)) + input * (0.39894228040143268 * exp(-0.5 * input * input)));
  })},
  .samples = "randn(3, 4)",
};

OP(gelu_tanh, floats, "gelu_tanh(input: Tensor) -> Tensor") {
  .doc = "The tanh approximation of gelu (Hendrycks & Gimpel 2016).",
  .home = "_core",
  .value = EXPR([](auto input) {
    return 0.5 * input * (1. + tanh(0.79788456080286536 * (input + 0.044715 * input * input * input)));
  }),
  .grad = {GRAD([](auto gy, auto input) {
    auto t = tanh(0.79788456080286536 * (input + 0.044715 * input * input * input));
    return gy * (0.5 * (1. + t) + 0.5 * input * (1. - t * t) * 0.79788456080286536 * (1. + 0.134145 * input * input));
  })},
  .samples = "randn(3, 4)",
};

OP(gelu, floats, "gelu(input: Tensor, approximate: str = 'none') -> Tensor") {
  .doc = "input * Phi(input); approximate='tanh' uses tanh in place of the normal distribution function.",
  .home = "nn.functional",
  .forms = function | out_,
  .compose =
      [](const Call& c) {
        std::string_view how = c.text(1);
        c.check(how == "none" || how == "tanh", "approximate argument must be either none or tanh. Received ", how,
                ".");
        Tensor t(&c.tensor(0));
        c.out[0] = how == "none" ? call<"gelu_erf">(t) : call<"gelu_tanh">(t);
      },
  .samples = "randn(3, 4)\nrandn(3, 4), approximate='tanh'",
  .errors = "randn(3), approximate='x' => RuntimeError: [gelu] approximate argument",
};

OP(silu, inexact_types, "silu(input: Tensor) -> Tensor") {
  .doc = "input * sigmoid(input), elementwise (also called swish).",
  .home = "nn.functional",
  .value = EXPR([](auto input) { return input * sigmoid(input); }),
  .grad = {GRAD([](auto gy, auto input) {
    auto s = sigmoid(input);
    return gy * conj(s * (1. + input * (1. - s)));
  })},
  .samples = "randn(3, 4)",
};

OP(leaky_relu, floats, "leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor") {
  .doc = "input above zero, negative_slope * input below.",
  .home = "nn.functional",
  .value = EXPR([](auto input, auto negative_slope) { return where(input > 0., input, negative_slope * input); }),
  .grad = {GRAD([](auto gy, auto input, auto negative_slope) { return where(input > 0., gy, negative_slope * gy); })},
  .samples = "randn(3, 4)\nrandn(3, 4), 0.2",
};

OP(elu, floats, "elu(input: Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Tensor") {
  .doc = "scale * input above zero, scale * alpha * (exp(input_scale * input) - 1) below (Clevert et al. 2015).",
  .home = "nn.functional",
  .value = EXPR([](auto input, auto alpha, auto scale, auto input_scale) {
    return where(input > 0., scale * input, scale * alpha * expm1(input_scale * input));
  }),
  .grad = {GRAD([](auto gy, auto input, auto alpha, auto scale, auto input_scale) {
    return where(input > 0., gy * scale, gy * scale * alpha * input_scale * exp(input_scale * input));
  })},
  .samples = "randn(3, 4)\nrandn(3, 4), 1.5, 1.1, 0.9",
};

OP(hardtanh, number_types, "hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor") {
  .doc = "input limited to [min_val, max_val].",
  .home = "nn.functional",
  .value = EXPR([](auto input, auto min_val, auto max_val) { return minimum(maximum(input, min_val), max_val); }),
  .grad = {GRAD([](auto gy, auto input, auto min_val, auto max_val) {
    return where((input <= min_val) | (input >= max_val), 0., gy);
  })},
  .samples = "randn(3, 4)\nrandn(3, 4), -0.5, 0.5",
};

OP(hardsigmoid, floats, "hardsigmoid(input: Tensor) -> Tensor") {
  .doc = "min(max(input + 3, 0), 6) / 6.",
  .home = "nn.functional",
  .value = EXPR([](auto input) { return minimum(maximum(input + 3., 0.), 6.) / 6.; }),
  .grad = {GRAD([](auto gy, auto input) { return where((input > -3.) & (input < 3.), gy / 6., 0.); })},
  .samples = "randn(3, 4)",
};

OP(hardswish, floats, "hardswish(input: Tensor) -> Tensor") {
  .doc = "input * min(max(input + 3, 0), 6) / 6 (Howard et al. 2019).",
  .home = "nn.functional",
  .value = EXPR([](auto input) { return input * minimum(maximum(input + 3., 0.), 6.) / 6.; }),
  .grad = {GRAD(
      [](auto gy, auto input) { return where(input <= -3., 0., where(input >= 3., gy, gy * (input / 3. + 0.5))); })},
  .samples = "randn(3, 4)",
};

OP(hardshrink, floats, "hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor") {
  .doc = "input where |input| > lambd, zero elsewhere.",
  .forms = function | method | out_,
  .value = EXPR([](auto input, auto lambd) { return where((input >= -lambd) & (input <= lambd), 0., input); }),
  .grad = {GRAD([](auto gy, auto input, auto lambd) { return where((input >= -lambd) & (input <= lambd), 0., gy); })},
  .samples = "randn(3, 4)\nrandn(3, 4), 0.2",
};

OP(softshrink, floats, "softshrink(input: Tensor, lambd: float = 0.5) -> Tensor") {
  .doc = "input moved towards zero by lambd, zero within.",
  .home = "nn.functional",
  .forms = function | out_,
  .value = EXPR([](auto input, auto lambd) {
    return where(input > lambd, input - lambd, where(input < -lambd, input + lambd, input * 0.));
  }),
  .grad = {GRAD([](auto gy, auto input, auto lambd) { return where((input >= -lambd) & (input <= lambd), 0., gy); })},
  .samples = "randn(3, 4)\nrandn(3, 4), 0.2",
};

OP(log_sigmoid, floats, "logsigmoid(input: Tensor) -> Tensor") {
  .doc = "log(sigmoid(input)), without overflow.",
  .home = "nn.functional",
  .forms = function | out_,
  .value = EXPR([](auto input) { return minimum(input, 0.) - log1p(exp(-abs(input))); }),
  .grad = {GRAD([](auto gy, auto input) { return gy * sigmoid(-input); })},
  .samples = "randn(3, 4)",
};

OP(threshold, number_types, "threshold(input: Tensor, threshold: float, value: float) -> Tensor") {
  .doc = "input above threshold, value elsewhere.",
  .forms = function | inplace,
  .value = EXPR([](auto input, auto threshold, auto value) { return where(input <= threshold, value, input); }),
  .grad = {GRAD([](auto gy, auto input, auto threshold) { return where(input <= threshold, 0., gy); })},
  .samples = "randn(3, 4), 0.1, 20.0",
};

OP(selu, floats, "selu(input: Tensor) -> Tensor") {
  .doc = "scale * elu(input, alpha) with the constants under which activations keep mean 0 and variance 1 (Klambauer "
         "et al. 2017).",
  .forms = function | inplace,
  .value =
      EXPR([](auto input) { return 1.0507009873554805 * where(input > 0., input, 1.6732632423543773 * expm1(input)); }),
  .grad = {GRAD([](auto gy, auto input) {
    return gy * 1.0507009873554805 * where(input > 0., 1., 1.6732632423543773 * exp(input));
  })},
  .samples = "randn(3, 4)",
};

OP(celu, floats, "celu(input: Tensor, alpha: float = 1.0) -> Tensor") {
  .doc = "input above zero, alpha * (exp(input / alpha) - 1) below (Barron 2017). alpha must not be 0.",
  .forms = function | inplace,
  .value = EXPR([](auto input, auto alpha) { return where(input > 0., input, alpha * expm1(input / alpha)); }),
  .grad = {GRAD([](auto gy, auto input, auto alpha) { return where(input > 0., gy, gy * exp(input / alpha)); })},
  .samples = "randn(3, 4)\nrandn(3, 4), 0.5",
};

OP(mish, floats, "mish(input: Tensor) -> Tensor") {
  .doc = "input * tanh(softplus(input)) (Misra 2019).",
  .home = "nn.functional",
  .forms = function | inplace,
  .value = EXPR([](auto input) { return input * tanh(where(input > 20., input, log1p(exp(input)))); }),
  .grad = {GRAD([](auto gy, auto input) {
    auto t = tanh(where(input > 20., input, log1p(exp(input))));
    return gy * (t + input * sigmoid(input) * (1. - t * t));
  })},
  .samples = "randn(3, 4)",
};

OP(prelu_kernel, floats, "prelu_kernel(input: Tensor, weight: Tensor) -> Tensor") {
  .doc = "input above zero, weight * input below; weight broadcasts (He et al. 2015).",
  .home = "_core",
  .value = EXPR([](auto input, auto weight) { return where(input > 0., input, weight * input); }),
  .grad = {GRAD([](auto gy, auto input, auto weight) { return where(input > 0., gy, weight * gy); }),
           GRAD([](auto gy, auto input) { return where(input > 0., 0., input * gy); })},
  .samples = "randn(3, 4), positive(4)",
};
