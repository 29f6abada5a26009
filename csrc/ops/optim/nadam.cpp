// Adam with Nesterov's momentum (Dozat 2016).
#include <cmath>

#include "ops/optim/update.h"

namespace rl {
namespace {

enum { lr, beta1, beta2, eps, weight_decay, momentum_decay, decoupled, maximize, kNumbers };
enum { mu_product, steps, kState };

// The elements' constants: those of Adam, but p -= (of_gradient * gradient + of_mean * m) / (root * sqrt(v) + epsilon).
enum { shrink, sign, decay, new1, keep2, new2, of_gradient, of_mean, root, epsilon };

void constants(const double* number, StateNumber* state, double* c) {
  const double step = state[steps];
  const bool apart = number[decoupled] != 0;
  c[shrink] = apart ? 1 - number[lr] * number[weight_decay] : 1;
  c[sign] = number[maximize] != 0 ? -1 : 1;
  c[decay] = apart ? 0 : number[weight_decay];
  c[new1] = 1 - number[beta1];
  c[keep2] = number[beta2];
  c[new2] = 1 - number[beta2];
  const double mu = number[beta1] * (1 - 0.5 * std::pow(0.96, step * number[momentum_decay])),
               next = number[beta1] * (1 - 0.5 * std::pow(0.96, (step + 1) * number[momentum_decay]));
  state[mu_product] *= mu;
  c[of_gradient] = number[lr] * (1 - mu) / (1 - state[mu_product]);
  c[of_mean] = number[lr] * next / (1 - state[mu_product] * next);
  c[root] = 1 / std::sqrt(1 - std::pow(number[beta2], step));
  c[epsilon] = number[eps];
}

template <class T> void nadam(T* const* at, i64 begin, i64 end, const double* c) {
  T *p = at[0], *m = at[2], *v = at[3];
  const T* g = at[1];
  const T cs = T(c[shrink]), s = T(c[sign]), d = T(c[decay]), n1 = T(c[new1]), k2 = T(c[keep2]), n2 = T(c[new2]),
          og = T(c[of_gradient]), om = T(c[of_mean]), q = T(c[root]), e = T(c[epsilon]);
#pragma omp simd
  for (i64 i = begin; i < end; ++i) {
    const T x = p[i] * cs, gradient = s * g[i] + d * x;
    m[i] += n1 * (gradient - m[i]);
    v[i] = k2 * v[i] + n2 * gradient * gradient;
    p[i] = x - (og * gradient + om * m[i]) / (std::sqrt(v[i]) * q + e);
  }
}

UpdateRule rule("nadam", 4, kState, kNumbers, constants, nadam<float>, nadam<double>);

}  // namespace
}  // namespace rl
