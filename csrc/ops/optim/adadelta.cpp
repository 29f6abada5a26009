// Adadelta (Zeiler 2012).
#include <cmath>

#include "ops/optim/update.h"

namespace rl {
namespace {

enum { lr, rho, eps, weight_decay, maximize, kNumbers };
enum { rate, sign, decay, keep, take, epsilon };

void constants(const double* number, StateNumber*, double* c) {
  c[rate] = number[lr];
  c[sign] = number[maximize] != 0 ? -1 : 1;
  c[decay] = number[weight_decay];
  c[keep] = number[rho];
  c[take] = 1 - number[rho];
  c[epsilon] = number[eps];
}

template <class T> void adadelta(T* const* at, i64 begin, i64 end, const double* c) {
  T *p = at[0], *square = at[2], *moved = at[3];
  const T* g = at[1];
  const T r = T(c[rate]), s = T(c[sign]), d = T(c[decay]), k = T(c[keep]), t = T(c[take]), e = T(c[epsilon]);
#pragma omp simd
  for (i64 i = begin; i < end; ++i) {
    const T gradient = s * g[i] + d * p[i];
    square[i] = k * square[i] + t * gradient * gradient;
    const T step = std::sqrt(moved[i] + e) / std::sqrt(square[i] + e) * gradient;
    moved[i] = k * moved[i] + t * step * step;
    p[i] -= r * step;
  }
}

UpdateRule rule("adadelta", 4, 1, kNumbers, constants, adadelta<float>, adadelta<double>);

}  // namespace
}  // namespace rl
