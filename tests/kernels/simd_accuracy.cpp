// Measures the largest error of every function of csrc/kernels/cpu/simd.h, in units of the last place (ulp), over all
// magnitudes of its argument and over the special values, and compares it with its bound. The reference is the C
// library in a wider format. Also: partial vectors, integer lanes, masks.
//   simd_accuracy              table of errors; exit code 1 if a bound is exceeded
//   simd_accuracy --times      the same with nanoseconds per element
//   simd_accuracy --evaluate NAME   reads "x y" pairs of doubles, prints NAME(x, y) in double (for the special
//   functions)
#include <cfloat>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernels/cpu/simd.h"

using namespace rl;

namespace {

int failures = 0;
bool with_times = false;

void fail(const char* what) {
  std::printf("FAILED %s\n", what);
  ++failures;
}

template <class T>
using wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;

template <class T>
double ulp_error(T got, wide<T> expected) {
  const T nearest = T(expected);
  if (expected != expected || got != got) return (expected != expected) == (got != got) ? 0 : HUGE_VAL;
  if (std::isinf(nearest) || std::isinf(got)) {
    if (got == nearest) return 0;
    // either side of the overflow threshold is within one ulp of it
    const T big = std::numeric_limits<T>::max();
    return std::fabs(nearest) >= big && std::fabs(got) >= big && (got > 0) == (nearest > 0) ? 1 : HUGE_VAL;
  }
  if (expected == 0) return got == 0 && std::signbit(got) == std::signbit(expected) ? 0 : HUGE_VAL;
  int exponent;
  std::frexp(expected, &exponent);
  const int last = std::max(exponent - std::numeric_limits<T>::digits,
                            std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits);
  return double(std::fabs(std::ldexp(wide<T>(got) - expected, -last)));
}

// Every magnitude: the bit patterns of the type in equal steps; and a dense sweep of the interesting middle.
template <class T>
std::vector<T> arguments() {
  using bits = std::conditional_t<std::is_same_v<T, float>, std::uint32_t, std::uint64_t>;
  constexpr double largest = std::numeric_limits<T>::max(), smallest = std::numeric_limits<T>::min();
  constexpr double infinity = HUGE_VAL, subnormal = std::numeric_limits<T>::denorm_min();
  std::vector<T> x;
  for (double v : {0.,  subnormal, 3 * subnormal, smallest, 1e-8,     0.25,       0.5,   1.,    1.5,   2.,    2.5,
                   3.,  10.,       88.7,          89.,      104.,     128.,       709.5, 710.2, 745.2, 1024., 1e5,
                   1e8, 1e16,      0.5 * largest, largest,  infinity, double(NAN)}) {
    x.push_back(T(v)), x.push_back(T(-v));
  }
  const bits step = bits(~bits(0)) / 400009;
  for (bits b = 0, n = 0; n < 400000; ++n, b += step) {
    T v;
    std::memcpy(&v, &b, sizeof v);
    x.push_back(v == v ? v : T(NAN));  // no signalling NaN: the reference is not of one mind about them
  }
  for (int i = 0; i < 400000; ++i) x.push_back(T(-32 + i * 160.00001e-6));
  for (int i = 0; i < 400000; ++i) x.push_back(T(-2 + i * 10.000001e-6));
  for (int i = 0; i < 100000; ++i) x.push_back(T(-760 + i * 15.2000001e-3));
  for (int i = 1; i < 50000; ++i) x.push_back(T(i * 1.57079632679489661923L));  // where sin and cos nearly vanish
  while (x.size() % 64 != 0) x.push_back(T(1));
  return x;
}
template <class T>
const std::vector<T>& all_arguments() {
  static const std::vector<T> x = arguments<T>();
  return x;
}

struct Random {
  std::uint64_t state = 42;
  std::uint64_t operator()() { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 20; }
};

template <class T>
using function = void (*)(const T*, const T*, T*, std::size_t);

template <class T, class F>
[[gnu::noinline]] void apply_1(const T* x, const T*, T* out, std::size_t n) {
  for (std::size_t i = 0; i < n; i += vec<T>::lanes) F{}(vec<T>::load(x + i)).store(out + i);
}
template <class T, class F>
[[gnu::noinline]] void apply_2(const T* x, const T* y, T* out, std::size_t n) {
  for (std::size_t i = 0; i < n; i += vec<T>::lanes) F{}(vec<T>::load(x + i), vec<T>::load(y + i)).store(out + i);
}

template <class T>
double nanoseconds(function<T> f, const std::vector<T>& x, const std::vector<T>& y) {
  std::vector<T> out(x.size());
  double best = HUGE_VAL;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto begin = std::chrono::steady_clock::now();
    for (int k = 0; k < 20; ++k) f(x.data(), y.data(), out.data(), x.size());
    const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - begin;
    best = std::min(best, passed.count() / (20. * double(x.size())));
  }
  return best;
}

