// Adam (Kingma & Ba 2014), with AMSGrad (Reddi et al. 2018) and decoupled weight decay (Loshchilov & Hutter 2017).
#include <cmath>

#include "ops/optim/update.h"

namespace rl {
namespace {

enum { lr, beta1, beta2, eps, weight_decay, decoupled, maximize, kNumbers };

// The elements' constants: p *= shrink; gradient = sign * g + decay * p; m += new1 * (gradient - m);
// v = keep2 * v + new2 * gradient^2; p -= rate * m / (root * sqrt(v) + epsilon).
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
  c[root] = 1 / std::sqrt(1 - std::pow(number[beta2], step));
  c[epsilon] = number[eps];
}

template <class T, bool Amsgrad> void adam(T* const* at, i64 begin, i64 end, const double* c) {
  T *p = at[0], *m = at[2], *v = at[3], *largest = at[Amsgrad ? 4 : 3];
  const T* g = at[1];
  const T cs = T(c[shrink]), s = T(c[sign]), d = T(c[decay]), n1 = T(c[new1]), k2 = T(c[keep2]), n2 = T(c[new2]),
          r = T(c[rate]), q = T(c[root]), e = T(c[epsilon]);
#pragma omp simd
  for (i64 i = begin; i < end; ++i) {
    const T x = p[i] * cs, gradient = s * g[i] + d * x;
    const T mean = m[i] + n1 * (gradient - m[i]), square = k2 * v[i] + n2 * gradient * gradient;
    m[i] = mean;
    v[i] = square;
    T under = square;
    if constexpr (Amsgrad) {
      under = largest[i] < square || square != square ? square : largest[i];  // NaN is handed on
      largest[i] = under;
    }
    p[i] = x - r * mean / (std::sqrt(under) * q + e);
  }
}

UpdateRule plain("adam", 4, 1, kNumbers, constants, adam<float, false>, adam<double, false>);
UpdateRule amsgrad("adam_amsgrad", 5, 1, kNumbers, constants, adam<float, true>, adam<double, true>);

}  // namespace
}  // namespace rl
