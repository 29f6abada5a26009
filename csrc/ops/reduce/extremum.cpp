// Largest and smallest elements, and where they stand. NaN wins over every number; of equals the first is taken.
#include "kernels/cpu/simd.h"
#include "ops/reduce/reduce.h"
using namespace rl;

namespace {

template <bool largest, class V> V weakest() {
  using L = std::numeric_limits<V>;
  if constexpr (std::is_same_v<V, bool>) return !largest;
  else if constexpr (L::has_infinity) return largest ? -L::infinity() : L::infinity();
  else return largest ? L::lowest() : L::max();
}

template <bool largest, class V> struct Extremum {
  V start() const { return weakest<largest, V>(); }
  template <class T> void step(V& s, T element, i64) const {
    V x = element;
    s = (largest ? x > s : x < s) || x != x ? x : s;
  }
  void join(V& a, const V& b) const { step(a, b, 0); }
};

// Of elements that lie side by side: float and double in four chains of vectors.
template <bool largest, class T> Wide<T> extremum_of(const T* p, i64 n) {
  using Fold = Extremum<largest, Wide<T>>;
  if constexpr (std::is_floating_point_v<T>) {
    constexpr i64 L = vec<T>::lanes;
    vec<T> part[4];
    for (auto& v : part) v = vec<T>(weakest<largest, T>());
    auto step = [](vec<T>& m, vec<T> v)
                    __attribute__((always_inline)) { m = select((largest ? v > m : v < m) | (v != v), v, m); };
    i64 i = 0;
    for (; i + 4 * L <= n; i += 4 * L)
      for (int k = 0; k < 4; ++k) step(part[k], vec<T>::load(p + i + k * L));
    T best = weakest<largest, T>();
    for (const auto& v : part)
      for (int k = 0; k < L; ++k) Fold().step(best, v[k], 0);
    for (; i < n; ++i) Fold().step(best, p[i], 0);
    return best;
  } else {
    return detail::fold_stretch<Fold, T, Wide<T>>(Fold(), p, 1, n, 0);
  }
}

// Rows of memory are cut into blocks of fixed size, which threads share.
constexpr i64 kBlock = 32768;
template <class Body> void for_blocks(i64 rows, i64 n, Body&& body) {  // body(block, first element, length)
  i64 blocks = (n + kBlock - 1) / kBlock;
  parallel_for(rows * blocks, std::max<i64>(1, kBlock / std::min(n, kBlock)), [&](i64 begin, i64 end) {
    for (i64 k = begin; k < end; ++k) {
      i64 first = k % blocks * kBlock;
      body(k, k / blocks * n + first, std::min(kBlock, n - first));
    }
  });
}

template <bool largest, class T> void extrema_of_rows(const T* from, i64 rows, i64 n, T* to) {
  i64 blocks = (n + kBlock - 1) / kBlock;
  std::vector<Wide<T>> best(static_cast<std::size_t>(rows * blocks));
  for_blocks(rows, n, [&](i64 k, i64 at, i64 length) {
    best[static_cast<std::size_t>(k)] = extremum_of<largest>(from + at, length);
  });
  for (i64 r = 0; r < rows; ++r) {
    Wide<T> v = best[static_cast<std::size_t>(r * blocks)];
    for (i64 k = 1; k < blocks; ++k)
      Extremum<largest, Wide<T>>().step(v, best[static_cast<std::size_t>(r * blocks + k)], 0);
    to[r] = T(v);
  }
}

void check_not_empty(const Call& c, std::uint32_t mask, bool dim_given, ErrorKind kind) {
  TensorImpl& t = c.tensor(0);
  c.check(t.numel > 0 || dim_given, kind, c.op.name(),
          "(): Expected reduction dim to be specified for input.numel() == 0. Received ", describe(t),
          ". Specify the reduction dim with the 'dim' argument.");
  for (int d = 0; d < t.ndim; ++d)
    c.check(!(mask >> d & 1) || t.size[d] > 0, ErrorKind::index, c.op.name(), "(): Expected reduction dim ", d,
            " to have non-zero size. Received ", describe(t), ".");
}

void infer_extremum(const Call& c) {
  TensorImpl& t = c.tensor(0);
  bool some = c.has(1) && !c.ints(1).empty();
  std::uint32_t mask = reduce_mask(c.op.name(), some, c.ints(1), t.ndim);
  check_accepted(c);
  check_not_empty(c, mask, some, ErrorKind::runtime);
  c.output(0, reduced_sizes(t.sizes(), mask, c.flag(2)), t.dtype);
}

template <bool largest> void extremum(const Call& c) {
  TensorImpl& t = c.tensor(0);
  std::uint32_t mask = reduce_mask(c.op.name(), c.has(1), c.ints(1), t.ndim);
  visit_real(t.dtype, [&]<class T>(Type<T>) {
    T* to = c.out[0]->data_as<T>();
    ReduceGeometry g = reduce_geometry(t, mask);
    bool rows = t.is_contiguous() && g.folded.n == 1 && g.folded.stride[0] == 1;
    if (rows) return extrema_of_rows<largest>(t.data_as<T>(), g.kept.count, g.folded.count, to);
    reduce<T>(t, mask, Extremum<largest, Wide<T>>{}, [&](i64 i, Wide<T> v) { to[i] = T(v); });
  });
}

// The gradient is shared evenly among the elements that tie.
void share_evenly(Backward& b) {
  Sizes size = b.sizes(0);
  std::uint32_t mask = reduce_mask(b.op().name(), b.given(1), b.ints(1), static_cast<int>(size.size()));
  Tensor gy = restore_dims(b.gradient(), size, mask), result = restore_dims(b.result(), size, mask);
  Tensor tied = to_dtype(call<"eq">(b.tensor(0), result), gy->dtype);
  b.set(0, tied * (gy / (mask == ~0u ? call<"sum">(tied) : call<"sum">(tied, b.ints(1), true))));
}

// Values (when wanted) and indices along the middle dimension of [outer, n, inner].
template <bool largest, class T> void find_along(const T* from, const Along& a, T* values, i64* indices) {
  auto better = [](Wide<T> x, Wide<T> best) { return (largest ? x > best : x < best) || (is_nan(x) && !is_nan(best)); };
  if (a.inner == 1) {
    i64 blocks = (a.n + kBlock - 1) / kBlock;  // the winner of each, then the first of the best
    std::vector<i64> winner(static_cast<std::size_t>(a.outer * blocks));
    for_blocks(a.outer, a.n, [&](i64 k, i64 at, i64 length) {
      const T* p = from + at;
      Wide<T> best = extremum_of<largest>(p, length);
      i64 i = 0;
      if (is_nan(best))
        while (!is_nan(Wide<T>(p[i]))) ++i;
      else
        while (Wide<T>(p[i]) != best) ++i;
      winner[static_cast<std::size_t>(k)] = k % blocks * kBlock + i;
    });
    for (i64 o = 0; o < a.outer; ++o) {
      const T* row = from + o * a.n;
      i64 best = winner[static_cast<std::size_t>(o * blocks)];
      for (i64 k = 1; k < blocks; ++k) {
        i64 i = winner[static_cast<std::size_t>(o * blocks + k)];
        if (better(Wide<T>(row[i]), Wide<T>(row[best]))) best = i;
      }
      indices[o] = best;
      if (values) values[o] = row[best];
    }
    return;
  }
  constexpr i64 kColumns = 64;
  i64 tiles = (a.inner + kColumns - 1) / kColumns;
  parallel_for(a.outer * tiles, std::max<i64>(1, 32768 / (a.n * std::min(a.inner, kColumns))), [&](i64 begin, i64 end) {
    for (i64 k = begin; k < end; ++k) {
      i64 first = k % tiles * kColumns, n = std::min(kColumns, a.inner - first), o = k / tiles;
      const T* p = from + o * a.n * a.inner + first;
      Wide<T> best[kColumns];
      i64 at[kColumns] = {};
      for (i64 j = 0; j < n; ++j) best[j] = p[j];
      for (i64 r = 1; r < a.n; ++r) {
        p += a.inner;
        for (i64 j = 0; j < n; ++j) {
          Wide<T> x = p[j];
          bool b = better(x, best[j]);
          best[j] = b ? x : best[j];
          at[j] = b ? r : at[j];
        }
      }
      for (i64 j = 0; j < n; ++j) {
        indices[o * a.inner + first + j] = at[j];
        if (values) values[o * a.inner + first + j] = T(best[j]);
      }
    }
  });
}

template <bool largest> void find(const Tensor& t, const Along& a, TensorImpl* values, TensorImpl& indices) {
  if (indices.numel == 0) return;
  visit_real(t->dtype, [&]<class T>(Type<T>) {
    find_along<largest>(t->data_as<T>(), a, values ? values->data_as<T>() : nullptr, indices.data_as<i64>());
  });
}

void infer_with_indices(const Call& c) {
  TensorImpl& t = c.tensor(0);
  std::uint32_t mask = 1u << wrap_dim(c.op.name(), c.integer(1), t.ndim);
  check_accepted(c);
  check_not_empty(c, mask, true, ErrorKind::index);
  Dims size = reduced_sizes(t.sizes(), mask, c.flag(2));
  c.output(0, size, t.dtype);
  c.output(1, size, DType::i64);
}

template <bool largest> void with_indices(const Call& c) {
  Tensor t = packed(c.tensor(0));
  find<largest>(t, Along(t->sizes(), wrap_dim(c.op.name(), c.integer(1), t->ndim)), c.out[0].get(), *c.out[1]);
}

void gradient_of_picked(Backward& b) {
  b.set(0, place_along(b.gradient(), b.result(1), b.sizes(0), b.integer(1), !b.flag(2)));
}

void infer_index(const Call& c) {
  check_accepted(c);
  TensorImpl& t = c.tensor(0);
  std::uint32_t mask = c.has(1) ? 1u << wrap_dim(c.op.name(), c.integer(1), t.ndim) : ~0u;
  check_not_empty(c, mask, c.has(1), ErrorKind::index);
  c.output(0, reduced_sizes(t.sizes(), mask, c.flag(2)), DType::i64);
}

template <bool largest> void index_of(const Call& c) {
  Tensor t = packed(c.tensor(0));
  Along a = c.has(1) ? Along(t->sizes(), wrap_dim(c.op.name(), c.integer(1), t->ndim)) : Along(Sizes(&t->numel, 1), 0);
  find<largest>(t, a, nullptr, *c.out[0]);
}

}  // namespace

