// The maximum of each window and where it stands.
#include "ops/conv/pool.h"
using namespace rl;

namespace {

void max_backward(Backward& b, int spatial) {
  if (b.has_gradient(0)) b.set(0, call<"max_pool_backward">(b.gradient(), b.result(1), b.sizes(0), spatial));
}

// The name's own number of dimensions.
template <bool WithIndices> void by_name(const Call& c) {
  int n = dims_by_name(c);
  Dims kernel = per_dimension(c, "kernel_size", 1, n);
  auto r = call_all<"max_pool">(c.arg[0], kernel, c.arg[2], c.arg[3], c.arg[4], c.arg[5]);
  c.out[0] = std::move(r[0]);
  if (WithIndices) c.out[1] = std::move(r[1]);
}

void adaptive_by_name(const Call& c) {
  auto r = call_all<"adaptive_max_pool">(c.arg[0], per_dimension(c, "output_size", 1, dims_by_name(c)));
  c.out[0] = std::move(r[0]);
  c.out[1] = std::move(r[1]);
}

}  // namespace

OP(max_pool, real_types,
   "max_pool(input: Tensor, kernel_size: ints, stride: ints | None = None, padding: ints = 0, dilation: ints = 1, "
   "ceil_mode: bool = False) -> (output: Tensor, indices: Tensor)") {
  .doc = "The maximum of each window of input [N, C, *] or [C, *], and its position in the flattened plane (int64). "
         "One entry of kernel_size per spatial dimension; stride defaults to it.\n\nRaises RuntimeError when the "
         "window does not fit.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        PoolName op{"max_pool", pool_dims("max_pool", c.ints(1).size())};
        PoolArgs a = pool_input(op, t.sizes(), t.dtype);
        slide(a, op, c.ints(1), c.ints(2), c.ints(3), c.ints(4), c.flag(5));
        Dims size = pool_output(t.sizes(), a);
        TensorImpl &out = c.output(0, size, t.dtype), &indices = c.output(1, size, DType::i64);
        Tensor x = packed(t);
        WithoutInterpreter released(is_long(a));
        max_pool(a, x->data(), out.data(), indices.data_as<i64>());
      },
  .vjp = [](Backward& b) { max_backward(b, static_cast<int>(b.ints(1).size())); },
  .saves = "indices",
  .samples = "distinct(2, 3, 7), (3,)\ndistinct(2, 3, 6, 7), (3, 2), (2,), (1, 0), (1, 2), True\ndistinct(2, 4, 5, 4), "
             "(2, 2, 2)",
  .errors = "randn(1, 3, 2, 2), (3, 3) => RuntimeError: [max_pool2d] Given input size\nrandn(1, 3, 2, 2), (2, 2), "
            "None, 2 => RuntimeError: [max_pool2d] pad should be at most half of effective kernel size",
};

OP(adaptive_max_pool, real_types,
   "adaptive_max_pool(input: Tensor, output_size: ints) -> (output: Tensor, indices: Tensor)") {
  .doc = "The maximum of each of *output_size windows that cover input [N, C, *] or [C, *] evenly, and its position in "
         "the flattened plane (int64).",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        PoolName op{"adaptive_max_pool", pool_dims("adaptive_max_pool", c.ints(1).size())};
        PoolArgs a = pool_input(op, t.sizes(), t.dtype);
        check_each(str(op), "elements of output_size must be greater than or equal to 0", Dims(c.ints(1)), 0);
        for (std::size_t d = 0; d < c.ints(1).size(); ++d) a.out[d] = c.ints(1)[d];
        Dims size = pool_output(t.sizes(), a);
        TensorImpl &out = c.output(0, size, t.dtype), &indices = c.output(1, size, DType::i64);
        if (out.numel == 0) return;
        Tensor x = packed(t);
        WithoutInterpreter released(t.numel >= 1 << 16);
        adaptive_max_pool(a, x->data(), out.data(), indices.data_as<i64>());
      },
  .vjp = [](Backward& b) { max_backward(b, static_cast<int>(b.ints(1).size())); },
  .saves = "indices",
  .samples = "distinct(2, 3, 7), (3,)\ndistinct(2, 3, 6, 7), (4, 3)\ndistinct(2, 4, 5, 4), (2, 3, 2)",
  .errors = "randn(3, 3), (2, 2) => RuntimeError: [adaptive_max_pool2d] Expected 3D or 4D",
};