template <class T>
void row(const char* name, double bound, function<T> f, wide<T> (*reference)(wide<T>, wide<T>), const std::vector<T>& x,
         const std::vector<T>& y) {
#if !RL_FUSED
  if (bound > 0.5) bound = std::max(bound, 2.5);  // what the C library keeps
#endif
  std::vector<T> out(x.size());
  f(x.data(), y.data(), out.data(), x.size());
  double worst = 0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double e = ulp_error<T>(out[i], reference(x[i], y[i]));
    if (e > worst) worst = e, where = i;
  }
  const char* type = std::is_same_v<T, float> ? "float32" : "float64";
  std::printf("%s %s %.2f %.2f", type, name, bound, worst);
  if (with_times) {
    std::vector<T> tx(4096), ty(4096);
    for (int i = 0; i < 4096; ++i) tx[i] = T(0.05 + (i * 37 % 4096) * 0.0002), ty[i] = T(0.3 + i * 0.0005);
    std::printf(" %.2f", nanoseconds(f, tx, ty));
  }
  std::printf(" at %.17g %.17g: %.17g\n", double(x[where]), double(y[where]), double(out[where]));
  if (!(worst <= bound)) fail(name);

  // The same bits in a partial vector as in a full one.
  for (std::size_t start = 0; start + 64 < x.size(); start += x.size() / 50) {
    for (std::size_t n = 1; n <= std::size_t(vec<T>::lanes); ++n) {
      T a[vec<T>::lanes], b[vec<T>::lanes], part[vec<T>::lanes], whole[vec<T>::lanes];
      f(x.data() + start, y.data() + start, whole, vec<T>::lanes);
      load_part(x.data() + start, n).store(a), load_part(y.data() + start, n).store(b);
      f(a, b, part, vec<T>::lanes);
      if (std::memcmp(part, whole, n * sizeof(T)) != 0) {
        bool same = true;  // any NaN is as good as another
        for (std::size_t i = 0; i < n; ++i)
          same = same && (part[i] == whole[i] || (part[i] != part[i] && whole[i] != whole[i]));
        if (!same) return fail(name);
      }
    }
  }
}

#define ROW_1(name, float_bound, double_bound, expression)                                                             \
  {                                                                                                                    \
    using F = decltype([](auto x) __attribute__((always_inline)) { return name(x); });                                 \
    row<float>(                                                                                                        \
        #name, float_bound, apply_1<float, F>, [](double x, double) -> double { return expression; },                  \
        all_arguments<float>(), all_arguments<float>());                                                               \
    row<double>(                                                                                                       \
        #name, double_bound, apply_1<double, F>, [](long double x, long double) -> long double { return expression; }, \
        all_arguments<double>(), all_arguments<double>());                                                             \
  }
