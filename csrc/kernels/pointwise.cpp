#include "kernels/pointwise.h"

#include "base/parallel.h"
#include "kernels/move.h"

namespace rl {
namespace {

constexpr i64 kTile = 1024;  // elements in one gathered tile: all operands of a formula fit into L1

// The iteration space as blocks of `rows` x `columns`; a block is what one round of gather, tile, scatter handles.
class BlockedLoop {
 public:
  explicit BlockedLoop(Pointwise& p) : p_(p), nd_(p.ndim) {
    o_[0] = &p.out;
    want_[0] = p.gives_mask ? DType::bool_ : p.compute;
    for (int k = 0; k < p.inputs; ++k) {
      o_[k + 1] = &p.in[k];
      want_[k + 1] = p.mask[k] ? DType::bool_ : p.compute;
    }
    operands_ = p.inputs + 1;
    merge_dimensions();
    choose_block();
    for (int k = 0; k < operands_; ++k)
      move_[k] = k == 0 ? move_function(want_[0], o_[0]->dtype) : move_function(o_[k]->dtype, want_[k]);
  }

  void run() {
    if (inner_ == 0 || blocks_ == 0) return;
    i64 per_block = std::max<i64>(1, rows_ * columns_);
    parallel_for(blocks_, std::max<i64>(1, kParallelElements / per_block), [&](i64 b, i64 e) { run_blocks(b, e); });
  }

 private:
  // Drops dimensions of size one and joins neighbours that are contiguous for every operand.
  void merge_dimensions() {
    int nd = 0;
    for (int d = 0; d < p_.ndim; ++d) {
      if (p_.size[d] == 1) continue;
      bool merge = nd > 0;
      for (int k = 0; merge && k < operands_; ++k) merge = o_[k]->stride[nd - 1] == o_[k]->stride[d] * p_.size[d];
      if (!merge) ++nd;
      p_.size[nd - 1] = merge ? p_.size[nd - 1] * p_.size[d] : p_.size[d];
      for (int k = 0; k < operands_; ++k) o_[k]->stride[nd - 1] = o_[k]->stride[d];
    }
    if (nd == 0) {
      nd = 1;
      p_.size[0] = 1;
      for (int k = 0; k < operands_; ++k) o_[k]->stride[0] = size_of(o_[k]->dtype);
    }
    nd_ = nd;
    inner_ = p_.size[nd - 1];
    outer_rows_ = nd > 1 ? p_.size[nd - 2] : 1;
  }

  i64 row_stride(int k) const { return nd_ > 1 ? o_[k]->stride[nd_ - 2] : 0; }
  i64 column_stride(int k) const { return o_[k]->stride[nd_ - 1]; }

  void choose_block() {
    bool transposed = false, all_direct = true;
    for (int k = 0; k < operands_; ++k) {
      i64 element = size_of(o_[k]->dtype), s = column_stride(k);
      transposed |= nd_ > 1 && s != element && s != 0 && row_stride(k) == element;
      all_direct &= s == element && o_[k]->dtype == want_[k];
    }
    if (transposed) {
      columns_ = std::min<i64>(inner_, 32);
      rows_ = std::min<i64>(outer_rows_, kTile / 32);
    } else if (nd_ > 1 && inner_ <= 128) {
      columns_ = inner_;
      rows_ = std::max<i64>(1, std::min<i64>(outer_rows_, kTile / std::max<i64>(inner_, 1)));
    } else {
      rows_ = 1;
      columns_ = std::min<i64>(inner_, all_direct ? 16 * kTile : kTile);
    }
    one_tile_ = rows_ == 1 || columns_ == inner_;
    for (int k = 0; k < operands_; ++k) {
      i64 element = size_of(o_[k]->dtype), s = column_stride(k);
      direct_[k] = s == element && o_[k]->dtype == want_[k];
      if (direct_[k] && one_tile_ && rows_ > 1) direct_[k] = row_stride(k) == inner_ * element;
      bool same_for_all_rows = true;
      for (int d = 0; d < nd_ - 1; ++d) same_for_all_rows &= o_[k]->stride[d] == 0;
      fixed_[k] = k > 0 && !direct_[k] && same_for_all_rows && (s == 0 || columns_ == inner_);
    }
    i64 outer = 1;
    for (int d = 0; d < nd_ - 2; ++d) outer *= p_.size[d];
    row_blocks_ = (outer_rows_ + rows_ - 1) / rows_;
    column_blocks_ = columns_ ? (inner_ + columns_ - 1) / columns_ : 0;
    blocks_ = outer * row_blocks_ * column_blocks_;
  }

