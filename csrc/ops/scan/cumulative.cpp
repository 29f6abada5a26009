// Running sums, products and logarithms of sums.
#include "ops/reduce/reduce.h"
using namespace rl;

namespace {

// Calls body(first element, how many columns) for tiles of columns of [outer, n, inner] that are walked down together.
constexpr i64 kColumns = 64;
template <class Body> void for_columns(const Along& a, Body&& body) {
  i64 tiles = (a.inner + kColumns - 1) / kColumns;
  i64 grain = std::max<i64>(1, 16384 / std::max<i64>(1, a.n * std::min(a.inner, kColumns)));
  parallel_for(a.outer * tiles, grain, [&](i64 begin, i64 end) {
    for (i64 k = begin; k < end; ++k) {
      i64 first = k % tiles * kColumns;
      body(k / tiles * a.n * a.inner + first, std::min(kColumns, a.inner - first));
    }
  });
}

// y[i] = combine(y[i - 1], x[i]), in A.
template <class A, class T, class F> void scan(const T* x, T* y, const Along& a, F&& combine) {
  if (a.n == 0) return;
  if (a.inner == 1) {  // several rows at a time: their chains of additions run side by side
    constexpr i64 kRows = 8;
    parallel_for((a.outer + kRows - 1) / kRows, std::max<i64>(1, 16384 / (kRows * a.n)), [&](i64 begin, i64 end) {
      for (i64 k = begin; k < end; ++k) {
        i64 first = k * kRows, rows = std::min(kRows, a.outer - first);
        const T* from = x + first * a.n;
        T* to = y + first * a.n;
        A state[kRows];
        for (i64 j = 0; j < rows; ++j) state[j] = cast<A>(from[j * a.n]), to[j * a.n] = from[j * a.n];
        auto walk = [&](auto count) __attribute__((always_inline)) {
          for (i64 i = 1; i < a.n; ++i)
            for (i64 j = 0; j < count; ++j)
              state[j] = combine(state[j], cast<A>(from[j * a.n + i])), to[j * a.n + i] = cast<T>(state[j]);
        };
        if (rows == kRows) walk(std::integral_constant<i64, kRows>());
        else walk(rows);
      }
    });
    return;
  }
  for_columns(a, [&](i64 at, i64 width) {
    A state[kColumns];
    for (i64 j = 0; j < width; ++j) state[j] = cast<A>(x[at + j]), y[at + j] = x[at + j];
    for (i64 i = 1; i < a.n; ++i) {
      at += a.inner;
      for (i64 j = 0; j < width; ++j) state[j] = combine(state[j], cast<A>(x[at + j])), y[at + j] = cast<T>(state[j]);
    }
  });
}

// Integers in uint64, where overflow wraps around; floats as PyTorch sums them, in double.
template <class T> using Running = std::conditional_t<std::is_integral_v<T>, std::uint64_t,
                                                      std::conditional_t<is_complex_type<T>, complex128, double>>;

DType scan_dtype(const Call& c) { return c.dtype(2, is_integral(c.tensor(0).dtype) ? DType::i64 : c.tensor(0).dtype); }

void infer_scan(const Call& c) {
  wrap_dim(c.op.name(), c.integer(1), c.tensor(0).ndim);
  c.output(0, c.tensor(0).sizes(), scan_dtype(c));
}

template <class F> void run_scan(const Call& c, F&& combine) {
  Tensor x = packed(c.tensor(0), c.out[0]->dtype);
  Along a(x->sizes(), wrap_dim(c.op.name(), c.integer(1), x->ndim));
  visit(x->dtype, [&]<class T>(Type<T>) {
    if constexpr (std::is_same_v<T, bool>) {
      T *from = x->data_as<T>(), *to = c.out[0]->data_as<T>();
      scan<T>(from, to, a, [&](T s, T v) { return combine(int(s), int(v)) != 0; });
    } else {
      scan<Running<T>>(x->data_as<T>(), c.out[0]->data_as<T>(), a, combine);
    }
  });
}

Tensor flipped(const Tensor& t, i64 dim) { return t->ndim ? call<"flip">(t, Sizes(&dim, 1)) : t; }
Tensor sum_from_here(const Tensor& t, i64 dim) { return flipped(call<"cumsum">(flipped(t, dim), dim), dim); }

bool has_zero(const Tensor& t) {
  Tensor found = call<"any">(call<"eq">(t, 0.));
  return *found->data_as<bool>();
}

// gx[k] = sum over j >= k of gy[j] times the product of x[0..j] without x[k]. Up to the first zero z of x that is
// sum(gy y) / x; at z, products without it go on to the next zero; behind z it is 0. (x, y and gy: one line.)
template <class T, class A> void product_gradient(const T* gy, const T* x, const T* y, T* gx, i64 n, i64 stride) {
  auto conjugate = [](A v) {
    if constexpr (is_complex_type<A>) return std::conj(v);
    else return v;
  };
  i64 z = 0;
  while (z < n && x[z * stride] != T(0)) ++z;
  A sum(0);
  if (z < n) {
    A product = z ? cast<A>(y[(z - 1) * stride]) : A(1);
    sum = cast<A>(gy[z * stride]) * conjugate(product);
    for (i64 j = z + 1; j < n && x[j * stride] != T(0); ++j) {
      product *= cast<A>(x[j * stride]);
      sum += cast<A>(gy[j * stride]) * conjugate(product);
    }
    gx[z * stride] = cast<T>(sum);
    for (i64 k = z + 1; k < n; ++k) gx[k * stride] = T(0);
  }
  sum = A(0);
  for (i64 k = z - 1; k >= 0; --k) {
    sum += cast<A>(gy[k * stride]) * conjugate(cast<A>(y[k * stride]));
    gx[k * stride] = cast<T>(sum / conjugate(cast<A>(x[k * stride])));
  }
}

// The same by tensors, so that it can be differentiated: row k of a matrix is x with a one at place k.
Tensor product_gradient_by_tensors(const Tensor& gy, const Tensor& x, int dim) {
  if (x->ndim == 0) return gy;
  i64 n = x->size[dim];
  Dims size(x->sizes()), range(x->sizes());
  size.insert(dim, n);                                  // [..., k, i, ...]
  for (int d = 0; d < range.n; ++d) range[d] = d == dim ? n : 1;
  Tensor place = empty({n}, DType::i64);
  for (i64 i = 0; i < n; ++i) place->data_as<i64>()[i] = i;
  Tensor i = call<"unsqueeze">(call<"reshape">(place, range), i64{dim}),
         k = call<"unsqueeze">(call<"reshape">(place, range), i64{dim} + 1);
  Tensor without = call<"masked_fill">(call<"expand">(call<"unsqueeze">(x, i64{dim}), size), call<"eq">(i, k), i64{1});
  Tensor products = call<"masked_fill">(call<"cumprod">(without, i64{dim} + 1), call<"lt">(i, k), i64{0});
  i64 over[] = {dim + 1};
  return call<"sum">(call<"unsqueeze">(gy, i64{dim}) * conj(products), Sizes(over, 1));
}

void infer_log(const Call& c) {
  wrap_dim(c.op.name(), c.integer(1), c.tensor(0).ndim);
  check_accepted(c);
  c.output(0, c.tensor(0).sizes(), c.tensor(0).dtype);
}

double log_add(double a, double b) {
  double high = std::max(a, b), low = std::min(a, b);
  if (a != a || b != b) return a + b;
  return low == high && std::isinf(high) ? high : high + std::log1p(std::exp(low - high));
}
// From the larger real part; log(e^a + e^b)
complex128 log_add(complex128 a, complex128 b) {
  if (is_nan(a) || is_nan(b)) return a + b;
  if (a.real() < b.real()) std::swap(a, b);
  if (std::isinf(a.real()) && a.real() == b.real()) return a.real() < 0 ? a : std::log(std::exp(a) + std::exp(b));
  return a + std::log(1. + std::exp(b - a));
}

}  // namespace

