// L4: the elementary functions of real lanes: an argument reduction that float and double share, and a polynomial of
// their own. The error bounds stand in docs/accuracy.md and are tested.
// Polynomials are near-minimax: interpolation at the Chebyshev points of the interval. The reductions count on fused
// multiply-add; machines without it call the C library lane by lane (simd_special.h).
#pragma once
#include "kernels/cpu/simd_basic.h"

#if RL_FUSED

namespace rl {
inline namespace RL_ISA {

// What the reductions must know of a format; hi + lo (+ lower) is a constant to twice (three times) the precision.
template <floating T>
struct format;
template <>
struct format<float> {
  typedef std::uint32_t unsigned_lanes __attribute__((vector_size(RL_VECTOR_BYTES)));
  static constexpr int mantissa_bits = 23, bias = 127;
  static constexpr double magic = 0x1.8p23;  // adding it rounds to an integer, which then sits in the low bits
  static constexpr double exp_low = -104, exp_high = 89, trig_limit = 131072;
  static constexpr double ln2_hi = 0x1.62e43p-1, ln2_lo = -0x1.05c61p-29;
  static constexpr double log2e_hi = 0x1.715476p+0, log2e_lo = 0x1.4ae0cp-26;
  static constexpr double log10e_hi = 0x1.bcb7b2p-2, log10e_lo = -0x1.5b235ep-27;
  static constexpr double lg2_hi = 0x1.344136p-2, lg2_lo = -0x1.ec10cp-27;
  static constexpr double half_pi_hi = 0x1.921fb6p+0, half_pi_lo = -0x1.777a5cp-25, half_pi_lower = -0x1.ee59dap-50;
};
template <>
struct format<double> {
  typedef std::uint64_t unsigned_lanes __attribute__((vector_size(RL_VECTOR_BYTES)));
  static constexpr int mantissa_bits = 52, bias = 1023;
  static constexpr double magic = 0x1.8p52;
  static constexpr double exp_low = -746, exp_high = 710, trig_limit = 1073741824;
  static constexpr double ln2_hi = 0x1.62e42fefa39efp-1, ln2_lo = 0x1.abc9e3b39803fp-56;
  static constexpr double log2e_hi = 0x1.71547652b82fep+0, log2e_lo = 0x1.777d0ffda0d24p-56;
  static constexpr double log10e_hi = 0x1.bcb7b1526e50ep-2, log10e_lo = 0x1.95355baaafad3p-57;
  static constexpr double lg2_hi = 0x1.34413509f79ffp-2, lg2_lo = -0x1.9dc1da994fd21p-59;
  static constexpr double half_pi_hi = 0x1.921fb54442d18p+0, half_pi_lo = 0x1.1a62633145c07p-54,
                          half_pi_lower = -0x1.f1976b7ed8fbcp-110;
};

// c0 + c1 x + c2 x^2 + ...
template <floating T, class... C>
RL_INLINE vec<T> polynomial(vec<T> x, double c0, C... rest) {
  if constexpr (sizeof...(rest) == 0) {
    return c0;
  } else {
    return mul_add(x, polynomial(x, rest...), vec<T>(c0));
  }
}

// 2^n, exponents of normal numbers only
template <floating T>
RL_INLINE vec<T> power_of_two(typename mask<T>::raw n) {
  using lanes = typename format<T>::unsigned_lanes;
  return vec<T>::from_bits((typename mask<T>::raw)(((lanes)n + format<T>::bias) << format<T>::mantissa_bits));
}
// x * 2^n in two steps, so that the result may be subnormal or infinite
template <floating T>
RL_INLINE vec<T> scale(vec<T> x, typename mask<T>::raw n) {
  using lanes = typename format<T>::unsigned_lanes;
  const lanes low = (((lanes)n + 8192) >> 1) - 4096;  // unsigned: lanes that are not used may hold anything
  return x * power_of_two<T>((typename mask<T>::raw)low) * power_of_two<T>((typename mask<T>::raw)((lanes)n - low));
}

// ---- exponentials -------------------------------------------------------------------------------------------------

// q with exp(r) = 1 + r + r^2 q, |r| <= ln(2) / 2
RL_INLINE vfloat exp_polynomial(vfloat r) {
  const vfloat low = mul_add(r, vfloat(0.166665763), vfloat(0.5)), z = r * r;  // two chains: half the wait
  return mul_add(z, mul_add(z, vfloat(0.0013926184), mul_add(r, vfloat(0.00836317893), vfloat(0.0416665561))), low);
}
RL_INLINE vdouble exp_polynomial(vdouble r) {
  return polynomial(r, 0.5, 1. / 6, 0.041666666666666664, 0.0083333333333321553, 0.0013888888888888048,
                    0.00019841269854338611, 2.4801587310920686e-05, 2.7557280067016981e-06, 2.7557291258666905e-07,
                    2.5095554677111112e-08, 2.0907786724124373e-09);
}
// q with 2^r = 1 + ln(2) r + r^2 q, |r| <= 1/2
RL_INLINE vfloat exp2_polynomial(vfloat r) {
  return polynomial(r, 0.240226507, 0.0555038117, 0.0096181035, 0.00133813045, 0.000154448862);
}
RL_INLINE vdouble exp2_polynomial(vdouble r) {
  return polynomial(r, 0.24022650695910075, 0.055504108664821583, 0.0096181291076186635, 0.0013333558146423213,
                    0.00015403530424780296, 1.5252733820797812e-05, 1.3215451630406807e-06, 1.017806726594912e-07,
                    7.0709785098538203e-09, 4.4541037535145475e-10);
}

// x = n ln(2) + r; returns r
template <floating T>
RL_INLINE vec<T> exp_remainder(vec<T> x, typename mask<T>::raw& n) {
  using F = format<T>;
  const vec<T> shifted = mul_add(x, vec<T>(F::log2e_hi), vec<T>(F::magic)), fn = shifted - F::magic;
  n = shifted.bits() - vec<T>(F::magic).bits();
  return mul_add(fn, vec<T>(-F::ln2_lo), mul_add(fn, vec<T>(-F::ln2_hi), x));
}
// exp(x) 2^k
template <floating T>
RL_INLINE vec<T> scaled_exp(vec<T> x, int k) {
  using F = format<T>;
  typename mask<T>::raw n;
  const vec<T> r = exp_remainder(at_most(F::exp_high + 1, at_least(F::exp_low, x)), n);
  return scale(mul_add(r * r, exp_polynomial(r), r) + 1, n + k);
}
template <floating T>
RL_INLINE vec<T> exp(vec<T> x) {
  return scaled_exp(x, 0);
}
// exp(x), x <= 0: 2^(n + lift), whose exponent goes straight into the bits, and one more product that may round
template <floating T>
RL_INLINE vec<T> exp_of_negative(vec<T> x) {
  using F = format<T>;
  using lanes = typename F::unsigned_lanes;
  constexpr int lift = F::bias / 4;
  const vec<T> low = at_least(F::exp_low, x), magic = F::magic + lift;
  const vec<T> shifted = mul_add(low, vec<T>(F::log2e_hi), magic), fn = shifted - magic;
  const vec<T> r = mul_add(fn, vec<T>(-F::ln2_lo), mul_add(fn, vec<T>(-F::ln2_hi), low));
  const vec<T> y = mul_add(r * r, exp_polynomial(r), r) + 1;
  const lanes lifted = (lanes)y.bits() + ((lanes)shifted.bits() << F::mantissa_bits);
  const vec<T> down = F::bias == 127 ? 0x1p-31 : 0x1p-255;
  return mul_add(vec<T>::from_bits((typename mask<T>::raw)lifted), down, 0 * low);  // NaN stays NaN
}
template <floating T>
RL_INLINE vec<T> exp2(vec<T> x) {
  using F = format<T>;
  using lanes = typename F::unsigned_lanes;
  const auto part = [](vec<T> x, typename mask<T>::raw& n) {
    const vec<T> shifted = x + F::magic, r = x - (shifted - F::magic);
    n = shifted.bits() - vec<T>(F::magic).bits();
    return mul_add(r, mul_add(r, exp2_polynomial(r), vec<T>(F::ln2_hi)), vec<T>(1.));
  };
  typename mask<T>::raw n;
  if (all(abs(x) < F::bias - 2)) {  // a normal number: the exponent goes straight into the bits
    const vec<T> y = part(x, n);
    return vec<T>::from_bits((typename mask<T>::raw)((lanes)y.bits() + ((lanes)n << F::mantissa_bits)));
  }
  const vec<T> y = part(at_most(F::bias + 2, at_least(F::bias == 127 ? -151 : -1076, x)), n);
  return scale(y, n);
}
// A value and what its rounding lost.
template <floating T>
struct parts {
  vec<T> value, rest;
};
// expm1 = 2^n (exp(r) - 1) + (2^n - 1), times 2^-1 where that power would be no number, which `halved` then says
template <floating T>
RL_INLINE parts<T> precise_expm1(vec<T> x, mask<T>& halved) {
  using F = format<T>;
  const vec<T> shifted = mul_add(x, vec<T>(F::log2e_hi), vec<T>(F::magic)), fn = shifted - F::magic;
  const typename mask<T>::raw n = shifted.bits() - vec<T>(F::magic).bits();
  halved = {n > F::bias};
  const vec<T> power = power_of_two<T>(n + halved.m), less_one = power - where(halved, 0.5, 1.);
  const vec<T> high = mul_add(fn, vec<T>(-F::ln2_hi), x), low = fn * -F::ln2_lo, r = high + low;
  const vec<T> tail = mul_add(r * r, exp_polynomial(r), (high - r) + low), y = r + tail;
  const vec<T> value = mul_add(y, power, less_one);
  return {value, mul_add(y, power, less_one - value) + power * ((r - y) + tail)};
}
template <floating T>
RL_INLINE parts<T> precise_expm1(vec<T> x) {  // for x <= 80
  mask<T> halved;
  return precise_expm1(x, halved);
}
template <floating T>
RL_INLINE vec<T> expm1(vec<T> x) {
  const vec<T> c = at_most(format<T>::exp_high, at_least(-50, x));
  mask<T> halved;
  const parts<T> t = precise_expm1(c, halved);
  const vec<T> sum = t.value + t.rest;
  return copysign(where(halved, sum + sum, sum), x);
}
// (a + a_rest) / (b + b_rest): a quotient and one correction
template <floating T>
RL_INLINE vec<T> precise_divide(parts<T> a, parts<T> b) {
  const vec<T> inverse = 1 / b.value, q = a.value * inverse;
  return mul_add(mul_add(-q, b.value, a.value) + (a.rest - q * b.rest), inverse, q);
}
// 1 <= |whole|, |whole| >= |x| or x >= 0
template <floating T>
RL_INLINE parts<T> precise_add(double whole, parts<T> x) {
  const vec<T> sum = whole + x.value, part = sum - whole;
  return {sum, (whole - (sum - part)) + (x.value - part) + x.rest};
}

template <floating T>
RL_INLINE vec<T> sinh(vec<T> x) {
  const vec<T> a = abs(x);
  const parts<T> t = precise_expm1(at_most(1, a));
  const vec<T> near = 0.5 * (t.value + (precise_divide(t, precise_add(1, t)) + t.rest));
  const vec<T> half = scaled_exp(a, -1), far = half - 0.25 / half;
  return copysign(where(a < 1, near, far), x);
}
template <floating T>
RL_INLINE vec<T> cosh(vec<T> x) {
  const vec<T> half = scaled_exp(abs(x), -1);
  return half + 0.25 / half;
}
template <floating T>
RL_INLINE vec<T> tanh(vec<T> x) {
  const vec<T> a = abs(x);
  const parts<T> t = precise_expm1(2 * at_most(20, a));
  return copysign(precise_divide(t, precise_add(2, t)), x);
}

// ---- logarithms ---------------------------------------------------------------------------------------------------

// t with log(1 + f) = f + t, sqrt(1/2) <= 1 + f <= sqrt(2)
RL_INLINE vfloat log_tail(vfloat f) {
  const vfloat z = f * f;
  const vfloat p = polynomial(f, 0.333333313, -0.24999997, 0.200007156, -0.166678026, 0.142490581, -0.124256872,
                              0.116854198, -0.114797339, 0.0697161183);
  return mul_add(z, vfloat(-0.5), z * f * p);
}
// with s = f / (2 + f), log(1 + f) = log((1 + s) / (1 - s)) = f - f^2 / 2 + s (f^2 / 2 + s^2 p(s^2))
RL_INLINE vdouble log_tail(vdouble f) {
  const vdouble s = f / (2 + f), z = s * s, half = 0.5 * f * f;
  const vdouble p = polynomial(z, 0.66666666666666696, 0.39999999999898889, 0.28571428626253836, 0.22222211089379496,
                               0.18182892432536871, 0.15331611722055008, 0.14617807153417325);
  return mul_add(s, mul_add(z, p, half), -half);
}

// x = 2^e (1 + f), x positive and normal
template <floating T>
RL_INLINE vec<T> log_fraction(vec<T> x, typename mask<T>::raw& e) {
  using F = format<T>;
  using lane = typename mask<T>::lane;
  using lanes = typename F::unsigned_lanes;
  const lane offset = vec<T>(1.).bits()[0] - vec<T>(0.70710678118654752440).bits()[0];
  const typename mask<T>::raw biased = (typename mask<T>::raw)(((lanes)x.bits() + offset) >> F::mantissa_bits);
  e = biased - F::bias;
  return vec<T>::from_bits((typename mask<T>::raw)((lanes)x.bits() - ((lanes)e << F::mantissa_bits))) - 1;
}
// an exponent as a number: placed in the low bits of 2^mantissa_bits
template <floating T>
RL_INLINE vec<T> exponent_value(typename mask<T>::raw e) {
  constexpr double base = format<T>::mantissa_bits == 23 ? 0x1p23 : 0x1p52;
  return vec<T>::from_bits((e + 4096) | vec<T>(base).bits()) - (base + 4096);
}
// The logarithm's values at its borders: -inf at 0, NaN below, inf and NaN themselves.
template <floating T>
RL_INLINE vec<T> log_borders(vec<T> x, vec<T> result) {
  const vec<T> inside = where(x < kInfinity, result, x);
  return where(x == 0, -kInfinity, where(x < 0, std::numeric_limits<double>::quiet_NaN(), inside));
}
// The logarithm to a base: 1 + f by (hi + lo) = 1 / log(base), 2^e by (e_hi + e_lo) = log2 / log(base).
template <floating T>
RL_INLINE vec<T> log_to_base(vec<T> x, double hi, double lo, double e_hi, double e_lo) {
  constexpr double smallest = std::numeric_limits<T>::min(), lift = format<T>::mantissa_bits == 23 ? 0x1p32 : 0x1p64;
  constexpr double lift_bits = format<T>::mantissa_bits == 23 ? 32 : 64;
  const mask<T> subnormal = x < smallest;
  typename mask<T>::raw e;
  const vec<T> f = log_fraction(where(subnormal, x * lift, x), e);
  const vec<T> fe = exponent_value<T>(e) - where(subnormal, lift_bits, 0.);
  vec<T> t = log_tail(f);
  if (lo != 0) t = mul_add(f, vec<T>(lo), t * hi);
  const vec<T> low = mul_add(fe, vec<T>(e_lo), t);
  const vec<T> mantissa = mul_add(f, vec<T>(hi), low);
  return log_borders(x, mul_add(fe, vec<T>(e_hi), mantissa));
}
template <floating T>
RL_INLINE vec<T> log(vec<T> x) {
  return log_to_base(x, 1, 0, format<T>::ln2_hi, format<T>::ln2_lo);
}
template <floating T>
RL_INLINE vec<T> log2(vec<T> x) {
  return log_to_base(x, format<T>::log2e_hi, format<T>::log2e_lo, 1, 0);
}
template <floating T>
RL_INLINE vec<T> log10(vec<T> x) {
  return log_to_base(x, format<T>::log10e_hi, format<T>::log10e_lo, format<T>::lg2_hi, format<T>::lg2_lo);
}
// 1 + x = 2^e (1 + f), where f = x 2^-e + (2^-e - 1) is rounded once: nothing of a small x is lost.
template <floating T>
RL_INLINE vec<T> log1p(vec<T> x) {
  using F = format<T>;
  const vec<T> u = 1 + x;
  typename mask<T>::raw e;
  const vec<T> far = log_fraction(u, e), power = power_of_two<T>(-e);
  // 2^-e must stay a number; where e is that large the 1 in u does not matter
  const vec<T> f = where(x > 0x1p60, far, mul_add(x, power, power - 1));
  const vec<T> fe = exponent_value<T>(e);
  const vec<T> r = mul_add(fe, vec<T>(F::ln2_hi), f + mul_add(fe, vec<T>(F::ln2_lo), log_tail(f)));
  return where(x == 0, x, log_borders(u, r));
}
template <floating T>
RL_INLINE vec<T> atanh(vec<T> x) {
  const vec<T> a = abs(x);
  return copysign(0.5 * log1p(2 * a / (1 - a)), x);
}
template <floating T>
RL_INLINE vec<T> acosh(vec<T> x) {
  const vec<T> t = x - 1, near = log1p(t + sqrt(mul_add(t, t, 2 * t)));
  const vec<T> y = where(x > 0x1p28, log(x) + format<T>::ln2_hi, near);
  return where(x < 1, std::numeric_limits<double>::quiet_NaN(), y);
}
template <floating T>
RL_INLINE vec<T> asinh(vec<T> x) {
  const vec<T> a = abs(x), z = a * a, near = log1p(a + z / (1 + sqrt(1 + z)));
  return copysign(where(a > 0x1p28, log(a) + format<T>::ln2_hi, near), x);
}

// ---- circular functions -------------------------------------------------------------------------------------------

// sin(r + rest) and cos(r + rest), |r| <= pi / 4
RL_INLINE vfloat sin_polynomial(vfloat z) { return polynomial(z, -0.166666642, 0.00833274703, -0.00019587639); }
RL_INLINE vdouble sin_polynomial(vdouble z) {
  return polynomial(z, -0.16666666666666666, 0.0083333333333309358, -0.00019841269836740532, 2.7557316093198404e-06,
                    -2.5051129896450185e-08, 1.5917988979397435e-10);
}
RL_INLINE vfloat cos_polynomial(vfloat z) { return polynomial(z, 0.0416666642, -0.00138883013, 2.45476895e-05); }
RL_INLINE vdouble cos_polynomial(vdouble z) {
  return polynomial(z, 0.041666666666666664, -0.0013888888888887389, 2.48015872987544e-05, -2.7557317265878082e-07,
                    2.0876145049413178e-09, -1.138254464534925e-11);
}
template <floating T>
RL_INLINE parts<T> reduced_sin(parts<T> a) {
  const vec<T> r = a.value, z = r * r, tail = mul_add(r * z, sin_polynomial(z), a.rest), sum = r + tail;
  return {sum, (r - sum) + tail};
}
template <floating T>
RL_INLINE parts<T> reduced_cos(parts<T> a) {
  const vec<T> r = a.value, z = r * r, top = mul_add(z, vec<T>(-0.5), vec<T>(1.));
  const vec<T> lost = mul_add(z, vec<T>(-0.5), 1 - top);
  const vec<T> tail = mul_add(z * z, cos_polynomial(z), mul_add(-r, a.rest, lost)), sum = top + tail;
  return {sum, (top - sum) + tail};
}
// x = n pi/2 + r. With fused steps every product is exact, and pi/2 has three times the precision, so r is good to its
// last bits even where x is next to a multiple of pi/2.
template <floating T>
RL_INLINE parts<T> trig_fraction(vec<T> x, typename mask<T>::raw& n) {
  using F = format<T>;
  const vec<T> shifted = mul_add(x, vec<T>(0.63661977236758134308), vec<T>(F::magic)), fn = shifted - F::magic;
  n = shifted.bits();
  const vec<T> near = mul_add(fn, vec<T>(-F::half_pi_hi), x), r = mul_add(fn, vec<T>(-F::half_pi_lo), near);
  // what r lost in rounding: it matters, and near - r is exact, only where r is not small
  const vec<T> lost = where(abs(r) > 0.0625, mul_add(fn, vec<T>(-F::half_pi_lo), near - r), 0.);
  const vec<T> rest = mul_add(fn, vec<T>(-F::half_pi_lower), lost), sum = r + rest;
  return {sum, (r - sum) + rest};
}
// Lanes beyond the reduction's reach, NaN and infinity among them, take the C library's function, each for itself.
template <floating T>
[[gnu::noinline, gnu::cold]] vec<T> library_lanes(vec<T> x, vec<T> result, mask<T> far, T (*function)(T)) {
  return vec<T>::from_lanes([&](int i) { return far[i] ? function(x[i]) : result[i]; });
}
template <floating T>
RL_INLINE vec<T> beyond(vec<T> x, vec<T> result, T (*function)(T)) {
  const mask<T> far = !(abs(x) <= format<T>::trig_limit);
  if (any(far)) [[unlikely]]
    return library_lanes(x, result, far, function);
  return result;
}
template <floating T>
RL_INLINE vec<T> negate_if(vec<T> x, typename mask<T>::raw bit1) {  // where bit 1 is set
  using lane = typename mask<T>::lane;
  return vec<T>::from_bits(x.bits() ^ ((bit1 & lane(2)) << (8 * sizeof(T) - 2)));
}
template <floating T>
RL_INLINE vec<T> sin(vec<T> x) {
  typename mask<T>::raw n;
  const parts<T> r = trig_fraction(x, n);
  const mask<T> odd{(n & 1) != 0};
  const vec<T> y = negate_if(where(odd, reduced_cos(r).value, reduced_sin(r).value), n);
  return beyond(x, where(x == 0, x, y), +[](T v) { return std::sin(v); });
}
template <floating T>
RL_INLINE vec<T> cos(vec<T> x) {
  typename mask<T>::raw n;
  const parts<T> r = trig_fraction(x, n);
  const mask<T> odd{(n & 1) != 0};
  const vec<T> y = negate_if(where(odd, reduced_sin(r).value, reduced_cos(r).value), n + 1);
  return beyond(x, y, +[](T v) { return std::cos(v); });
}
template <floating T>
RL_INLINE vec<T> tan(vec<T> x) {
  typename mask<T>::raw n;
  const parts<T> r = trig_fraction(x, n);
  const parts<T> s = reduced_sin(r), c = reduced_cos(r);
  const mask<T> odd{(n & 1) != 0};
  const parts<T> top{where(odd, -c.value, s.value), where(odd, -c.rest, s.rest)};
  const parts<T> bottom{where(odd, s.value, c.value), where(odd, s.rest, c.rest)};
  const vec<T> y = precise_divide(top, bottom);
  return beyond(x, where(x == 0, x, y), +[](T v) { return std::tan(v); });
}

// p with atan(r) = r + r z p(z), z = r^2 <= tan(pi / 8)^2
RL_INLINE vfloat atan_polynomial(vfloat z) {
  return polynomial(z, -0.333333313, 0.199995384, -0.142638966, 0.107430995, -0.06449835);
}
RL_INLINE vdouble atan_polynomial(vdouble z) {
  return polynomial(z, -0.33333333333333331, 0.1999999999999548, -0.14285714284657894, 0.11111111014561013,
                    -0.090909045498846111, 0.076921825351166484, -0.066645022156714473, 0.058580687568615106,
                    -0.050850304928109408, 0.039219552532551293, -0.019162068915902573);
}
// The angle of the point (x, y), x and y positive, not both 0 or infinite, measured from the positive half axis or,
// where `left`, from the negative one. It is k pi/4 +- atan(q) with |q| <= tan(pi / 8).
template <floating T>
RL_INLINE vec<T> point_angle(vec<T> y, vec<T> x, mask<T> left) {
  constexpr double hi = 0.5 * format<T>::half_pi_hi, lo = 0.5 * format<T>::half_pi_lo;
  const mask<T> above = y > x;
  const vec<T> low = where(above, x, y), high = where(above, y, x);
  const mask<T> upper = low > 0.41421356237309504880 * high;
  const vec<T> top = where(upper, low - high, low), bottom = where(upper, low + high, high);
  const vec<T> bottom_rest = where(upper, low - (bottom - high), 0.);
  const vec<T> q = top / bottom, lost = (mul_add(-q, bottom, top) - q * bottom_rest) / bottom;
  const vec<T> z = q * q, rest = mul_add(q * z, atan_polynomial(z), lost);
  vec<T> k = where(upper, 1, vec<T>(0.));
  k = where(above, 2 - k, k);
  k = where(left, 4 - k, k);
  const typename mask<T>::raw flip = (above ^ left).m & kSignBit<T>;
  const vec<T> a = vec<T>::from_bits(q.bits() ^ flip), b = vec<T>::from_bits(rest.bits() ^ flip);
  const vec<T> base = k * hi, base_rest = mul_add(k, vec<T>(lo), mul_add(k, vec<T>(hi), -base));
  const vec<T> sum = base + a;
  return where(k == 0, a + b, sum + (((base - sum) + a) + (b + base_rest)));
}
template <floating T>
RL_INLINE vec<T> atan(vec<T> x) {
  const vec<T> a = abs(x);
  return copysign(point_angle(where(a > 0x1p100, 0x1p100, a), vec<T>(1.), mask<T>{}), x);
}
template <floating T>
RL_INLINE vec<T> atan2(vec<T> y, vec<T> x) {
  constexpr double large = 0x1p-4 * std::numeric_limits<T>::max(), small = std::numeric_limits<T>::min() * 0x1p30;
  vec<T> u = abs(y), v = abs(x);
  // sums must not overflow, what a quotient lost must not vanish
  const vec<T> factor = where((u > large) | (v > large), 0x1p-30, where((u < small) & (v < small), 0x1p30, vec<T>(1.)));
  u = u * factor, v = v * factor;
  const mask<T> tall = u == kInfinity, long_ = v == kInfinity;
  u = where(tall, 1, where(long_, 0, u)), v = where(long_ | ((u == 0) & (v == 0)), 1, where(tall, 0, v));
  return where((x != x) | (y != y), x + y, copysign(point_angle(u, v, signbit(x)), y));
}

// p with asin(x) = x + x z p(z), z = x^2 <= 1/4
RL_INLINE vfloat asin_polynomial(vfloat z) {
  return polynomial(z, 0.166666657, 0.0750009641, 0.044598572, 0.0311113708, 0.0170938298, 0.0337898098);
}
RL_INLINE vdouble asin_polynomial(vdouble z) {
  return polynomial(z, 0.16666666666666669, 0.074999999999983441, 0.044642857146538865, 0.030381944123781472,
                    0.022372173551590945, 0.01735237793331728, 0.013971439493000882, 0.011476901613736898,
                    0.010338017463461142, 0.0053906200926186199, 0.0175870063207938, -0.015148720316881723,
                    0.028964515529972108);
}
// Above 1/2, asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)).
template <floating T>
RL_INLINE vec<T> asin(vec<T> x) {
  using F = format<T>;
  const vec<T> a = abs(x);
  const mask<T> large = a > 0.5;
  const vec<T> z = where(large, 0.5 * (1 - a), a * a), s = where(large, sqrt(z), a);
  const vec<T> tail = s * z * asin_polynomial(z), turn = F::half_pi_hi - 2 * s;
  const vec<T> above = turn + (((F::half_pi_hi - turn) - 2 * s) - (2 * tail - F::half_pi_lo));
  return copysign(where(large, above, s + tail), x);
}
template <floating T>
RL_INLINE vec<T> acos(vec<T> x) {
  using F = format<T>;
  const vec<T> a = abs(x);
  const mask<T> large = a > 0.5;
  const vec<T> z = where(large, 0.5 * (1 - a), a * a), s = where(large, sqrt(z), a);
  const vec<T> y = mul_add(s * z, asin_polynomial(z), s), twice = 2 * y;
  const vec<T> below = F::half_pi_hi - (copysign(y, x) - F::half_pi_lo);
  const vec<T> above = where(x < 0, 2 * F::half_pi_hi - (twice - 2 * F::half_pi_lo), twice);
  return where(large, above, below);
}

// ---- error function -----------------------------------------------------------------------------------------------

// erf(a) in t = 2 a - k, 0 <= t <= 1, for k = 0 to 7, less a itself for k = 0: row j holds the coefficients of t^j.
inline constexpr float kErfTable[8][8] = {
  {0, 0.520499885f, 0.842700779f, 0.966105163f, 0.995322287f, 0.999593019f, 0.999977887f, 0.999999285f},
  {0.0641896129f, 0.439391345f, 0.207553655f, 0.0594651513f, 0.0103335092f, 0.00108914124f, 6.96251736e-05f,
   2.6995117e-06f},
  {-3.68118975e-07f, -0.109848909f, -0.103775024f, -0.0445989855f, -0.0103338435f, -0.0013614092f, -0.000104411272f,
   -4.72021611e-06f},
  {-0.0470099822f, -0.0182988998f, 0.0172813348f, 0.0173449125f, 0.00603070948f, 0.00104362366f, 9.84068611e-05f,
   5.25190853e-06f},
  {-3.40028128e-05f, 0.0114043541f, 0.00438240869f, -0.00279026502f, -0.00216417992f, -0.00053843006f, -6.43516469e-05f,
   -4.08953792e-06f},
  {0.0036187137f, 0.000318891776f, -0.00228696526f, -0.000461247022f, 0.000434035348f, 0.000190437f, 2.97385468e-05f,
   2.24227642e-06f},
  {-0.000122904923f, -0.000906064059f, 0.000219782902f, 0.000304014684f, -2.38544362e-05f, -4.34775211e-05f,
   -9.01339081e-06f, -7.89443391e-07f},
  {-0.000141169308f, 0.000140201926f, 2.9158211e-05f, -4.64613368e-05f, -5.59320279e-06f, 4.976328e-06f,
   1.35312064e-06f, 1.33181217e-07f},
};
RL_INLINE vfloat erf(vfloat x) {
  const vfloat a = at_most(3.925, abs(x)), twice = a + a;  // erf is 1 above
  const vfloat k = (twice - 0.5) + format<float>::magic, t = twice - (k - format<float>::magic);
  vfloat p = lookup(kErfTable[7], k.bits());
  for (int j = 6; j > 0; --j) p = mul_add(t, p, lookup(kErfTable[j], k.bits()));
  return copysign(mul_add(t, p, where(k == format<float>::magic, a, lookup(kErfTable[0], k.bits()))), x);
}

// erf(x) / x - 1 in z = x^2 <= 1
RL_INLINE vdouble erf_polynomial(vdouble z) {
  return polynomial(z, 0.12837916709551259, -0.37612638903183748, 0.11283791670954879, -0.026866170645076792,
                    0.0052239776248180145, -0.000854832698083379, 0.0001205533111164271, -1.4925595266831182e-05,
                    1.6461000484121368e-06, -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09,
                    5.9571761477489113e-11);
}
// exp(-a^2) p: one rounding for the product, none for the square
template <floating T>
RL_INLINE vec<T> gaussian_times(vec<T> a, vec<T> p) {
  const vec<T> square = a * a;
  typename mask<T>::raw n;
  const vec<T> r = exp_remainder(-square, n) - mul_add(a, a, -square);
  return scale(mul_add(p, mul_add(r * r, exp_polynomial(r), r), p), n);
}
// erfc(a), a >= 0.5: exp(-a^2) / (1 + 2a) times a smooth function of (a - 3) / (a + 3) (Shepherd and Laframboise, 1981)
RL_INLINE vdouble erfc_tail(vdouble a) {
  a = at_most(28, a);
  const vdouble t = (a - 3) / (a + 3);
  const vdouble p = polynomial(
      t, 1.2530080582697296, -0.13562110612458073, -0.047562294353433496, 0.12964515870270488, -0.11927366341639194,
      0.068308027346046699, -0.023770514892224003, 0.0025293917797850497, 0.0018886900302174793,
      -0.00077983191204633693, -0.00010515742662882786, 0.00012509714828932281, 4.9389238816021845e-06,
      -2.0091919679287273e-05, -7.0179749849071999e-07, 3.4505577498110082e-06, 3.043258865747445e-07,
      -5.8209582502963758e-07, -8.5712227870383419e-08, 7.0402160384973664e-08, 9.3230807898581183e-09);
  return gaussian_times(a, p / (1 + 2 * a));
}
RL_INLINE vdouble erf(vdouble x) {
  const vdouble a = abs(x), near = mul_add(x, erf_polynomial(x * x), x);
  return where(a < 1, near, copysign(1 - erfc_tail(a), x));
}
RL_INLINE vdouble erfc(vdouble x) {
  const vdouble tail = erfc_tail(abs(x));
  return where(abs(x) < 0.5, 1 - erf(x), where(x < 0, 2 - tail, tail));
}

// ---- float by way of double ---------------------------------------------------------------------------------------

struct double_pair {
  vdouble low, high;
};
typedef float half_lanes __attribute__((vector_size(RL_VECTOR_BYTES / 2)));
RL_INLINE double_pair widen(vfloat x) {
  half_lanes part[2];
  std::memcpy(part, &x.v, sizeof part);
#if RL_VECTOR_BYTES == 32  // the compiler's own conversion goes by quarters
  return {(vdouble::raw)_mm256_cvtps_pd((__m128)part[0]), (vdouble::raw)_mm256_cvtps_pd((__m128)part[1])};
#else
  return {__builtin_convertvector(part[0], vdouble::raw), __builtin_convertvector(part[1], vdouble::raw)};
#endif
}
RL_INLINE vfloat narrow(vdouble low, vdouble high) {
#if RL_VECTOR_BYTES == 32
  return (vfloat::raw)_mm256_set_m128(_mm256_cvtpd_ps((__m256d)high.v), _mm256_cvtpd_ps((__m256d)low.v));
#else
  const half_lanes part[] = {__builtin_convertvector(low.v, half_lanes), __builtin_convertvector(high.v, half_lanes)};
  vfloat r;
  std::memcpy(&r.v, part, sizeof part);
  return r;
#endif
}

// 2^p to 27 bits, |p| <= 200
RL_INLINE vdouble exp2_for_float(vdouble p) {
  const vdouble shifted = p + 0x1.8p52, r = p - (shifted - 0x1.8p52);
  const vdouble q = polynomial(r, 0.69314718802622877, 0.24022650760568126, 0.055503571142190782, 0.0096180825572778524,
                               0.0013390863364671234, 0.00015453162945120691);
  return mul_add(r, q, vdouble(1.)) * power_of_two<double>(shifted.bits() - vdouble(0x1.8p52).bits());
}

RL_INLINE vdouble erfc_of_float(vdouble x) {  // a double holds the square of a float
  const vdouble a = at_most(10.5, abs(x));
  const vdouble p =
      polynomial((a - 3) / (a + 3), 0.17900115116156037, -0.32623356642559126, 0.24560380904155787,
                 -0.15011570585741957, 0.071665703704665448, -0.024394895772323288, 0.0042694529773989309,
                 0.00071810729768110768, -0.000594617338609684, 2.5843447403822303e-05, 5.4283921978497327e-05);
  const vdouble tail = exp2_for_float(a * a * -1.44269504088896340736) * p;
  return where(x < 0, 2 - tail, tail);
}
RL_INLINE vfloat erfc(vfloat x) {
  const double_pair a = widen(x);
  return narrow(erfc_of_float(a.low), erfc_of_float(a.high));
}

// log(gamma(x)), x > 0, with an absolute error of a few 1e-15: Stirling's series (DLMF 5.11.1) from 8 on, and
// gamma(x) = gamma(x + 8) / (x (x + 1) ... (x + 7)) below.
RL_INLINE vdouble lgamma_of_positive(vdouble x) {
  const mask<double> small = x < 8;
  vdouble product = x * (x + 7);  // pairs of factors: (x + k) (x + 7 - k) = product + k (7 - k)
  product = product * (product + 6) * ((product + 10) * (product + 12));
  const vdouble y = where(small, x + 8, x), r = 1 / y;
  const vdouble series =
      polynomial(r * r, 1. / 12, -1. / 360, 1. / 1260, -1. / 1680, 1. / 1188, -691. / 360360, 1. / 156);
  const vdouble stirling = mul_add(y - 0.5, log(y) - 1, mul_add(r, series, vdouble(0.41893853320467274178)));
  return where((x == 1) | (x == 2), 0, where(small, stirling - log(product), stirling));
}
RL_INLINE vdouble lgamma_of_float(vdouble x) {
  if (all(x > 0)) return lgamma_of_positive(x);
  const mask<double> left = x <= 0;  // by reflection, log(pi / |sin(pi x)|) - lgamma(1 - x)
  const vdouble y = lgamma_of_positive(where(left, 1 - x, x));
  const vdouble reflected = log(abs(3.14159265358979323846 / sin(3.14159265358979323846 * (x - round(x))))) - y;
  return where(left, where(x == -kInfinity, kInfinity, reflected), y);
}
RL_INLINE vfloat lgamma(vfloat x) {
  const double_pair a = widen(x);
  return narrow(lgamma_of_float(a.low), lgamma_of_float(a.high));
}

// log2 to 35 bits, for positive normal numbers
RL_INLINE vdouble log2_for_float(vdouble a) {
  mask<double>::raw e;
  const vdouble f = log_fraction(a, e), s = f / (2 + f), z = s * s;
  const vdouble q = polynomial(z, 0.6666666655430018, 0.40000122000816879, 0.28550802553276711, 0.23330964051772041);
  const vdouble ln = s * mul_add(z, q, vdouble(2.));
  return mul_add(ln, vdouble(1.44269504088896340736), exponent_value<double>(e));
}
RL_INLINE vdouble pow_of_floats(vdouble a, vdouble y) {  // a > 0; among floats no subnormals occur
  return exp2_for_float(at_most(200, at_least(-200, y * log2_for_float(a))));
}
RL_INLINE vfloat general_pow(vfloat x, vfloat y) {
  const vfloat a = abs(x);
  const double_pair base = widen(a), exponent = widen(y);
  vfloat r = narrow(pow_of_floats(base.low, exponent.low), pow_of_floats(base.high, exponent.high));
  if (all((x > 0) & (x < kInfinity) & (abs(y) < kInfinity))) return r;
  const mask<float> whole = trunc(y) == y, odd = whole & (trunc(0.5 * y) != 0.5 * y);
  r = where((a == 0) | (a == kInfinity), where((a == 0) == (y < 0), kInfinity, vfloat(0.)), r);
  r = where(odd & signbit(x), -r, r);
  r = where((x < 0) & (a < kInfinity) & !whole, std::numeric_limits<double>::quiet_NaN(), r);
  r = where((x != x) | (y != y), x + y, r);
  return where((y == 0) | (x == 1) | ((x == -1) & isinf(y)), 1, r);
}

}  // namespace RL_ISA
}  // namespace rl

#endif  // RL_FUSED
