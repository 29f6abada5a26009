// L3: what an operator IS: the row, the formula, the call, the registry.
#pragma once
#include "schema/program.h"

namespace rl {

// --- a pointwise formula, type-erased. tile[] is all that is instantiated per element type.
using Tile = void (*)(void* out, const void* const* in, std::size_t n, const double* attribute);
enum class Compute : std::uint8_t {
  i64,
  f32,
  f64,
  c128
};  // formulas compute in these; storage types convert at the border
constexpr int kComputes = 4;

// What each parameter of the lambda is, found by its name.
struct Binding {
  std::uint8_t n = 0;
  std::int8_t source[10] = {};   // argument index, kGradient or kResult
  bool operand[10] = {};         // a tensor or number that is read per element; otherwise an attribute
  bool mask[10] = {};
  constexpr bool uses(int what) const {
    for (int i = 0; i < n; ++i)
      if (source[i] == what) return true;
    return false;
  }
};

struct Expr {
  const char* text = nullptr;           // the lambda's source: CUDA compiles it
  Binding binding{};
  Tile tile[kComputes] = {};
  void (*trace)(Program&) = nullptr;    // runs the lambda on Symbols
  bool gives_mask = false;
  bool reads_mask = false;
  bool identity = false;                // the formula is its first parameter: nothing to compute
  std::uint8_t bitwise = 0;             // the categories (DTypes) whose elements of any width may be read as words
  explicit operator bool() const { return text; }
};

// --- one call, while it runs
struct OpDef;
struct Call {
  const OpDef& op;
  const Arg* arg;
  Tensor* out;                           // one per result

  bool has(int k) const { return arg[k].kind != Kind::none; }
  TensorImpl& tensor(int k) const { return *arg[k].t; }
  std::span<TensorImpl* const> tensors(int k) const { return {arg[k].list, arg[k].n}; }
  i64 integer(int k) const { return arg[k].kind == Kind::real ? static_cast<i64>(arg[k].f) : arg[k].i; }
  double real(int k) const { return arg[k].number(); }
  bool flag(int k) const { return arg[k].i != 0; }
  std::string_view text(int k) const { return arg[k].text; }
  Sizes ints(int k) const {              // one int counts as a sequence of one; None as an empty one
    if (arg[k].kind == Kind::ints) return {arg[k].p, arg[k].n};
    if (arg[k].kind == Kind::none) return {};
    return {&arg[k].i, 1};
  }
  DType dtype(int k, DType otherwise) const { return has(k) ? static_cast<DType>(arg[k].i) : otherwise; }
  TensorImpl& output(int k, Sizes size, DType d) const;  // infer: announces result k
  // check() whose message begins with the operator's name; without a kind it is a RuntimeError.
  template <class... Parts> void check(bool holds, const Parts&... parts) const;
  template <class... Parts> void check(bool holds, ErrorKind kind, const Parts&... parts) const;
};

// --- geometry that a view row gives
struct Geometry {
  Dims size, stride;
  i64 offset = 0;
};

// The categories that a row computes in (integers that become floating point count as such).
enum DTypes : std::uint8_t {
  bools = 1,
  integers = 2,
  floats = 4,
  complexes = 8,
  whole_types = bools | integers,
  number_types = integers | floats,
  real_types = bools | integers | floats,
  inexact_types = floats | complexes,
  numeric_types = integers | floats | complexes,
  all_types = bools | integers | floats | complexes,
};

enum Forms : std::uint8_t {
  function = 1,
  method = 2,
  inplace = 4,
  out_ = 8,
  numbers_alone = 16,   // also without a tensor among the arguments: add(2, 3)
  one_value = 32,       // in place, every element gets one value: the tensor may be an expanded one
  out_apart = 64,       // out= may share no memory with the arguments
  out_exact = 128,      // out= must have the result's dtype
  pointwise_forms = 15,
  plain_forms = function | method | out_,
  view_forms = function | method,
};

enum class Result : std::uint8_t {
  promoted,     // the operands' common dtype
  floating,     // integers become the default dtype
  boolean,
  real_part,    // of a complex operand: its real dtype (abs, angle)
};

class Backward;   // eager/tape.h
struct OpDef {
  const char* doc = "";
  const char* home = "";                 // the public path below torch: "nn.functional", "special"; "_core" hides it
  const char* aliases = "";              // further names: "absolute", "multiply"
  std::uint8_t forms = 0;                // 0: what its home and kind usually have
  Result result = Result::promoted;
  Expr value{};                          // a pointwise operator has a formula ...
  Expr grad[4]{};                        // ... and one for the gradient of each argument, multiplied by gy
  void (*infer)(const Call&) = nullptr;  // any other operator announces its results,
  void (*cpu)(const Call&) = nullptr;    // has a kernel that fills them (without infer, it makes them itself),
  bool writes_over = false;              // (the kernel may fill argument 0 itself: in-place forms save a copy)
  void (*view)(const Call&, Geometry&) = nullptr;  // or is a view of argument 0,
  void (*compose)(const Call&) = nullptr;  // or calls other operators, which record themselves;
  void (*vjp)(Backward&) = nullptr;      // and a vector-Jacobian product over tensors.
  const char* saves = "";                // what vjp reads: "other for input, input for other, result"
  const char* samples = "";              // argument lists for the tests, one per line, in Python
  const char* errors = "";               // one per line: arguments => the exception's class: the message's beginning

