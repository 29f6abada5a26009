// L0: short arrays on the stack. Writing zeros over a hundred bytes that nobody reads costs as much as a small
// operator.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

namespace rl {

// Places for at most N objects; each is written before it is read.
template <class T, int N> struct Room {
  static_assert(std::is_trivially_destructible_v<T>);
  union {
    T value[N];
  };
  Room() {}
  operator T*() { return value; }
  operator const T*() const { return value; }
};

// n objects, without the heap as long as they are few.
template <class T, std::size_t kInline> class Few {
 public:
  explicit Few(std::size_t n) : n_(n), data_(n > kInline ? new T[n]() : places_.value) {
    if (n <= kInline) std::uninitialized_value_construct_n(data_, n);
  }
  ~Few() {
    if (n_ > kInline) delete[] data_;
    else std::destroy_n(data_, n_);
  }
  Few(const Few&) = delete;
  Few& operator=(const Few&) = delete;
  T& operator[](std::size_t i) { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + n_; }
  operator std::span<T>() { return {data_, n_}; }

 private:
  union Places {
    T value[kInline];
    Places() {}
    ~Places() {}
  } places_;
  std::size_t n_;
  T* data_;
};

}  // namespace rl