OP(cumsum, all_types, "cumsum(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor") {
  .doc = "The sums of input [*] up to each element along dim. Integers and bools are summed as int64.",
  .forms = function | method | inplace | out_,
  .infer = infer_scan,
  .cpu = [](const Call& c) { run_scan(c, [](auto s, auto v) { return s + v; }); },
  .vjp = [](Backward& b) { b.set(0, sum_from_here(b.gradient(), b.integer(1))); },
  .samples = "randn(3, 4), 0\nrandn(3, 4, 5), -2\nrandint(0, 9, (5,)), 0\nrandn(3), 0, dtype=float64",
  .errors = "randn(3), 1 => IndexError: [cumsum] Dimension out of range",
};

OP(cumprod, all_types, "cumprod(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor") {
  .doc = "The products of input [*] up to each element along dim. Integers and bools are multiplied as int64.",
  .forms = function | method | inplace | out_,
  .infer = infer_scan,
  .cpu = [](const Call& c) { run_scan(c, [](auto s, auto v) { return s * v; }); },
  .vjp =
      [](Backward& b) {
        Tensor gy = b.gradient(), x = to_dtype(b.tensor(0), gy->dtype), y = b.result();
        int dim = wrap_dim("cumprod", b.integer(1), x->ndim);
        if (eager_state.grad) {
          if (has_zero(x)) return b.set(0, product_gradient_by_tensors(gy, x, dim));
          return b.set(0, sum_from_here(gy * conj(y), dim) / conj(x));
        }
        Tensor g = packed(*gy), from = packed(*x), result = packed(*y), gx = empty(x->sizes(), x->dtype);
        Along a(x->sizes(), dim);
        visit_inexact(x->dtype, [&]<class T>(Type<T>) {
          for_columns(a, [&](i64 at, i64 width) {
            for (i64 j = at; j < at + width; ++j)
              product_gradient<T, Running<T>>(g->data_as<T>() + j, from->data_as<T>() + j, result->data_as<T>() + j,
                                              gx->data_as<T>() + j, a.n, a.inner);
          });
        });
        b.set(0, gx);
      },
  .saves = "input, result",
  .samples = "randn(3, 4), 0\nrandn(3, 4, 5), -2\nrandint(0, 9, (5,)), 0\nrandn(3), 0, dtype=float64",
  .errors = "randn(3), 1 => IndexError: [cumprod] Dimension out of range",
};

