// Distributions by rejection: the number of draws depends on the values drawn.
//
// No fused multiply-add: torch compiles these for plain x86-64, and a sample's last bits would differ.
#if defined(__clang__)
#pragma clang fp contract(off)
#else
#pragma GCC optimize("fp-contract=off")
#endif
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/random.h"

namespace rl {

namespace {

double uniform(Generator& generator) {
  return static_cast<double>(generator.random64() & 0x1fffffffffffffULL) * 0x1p-53;
}

template <class F> void visit_floating(const char* op, DType dtype, F&& f) {
  check(is_floating(dtype), ErrorKind::not_implemented, "[", op, "] dtype must be floating. Received ", dtype,
        ". Convert the parameters to float32.");
  visit(dtype, [&]<class T>(Type<T> type) {
    if constexpr (is_half_type<T> || std::is_floating_point_v<T>) f(type);
  });
}

template <class T> double smallest_normal() {
  if constexpr (std::is_same_v<T, float16>) return 0x1p-14;
  else if constexpr (std::is_same_v<T, bfloat16>) return 0x1p-126;
  else return std::numeric_limits<T>::min();
}

// The largest T below 1.
template <class T> double below_one() {
  if constexpr (std::is_same_v<T, float16>) return 1.0 - 0x1p-11;
  else if constexpr (std::is_same_v<T, bfloat16>) return 1.0 - 0x1p-8;
  else return 1.0 - std::numeric_limits<T>::epsilon() / 2;
}

// From rate 10 on: W. Hormann 1993, "The transformed rejection method for generating Poisson random variables" (PTRS).
// Below: the number of uniforms whose product stays above exp(-rate).
double poisson(double rate, Generator& generator) {
  if (rate == 0.0) return 0.0;
  if (rate < 10.0) {
    double limit = std::exp(-rate), product = 1.0, count = 0.0;
    while ((product *= uniform(generator)) > limit) ++count;
    return count;
  }
  double log_rate = std::log(rate);
  double b = 0.931 + 2.53 * std::sqrt(rate), a = -0.059 + 0.02483 * b;
  double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2.0);
  for (;;) {
    double u = uniform(generator) - 0.5, v = uniform(generator);
    double us = 0.5 - std::abs(u);
    double k = std::floor((2.0 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0.0 || (us < 0.013 && v > us)) continue;
    double candidate = std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b);
    if (candidate <= -rate + k * log_rate - std::lgamma(k + 1.0)) return k;
  }
}

// log(k!) less its Stirling approximation.
double stirling_remainder(double k) {
  static constexpr double kTable[] = {0.0810614667953272,  0.0413406959554092, 0.0276779256849983, 0.02079067210376509,
                                      0.0166446911898211,  0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
                                      0.00925546218271273, 0.00833056343336287};
  if (k <= 9.0) return kTable[static_cast<int>(k)];
  double square = (k + 1.0) * (k + 1.0);
  return (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / square) / square) / (k + 1.0);
}

// W. Hormann 1993, "The generation of binomial random variates" (BTRS), for p <= 0.5 and count * p >= 10.
// Expressions in count and p alone are of their type T, everything else is double.
template <class T> double binomial_rejection(T count, T p, Generator& generator) {
  double deviation = std::sqrt(count * p * (1 - p));
  double b = 1.15 + 2.53 * deviation, a = -0.0873 + 0.0248 * b + 0.01 * p;
  double c = count * p + 0.5, v_r = 0.92 - 4.2 / b, ratio = p / (1 - p);
  double alpha = (2.83 + 5.1 / b) * deviation, mode = std::floor((count + 1) * p);
  for (;;) {
    double u = uniform(generator) - 0.5, v = uniform(generator);
    double us = 0.5 - std::abs(u);
    double k = std::floor((2.0 * a / us + b) * u + c);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0.0 || k > count) continue;
    double bound = (mode + 0.5) * std::log((mode + 1.0) / (ratio * (count - mode + 1.0))) +
                   (count + 1) * std::log((count - mode + 1.0) / (count - k + 1.0)) +
                   (k + 0.5) * std::log(ratio * (count - k + 1.0) / (k + 1.0)) + stirling_remainder(mode) +
                   stirling_remainder(count - mode) - stirling_remainder(k) - stirling_remainder(count - k);
    if (std::log(v * alpha / (a / (us * us) + b)) <= bound) return k;
  }
}

// Waiting times: how many geometric steps fit into count.
template <class T> double binomial_waiting(T count, T p, Generator& generator) {
  double log_failure = std::log1p(-p), total = 0.0, successes = 0.0;
  for (;;) {
    total += std::ceil(std::log(uniform(generator)) / log_failure);
    if (total > count) return successes;
    ++successes;
  }
}

