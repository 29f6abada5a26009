// RMSprop (Tieleman & Hinton 2012), with momentum and centred (Graves 2013).
#include <cmath>

#include "ops/optim/update.h"

namespace rl {
namespace {

enum { lr, alpha, eps, weight_decay, momentum, maximize, kNumbers };
enum { rate, sign, decay, keep, take, epsilon, inertia };

void constants(const double* number, StateNumber*, double* c) {
  c[rate] = number[lr];
  c[sign] = number[maximize] != 0 ? -1 : 1;
  c[decay] = number[weight_decay];
  c[keep] = number[alpha];
  c[take] = 1 - number[alpha];
  c[epsilon] = number[eps];
  c[inertia] = number[momentum];
}

template <class T, bool Momentum, bool Centered> void rmsprop(T* const* at, i64 begin, i64 end, const double* c) {
  T *p = at[0], *square = at[2], *buffer = at[Momentum ? 3 : 2], *mean = at[Centered ? 3 + Momentum : 2];
  const T* g = at[1];
  const T r = T(c[rate]), s = T(c[sign]), d = T(c[decay]), k = T(c[keep]), t = T(c[take]), e = T(c[epsilon]),
          m = T(c[inertia]);
#pragma omp simd
  for (i64 i = begin; i < end; ++i) {
    const T gradient = s * g[i] + d * p[i];
    T variance = square[i] = k * square[i] + t * gradient * gradient;
    if constexpr (Centered) {
      mean[i] += t * (gradient - mean[i]);
      variance -= mean[i] * mean[i];
    }
    T step = gradient / (std::sqrt(variance) + e);
    if constexpr (Momentum) step = buffer[i] = m * buffer[i] + step;
    p[i] -= r * step;
  }
}

UpdateRule plain("rmsprop", 3, 1, kNumbers, constants, rmsprop<float, false, false>, rmsprop<double, false, false>);
UpdateRule with_momentum("rmsprop_momentum", 4, 1, kNumbers, constants, rmsprop<float, true, false>,
                         rmsprop<double, true, false>);
UpdateRule centered("rmsprop_centered", 4, 1, kNumbers, constants, rmsprop<float, false, true>,
                    rmsprop<double, false, true>);
UpdateRule both("rmsprop_momentum_centered", 5, 1, kNumbers, constants, rmsprop<float, true, true>,
                rmsprop<double, true, true>);

}  // namespace
}  // namespace rl
