// L3: a signature is written once, as text, and parsed while the compiler runs: a malformed one is a compile error.
#pragma once
#include <string_view>

#include "base/room.h"
#include "tensor/tensor.h"

namespace rl {

enum class Kind : std::uint8_t {
  none,
  tensor,
  tensors,
  boolean,
  integer,
  real,
  ints,
  text,
  dtype,
  generator,
  spec,
  packed
};

struct TensorSpec;  // eager/tape.h: shape and dtype of a tensor that was not kept

// One argument in 16 bytes: borrowed in a call, owned in a tape node. Kind::none is Python's None.
struct Arg {
  union {
    TensorImpl* t;
    TensorImpl* const* list;   // entries may be null
    Arg* saved;                // in a node: the kept entries of a list
    double f;
    i64 i;
    const i64* p;
    const char* text;
    void* opaque;
    TensorSpec* spec;
  };
  Kind kind = Kind::none;
  union {
    std::uint32_t n;           // length of ints or list
    std::uint32_t version;     // in a node: the storage's version when the tensor was kept
  };
  constexpr Arg() : i(0), n(0) {}
  Arg(TensorImpl* x) : t(x), kind(x ? Kind::tensor : Kind::none), n(0) {}
  Arg(const Tensor& x) : Arg(x.get()) {}
  constexpr Arg(double x) : f(x), kind(Kind::real), n(0) {}
  constexpr Arg(i64 x) : i(x), kind(Kind::integer), n(0) {}
  constexpr Arg(int x) : Arg(i64{x}) {}
  constexpr Arg(bool x) : i(x), kind(Kind::boolean), n(0) {}
  constexpr Arg(DType d) : i(static_cast<i64>(d)), kind(Kind::dtype), n(0) {}
  constexpr Arg(const char* s) : text(s), kind(Kind::text), n(0) {}
  Arg(Sizes s) : p(s.data()), kind(Kind::ints), n(static_cast<std::uint32_t>(s.size())) {}
  Arg(const Dims& d) : Arg(Sizes(d)) {}
  Arg(std::span<TensorImpl* const> s) : list(s.data()), kind(Kind::tensors), n(static_cast<std::uint32_t>(s.size())) {}
  bool is_tensor() const { return kind == Kind::tensor; }
  bool is_number() const { return kind == Kind::real || kind == Kind::integer || kind == Kind::boolean; }
  double number() const { return kind == Kind::real ? f : static_cast<double>(i); }
};
static_assert(sizeof(Arg) == 16);

constexpr int kMaxArgs = 12;
constexpr int kMaxOutputs = 5;
using ArgRoom = Room<Arg, kMaxArgs>;

enum class ParamType : std::uint8_t {
  tensor,    // Tensor
  operand,   // Tensor | Number
  mask,      // Mask: a bool tensor
  tensors,   // list[Tensor]
  number,
  real,
  integer,
  boolean,
  ints,      // ints: a sequence of int, or one int
  text,
  dtype,
  generator
};

struct Param {
  std::string_view name;
  ParamType type = ParamType::tensor;
  bool optional = false;      // may be None
  bool has_default = false;
  bool keyword_only = false;
  bool variadic = false;      // *size: f(x, 2, 3) and f(x, (2, 3)) are the same
  Arg fallback{};
  constexpr bool is_operand() const { return type <= ParamType::mask; }
};

struct Signature {
  std::string_view text, name;
  Param param[kMaxArgs];
  std::uint8_t n = 0;
  std::string_view output[kMaxOutputs];  // names of the results, empty when there is one without a name
  std::uint8_t outputs = 1;
  std::int8_t list = -1;                 // the parameter that is a list of tensors

  constexpr int find(std::string_view wanted) const {
    for (int i = 0; i < n; ++i)
      if (param[i].name == wanted) return i;
    return -1;
  }
};

namespace detail {

constexpr std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\n')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\n')) s.remove_suffix(1);
  return s;
}

