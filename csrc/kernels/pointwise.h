// L4: one loop for all pointwise operators; only the tile function differs. Operands that a tile cannot read as they
// lie (strided, broadcast, another dtype, a number) are gathered into packed tiles that stay in the L1 cache.
#pragma once
#include "schema/opdef.h"

namespace rl {

constexpr int kMaxOperands = 8;
constexpr i64 kParallelElements = 32768;  // below this many a second thread costs more than it brings

struct Operand {
  char* data;
  DType dtype;
  i64 stride[kMaxDim];  // in bytes; 0 where the operand is broadcast
};

struct Pointwise {
  Tile tile;
  DType compute;                       // what the tile reads: i64, f32, f64 or c128
  bool gives_mask;
  int ndim;
  i64 size[kMaxDim];
  Operand out, in[kMaxOperands];
  bool mask[kMaxOperands];             // read as bool
  int inputs;
  const double* attribute;
};
void run_pointwise(Pointwise& p);      // may reorder and merge the dimensions of p

// dst[...] = src[...] with conversion; src broadcasts to dst. The two must not overlap.
void copy_elements(const TensorImpl& dst, const TensorImpl& src);
void fill_elements(const TensorImpl& dst, const Arg& number);

// t's elements in row-major order, in dtype d: t itself when it lies so already.
inline Tensor packed(TensorImpl& t, DType d) {
  if (t.is_contiguous() && t.dtype == d) return Tensor(&t);
  Tensor r = empty(t.sizes(), d);
  copy_elements(*r, t);
  return r;
}
inline Tensor packed(TensorImpl& t) { return packed(t, t.dtype); }

constexpr DType compute_dtype(DType d) {
  switch (category(d)) {
    case Category::boolean:
    case Category::integer: return DType::i64;
    case Category::floating: return d == DType::f64 ? DType::f64 : DType::f32;
    default: return DType::c128;
  }
}
constexpr Compute compute_of(DType d) {
  DType c = compute_dtype(d);
  return c == DType::i64   ? Compute::i64
         : c == DType::f32 ? Compute::f32
         : c == DType::f64 ? Compute::f64
                           : Compute::c128;
}

}  // namespace rl