template <class T> double binomial(T count, T p, Generator& generator) {
  if (count <= 0 || p <= 0) return 0.0;
  if (p >= 1) return count;
  if (p > T(0.5)) return count - binomial<T>(count, 1 - p, generator);
  if (!(p <= T(0.5))) return std::numeric_limits<double>::quiet_NaN();
  return count * p >= 10 ? binomial_rejection(count, p, generator) : binomial_waiting(count, p, generator);
}

// G. Marsaglia & W. Tsang 2000, "A simple method for generating gamma variables"; alpha < 1 by their
// power of a uniform. Expressions in alpha alone are of its type T, one third is a float, as in torch.
template <class T> double standard_gamma(T alpha, Generator& generator) {
  double scale = 1.0;
  if (alpha < 1) {
    if (alpha == 0) return 0.0;
    scale = std::pow(1.0 - uniform(generator), 1 / alpha);
    alpha += 1;
  }
  double d = alpha - 1.0f / 3.0f, c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    double x, y;
    do {
      x = generator.normal();
      y = 1.0 + c * x;
    } while (y <= 0.0);
    double v = y * y * y, u = 1.0 - uniform(generator), square = x * x;
    if (u < 1.0 - 0.0331 * square * square) return scale * d * v;
    if (std::log(u) < 0.5 * square + d * (1.0 - v + std::log(v))) return scale * d * v;
  }
}

}  // namespace

void fill_poisson(DType dtype, void* out, i64 n, const void* rate, Generator& generator) {
  visit_floating("poisson", dtype, [&]<class T>(Type<T>) {
    const T* rates = static_cast<const T*>(rate);
    for (i64 i = 0; i < n; ++i) {
      double value = static_cast<double>(rates[i]);
      check(value >= 0.0 && std::isfinite(value), ErrorKind::runtime,
            "[poisson] rates must be finite and >= 0. Received ", value, " at element ", i, ". Clamp the input.");
      static_cast<T*>(out)[i] = cast<T>(poisson(value, generator));
    }
  });
}

void fill_binomial(DType dtype, void* out, i64 n, const void* count, const void* p, Generator& generator) {
  visit_floating("binomial", dtype, [&]<class T>(Type<T>) {
    for (i64 i = 0; i < n; ++i) {
      using Real = std::conditional_t<is_half_type<T>, float, T>;
      Real trials = static_cast<const T*>(count)[i], probability = static_cast<const T*>(p)[i];
      check(std::isfinite(trials), ErrorKind::runtime, "[binomial] counts must be finite. Received ",
            static_cast<double>(trials), " at element ", i, ". Replace it.");
      static_cast<T*>(out)[i] = cast<T>(binomial(trials, probability, generator));
    }
  });
}

void fill_standard_gamma(DType dtype, void* out, i64 n, const void* alpha, Generator& generator) {
  visit_floating("_standard_gamma", dtype, [&]<class T>(Type<T>) {
    for (i64 i = 0; i < n; ++i) {
      using Real = std::conditional_t<is_half_type<T>, float, T>;
      Real concentration = static_cast<const T*>(alpha)[i];
      check(concentration >= 0.0 && std::isfinite(concentration), ErrorKind::runtime,
            "[_standard_gamma] alpha must be finite and >= 0. Received ", concentration, " at element ", i,
            ". Clamp the input.");
      static_cast<T*>(out)[i] = cast<T>(std::max(smallest_normal<T>(), standard_gamma(concentration, generator)));
    }
  });
}

void fill_dirichlet(DType dtype, void* out, i64 rows, i64 categories, const void* alpha, Generator& generator) {
  visit_floating("_sample_dirichlet", dtype, [&]<class T>(Type<T>) {
    // All gammas come first, in double and above zero; then each row is divided by its sum.
    std::vector<double> gamma(static_cast<std::size_t>(rows * categories));
    for (i64 i = 0; i < rows * categories; ++i) {
      double concentration = static_cast<double>(static_cast<const T*>(alpha)[i]);
      check(concentration >= 0.0 && std::isfinite(concentration), ErrorKind::runtime,
            "[_sample_dirichlet] concentrations must be finite and >= 0. Received ", concentration, " at element ", i,
            ". Clamp the input.");
      gamma[i] = std::max(smallest_normal<double>(), standard_gamma(concentration, generator));
    }
    for (i64 r = 0; r < rows; ++r) {
      const double* row = gamma.data() + r * categories;
      double total = 0.0;
      for (i64 k = 0; k < categories; ++k) total += row[k];
      for (i64 k = 0; k < categories; ++k) {
        double share = std::clamp(row[k] / total, smallest_normal<T>(), below_one<T>());
        static_cast<T*>(out)[r * categories + k] = cast<T>(share);
      }
    }
  });
}

}  // namespace rl
