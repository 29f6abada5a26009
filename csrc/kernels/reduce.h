// L4: one loop for all reductions. Work is split by blocks of fixed size and combined in a fixed order: the same bits
// for any number of threads.
#pragma once
#include <vector>

#include "base/parallel.h"
#include "tensor/tensor.h"

namespace rl {

// A tensor's dimensions as those that stay and those that are folded away, neighbours joined, outermost first.
struct ReduceGeometry {
  struct Group {
    int n = 0;
    i64 size[kMaxDim], stride[kMaxDim];  // strides in elements
    i64 count = 1;
    i64 offset(i64 index) const {
      i64 at = 0;
      for (int d = n - 1; d >= 0; --d) {
        at += index % size[d] * stride[d];
        index /= size[d];
      }
      return at;
    }
  } kept, folded;
};
ReduceGeometry reduce_geometry(const TensorImpl& t, std::uint32_t mask);
Dims reduced_sizes(Sizes size, std::uint32_t mask, bool keepdim);
// dim: none or empty means all of them.
std::uint32_t reduce_mask(std::string_view op, bool given, Sizes dim, int ndim);

// A fold is a class with
//   State start() const;  void step(State&, T element, i64 index) const;  void join(State&, const State&) const;
// where index counts the folded elements in row-major order and join(a, b) is given states in that order.
// finish(i, state) receives the result of output i.
constexpr i64 kFoldBlock = 4096, kFoldLanes = 16, kFoldColumns = 64;

namespace detail {

// A contiguous or strided stretch, in interleaved lanes that the compiler turns into vectors.
template <class Fold, class T, class State>
State fold_stretch(const Fold& fold, const T* p, i64 stride, i64 n, i64 first_index) {
  State lane[kFoldLanes];
  for (State& s : lane) s = fold.start();
  i64 i = 0;
  if (stride == 1) {
    for (; i + kFoldLanes <= n; i += kFoldLanes)
      for (i64 l = 0; l < kFoldLanes; ++l) fold.step(lane[l], p[i + l], first_index + i + l);
  }
  for (; i < n; ++i) fold.step(lane[i % kFoldLanes], p[i * stride], first_index + i);
  for (i64 width = kFoldLanes / 2; width > 0; width /= 2)
    for (i64 l = 0; l < width; ++l) fold.join(lane[l], lane[l + width]);
  return lane[0];
}

}  // namespace detail

template <class T, class Fold, class Finish>
void reduce(const TensorImpl& t, std::uint32_t mask, const Fold& fold, Finish&& finish) {
  using State = decltype(fold.start());
  ReduceGeometry g = reduce_geometry(t, mask);
  const T* base = t.data_as<T>();
  i64 outputs = g.kept.count, count = g.folded.count;
  if (outputs == 0) return;
  if (count == 0) {
    for (i64 o = 0; o < outputs; ++o) finish(o, fold.start());
    return;
  }
  i64 inner = g.folded.n ? g.folded.size[g.folded.n - 1] : 1,
      inner_stride = g.folded.n ? g.folded.stride[g.folded.n - 1] : 1;
  i64 rows = count / inner;

  // Columns: what stays lies side by side. Rows of memory are folded into a row of states.
  if (g.kept.n && g.kept.stride[g.kept.n - 1] == 1 && (inner_stride != 1 || inner == 1)) {
    i64 width = g.kept.size[g.kept.n - 1], tiles = (width + kFoldColumns - 1) / kFoldColumns, outer = outputs / width;
    i64 grain = std::max<i64>(1, 32768 / std::max<i64>(1, count * std::min(width, kFoldColumns)));
    parallel_for(outer * tiles, grain, [&](i64 begin, i64 end) {
      for (i64 block = begin; block < end; ++block) {
        i64 first = block / tiles * width + block % tiles * kFoldColumns,
            n = std::min(kFoldColumns, width - block % tiles * kFoldColumns);
        const T* from = base + g.kept.offset(first);
        State state[kFoldColumns], part[kFoldColumns];
        for (i64 j = 0; j < n; ++j) state[j] = part[j] = fold.start();
        i64 since_join = 0;
        for (i64 r = 0; r < rows; ++r) {
          const T* row = from + (rows > 1 ? g.folded.offset(r * inner) : 0);
          for (i64 i = 0; i < inner; ++i) {
            const T* p = row + i * inner_stride;
            for (i64 j = 0; j < n; ++j) fold.step(part[j], p[j], r * inner + i);
            if (++since_join == 512) {  // long sums in two levels: less rounding
              for (i64 j = 0; j < n; ++j) fold.join(state[j], part[j]), part[j] = fold.start();
              since_join = 0;
            }
          }
        }
        for (i64 j = 0; j < n; ++j) fold.join(state[j], part[j]), finish(first + j, state[j]);
      }
    });
    return;
  }

  // Rows: each output folds stretches of memory; a long one is cut into blocks that threads share.
  i64 blocks = (inner + kFoldBlock - 1) / kFoldBlock;
  auto fold_blocks = [&](const T* from, i64 b, i64 e) {
    State total = fold.start();
    for (i64 k = b; k < e; ++k) {
      i64 r = k / blocks, at = k % blocks * kFoldBlock, n = std::min(kFoldBlock, inner - at);
      const T* p = from + (rows > 1 ? g.folded.offset(r * inner) : 0) + at * inner_stride;
      State s = detail::fold_stretch<Fold, T, State>(fold, p, inner_stride, n, r * inner + at);
      fold.join(total, s);
    }
    return total;
  };
  constexpr i64 kChunk = 8;  // blocks that one task folds: where chunks begin does not depend on the threads
  i64 all = rows * blocks, chunks = (all + kChunk - 1) / kChunk;
  if (outputs >= 8 || chunks == 1) {
    i64 grain = std::max<i64>(1, 32768 / std::max<i64>(1, count));
    parallel_for(outputs, grain, [&](i64 begin, i64 end) {
      for (i64 o = begin; o < end; ++o) {
        const T* from = base + g.kept.offset(o);
        State total = fold.start();
        for (i64 k = 0; k < chunks; ++k)
          fold.join(total, fold_blocks(from, k * kChunk, std::min(all, (k + 1) * kChunk)));
        finish(o, total);
      }
    });
    return;
  }
  for (i64 o = 0; o < outputs; ++o) {
    const T* from = base + g.kept.offset(o);
    std::vector<State> partial(static_cast<std::size_t>(chunks), fold.start());
    i64 grain = std::max<i64>(1, 32768 / std::min(count, kChunk * kFoldBlock));
    parallel_for(chunks, grain, [&](i64 begin, i64 end) {
      for (i64 k = begin; k < end; ++k)
        partial[static_cast<std::size_t>(k)] = fold_blocks(from, k * kChunk, std::min(all, (k + 1) * kChunk));
    });
    State total = fold.start();
    for (const State& s : partial) fold.join(total, s);
    finish(o, total);
  }
}

}  // namespace rl
