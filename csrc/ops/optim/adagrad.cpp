// Adagrad (Duchi et al. 2011).
#include <cmath>

#include "ops/optim/update.h"

namespace rl {
namespace {

enum { lr, lr_decay, eps, weight_decay, maximize, kNumbers };
enum { rate, sign, decay, epsilon };

void constants(const double* number, StateNumber* state, double* c) {
  const double step = state[0];
  c[rate] = number[lr] / (1 + (step - 1) * number[lr_decay]);
  c[sign] = number[maximize] != 0 ? -1 : 1;
  c[decay] = number[weight_decay];
  c[epsilon] = number[eps];
}

template <class T> void adagrad(T* const* at, i64 begin, i64 end, const double* c) {
  T *p = at[0], *sum = at[2];
  const T* g = at[1];
  const T r = T(c[rate]), s = T(c[sign]), d = T(c[decay]), e = T(c[epsilon]);
#pragma omp simd
  for (i64 i = begin; i < end; ++i) {
    const T gradient = s * g[i] + d * p[i];
    sum[i] += gradient * gradient;
    p[i] -= r * gradient / (std::sqrt(sum[i]) + e);
  }
}

UpdateRule rule("adagrad", 3, 1, kNumbers, constants, adagrad<float>, adagrad<double>);

}  // namespace
}  // namespace rl
