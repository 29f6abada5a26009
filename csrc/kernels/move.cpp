#include "kernels/move.h"

#include <array>
#include <utility>

namespace rl {
namespace {

template <class A, class B>
void row_to_row(const MoveArgs& m) {
  for (i64 i = 0; i < m.rows; ++i) {
    const A* __restrict s = reinterpret_cast<const A*>(m.src + i * m.src_row);
    B* __restrict d = reinterpret_cast<B*>(m.dst + i * m.dst_row);
    for (i64 j = 0; j < m.columns; ++j) d[j] = cast<B>(s[j]);
  }
}

template <class A, class B>
void any_to_any(const MoveArgs& m) {
  auto one = [&](i64 i, i64 j) {
    *reinterpret_cast<B*>(m.dst + i * m.dst_row + j * m.dst_column) =
        cast<B>(*reinterpret_cast<const A*>(m.src + i * m.src_row + j * m.src_column));
  };
  // A transposed source is read along its memory, in squares that fit the cache.
  if (m.src_row == static_cast<i64>(sizeof(A)) && m.src_column != m.src_row) {
    for (i64 j0 = 0; j0 < m.columns; j0 += 16)
      for (i64 i0 = 0; i0 < m.rows; i0 += 16)
        for (i64 j = j0; j < std::min(j0 + 16, m.columns); ++j)
          for (i64 i = i0; i < std::min(i0 + 16, m.rows); ++i) one(i, j);
    return;
  }
  for (i64 i = 0; i < m.rows; ++i)
    for (i64 j = 0; j < m.columns; ++j) one(i, j);
}

template <class A, class B>
void move(const MoveArgs& m) {
  if (m.src_column == static_cast<i64>(sizeof(A)) && m.dst_column == static_cast<i64>(sizeof(B))) {
    row_to_row<A, B>(m);
  } else if (m.src_column == 0 && m.dst_column == static_cast<i64>(sizeof(B))) {
    for (i64 i = 0; i < m.rows; ++i) {
      B value = cast<B>(*reinterpret_cast<const A*>(m.src + i * m.src_row));
      std::fill_n(reinterpret_cast<B*>(m.dst + i * m.dst_row), m.columns, value);
    }
  } else {
    any_to_any<A, B>(m);
  }
}

template <class A>
constexpr std::array<Move, kDTypes> moves_from() {
  return {move<A, bool>,         move<A, std::uint8_t>, move<A, std::int8_t>, move<A, std::int16_t>,
          move<A, std::int32_t>, move<A, std::int64_t>, move<A, float16>,     move<A, bfloat16>,
          move<A, float>,        move<A, double>,       move<A, complex64>,   move<A, complex128>};
}

constexpr std::array<Move, kDTypes> kMoves[kDTypes] = {
  moves_from<bool>(),         moves_from<std::uint8_t>(), moves_from<std::int8_t>(), moves_from<std::int16_t>(),
  moves_from<std::int32_t>(), moves_from<std::int64_t>(), moves_from<float16>(),     moves_from<bfloat16>(),
  moves_from<float>(),        moves_from<double>(),       moves_from<complex64>(),   moves_from<complex128>()};

}  // namespace

Move move_function(DType from, DType to) { return kMoves[static_cast<int>(from)][static_cast<std::size_t>(to)]; }

}  // namespace rl
