// New tensors of random numbers, in PyTorch's streams: one seed, one sequence.
#include "ops/random/draw.h"
using namespace rl;

namespace {

void draw_uniform(const Call& c, int generator, TensorImpl& out) {
  draw_into(c, generator, out, [&](void* to, Generator& g) { fill_uniform(out.dtype, to, out.numel, 0, 1, g); });
}
void draw_normal(const Call& c, int generator, TensorImpl& out, double mean = 0, double std = 1) {
  auto fill = out.is_contiguous() ? fill_normal : fill_normal_serial;
  draw_into(c, generator, out, [&](void* to, Generator& g) { fill(out.dtype, to, out.numel, mean, std, g); });
}
void draw_integers(const Call& c, int generator, TensorImpl& out, i64 low, i64 high) {
  draw_into(c, generator, out,
            [&](void* to, Generator& g) { fill_random_from_to(out.dtype, to, out.numel, low, high, g); });
}

// Of the same shape; a dense layout is kept.
TensorImpl& like(const Call& c, int dtype) {
  TensorImpl& t = c.tensor(0);
  DType d = c.dtype(dtype, t.dtype);
  c.out[0] = is_dense(t) ? Tensor::steal(empty_strided_impl(t.sizes(), t.strides(), d)) : empty(t.sizes(), d);
  return *c.out[0];
}

}  // namespace

#define SIZED(name, what, draw)                                                                         \
  OP(name, inexact_types,                                                                               \
     #name "(*size: ints, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor") { \
    .doc = "A tensor [*size] of numbers " what ".\n\nRaises NotImplementedError for integer dtypes.",   \
    .forms = function | out_,                                                                           \
    .cpu = [](const Call& c) { draw(c, 1, c.output(0, c.ints(0), c.dtype(2, default_dtype()))); },      \
    .samples = "(2, 3)", .errors = "(-1,) => RuntimeError: [" #name "] sizes must not be negative",     \
  }

SIZED(rand, "that are uniform in [0, 1)", draw_uniform);
SIZED(randn, "from the standard normal distribution", draw_normal);

OP(randint, real_types,
   "randint(low: int = 0, high: ints | None = None, size: ints | None = None, *, generator: Generator | None = None, "
   "dtype: dtype | None = None) -> Tensor") {
  .doc = "A tensor of integers: randint(low, high, size) with low <= x < high, or randint(high, size) with 0 <= x < "
         "high. int64 unless dtype says otherwise.\n\nRaises RuntimeError when the range is empty.",
  .forms = function | out_,
  .cpu =
      [](const Call& c) {
        // randint(high, size) has its size where `high` is; randint(5, size=s) has no high.
        bool bounded = c.has(1) && c.has(2);
        c.check(c.has(1) || c.has(2), ErrorKind::type, "missing required argument 'size'. Pass randint(high, size).");
        c.check(!bounded || c.ints(1).size() == 1, ErrorKind::type, "high must be an int. Received ", c.ints(1), ".");
        TensorImpl& out = c.output(0, c.ints(c.has(2) ? 2 : 1), c.dtype(4, DType::i64));
        draw_integers(c, 3, out, bounded ? c.integer(0) : 0, bounded ? c.ints(1)[0] : c.integer(0));
      },
  .samples = "10, (2, 3)\n-3, 4, (5,)",
  .errors = "5, 2, (3,) => RuntimeError: [random_] from must be below to\n5 => TypeError: [randint] missing required "
            "argument 'size'",
};

OP(randperm, number_types,
   "randperm(n: int, *, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor") {
  .doc = "The integers 0 .. n - 1 in random order; int64 unless dtype says otherwise.\n\nRaises RuntimeError when n is "
         "negative or the dtype does not count so far.",
  .forms = function | out_,
  .cpu =
      [](const Call& c) {
        i64 n = c.integer(0);
        DType d = c.dtype(2, DType::i64);
        c.check(n >= 0, "n must be non-negative: Trying to create tensor with negative dimension ", n, ".");
        constexpr i64 limit[] = {
          0, 256, 128, 32768, i64{1} << 31, std::numeric_limits<i64>::max(), 2048, 256, i64{1} << 24, i64{1} << 53,
          0, 0};
        c.check(d != DType::bool_, ErrorKind::not_implemented, "randperm is not implemented for 'Bool'.");
        c.check(is_complex(d) || n <= limit[static_cast<int>(d)],
                "n is too large for result tensor type: value cannot be converted to ", d,
                " without overflow. Received ", n, ".");
        TensorImpl& out = c.output(0, Dims{n}, d);
        with_generator(c, 1, n, [&](Generator& g) { fill_randperm(d, out.data(), n, g); });
      },
  .samples = "5\n0",
  .errors = "-1 => RuntimeError: [randperm] n must be non-negative",
};

