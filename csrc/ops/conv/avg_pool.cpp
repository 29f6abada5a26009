// The mean of each window.
#include "ops/conv/pool.h"
using namespace rl;

namespace {

// kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: arguments `at` and on of both rows.
PoolArgs arguments(const Call& c, Sizes input, DType d, int at) {
  PoolName op{"avg_pool", pool_dims("avg_pool", c.ints(at).size())};
  PoolArgs a = pool_input(op, input, d);
  slide(a, op, c.ints(at), c.ints(at + 1), c.ints(at + 2), Dims{1}, c.flag(at + 3));
  a.count_include_pad = c.flag(at + 4);
  check(!c.has(at + 5) || c.integer(at + 5) != 0, ErrorKind::runtime, "[", op, "] divisor must be not zero.");
  a.divisor_override = c.has(at + 5) ? c.integer(at + 5) : 0;
  return a;
}

PoolArgs adaptive_arguments(Sizes input, DType d, Sizes output) {
  PoolName op{"adaptive_avg_pool", pool_dims("adaptive_avg_pool", output.size())};
  PoolArgs a = pool_input(op, input, d);
  check_each(str(op), "elements of output_size must be greater than or equal to 0", Dims(output), 0);
  std::copy(output.begin(), output.end(), a.out);
  return a;
}

// One dimension has no divisor_override.
void by_name(const Call& c) {
  int n = dims_by_name(c);
  Dims kernel = per_dimension(c, "kernel_size", 1, n);
  c.out[0] = call<"avg_pool">(c.arg[0], kernel, c.arg[2], c.arg[3], c.arg[4], c.arg[5], n == 1 ? Arg() : c.arg[6]);
}

void adaptive_by_name(const Call& c) {
  c.out[0] = call<"adaptive_avg_pool">(c.arg[0], per_dimension(c, "output_size", 1, dims_by_name(c)));
}

}  // namespace

OP(avg_pool, number_types,
   "avg_pool(input: Tensor, kernel_size: ints, stride: ints | None, padding: ints, ceil_mode: bool, count_include_pad: "
   "bool, divisor_override: int | None) -> Tensor") {
  .doc = "The mean of each window of input [N, C, *] or [C, *]. One entry of kernel_size per spatial dimension; stride "
         "defaults to it. Padding counts in the divisor with count_include_pad; divisor_override replaces "
         "it.\n\nRaises RuntimeError when the window does not fit.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        PoolArgs a = arguments(c, t.sizes(), t.dtype, 1);
        Dims size = pool_output(t.sizes(), a);
        TensorImpl& out = c.output(0, size, t.dtype);
        Tensor x = packed(t);
        WithoutInterpreter released(is_long(a));
        avg_pool(a, x->data(), out.data());
      },
  .vjp =
      [](Backward& b) {
        b.set(0, call<"avg_pool_backward">(b.gradient(), b.sizes(0), b.arg(1), b.arg(2), b.arg(3), b.arg(4), b.arg(5),
                                           b.arg(6)));
      },
  .samples = "randn(2, 3, 7), (3,), None, (0,), False, True, None\nrandn(2, 3, 6, 7), (3, 2), (2,), (1, 0), True, "
             "False, None\nrandn(2, 4, 5, 4), (2, 2, 2), (1,), (1,), False, True, 3",
  .errors = "randn(1, 3, 2, 2), (3, 3), None, (0,), False, True, None => RuntimeError: [avg_pool2d] Given input "
            "size\nrandn(1, 3, 2, 2), (2, 2), None, (0,), False, True, 0 => RuntimeError: [avg_pool2d] divisor must be "
            "not zero",
};

OP(avg_pool_backward, floats,
   "avg_pool_backward(gradient: Tensor, input_size: ints, kernel_size: ints, stride: ints | None, padding: ints, "
   "ceil_mode: bool, count_include_pad: bool, divisor_override: int | None) -> Tensor") {
  .doc = "The gradient of avg_pool by its input [*input_size].",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl& gradient = c.tensor(0);
        PoolArgs a = arguments(c, c.ints(1), gradient.dtype, 2);
        check_pooled({"avg_pool", a.spatial}, gradient, pool_output(c.ints(1), a));
        TensorImpl& out = c.output(0, c.ints(1), gradient.dtype);
        Tensor gy = packed(gradient);
        WithoutInterpreter released(is_long(a));
        avg_pool_backward(a, gy->data(), out.data());
      },
  .vjp =
      [](Backward& b) {
        b.set(0, call<"avg_pool">(b.gradient(), b.arg(2), b.arg(3), b.arg(4), b.arg(5), b.arg(6), b.arg(7)));
      },
  .samples = "randn(2, 3, 2), (2, 3, 7), (3,), None, (0,), False, True, None",
};

