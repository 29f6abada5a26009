// What the rows share that index along one dimension: layouts that kernels can read, and indices that were checked.
#pragma once
#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "eager/call.h"
#include "kernels/pointwise.h"

namespace rl {

// packed() in memory that writing `out` does not reach.
inline Tensor packed_apart(TensorImpl& t, DType d, const TensorImpl& out) {
  if (t.storage != out.storage || t.dtype != d) return packed(t, d);
  Tensor r = empty(t.sizes(), d);
  copy_elements(*r, t);
  return r;
}

// Runs the body on row-major memory whatever the layout of `out` is.
template <class Body> void with_packed(TensorImpl& out, Body&& body) {
  if (out.is_contiguous()) return body(out);
  Tensor work = packed(out, out.dtype);
  body(*work);
  copy_elements(out, *work);
}

// infer of the rows that write a part of argument 0: the result begins as a copy of it.
inline void begin_with_input(const Call& c) {
  c.output(0, c.tensor(0).sizes(), c.tensor(0).dtype);
  copy_elements(*c.out[0], c.tensor(0));
}

inline Dims at_least_1d(Sizes size, i64 filler = 1) { return size.empty() ? Dims{filler} : Dims(size); }

inline void check_index_dtype(std::string_view op, const TensorImpl& index, ErrorKind kind = ErrorKind::runtime) {
  check(index.dtype == DType::i64 || index.dtype == DType::i32, kind, "[", op,
        "] Expected dtype int32/int64 for index. Received ", describe(index), ". Use index.long().");
}

// Raises unless each of n indices is in [0, size), or in [-size, size) when negative ones count from the end. Whether
// one is negative.
inline bool check_indices(std::string_view op, const i64* p, i64 n, i64 size, int dim, ErrorKind kind,
                          bool from_end = false) {
  std::uint64_t outside = 0;  // the top bit: of p where it is negative, of size - 1 - p where it is too large
  for (i64 i = 0; i < n; ++i) {
    auto at = static_cast<std::uint64_t>(p[i]);
    outside |= at | (static_cast<std::uint64_t>(size) - 1 - at);
  }
  if (!(outside >> 63)) return false;
  for (i64 i = 0; i < n; ++i)
    check(p[i] < size && p[i] >= (from_end ? -size : 0), kind, "[", op, "] index ", p[i],
          " is out of bounds for dimension ", dim, " with size ", size, ": index out of range.");
  return true;
}

// The index as row-major int64, each element in [0, size); negative ones may count from the end.
inline Tensor checked_index(std::string_view op, TensorImpl& index, i64 size, int dim, ErrorKind kind,
                            bool from_end = false, const TensorImpl* out = nullptr) {
  Tensor flat = out ? packed_apart(index, DType::i64, *out) : packed(index, DType::i64);
  const i64* p = flat->data_as<i64>();
  if (!check_indices(op, p, flat->numel, size, dim, kind, from_end)) return flat;
  Tensor wrapped = empty(flat->sizes(), DType::i64);
  for (i64 i = 0; i < flat->numel; ++i) wrapped->data_as<i64>()[i] = p[i] < 0 ? p[i] + size : p[i];
  return wrapped;
}

// A number that is written into elements of dtype d: fractions are cut off, what does not fit is refused.
inline Arg fitting_number(std::string_view op, const Arg& number, DType d) {
  if (d == DType::bool_) return Arg(number.number() != 0);
  if (!is_integral(d)) return number;
  double value = std::trunc(number.number()),
         most = std::ldexp(1.0, static_cast<int>(8 * size_of(d)) - info(d).is_signed);
  check(value < most && value >= (info(d).is_signed ? -most : 1 - most), ErrorKind::runtime, "[", op,
        "] value cannot be converted to type ", d, " without overflow. Received ", number.number(), ".");
  return number;
}

template <class T> inline T add(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a || b;
  else if constexpr (is_half_type<T>) return T(static_cast<float>(a) + static_cast<float>(b));
  else return static_cast<T>(a + b);
}
template <class T> inline T multiply(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a && b;
  else if constexpr (is_half_type<T>) return T(static_cast<float>(a) * static_cast<float>(b));
  else return static_cast<T>(a * b);
}

}  // namespace rl