#define LIKE(name, what, draw)                                                                               \
  OP(name, inexact_types,                                                                                    \
     #name "(input: Tensor, *, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor") { \
    .doc = "Numbers " what ", of input's shape (and dtype).", .forms = function,                             \
    .cpu = [](const Call& c) { draw(c, 1, like(c, 2)); }, .samples = "randn(2, 3)",                          \
  }

LIKE(rand_like, "uniform in [0, 1)", draw_uniform);
LIKE(randn_like, "from the standard normal distribution", draw_normal);

OP(randint_like, real_types,
   "randint_like(input: Tensor, low: int = 0, high: int | None = None, *, generator: Generator | None = None, dtype: "
   "dtype | None = None) -> Tensor") {
  .doc = "Integers of input's shape (and dtype): randint_like(input, low, high) with low <= x < high, or "
         "randint_like(input, high) with 0 <= x < high.\n\nRaises RuntimeError when the range is empty.",
  .forms = function,
  .cpu =
      [](const Call& c) { draw_integers(c, 3, like(c, 4), c.has(2) ? c.integer(1) : 0, c.integer(c.has(2) ? 2 : 1)); },
  .samples = "randn(2, 3), 5\nrandn(2, 3), -2, 5",
  .errors = "randn(3), 0 => RuntimeError: [random_] from must be below to",
};

OP(normal, inexact_types,
   "normal(mean: Tensor | Number, std: Tensor | Number = 1.0, size: ints | None = None, *, generator: Generator | None "
   "= None, dtype: dtype | None = None) -> Tensor") {
  .doc = "Normally distributed numbers: one for each element of mean and std, which broadcast, or [*size] when both "
         "are numbers.\n\nRaises RuntimeError when a std is negative.",
  .forms = function | out_ | numbers_alone,
  .cpu =
      [](const Call& c) {
        bool means = c.arg[0].is_tensor(), stds = c.arg[1].is_tensor();
        if (!means && !stds) {
          c.check(c.has(2), ErrorKind::type, "missing required argument 'size': mean and std are numbers.");
          return draw_normal(c, 3, c.output(0, c.ints(2), c.dtype(4, default_dtype())), c.real(0), c.real(1));
        }
        c.check(!c.has(2) && !c.has(4), ErrorKind::type,
                "size and dtype follow from mean and std when one is a tensor. Leave them out.");
        GradMode off(false);
        Dims size = !means  ? Dims(c.tensor(1).sizes())
                    : !stds ? Dims(c.tensor(0).sizes())
                            : broadcast("normal", c.tensor(0).sizes(), c.tensor(1).sizes());
        DType d = c.tensor(means ? 0 : 1).dtype;
        if (stds) {
          TensorImpl& std = c.tensor(1);
          c.check(!is_complex(std.dtype), "normal expects standard deviation to be non-complex. Received ",
                  describe(std), ".");
          Tensor least = std.numel ? call<"amin">(to_dtype(Tensor(&std), DType::f64)) : scalar_tensor(0, DType::f64);
          c.check(*least->data_as<double>() >= 0, "normal expects all elements of std >= 0.0. Received ",
                  *least->data_as<double>(), ".");
        }
        draw_normal(c, 3, c.output(0, size, d), 0, stds ? 1 : c.real(1));
        Tensor drawn = c.out[0];
        if (stds) drawn = call<"mul">(drawn, c.arg[1]);
        if (means || c.real(0) != 0) drawn = call<"add">(drawn, c.arg[0]);
        c.out[0] = to_dtype(drawn, d);
      },
  .vjp = no_gradients,
  .samples = "0.0, 1.0, (2, 3)\nrandn(3, 1), positive(4)\nrandn(3), 2.0\n1.0, positive(4)",
  .errors = "randn(3), -1.0 => RuntimeError: [normal_] std must be\nrandn(3), ones(2) => RuntimeError: [normal] shapes "
            "must broadcast\n0.0, 1.0 => TypeError: [normal] missing required argument 'size'",
};
