// Convolution (cross-correlation) and its two derivatives, plain and transposed, in one to three dimensions.
//
// The three are one trilinear form of an image, a weight and a map: each computes the derivative by one of them. A
// convolution leads from the image to the map, a transposed one from the map to the image.
#include "kernels/cpu/conv.h"
#include "kernels/pointwise.h"
#include "ops/conv/geometry.h"
using namespace rl;

namespace {

// Stride, padding, dilation, transposed, output_padding, groups: six arguments of every row here, from `at` on.
struct Window {
  int spatial;
  Dims stride, padding, dilation, output_padding;
  bool transposed;
  i64 groups;

  Window(const Call& c, int at, int spatial_)
      : spatial(spatial_),
        stride(per_dimension(c, "stride", at, spatial)),
        padding(per_dimension(c, "padding", at + 1, spatial)),
        dilation(per_dimension(c, "dilation", at + 2, spatial)),
        output_padding(per_dimension(c, "output_padding", at + 4, spatial)),
        transposed(c.flag(at + 3)),
        groups(c.integer(at + 5)) {
    check_each(c.op.name(), "non-positive stride is not supported", stride, 1);
    check_each(c.op.name(), "negative padding is not supported", padding, 0);
    check_each(c.op.name(), "dilation should be greater than zero", dilation, 1);
    check_each(c.op.name(), "negative output_padding is not supported", output_padding, 0);
    c.check(groups > 0, "non-positive groups is not supported. Received ", groups, ".");
    for (int d = 0; transposed && d < spatial; ++d)
      c.check(output_padding[d] < std::max(stride[d], dilation[d]),
              "output padding must be smaller than either stride or dilation, but got output_padding: ",
              Sizes(output_padding), " stride: ", Sizes(stride), " dilation: ", Sizes(dilation), ".");
  }

