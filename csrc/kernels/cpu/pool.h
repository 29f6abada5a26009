// L4: pooling over raw pointers, 1 to 3 spatial dimensions. The caller decides the geometry (ceil_mode included)
// through `out`.
#pragma once
#include "tensor/dtype.h"

namespace rl {

// The first `spatial` entries of each array count. Tensors are contiguous: x [planes, *in], y [planes, *out] with
// planes = batch * channels. Adaptive pooling reads planes, in and out alone.
struct PoolArgs {
  DType dtype = DType::f32;
  int spatial = 2;
  i64 planes = 1;
  i64 in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1};
  i64 pad[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};  // pad on both sides; dilation for max_pool alone
  bool count_include_pad = true;                    // avg_pool: padding counts in the divisor
  i64 divisor_override = 0;                         // avg_pool: divides by this instead unless 0
};

// Any real dtype but bool. indices [planes, *out]: flat position within x's plane, or nullptr. The first maximum wins;
// NaN wins over all (the last one of a window).
void max_pool(const PoolArgs& args, const void* x, void* y, i64* indices);
void adaptive_max_pool(const PoolArgs& args, const void* x, void* y, i64* indices);
// gx = sums of gy at `indices`; serves both kinds of maximum pooling.
void max_pool_backward(const PoolArgs& args, const void* gy, const i64* indices, void* gx);

// Floating dtypes and integers (which divide towards zero).
void avg_pool(const PoolArgs& args, const void* x, void* y);
void adaptive_avg_pool(const PoolArgs& args, const void* x, void* y);
void avg_pool_backward(const PoolArgs& args, const void* gy, void* gx);
void adaptive_avg_pool_backward(const PoolArgs& args, const void* gy, void* gx);

}  // namespace rl
