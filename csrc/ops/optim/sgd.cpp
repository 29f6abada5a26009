// Stochastic gradient descent, without and with momentum (Sutskever et al. 2013).
#include "ops/optim/update.h"

namespace rl {
namespace {

enum { lr, momentum, dampening, weight_decay, nesterov, maximize, first, kNumbers };

// The elements' constants: gradient = sign * g + decay * p; buffer = keep * buffer + take * gradient;
// p -= lr * (of_gradient * gradient + of_buffer * buffer).
enum { rate, sign, decay, keep, take, of_gradient, of_buffer };

void constants(const double* number, StateNumber*, double* c) {
  c[rate] = number[lr];
  c[sign] = number[maximize] != 0 ? -1 : 1;
  c[decay] = number[weight_decay];
  const bool fresh = number[first] != 0;  // the buffer holds nothing yet: it becomes the gradient
  c[keep] = fresh ? 0 : number[momentum];
  c[take] = fresh ? 1 : 1 - number[dampening];
  c[of_gradient] = number[nesterov] != 0 ? 1 : 0;
  c[of_buffer] = number[nesterov] != 0 ? number[momentum] : 1;
}

template <class T> void plain(T* const* at, i64 begin, i64 end, const double* c) {
  T* p = at[0];
  const T* g = at[1];
  const T r = T(c[rate]), s = T(c[sign]), d = T(c[decay]);
#pragma omp simd
  for (i64 i = begin; i < end; ++i) p[i] -= r * (s * g[i] + d * p[i]);
}

template <class T> void with_momentum(T* const* at, i64 begin, i64 end, const double* c) {
  T *p = at[0], *buffer = at[2];
  const T* g = at[1];
  const T r = T(c[rate]), s = T(c[sign]), d = T(c[decay]), k = T(c[keep]), t = T(c[take]), og = T(c[of_gradient]),
          ob = T(c[of_buffer]);
#pragma omp simd
  for (i64 i = begin; i < end; ++i) {
    const T gradient = s * g[i] + d * p[i];
    buffer[i] = k * buffer[i] + t * gradient;
    p[i] -= r * (og * gradient + ob * buffer[i]);
  }
}

UpdateRule sgd("sgd", 2, 0, kNumbers, constants, plain<float>, plain<double>);
UpdateRule sgd_momentum("sgd_momentum", 3, 0, kNumbers, constants, with_momentum<float>, with_momentum<double>);

}  // namespace
}  // namespace rl
