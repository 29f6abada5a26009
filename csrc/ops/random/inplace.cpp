// Random numbers into a tensor that exists. Each draws from PyTorch's stream: one seed, one sequence.
#include "ops/random/draw.h"
using namespace rl;

namespace {

// The kernels of random.h share their parameters: dtype, memory, elements, up to two numbers, generator.
template <void (*fill)(DType, void*, i64, double, double, Generator&)> void fill_with_two(const Call& c) {
  TensorImpl& out = *c.out[0];
  draw_into(c, 3, out, [&](void* to, Generator& g) { fill(out.dtype, to, out.numel, c.real(1), c.real(2), g); });
}
template <void (*fill)(DType, void*, i64, double, Generator&)> void fill_with_one(const Call& c) {
  TensorImpl& out = *c.out[0];
  draw_into(c, 2, out, [&](void* to, Generator& g) { fill(out.dtype, to, out.numel, c.real(1), g); });
}

}  // namespace

#define FILL(name, dtypes, numbers, fill, what, samples_, errors_)                                            \
  OP(name, dtypes, #name "(input: Tensor, " numbers ", *, generator: Generator | None = None) -> Tensor") {   \
    .doc = "Fills input with " what, .forms = inplace, .cpu = fill, .writes_over = true, .vjp = no_gradients, \
    .samples = samples_, .errors = "randn(3), " errors_,                                                      \
  }

FILL(uniform_, inexact_types, "from: float = 0.0, to: float = 1.0", fill_with_two<fill_uniform>,
     "numbers that are uniform in [from, to).\n\nRaises RuntimeError when from > to, NotImplementedError for integers.",
     "randn(3, 4)\nrandn(3, 4), -1.0, 2.0", "2.0, 1.0 => RuntimeError: [uniform_] from must be <= to");
FILL(log_normal_, floats, "mean: float = 1.0, std: float = 2.0", fill_with_two<fill_log_normal>,
     "numbers whose logarithms are normal with this mean and std.\n\nRaises RuntimeError when std <= 0, "
     "NotImplementedError for integers.",
     "randn(3, 4)", "0.0, 0.0 => RuntimeError: [log_normal_] std must be > 0.0");
FILL(cauchy_, floats, "median: float = 0.0, sigma: float = 1.0", fill_with_two<fill_cauchy>,
     "numbers from the Cauchy distribution.\n\nRaises RuntimeError when sigma <= 0, NotImplementedError for integers.",
     "randn(3, 4)", "0.0, 0.0 => RuntimeError: [cauchy_] sigma must be > 0.0");
FILL(exponential_, floats, "lambd: float = 1.0", fill_with_one<fill_exponential>,
     "numbers from the exponential distribution of rate lambd.\n\nRaises RuntimeError when lambd <= 0, "
     "NotImplementedError for integers.",
     "randn(3, 4)", "-1.0 => RuntimeError: [exponential_] lambd must be > 0.0");
FILL(geometric_, number_types, "p: float", fill_with_one<fill_geometric>,
     "the number of trials until the first success, 1, 2, ..., of probability p.\n\nRaises RuntimeError unless 0 < p < "
     "1.",
     "randn(3, 4), 0.5", "0.0 => RuntimeError: [geometric_] p must hold 0 < p < 1");

OP(normal_, inexact_types,
   "normal_(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor") {
  .doc = "Fills input with normally distributed numbers.\n\nRaises RuntimeError when std < 0, NotImplementedError for "
         "integers.",
  .forms = inplace,
  .cpu =
      [](const Call& c) {
        TensorImpl& out = *c.out[0];
        auto fill = out.is_contiguous() ? fill_normal : fill_normal_serial;
        draw_into(c, 3, out, [&](void* to, Generator& g) { fill(out.dtype, to, out.numel, c.real(1), c.real(2), g); });
      },
  .writes_over = true,
  .vjp = no_gradients,
  .samples = "randn(3, 4)\nrandn(3, 4), 1.0, 2.0",
  .errors = "randn(3), 0.0, -1.0 => RuntimeError: [normal_] std must be",
};

OP(random_, real_types,
   "random_(input: Tensor, from: int | None = None, to: int | None = None, *, generator: Generator | None = None) -> "
   "Tensor") {
  .doc =
      "Fills input with integers: random_(from, to) from <= x < to, random_(to) 0 <= x < to, random_() from 0 to the "
      "largest that input's dtype counts up to.\n\nRaises RuntimeError when the range is empty or leaves the dtype's.",
  .forms = inplace,
  .cpu =
      [](const Call& c) {
        TensorImpl& out = *c.out[0];
        draw_into(c, 3, out, [&](void* to, Generator& g) {
          if (c.has(1) || c.has(2))
            fill_random_from_to(out.dtype, to, out.numel, c.has(1) && c.has(2) ? c.integer(1) : 0,
                                c.integer(c.has(2) ? 2 : 1), g);
          else fill_random(out.dtype, to, out.numel, g);
        });
      },
  .writes_over = true,
  .vjp = no_gradients,
  .samples = "randn(3, 4)\nrandint(0, 5, (6,)), 3\nrandint(0, 5, (6,)), -3, 4",
  .errors = "randn(3), 5, 2 => RuntimeError: [random_] from must be below to",
};

OP(random_from_, real_types,
   "random_from_(input: Tensor, from: int, *, generator: Generator | None = None) -> Tensor") {
  .doc = "Fills input with integers from `from` to the largest that input's dtype counts up to.",
  .home = "_core",
  .forms = inplace,
  .cpu =
      [](const Call& c) {
        TensorImpl& out = *c.out[0];
        draw_into(c, 2, out,
                  [&](void* to, Generator& g) { fill_random_from(out.dtype, to, out.numel, c.integer(1), g); });
      },
  .writes_over = true,
  .vjp = no_gradients,
  .samples = "randint(0, 5, (6,)), 3",
};

OP(bernoulli_, real_types,
   "bernoulli_(input: Tensor, p: Tensor | Number = 0.5, *, generator: Generator | None = None) -> Tensor") {
  .doc = "Fills input with ones of probability p and zeros. p is a number or a floating point tensor that broadcasts "
         "to input.\n\nRaises RuntimeError unless 0 <= p <= 1.",
  .forms = inplace,
  .cpu =
      [](const Call& c) {
        TensorImpl& out = *c.out[0];
        if (!c.arg[1].is_tensor())
          return draw_into(c, 2, out,
                           [&](void* to, Generator& g) { fill_bernoulli(out.dtype, to, out.numel, c.real(1), g); });
        TensorImpl& p = c.tensor(1);
        Tensor each = empty(out.sizes(), p.dtype), drawn = empty(out.sizes(), out.dtype);
        c.check(p.ndim <= out.ndim && same_sizes(broadcast("bernoulli_", out.sizes(), p.sizes()), out.sizes()),
                "p must broadcast to the tensor that is filled. Received ", describe(p), " for ", describe(out), ".");
        copy_elements(*each, p);
        with_generator(c, 2, out.numel, [&](Generator& g) {
          fill_bernoulli_tensor(out.dtype, drawn->data(), out.numel, p.dtype, each->data(), g);
        });
        copy_elements(out, *drawn);
      },
  .writes_over = true,
  .vjp = no_gradients,
  .samples = "randn(3, 4), 0.3\nrandn(3, 4), uniform(4)",
  .errors = "randn(3), 1.5 => RuntimeError: [bernoulli_] p must hold 0 <= p <= 1",
};