#define ROW_2(name, float_bound, double_bound, expression)                                                       \
  {                                                                                                              \
    using F = decltype([](auto x, auto y) __attribute__((always_inline)) { return name(x, y); });                \
    row<float>(                                                                                                  \
        #name, float_bound, apply_2<float, F>, [](double x, double y) -> double { return expression; }, float_x, \
        float_y);                                                                                                \
    row<double>(                                                                                                 \
        #name, double_bound, apply_2<double, F>,                                                                 \
        [](long double x, long double y) -> long double { return expression; }, double_x, double_y);             \
  }

// Pairs: special values with each other, like magnitudes, all magnitudes.
template <class T>
void pairs(std::vector<T>& x, std::vector<T>& y) {
  const std::vector<T>& all = all_arguments<T>();
  for (int i = 0; i < 56; ++i) {
    for (int j = 0; j < 56; ++j) x.push_back(all[i]), y.push_back(all[j]);
  }
  Random random;
  for (int i = 0; i < 250000; ++i) {
    x.push_back(all[random() % all.size()]), y.push_back(all[random() % all.size()]);
    x.push_back(T(double(random() % 2000003) * 1e-5 - 5)), y.push_back(T(double(random() % 2000003) * 1e-5 - 10));
    x.push_back(T(double(random() % 2000003) * 1e-6)), y.push_back(T(int(random() % 41) - 20));
    x.push_back(T(0.9 + double(random() % 2000003) * 1e-7)), y.push_back(T(double(random() % 2000003) * 1e-3 - 1000));
  }
  while (x.size() % 64 != 0) x.push_back(T(1)), y.push_back(T(1));
}

