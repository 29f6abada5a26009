// p-norms of vectors.
#include "ops/reduce/reduce.h"
using namespace rl;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T> double magnitude(T x) {
  if constexpr (is_complex_type<T>) return std::hypot(static_cast<double>(x.real()), static_cast<double>(x.imag()));
  else return std::abs(static_cast<double>(x));
}

// Sums are kept in double.
struct Sum {
  double start() const { return 0; }
  void join(double& a, double b) const { a += b; }
};
struct SumOfPowers : Sum {
  explicit SumOfPowers(double p_) : p(p_) {}
  double p;
  template <class T> void step(double& s, T x, i64) const { s += std::pow(magnitude(x), p); }
};
struct SumOfSquares : Sum {
  template <class T> void step(double& s, T x, i64) const {
    if constexpr (is_complex_type<T>)
      s += static_cast<double>(x.real()) * static_cast<double>(x.real()) +
           static_cast<double>(x.imag()) * static_cast<double>(x.imag());
    else s += static_cast<double>(x) * static_cast<double>(x);
  }
};
struct SumOfMagnitudes : Sum {
  template <class T> void step(double& s, T x, i64) const { s += magnitude(x); }
};
struct Nonzeros : Sum {
  template <class T> void step(double& s, T x, i64) const { s += x != T(0) ? 1. : 0.; }
};
template <bool largest> struct ExtremeMagnitude {
  double start() const { return largest ? 0 : kInfinity; }
  template <class T> void step(double& s, T x, i64) const { join(s, magnitude(x)); }
  void join(double& a, double b) const { a = (largest ? b > a : b < a) || b != b ? b : a; }
};

DType norm_input_dtype(const Call& c) {
  TensorImpl& t = c.tensor(0);
  c.check(is_differentiable(t.dtype),
          "linalg.vector_norm: Expected a floating point or complex tensor as input. Received ", describe(t),
          ". Convert with .to(torch.float32).");
  DType d = c.dtype(4, t.dtype);
  c.check(is_differentiable(d) && (is_complex(d) || !is_complex(t.dtype)),
          "linalg.vector_norm: dtype should be floating point or complex, and complex for complex input. Received ", d,
          " for ", describe(t), ".");
  c.check(promote(d, t.dtype) == d, "linalg.vector_norm: the dtype of the input (", t.dtype,
          ") should be convertible without narrowing to the specified dtype. Received ", d, ".");
  return d;
}

}  // namespace

OP(vector_norm, inexact_types,
   "vector_norm(x: Tensor, ord: float = 2, dim: ints | None = None, keepdim: bool = False, *, dtype: dtype | None = "
   "None) -> Tensor") {
  .doc = "sum(|x| ** ord) ** (1 / ord) over dim (all dimensions when None); the largest or smallest |x| for ord = inf "
         "or -inf, "
         "the number of nonzero elements for 0. The result is real; the subgradient at 0 is 0.\n\n"
         "Raises RuntimeError for integers, and for ord < 0 or inf over no elements.",
  .home = "linalg",
  .infer =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        DType d = norm_input_dtype(c);
        double p = c.real(1);
        std::uint32_t mask = reduce_mask("vector_norm", c.has(2), c.ints(2), t.ndim);
        if (p < 0 || p == kInfinity) {
          bool empty_fold = mask == ~0u && t.numel == 0;
          for (int k = 0; k < t.ndim; ++k) empty_fold |= (mask >> k & 1) && t.size[k] == 0;
          c.check(!empty_fold, "linalg.vector_norm cannot compute the ", p,
                  " norm on an empty tensor because the operation does not have an identity. Received ", describe(t),
                  ".");
        }
        c.output(0, reduced_sizes(t.sizes(), mask, c.flag(3)), to_real(d));
      },
  .cpu =
      [](const Call& c) {
        GradMode off(false);
        Tensor t = to_dtype(Tensor(&c.tensor(0)), norm_input_dtype(c));
        double p = c.real(1);
        std::uint32_t mask = reduce_mask("vector_norm", c.has(2), c.ints(2), t->ndim);
        if (std::isinf(p) && is_complex(t->dtype)) t = call<"abs">(t);  // the gradient compares with it, bit for bit
        visit_inexact(t->dtype, [&]<class T>(Type<T>) {
          using R = RealOf<T>;
          R* to = c.out[0]->data_as<R>();
          auto keep = [&](i64 i, double s) { to[i] = cast<R>(s); };
          if (p == 2) reduce<T>(*t, mask, SumOfSquares{}, [&](i64 i, double s) { to[i] = cast<R>(std::sqrt(s)); });
          else if (p == 1) reduce<T>(*t, mask, SumOfMagnitudes{}, keep);
          else if (p == 0) reduce<T>(*t, mask, Nonzeros{}, keep);
          else if (p == kInfinity) reduce<T>(*t, mask, ExtremeMagnitude<true>{}, keep);
          else if (p == -kInfinity) reduce<T>(*t, mask, ExtremeMagnitude<false>{}, keep);
          else reduce<T>(*t, mask, SumOfPowers(p), [&](i64 i, double s) { to[i] = cast<R>(std::pow(s, 1 / p)); });
        });
      },
  .vjp =
      [](Backward& b) {
        double p = b.real(1);
        std::uint32_t mask = reduce_mask("vector_norm", b.given(2), b.ints(2), static_cast<int>(b.sizes(0).size()));
        Tensor gy = restore_dims(b.gradient(), b.sizes(0), mask), norm = restore_dims(b.result(), b.sizes(0), mask),
               x = b.tensor(0);
        if (is_complex(x->dtype) ? to_real(x->dtype) != gy->dtype : x->dtype != gy->dtype)
          x = to_dtype(x, is_complex(x->dtype) ? to_complex(gy->dtype) : gy->dtype);
        auto without = [](const Tensor& t, const Tensor& zero) {
          return call<"masked_fill">(t, call<"eq">(zero, 0.), 0.);
        };
        if (p == 0) return b.set(0, zeros(x->sizes(), x->dtype));
        if (p == 1) return b.set(0, call<"sgn">(x) * gy);
        if (p == 2 && eager_state.grad) return b.set(0, gy * without(x / norm, norm));  // at 0 the second one is NaN
        if (p == 2) return b.set(0, x * without(gy / norm, norm));  // the same in one pass
        Tensor size = call<"abs">(x), sign = call<"sgn">(x);
        if (p == kInfinity || p == -kInfinity) {
          Tensor tied = to_dtype(call<"logical_or">(call<"eq">(size, norm), call<"isnan">(size)), gy->dtype);
          return b.set(0, sign * tied * (gy / (mask == ~0u ? call<"sum">(tied) : call<"sum">(tied, b.ints(2), true))));
        }
        if (p < 2)
          return b.set(0, sign * without(call<"pow">(size, p - 1), x) * without(gy * call<"pow">(norm, 1 - p), norm));
        b.set(0, x * (call<"pow">(size, p - 2) * without(gy / call<"pow">(norm, p - 1), norm)));
      },
  .saves = "x, result",
  .samples = "randn(3, 4)\nrandn(3, 4), 1., 0\nrandn(3, 4), 3., (0, 1), True\nrandn(3, 4), float('inf'), 1\nrandn(3, "
             "4), -float('inf'), 1\nrandn(3, 4), 0.5, 1\nrandn(3), 0.",
  .errors = "randint(0, 9, (3,)) => RuntimeError: [vector_norm] linalg.vector_norm: Expected a floating point",
};
