// L0: errors. A check states its condition once; the message says what must hold, what was received, and the cure.
#pragma once
#include <cstdint>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace rl {

using i64 = std::int64_t;

// Each kind becomes the Python exception class that PyTorch raises.
enum class ErrorKind : std::uint8_t { runtime, type, value, index, not_implemented, memory };

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
  std::string message_;
};

// str(a, b, ...): the parts one after the other.
inline void append(std::string& s, std::string_view v) { s += v; }
inline void append(std::string& s, const char* v) { s += v; }
inline void append(std::string& s, char v) { s += v; }
inline void append(std::string& s, bool v) { s += v ? "True" : "False"; }
inline void append(std::string& s, double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", v);
  s += text;
}
template <class I>
  requires std::is_integral_v<I>
void append(std::string& s, I v) {
  s += std::to_string(v);
}

inline void append(std::string& s, std::span<const i64> sizes) {  // [2, 3]
  s += '[';
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (i) s += ", ";
    append(s, sizes[i]);
  }
  s += ']';
}

template <class... Parts>
std::string str(const Parts&... parts) {
  std::string s;
  (append(s, parts), ...);
  return s;
}

template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(ErrorKind kind, const Parts&... parts) {
  throw Error(kind, str(parts...));
}

// check(dim < rank, ErrorKind::index, "[select] dim must be below ", rank, ". Received ", dim, ".");
template <class... Parts>
inline void check(bool holds, ErrorKind kind, const Parts&... parts) {
  if (!holds) [[unlikely]]
    fail(kind, parts...);
}

}  // namespace rl