  void run_blocks(i64 begin, i64 end) const {
    alignas(64) char buffer[kMaxOperands + 1][kTile * sizeof(complex128)];
    bool filled[kMaxOperands + 1] = {};
    for (i64 b = begin; b < end; ++b) {
      i64 column = b % column_blocks_ * columns_, rest = b / column_blocks_;
      i64 row = rest % row_blocks_ * rows_, outer = rest / row_blocks_;
      i64 nr = std::min(rows_, outer_rows_ - row), nc = std::min(columns_, inner_ - column);
      i64 offset[kMaxOperands + 1];
      for (int k = 0; k < operands_; ++k) offset[k] = column * column_stride(k) + row * row_stride(k);
      for (int d = nd_ - 3; d >= 0; --d) {
        i64 q = outer % p_.size[d];
        outer /= p_.size[d];
        if (q)
          for (int k = 0; k < operands_; ++k) offset[k] += q * o_[k]->stride[d];
      }
      const char* in[kMaxOperands];
      i64 in_row[kMaxOperands];
      for (int k = 1; k < operands_; ++k) {
        if (direct_[k]) {
          in[k - 1] = o_[k]->data + offset[k];
          in_row[k - 1] = row_stride(k);
          continue;
        }
        i64 width = size_of(want_[k]), gathered = fixed_[k] ? columns_ : nc;
        in[k - 1] = buffer[k];
        in_row[k - 1] = gathered * width;
        if (fixed_[k] && filled[k]) continue;
        move_[k]({buffer[k], gathered * width, width, o_[k]->data + offset[k], row_stride(k), column_stride(k),
                  fixed_[k] ? rows_ : nr, gathered});
        filled[k] = true;
      }
      i64 out_width = size_of(want_[0]);
      char* out = direct_[0] ? o_[0]->data + offset[0] : buffer[0];
      if (one_tile_) {
        p_.tile(out, reinterpret_cast<const void* const*>(in), static_cast<std::size_t>(nr * nc), p_.attribute);
      } else {
        char* out_row = out;
        for (i64 i = 0; i < nr; ++i) {
          p_.tile(out_row, reinterpret_cast<const void* const*>(in), static_cast<std::size_t>(nc), p_.attribute);
          for (int k = 0; k < p_.inputs; ++k) in[k] += in_row[k];
          out_row += direct_[0] ? row_stride(0) : nc * out_width;
        }
      }
      if (!direct_[0])
        move_[0]({o_[0]->data + offset[0], row_stride(0), column_stride(0), out, nc * out_width, out_width, nr, nc});
    }
  }

  Pointwise& p_;
  int nd_, operands_;
  Operand* o_[kMaxOperands + 1];
  DType want_[kMaxOperands + 1];
  Move move_[kMaxOperands + 1];
  i64 inner_, outer_rows_, rows_, columns_, row_blocks_, column_blocks_, blocks_;
  bool direct_[kMaxOperands + 1], fixed_[kMaxOperands + 1], one_tile_;
};

template <class T>
void pass_through(void* out, const void* const* in, std::size_t n, const double*) {
  if (out != in[0]) std::memcpy(out, in[0], n * sizeof(T));
}

Tile pass_through_tile(DType d) {
  return visit(d, []<class T>(Type<T>) -> Tile { return pass_through<T>; });
}

Operand operand_of(const TensorImpl& t, const TensorImpl& shape) {
  Operand o;
  o.data = t.data();
  o.dtype = t.dtype;
  int shift = shape.ndim - t.ndim;
  for (int d = 0; d < shape.ndim; ++d)
    o.stride[d] = d < shift || t.size[d - shift] == 1 ? 0 : t.stride[d - shift] * size_of(t.dtype);
  return o;
}

}  // namespace

void run_pointwise(Pointwise& p) { BlockedLoop(p).run(); }

void copy_elements(const TensorImpl& dst, const TensorImpl& src) {
  if (dst.numel == 0) return;
  if (dst.dtype == src.dtype && dst.is_contiguous() && src.is_contiguous() && dst.numel == src.numel) {
    char *to = dst.data(), *from = src.data();
    i64 bytes = dst.numel * size_of(dst.dtype);
    parallel_for(bytes, 1 << 20, [&](i64 b, i64 e) { std::memcpy(to + b, from + b, static_cast<std::size_t>(e - b)); });
    return;
  }
  Pointwise p{};
  p.tile = pass_through_tile(dst.dtype);
  p.compute = dst.dtype;
  p.ndim = dst.ndim;
  std::copy_n(dst.size, dst.ndim, p.size);
  p.inputs = 1;
  p.out = operand_of(dst, dst);
  p.in[0] = operand_of(src, dst);
  run_pointwise(p);
}

void fill_elements(const TensorImpl& dst, const Arg& number) {
  bool real = number.kind == Kind::real;
  Tensor value = empty(Sizes{}, real ? DType::f64 : DType::i64);
  if (real) *value->data_as<double>() = number.f;
  else *value->data_as<i64>() = number.i;
  copy_elements(dst, *value);
}

}  // namespace rl