  // The size of the result of a convolution with this kernel.
  Dims result(const Call& c, Sizes in, Sizes kernel) const {
    Dims out, padded;
    bool fits = true, exists = true;
    for (int d = 0; d < spatial; ++d) {
      std::size_t k = static_cast<std::size_t>(d);
      i64 reach = dilation[d] * (kernel[k] - 1) + 1;
      padded.push(in[k] + 2 * padding[d]);
      fits &= reach <= padded[d];
      out.push(transposed ? (in[k] - 1) * stride[d] - 2 * padding[d] + reach + output_padding[d]
                          : (padded[d] - reach) / stride[d] + 1);
      exists &= out[d] > 0;
    }
    if (transposed)
      c.check(exists, "Given input size per channel: ", by_times(in),
              ". Calculated output size per channel: ", by_times(out), ". Output size is too small.");
    else
      c.check(fits, "Calculated padded input size per channel: ", by_times(padded), ". Kernel size: ", by_times(kernel),
              ". Kernel size can't be greater than actual input size.");
    return out;
  }
};

// The kernel's arguments; `image` and `map` are [N, C, *], weight is [map's channels, image's channels / groups, *].
ConvArgs kernel_arguments(const Window& w, DType d, Sizes image, Sizes weight, Sizes map) {
  ConvArgs a;
  a.dtype = d;
  a.spatial = w.spatial;
  a.batch = image[0];
  a.groups = w.groups;
  a.in_channels = image[1];
  a.out_channels = map[1];
  for (int k = 0; k < w.spatial; ++k) {
    std::size_t s = static_cast<std::size_t>(k) + 2;
    a.in[k] = image[s], a.out[k] = map[s], a.kernel[k] = weight[s];
    a.stride[k] = w.stride[k], a.pad_low[k] = a.pad_high[k] = w.padding[k], a.dilation[k] = w.dilation[k];
  }
  return a;
}

bool is_long(const ConvArgs& a) {
  i64 work = a.batch * a.out_channels * (a.in_channels / a.groups);
  for (int d = 0; d < a.spatial; ++d) work *= a.out[d] * a.kernel[d];
  return work >= 1 << 18;
}

void check_dtypes(const Call& c, const TensorImpl& a, const TensorImpl& b, const char* what) {
  c.check(a.dtype == b.dtype, "Input type (", a.dtype, ") and ", what, " type (", b.dtype,
          ") should be the same. Received ", describe(a), " and ", describe(b), ". Convert one with .to(dtype).");
  c.check(a.dtype != DType::bool_, ErrorKind::not_implemented, "a convolution is not implemented for 'Bool'. Received ",
          describe(a), ". Convert with .to(dtype).");
}

int spatial_dims(const Call& c, const TensorImpl& weight) {
  c.check(weight.ndim >= 3 && weight.ndim <= 5, "weight must have one to three spatial dimensions. Received ",
          describe(weight), ".");
  return weight.ndim - 2;
}

// [C, *] as a batch of one.
Dims batched(Sizes size, int spatial) {
  Dims d(size);
  if (d.n == spatial + 1) d.insert(0, 1);
  return d;
}

void check_channels(const Call& c, const Window& w, const TensorImpl& input, const TensorImpl& weight, Sizes in) {
  i64 out = weight.size[0];
  c.check(out >= w.groups, "Given groups=", w.groups, ", expected weight to be at least ", w.groups,
          " at dimension 0, but got weight of size ", weight.sizes(), " instead.");
  c.check(out % w.groups == 0, "Given groups=", w.groups, ", expected weight to be divisible by ", w.groups,
          " at dimension 0, but got weight of size ", weight.sizes(), " instead.");
  i64 wanted = w.transposed ? out : weight.size[1] * w.groups;
  c.check(in[1] == wanted, "Given ", w.transposed ? str("transposed=1") : str("groups=", w.groups), ", weight of size ",
          weight.sizes(), ", expected input", input.sizes(), " to have ", wanted, " channels, but got ", in[1],
          " channels instead.");
  for (int d = 2; d < weight.ndim; ++d) {
    c.check(weight.size[d] > 0 && weight.size[d] < kLargestExtent, "the kernel must not be empty. Received weight ",
            describe(weight), ".");
    c.check(in[static_cast<std::size_t>(d)] > 0 && in[static_cast<std::size_t>(d)] < kLargestExtent,
            "Only zero batch or zero channel inputs are supported, but got input shape: ", input.sizes(), ".");
  }
}

void convolution_kernel(const Call& c) {
  TensorImpl &input = c.tensor(0), &weight = c.tensor(1);
  int spatial = spatial_dims(c, weight);
  c.check(input.ndim == spatial + 1 || input.ndim == spatial + 2, "Expected ", spatial + 1, "D (unbatched) or ",
          spatial + 2, "D (batched) input to conv", spatial, "d, but got input of size: ", input.sizes(), ".");
  check_dtypes(c, input, weight, "weight");
  Window w(c, 3, spatial);
  Dims in = batched(input.sizes(), spatial);
  check_channels(c, w, input, weight, in);
  i64 channels = w.transposed ? weight.size[1] * w.groups : weight.size[0];
  if (c.has(2)) {
    TensorImpl& bias = c.tensor(2);
    check_dtypes(c, input, bias, "bias");
    c.check(bias.ndim == 1 && bias.size[0] == channels, "Given ", w.transposed ? "transposed=1, " : "",
            "weight of size ", weight.sizes(), ", expected bias to be 1-dimensional with ", channels,
            " elements, but got bias of size ", bias.sizes(), " instead.");
  }
  Dims out = w.result(c, Sizes(in).subspan(2), weight.sizes().subspan(2));
  out.insert(0, channels);
  out.insert(0, in[0]);
  checked_numel("convolution", out);

  Tensor x = packed(input), k = packed(weight), bias = c.has(2) ? packed(c.tensor(2)) : Tensor();
  Dims shape = out;
  if (input.ndim == spatial + 1) shape.erase(0);
  TensorImpl& y = c.output(0, shape, input.dtype);
  if (w.transposed) {
    ConvArgs a = kernel_arguments(w, y.dtype, out, weight.sizes(), in);
    {
      WithoutInterpreter released(is_long(a));
      conv_backward_data(a, x->data(), k->data(), y.data());
    }
    if (!bias) return;
    Dims column{channels};
    for (int d = 0; d < spatial; ++d) column.push(1);
    GradMode off(false);
    c.out[0] = Tensor(&y) + call<"view">(bias, column);
  } else {
    ConvArgs a = kernel_arguments(w, y.dtype, in, weight.sizes(), out);
    WithoutInterpreter released(is_long(a));
    conv_forward(a, x->data(), k->data(), bias ? bias->data() : nullptr, y.data());
  }
}

// Sizes of the result of a derivative must lead to those of the gradient.
void check_gradient(const Call& c, const Window& w, Sizes input, Sizes weight, Sizes gradient) {
  Dims in = batched(input, w.spatial), wanted = w.result(c, Sizes(in).subspan(2), weight.subspan(2));
  wanted.insert(0, w.transposed ? weight[1] * w.groups : weight[0]);
  wanted.insert(0, in[0]);
  Dims got = batched(gradient, w.spatial);
  c.check(input.size() == gradient.size() && same_sizes(wanted, got),
          "the gradient must have the size of the convolution's result, ", Sizes(wanted), ". Received ", gradient, ".");
}

// Another row of the family with the attributes of the one that is differentiated: arguments 3 and on of each.
template <OpName row, class Third> Tensor derived(Backward& b, const Tensor& x, const Tensor& y, const Third& third) {
  return call<row>(x, y, third, b.arg(3), b.arg(4), b.arg(5), b.arg(6), b.arg(7), b.arg(8));
}
Tensor convolve(Backward& b, const Tensor& input, const Tensor& weight) {
  return derived<"convolution">(b, input, weight, Arg());
}
constexpr auto by_input = derived<"convolution_backward_input", Sizes>;    // gradient, weight, input's sizes
constexpr auto by_weight = derived<"convolution_backward_weight", Sizes>;  // gradient, input, weight's sizes

}  // namespace