constexpr double parse_real(std::string_view s) {
  double value = 0, scale = 1;
  int exponent = 0, exponent_sign = 1;
  bool fraction = false, in_exponent = false;
  for (char c : s) {
    if (c == '.') fraction = true;
    else if (c == 'e') in_exponent = true;
    else if (c == '-' && in_exponent) exponent_sign = -1;
    else if (c < '0' || c > '9') throw "signature: bad default value";
    else if (in_exponent) exponent = exponent * 10 + (c - '0');
    else {
      value = value * 10 + (c - '0');
      if (fraction) scale *= 10;
    }
  }
  double power = 1;
  for (int k = 0; k < exponent; ++k) power *= 10;
  return exponent_sign > 0 ? value / scale * power : value / (scale * power);
}

constexpr Arg parse_default(std::string_view s) {
  if (s == "None" || s == "()") return Arg();
  if (s == "True") return Arg(true);
  if (s == "False") return Arg(false);
  if (s == "'none'") return Arg("none");
  if (s == "'mean'") return Arg("mean");
  if (s == "'reflect'") return Arg("reflect");
  if (s == "inf") return Arg(std::numeric_limits<double>::infinity());
  if (s == "-inf") return Arg(-std::numeric_limits<double>::infinity());
  bool negative = s[0] == '-';
  std::string_view digits = s.substr(negative);
  double v = parse_real(digits);
  bool real = digits.find('.') != digits.npos || digits.find('e') != digits.npos;
  return real ? Arg(negative ? -v : v) : Arg(static_cast<i64>(negative ? -v : v));
}

constexpr ParamType parse_type(std::string_view s) {
  if (s == "Tensor") return ParamType::tensor;
  if (s == "Tensor | Number") return ParamType::operand;
  if (s == "Mask") return ParamType::mask;
  if (s == "list[Tensor]") return ParamType::tensors;
  if (s == "Number") return ParamType::number;
  if (s == "float") return ParamType::real;
  if (s == "int") return ParamType::integer;
  if (s == "bool") return ParamType::boolean;
  if (s == "ints") return ParamType::ints;
  if (s == "str") return ParamType::text;
  if (s == "dtype") return ParamType::dtype;
  if (s == "Generator") return ParamType::generator;
  throw "signature: unknown type";
}

// The next piece of a comma-separated text.
constexpr std::string_view next_item(std::string_view& rest) {
  std::size_t comma = rest.find(',');
  std::string_view item = trim(rest.substr(0, comma));
  rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
  return item;
}

}  // namespace detail

consteval Signature parse_signature(std::string_view text) {
  using namespace detail;
  Signature s;
  s.text = text;
  std::size_t open = text.find('('), close = text.find(") ->");
  if (open == text.npos || close == text.npos) throw "signature: name(arguments) -> result";
  s.name = text.substr(0, open);
  bool keyword_only = false;
  for (std::string_view rest = text.substr(open + 1, close - open - 1); !trim(rest).empty();) {
    std::string_view item = next_item(rest);
    if (item == "*") {
      keyword_only = true;
      continue;
    }
    if (s.n == kMaxArgs) throw "signature: too many arguments";
    Param& p = s.param[s.n];
    p.keyword_only = keyword_only;
    if (item.front() == '*') {
      p.variadic = true;
      item.remove_prefix(1);
    }
    std::size_t colon = item.find(':'), equals = item.find('=');
    if (colon == item.npos) throw "signature: argument without a type";
    p.name = trim(item.substr(0, colon));
    std::string_view type = trim(item.substr(colon + 1, equals == item.npos ? item.npos : equals - colon - 1));
    if (type.ends_with(" | None")) {
      p.optional = true;
      type = trim(type.substr(0, type.size() - 7));
    }
    p.type = parse_type(type);
    if (equals != item.npos) {
      p.has_default = true;
      p.fallback = parse_default(trim(item.substr(equals + 1)));
      if (p.type == ParamType::real && p.fallback.kind == Kind::integer)
        p.fallback = Arg(static_cast<double>(p.fallback.i));
    }
    if (p.type == ParamType::tensors) s.list = static_cast<std::int8_t>(s.n);
    ++s.n;
  }
  std::string_view result = trim(text.substr(close + 4));
  if (result.starts_with("(")) {
    s.outputs = 0;
    for (std::string_view rest = result.substr(1, result.size() - 2); !rest.empty();) {
      std::string_view item = next_item(rest);
      s.output[s.outputs++] = trim(item.substr(0, item.find(':')));
    }
  }
  return s;
}

}  // namespace rl
