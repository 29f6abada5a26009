// Sums, maxima and exponentials of stretches of floats, on vec<T>.
#pragma once
#include "kernels/cpu/simd.h"

namespace rl {
inline namespace RL_ISA {

template <class T> RL_INLINE vec<T> load_up_to(const T* p, std::int64_t n) {
  return n >= vec<T>::lanes ? vec<T>::load(p) : load_part(p, static_cast<std::size_t>(n));
}
template <class T> RL_INLINE void store_up_to(T* p, vec<T> v, std::int64_t n) {
  if (n >= vec<T>::lanes) v.store(p);
  else store_part(p, v, static_cast<std::size_t>(n));
}
template <class T> RL_INLINE T sum_lanes(vec<T> v, std::int64_t n) {
  T s = 0;
  for (int k = 0; k < std::min<std::int64_t>(n, vec<T>::lanes); ++k) s += v[k];
  return s;
}

// sum over i of f(i, lanes left): whole vectors in four chains, the tail behind them.
template <class T, class F> RL_INLINE T sum_of(std::int64_t n, F&& f) {
  constexpr std::int64_t L = vec<T>::lanes;
  vec<T> part[4] = {0., 0., 0., 0.};
  std::int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L)
    for (int k = 0; k < 4; ++k) part[k] += f(i + k * L, L);
  for (; i + L <= n; i += L) part[0] += f(i, L);
  T s = sum_lanes((part[0] + part[1]) + (part[2] + part[3]), L);
  if (i < n) s += sum_lanes<T>(f(i, n - i), n - i);
  return s;
}

template <class T> RL_INLINE T largest(const T* x, std::int64_t n) {
  constexpr std::int64_t L = vec<T>::lanes;
  vec<T> m(-std::numeric_limits<T>::infinity());
  std::int64_t i = 0;
  for (; i + L <= n; i += L) {
    vec<T> v = vec<T>::load(x + i);
    m = select(v > m, v, m);
  }
  T best = m[0];
  for (int k = 1; k < L; ++k) best = m[k] > best ? m[k] : best;
  for (; i < n; ++i) best = x[i] > best ? x[i] : best;
  return best;
}

template <class T, class F> RL_INLINE void for_vectors(std::int64_t n, F&& f) {
  constexpr std::int64_t L = vec<T>::lanes;
  std::int64_t i = 0;
  for (; i + L <= n; i += L) f(i, L);
  if (i < n) f(i, n - i);
}

// y = softmax(x) or log_softmax(x); y may be x. Returns log(sum(exp(x))).
template <bool logarithm, class T> T softmax_row(const T* x, T* y, std::int64_t n) {
  T high = largest(x, n);
  T sum = sum_of<T>(n, [&](std::int64_t i, std::int64_t left) __attribute__((always_inline)) {
    vec<T> e = exp(load_up_to(x + i, left) - vec<T>(high));
    if (!logarithm) store_up_to(y + i, e, left);
    return e;
  });
  T log_sum = high + std::log(sum), factor = T(1) / sum, log_rest = std::log(sum);
  for_vectors<T>(n, [&](std::int64_t i, std::int64_t left) __attribute__((always_inline)) {
    vec<T> v = logarithm ? load_up_to(x + i, left) - vec<T>(high) - vec<T>(log_rest)
                         : load_up_to(y + i, left) * vec<T>(factor);
    store_up_to(y + i, v, left);
  });
  return log_sum;
}

template <class T> T log_sum_exp(const T* x, std::int64_t n) {
  T high = largest(x, n);
  if (std::isinf(high)) high = 0;
  return high + std::log(sum_of<T>(n, [&](std::int64_t i, std::int64_t left) __attribute__((always_inline)) {
           return exp(load_up_to(x + i, left) - vec<T>(high));
         }));
}

}  // namespace RL_ISA
}  // namespace rl
