// L4: the register tile that every product of ours is built of, and the packing that feeds it. GCC vector types: the
// same source is AVX2 on x86-64-v3 and whatever the machine has elsewhere.
#pragma once
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/check.h"

namespace rl::gemm_detail {

template <class T, int Lanes> struct VectorOf {
  typedef T type __attribute__((vector_size(sizeof(T) * Lanes)));
};
template <class T, int Lanes> using Vector = typename VectorOf<T, Lanes>::type;

template <class V, class T> inline V load(const T* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T> inline void store(T* p, V v) { std::memcpy(p, &v, sizeof v); }

// 6 x 2 vectors of accumulators fill 12 of AVX2's 16 registers and hide the latency of the multiply-add.
constexpr int kTileRows = 6;
template <class T> constexpr int kLanes = 32 / static_cast<int>(sizeof(T));
template <class T> constexpr int kTileColumns = 2 * kLanes<T>;

// What a tile starts from and how it ends. `bias` has as many entries as the tile has columns.
template <class T> struct TileEnds {
  const T* bias = nullptr;
  bool accumulate = false;
  bool relu = false;
};

// c[0..Rows, 0..Vectors * Lanes) (=, +=) a @ b: a with any strides, b and c with contiguous columns.
template <int Rows, int Vectors, int Lanes, class T>
[[gnu::always_inline]] inline void tile(i64 k, const T* a, i64 a_row, i64 a_col, const T* b, i64 b_row, T* c, i64 c_row,
                                        TileEnds<T> ends) {
  using V = Vector<T, Lanes>;
  V acc[Rows][Vectors];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; ++j) {
      acc[i][j] = ends.bias ? load<V>(ends.bias + j * Lanes) : V{};
      if (ends.accumulate) acc[i][j] += load<V>(c + i * c_row + j * Lanes);
    }
  for (i64 p = 0; p < k; ++p, a += a_col, b += b_row) {
    V row[Vectors];
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; ++j) row[j] = load<V>(b + j * Lanes);
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; ++j) acc[i][j] += a[i * a_row] * row[j];
  }
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; ++j) {
      if (ends.relu) acc[i][j] = acc[i][j] < T(0) ? V{} : acc[i][j];  // NaN stays
      store(c + i * c_row + j * Lanes, acc[i][j]);
    }
}

// All rows of one panel of columns.
template <int Vectors, int Lanes, class T>
void panel(i64 m, i64 k, const T* a, i64 a_row, i64 a_col, const T* b, i64 b_row, T* c, i64 c_row, TileEnds<T> ends) {
  for (; m >= kTileRows; m -= kTileRows, a += kTileRows * a_row, c += kTileRows * c_row)
    tile<kTileRows, Vectors, Lanes>(k, a, a_row, a_col, b, b_row, c, c_row, ends);
  switch (m) {
    case 5: return tile<5, Vectors, Lanes>(k, a, a_row, a_col, b, b_row, c, c_row, ends);
    case 4: return tile<4, Vectors, Lanes>(k, a, a_row, a_col, b, b_row, c, c_row, ends);
    case 3: return tile<3, Vectors, Lanes>(k, a, a_row, a_col, b, b_row, c, c_row, ends);
    case 2: return tile<2, Vectors, Lanes>(k, a, a_row, a_col, b, b_row, c, c_row, ends);
    case 1: return tile<1, Vectors, Lanes>(k, a, a_row, a_col, b, b_row, c, c_row, ends);
    default: return;
  }
}

// A panel that is narrower than its tile: b is padded already, c and bias go through a padded copy.
template <int Vectors, int Lanes, class T>
void narrow_panel(i64 m, i64 n, i64 k, const T* a, i64 a_row, i64 a_col, const T* b, i64 b_row, T* c, i64 c_row,
                  TileEnds<T> ends) {
  constexpr int width = Vectors * Lanes;
  T bias[width] = {}, square[kTileRows * width] = {};
  if (ends.bias) {
    for (i64 j = 0; j < n; ++j) bias[j] = ends.bias[j];
    ends.bias = bias;
  }
  for (i64 i = 0; i < m; i += kTileRows) {
    i64 rows = std::min<i64>(kTileRows, m - i);
    T* c_block = c + i * c_row;
    if (ends.accumulate)
      for (i64 r = 0; r < rows; ++r)
        for (i64 j = 0; j < n; ++j) square[r * width + j] = c_block[r * c_row + j];
    panel<Vectors, Lanes>(rows, k, a + i * a_row, a_row, a_col, b, b_row, square, i64{width}, ends);
    for (i64 r = 0; r < rows; ++r)
      for (i64 j = 0; j < n; ++j) c_block[r * c_row + j] = square[r * width + j];
  }
}

// An 8 x 8 block of floats or a 4 x 4 block of doubles, transposed in registers.
template <class T> inline void transpose_block(const T* from, i64 from_row, T* to, i64 to_row) {
  constexpr int n = kLanes<T>;
  using V = Vector<T, n>;
  V r[n], t[n];
#pragma GCC unroll 8
  for (int i = 0; i < n; ++i) r[i] = load<V>(from + i * from_row);
  if constexpr (sizeof(T) == 4) {
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
      t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
      t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4)
#pragma GCC unroll 2
      for (int j = 0; j < 2; ++j) {
        r[i + 2 * j] = __builtin_shufflevector(t[i + j], t[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        r[i + 2 * j + 1] = __builtin_shufflevector(t[i + j], t[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
      }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      store(to + i * to_row, V(__builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11)));
      store(to + (i + 4) * to_row, V(__builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15)));
    }
  } else {
#pragma GCC unroll 2
    for (int i = 0; i < 4; i += 2) {
      t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 4, 2, 6);
      t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 1, 5, 3, 7);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      store(to + i * to_row, V(__builtin_shufflevector(t[i], t[i + 2], 0, 1, 4, 5)));
      store(to + (i + 2) * to_row, V(__builtin_shufflevector(t[i], t[i + 2], 2, 3, 6, 7)));
    }
  }
}

// to[p * width + j] = from[p * row + j * col] for p < k, j < n; columns from n to width become zero.
template <class T> void pack_panel(i64 k, i64 n, i64 width, const T* from, i64 row, i64 col, T* to) {
  i64 p = 0;
  if (col == 1) {
    if (n == width && width == kTileColumns<T>)
      for (; p < k; ++p) std::memcpy(to + p * width, from + p * row, sizeof(T) * kTileColumns<T>);
  } else if constexpr (std::is_floating_point_v<T>) {
    constexpr int block = kLanes<T>;
    if (row == 1 && n == width && width % block == 0)
      for (; p + block <= k; p += block)
        for (i64 j = 0; j < width; j += block) transpose_block(from + p + j * col, col, to + p * width + j, width);
  }
  for (; p < k; ++p) {
    for (i64 j = 0; j < n; ++j) to[p * width + j] = from[p * row + j * col];
    for (i64 j = n; j < width; ++j) to[p * width + j] = T(0);
  }
}

}  // namespace rl::gemm_detail
