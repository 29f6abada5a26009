// L5: operators called from C++, as vjps do: call<"sum">(gy, dims, true), gy * conj(x).
#pragma once
#include <algorithm>

#include "eager/invoke.h"

namespace rl {

template <std::size_t N> struct OpName {
  char text[N];
  consteval OpName(const char (&s)[N]) { std::copy_n(s, N, text); }
};

template <OpName name> const OpDef& op_called() {
  static const OpDef& op = require_op(name.text);
  return op;
}

template <class... A> void bind_arguments(const OpDef& op, ArgRoom& arg, const A&... given) {
  int n = 0;
  ((arg[n++] = Arg(given)), ...);
  for (; n < op.signature->n; ++n) arg[n] = op.signature->param[n].fallback;
}

template <OpName name, class... A> Tensor call(const A&... given) {
  const OpDef& op = op_called<name>();
  ArgRoom arg;
  bind_arguments(op, arg, given...);
  return invoke(op, arg);
}

// All results of an operator that has several.
template <OpName name, class... A> std::array<Tensor, kMaxOutputs> call_all(const A&... given) {
  const OpDef& op = op_called<name>();
  ArgRoom arg;
  bind_arguments(op, arg, given...);
  std::array<Tensor, kMaxOutputs> out;
  invoke(op, arg, out.data());
  return out;
}

inline Tensor operator+(const Tensor& a, const Tensor& b) { return call<"add">(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return call<"sub">(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return call<"mul">(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return call<"div">(a, b); }
inline Tensor operator+(const Tensor& a, double b) { return call<"add">(a, b); }
inline Tensor operator-(const Tensor& a, double b) { return call<"sub">(a, b); }
inline Tensor operator*(const Tensor& a, double b) { return call<"mul">(a, b); }
inline Tensor operator/(const Tensor& a, double b) { return call<"div">(a, b); }
inline Tensor operator-(const Tensor& a) { return call<"neg">(a); }
inline Tensor conj(const Tensor& a) { return is_complex(a->dtype) ? call<"conj">(a) : a; }
inline Tensor contiguous(const Tensor& a) { return a->is_contiguous() ? a : call<"contiguous_copy">(a); }
inline Tensor to_dtype(const Tensor& a, DType d) { return a->dtype == d ? a : call<"to_dtype">(a, d); }

}  // namespace rl
