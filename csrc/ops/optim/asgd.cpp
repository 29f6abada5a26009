// Gradient descent with an average beside it (Polyak & Juditsky 1992).
#include <algorithm>
#include <cmath>

#include "ops/optim/update.h"

namespace rl {
namespace {

enum { lr, lambd, alpha, t0, weight_decay, maximize, kNumbers };
enum { eta, mu, steps, kState };

// The elements' constants: p = keep * p - rate * (sign * g + decay * p); average += share * (p - average).
enum { keep, rate, sign, decay, share };

void constants(const double* number, StateNumber* state, double* c) {
  c[keep] = 1 - number[lambd] * state[eta];
  c[rate] = state[eta];
  c[sign] = number[maximize] != 0 ? -1 : 1;
  c[decay] = number[weight_decay];
  c[share] = state[mu];
  const double step = state[steps];
  state[eta] = number[lr] / std::pow(1 + number[lambd] * number[lr] * step, number[alpha]);
  state[mu] = 1 / std::max(1.0, step - number[t0]);
}

template <class T> void asgd(T* const* at, i64 begin, i64 end, const double* c) {
  T *p = at[0], *average = at[2];
  const T* g = at[1];
  const T k = T(c[keep]), r = T(c[rate]), s = T(c[sign]), d = T(c[decay]), part = T(c[share]);
  const bool copies = part == 1;  // exact, and what the average was does not matter
#pragma omp simd
  for (i64 i = begin; i < end; ++i) {
    p[i] = k * p[i] - r * (s * g[i] + d * p[i]);
    average[i] = copies ? p[i] : average[i] + part * (p[i] - average[i]);
  }
}

UpdateRule rule("asgd", 3, kState, kNumbers, constants, asgd<float>, asgd<double>);

}  // namespace
}  // namespace rl