OP(max_pool_backward, floats,
   "max_pool_backward(gradient: Tensor, indices: Tensor, input_size: ints, spatial: int) -> Tensor") {
  .doc = "The gradient of maximum pooling by its input [*input_size]: each element of gradient is added at its index "
         "in the plane, the last `spatial` dimensions.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl &gradient = c.tensor(0), &indices = c.tensor(1);
        Sizes size = c.ints(2);
        PoolName op{"max_pool_backward",
                    pool_dims("max_pool_backward", static_cast<std::size_t>(std::max<i64>(c.integer(3), 0)))};
        PoolArgs a = pool_input(op, size, gradient.dtype);
        check(gradient.ndim == static_cast<int>(size.size()) && indices.dtype == DType::i64 &&
                  same_shape(gradient, indices),
              ErrorKind::runtime, "[", op, "] indices must be int64 and of the gradient's shape. Received ",
              describe(indices), " and ", describe(gradient), ".");
        std::size_t lead = size.size() - static_cast<std::size_t>(a.spatial);
        i64 plane = 1;
        for (std::size_t k = 0; k < size.size(); ++k) {
          if (k < lead)
            check(gradient.size[k] == size[k], ErrorKind::runtime, "[", op,
                  "] the gradient must have as many planes as the input. Received ", describe(gradient), " for input ",
                  size, ".");
          else a.out[k - lead] = gradient.size[k], plane *= size[k];
        }
        TensorImpl& out = c.output(0, size, gradient.dtype);
        Tensor gy = packed(gradient), at = packed(indices);
        const i64* p = at->data_as<i64>();
        bool inside = true;
        for (i64 i = 0; i < at->numel; ++i) inside &= p[i] >= 0 && p[i] < plane;
        check(inside, ErrorKind::runtime, "[", op, "] indices must be in [0, ", plane, ").");
        WithoutInterpreter released(out.numel >= 1 << 16);
        max_pool_backward(a, gy->data(), p, out.data());
      },
  .vjp =
      [](Backward& b) {
        Tensor indices = b.tensor(1);
        auto flat = [&](const Tensor& t) {
          i64 elements = 1;
          Dims size(t->sizes());
          for (i64 k = 0; k < b.integer(3); ++k) elements *= size.back(), size.erase(size.n - 1);
          size.push(elements);
          return call<"reshape">(t, size);
        };
        b.set(0, call<"reshape">(call<"gather">(flat(b.gradient()), -1, flat(indices)), indices->sizes()));
      },
  .saves = "indices",
  .samples =
      "randn(2, 3, 2), randint(0, 7, (2, 3, 2)), (2, 3, 7), 1\nrandn(2, 2, 3), randint(0, 20, (2, 2, 3)), (2, 4, 5), 2",
  .errors = "randn(2, 3, 2), randint(7, 8, (2, 3, 2)), (2, 3, 7), 1 => RuntimeError: [max_pool_backward1d] indices "
            "must be in",
};

#define WINDOW                                                                                                        \
  "(input: Tensor, kernel_size: ints, stride: ints | None = None, padding: ints = 0, dilation: ints = 1, ceil_mode: " \
  "bool = False) -> "
#define MAX_POOL_WITH_INDICES(n, home_, where_, places, flattened, samples_, errors_)                    \
  OP(max_pool##n##d_with_indices, real_types,                                                            \
     "max_pool" #n "d_with_indices" WINDOW "(output: Tensor, indices: Tensor)") {                        \
    .doc = "The maxima under a window that slides " where_ " of input [N, C, " places "] or [C, " places \
           "], and their positions " flattened ".",                                                      \
    .home = home_, .forms = function, .compose = by_name<true>, .samples = samples_, .errors = errors_,  \
  }

MAX_POOL_WITH_INDICES(1, "", "along L", "L", "along L", "distinct(2, 3, 7), 3\ndistinct(3, 7), 2, 1, 1",
                      "randn(3), 2 => RuntimeError: [max_pool1d] Expected 2D or 3D (batch mode) tensor");
MAX_POOL_WITH_INDICES(2, "nn.functional", "over the image", "H, W", "in the flattened image",
                      "distinct(2, 3, 6, 7), 3\ndistinct(2, 6, 7), (2, 3), 1, 1, 1, True",
                      "randn(1, 3, 2, 2), (2, 2, 2) => RuntimeError: [max_pool2d_with_indices] expected kernel_size");
MAX_POOL_WITH_INDICES(3, "nn.functional", "through the volume", "D, H, W", "in the flattened volume",
                      "distinct(1, 2, 4, 5, 4), 2", "");

#define MAX_POOL(n, where_, places, samples_)                                                                  \
  OP(max_pool##n##d, real_types, "max_pool" #n "d" WINDOW "Tensor") {                                          \
    .doc = "The maxima under a window that slides " where_ " of input [N, C, " places "] or [C, " places "].", \
    .forms = function, .compose = by_name<false>, .samples = samples_,                                         \
  }

MAX_POOL(1, "along L", "L", "distinct(2, 3, 7), 3");
MAX_POOL(2, "over the image", "H, W", "distinct(2, 3, 6, 7), 3");
MAX_POOL(3, "through the volume", "D, H, W", "distinct(1, 2, 4, 5, 4), 2");

#define ADAPTIVE_MAX_POOL(n, home_, windows, places, flattened, samples_)                                 \
  OP(adaptive_max_pool##n##d, real_types,                                                                 \
     "adaptive_max_pool" #n "d(input: Tensor, output_size: ints) -> (output: Tensor, indices: Tensor)") { \
    .doc = "The maxima of " windows " of input [N, C, " places "] or [C, " places                         \
           "] evenly, and their positions " flattened ".",                                                \
    .home = home_, .forms = function, .compose = adaptive_by_name, .samples = samples_,                   \
  }

ADAPTIVE_MAX_POOL(1, "", "output_size windows that cover L", "L", "along L", "distinct(2, 3, 7), 3");
ADAPTIVE_MAX_POOL(2, "nn.functional", "windows that cover the image", "H, W", "in the flattened image",
                  "distinct(2, 3, 6, 7), (4, 3)");
ADAPTIVE_MAX_POOL(3, "nn.functional", "windows that cover the volume", "D, H, W", "in the flattened volume",
                  "distinct(1, 2, 4, 5, 4), 2");