OP(logcumsumexp, inexact_types, "logcumsumexp(input: Tensor, dim: int) -> Tensor") {
  .doc = "log(cumsum(exp(input))) along dim, without overflow.",
  .infer = infer_log,
  .cpu =
      [](const Call& c) {
        Tensor x = packed(c.tensor(0));
        Along a(x->sizes(), wrap_dim("logcumsumexp", c.integer(1), x->ndim));
        visit_inexact(x->dtype, [&]<class T>(Type<T>) {
          scan<Running<T>>(x->data_as<T>(), c.out[0]->data_as<T>(), a, [](auto s, auto v) { return log_add(s, v); });
        });
      },
  // exp(x) times the sum of gy exp(-y) from here on, in logarithms; positive and negative real gy apart
  .vjp =
      [](Backward& b) {
        Tensor gy = b.gradient(), x = b.tensor(0), y = b.result();
        i64 dim = b.integer(1);
        auto part = [&](const Tensor& g, const Tensor& counts) {
          Tensor log_ratio = call<"where">(counts, call<"log">(call<"where">(counts, g, 1.)) - y,
                                           -std::numeric_limits<double>::infinity());
          return call<"exp">(flipped(call<"logcumsumexp">(flipped(log_ratio, dim), dim), dim) + x);
        };
        if (is_complex(gy->dtype)) return b.set(0, conj(part(conj(gy), call<"ne">(gy, 0.))));
        b.set(0, part(gy, call<"gt">(gy, 0.)) - part(-gy, call<"lt">(gy, 0.)));
      },
  .saves = "input, result",
  .samples = "randn(3, 4), 0\nrandn(3, 4, 5), -2",
  .errors = "randint(0, 9, (3,)), 0 => NotImplementedError: [logcumsumexp]",
};
