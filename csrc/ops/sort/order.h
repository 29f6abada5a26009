// Ordering of the elements along a dimension: NaN is larger than every number, equals keep their order.
#pragma once
#include <algorithm>
#include <bit>

#include "ops/reduce/reduce.h"

namespace rl {

// A key is an unsigned number in the elements' order; -0 and 0 have one, and so have all NaNs (the largest).
template <class T> using Key = std::conditional_t<sizeof(Wide<T>) <= 4, std::uint32_t, std::uint64_t>;
template <class T> constexpr Key<T> kNanKey = static_cast<Key<T>>(-1);

template <class T> Key<T> key_of(T element) {
  constexpr Key<T> top = Key<T>{1} << (8 * sizeof(Key<T>) - 1);
  auto x = static_cast<Wide<T>>(element);
  if constexpr (std::is_unsigned_v<T>) return x;
  else if constexpr (std::is_integral_v<T>) return static_cast<Key<T>>(x) ^ top;
  else {
    if (is_nan(x)) return kNanKey<T>;
    auto bits = std::bit_cast<Key<T>>(x == 0 ? Wide<T>(0) : x);
    return bits & top ? ~bits : bits | top;
  }
}

// Key above place: to compare two is to compare two numbers, with ties decided by the place.
template <class T> using Ranked = std::conditional_t<sizeof(Key<T>) == 4, std::uint64_t, unsigned __int128>;
template <class T> constexpr int kPlaceBits = 8 * sizeof(Key<T>);
template <class T> Key<T> key_in(Ranked<T> r) { return static_cast<Key<T>>(r >> kPlaceBits<T>); }
template <class T> i64 place_in(Ranked<T> r) { return static_cast<i64>(static_cast<Key<T>>(r)); }

// n elements at `from`, `step` apart, ranked; downwards when `down`.
template <class T> void rank_line(const T* from, i64 step, bool down, std::span<Ranked<T>> line) {
  check(sizeof(Key<T>) == 8 || line.size() <= kNanKey<T>, ErrorKind::not_implemented,
        "[sort] a line must have at most 2^32 elements of this dtype. Received ", line.size(), ".");
  for (std::size_t i = 0; i < line.size(); ++i) {
    Key<T> key = key_of(from[static_cast<i64>(i) * step]);
    line[i] = Ranked<T>(down ? ~key : key) << kPlaceBits<T> | i;
  }
}

// Short lines by comparison, long ones digit by digit, least significant first, which keeps the order of equals.
template <class T> void sort_ranked(std::span<Ranked<T>> line) {
  if (line.size() < 256) return std::sort(line.begin(), line.end());
  constexpr int digits = sizeof(Key<T>);
  std::vector<std::size_t> counts(digits * 256);
  for (Ranked<T> r : line)
    for (int d = 0; d < digits; ++d) ++counts[static_cast<std::size_t>(d * 256) + (key_in<T>(r) >> 8 * d & 255)];
  std::vector<Ranked<T>> spare(line.size());
  std::span<Ranked<T>> from = line, to = spare;
  for (int d = 0; d < digits; ++d) {
    std::span<std::size_t> count(&counts[static_cast<std::size_t>(d * 256)], 256);
    if (count[key_in<T>(from[0]) >> 8 * d & 255] == line.size()) continue;  // one digit for all
    for (std::size_t v = 0, next = 0; v < 256; ++v) next += std::exchange(count[v], next);
    for (Ranked<T> r : from) to[count[key_in<T>(r) >> 8 * d & 255]++] = r;
    std::swap(from, to);
  }
  if (from.data() != line.data()) std::copy(from.begin(), from.end(), line.begin());
}

// Calls body(elements of T, their line ranked, element 0, line number) for the lines along a dimension of x
// [outer, n, inner], contiguous; elements of a line are a.inner apart. `body` may reorder the line.
template <class Body> void for_lines(const Tensor& x, const Along& a, bool down, Body&& body) {
  visit_real(x->dtype, [&]<class T>(Type<T>) {
    const T* from = x->data_as<T>();
    parallel_for(a.outer * a.inner, std::max<i64>(1, 2048 / std::max<i64>(1, a.n)), [&](i64 begin, i64 end) {
      std::vector<Ranked<T>> line(static_cast<std::size_t>(a.n));
      for (i64 k = begin; k < end; ++k) {
        i64 at = k / a.inner * a.n * a.inner + k % a.inner;
        rank_line(from + at, a.inner, down, std::span(line));
        body(from, std::span(line), at, k);
      }
    });
  });
}

// One result per line: [outer, inner] in memory, whatever keepdim is.
inline void infer_picked(const Call& c, int dim_at, int keepdim_at) {
  TensorImpl& t = c.tensor(0);
  int dim = wrap_dim(c.op.name(), c.integer(dim_at), t.ndim);
  check_accepted(c);
  Dims size = reduced_sizes(t.sizes(), 1u << dim, c.flag(keepdim_at));
  c.check(t.ndim == 0 || t.size[dim] > 0, ErrorKind::index, "Expected reduction dim ", dim,
          " to have non-zero size. Received ", describe(t), ".");
  c.output(0, size, t.dtype);
  c.output(1, size, DType::i64);
}

}  // namespace rl
