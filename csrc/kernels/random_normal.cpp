// Normal samples by the Box-Muller transform over blocks of 16 uniforms: the first eight give radii, the last eight
// angles.
#include <cmath>

#include "base/parallel.h"
#include "kernels/random.h"

namespace rl {

namespace {

// float32 elementary functions of Cephes (S. Moshier, single precision): torch's vector code evaluates these
// polynomials, not libm's, so the last bits of its normals are theirs. Every std::fma is where that code fuses.

// Natural logarithm of a positive normal number.
inline float log_cephes(float x) {
  auto bits = std::bit_cast<std::uint32_t>(std::max(x, 0x1p-126f));
  float e = static_cast<float>(static_cast<int>(bits >> 23) - 126);
  float m = std::bit_cast<float>((bits & 0x007fffffu) | 0x3f000000u);  // in [0.5, 1)
  bool small = m < 0.707106781186547524f;
  float f = small ? (m - 1.0f) + m : m - 1.0f;
  e = small ? e - 1.0f : e;
  float y = 7.0376836292e-2f;
  y = std::fma(y, f, -1.1514610310e-1f);
  y = std::fma(y, f, 1.1676998740e-1f);
  y = std::fma(y, f, -1.2420140846e-1f);
  y = std::fma(y, f, 1.4249322787e-1f);
  y = std::fma(y, f, -1.6668057665e-1f);
  y = std::fma(y, f, 2.0000714765e-1f);
  y = std::fma(y, f, -2.4999993993e-1f);
  y = std::fma(y, f, 3.3333331174e-1f);
  float square = f * f;
  y = std::fma(y * f, square, e * -2.12194440e-4f);
  y = std::fma(square, -0.5f, y);
  return std::fma(e, 0.693359375f, f + y);
}

// Sine and cosine of 0 <= x < 8192: reduction to [-pi/4, pi/4] in three steps, then one polynomial each.
inline void sincos_cephes(float x, float& sine, float& cosine) {
  int octant = (static_cast<int>(x * 1.27323954473516f) + 1) & ~1;
  float y = static_cast<float>(octant);
  x = std::fma(y, -0.78515625f, x);
  x = std::fma(y, -2.4187564849853515625e-4f, x);
  x = std::fma(y, -3.77489497744594108e-8f, x);
  float z = x * x;
  float c = std::fma(std::fma(2.443315711809948e-5f, z, -1.388731625493765e-3f), z, 4.166664568298827e-2f);
  c = std::fma(c * z, z, z * -0.5f) + 1.0f;
  float s = std::fma(std::fma(-1.9515295891e-4f, z, 8.3321608736e-3f), z, -1.6666654611e-1f);
  s = std::fma(s * z, x, x);
  bool swapped = octant & 2;
  float sine_part = swapped ? c : s, cosine_part = swapped ? s : c;
  auto negate = [](float v, bool minus) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(v) ^ static_cast<std::uint32_t>(minus) << 31);
  };
  sine = negate(sine_part, octant & 4);
  cosine = negate(cosine_part, (octant + 2) & 4);
}

void box_muller_16(float* data, float mean, float std) {
  for (int i = 0; i < 8; ++i) {
    float radius = std::sqrt(-2.0f * log_cephes(1.0f - data[i]));
    float sine, cosine;
    sincos_cephes(6.28318530717958647692f * data[i + 8], sine, cosine);
    data[i] = std::fma(radius * cosine, std, mean);
    data[i + 8] = std::fma(radius * sine, std, mean);
  }
}

// float64: libm's functions.
void box_muller_16(double* data, double mean, double std) {
  for (int i = 0; i < 8; ++i) {
    double radius = std::sqrt(-2.0 * std::log(1.0 - data[i]));
    double angle = 6.283185307179586476925286766559 * data[i + 8];
    data[i] = std::fma(radius * std::cos(angle), std, mean);
    data[i + 8] = std::fma(radius * std::sin(angle), std, mean);
  }
}

constexpr i64 kGrain = 16 * 1024;

// All n uniforms are drawn first; when 16 does not divide n, the last 16 values are drawn once more and transformed.
template <class T> void fill_in_place(DType dtype, T* out, i64 n, T mean, T std, Generator& generator) {
  fill_uniform(dtype, out, n, 0.0, 1.0, generator);
  parallel_for(n / 16, kGrain / 16, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) box_muller_16(out + 16 * i, mean, std);
  });
  if (n % 16 == 0) return;
  fill_uniform(dtype, out + n - 16, 16, 0.0, 1.0, generator);
  box_muller_16(out + n - 16, mean, std);
}

// The half types go block by block through float, so they draw 16 * ceil(n / 16) words.
template <class T> void fill_halves(T* out, i64 n, float mean, float std, Generator& generator) {
  auto block = [&](T* to) {
    float data[16];
    fill_uniform(DType::f32, data, 16, 0.0, 1.0, generator);
    box_muller_16(data, mean, std);
    for (int i = 0; i < 16; ++i) to[i] = T(data[i]);
  };
  for (i64 i = 0; i < n / 16; ++i) block(out + 16 * i);
  if (n % 16 != 0) block(out + n - 16);
}

void check_std(const char* op, double std) {
  check(std >= 0.0, ErrorKind::runtime, "[", op, "] std must be >= 0.0. Received ", std, ". Pass a non-negative std.");
}

}  // namespace

void fill_normal_serial(DType dtype, void* out, i64 n, double mean, double std, Generator& generator) {
  check_std("normal_", std);
  if (is_complex(dtype)) {
    n *= 2;
    std /= std::sqrt(2.0);
    dtype = to_real(dtype);
  }
  check(is_floating(dtype), ErrorKind::not_implemented, "[normal_] dtype must be floating or complex. Received ", dtype,
        ". Draw in float32 and convert.");
  visit(dtype, [&]<class T>(Type<T>) {
    T* to = static_cast<T*>(out);
    for (i64 i = 0; i < n; ++i) to[i] = cast<T>(std::fma(generator.normal(), std, mean));
  });
}

void fill_normal(DType dtype, void* out, i64 n, double mean, double std, Generator& generator) {
  check_std("normal_", std);
  if (is_complex(dtype)) {  // each part has half the variance
    n *= 2;
    std /= std::sqrt(2.0);
    dtype = to_real(dtype);
  }
  if (n < 16) return fill_normal_serial(dtype, out, n, mean, std, generator);
  float m = static_cast<float>(mean), s = static_cast<float>(std);
  switch (dtype) {
    case DType::f16: return fill_halves(static_cast<float16*>(out), n, m, s, generator);
    case DType::bf16: return fill_halves(static_cast<bfloat16*>(out), n, m, s, generator);
    case DType::f32: return fill_in_place(dtype, static_cast<float*>(out), n, m, s, generator);
    case DType::f64: return fill_in_place(dtype, static_cast<double*>(out), n, mean, std, generator);
    default:
      fail(ErrorKind::not_implemented, "[normal_] dtype must be floating or complex. Received ", dtype,
           ". Draw in float32 and convert.");
  }
}

}  // namespace rl