#define EXTREMUM(name, which, largest)                                                                                 \
  OP(name, real_types, #name "(input: Tensor, dim: ints = (), keepdim: bool = False) -> Tensor") {                     \
    .doc = "The " which " elements of input [*] over dim (all dimensions when empty). The gradient is shared evenly "  \
           "among ties.\n\nRaises IndexError when a reduced dimension has no elements.",                               \
    .infer = infer_extremum, .cpu = extremum<largest>, .vjp = share_evenly, .saves = "input, result",                  \
    .samples = "randn(3, 4)\nrandn(3, 4, 5), (0, 2)\nrandn(3, 4), 1, True\nrandint(0, 9, (5,))",                       \
    .errors = "randn(3, 0), 1 => IndexError: [" #name "] " #name "(): Expected reduction dim 1 to have non-zero size", \
  }

EXTREMUM(amax, "largest", true);
EXTREMUM(amin, "smallest", false);

#define WITH_INDICES(name, which, largest)                                                                          \
  OP(name, real_types,                                                                                              \
     #name "(input: Tensor, dim: int, keepdim: bool = False) -> (values: Tensor, indices: Tensor)") {               \
    .doc = "The " which " elements along dim and where they stand (the first of equals). The gradient goes there.", \
    .home = "_core", .infer = infer_with_indices, .cpu = with_indices<largest>, .vjp = gradient_of_picked,          \
    .saves = "indices", .samples = "distinct(3, 4), 0\ndistinct(3, 4), -1, True\nrandint(0, 9, (3, 4)), 1",         \
    .errors = "randn(3, 4), 2 => IndexError: [" #name "] Dimension out of range",                                   \
  }

WITH_INDICES(max_dim, "largest", true);
WITH_INDICES(min_dim, "smallest", false);

#define INDEX_OF(name, which, largest)                                                                           \
  OP(name, number_types, #name "(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor") {     \
    .doc = "The index of the " which                                                                             \
           " element along dim, int64; of the flattened input when dim is None. The first of equals; NaN wins.", \
    .infer = infer_index, .cpu = index_of<largest>,                                                              \
    .samples = "distinct(3, 4)\ndistinct(3, 4), 0\nrandint(0, 3, (3, 4)), -1, True",                             \
    .errors = "randn(0) => IndexError: [" #name "] " #name "(): Expected reduction dim to be specified",         \
  }

INDEX_OF(argmax, "largest", true);
INDEX_OF(argmin, "smallest", false);