OP(adaptive_avg_pool, floats, "adaptive_avg_pool(input: Tensor, output_size: ints) -> Tensor") {
  .doc = "The mean of each of *output_size windows that cover input [N, C, *] or [C, *] evenly.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        PoolArgs a = adaptive_arguments(t.sizes(), t.dtype, c.ints(1));
        Dims size = pool_output(t.sizes(), a);
        TensorImpl& out = c.output(0, size, t.dtype);
        if (out.numel == 0) return;
        Tensor x = packed(t);
        WithoutInterpreter released(t.numel >= 1 << 16);
        adaptive_avg_pool(a, x->data(), out.data());
      },
  .vjp =
      [](Backward& b) {
        b.set(0, call<"adaptive_avg_pool_backward">(b.gradient(), b.sizes(0), static_cast<i64>(b.ints(1).size())));
      },
  .samples = "randn(2, 3, 7), (3,)\nrandn(2, 3, 6, 7), (4, 3)\nrandn(2, 4, 5, 4), (2, 3, 2)",
  .errors = "randn(3, 3), (2, 2) => RuntimeError: [adaptive_avg_pool2d] Expected 3D or 4D",
};

OP(adaptive_avg_pool_backward, floats,
   "adaptive_avg_pool_backward(gradient: Tensor, input_size: ints, spatial: int) -> Tensor") {
  .doc = "The gradient of adaptive_avg_pool by its input [*input_size], over the last `spatial` dimensions.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl& gradient = c.tensor(0);
        i64 n = c.integer(2);
        c.check(n >= 1 && n <= 3 && gradient.ndim > n, "spatial must be 1 to 3 of the gradient's dimensions. Received ",
                n, " for ", describe(gradient), ".");
        PoolArgs a = adaptive_arguments(c.ints(1), gradient.dtype, gradient.sizes().last(static_cast<std::size_t>(n)));
        check_pooled({"adaptive_avg_pool", a.spatial}, gradient, pool_output(c.ints(1), a));
        TensorImpl& out = c.output(0, c.ints(1), gradient.dtype);
        Tensor gy = packed(gradient);
        WithoutInterpreter released(out.numel >= 1 << 16);
        adaptive_avg_pool_backward(a, gy->data(), out.data());
      },
  .vjp =
      [](Backward& b) {
        b.set(0, call<"adaptive_avg_pool">(b.gradient(), b.sizes(0).last(static_cast<std::size_t>(b.integer(2)))));
      },
  .samples = "randn(2, 3, 4), (2, 3, 7), 1\nrandn(2, 4, 3), (2, 6, 7), 2",
};

OP(avg_pool1d, number_types,
   "avg_pool1d(input: Tensor, kernel_size: ints, stride: ints | None = None, padding: ints = 0, ceil_mode: bool = "
   "False, count_include_pad: bool = True) -> Tensor") {
  .doc = "The means of a window that slides along L of input [N, C, L] or [C, L].\n\nRaises RuntimeError when the "
         "window does not fit.",
  .forms = function,
  .compose = by_name,
  .samples = "randn(2, 3, 7), 3\nrandn(3, 7), 3, 2, 1, True, False",
};
#define AVG_POOL(n, where_, places, samples_)                                                                       \
  OP(avg_pool##n##d, number_types,                                                                                  \
     "avg_pool" #n "d(input: Tensor, kernel_size: ints, stride: ints | None = None, padding: ints = 0, ceil_mode: " \
     "bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor") {              \
    .doc = "The means of a window that slides " where_ " of input [N, C, " places "] or [C, " places                \
           "].\n\nRaises RuntimeError when the window does not fit.",                                               \
    .home = "nn.functional", .forms = function | out_, .compose = by_name, .samples = samples_,                     \
  }

AVG_POOL(
    2, "over the image", "H, W",
    "randn(2, 3, 6, 7), 3\nrandn(2, 6, 7), (2, 3), (1, 2), (1, 0), True, False\nrandn(2, 6, 7), 2, divisor_override=3");
AVG_POOL(3, "through the volume", "D, H, W", "randn(1, 2, 4, 5, 4), 2");

#define ADAPTIVE_AVG_POOL(n, home_, windows, places, samples_)                                                  \
  OP(adaptive_avg_pool##n##d, floats, "adaptive_avg_pool" #n "d(input: Tensor, output_size: ints) -> Tensor") { \
    .doc = "The means of " windows " of input [N, C, " places "] or [C, " places "] evenly.", .home = home_,    \
    .forms = function, .compose = adaptive_by_name, .samples = samples_,                                        \
  }

ADAPTIVE_AVG_POOL(1, "", "output_size windows that cover L", "L", "randn(2, 3, 7), 3");
ADAPTIVE_AVG_POOL(2, "nn.functional", "windows that cover the image", "H, W", "randn(2, 3, 6, 7), (4, 3)");
ADAPTIVE_AVG_POOL(3, "nn.functional", "windows that cover the volume", "D, H, W", "randn(1, 2, 4, 5, 4), 2");
