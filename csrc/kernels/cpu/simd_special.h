// L4: functions of real lanes that are compositions of others, or go lane by lane.
#pragma once
#include "kernels/cpu/simd_elementary.h"
#include "kernels/cpu/simd_int.h"
#include "kernels/cpu/special_functions.h"

namespace rl {
inline namespace RL_ISA {

// Lane by lane, in double. Out of line: a formula stays small, and the compiler has nothing to vectorise here.
#define RL_LANES_1(name, function)             \
  template <floating T>                        \
  [[gnu::noinline]] vec<T> name(vec<T> a) {    \
    T x[vec<T>::lanes];                        \
    a.store(x);                                \
    for (T& v : x) v = T(function(double(v))); \
    return vec<T>::load(x);                    \
  }
#define RL_LANES_2(name, function)                                                          \
  template <floating T>                                                                     \
  [[gnu::noinline]] vec<T> name(vec<T> a, vec<T> b) {                                       \
    T x[vec<T>::lanes], y[vec<T>::lanes];                                                   \
    a.store(x), b.store(y);                                                                 \
    for (int i = 0; i < vec<T>::lanes; ++i) x[i] = T(function(double(x[i]), double(y[i]))); \
    return vec<T>::load(x);                                                                 \
  }
#if !RL_FUSED
RL_LANES_1(exp, std::exp)
RL_LANES_1(exp2, std::exp2)
RL_LANES_1(expm1, std::expm1)
RL_LANES_1(log, std::log)
RL_LANES_1(log2, std::log2)
RL_LANES_1(log10, std::log10)
RL_LANES_1(log1p, std::log1p)
RL_LANES_1(sin, std::sin)
RL_LANES_1(cos, std::cos)
RL_LANES_1(tan, std::tan)
RL_LANES_1(asin, std::asin)
RL_LANES_1(acos, std::acos)
RL_LANES_1(atan, std::atan)
RL_LANES_1(sinh, std::sinh)
RL_LANES_1(cosh, std::cosh)
RL_LANES_1(tanh, std::tanh)
RL_LANES_1(asinh, std::asinh)
RL_LANES_1(acosh, std::acosh)
RL_LANES_1(atanh, std::atanh)
RL_LANES_1(erf, std::erf)
RL_LANES_1(erfc, std::erfc)
RL_LANES_2(atan2, std::atan2)
RL_LANES_2(chebyshev_polynomial_t, scalar::chebyshev_polynomial_t)
RL_LANES_2(chebyshev_polynomial_u, scalar::chebyshev_polynomial_u)
RL_LANES_2(chebyshev_polynomial_v, scalar::chebyshev_polynomial_v)
RL_LANES_2(chebyshev_polynomial_w, scalar::chebyshev_polynomial_w)
RL_LANES_2(hermite_polynomial_h, scalar::hermite_polynomial_h)
RL_LANES_2(hermite_polynomial_he, scalar::hermite_polynomial_he)
RL_LANES_2(laguerre_polynomial_l, scalar::laguerre_polynomial_l)
RL_LANES_2(legendre_polynomial_p, scalar::legendre_polynomial_p)
template <floating T>
RL_INLINE vec<T> exp_of_negative(vec<T> x) {
  return exp(x);
}
#endif
RL_LANES_2(general_pow, std::pow)  // of double; float has a better match with fused multiply-add
RL_LANES_1(lgamma, scalar::lgamma)
RL_LANES_1(erfinv, scalar::erfinv)
RL_LANES_1(digamma, scalar::digamma)
RL_LANES_1(trigamma, scalar::trigamma)
RL_LANES_1(ndtri, scalar::ndtri)
RL_LANES_1(i0, scalar::i0)
RL_LANES_1(i0e, scalar::i0e)
RL_LANES_1(i1, scalar::i1)
RL_LANES_1(i1e, scalar::i1e)
RL_LANES_1(bessel_j0, scalar::bessel_j0)
RL_LANES_1(bessel_j1, scalar::bessel_j1)
RL_LANES_1(bessel_y0, scalar::bessel_y0)
RL_LANES_1(bessel_y1, scalar::bessel_y1)
RL_LANES_1(scaled_modified_bessel_k0, scalar::scaled_modified_bessel_k0)
RL_LANES_1(scaled_modified_bessel_k1, scalar::scaled_modified_bessel_k1)
RL_LANES_1(airy_ai, scalar::airy_ai)
RL_LANES_2(zeta, scalar::zeta)
RL_LANES_2(polygamma, scalar::polygamma)
RL_LANES_2(igamma, scalar::igamma)
RL_LANES_2(igammac, scalar::igammac)
#undef RL_LANES_1
#undef RL_LANES_2

#if RL_FUSED
// Of float by way of double, as in simd_elementary.h. The fits err by less than 1e-9, a fiftieth of an ulp.
#define RL_OF_FLOAT(name)                                           \
  [[gnu::noinline]] inline vfloat name(vfloat x) {                  \
    const double_pair a = widen(x);                                 \
    return narrow(name##_of_float(a.low), name##_of_float(a.high)); \
  }

// erfinv(x), given t = 1 - x^2 without cancellation: x times a smooth function of w = -log(t)
RL_INLINE vdouble erfinv_of_float(vdouble x, vdouble t) {
  const vdouble w = -0.69314718055994530942 * log2_for_float(t);
  vdouble ratio = polynomial(w, 0.88622692569609651, 0.23201365296109508, 0.011549462396345868, -0.0023354996777537208,
                             -0.00012741227568066718, 4.6103491260809155e-05, 2.1790884142241462e-06,
                             -9.4915908920394233e-07, -1.2203597397129162e-07, 6.1131555424910155e-08,
                             -8.4922429016067575e-09, 5.5734290803925986e-10, -1.4854908961637763e-11);
  const mask<double> far = w > 6;
  if (any(far)) {
    const vdouble root = sqrt(w);
    const vdouble p =
        polynomial(1 / root, 0.99627831844227766, 0.28836601091173103, -12.582290509993808, 253.69596357313364,
                   -3726.2265290453047, 39953.920912710993, -319575.20422332326, 1937344.8415173537,
                   -8969367.8294539731, 31716857.351920918, -85033031.154433906, 170063482.20548517,
                   -246593671.88568065, 246955114.0018262, -156508262.9935542, 52256347.790534787, -5263187.7357920045);
    ratio = select(far, root * p, ratio);
  }
  return x * where(t > 0, ratio, where(t == 0, kInfinity, scalar::kNaN));
}
RL_INLINE vdouble erfinv_of_float(vdouble x) { return erfinv_of_float(x, (1 - x) * (1 + x)); }
RL_INLINE vdouble ndtri_of_float(vdouble p) {
  return erfinv_of_float(1.4142135623730950488 * (2 * p - 1), 4 * p * (1 - p));
}
RL_OF_FLOAT(erfinv)
RL_OF_FLOAT(ndtri)

// exp(-a) I(a), a >= 0: a smooth function of (a - 5) / (a + 5) over sqrt(1 + a); order 1 has a factor a / (1 + a) more.
RL_INLINE vdouble i0e_of_float(vdouble x) {
  const vdouble a = at_most(1e300, abs(x));
  return polynomial((a - 5) / (a + 5), 0.44958133785839666, -0.10467840380041704, 0.11658703112916524,
                    -0.13947920681758935, 0.16320741679531778, -0.14678907352880133, 0.043933130836521492,
                    0.099958792748539291, -0.12614107905156893, -0.013950990495799873, 0.098726752170425397,
                    0.013934823770919065, -0.08473268878625248, -0.029836338293896199, 0.066470781217224426,
                    0.044147557833467695, -0.043344699534336499, -0.04132375889206049, 0.02038778889587883,
                    0.024821739023782725, -0.0060149411917576334, -0.0086953629261625615, 0.00081030990199859707,
                    0.0013613616790516831) /
         sqrt(1 + a);
}
RL_INLINE vdouble i1e_of_float(vdouble x) {
  const vdouble a = at_most(1e300, abs(x));
  const vdouble p = polynomial((a - 5) / (a + 5), 0.48197806315417657, -0.14777167232440794, 0.098473637364805286,
                               -0.019383902854195528, -0.083755552965936397, 0.1586416200251925, -0.11901450119942329,
                               -0.033673158267254123, 0.12395087392303447, -0.019050402754322803, -0.097446091605046942,
                               0.011576082258596245, 0.085805653558399933, 0.011284874259337673, -0.071951770127541323,
                               -0.030999923850553838, 0.04938004723062369, 0.03399325832763421, -0.024378927273213342,
                               -0.021791730143498455, 0.0074906846236743119, 0.0079018377830074437,
                               -0.0010609765373817916, -0.0012557423625880325);
  return copysign(a / (1 + a) * p / sqrt(1 + a), x);
}
RL_INLINE vdouble i0_of_float(vdouble x) {  // beyond 100 a float is infinite
  const vdouble a = at_most(100, abs(x));
  return exp(a) * i0e_of_float(a);
}
RL_INLINE vdouble i1_of_float(vdouble x) {
  const vdouble a = at_most(100, abs(x));
  return copysign(exp(a) * i1e_of_float(a), x);
}
RL_OF_FLOAT(i0e)
RL_OF_FLOAT(i1e)
RL_OF_FLOAT(i0)
RL_OF_FLOAT(i1)

// exp(x) K(x): to 2 by the power series (Abramowitz & Stegun 9.6.11), whose two sums are p and q, then a smooth
// function of 1 / (x + 1) over sqrt(x).
RL_INLINE vdouble scaled_modified_bessel_k0_of_float(vdouble x) {
  const vdouble z = x * x;
  const vdouble p =
      polynomial(z, -0.57721566489126808, 0.10569608352317189, 0.014418506240831186, 0.0005451884554529495,
                 1.0215085768805826e-05, 1.1531271120823128e-07, 9.5223688952940848e-10);
  const vdouble q = polynomial(z, 1.0000000000050755, 0.24999999987567148, 0.015625000496912358, 0.00043402703360839306,
                               6.7822140729229587e-06, 6.7623485328099001e-08, 5.0572997363063678e-10);
  const vdouble far = polynomial(1 / (x + 1), 1.2533141372457588, -0.15666423322021311, -0.068543357325796819,
                                 -0.072126403842593168, -0.028494134671573437, -0.064537103034540647,
                                 -0.0094892743072197295, -0.010996590923869466, -0.084352002817514649);
  return where(x <= 2, exp(x) * (p - log(0.5 * x) * q), far / sqrt(x));
}
RL_INLINE vdouble scaled_modified_bessel_k1_of_float(vdouble x) {
  const vdouble z = x * x;
  const vdouble p = polynomial(z, 0.038607832589270245, -0.04204902343607058, -0.0028371047240515522,
                               -7.4938151072217405e-05, -1.0855150533537037e-06, -1.0926453584137408e-08);
  const vdouble q = polynomial(z, 0.49999999992902172, 0.062500001277295866, 0.0026041629459423519,
                               5.4257430585854148e-05, 6.7626946800245627e-07, 6.0688787404050025e-09);
  const vdouble far = polynomial(1 / (x + 1), 1.2533141377113037, 0.46999260943453997, 0.32313531818593905,
                                 0.30429614304168578, 0.24124435010517126, 0.21875490426491692, 0.40408771655443676,
                                 -0.37677842655162369, 0.94416666601936294);
  const vdouble near = exp(x) * (1 / x + x * mul_add(log(0.5 * x), q, p));
  return where(x <= 2, where(x == 0, kInfinity, near), far / sqrt(x));
}
RL_OF_FLOAT(scaled_modified_bessel_k0)
RL_OF_FLOAT(scaled_modified_bessel_k1)

// Bessel and Airy functions. Factors carry the zeros, each to twice the precision, so that a result next to one is as
// precise as any. Beyond, two amplitudes p and q in 1 / x^2 (DLMF 10.17.3, 9.7.9), here fits to the last bit.
RL_INLINE vdouble bessel_j0_near(vdouble z) {  // z = x^2 <= 64
  const vdouble first = z - 5.7831859629467841 - 4.123247343506204e-16;
  const vdouble second = z - 30.471262343662087 + 2.3665344857506588e-16;
  return first * second *
         polynomial(z, 0.0056746933251474027, -0.00025120235411836404, 4.7843561214501902e-06, -5.3178858593979965e-08,
                    3.9358213998996932e-10, -2.0930774728569491e-12, 8.4111653859534218e-15, -2.6445074510467015e-17,
                    6.6126479823502932e-20, -1.2658985984150768e-22, 1.4539455324765306e-25);
}
RL_INLINE vdouble bessel_j1_near(vdouble x) {  // |x| <= 8
  const vdouble z = x * x;
  const vdouble first = z - 14.681970642123893 + 9.858177825793294e-17;
  const vdouble second = z - 49.218456321694603 - 5.0863540694363411e-16;
  return x * first * second *
         polynomial(z, 0.0006919228366405319, -2.5304774078620857e-05, 4.0859145267052881e-07, -3.9294708838677062e-09,
                    2.5576313112699072e-11, -1.2121447235373977e-13, 4.3890398522279815e-16, -1.2553374579284189e-18,
                    2.8839172915927422e-21, -5.1421074190527625e-24, 5.6097209237822267e-27);
}
// x > 8: J0 = even, Y0 = odd; J1 = odd, Y1 = -even
template <int order>
struct bessel_far {
  vdouble even, odd;
  RL_INLINE explicit bessel_far(vdouble x) {
    const vdouble a = at_most(1e300, x), s = 1 / a, z = s * s, amplitude = 1 / sqrt(3.14159265358979323846 * a);
    const vdouble p =
        order == 0 ? polynomial(z, 0.99999999999999989, -0.070312499997824615, 0.11215209392266684,
                                -0.57249551417305344, 6.070820128918049, -108.95693157914438, 2808.9062141776367,
                                -84070.836942131238, 2272648.786533264, -43058878.977943048, 398038622.48499548)
                   : polynomial(z, 1.0000000000000002, 0.11718749999768488, -0.14419555058924191, 0.67658630403026221,
                                -6.8804874947306374, 120.47080125832083, -3058.8155630340898, 90753.958967853672,
                                -2441902.1994702965, 46150988.890664339, -426027891.94415629);
    const vdouble q =
        s * (order == 0 ? polynomial(z, -0.1249999999999989, 0.073242187482849372, -0.22710795679479298,
                                     1.727680690760997, -24.354853733884067, 542.81225763939301, -16389.150571464106,
                                     542765.68437464687, -15551537.873749996, 304464604.85037959, -2869048638.6212182)
                        : polynomial(z, 0.37499999999999883, -0.10253906248179359, 0.27757639885895224,
                                     -1.9934820547935326, 27.221587240836818, -594.80562974721715, 17738.446182574779,
                                     -583306.49606352148, 16649740.352635579, -325294961.32211465, 3061726717.9907441));
    const vdouble sine = sin(a), cosine = cos(a);
    even = ((p + q) * cosine + (p - q) * sine) * amplitude;
    odd = ((p + q) * sine - (p - q) * cosine) * amplitude;
  }
};
RL_INLINE vdouble bessel_j0_of_float(vdouble x) {
  const vdouble a = abs(x), near = bessel_j0_near(a * a);
  if (all(a <= 8)) return near;
  return where(a <= 8, near, bessel_far<0>(a).even);
}
RL_INLINE vdouble bessel_j1_of_float(vdouble x) {
  const vdouble a = abs(x), near = bessel_j1_near(x);
  if (all(a <= 8)) return near;
  const vdouble far = bessel_far<1>(a).odd;
  return where(a <= 8, near, where(x < 0, -far, far));
}
// To 3, 2 / pi log(x / r) times the function of the first kind, r the first zero, and a rest that vanishes there, too.
RL_INLINE vdouble bessel_y0_of_float(vdouble x) {
  const vdouble inverse = 1.1190977808704887, z = x * x, t = x * inverse;
  const vdouble lost = mul_add(x, inverse, -t) + x * 1.0518920173996795e-16;
  const vdouble square = z - 0.79847979466468044 - 4.7669625702155175e-17;
  const vdouble rest = square * polynomial(z, 0.18214429521237452, -0.016744672490115142, 0.00056179299986445087,
                                           -9.8946062788821977e-06, 1.0776593672557507e-07, -7.9329697308036413e-10,
                                           3.7811372598881463e-12);
  vdouble y = mul_add(0.63661977236758134308 * (log(t) + lost), bessel_j0_near(z), rest);
  if (!all(x <= 3)) {
    const vdouble second = x - 3.957678419314858 + 1.0764340697562706e-16;
    const vdouble third = x - 7.0860510603017728 + 8.8352857230854081e-17;
    const vdouble middle =
        second * third *
        polynomial(x - 5.5, 0.13877871182260279, -0.012193177406320829, -0.011556101040851512, 0.00093915616077232288,
                   0.00033552796092599461, -2.353244097309077e-05, -5.4524122326284188e-06, 3.5205496155997176e-07,
                   5.14479758416626e-08, -2.7229920953070621e-09, -4.2155238381003129e-10, 3.8731178134918909e-11,
                   -1.9406659482334295e-12);
    y = where(x > 8, bessel_far<0>(x).odd, where(x > 3, middle, y));
  }
  return y;
}
RL_INLINE vdouble bessel_y1_of_float(vdouble x) {
  const vdouble inverse = 0.45513685813121108, z = x * x, t = x * inverse;
  const vdouble lost = mul_add(x, inverse, -t) + x * 9.4093931656129074e-18;
  const vdouble square = z - 4.8274300065533362 + 3.1038168633726021e-16;
  const vdouble rest =
      square / x *
      polynomial(z, 0.13187550549822241, 0.01602772143634126, -0.0014502499231360206, 4.1441476795108615e-05,
                 -6.2427572378860686e-07, 5.9104016468158802e-09, -3.8389724690313329e-11, 1.6308723511608932e-13);
  vdouble y = mul_add(0.63661977236758134308 * (log(t) + lost), bessel_j1_near(x), rest);
  y = where(x == 0, -kInfinity, y);
  if (!all(x <= 3)) {
    const vdouble second = x - 5.4296810407941347 - 4.162514026670377e-16;
    const vdouble middle = second * polynomial(x - 5.5, -0.33786391633542601, 0.038439183188982574, 0.0500065979739771,
                                               -0.0047617881680587964, -0.002111033842716816, 0.00016591386735732448,
                                               4.497068049157746e-05, -3.1658934149245031e-06, -5.2756490497558724e-07,
                                               2.9072542009012567e-08, 4.9673260644352724e-09, -3.2723117468790597e-10,
                                               3.259164988713128e-11, -9.237487538496437e-12);
    y = where(x > 8, -bessel_far<1>(x).even, where(x > 3, middle, y));
  }
  return y;
}
RL_INLINE vdouble airy_ai_of_float(vdouble x) {
  const vdouble z = abs(x), root = sqrt(z), zeta = 0.66666666666666666667 * z * root;
  const vdouble first = x + 2.338107410459767 + 3.9122604098183052e-17;
  const vdouble second = x + 4.0879494441309703 + 3.3872616942429008e-16;
  const vdouble near =
      first * second *
      polynomial(x + 1.8, 0.27678031543985765, -0.22109126028964099, 0.033586753378909276, 0.024340807388414085,
                 -0.011267924001071824, 0.0006719088914898002, 0.00069207581273577885, -0.00019042641431782188,
                 5.1285752786960159e-07, 8.8150865719357785e-06, -1.5624172503859789e-06, -6.4992953863238706e-08,
                 6.1913592380353193e-08, -7.3952727426459105e-09, -6.2789372689183582e-10, 2.740622674079456e-10,
                 -2.1623720836871096e-11, -3.2294188178417623e-12, 7.8950904259487377e-13, -2.348295045076597e-14,
                 -8.8090465477722494e-15, 8.161831723926876e-16);
  const vdouble right = exp(-zeta) * polynomial(1 / (zeta + 0.5), 0.28209479147115823, -0.019589846854568278,
                                                0.00067703153824899727, -0.00507926454675046, 0.0049583326139432515,
                                                -0.0080364670176652706, 0.0096837898860416653, -0.0087566614242321761,
                                                0.004756531636303297, -0.0011876186138789556);
  vdouble y = where(x > 1.2, right / sqrt(root), near);
  const mask<double> far = x < -4.8;
  if (any(far)) {
    const vdouble s = 1 / zeta, w = s * s;
    const vdouble p = polynomial(w, 0.99999999999999944, -0.03713348764788256, 0.057649177434534529,
                                 -0.29158096653594584, 3.0750271778637539, -54.481422748978261, 1337.3336977158203,
                                 -35772.644172107306, 814878.3792183625, -12523012.889926633, 91896816.086269513);
    const vdouble q = s * polynomial(w, 0.069444444444440381, -0.03799305907921139, 0.11609896586988189,
                                     -0.87758773808370005, 12.307731441785734, -269.64228334008442, 7666.489167960709,
                                     -224149.76994148901, 5367299.9502468053, -84847683.385344699, 633213469.58905292);
    const vdouble wave = (p - q) * cos(zeta) + (p + q) * sin(zeta);
    y = select(far, wave / sqrt(6.28318530717958647693 * root), y);
  }
  return y;
}
RL_OF_FLOAT(bessel_j0)
RL_OF_FLOAT(bessel_j1)
RL_OF_FLOAT(bessel_y0)
RL_OF_FLOAT(bessel_y1)
RL_OF_FLOAT(airy_ai)
#undef RL_OF_FLOAT

// Orthogonal polynomials by the recurrences of special_functions.h, the lanes of N vectors at once.
template <int N, class Next>
RL_INLINE void recurrence(vdouble (&p)[N], vdouble (&before)[N], const vdouble (&x)[N], const vdouble (&n)[N],
                          Next next) {
  vdouble degree[N];
  for (int i = 0; i < N; ++i) degree[i] = trunc(n[i]), p[i] = where(n[i] > 1048576, scalar::kNaN, 1);
  for (double k = 0;; ++k) {
    mask<double> running[N], some{};
    for (int i = 0; i < N; ++i) {
      running[i] = k < degree[i];
      if (k > 128) running[i] = running[i] & (p[i] == p[i]);  // asked of long ones alone: it delays each step
      some = some | running[i];
    }
    if (!any(some)) break;
    for (int i = 0; i < N; ++i) {
      const vdouble after = next(k, x[i], p[i], before[i]);
      before[i] = p[i];
      p[i] = select(running[i], after, p[i]);
    }
  }
  for (int i = 0; i < N; ++i) p[i] = where(n[i] > -1, p[i], 0);
}
template <int N, class Before>
RL_INLINE void chebyshev(vdouble (&p)[N], const vdouble (&x)[N], const vdouble (&n)[N], Before kind) {
  vdouble before[N], degree[N];
  mask<double> closed[N];
  for (int i = 0; i < N; ++i) {
    before[i] = kind(x[i]), closed[i] = (n[i] > 256) & (abs(x[i]) < 1), degree[i] = where(closed[i], 0, n[i]);
  }
  recurrence(p, before, x, degree, [](double, vdouble x, vdouble p, vdouble q) { return mul_add(x + x, p, -q); });
  for (int i = 0; i < N; ++i) {
    if (!any(closed[i])) continue;
    const vdouble angle = acos(x[i]), m = floor(n[i]);
    const vdouble y = (sin((m + 1) * angle) - kind(x[i]) * sin(m * angle)) / sin(angle);
    p[i] = select(closed[i], y, p[i]);
  }
}
#define RL_POLYNOMIAL(name, ...)                                \
  [[gnu::noinline]] inline vdouble name(vdouble a, vdouble b) { \
    const vdouble x[] = {a}, n[] = {b};                         \
    vdouble p[1];                                               \
    __VA_ARGS__;                                                \
    return p[0];                                                \
  }                                                             \
  [[gnu::noinline]] inline vfloat name(vfloat a, vfloat b) {    \
    const double_pair u = widen(a), v = widen(b);               \
    const vdouble x[] = {u.low, u.high}, n[] = {v.low, v.high}; \
    vdouble p[2];                                               \
    __VA_ARGS__;                                                \
    return narrow(p[0], p[1]);                                  \
  }
#define RL_CHEBYSHEV(name, before) \
  RL_POLYNOMIAL(name, chebyshev(p, x, n, []([[maybe_unused]] vdouble x) { return before; }))
#define RL_RECURRENCE(name, after)          \
  RL_POLYNOMIAL(name, decltype(p) before{}; \
                recurrence(p, before, x, n, [](double k, vdouble x, vdouble p, vdouble q) { return after; }))
RL_CHEBYSHEV(chebyshev_polynomial_t, x)
RL_CHEBYSHEV(chebyshev_polynomial_u, vdouble(0))
RL_CHEBYSHEV(chebyshev_polynomial_v, vdouble(1))
RL_CHEBYSHEV(chebyshev_polynomial_w, vdouble(-1))
RL_RECURRENCE(hermite_polynomial_h, mul_add(x + x, p, -2 * k * q))
RL_RECURRENCE(hermite_polynomial_he, mul_add(x, p, -k* q))
RL_RECURRENCE(laguerre_polynomial_l, mul_add(2 * k + 1 - x, p, -k* q) * (1 / (k + 1)))
RL_RECURRENCE(legendre_polynomial_p, mul_add((2 * k + 1) * x, p, -k* q) * (1 / (k + 1)))
#undef RL_CHEBYSHEV
#undef RL_POLYNOMIAL
#undef RL_RECURRENCE
#endif

// Frequent exponents take a shorter way, lane for lane the same whether or not all lanes share it.
template <floating T>
RL_INLINE vec<T> pow(vec<T> x, vec<T> y) {
  const mask<T> two = y == 2, three = y == 3, root = y == 0.5;
  const vec<T> square = x * x, cube = square * x;
  vec<T> power = square;
  if (!all(two | three)) {
    // 0 + x and abs give pow(-0, 0.5) = 0 and pow(-inf, 0.5) = inf
    const vec<T> square_root = sqrt(where(x == -kInfinity, kInfinity, 0 + x));
    power = all(root) ? square_root : select(root, square_root, general_pow(x, y));
  }
  return where(two, square, where(three, cube, power));
}

// Scaled by a power of two, so that the squares neither overflow nor vanish.
template <floating T>
RL_INLINE vec<T> hypot(vec<T> x, vec<T> y) {
  using lane = typename mask<T>::lane;
  constexpr int bits = std::numeric_limits<T>::digits - 1, largest = 2 * (std::numeric_limits<T>::max_exponent - 1);
  const vec<T> a = abs(x), b = abs(y), high = maximum(a, b), low = minimum(a, b);
  typename mask<T>::raw e = high.bits() >> bits;
  e = e < lane(1) ? typename mask<T>::raw{} + lane(1) : e;
  e = e > lane(largest - 1) ? typename mask<T>::raw{} + lane(largest - 1) : e;
  const vec<T> up = vec<T>::from_bits(e << bits), down = vec<T>::from_bits((lane(largest) - e) << bits);
  const vec<T> u = high * down, v = low * down;
  const vec<T> r = up * sqrt(mul_add(u, u, v * v));
  return where((a == kInfinity) | (b == kInfinity), kInfinity, r);
}

// exp of a number that is never positive neither overflows nor loses small results.
template <floating T>
RL_INLINE vec<T> sigmoid(vec<T> x) {
  const vec<T> e = exp_of_negative(-abs(x));
  return where(signbit(x), e, 1) / (1 + e);
}
template <floating T>
RL_INLINE vec<T> ndtr(vec<T> x) {
  return 0.5 * erfc(-0.70710678118654752440 * x);
}
#if RL_FUSED
RL_INLINE vfloat ndtr(vfloat x) {  // rounding erfc's argument to float would cost dozens of ulp
  const double_pair a = widen(x);
  constexpr double scale = -0.70710678118654752440;
  return 0.5 * narrow(erfc_of_float(scale * a.low), erfc_of_float(scale * a.high));
}
#endif
template <floating T>
RL_INLINE vec<T> sinc(vec<T> x) {
  constexpr double pi = 3.14159265358979323846;
  const vec<T> turns = round(x), half = 0.5 * turns, s = sin(pi * (x - turns));  // precise next to the zeros, too
  return where(x == 0, 1, where(half == trunc(half), s, -s) / (pi * x));
}
template <floating T>
RL_INLINE vec<T> xlogy(vec<T> x, vec<T> y) {
  return where((x == 0) & (y == y), 0, x * log(y));
}
template <floating T>
RL_INLINE vec<T> xlog1py(vec<T> x, vec<T> y) {
  return where((x == 0) & (y == y), 0, x * log1p(y));
}
// log(1 + x), 0 <= x <= 1
template <floating T>
RL_INLINE vec<T> log1p_of_fraction(vec<T> x) {
#if RL_FUSED
  using F = format<T>;
  const mask<T> halve = x > 0.41421356237309504880;  // then 1 + x = 2 (1 + f)
  const vec<T> f = where(halve, mul_add(x, vec<T>(0.5), vec<T>(-0.5)), x);
  return where(halve, F::ln2_hi, 0.) + (f + (log_tail(f) + where(halve, F::ln2_lo, 0.)));
#else
  return log1p(x);
#endif
}
template <floating T>
RL_INLINE vec<T> logaddexp(vec<T> a, vec<T> b) {
  const vec<T> high = maximum(a, b);
  return where(isinf(a) & (a == b), a, high + log1p_of_fraction(exp_of_negative(-abs(a - b))));
}
template <floating T>
RL_INLINE vec<T> logaddexp2(vec<T> a, vec<T> b) {
  const vec<T> high = maximum(a, b);
  return where(isinf(a) & (a == b), a,
               mul_add(log1p_of_fraction(exp2(-abs(a - b))), vec<T>(1.44269504088896340736), high));
}

RL_EITHER_SIDE(pow)
RL_EITHER_SIDE(atan2)
RL_EITHER_SIDE(hypot)
RL_EITHER_SIDE(zeta)
RL_EITHER_SIDE(polygamma)
RL_EITHER_SIDE(xlogy)
RL_EITHER_SIDE(xlog1py)
RL_EITHER_SIDE(logaddexp)
RL_EITHER_SIDE(logaddexp2)

}  // namespace RL_ISA
}  // namespace rl
