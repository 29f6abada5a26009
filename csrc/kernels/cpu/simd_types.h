// L4: vec<T> and mask<T>. All lanes of a vec go through the same code, full or partial, so the value of an element
// never depends on where it stands. Everything lives in an inline namespace named after the instruction set: objects
// built for several of them never share a function (the linker would keep one of them, and an older machine would meet
// unknown instructions).
#pragma once
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define RL_VECTOR_BYTES 64
#ifndef RL_ISA
#define RL_ISA v4
#endif
#elif defined(__AVX2__) && defined(__FMA__)
#define RL_VECTOR_BYTES 32
#ifndef RL_ISA
#define RL_ISA v3
#endif
#else
#define RL_VECTOR_BYTES 16
#ifndef RL_ISA
#define RL_ISA portable
#endif
#endif

// The polynomial versions of the elementary functions count on fused multiply-add.
#if RL_VECTOR_BYTES > 16 || defined(__ARM_FEATURE_FMA)
#define RL_FUSED 1
#else
#define RL_FUSED 0
#endif

#define RL_INLINE inline __attribute__((always_inline))

namespace rl {
inline namespace RL_ISA {

using complex128 = std::complex<double>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
struct lane_int {
  using type = std::int64_t;
};
template <>
struct lane_int<float> {
  using type = std::int32_t;
};

template <class T>
concept number = std::is_arithmetic_v<T>;
template <class T>
concept floating = std::is_same_v<T, float> || std::is_same_v<T, double>;

template <class T>
struct vec;

// The result of a comparison: each lane is all ones or all zeros. mask<complex128> has as many lanes as mask<double>.
template <class T>
struct mask {
  using lane = typename lane_int<T>::type;
  using unit = std::conditional_t<std::is_same_v<T, complex128>, double, T>;
  typedef lane raw __attribute__((vector_size(RL_VECTOR_BYTES)));
  static constexpr int lanes = RL_VECTOR_BYTES / sizeof(lane);

  raw m;

  RL_INLINE bool operator[](int i) const { return m[i] != 0; }
  template <class F>
  static RL_INLINE mask from_lanes(F f) {
    mask r;
    for (int i = 0; i < lanes; ++i) r.m[i] = -lane(f(i) ? 1 : 0);
    return r;
  }

  friend RL_INLINE mask operator&(mask a, mask b) { return {a.m & b.m}; }
  friend RL_INLINE mask operator|(mask a, mask b) { return {a.m | b.m}; }
  friend RL_INLINE mask operator^(mask a, mask b) { return {a.m ^ b.m}; }
  friend RL_INLINE mask operator!(mask a) { return {~a.m}; }
  friend RL_INLINE mask operator==(mask a, mask b) { return {~(a.m ^ b.m)}; }
  friend RL_INLINE mask operator!=(mask a, mask b) { return {a.m ^ b.m}; }

  // Hidden friends, so that a number on either side becomes a vec.
  friend RL_INLINE vec<T> where(mask c, vec<T> a, vec<T> b) { return select(c, a, b); }
  friend RL_INLINE mask where(mask c, mask a, mask b) { return {(c.m & a.m) | (~c.m & b.m)}; }

  friend RL_INLINE bool any(mask c) {
#if RL_VECTOR_BYTES == 64
    return _mm512_test_epi64_mask((__m512i)c.m, (__m512i)c.m) != 0;
#elif RL_VECTOR_BYTES == 32
    return !_mm256_testz_si256((__m256i)c.m, (__m256i)c.m);
#else
    typedef std::int64_t pair __attribute__((vector_size(16)));
    return (((pair)c.m)[0] | ((pair)c.m)[1]) != 0;
#endif
  }
  friend RL_INLINE bool all(mask c) { return !any(!c); }
};

// float, double, int64
template <class T>
struct vec {
  typedef T raw __attribute__((vector_size(RL_VECTOR_BYTES)));
  using value_type = T;
  using Mask = mask<T>;
  static constexpr int lanes = RL_VECTOR_BYTES / sizeof(T);

  raw v;

  vec() = default;
  RL_INLINE vec(raw x) : v(x) {}
  // x - 0 keeps the sign of -0, which x + 0 would lose.
  template <number S>
  RL_INLINE vec(S x) : v(T(x) - raw{}) {}

  RL_INLINE T operator[](int i) const { return v[i]; }
  RL_INLINE void set(int i, T x) { v[i] = x; }
  template <class F>
  static RL_INLINE vec from_lanes(F f) {
    vec r;
    for (int i = 0; i < lanes; ++i) r.v[i] = T(f(i));
    return r;
  }

  static RL_INLINE vec load(const T* p) {
    vec r;
    std::memcpy(&r.v, p, sizeof r.v);
    return r;
  }
  RL_INLINE void store(T* p) const { std::memcpy(p, &v, sizeof v); }

  friend RL_INLINE vec operator+(vec a, vec b) { return wrap(unwrap(a) + unwrap(b)); }
  friend RL_INLINE vec operator-(vec a, vec b) { return wrap(unwrap(a) - unwrap(b)); }
  friend RL_INLINE vec operator*(vec a, vec b) { return wrap(unwrap(a) * unwrap(b)); }
  friend RL_INLINE vec operator-(vec a) { return wrap(-unwrap(a)); }
  friend RL_INLINE vec operator+(vec a) { return a; }
  friend RL_INLINE vec operator/(vec a, vec b) {
    if constexpr (floating<T>) {
      return a.v / b.v;
    } else {
      return trunc_div(a, b);
    }
  }
  friend RL_INLINE vec& operator+=(vec& a, vec b) { return a = a + b; }
  friend RL_INLINE vec& operator-=(vec& a, vec b) { return a = a - b; }
  friend RL_INLINE vec& operator*=(vec& a, vec b) { return a = a * b; }
  friend RL_INLINE vec& operator/=(vec& a, vec b) { return a = a / b; }

  friend RL_INLINE Mask operator<(vec a, vec b) { return {(typename Mask::raw)(a.v < b.v)}; }
  friend RL_INLINE Mask operator>(vec a, vec b) { return {(typename Mask::raw)(a.v > b.v)}; }
  friend RL_INLINE Mask operator<=(vec a, vec b) { return {(typename Mask::raw)(a.v <= b.v)}; }
  friend RL_INLINE Mask operator>=(vec a, vec b) { return {(typename Mask::raw)(a.v >= b.v)}; }
  friend RL_INLINE Mask operator==(vec a, vec b) { return {(typename Mask::raw)(a.v == b.v)}; }
  friend RL_INLINE Mask operator!=(vec a, vec b) { return {(typename Mask::raw)(a.v != b.v)}; }

  // The lanes' bits as integers, and back.
  RL_INLINE typename Mask::raw bits() const { return (typename Mask::raw)v; }
  static RL_INLINE vec from_bits(typename Mask::raw b) { return vec((raw)b); }

 private:
  // int64 arithmetic wraps around, as PyTorch's does: it is done on unsigned lanes, where overflow is defined.
  using work_lane = std::conditional_t<floating<T>, T, std::uint64_t>;
  typedef work_lane work __attribute__((vector_size(RL_VECTOR_BYTES)));
  static RL_INLINE work unwrap(vec a) { return (work)a.v; }
  static RL_INLINE vec wrap(work a) { return vec((raw)a); }
};

using vfloat = vec<float>;
using vdouble = vec<double>;
using vint64 = vec<std::int64_t>;

template <class T>
RL_INLINE vec<T> select(mask<T> c, vec<T> a, vec<T> b) {
  return c.m ? a.v : b.v;
}
// Of two numbers: the mask says which type they become.
template <class T, number A, number B>
RL_INLINE vec<T> where(mask<T> c, A a, B b) {
  return select(c, vec<T>(a), vec<T>(b));
}

// complex128: real and imaginary parts in vectors of their own, so that complex formulas are formulas over vec<double>.
template <>
struct vec<complex128> {
  using value_type = complex128;
  using Mask = mask<complex128>;
  static constexpr int lanes = vdouble::lanes;

  vdouble re, im;

  vec() = default;
  RL_INLINE vec(vdouble r, vdouble i) : re(r), im(i) {}
  template <number S>
  RL_INLINE vec(S x) : re(double(x)), im(0.) {}
  RL_INLINE vec(complex128 z) : re(z.real()), im(z.imag()) {}

  RL_INLINE complex128 operator[](int i) const { return {re[i], im[i]}; }
  RL_INLINE void set(int i, complex128 z) { re.set(i, z.real()), im.set(i, z.imag()); }
  template <class F>
  static RL_INLINE vec from_lanes(F f) {
    vec r;
    for (int i = 0; i < lanes; ++i) r.set(i, complex128(f(i)));
    return r;
  }

  static RL_INLINE vec load(const complex128* p) {
    const double* q = reinterpret_cast<const double*>(p);
    const vdouble a = vdouble::load(q), b = vdouble::load(q + lanes);
    return deinterleave(a, b);
  }
  RL_INLINE void store(complex128* p) const {
    double* q = reinterpret_cast<double*>(p);
#if RL_VECTOR_BYTES == 64
    const vdouble a = __builtin_shufflevector(re.v, im.v, 0, 8, 1, 9, 2, 10, 3, 11);
    const vdouble b = __builtin_shufflevector(re.v, im.v, 4, 12, 5, 13, 6, 14, 7, 15);
#elif RL_VECTOR_BYTES == 32
    const vdouble a = __builtin_shufflevector(re.v, im.v, 0, 4, 1, 5);
    const vdouble b = __builtin_shufflevector(re.v, im.v, 2, 6, 3, 7);
#else
    const vdouble a = __builtin_shufflevector(re.v, im.v, 0, 2), b = __builtin_shufflevector(re.v, im.v, 1, 3);
#endif
    a.store(q), b.store(q + lanes);
  }

  friend RL_INLINE vec operator+(vec a, vec b) { return {a.re + b.re, a.im + b.im}; }
  friend RL_INLINE vec operator-(vec a, vec b) { return {a.re - b.re, a.im - b.im}; }
  friend RL_INLINE vec operator-(vec a) { return {-a.re, -a.im}; }
  friend RL_INLINE vec operator+(vec a) { return a; }
  friend RL_INLINE vec operator*(vec a, vec b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
  friend RL_INLINE vec operator/(vec a, vec b) { return divide(a, b); }
  friend RL_INLINE vec& operator+=(vec& a, vec b) { return a = a + b; }
  friend RL_INLINE vec& operator-=(vec& a, vec b) { return a = a - b; }
  friend RL_INLINE vec& operator*=(vec& a, vec b) { return a = a * b; }
  friend RL_INLINE vec& operator/=(vec& a, vec b) { return a = a / b; }
  friend RL_INLINE Mask operator==(vec a, vec b) { return {((a.re == b.re) & (a.im == b.im)).m}; }
  friend RL_INLINE Mask operator!=(vec a, vec b) { return {((a.re != b.re) | (a.im != b.im)).m}; }

 private:
  static RL_INLINE vec deinterleave(vdouble a, vdouble b) {
#if RL_VECTOR_BYTES == 64
    return {__builtin_shufflevector(a.v, b.v, 0, 2, 4, 6, 8, 10, 12, 14),
            __builtin_shufflevector(a.v, b.v, 1, 3, 5, 7, 9, 11, 13, 15)};
#elif RL_VECTOR_BYTES == 32
    return {__builtin_shufflevector(a.v, b.v, 0, 2, 4, 6), __builtin_shufflevector(a.v, b.v, 1, 3, 5, 7)};
#else
    return {__builtin_shufflevector(a.v, b.v, 0, 2), __builtin_shufflevector(a.v, b.v, 1, 3)};
#endif
  }
  static vec divide(vec a, vec b);
};
using vcomplex = vec<complex128>;

RL_INLINE vcomplex select(mask<complex128> c, vcomplex a, vcomplex b) {
  const mask<double> m{c.m};
  return {select(m, a.re, b.re), select(m, a.im, b.im)};
}

#if RL_VECTOR_BYTES == 32
RL_INLINE __m256i first_lanes_4(std::size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(int(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
RL_INLINE __m256i first_lanes_8(std::size_t n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)n), _mm256_setr_epi64x(0, 1, 2, 3));
}
#endif

// Partial loads and stores, 1 <= n <= lanes. Idle lanes repeat element 0: they never take a slow path of their own.
template <class T>
RL_INLINE vec<T> load_part(const T* p, std::size_t n) {
#if RL_VECTOR_BYTES == 64
  if constexpr (sizeof(T) == 4) {
    return (typename vec<T>::raw)_mm512_mask_loadu_epi32(_mm512_set1_epi32(*(const int*)p), __mmask16((1u << n) - 1),
                                                         p);
  } else if constexpr (sizeof(T) == 8) {
    return (typename vec<T>::raw)_mm512_mask_loadu_epi64(_mm512_set1_epi64(*(const long long*)p),
                                                         __mmask8((1u << n) - 1), p);
  }
#elif RL_VECTOR_BYTES == 32
  if constexpr (sizeof(T) == 4) {
    const __m256i part = first_lanes_4(n), first = (__m256i)_mm256_broadcast_ss((const float*)p);
    return (typename vec<T>::raw)_mm256_blendv_epi8(first, _mm256_maskload_epi32((const int*)p, part), part);
  } else if constexpr (sizeof(T) == 8) {
    const __m256i part = first_lanes_8(n), first = (__m256i)_mm256_broadcast_sd((const double*)p);
    return (typename vec<T>::raw)_mm256_blendv_epi8(first, _mm256_maskload_epi64((const long long*)p, part), part);
  }
#endif
  return vec<T>::from_lanes([&](int i) { return p[std::size_t(i) < n ? i : 0]; });
}
template <class T>
RL_INLINE void store_part(T* p, vec<T> x, std::size_t n) {
#if RL_VECTOR_BYTES == 64
  if constexpr (sizeof(T) == 4) return _mm512_mask_storeu_epi32(p, __mmask16((1u << n) - 1), (__m512i)x.v);
  else if constexpr (sizeof(T) == 8) return _mm512_mask_storeu_epi64(p, __mmask8((1u << n) - 1), (__m512i)x.v);
#elif RL_VECTOR_BYTES == 32
  if constexpr (sizeof(T) == 4) return _mm256_maskstore_epi32((int*)p, first_lanes_4(n), (__m256i)x.v);
  else if constexpr (sizeof(T) == 8) return _mm256_maskstore_epi64((long long*)p, first_lanes_8(n), (__m256i)x.v);
#endif
  for (std::size_t i = 0; i < n; ++i) p[i] = x[int(i)];
}

// table[index], of which the low three bits count.
RL_INLINE vfloat lookup(const float (&table)[8], mask<float>::raw index) {
#if RL_VECTOR_BYTES == 64
  const __m512 twice = _mm512_maskz_broadcast_f32x8(-1, _mm256_loadu_ps(table));
  return (vfloat::raw)_mm512_maskz_permutexvar_ps(-1, (__m512i)index, twice);
#elif RL_VECTOR_BYTES == 32
  return (vfloat::raw)_mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)index);
#else
  return vfloat::from_lanes([&](int i) { return table[index[i] & 7]; });
#endif
}

// A byte per lane, nonzero is true; idle lanes are false. Stored bytes are 0 or 1.
template <class T>
RL_INLINE mask<T> load_mask(const std::uint8_t* p, std::size_t n = mask<T>::lanes) {
#if RL_VECTOR_BYTES == 32
  long long b = 0;  // the compiler's own conversion of short vectors goes lane by lane
  std::memcpy(&b, p, n);
  const __m128i bytes = _mm_cvtsi64_si128(b);
  if constexpr (sizeof(typename mask<T>::lane) == 4) {
    return {(typename mask<T>::raw)_mm256_cvtepu8_epi32(bytes) != 0};
  } else {
    return {(typename mask<T>::raw)_mm256_cvtepu8_epi64(bytes) != 0};
  }
#else
  typedef std::uint8_t bytes __attribute__((vector_size(mask<T>::lanes)));
  bytes b{};
  std::memcpy(&b, p, n);
  return {__builtin_convertvector(b, typename mask<T>::raw) != 0};
#endif
}
template <class T>
RL_INLINE void store_mask(std::uint8_t* p, mask<T> x, std::size_t n = mask<T>::lanes) {
#if RL_VECTOR_BYTES == 32
  const __m128i low = _mm256_castsi256_si128((__m256i)x.m), high = _mm256_extracti128_si256((__m256i)x.m, 1);
  const __m128i words =
      sizeof(typename mask<T>::lane) == 4
          ? _mm_packs_epi32(low, high)
          : _mm_packs_epi32((__m128i)_mm_shuffle_ps((__m128)low, (__m128)high, 0x88), _mm_setzero_si128());
  const __m128i b = _mm_and_si128(_mm_packs_epi16(words, words), _mm_set1_epi8(1));
#else
  typedef std::uint8_t bytes __attribute__((vector_size(mask<T>::lanes)));
  const bytes b = __builtin_convertvector(x.m & 1, bytes);
#endif
  std::memcpy(p, &b, n);
}

// A binary function takes a number on either side.
#define RL_EITHER_SIDE(name)             \
  template <class T, number S>           \
  RL_INLINE vec<T> name(vec<T> a, S b) { \
    return name(a, vec<T>(b));           \
  }                                      \
  template <class T, number S>           \
  RL_INLINE vec<T> name(S a, vec<T> b) { \
    return name(vec<T>(a), b);           \
  }

}  // namespace RL_ISA
}  // namespace rl
