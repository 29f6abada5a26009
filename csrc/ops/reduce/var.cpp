// Variance and standard deviation.
#include "ops/reduce/reduce.h"
using namespace rl;

namespace {

// Sums of differences from a shift, which is the first element seen: nothing cancels. Two states are joined by
// Chan, Golub and LeVeque's formula (1979).
template <class C> struct Moments {
  struct State {
    double n;
    C shift, sum;
    double squares;
  };
  State start() const { return {0, C(0), C(0), 0}; }
  static double square(double x) { return x * x; }
  static double square(complex128 z) { return z.real() * z.real() + z.imag() * z.imag(); }
  template <class T> void step(State& s, T element, i64) const {
    C x = cast<C>(element);
    s.shift = s.n == 0 ? x : s.shift;
    C d = x - s.shift;
    s.n += 1;
    s.sum += d;
    s.squares += square(d);
  }
  static double around_mean(const State& s) { return s.squares - square(s.sum) / s.n; }
  void join(State& a, const State& b) const {
    if (b.n == 0) return;
    if (a.n == 0) {
      a = b;
      return;
    }
    double n = a.n + b.n;
    C mean_a = a.shift + a.sum / a.n, mean_b = b.shift + b.sum / b.n, d = mean_b - mean_a;
    a = {n, mean_a + d * (b.n / n), C(0), around_mean(a) + around_mean(b) + square(d) * (a.n * b.n / n)};
  }
};

void infer_spread(const Call& c) {
  TensorImpl& t = c.tensor(0);
  c.check(is_differentiable(t.dtype), "std and var only support floating point and complex dtypes. Received ",
          describe(t), ". Convert with .to(torch.float32).");
  c.output(0, reduced_sizes(t.sizes(), reduce_mask(c.op.name(), c.has(1), c.ints(1), t.ndim), c.flag(3)),
           to_real(t.dtype));
}

double correction_of(const Arg& a) { return a.kind == Kind::none ? 1 : a.number(); }

void spread(const Call& c, bool root) {
  TensorImpl& t = c.tensor(0);
  std::uint32_t mask = reduce_mask(c.op.name(), c.has(1), c.ints(1), t.ndim);
  double correction = correction_of(c.arg[2]);
  visit_inexact(t.dtype, [&]<class T>(Type<T>) {
    using C = std::conditional_t<is_complex_type<T>, complex128, double>;
    using R = RealOf<T>;
    R* to = c.out[0]->data_as<R>();
    reduce<T>(t, mask, Moments<C>{}, [&](i64 i, const typename Moments<C>::State& s) {
      double v = Moments<C>::around_mean(s) / std::max(0., s.n - correction);
      v = v < 0 ? 0 : v;  // rounding
      to[i] = cast<R>(root ? std::sqrt(v) : v);
    });
  });
}

// (x - mean) * 2 / (n - correction), times the gradient of the variance.
Tensor variance_gradient(Backward& b, const Tensor& g) {
  Tensor x = b.tensor(0);
  std::uint32_t mask = reduce_mask(b.op().name(), b.given(1), b.ints(1), x->ndim);
  Tensor mean = mask == ~0u ? call<"mean">(x) : call<"mean">(x, b.ints(1), true);
  double n = static_cast<double>(x->numel) / static_cast<double>(std::max<i64>(mean->numel, 1));
  double factor = 2 / std::max(0., n - correction_of(b.arg(2)));
  return (x - mean) * (restore_dims(g, x->sizes(), mask) * factor);
}

}  // namespace

OP(var, inexact_types,
   "var(input: Tensor, dim: ints | None = None, *, correction: Number | None = 1, keepdim: bool = False) -> Tensor") {
  .doc =
      "The variance of input [*] over dim (all dimensions when None): the sum of |input - mean|^2 / (n - correction). "
      "Real for complex input.\n\nRaises RuntimeError for integers.",
  .infer = infer_spread,
  .cpu = [](const Call& c) { spread(c, false); },
  .vjp = [](Backward& b) { b.set(0, variance_gradient(b, b.gradient())); },
  .saves = "input",
  .samples = "randn(3, 4)\nrandn(3, 4, 5), (0, 2)\nrandn(3, 4), 1, correction=0, keepdim=True",
  .errors = "randint(0, 9, (3,)) => RuntimeError: [var] std and var only support floating point",
};

OP(std, inexact_types,
   "std(input: Tensor, dim: ints | None = None, *, correction: Number | None = 1, keepdim: bool = False) -> Tensor") {
  .doc = "The standard deviation of input [*] over dim (all dimensions when None): the square root of var().\n\nRaises "
         "RuntimeError for integers.",
  .infer = infer_spread,
  .cpu = [](const Call& c) { spread(c, true); },
  .vjp =
      [](Backward& b) {
        Tensor result = b.result(), flat = call<"eq">(result, 0.);
        b.set(0, variance_gradient(b, call<"masked_fill">(b.gradient() / (result * 2.), flat, 0.)));
      },
  .saves = "input, result",
  .samples = "randn(3, 4)\nrandn(3, 4, 5), (0, 2)\nrandn(3, 4), 1, correction=0, keepdim=True",
  .errors = "randint(0, 9, (3,)) => RuntimeError: [std] std and var only support floating point",
};

#define WITH_MEAN(name)                                                                                              \
  OP(name##_mean, inexact_types,                                                                                     \
     #name "_mean(input: Tensor, dim: ints | None = None, *, correction: Number | None = 1, keepdim: bool = False) " \
           "-> (" #name ": Tensor, mean: Tensor)") {                                                                 \
    .doc = #name "() and mean() of input [*] over dim.", .forms = function,                                          \
    .compose =                                                                                                       \
        [](const Call& c) {                                                                                          \
          c.out[0] = call<#name>(c.arg[0], c.arg[1], c.arg[2], c.arg[3]);                                            \
          c.out[1] = call<"mean">(c.arg[0], c.arg[1], c.arg[3]);                                                     \
        },                                                                                                           \
    .samples = "randn(3, 4)\nrandn(3, 4), 1, correction=0, keepdim=True",                                            \
  }

WITH_MEAN(var);
WITH_MEAN(std);