OP(convolution, numeric_types,
   "convolution(input: Tensor, weight: Tensor, bias: Tensor | None, stride: ints, padding: ints, dilation: ints, "
   "transposed: bool, output_padding: ints, groups: int) -> Tensor") {
  .doc = "The cross-correlation of input [N, C, *] or [C, *] with weight [O, C / groups, *kernel] plus bias [O], in "
         "one to three dimensions; transposed: the gradient of one, with weight [C, O / groups, *kernel].\n\nRaises "
         "RuntimeError when sizes or dtypes do not fit, NotImplementedError for bools.",
  .forms = function,
  .cpu = convolution_kernel,
  .vjp =
      [](Backward& b) {
        Tensor gy = b.gradient();
        if (b.needs(0)) b.set(0, by_input(b, gy, conj(b.tensor(1)), b.sizes(0)));
        if (b.needs(1)) b.set(1, by_weight(b, gy, conj(b.tensor(0)), b.sizes(1)));
        if (b.given(2) && b.needs(2)) {
          int channels = gy->ndim == static_cast<int>(b.sizes(1).size()) ? 1 : 0;
          Dims others;
          for (int d = 0; d < gy->ndim; ++d)
            if (d != channels) others.push(d);
          b.set(2, call<"sum">(gy, others));
        }
      },
  .saves = "weight for input, input for weight",
  .samples =
      "randn(2, 3, 7), randn(4, 3, 3), randn(4), (1,), (0,), (1,), False, (0,), 1\nrandn(2, 4, 5, 6), randn(6, 2, 3, "
      "2), None, (2, 1), (1, 0), (1, 2), False, (0, 0), 2\nrandn(2, 4, 5, 6), randn(4, 3, 3, 2), randn(6), (2, 3), (1, "
      "0), (1, 2), True, (1, 2), 2\nrandn(2, 4, 4, 4), randn(3, 2, 2, 2, 2), None, (1,), (1,), (1,), False, (0,), 1",
  .errors = "randn(1, 4, 8, 8), randn(8, 3, 3, 3), None, (1,), (0,), (1,), False, (0,), 1 => RuntimeError: "
            "[convolution] Given groups=1, weight of size [8, 3, 3, 3], expected input[1, 4, 8, 8] to have 3 channels, "
            "but got 4 channels instead",
};

