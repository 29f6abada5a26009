// Distributions that take a fixed number of draws per element, one element after the other.
#include <algorithm>
#include <cmath>

#include "kernels/random.h"

namespace rl {

namespace {

constexpr i64 kChunk = 1024;  // words drawn at once: the buffer stays in the first-level cache

// The number of significand bits, the hidden one included.
template <class T> constexpr int digits() {
  if constexpr (std::is_same_v<T, float16>) return 11;
  else if constexpr (std::is_same_v<T, bfloat16>) return 8;
  else return std::numeric_limits<T>::digits;
}

template <class F> void visit_floating(const char* op, DType dtype, F&& f) {
  switch (dtype) {
    case DType::f16: return f(Type<float16>{});
    case DType::bf16: return f(Type<bfloat16>{});
    case DType::f32: return f(Type<float>{});
    case DType::f64: return f(Type<double>{});
    default:
      fail(ErrorKind::not_implemented, "[", op, "] dtype must be float16, bfloat16, float32 or float64. Received ",
           dtype, ". Draw in float32 and convert.");
  }
}

template <class F> void visit_real(const char* op, DType dtype, F&& f) {
  check(!is_complex(dtype), ErrorKind::not_implemented, "[", op, "] dtype must be real. Received ", dtype,
        ". Draw the real and the imaginary part each.");
  visit(dtype, [&]<class T>(Type<T> type) {
    if constexpr (!is_complex_type<T>) f(type);
  });
}

// out[i] = f(word): 32 bits per element.
template <class T, class F> void map32(T* out, i64 n, Generator& generator, F&& f) {
  std::uint32_t words[kChunk];
  for (i64 done = 0; done < n; done += kChunk) {
    i64 count = std::min(kChunk, n - done);
    generator.random(words, count);
    for (i64 i = 0; i < count; ++i) out[done + i] = f(words[i]);
  }
}

// out[i] = f(word): 64 bits per element, the first draw being the high half.
template <class T, class F> void map64(T* out, i64 n, Generator& generator, F&& f) {
  std::uint32_t words[2 * kChunk];
  for (i64 done = 0; done < n; done += kChunk) {
    i64 count = std::min(kChunk, n - done);
    generator.random(words, 2 * count);
    for (i64 i = 0; i < count; ++i) {
      out[done + i] = f(static_cast<std::uint64_t>(words[2 * i]) << 32 | words[2 * i + 1]);
    }
  }
}

// Signed conversions, because the vector instructions have no others.
inline float unit_float(std::uint32_t word) {
  return static_cast<float>(static_cast<std::int32_t>(word & 0xffffffu)) * 0x1p-24f;
}
inline double unit_double(std::uint64_t word) {
  return static_cast<double>(static_cast<i64>(word & 0x1fffffffffffffULL)) * 0x1p-53;
}

// out[i] = f(u) with u uniform in [0, 1), a double whatever the element type is.
template <class T, class F> void map_unit(T* out, i64 n, Generator& generator, F&& f) {
  map64(out, n, generator, [&](std::uint64_t word) { return cast<T>(f(unit_double(word))); });
}

void check_probability(const char* op, double p) {
  check(p >= 0.0 && p <= 1.0, ErrorKind::runtime, "[", op, "] p must hold 0 <= p <= 1. Received p=", p,
        ". Pass a probability.");
}

// out[i] = from + word % range, with 64 bits per element from a range of 2^28 on: below it the modulus favours no value
// by more than 2^-4 of its share.
template <class T> void map_range(T* out, i64 n, std::uint64_t range, i64 from, Generator& generator) {
  auto shift = [=](std::uint64_t remainder) {
    return cast<T>(static_cast<i64>(remainder + static_cast<std::uint64_t>(from)));
  };
  if (range >= 1ULL << 28) return map64(out, n, generator, [=](std::uint64_t word) { return shift(word % range); });
  auto narrow = static_cast<std::uint32_t>(range);
  map32(out, n, generator, [=](std::uint32_t word) { return shift(word % narrow); });
}

// The bounds that random_ accepts for T: its own range. float32, float64 and bfloat16 hold every int64.
template <class T> void check_range(DType dtype, i64 from, i64 last) {
  if constexpr (std::is_integral_v<T>) {
    auto low = static_cast<i64>(std::numeric_limits<T>::lowest());
    auto high = static_cast<i64>(std::numeric_limits<T>::max());
    check(from >= low && from <= high, ErrorKind::runtime, "[random_] from must be within ", dtype, "'s range [", low,
          ", ", high, "]. Received ", from, ". Use a wider dtype.");
    check(last >= low && last <= high, ErrorKind::runtime, "[random_] to - 1 must be within ", dtype, "'s range [", low,
          ", ", high, "]. Received ", last, ". Use a wider dtype.");
  } else if constexpr (std::is_same_v<T, float16>) {
    check(std::abs(static_cast<double>(from)) <= 65504.0 && std::abs(static_cast<double>(last)) <= 65504.0,
          ErrorKind::runtime,
          "[random_] from and to - 1 must be within float16's range [-65504, 65504]. Received from=", from,
          ", to - 1=", last, ". Use a wider dtype.");
  }
}

// Above 2^digits not every integer is a T, and rounding may leave [from, to). These move the bounds to the neighbouring
// T that stays inside.
template <class T> i64 spacing(i64 at) {
  int exponent = std::bit_width(static_cast<std::uint64_t>(at < 0 ? -at : at)) - 1;
  return i64{1} << std::max(exponent - digits<T>() + 1, 0);
}
template <class T> i64 representable_from(i64 from) {
  i64 next = cast<i64>(cast<T>(from + 1));
  return next < from ? next + spacing<T>(from + 1) : from;
}
template <class T> i64 representable_to(i64 to) {
  i64 previous = cast<i64>(cast<T>(to - 1));
  return previous >= to ? previous - spacing<T>(to - 1) : to;
}

}  // namespace

void fill_uniform(DType dtype, void* out, i64 n, double from, double to, Generator& generator) {
  check(from <= to, ErrorKind::runtime, "[uniform_] from must be <= to. Received from=", from, " and to=", to,
        ". Swap the bounds.");
  if (is_complex(dtype)) {
    n *= 2;
    dtype = to_real(dtype);
  }
  visit_floating("uniform_", dtype, [&]<class T>(Type<T>) {
    check(to - from <= static_cast<double>(dtype == DType::f16 ? 65504.0f : std::numeric_limits<float>::max()) ||
              dtype == DType::f64 || dtype == DType::bf16,
          ErrorKind::runtime, "[uniform_] to - from must be at most ", dtype, "'s largest value. Received from=", from,
          " and to=", to, ". Narrow the interval.");
    T* elements = static_cast<T*>(out);
    // The rounded result may reach `to`, which is outside: it becomes `from`.
    T low = cast<T>(from), high = cast<T>(to);
    if constexpr (std::is_same_v<T, double>) {
      map64(elements, n, generator, [=, width = to - from](std::uint64_t word) {
        double value = std::fma(unit_double(word), width, from);
        return value >= to ? from : value;
      });
    } else {  // the half types too draw 24 bits and compute in float
      float base = static_cast<float>(from), width = static_cast<float>(to) - base;
      map32(elements, n, generator, [=](std::uint32_t word) {
        T value = T(std::fma(unit_float(word), width, base));
        return value >= high ? low : value;
      });
    }
  });
}

void fill_exponential(DType dtype, void* out, i64 n, double lambd, Generator& generator) {
  check(lambd > 0.0, ErrorKind::runtime, "[exponential_] lambd must be > 0.0. Received ", lambd,
        ". Pass a positive rate.");
  visit_floating("exponential_", dtype, [&]<class T>(Type<T>) {
    double scale = -1.0 / lambd;
    map_unit(static_cast<T*>(out), n, generator, [=](double u) { return scale * std::log1p(-u); });
  });
}

void fill_cauchy(DType dtype, void* out, i64 n, double median, double sigma, Generator& generator) {
  check(sigma > 0.0, ErrorKind::runtime, "[cauchy_] sigma must be > 0.0. Received ", sigma, ". Pass a positive scale.");
  visit_floating("cauchy_", dtype, [&]<class T>(Type<T>) {
    map_unit(static_cast<T*>(out), n, generator,
             [=](double u) { return std::fma(sigma, std::tan(3.14159265358979323846 * (u - 0.5)), median); });
  });
}

void fill_log_normal(DType dtype, void* out, i64 n, double mean, double std, Generator& generator) {
  check(std > 0.0, ErrorKind::runtime, "[log_normal_] std must be > 0.0. Received ", std, ". Pass a positive std.");
  visit_floating("log_normal_", dtype, [&]<class T>(Type<T>) {
    T* elements = static_cast<T*>(out);
    for (i64 i = 0; i < n; ++i) elements[i] = cast<T>(std::exp(std::fma(generator.normal(), std, mean)));
  });
}

void fill_geometric(DType dtype, void* out, i64 n, double p, Generator& generator) {
  check(p > 0.0 && p < 1.0, ErrorKind::runtime, "[geometric_] p must hold 0 < p < 1. Received p=", p,
        ". Pass a probability strictly inside.");
  visit_real("geometric_", dtype, [&]<class T>(Type<T>) {
    double log_failure = std::log1p(-p);
    map_unit(static_cast<T*>(out), n, generator, [=](double u) { return std::ceil(std::log(u) / log_failure); });
  });
}

void fill_bernoulli(DType dtype, void* out, i64 n, double p, Generator& generator) {
  check_probability("bernoulli_", p);
  visit_real("bernoulli_", dtype, [&]<class T>(Type<T>) {
    map_unit(static_cast<T*>(out), n, generator, [=](double u) { return u < p ? 1.0f : 0.0f; });
  });
}

void fill_bernoulli_tensor(DType dtype, void* out, i64 n, DType p_dtype, const void* p, Generator& generator) {
  visit_floating("bernoulli_", p_dtype, [&]<class P>(Type<P>) {
    const P* probabilities = static_cast<const P*>(p);
    for (i64 i = 0; i < n; ++i) check_probability("bernoulli_", static_cast<double>(probabilities[i]));
    visit_real("bernoulli_", dtype, [&]<class T>(Type<T>) {
      T* elements = static_cast<T*>(out);
      i64 i = 0;
      if constexpr (std::is_same_v<P, double>) {
        map_unit(elements, n, generator, [&](double u) { return u < probabilities[i++] ? 1.0f : 0.0f; });
      } else {  // one word of 24 bits, against the probability in float
        map32(elements, n, generator, [&](std::uint32_t word) {
          return cast<T>(unit_float(word) < static_cast<float>(probabilities[i++]) ? 1.0f : 0.0f);
        });
      }
    });
  });
}

void fill_random(DType dtype, void* out, i64 n, Generator& generator) {
  visit_real("random_", dtype, [&]<class T>(Type<T>) {
    T* elements = static_cast<T*>(out);
    if constexpr (std::is_same_v<T, double>) {
      map64(elements, n, generator,
            [](std::uint64_t word) { return static_cast<double>(static_cast<i64>(word % ((1ULL << 53) + 1))); });
    } else if constexpr (std::is_same_v<T, i64>) {
      map64(elements, n, generator, [](std::uint64_t word) { return static_cast<i64>(word & ~(1ULL << 63)); });
    } else if constexpr (std::is_integral_v<T>) {  // max + 1 is a power of two
      map32(elements, n, generator, [](std::uint32_t word) {
        return static_cast<T>(word & static_cast<std::uint32_t>(std::numeric_limits<T>::max()));
      });
    } else {
      map32(elements, n, generator,
            [](std::uint32_t word) { return cast<T>(static_cast<float>(word % ((1u << digits<T>()) + 1))); });
    }
  });
}

void fill_random_from_to(DType dtype, void* out, i64 n, i64 from, i64 to, Generator& generator) {
  check(from < to, ErrorKind::runtime, "[random_] from must be below to. Received from=", from, " and to=", to,
        ". Widen the range.");
  visit_real("random_", dtype, [&]<class T>(Type<T>) {
    if constexpr (!std::is_integral_v<T>) {
      from = representable_from<T>(from);
      to = representable_to<T>(to);
      check(from < to, ErrorKind::runtime, "[random_] ", dtype, " must have a value in the range. Received from=", from,
            " and to=", to, " after rounding to it. Use a wider dtype.");
    }
    check_range<T>(dtype, from, to - 1);
    std::uint64_t range = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
    map_range(static_cast<T*>(out), n, range, from, generator);
  });
}

void fill_random_from(DType dtype, void* out, i64 n, i64 from, Generator& generator) {
  visit_real("random_", dtype, [&]<class T>(Type<T>) {
    T* elements = static_cast<T*>(out);
    if (from == std::numeric_limits<i64>::min()) {
      check(sizeof(T) == 8 || dtype == DType::f32 || dtype == DType::bf16, ErrorKind::runtime,
            "[random_] the whole 64-bit range needs int64, float64, float32 or bfloat16. Received ", dtype,
            ". Use random_() for the dtype's own range.");
      return map64(elements, n, generator, [](std::uint64_t word) { return cast<T>(static_cast<i64>(word)); });
    }
    i64 last;
    if constexpr (std::is_integral_v<T>) {
      last = static_cast<i64>(std::numeric_limits<T>::max());
    } else {
      last = i64{1} << digits<T>();
      check(from < std::numeric_limits<i64>::max(), ErrorKind::runtime,
            "[random_] from must be below 2**63 - 1. Received ", from, ". Lower it.");
      from = representable_from<T>(from);
      check(from < last, ErrorKind::runtime, "[random_] from must be below ", last, ", the last integer of ", dtype,
            " without gaps. Received ", from, ". Pass to as well.");
    }
    check_range<T>(dtype, from, last);
    map_range(elements, n, static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(from) + 1, from, generator);
  });
}

void fill_randperm(DType dtype, void* out, i64 n, Generator& generator) {
  check(n >= 0, ErrorKind::runtime, "[randperm] n must be non-negative. Received ", n, ". Pass a count.");
  visit_real("randperm", dtype, [&]<class T>(Type<T>) {
    T* elements = static_cast<T*>(out);
    if (n >= i64{0xffffffff} / 20) {  // a 32-bit modulus would be uneven: 64 bits, and Fisher-Yates "inside out"
      for (i64 i = 0; i < n; ++i) {
        auto j = static_cast<i64>(generator.random64() % static_cast<std::uint64_t>(i + 1));
        elements[i] = elements[j];
        elements[j] = cast<T>(i);
      }
      return;
    }
    for (i64 i = 0; i < n; ++i) elements[i] = cast<T>(i);
    for (i64 i = 0; i < n - 1; ++i) {  // Fisher-Yates from the front
      std::swap(elements[i], elements[i + generator.random() % static_cast<std::uint32_t>(n - i)]);
    }
  });
}

}  // namespace rl
