// L2: the table of element types, and visit(), which turns a DType into a C++ type once for a whole loop.
#pragma once
#include <bit>
#include <complex>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace rl {

enum class DType : std::uint8_t { bool_, u8, i8, i16, i32, i64, f16, bf16, f32, f64, c64, c128 };
constexpr int kDTypes = 12;

using complex64 = std::complex<float>;
using complex128 = std::complex<double>;

// Half precision numbers are storage formats: arithmetic happens in float.
struct bfloat16 {
  std::uint16_t bits;
  bfloat16() = default;
  explicit bfloat16(float value) {
    auto u = std::bit_cast<std::uint32_t>(value);
    bits = value != value ? 0x7fc0 : static_cast<std::uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16);
  }
  operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

struct float16 {
  _Float16 value;
  float16() = default;
  explicit float16(float v) : value(static_cast<_Float16>(v)) {}
  operator float() const { return static_cast<float>(value); }
};

// bool < integer < floating < complex: the categories of type promotion.
enum class Category : std::uint8_t { boolean, integer, floating, complex };

struct DTypeInfo {
  const char* name;       // as PyTorch prints it, without "torch."
  const char* alias;      // "" when there is none
  std::uint8_t size;
  Category category;
  bool is_signed;
  const char* buffer;     // struct-module format character(s) of the buffer protocol; "" when there is none
};

constexpr DTypeInfo kDType[kDTypes] = {
  {"bool", "", 1, Category::boolean, false, "?"},
  {"uint8", "", 1, Category::integer, false, "B"},
  {"int8", "", 1, Category::integer, true, "b"},
  {"int16", "short", 2, Category::integer, true, "h"},
  {"int32", "int", 4, Category::integer, true, "i"},
  {"int64", "long", 8, Category::integer, true, "q"},
  {"float16", "half", 2, Category::floating, true, "e"},
  {"bfloat16", "", 2, Category::floating, true, ""},
  {"float32", "float", 4, Category::floating, true, "f"},
  {"float64", "double", 8, Category::floating, true, "d"},
  {"complex64", "cfloat", 8, Category::complex, true, "Zf"},
  {"complex128", "cdouble", 16, Category::complex, true, "Zd"},
};

constexpr const DTypeInfo& info(DType d) { return kDType[static_cast<int>(d)]; }
constexpr i64 size_of(DType d) { return info(d).size; }
constexpr Category category(DType d) { return info(d).category; }
constexpr bool is_floating(DType d) { return category(d) == Category::floating; }
constexpr bool is_complex(DType d) { return category(d) == Category::complex; }
constexpr bool is_integral(DType d) { return category(d) <= Category::integer; }  // bool included
constexpr bool is_differentiable(DType d) { return category(d) >= Category::floating; }
inline void append(std::string& s, DType d) { s += info(d).name; }

// The real type of a complex one and the other way round; others are returned as they are / by size.
constexpr DType to_real(DType d) { return d == DType::c64 ? DType::f32 : d == DType::c128 ? DType::f64 : d; }
constexpr DType to_complex(DType d) { return d == DType::f64 || d == DType::c128 ? DType::c128 : DType::c64; }

// The smallest type that holds both, by PyTorch's lattice.
DType promote(DType a, DType b);

DType default_dtype();
void set_default_dtype(DType d);

template <class T> struct Type {
  using type = T;
};

template <class T> constexpr bool is_complex_type = std::is_same_v<T, complex64> || std::is_same_v<T, complex128>;
template <class T> constexpr bool is_half_type = std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>;