  // Filled in by registration.
  const Signature* signature = nullptr;
  DTypes dtypes = all_types;
  OpDef* next = nullptr;
  std::uint16_t saved_for[kMaxArgs] = {};       // per argument: which arguments its gradient reads
  std::uint8_t results_for[kMaxArgs] = {};      // and which results
  mutable const Program* grad_program[4] = {};

  std::string_view name() const { return signature->name; }
  bool differentiable() const { return vjp || grad[0] || grad[1] || grad[2] || grad[3]; }
};
inline void append(std::string& s, const OpDef& op) { s += op.name(); }

inline TensorImpl& Call::output(int k, Sizes size, DType d) const {
  out[k] = Tensor::steal(empty_impl(size, d, op.name()));
  return *out[k];
}
template <class... Parts>
[[gnu::always_inline]] inline void Call::check(bool holds, ErrorKind kind, const Parts&... parts) const {
  rl::check(holds, kind, "[", op, "] ", parts...);
}
template <class... Parts>
[[gnu::always_inline]] inline void Call::check(bool holds, const Parts&... parts) const {
  rl::check(holds, ErrorKind::runtime, "[", op, "] ", parts...);
}

struct Registrar {
  Registrar(OpDef&, const Signature&, DTypes);
};
const OpDef* first_op();                          // the registry is a list: op->next
const OpDef* find_op(std::string_view name);      // by name or alias; nullptr when there is none
const OpDef& require_op(std::string_view name);

// OP(name, accepted dtypes, signature) { row };
#define OP(name, dtypes_, ...)                                                \
  namespace rl::rows::name##_ {                                               \
    constexpr ::rl::Signature signature = ::rl::parse_signature(__VA_ARGS__); \
    constexpr ::rl::DTypes dtypes = ::rl::DTypes(dtypes_);                    \
    extern ::rl::OpDef def;                                                   \
    static const ::rl::Registrar registrar{def, signature, dtypes};           \
  }                                                                           \
  constinit ::rl::OpDef rl::rows::name##_::def

// Names the parameters of a lambda's text.
consteval Binding bind(const Signature& s, std::string_view lambda) {
  using namespace detail;
  Binding b;
  std::size_t open = lambda.find('('), close = lambda.find(')');
  for (std::string_view rest = lambda.substr(open + 1, close - open - 1); !trim(rest).empty();) {
    std::string_view item = next_item(rest), name = item.substr(item.rfind(' ') + 1);
    int k = s.find(name);
    if (name == "gy") b.source[b.n] = kGradient, b.operand[b.n] = true;
    else if (name == "result") b.source[b.n] = kResult, b.operand[b.n] = true;
    else if (k < 0) throw "EXPR: a parameter is neither an argument of the signature, nor gy, nor result";
    else {
      b.source[b.n] = static_cast<std::int8_t>(k);
      b.operand[b.n] = s.param[k].is_operand();
      b.mask[b.n] = s.param[k].type == ParamType::mask;
    }
    ++b.n;
  }
  return b;
}

}  // namespace rl
