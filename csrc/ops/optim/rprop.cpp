// Resilient backpropagation (Riedmiller & Braun 1993): steps grow while a gradient keeps its sign.
#include "ops/optim/update.h"

namespace rl {
namespace {

enum { shorter, longer, least, most, maximize, kNumbers };

void constants(const double* number, StateNumber*, double* c) {
  for (int k = 0; k < kNumbers; ++k) c[k] = number[k];
  c[maximize] = number[maximize] != 0 ? -1 : 1;
}

template <class T> void rprop(T* const* at, i64 begin, i64 end, const double* c) {
  T *p = at[0], *before = at[2], *size = at[3];
  const T* g = at[1];
  const T down = T(c[shorter]), up = T(c[longer]), low = T(c[least]), high = T(c[most]), sign = T(c[maximize]);
#pragma omp simd
  for (i64 i = begin; i < end; ++i) {
    T gradient = sign * g[i];
    const T agreement = gradient * before[i];
    T step = size[i] * (agreement > 0 ? up : agreement < 0 ? down : T(1));
    step = step < low ? low : step > high ? high : step;
    gradient = agreement < 0 ? T(0) : gradient;  // the sign changed: no step now
    size[i] = step;
    before[i] = gradient;
    p[i] -= gradient > 0 ? step : gradient < 0 ? -step : T(0);
  }
}

UpdateRule rule("rprop", 4, 1, kNumbers, constants, rprop<float>, rprop<double>);

}  // namespace
}  // namespace rl