template <class T> constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, bool>) return DType::bool_;
  else if constexpr (std::is_same_v<T, std::uint8_t>) return DType::u8;
  else if constexpr (std::is_same_v<T, std::int8_t>) return DType::i8;
  else if constexpr (std::is_same_v<T, std::int16_t>) return DType::i16;
  else if constexpr (std::is_same_v<T, std::int32_t>) return DType::i32;
  else if constexpr (std::is_same_v<T, std::int64_t>) return DType::i64;
  else if constexpr (std::is_same_v<T, float16>) return DType::f16;
  else if constexpr (std::is_same_v<T, bfloat16>) return DType::bf16;
  else if constexpr (std::is_same_v<T, float>) return DType::f32;
  else if constexpr (std::is_same_v<T, double>) return DType::f64;
  else if constexpr (std::is_same_v<T, complex64>) return DType::c64;
  else {
    static_assert(std::is_same_v<T, complex128>);
    return DType::c128;
  }
}

// visit(dtype, []<class T>(Type<T>) { ... }): one instantiation per element type.
template <class F> decltype(auto) visit(DType d, F&& f) {
  switch (d) {
    case DType::bool_: return f(Type<bool>{});
    case DType::u8: return f(Type<std::uint8_t>{});
    case DType::i8: return f(Type<std::int8_t>{});
    case DType::i16: return f(Type<std::int16_t>{});
    case DType::i32: return f(Type<std::int32_t>{});
    case DType::i64: return f(Type<std::int64_t>{});
    case DType::f16: return f(Type<float16>{});
    case DType::bf16: return f(Type<bfloat16>{});
    case DType::f32: return f(Type<float>{});
    case DType::f64: return f(Type<double>{});
    case DType::c64: return f(Type<complex64>{});
    default: return f(Type<complex128>{});
  }
}

// The same for some of the element types; nothing happens for the others.
template <class F> void visit_real(DType d, F&& f) {
  visit(d, [&]<class T>(Type<T> t) {
    if constexpr (!is_complex_type<T>) f(t);
  });
}
template <class F> void visit_inexact(DType d, F&& f) {
  visit(d, [&]<class T>(Type<T> t) {
    if constexpr (!std::is_integral_v<T>) f(t);
  });
}
template <class F> void visit_float(DType d, F&& f) {  // float or double
  if (d == DType::f64) f(Type<double>{});
  else if (d == DType::f32) f(Type<float>{});
}

// visit_size: for code that only moves elements, one instantiation per width.
struct Bytes16 {
  std::uint64_t low, high;
};
template <class F> decltype(auto) visit_size(DType d, F&& f) {
  switch (size_of(d)) {
    case 1: return f(Type<std::uint8_t>{});
    case 2: return f(Type<std::uint16_t>{});
    case 4: return f(Type<std::uint32_t>{});
    case 8: return f(Type<std::uint64_t>{});
    default: return f(Type<Bytes16>{});
  }
}

// Float to integer as x86 hardware does it, without undefined behaviour for NaN and out-of-range values.
template <class I> inline I to_integer(double x) {
  if (!(x > -9223372036854775808.0 && x < 9223372036854775808.0))
    return static_cast<I>(std::numeric_limits<i64>::min());
  return static_cast<I>(static_cast<i64>(x));
}

// cast<B>(a): PyTorch's element conversion. bool is `!= 0`; complex to real keeps the real part.
template <class B, class A> inline B cast(A a) {
  if constexpr (std::is_same_v<A, B>) return a;
  else if constexpr (is_half_type<A>) return cast<B>(static_cast<float>(a));
  else if constexpr (is_half_type<B>) {
    if constexpr (is_complex_type<A>) return B(static_cast<float>(a.real()));
    else return B(static_cast<float>(a));
  } else if constexpr (std::is_same_v<B, bool>) return a != A(0);
  else if constexpr (is_complex_type<A> && is_complex_type<B>)
    return B(static_cast<typename B::value_type>(a.real()), static_cast<typename B::value_type>(a.imag()));
  else if constexpr (is_complex_type<A>) return cast<B>(a.real());
  else if constexpr (is_complex_type<B>) return B(static_cast<typename B::value_type>(a), 0);
  else if constexpr (std::is_integral_v<B> && std::is_floating_point_v<A>) return to_integer<B>(a);
  else return static_cast<B>(a);
}

}  // namespace rl
