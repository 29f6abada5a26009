// L4: convolution (cross-correlation) and its two derivatives over raw pointers, 1 to 3 spatial dimensions.
#pragma once
#include "kernels/cpu/gemm.h"

namespace rl {

// The first `spatial` entries of each array count. Elements of x beyond the last window are unused, so transposed
// convolution with output padding is conv_backward_data with the longer `in`.
struct ConvArgs {
  DType dtype = DType::f32;
  int spatial = 2;
  i64 batch = 1, groups = 1, in_channels = 1, out_channels = 1;
  i64 in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1};
  i64 pad_low[3] = {0, 0, 0}, pad_high[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};
};

// All tensors are contiguous: x [batch, in_channels, *in], w [out_channels, in_channels / groups, *kernel],
// y [batch, out_channels, *out], bias [out_channels] or nullptr. Results are overwritten. Complex operands are not
// conjugated. The bits do not depend on the number of threads, except those of float32's conv_backward_weights: oneDNN
// sums parts of the batch by thread.
void conv_forward(const ConvArgs& args, const void* x, const void* w, const void* bias, void* y,
                  Activation activation = Activation::none);
void conv_backward_data(const ConvArgs& args, const void* gy, const void* w, void* gx);
void conv_backward_weights(const ConvArgs& args, const void* x, const void* gy, void* gw, void* gbias /* or nullptr */);

}  // namespace rl
