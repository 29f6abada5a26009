// L6: EXPR(lambda), a formula and its readers. The same lambda runs on vec<T> (the CPU's tile loop), on Symbols (double
// backward and export), and is kept as text (CUDA). Hence its one rule: no `if`, write where().
#pragma once
#include "eager/call.h"
#include "kernels/cpu/simd.h"

namespace rl {

// The Symbol reader.
template <class F, Binding B> void trace_formula(Program& p) {
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    Symbol s[] = {Symbol{&p, p.push({.op = nullptr, .input = B.source[K]})}...};
    p.result = F{}(s[K]...).id;
  }(std::make_index_sequence<B.n>());
}

inline namespace RL_ISA {

constexpr int operands_before(const Binding& b, int k) {
  int n = 0;
  for (int i = 0; i < k; ++i) n += b.operand[i];
  return n;
}

template <class T, bool Mask, bool Operand>
RL_INLINE auto fetch(const void* p, std::size_t i, std::size_t n, vec<T> attribute) {
  if constexpr (!Operand) return attribute;
  else if constexpr (Mask) return load_mask<T>(static_cast<const std::uint8_t*>(p) + i, n);
  else if (n == std::size_t(vec<T>::lanes)) return vec<T>::load(static_cast<const T*>(p) + i);
  else return load_part(static_cast<const T*>(p) + i, n);
}

template <class T> RL_INLINE void put(void* to, std::size_t i, vec<T> v, std::size_t n) {
  if (n == std::size_t(vec<T>::lanes)) v.store(static_cast<T*>(to) + i);
  else store_part(static_cast<T*>(to) + i, v, n);
}
template <class T> RL_INLINE void put(void* to, std::size_t i, mask<T> v, std::size_t n) {
  store_mask<T>(static_cast<std::uint8_t*>(to) + i, v, n);
}

// The SIMD reader: contiguous operands, n elements. The tail runs the same vector code, so that an element's value
// never depends on where it stands.
template <class F, Binding B, class T> struct TileLoop {
  [[gnu::flatten]] static void run(void* out, const void* const* in, std::size_t n, const double* attribute) {
    [&]<std::size_t... K>(std::index_sequence<K...>) __attribute__((always_inline)) {
      constexpr std::size_t lanes = vec<T>::lanes;
      const void* p[] = {(B.operand[K] ? in[operands_before(B, K)] : nullptr)...};
      vec<T> constant[] = {vec<T>(B.operand[K] ? 0. : attribute[int(K) - operands_before(B, K)])...};
      std::size_t i = 0;
      for (; i + lanes <= n; i += lanes)
        put<T>(out, i, F{}(fetch<T, B.mask[K], B.operand[K]>(p[K], i, lanes, constant[K])...), lanes);
      if (i < n) put<T>(out, i, F{}(fetch<T, B.mask[K], B.operand[K]>(p[K], i, n - i, constant[K])...), n - i);
    }(std::make_index_sequence<B.n>());
  }
};

template <class F, Binding B, class T> constexpr bool formula_gives_mask() {
  return []<std::size_t... K>(std::index_sequence<K...>) {
    auto value = []<bool M>(std::bool_constant<M>) {
      if constexpr (M) return mask<T>{};
      else return vec<T>{};
    };
    return std::is_same_v<decltype(F{}(value(std::bool_constant<B.mask[K]>{})...)), mask<T>>;
  }(std::make_index_sequence<B.n>());
}

}  // namespace RL_ISA

// Nothing but names and & | ^ ~ after the lambda's parameters.
constexpr bool is_bitwise(std::string_view text) {
  std::string_view body = text.substr(text.find("return") + 6);
  body = body.substr(0, body.find(';'));
  return body.find_first_of("&|^~") != body.npos && body.find_first_of("<>=!+-*/%.(") == body.npos;
}

template <Binding B, DTypes D, class F> constexpr Expr make_expr(const char* text, F) {
  Expr e;
  e.text = text;
  e.binding = B;
  e.trace = &trace_formula<F, B>;
  if constexpr (D & (bools | integers)) {
    e.tile[int(Compute::i64)] = &TileLoop<F, B, std::int64_t>::run;
    e.gives_mask = formula_gives_mask<F, B, std::int64_t>();
  }
  if constexpr (D & floats) {
    e.tile[int(Compute::f32)] = &TileLoop<F, B, float>::run;
    e.tile[int(Compute::f64)] = &TileLoop<F, B, double>::run;
    e.gives_mask = formula_gives_mask<F, B, float>();
  }
  if constexpr (D & complexes) e.tile[int(Compute::c128)] = &TileLoop<F, B, complex128>::run;
  e.identity = std::string_view(text) == "[](auto gy) { return gy; }";
  for (int k = 0; k < B.n; ++k) e.reads_mask |= B.mask[k];
  e.bitwise = is_bitwise(text) ? D & whole_types : 0;
  return e;
}

// In a row: .value = EXPR([](auto input) { return ...; }), .grad = {GRAD([](auto gy, auto result) { return ...; })}.
// Parameters are found by name: arguments of the signature, gy (the gradient that arrives), result.
#define EXPR(...) (::rl::make_expr<::rl::bind(signature, #__VA_ARGS__), dtypes>(#__VA_ARGS__, __VA_ARGS__))
#define GRAD(...)                                                                                                \
  (::rl::make_expr<::rl::bind(signature, #__VA_ARGS__), ::rl::DTypes(dtypes& ::rl::inexact_types)>(#__VA_ARGS__, \
                                                                                                   __VA_ARGS__))

}  // namespace rl