OP(convolution_backward_input, numeric_types,
   "convolution_backward_input(gradient: Tensor, weight: Tensor, input_size: ints, stride: ints, padding: ints, "
   "dilation: ints, transposed: bool, output_padding: ints, groups: int) -> Tensor") {
  .doc = "The derivative of a convolution by its input [*input_size], times the gradient of its result.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl &gradient = c.tensor(0), &weight = c.tensor(1);
        int spatial = spatial_dims(c, weight);
        check_dtypes(c, gradient, weight, "weight");
        Window w(c, 3, spatial);
        Sizes size = c.ints(2);
        c.check(static_cast<int>(size.size()) == spatial + 1 || static_cast<int>(size.size()) == spatial + 2,
                "input_size must have ", spatial + 1, " or ", spatial + 2, " entries. Received ", size, ".");
        TensorImpl& out = c.output(0, size, gradient.dtype);
        Dims in = batched(size, spatial), map = batched(gradient.sizes(), spatial);
        check_channels(c, w, out, weight, in);
        check_gradient(c, w, size, weight.sizes(), gradient.sizes());
        Tensor gy = packed(gradient), k = packed(weight);
        ConvArgs a = w.transposed ? kernel_arguments(w, out.dtype, map, weight.sizes(), in)
                                  : kernel_arguments(w, out.dtype, in, weight.sizes(), map);
        WithoutInterpreter released(is_long(a));
        if (w.transposed) conv_forward(a, gy->data(), k->data(), nullptr, out.data());
        else conv_backward_data(a, gy->data(), k->data(), out.data());
      },
  .vjp =
      [](Backward& b) {
        Tensor g = b.gradient();
        if (b.needs(0)) b.set(0, convolve(b, g, conj(b.tensor(1))));
        if (b.needs(1)) b.set(1, by_weight(b, conj(b.tensor(0)), g, b.sizes(1)));
      },
  .saves = "weight for gradient, gradient for weight",
  .samples = "randn(2, 4, 5), randn(4, 3, 3), (2, 3, 7), (1,), (0,), (1,), False, (0,), 1\nrandn(2, 6, 8, 20), "
             "randn(4, 3, 3, 2), (2, 4, 4, 6), (2, 3), (1, 0), (1, 2), True, (1, 2), 2",
};

OP(convolution_backward_weight, numeric_types,
   "convolution_backward_weight(gradient: Tensor, input: Tensor, weight_size: ints, stride: ints, padding: ints, "
   "dilation: ints, transposed: bool, output_padding: ints, groups: int) -> Tensor") {
  .doc = "The derivative of a convolution by its weight [*weight_size], times the gradient of its result.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl &gradient = c.tensor(0), &input = c.tensor(1);
        check_dtypes(c, gradient, input, "input");
        Sizes size = c.ints(2);
        TensorImpl& out = c.output(0, size, gradient.dtype);
        int spatial = spatial_dims(c, out);
        c.check(input.ndim == spatial + 1 || input.ndim == spatial + 2, "input must have ", spatial + 1, " or ",
                spatial + 2, " dimensions. Received ", describe(input), ".");
        Window w(c, 3, spatial);
        Dims in = batched(input.sizes(), spatial), map = batched(gradient.sizes(), spatial);
        check_channels(c, w, input, out, in);
        check_gradient(c, w, input.sizes(), size, gradient.sizes());
        Tensor gy = packed(gradient), x = packed(input);
        ConvArgs a = w.transposed ? kernel_arguments(w, out.dtype, map, size, in)
                                  : kernel_arguments(w, out.dtype, in, size, map);
        WithoutInterpreter released(is_long(a));
        if (w.transposed) conv_backward_weights(a, gy->data(), x->data(), out.data(), nullptr);
        else conv_backward_weights(a, x->data(), gy->data(), out.data(), nullptr);
      },
  .vjp =
      [](Backward& b) {
        Tensor g = b.gradient();
        if (b.needs(0)) b.set(0, convolve(b, conj(b.tensor(1)), g));
        if (b.needs(1)) b.set(1, by_input(b, conj(b.tensor(0)), g, b.sizes(1)));
      },
  .saves = "input for gradient, gradient for input",
  .samples = "randn(2, 4, 5), randn(2, 3, 7), (4, 3, 3), (1,), (0,), (1,), False, (0,), 1\nrandn(2, 6, 8, 20), "
             "randn(2, 4, 4, 6), (4, 3, 3, 2), (2, 3), (1, 0), (1, 2), True, (1, 2), 2",
};
