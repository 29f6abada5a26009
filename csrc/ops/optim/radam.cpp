// Rectified Adam (Liu et al. 2019).
#include <cmath>

#include "ops/optim/update.h"

namespace rl {
namespace {

enum { lr, beta1, beta2, eps, weight_decay, decoupled, maximize, kNumbers };
enum { shrink, sign, decay, new1, keep2, new2, rate, root, epsilon };

void constants(const double* number, StateNumber* state, double* c) {
  const double step = state[0];
  const bool apart = number[decoupled] != 0;
  c[shrink] = apart ? 1 - number[lr] * number[weight_decay] : 1;
  c[sign] = number[maximize] != 0 ? -1 : 1;
  c[decay] = apart ? 0 : number[weight_decay];
  c[new1] = 1 - number[beta1];
  c[keep2] = number[beta2];
  c[new2] = 1 - number[beta2];
  c[rate] = number[lr] / (1 - std::pow(number[beta1], step));
  c[epsilon] = number[eps];
  // The length of the approximated moving average: below 5 the variance is not to be trusted.
  const double power = std::pow(number[beta2], step), longest = 2 / (1 - number[beta2]) - 1;
  const double length = longest - 2 * step * power / (1 - power);
  c[root] = 0;
  if (length > 5)
    c[root] = std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length) * (1 - power));
}

template <class T> void radam(T* const* at, i64 begin, i64 end, const double* c) {
  T *p = at[0], *m = at[2], *v = at[3];
  const T* g = at[1];
  const T cs = T(c[shrink]), s = T(c[sign]), d = T(c[decay]), n1 = T(c[new1]), k2 = T(c[keep2]), n2 = T(c[new2]),
          r = T(c[rate]), q = T(c[root]), e = T(c[epsilon]);
#pragma omp simd
  for (i64 i = begin; i < end; ++i) {
    const T x = p[i] * cs, gradient = s * g[i] + d * x;
    m[i] += n1 * (gradient - m[i]);
    v[i] = k2 * v[i] + n2 * gradient * gradient;
    p[i] = x - r * m[i] * (q > 0 ? q / (std::sqrt(v[i]) + e) : T(1));
  }
}

UpdateRule rule("radam", 4, 1, kNumbers, constants, radam<float>, radam<double>);

}  // namespace
}  // namespace rl
