// Adamax: Adam with the infinity norm (Kingma & Ba 2014).
#include <cmath>

#include "ops/optim/update.h"

namespace rl {
namespace {

enum { lr, beta1, beta2, eps, weight_decay, maximize, kNumbers };
enum { rate, sign, decay, new1, keep2, epsilon };

void constants(const double* number, StateNumber* state, double* c) {
  const double step = state[0];
  c[rate] = number[lr] / (1 - std::pow(number[beta1], step));
  c[sign] = number[maximize] != 0 ? -1 : 1;
  c[decay] = number[weight_decay];
  c[new1] = 1 - number[beta1];
  c[keep2] = number[beta2];
  c[epsilon] = number[eps];
}

template <class T> void adamax(T* const* at, i64 begin, i64 end, const double* c) {
  T *p = at[0], *mean = at[2], *norm = at[3];
  const T* g = at[1];
  const T r = T(c[rate]), s = T(c[sign]), d = T(c[decay]), n1 = T(c[new1]), k2 = T(c[keep2]), e = T(c[epsilon]);
#pragma omp simd
  for (i64 i = begin; i < end; ++i) {
    const T gradient = s * g[i] + d * p[i];
    mean[i] += n1 * (gradient - mean[i]);
    const T before = k2 * norm[i], now = std::abs(gradient) + e;
    norm[i] = before > now ? before : now;
    p[i] -= r * mean[i] / norm[i];
  }
}

UpdateRule rule("adamax", 4, 1, kNumbers, constants, adamax<float>, adamax<double>);

}  // namespace
}  // namespace rl
