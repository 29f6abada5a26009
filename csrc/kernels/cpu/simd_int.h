// L4: int64 lanes: bit operations, shifts, the integer divisions, pow, gcd.
// No lane function traps: a zero divisor gives 0 (the kernel layer has raised before) and INT64_MIN / -1 wraps around.
#pragma once
#include "kernels/cpu/simd_types.h"

namespace rl {
inline namespace RL_ISA {

RL_INLINE vint64 operator&(vint64 a, vint64 b) { return a.v & b.v; }
RL_INLINE vint64 operator|(vint64 a, vint64 b) { return a.v | b.v; }
RL_INLINE vint64 operator^(vint64 a, vint64 b) { return a.v ^ b.v; }
RL_INLINE vint64 operator~(vint64 a) { return ~a.v; }

// PyTorch's shifts: a count below 0 or above 63 shifts everything out.
RL_INLINE vint64 operator<<(vint64 a, vint64 n) {
  typedef std::uint64_t unsigned_raw __attribute__((vector_size(RL_VECTOR_BYTES)));
  const vint64 shifted = (vint64::raw)((unsigned_raw)a.v << (unsigned_raw)(n.v & 63));
  return where((n < 0) | (n > 63), 0, shifted);
}
RL_INLINE vint64 operator>>(vint64 a, vint64 n) { return a.v >> select((n < 0) | (n > 63), vint64(63), n).v; }

namespace scalar {

using std::int64_t;
using std::uint64_t;

inline int64_t wrap_negate(int64_t a) { return int64_t(-uint64_t(a)); }
inline int64_t trunc_div(int64_t a, int64_t b) { return b == 0 ? 0 : b == -1 ? wrap_negate(a) : a / b; }
inline int64_t fmod(int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }
inline int64_t remainder(int64_t a, int64_t b) {
  const int64_t r = fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
inline int64_t floor_div(int64_t a, int64_t b) {
  const int64_t q = trunc_div(a, b);
  return fmod(a, b) != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}
inline int64_t gcd(int64_t a, int64_t b) {
  while (b != 0) {
    const int64_t r = fmod(a, b);
    a = b, b = r;
  }
  return a < 0 ? wrap_negate(a) : a;
}
inline int64_t lcm(int64_t a, int64_t b) {
  const int64_t g = gcd(a, b);
  if (g == 0) return 0;
  const int64_t m = int64_t(uint64_t(trunc_div(a, g)) * uint64_t(b));
  return m < 0 ? wrap_negate(m) : m;
}
// By repeated squaring, wrapping around. A negative exponent leaves 1, -1 or 0.
inline int64_t pow(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  uint64_t result = 1, power = uint64_t(base);
  for (; exponent != 0; exponent >>= 1, power *= power) {
    if (exponent & 1) result *= power;
  }
  return int64_t(result);
}

}  // namespace scalar

// Out of line: a formula stays small, and the compiler has nothing to vectorise here.
#define RL_INT_LANES(name)                                                   \
  [[gnu::noinline]] inline vint64 name(vint64 a, vint64 b) {                 \
    std::int64_t x[vint64::lanes], y[vint64::lanes];                         \
    a.store(x), b.store(y);                                                  \
    for (int i = 0; i < vint64::lanes; ++i) x[i] = scalar::name(x[i], y[i]); \
    return vint64::load(x);                                                  \
  }
RL_INT_LANES(trunc_div)
RL_INT_LANES(floor_div)
RL_INT_LANES(fmod)
RL_INT_LANES(remainder)
RL_INT_LANES(gcd)
RL_INT_LANES(lcm)
RL_INT_LANES(pow)
#undef RL_INT_LANES
RL_INLINE vint64 floor_divide(vint64 a, vint64 b) { return floor_div(a, b); }
RL_INLINE vint64 trunc_divide(vint64 a, vint64 b) { return trunc_div(a, b); }

// Functions that leave an integer alone.
RL_INLINE vint64 floor(vint64 x) { return x; }
RL_INLINE vint64 ceil(vint64 x) { return x; }
RL_INLINE vint64 trunc(vint64 x) { return x; }
RL_INLINE vint64 round(vint64 x) { return x; }
RL_INLINE mask<std::int64_t> isnan(vint64) { return {mask<std::int64_t>::raw{}}; }
RL_INLINE mask<std::int64_t> isinf(vint64) { return {mask<std::int64_t>::raw{}}; }
RL_INLINE mask<std::int64_t> isfinite(vint64) { return {~mask<std::int64_t>::raw{}}; }

RL_EITHER_SIDE(gcd)
RL_EITHER_SIDE(lcm)

}  // namespace RL_ISA
}  // namespace rl
