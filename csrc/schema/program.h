// L3: a formula recorded as steps, by running its lambda on Symbols. Serves double backward (run on tensors) and
// export.
#pragma once
#include <vector>

#include "schema/signature.h"

namespace rl {

struct OpDef;

// What a parameter of a formula stands for: argument k of the signature, or one of these.
constexpr int kGradient = -1, kResult = -2, kNoInput = -100;

struct Program {
  struct Step {
    const char* op;                 // nullptr for inputs and constants
    int operand[3] = {-1, -1, -1};  // earlier steps
    double constant = 0;
    int input = kNoInput;
    const OpDef* def = nullptr;     // found when the program is first run
  };
  std::vector<Step> steps;
  int result = -1;

  int push(Step s) {
    steps.push_back(s);
    return static_cast<int>(steps.size()) - 1;
  }
};
std::string to_string(const Program& p, const Signature& s);  // add(mul(input, 2), other)

struct Symbol {
  Program* program;
  int id;
};

inline Symbol constant(Program* p, double v) { return {p, p->push({.op = nullptr, .constant = v})}; }
inline Symbol apply(const char* op, Symbol a) {
  return {a.program, a.program->push({.op = op, .operand = {a.id, -1, -1}})};
}
inline Symbol apply(const char* op, Symbol a, Symbol b) {
  return {a.program, a.program->push({.op = op, .operand = {a.id, b.id, -1}})};
}
inline Symbol apply(const char* op, Symbol a, double b) { return apply(op, a, constant(a.program, b)); }
inline Symbol apply(const char* op, double a, Symbol b) { return apply(op, constant(b.program, a), b); }
inline Symbol where(Symbol m, Symbol a, Symbol b) {
  return {m.program, m.program->push({.op = "where", .operand = {m.id, a.id, b.id}})};
}
inline Symbol where(Symbol m, Symbol a, double b) { return where(m, a, constant(m.program, b)); }
inline Symbol where(Symbol m, double a, Symbol b) { return where(m, constant(m.program, a), b); }
inline Symbol where(Symbol m, double a, double b) { return where(m, constant(m.program, a), constant(m.program, b)); }

#define RL_SYMBOL_OPERATOR(symbol, name)                                          \
  inline Symbol operator symbol(Symbol a, Symbol b) { return apply(name, a, b); } \
  inline Symbol operator symbol(Symbol a, double b) { return apply(name, a, b); } \
  inline Symbol operator symbol(double a, Symbol b) { return apply(name, a, b); }
RL_SYMBOL_OPERATOR(+, "add");
RL_SYMBOL_OPERATOR(-, "sub");
RL_SYMBOL_OPERATOR(*, "mul");
RL_SYMBOL_OPERATOR(/, "div");
RL_SYMBOL_OPERATOR(<, "lt");
RL_SYMBOL_OPERATOR(>, "gt");
RL_SYMBOL_OPERATOR(<=, "le");
RL_SYMBOL_OPERATOR(>=, "ge");
RL_SYMBOL_OPERATOR(==, "eq");
RL_SYMBOL_OPERATOR(!=, "ne");
RL_SYMBOL_OPERATOR(&, "bitwise_and");
RL_SYMBOL_OPERATOR(|, "bitwise_or");
RL_SYMBOL_OPERATOR(^, "bitwise_xor");
RL_SYMBOL_OPERATOR(<<, "bitwise_left_shift");
RL_SYMBOL_OPERATOR(>>, "bitwise_right_shift");
#undef RL_SYMBOL_OPERATOR
inline Symbol operator-(Symbol a) { return apply("neg", a); }
inline Symbol operator!(Symbol a) { return apply("logical_not", a); }
inline Symbol operator~(Symbol a) { return apply("bitwise_not", a); }

#define RL_SYMBOL_FUNCTION(name) \
  inline Symbol name(Symbol a) { return apply(#name, a); }
#define RL_SYMBOL_FUNCTION2(name)                                       \
  inline Symbol name(Symbol a, Symbol b) { return apply(#name, a, b); } \
  inline Symbol name(Symbol a, double b) { return apply(#name, a, b); } \
  inline Symbol name(double a, Symbol b) { return apply(#name, a, b); }
// The vocabulary of formulas: what kernels/cpu/simd.h computes on vectors. Each name is that of a row.
// clang-format off
#define RL_UNARY_VOCABULARY(f)                                                                                          \
  f(abs) f(sign) f(sgn) f(floor) f(ceil) f(trunc) f(round) f(sqrt) f(rsqrt) f(reciprocal) f(square) f(exp) f(exp2)      \
  f(expm1) f(log) f(log2) f(log10) f(log1p) f(sin) f(cos) f(tan) f(asin) f(acos) f(atan) f(sinh) f(cosh) f(tanh)        \
  f(asinh) f(acosh) f(atanh) f(erf) f(erfc) f(erfinv) f(lgamma) f(digamma) f(trigamma) f(sigmoid) f(isnan) f(isinf)     \
  f(isfinite) f(signbit) f(sinc) f(i0) f(i0e) f(i1) f(i1e) f(ndtri) f(conj) f(angle) f(erfcx)                           \
  f(bessel_j0) f(bessel_j1) f(bessel_y0) f(bessel_y1) f(scaled_modified_bessel_k0) f(scaled_modified_bessel_k1)         \
  f(airy_ai) f(ndtr)
#define RL_BINARY_VOCABULARY(f)                                                                                         \
  f(pow) f(fmod) f(remainder) f(floor_divide) f(trunc_divide) f(copysign) f(hypot) f(nextafter) f(maximum) f(minimum)   \
  f(fmax) f(fmin) f(atan2) f(logaddexp) f(xlogy) f(xlog1py) f(zeta) f(polygamma) f(gcd) f(lcm)   \
  f(igamma) f(igammac) f(chebyshev_polynomial_t) f(chebyshev_polynomial_u) f(chebyshev_polynomial_v)                    \
  f(chebyshev_polynomial_w) f(hermite_polynomial_h) f(hermite_polynomial_he) f(laguerre_polynomial_l)                   \
  f(legendre_polynomial_p)
// clang-format on
RL_UNARY_VOCABULARY(RL_SYMBOL_FUNCTION)
RL_BINARY_VOCABULARY(RL_SYMBOL_FUNCTION2)
#undef RL_SYMBOL_FUNCTION
#undef RL_SYMBOL_FUNCTION2

}  // namespace rl
