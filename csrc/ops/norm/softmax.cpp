// softmax and log_softmax.
#include "ops/norm/rows.h"
#include "ops/reduce/reduce.h"
using namespace rl;

namespace {

constexpr i64 kColumns = 64;
constexpr i64 kGrain = 8192;  // elements that are worth a thread

// Walks [outer, n, inner]: whole rows where inner is 1, else tiles of columns that lie side by side.
template <class Rows, class Columns> void walk(const Along& a, Rows&& row, Columns&& columns) {
  if (a.n == 0 || a.inner == 0) return;
  if (a.inner == 1) {
    parallel_for(a.outer, std::max<i64>(1, kGrain / a.n), [&](i64 begin, i64 end) {
      for (i64 o = begin; o < end; ++o) row(o * a.n);
    });
    return;
  }
  i64 tiles = (a.inner + kColumns - 1) / kColumns;
  parallel_for(a.outer * tiles, std::max<i64>(1, kGrain / (a.n * std::min(a.inner, kColumns))),
               [&](i64 begin, i64 end) {
                 for (i64 k = begin; k < end; ++k) {
                   i64 first = k % tiles * kColumns;
                   columns(k / tiles * a.n * a.inner + first, std::min(kColumns, a.inner - first));
                 }
               });
}

template <bool logarithm, class T> void forward(const T* x, T* y, const Along& a) {
  walk(
      a, [&](i64 at) { softmax_row<logarithm>(x + at, y + at, a.n); },
      [&](i64 at, i64 width) {
        T high[kColumns], sum[kColumns] = {};
        std::copy_n(x + at, width, high);
        for (i64 r = 1; r < a.n; ++r)
          for (i64 j = 0; j < width; ++j) high[j] = std::max(high[j], x[at + r * a.inner + j]);
        for (i64 r = 0; r < a.n; ++r)
          for_vectors<T>(width, [&](i64 j, i64 left) {
            i64 k = at + r * a.inner + j;
            vec<T> e = exp(load_up_to(x + k, left) - load_up_to(high + j, left));
            if (!logarithm) store_up_to(y + k, e, left);
            store_up_to(sum + j, load_up_to(sum + j, left) + e, left);
          });
        for (i64 j = 0; j < width; ++j) sum[j] = logarithm ? std::log(sum[j]) : T(1) / sum[j];
        for (i64 r = 0; r < a.n; ++r) {
          const T* from = x + at + r * a.inner;
          T* to = y + at + r * a.inner;
          for (i64 j = 0; j < width; ++j) to[j] = logarithm ? from[j] - high[j] - sum[j] : to[j] * sum[j];
        }
      });
}

// softmax: y * (gy - sum(gy * y)); log_softmax: gy - exp(y) * sum(gy)
template <bool logarithm, class T> void backward(const T* gy, const T* y, T* gx, const Along& a) {
  auto gradient = [](vec<T> g, vec<T> v, vec<T> s) __attribute__((always_inline)) {
    if constexpr (logarithm) return g - exp(v) * s;
    else return v * (g - s);
  };
  walk(
      a,
      [&](i64 at) {
        const T *g = gy + at, *v = y + at;
        T s = sum_of<T>(a.n, [&](i64 i, i64 left) __attribute__((always_inline)) {
          vec<T> part = load_up_to(g + i, left);
          return logarithm ? part : part * load_up_to(v + i, left);
        });
        for_vectors<T>(a.n, [&](i64 i, i64 left) __attribute__((always_inline)) {
          store_up_to(gx + at + i, gradient(load_up_to(g + i, left), load_up_to(v + i, left), vec<T>(s)), left);
        });
      },
      [&](i64 at, i64 width) {
        T sum[kColumns] = {};
        for (i64 r = 0; r < a.n; ++r)
          for (i64 j = 0; j < width; ++j) {
            i64 k = at + r * a.inner + j;
            sum[j] += logarithm ? gy[k] : gy[k] * y[k];
          }
        for (i64 r = 0; r < a.n; ++r)
          for_vectors<T>(width, [&](i64 j, i64 left) __attribute__((always_inline)) {
            i64 k = at + r * a.inner + j;
            store_up_to(gx + k, gradient(load_up_to(gy + k, left), load_up_to(y + k, left), load_up_to(sum + j, left)),
                        left);
          });
      });
}

template <bool logarithm> void run(const Call& c) {
  DType d = c.out[0]->dtype, compute = compute_dtype(d);
  Tensor x = packed(*packed(c.tensor(0), d), compute), y = d == compute ? c.out[0] : empty(x->sizes(), compute);
  Along a(x->sizes(), wrap_dim(c.op.name(), c.integer(1), x->ndim));
  visit_float(compute, [&]<class T>(Type<T>) { forward<logarithm>(x->data_as<T>(), y->data_as<T>(), a); });
  if (d != compute) copy_elements(*c.out[0], *y);
}

void infer(const Call& c) {
  TensorImpl& t = c.tensor(0);
  DType d = c.dtype(2, t.dtype);
  wrap_dim(c.op.name(), c.integer(1), t.ndim);
  c.check(is_floating(d), ErrorKind::not_implemented, "\"", c.op.name(), "\" not implemented for '", d, "'. Received ",
          describe(t), ". Give dtype=torch.float32.");
  c.output(0, t.sizes(), d);
}

template <bool logarithm> void vjp(Backward& b) {
  Tensor gy = b.gradient(), y = b.result();
  int dim = wrap_dim(b.op().name(), b.integer(1), y->ndim);
  if (eager_state.grad) {
    auto sum = [&](const Tensor& t) { return y->ndim ? call<"sum">(t, i64{dim}, true) : t; };
    return b.set(0, logarithm ? gy - call<"exp">(y) * sum(gy) : y * (gy - sum(gy * y)));
  }
  DType compute = compute_dtype(y->dtype);
  Tensor g = packed(*gy, compute), v = packed(*y, compute), gx = empty(y->sizes(), compute);
  Along a(y->sizes(), dim);
  visit_float(compute,
              [&]<class T>(Type<T>) { backward<logarithm>(g->data_as<T>(), v->data_as<T>(), gx->data_as<T>(), a); });
  b.set(0, to_dtype(gx, y->dtype));
}

}  // namespace

#define SOFTMAX(name, formula, logarithm)                                                                         \
  OP(name, floats, #name "(input: Tensor, dim: int, dtype: dtype | None = None) -> Tensor") {                     \
    .doc = formula " along dim, computed around the largest element; input [*] is converted to dtype first.",     \
    .aliases = "special_" #name, .infer = infer, .cpu = run<logarithm>, .vjp = vjp<logarithm>, .saves = "result", \
    .samples = "randn(3, 4), 1\nrandn(3, 4, 5), 1\nrandn(3, 20), -1\nrandint(0, 9, (3, 4)), 0, dtype=float32",    \
    .errors = "randint(0, 9, (3,)), 0 => NotImplementedError: [" #name "]\nrandn(3), 1 => IndexError: [" #name    \
              "] Dimension out of range",                                                                         \
  }

SOFTMAX(softmax, "exp(input) / sum(exp(input))", false);
SOFTMAX(log_softmax, "input - log(sum(exp(input)))", true);
