// torch.conv1d ... conv_transpose3d: the number of dimensions by name.
#include "ops/conv/geometry.h"
using namespace rl;

namespace {

// The number of dimensions is the digit before the name's last letter.
int spatial_of(const Call& c) { return c.op.name()[c.op.name().size() - 2] - '0'; }

void check_dims(const Call& c, const TensorImpl& input, const TensorImpl& weight, int spatial) {
  c.check(input.ndim == spatial + 1 || input.ndim == spatial + 2, "Expected ", spatial + 1, "D (unbatched) or ",
          spatial + 2, "D (batched) input to ", c.op.name(), ", but got input of size: ", input.sizes(), ".");
  c.check(weight.ndim == spatial + 2, "expected weight to have ", spatial + 2, " dimensions. Received ",
          describe(weight), ".");
}

void run(const Call& c, bool transposed, int dilation) {
  int spatial = spatial_of(c);
  check_dims(c, c.tensor(0), c.tensor(1), spatial);
  auto each = [&](const char* what, int k) { return per_dimension(c, what, k, spatial); };
  Dims stride = each("stride", 3), padding = each("padding", 4), none{0};
  c.out[0] = call<"convolution">(c.arg[0], c.arg[1], c.arg[2], stride, padding, each("dilation", dilation), transposed,
                                 transposed ? each("output_padding", 5) : none, c.arg[6]);
}

void conv(const Call& c) { run(c, false, 5); }            // ..., dilation, groups
void conv_transpose(const Call& c) { run(c, true, 7); }   // ..., output_padding, groups, dilation

}  // namespace

#define CONV(n, places, kernel, samples_, errors_)                                                                    \
  OP(conv##n##d, numeric_types,                                                                                       \
     "conv" #n "d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: ints = 1, padding: ints = 0, "   \
     "dilation: ints = 1, groups: int = 1) -> Tensor") {                                                              \
    .doc = "The cross-correlation of input [N, C, " places "] or [C, " places "] with weight [O, C / groups, " kernel \
           "], plus bias [O].\n\nRaises RuntimeError when sizes or dtypes do not fit.",                               \
    .forms = function, .compose = conv, .samples = samples_, .errors = errors_,                                       \
  }

CONV(1, "L", "K", "randn(2, 3, 7), randn(4, 3, 3), randn(4)\nrandn(4, 7), randn(4, 2, 3), None, 2, 1, 2, 2",
     "randn(3, 2, 2, 2), randn(8, 3, 3) => RuntimeError: [conv1d] Expected 2D (unbatched) or 3D (batched) input to "
     "conv1d");
CONV(2, "H, W", "KH, KW",
     "randn(2, 3, 6, 7), randn(4, 3, 3, 2), randn(4)\nrandn(4, 6, 7), randn(4, 2, 3, 2), None, (2, 1), (1, 0), 2, 2",
     "randn(1, 3, 2, 2), randn(8, 3, 3, 3) => RuntimeError: [convolution] Calculated padded input size per channel: (2 "
     "x 2). Kernel size: (3 x 3). Kernel size can't be greater than actual input size\nrandn(1, 3, 8, 8), randn(8, 3, "
     "3, 3), None, (1, 2, 3) => RuntimeError: [conv2d] expected stride to be a single integer value");
CONV(3, "D, H, W", "KD, KH, KW", "randn(1, 2, 4, 5, 3), randn(3, 2, 2, 3, 2), randn(3)", "");

#define CONV_TRANSPOSE(n, places, kernel, samples_, errors_)                                                        \
  OP(conv_transpose##n##d, numeric_types,                                                                           \
     "conv_transpose" #n "d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: ints = 1, padding: " \
     "ints = 0, output_padding: ints = 0, groups: int = 1, dilation: ints = 1) -> Tensor") {                        \
    .doc = "The transposed convolution of input [N, C, " places "] or [C, " places                                  \
           "] with weight [C, O / groups, " kernel "], plus bias [O]: what conv" #n                                 \
           "d's gradient by its input computes.\n\nRaises RuntimeError when sizes or dtypes do not fit.",           \
    .forms = function, .compose = conv_transpose, .samples = samples_, .errors = errors_,                           \
  }

CONV_TRANSPOSE(1, "L", "K", "randn(2, 3, 4), randn(3, 4, 3), randn(4)\nrandn(4, 5), randn(4, 2, 3), None, 2, 1, 1, 2",
               "");
CONV_TRANSPOSE(
    2, "H, W", "KH, KW",
    "randn(2, 3, 4, 3), randn(3, 4, 3, 2), randn(4)\nrandn(4, 3, 4), randn(4, 2, 3, 2), None, (2, 3), 1, (1, 2), 2",
    "randn(1, 3, 8, 8), randn(4, 8, 3, 3) => RuntimeError: [convolution] Given transposed=1, weight of size [4, 8, 3, "
    "3], expected input[1, 3, 8, 8] to have 4 channels\nrandn(1, 4, 8, 8), randn(4, 8, 3, 3), None, 1, 0, 1 => "
    "RuntimeError: [convolution] output padding must be smaller");
CONV_TRANSPOSE(3, "D, H, W", "KD, KH, KW", "randn(1, 2, 3, 2, 3), randn(2, 3, 2, 3, 2), randn(3)", "");