template <class R>
R reference_sigmoid(R x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
template <class R>
R reference_remainder(R x, R y) {
  const R r = std::fmod(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}
template <class R>
R reference_logaddexp(R x, R y) {
  if (x == y && std::isinf(x)) return x;
  return x != x || y != y ? x + y : std::max(x, y) + std::log1p(std::exp(-std::fabs(x - y)));
}

void accuracy() {
  using std::fabs;
  ROW_1(exp, 1.2, 1.2, std::exp(x))
  ROW_1(exp2, 1.2, 1.2, std::exp2(x))
  ROW_1(expm1, 1.5, 1.5, std::expm1(x))
  ROW_1(log, 1, 1, std::log(x))
  ROW_1(log2, 1.2, 1.2, std::log2(x))
  ROW_1(log10, 1.2, 1.2, std::log10(x))
  ROW_1(log1p, 1.6, 1.6, std::log1p(x))
  ROW_1(sin, 1.5, 1.5, std::sin(x))
  ROW_1(cos, 1.5, 1.5, std::cos(x))
  ROW_1(tan, 1.8, 1.8, std::tan(x))
  ROW_1(asin, 1.3, 1.3, std::asin(x))
  ROW_1(acos, 1.3, 1.3, std::acos(x))
  ROW_1(atan, 1.5, 1.5, std::atan(x))
  ROW_1(sinh, 2, 2, std::sinh(x))
  ROW_1(cosh, 1.8, 1.8, std::cosh(x))
  ROW_1(tanh, 1.3, 1.3, std::tanh(x))
  ROW_1(asinh, 2, 2, std::asinh(x))
  ROW_1(acosh, 2.2, 2.2, std::acosh(x))
  ROW_1(atanh, 2.3, 2.3, std::atanh(x))
  ROW_1(erf, 1.7, 1.3, std::erf(x))
  ROW_1(erfc, 0.7, 3.5, std::erfc(x))
  ROW_1(sigmoid, 2.4, 2.4, reference_sigmoid(x))
  ROW_1(sqrt, 0.5, 0.5, std::sqrt(x))
  ROW_1(rsqrt, 1.6, 1.6, 1 / std::sqrt(x))
  ROW_1(reciprocal, 0.5, 0.5, 1 / x)
  ROW_1(floor, 0, 0, std::floor(x))
  ROW_1(ceil, 0, 0, std::ceil(x))
  ROW_1(trunc, 0, 0, std::trunc(x))
  ROW_1(round, 0, 0, std::nearbyint(x))

  std::vector<float> float_x, float_y;
  std::vector<double> double_x, double_y;
  pairs(float_x, float_y), pairs(double_x, double_y);
  ROW_2(pow, 1.5, 1.5, std::pow(x, y))
  ROW_2(atan2, 1.5, 1.5, std::atan2(x, y))
  ROW_2(hypot, 1.3, 1.3, std::hypot(x, y))
  ROW_2(fmod, 0, 0, std::fmod(x, y))
  ROW_2(remainder, 0.5, 0.5, reference_remainder(x, y))
  ROW_2(copysign, 0, 0, std::copysign(x, y))
}

template <class T>
void check_exact() {
  std::vector<T> x, y;
  pairs(x, y);
  const T infinity = std::numeric_limits<T>::infinity();
  const auto same = [](T a, T b) { return (a != a && b != b) || (a == b && std::signbit(a) == std::signbit(b)); };
  bool next = true, extrema = true, kinds = true, signs = true, number = true;
  for (std::size_t i = 0; i < x.size(); i += vec<T>::lanes) {
    const vec<T> a = vec<T>::load(&x[i]), b = vec<T>::load(&y[i]);
    const vec<T> n = nextafter(a, b), high = maximum(a, b), low = minimum(a, b), fhigh = fmax(a, b), flow = fmin(a, b);
    const mask<T> nan = isnan(a), inf = isinf(a), finite = isfinite(a), negative = signbit(a);
    const vec<T> s = sign(a), sum = logaddexp(a, b);
    for (int k = 0; k < vec<T>::lanes; ++k) {
      const T u = x[i + k], v = y[i + k];
      const bool any_nan = u != u || v != v;
      next = next && same(n[k], std::nextafter(u, v));
      extrema = extrema && (any_nan ? high[k] != high[k] && low[k] != low[k]
                                    : high[k] == std::max(u, v) && low[k] == std::min(u, v));
      extrema = extrema &&
                (u != u && v != v ? fhigh[k] != fhigh[k] : fhigh[k] == std::fmax(u, v) && flow[k] == std::fmin(u, v));
      kinds =
          kinds && nan[k] == (u != u) && inf[k] == (std::fabs(u) == infinity) && finite[k] == (std::fabs(u) < infinity);
      signs = signs && negative[k] == std::signbit(u) && s[k] == T((u > 0) - (u < 0));
      const wide<T> expected = reference_logaddexp<wide<T>>(u, v);
      number = number && (ulp_error<T>(sum[k], expected) < 4 ||
                          std::fabs(sum[k] - expected) <
                              2 * std::numeric_limits<T>::epsilon() * std::max(std::fabs(u), std::fabs(v)));
    }
  }
  if (!next) fail("nextafter");
  if (!extrema) fail("maximum, minimum, fmax, fmin");
  if (!kinds) fail("isnan, isinf, isfinite");
  if (!signs) fail("sign, signbit");
  if (!number) fail("logaddexp");

  const auto quotient = [](double a, double b) { return floor_divide(vec<T>(a), vec<T>(b))[0]; };
  if (quotient(1, T(0.1)) != 9 || quotient(-7.5, 2) != -4 || quotient(7.5, -2) != -4 || quotient(3, HUGE_VAL) != 0 ||
      quotient(-3, HUGE_VAL) != -1 || quotient(1, 0) != infinity || quotient(0, 0) == quotient(0, 0)) {
    fail("floor_divide");
  }
  if (!std::signbit(vec<T>(-0.)[0]) || !std::signbit(round(vec<T>(-0.25))[0])) fail("sign of zero");
}

void check_integers() {
  const std::int64_t lowest = INT64_MIN;
  const std::int64_t values[] = {lowest, lowest + 1, -64,           -7,       -2, -1, 0, 1, 2, 3, 7, 63,
                                 64,     1000003,    INT64_MAX - 1, INT64_MAX};
  for (std::int64_t a : values) {
    for (std::int64_t b : values) {
      const vint64 x(a), y(b);
      const __int128 p = a, q = b;
      const auto wrapped = [](__int128 v) { return std::int64_t(std::uint64_t(v)); };
      bool ok = (x + y)[0] == wrapped(p + q) && (x - y)[0] == wrapped(p - q) && (-x)[0] == wrapped(-p);
      ok =
          ok && (x * y)[0] == wrapped(p * q) && (x & y)[0] == (a & b) && (x | y)[0] == (a | b) && (x ^ y)[0] == (a ^ b);
      ok = ok && (~x)[0] == ~a && abs(x)[0] == wrapped(p < 0 ? -p : p) && sign(x)[0] == (a > 0) - (a < 0);
      ok = ok && maximum(x, y)[0] == std::max(a, b) && minimum(x, y)[0] == std::min(a, b);
      const bool in_range = b >= 0 && b < 64;
      ok = ok && (x << y)[0] == (in_range ? std::int64_t(std::uint64_t(a) << b) : 0);
      ok = ok && (x >> y)[0] == (in_range ? a >> b : a < 0 ? -1 : 0);
      const __int128 quotient = b == 0 ? 0 : p / q, rest = b == 0 ? 0 : p % q;
      const bool adjust = rest != 0 && (rest < 0) != (q < 0);
      ok = ok && trunc_div(x, y)[0] == wrapped(quotient) && fmod(x, y)[0] == wrapped(rest);
      ok = ok && floor_div(x, y)[0] == wrapped(quotient - adjust) &&
           remainder(x, y)[0] == wrapped(rest + (adjust ? q : 0));
      ok = ok && (x < y)[0] == (a < b) && (x == y)[0] == (a == b) && where(x < y, x, y)[0] == std::min(a, b);
      if (!ok) {
        std::printf("int64 %lld %lld\n", static_cast<long long>(a), static_cast<long long>(b));
        fail("int64 operators");
      }
    }
  }
  if (pow(vint64(3), 4)[0] != 81 || pow(vint64(-2), 63)[0] != lowest || pow(vint64(2), -1)[0] != 0 ||
      pow(vint64(-1), -3)[0] != -1 || pow(vint64(0), 0)[0] != 1) {
    fail("int64 pow");
  }
  if (gcd(vint64(12), -18)[0] != 6 || gcd(vint64(0), 5)[0] != 5 || lcm(vint64(4), -6)[0] != 12 ||
      lcm(vint64(0), 0)[0] != 0)
    fail("gcd, lcm");
}

template <class T>
void check_masks() {
  constexpr int lanes = vec<T>::lanes;
  std::uint8_t in[lanes + 1], out[lanes + 1];
  for (int i = 0; i < lanes; ++i) in[i] = i % 3 == 0 ? std::uint8_t(i + 1) : 0;
  for (int n = 1; n <= lanes; ++n) {
    std::memset(out, 7, sizeof out);
    const mask<T> m = load_mask<T>(in, std::size_t(n));
    store_mask(out, m, std::size_t(n));
    const vec<T> chosen = where(m, 2., 3), swapped = where(!m, vec<T>(2), 3.);
    const mask<T> both = where(m, m == m, m != m);
    for (int i = 0; i < n; ++i) {
      if (out[i] != (in[i] != 0) || both[i] != (in[i] != 0)) fail("masks");
      if (chosen[i] != T(in[i] != 0 ? 2 : 3) || swapped[i] != T(in[i] != 0 ? 3 : 2)) fail("where");
    }
    if (out[n] != 7) fail("store_mask writes past its end");
    if (!any(m) || all(m) != (n == lanes && lanes == 1) || any(m & !m) || !all(m | !m) || any(m ^ m)) fail("any, all");
    T source[lanes], target[lanes + 1];
    for (int i = 0; i < lanes; ++i) source[i] = T(i + 1);
    target[n] = T(99);
    const vec<T> part = load_part(source, std::size_t(n));
    store_part(target, part, std::size_t(n));
    for (int i = 0; i < lanes; ++i) {
      if (part[i] != source[i < n ? i : 0]) fail("load_part");
    }
    if (std::memcmp(source, target, std::size_t(n) * sizeof(T)) != 0 || target[n] != T(99)) fail("store_part");
  }
  T source[lanes], target[lanes];
  for (int i = 0; i < lanes; ++i) source[i] = T(i + 1);
  vec<T>::load(source).store(target);
  if (std::memcmp(source, target, sizeof source) != 0) fail("load and store");
  const vec<T> x = 3;
  if ((2 * x + 1. - x / 3)[0] != T(6) || (x != 3.)[0] || !(3 == x)[0]) fail("numbers on either side");
}

double complex_error(complex128 got, std::complex<long double> expected) {
  const complex128 nearest(double(expected.real()), double(expected.imag()));
  if (got == nearest) return 0;
  return double(std::abs(std::complex<long double>(got.real(), got.imag()) - expected) / std::abs(expected)) /
         DBL_EPSILON;
}

// Complex functions: the error of the result as a point of the plane, in units of its modulus' last place.
void check_complex() {
  using C = std::complex<long double>;
  struct Row {
    const char* name;
    double bound;
    vcomplex (*function)(vcomplex);
    C (*reference)(C);
  };
#define COMPLEX_ROW(name, bound, expression)                                              \
  Row {                                                                                   \
    #name, bound, [](vcomplex z) { return name(z); }, [](C z) -> C { return expression; } \
  }
  const Row rows[] = {
    COMPLEX_ROW(exp, 4, std::exp(z)),
    COMPLEX_ROW(log, 4, std::log(z)),
    COMPLEX_ROW(sqrt, 4, std::sqrt(z)),
    COMPLEX_ROW(sin, 4, std::sin(z)),
    COMPLEX_ROW(cos, 4, std::cos(z)),
    COMPLEX_ROW(tan, 6, std::tan(z)),
    COMPLEX_ROW(sinh, 4, std::sinh(z)),
    COMPLEX_ROW(cosh, 4, std::cosh(z)),
    COMPLEX_ROW(tanh, 6, std::tanh(z)),
    COMPLEX_ROW(asin, 8, std::asin(z)),
    COMPLEX_ROW(acos, 8, std::acos(z)),
    COMPLEX_ROW(atan, 8, std::atan(z)),
    COMPLEX_ROW(asinh, 8, std::asinh(z)),
    COMPLEX_ROW(acosh, 8, std::acosh(z)),
    COMPLEX_ROW(atanh, 8, std::atanh(z)),
    COMPLEX_ROW(abs, 2, C(std::abs(z))),
    COMPLEX_ROW(angle, 2, C(std::arg(z))),
    COMPLEX_ROW(log2, 4, std::log(z) / std::log(2.0L)),
    COMPLEX_ROW(log10, 4, std::log10(z)),
    COMPLEX_ROW(reciprocal, 4, C(1) / z),
    COMPLEX_ROW(rsqrt, 6, C(1) / std::sqrt(z)),
    COMPLEX_ROW(sgn, 4, z / std::abs(z)),
    COMPLEX_ROW(sigmoid, 16, C(1) / (C(1) + std::exp(-z))),
    COMPLEX_ROW(exp2, 16, std::exp(z * std::log(2.0L))),
  };
  std::vector<complex128> z;
  Random random;
  for (int i = 0; i < 4000; ++i) {
    const double scale = std::pow(10., double(random() % 5) - 3);
    z.emplace_back(scale * (double(random() % 2001) - 1000.25) * 1e-3,
                   scale * (double(random() % 2001) - 1000.75) * 1e-3);
  }
  for (const Row& r : rows) {
    double worst = 0;
    for (std::size_t i = 0; i < z.size(); i += vcomplex::lanes) {
      const vcomplex y = r.function(vcomplex::load(&z[i]));
      for (int k = 0; k < vcomplex::lanes; ++k) {
        worst = std::max(worst, complex_error(y[k], r.reference(C(z[i + k].real(), z[i + k].imag()))));
      }
    }
    std::printf("complex128 %s %.2f %.2f\n", r.name, r.bound, worst);
    if (!(worst <= r.bound)) fail(r.name);
  }
  // quotients and powers, also where the squares of the divisor overflow or vanish
  double division = 0;
  for (double scale : {1., 1e300, 1e-300}) {
    for (std::size_t i = 0; i + 1 < z.size(); ++i) {
      const complex128 a = z[i] * scale, b = z[i + 1] * scale;
      division = std::max(division,
                          complex_error((vcomplex(a) / vcomplex(b))[0], C(a.real(), a.imag()) / C(b.real(), b.imag())));
    }
  }
  std::printf("complex128 division 4.00 %.2f\n", division);
  if (!(division <= 4)) fail("complex division");
  const complex128 tiny(1e-12, 2e-12);
  const complex128 series_log = tiny - 0.5 * tiny * tiny, series_exp = tiny + 0.5 * tiny * tiny;
  if (std::abs(log1p(vcomplex(tiny))[0] - series_log) > 1e-27) fail("complex log1p");
  if (std::abs(expm1(vcomplex(tiny))[0] - series_exp) > 1e-27) fail("complex expm1");
  const complex128 base(1.5, -0.5), exponent(0.25, 2);
  if (std::abs(pow(vcomplex(base), vcomplex(exponent))[0] - std::pow(base, exponent)) > 1e-14) fail("complex pow");
  if (pow(vcomplex(base), 0)[0] != 1. || pow(vcomplex(0), 2.5)[0] != 0.) fail("complex pow at the border");
  if (!isnan(exp(vcomplex(complex128(NAN, 1))))[0] || !isinf(exp(vcomplex(complex128(HUGE_VAL, 1))))[0])
    fail("complex exp of inf");
  if (conj(vcomplex(base))[0] != std::conj(base) || real(vcomplex(base))[0] != 1.5 || imag(vcomplex(base))[0] != -0.5)
    fail("complex parts");
}

int evaluate(const char* name) {
  struct Row {
    const char* name;
    vdouble (*function)(vdouble, vdouble);
  };
#define CALL_1(f)                               \
  Row {                                         \
    #f, [](vdouble x, vdouble) { return f(x); } \
  }
#define CALL_2(f)                                    \
  Row {                                              \
    #f, [](vdouble x, vdouble y) { return f(x, y); } \
  }
  const Row rows[] = {
    CALL_1(lgamma),       CALL_1(digamma),   CALL_1(trigamma),  CALL_1(erfinv),    CALL_1(ndtri),
    CALL_1(i0),           CALL_1(i0e),       CALL_1(i1),        CALL_1(i1e),       CALL_1(bessel_j0),
    CALL_1(bessel_j1),    CALL_1(bessel_y0), CALL_1(bessel_y1), CALL_1(sinc),      CALL_2(zeta),
    CALL_2(polygamma),    CALL_2(xlogy),     CALL_2(xlog1py),   CALL_2(logaddexp), CALL_2(logaddexp2),
    CALL_2(floor_divide), CALL_2(remainder),
  };
  for (const Row& row : rows) {
    if (std::strcmp(name, row.name) != 0) continue;
    double x, y;
    while (std::scanf("%lf %lf", &x, &y) == 2) std::printf("%.17g\n", row.function(x, y)[0]);
    return 0;
  }
  std::fprintf(stderr, "unknown function %s\n", name);
  return 2;
}

}  // namespace

int main(int count, char** values) {
  if (count > 2 && std::strcmp(values[1], "--evaluate") == 0) return evaluate(values[2]);
  with_times = count > 1 && std::strcmp(values[1], "--times") == 0;
  accuracy();
  check_exact<float>(), check_exact<double>();
  check_integers();
  check_masks<float>(), check_masks<double>(), check_masks<std::int64_t>();
  check_complex();
  return failures != 0;
}
