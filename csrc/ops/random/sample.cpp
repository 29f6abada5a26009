// A sample for each element of parameters.
#include "ops/random/draw.h"
using namespace rl;

namespace {

void check_floating(const Call& c, const TensorImpl& t, ErrorKind kind = ErrorKind::not_implemented) {
  c.check(is_floating(t.dtype), kind, "only supports floating-point dtypes for input. Received ", describe(t),
          ". Convert with .float().");
}

// One draw per element of argument 0: fill(dtype, memory, elements, parameters, generator).
template <void (*fill)(DType, void*, i64, const void*, Generator&)> void draw_each(const Call& c) {
  TensorImpl& t = c.tensor(0);
  check_floating(c, t);
  TensorImpl& out = c.output(0, t.sizes(), t.dtype);
  Tensor parameter = packed(t);
  with_generator(c, 1, t.numel, [&](Generator& g) { fill(t.dtype, out.data(), t.numel, parameter->data(), g); });
}

}  // namespace

OP(bernoulli, real_types,
   "bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor") {
  .doc = "Ones and zeros of input's shape and dtype; each is one with probability p, by default the element of "
         "input.\n\nRaises RuntimeError unless 0 <= p <= 1.",
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        TensorImpl& out = c.output(0, t.sizes(), t.dtype);
        if (c.has(1))
          return draw_into(c, 2, out,
                           [&](void* to, Generator& g) { fill_bernoulli(t.dtype, to, t.numel, c.real(1), g); });
        check_floating(c, t);
        Tensor p = packed(t);
        with_generator(c, 2, t.numel, [&](Generator& g) {
          fill_bernoulli_tensor(t.dtype, out.data(), t.numel, t.dtype, p->data(), g);
        });
      },
  .vjp = no_gradients,
  .samples = "uniform(3, 4)\nrandn(3, 4), 0.3",
  .errors = "ones(3) * 2 => RuntimeError: [bernoulli_] p must hold 0 <= p <= 1",
};

OP(multinomial, floats,
   "multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> "
   "Tensor") {
  .doc = "Indices [num_samples] or [N, num_samples] (int64) of categories, drawn with the weights input [K] or [N, K], "
         "which need not sum to one.\n\nRaises RuntimeError when a weight is negative or not finite, a row sums to "
         "zero, or there are too few categories.",
  .forms = plain_forms | out_exact,
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        i64 n = c.integer(1);
        c.check(t.ndim == 1 || t.ndim == 2, "prob_dist must be 1 or 2 dim. Received ", describe(t), ".");
        c.check(is_floating(t.dtype), "multinomial only supports floating-point dtypes for input. Received ",
                describe(t), ". Convert with .float().");
        i64 categories = t.size[t.ndim - 1], rows = t.ndim == 2 ? t.size[0] : 1;
        c.check(n > 0, "cannot sample n_sample <= 0 samples. Received num_samples ", n, ".");
        c.check(categories <= i64{1} << 24, "number of categories cannot exceed 2^24. Received ", describe(t), ".");
        c.check(c.flag(2) || n <= categories,
                "cannot sample n_sample > prob_dist.size(-1) samples without replacement. Received num_samples ", n,
                " of ", categories, ". Pass replacement=True.");
        Dims size = t.ndim == 2 ? Dims{rows, n} : Dims{n};
        TensorImpl& out = c.output(0, size, DType::i64);
        Tensor weights = packed(t);
        with_generator(c, 3, t.numel + out.numel, [&](Generator& g) {
          fill_multinomial(out.data_as<i64>(), t.dtype, weights->data(), rows, categories, n, c.flag(2), g);
        });
      },
  .samples = "positive(5), 3\npositive(2, 5), 7, True",
  .errors = "positive(2), 3 => RuntimeError: [multinomial] cannot sample n_sample > prob_dist.size(-1)\nones(2) * -1, "
            "1 => RuntimeError: [multinomial] weights must be finite and >= 0",
};

OP(poisson, floats, "poisson(input: Tensor, generator: Generator | None = None) -> Tensor") {
  .doc = "Samples from the Poisson distributions with the rates input, of its shape and dtype.\n\nRaises RuntimeError "
         "when a rate is negative.",
  .forms = function,
  .cpu = draw_each<fill_poisson>,
  .vjp = no_gradients,
  .samples = "positive(3, 4)",
  .errors = "ones(2) * -1 => RuntimeError: [poisson] rates must be finite and >= 0",
};

OP(binomial, floats, "binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor") {
  .doc = "Samples from the binomial distributions of count trials with probability prob; both broadcast and have one "
         "floating point dtype.\n\nRaises ValueError for other dtypes, RuntimeError when they differ.",
  .forms = function,
  .cpu =
      [](const Call& c) {
        TensorImpl &count = c.tensor(0), &p = c.tensor(1);
        check_floating(c, count, ErrorKind::value);
        check_floating(c, p, ErrorKind::value);
        c.check(count.dtype == p.dtype, "count and prob must have the same dtype. Received ", describe(count), " and ",
                describe(p), ".");
        TensorImpl& out = c.output(0, broadcast("binomial", count.sizes(), p.sizes()), count.dtype);
        Tensor counts = empty(out.sizes(), out.dtype), ps = empty(out.sizes(), out.dtype);
        copy_elements(*counts, count);
        copy_elements(*ps, p);
        with_generator(c, 2, out.numel, [&](Generator& g) {
          fill_binomial(out.dtype, out.data(), out.numel, counts->data(), ps->data(), g);
        });
      },
  .vjp = no_gradients,
  .samples = "ones(3, 4) * 5, uniform(4, low=0.1, high=0.9)",
};

OP(_standard_gamma, floats, "_standard_gamma(input: Tensor, generator: Generator | None = None) -> Tensor") {
  .doc = "Samples from the gamma distributions with the concentrations input and rate 1.\n\nIts gradient is not "
         "implemented: backward raises NotImplementedError.",
  .forms = function,
  .cpu = draw_each<fill_standard_gamma>,
  .vjp =
      [](Backward&) {
        fail(ErrorKind::not_implemented,
             "[_standard_gamma] the gradient by the concentration is not implemented. Use torch.distributions.Gamma.");
      },
  .samples = "positive(3, 4)",
};

OP(_sample_dirichlet, floats, "_sample_dirichlet(input: Tensor, generator: Generator | None = None) -> Tensor") {
  .doc = "Samples from the Dirichlet distributions with the concentrations input [*, K].\n\nIts gradient is not "
         "implemented: backward raises NotImplementedError.",
  .forms = function,
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        check_floating(c, t);
        TensorImpl& out = c.output(0, t.sizes(), t.dtype);
        i64 categories = t.ndim ? t.size[t.ndim - 1] : 1;
        if (out.numel == 0) return;
        Tensor alpha = packed(t);
        with_generator(c, 1, t.numel, [&](Generator& g) {
          fill_dirichlet(t.dtype, out.data(), t.numel / categories, categories, alpha->data(), g);
        });
      },
  .vjp =
      [](Backward&) {
        fail(ErrorKind::not_implemented, "[_sample_dirichlet] the gradient by the concentration is not implemented. "
                                         "Use torch.distributions.Dirichlet.");
      },
  .samples = "positive(3, 4)",
};
