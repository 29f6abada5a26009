// Running maxima and minima with the places where they stand (the last of equals; NaN stays).
#include "ops/reduce/reduce.h"
using namespace rl;

namespace {

void infer(const Call& c) {
  TensorImpl& t = c.tensor(0);
  wrap_dim(c.op.name(), c.integer(1), t.ndim);
  check_accepted(c);
  c.output(0, t.sizes(), t.dtype);
  c.output(1, t.sizes(), DType::i64);
}

template <bool largest> void run(const Call& c) {
  Tensor x = packed(c.tensor(0));
  Along a(x->sizes(), wrap_dim(c.op.name(), c.integer(1), x->ndim));
  i64* indices = c.out[1]->data_as<i64>();
  visit_real(x->dtype, [&]<class T>(Type<T>) {
    const T* from = x->data_as<T>();
    T* to = c.out[0]->data_as<T>();
    parallel_for(a.outer * a.inner, std::max<i64>(1, 16384 / std::max<i64>(1, a.n)), [&](i64 begin, i64 end) {
      for (i64 k = begin; k < end; ++k) {
        i64 at = k / a.inner * a.n * a.inner + k % a.inner, best_at = 0;
        T best{};
        for (i64 i = 0; i < a.n; ++i, at += a.inner) {
          Wide<T> v = from[at], b = best;
          if (i == 0 || is_nan(v) || (!is_nan(b) && (largest ? v >= b : v <= b))) best = from[at], best_at = i;
          to[at] = best;
          indices[at] = best_at;
        }
      }
    });
  });
}

void vjp(Backward& b) { b.set(0, place_along(b.gradient(), b.result(1), b.sizes(0), b.integer(1), false)); }

}  // namespace

#define RUNNING(name, which, largest)                                                                              \
  OP(name, real_types, #name "(input: Tensor, dim: int) -> (values: Tensor, indices: Tensor)") {                   \
    .doc = "The " which                                                                                            \
           " element of input [*] up to each element along dim, and where it stands (the last of equals), int64.", \
    .infer = infer, .cpu = run<largest>, .vjp = vjp, .saves = "indices",                                           \
    .samples = "distinct(3, 4), 0\ndistinct(3, 4), -1\nrandint(0, 9, (5,)), 0",                                    \
    .errors = "randn(3), 1 => IndexError: [" #name "] Dimension out of range",                                     \
  }

RUNNING(cummax, "largest", true);
RUNNING(cummin, "smallest", false);
