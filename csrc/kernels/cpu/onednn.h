// L4: oneDNN (v3) through its C API, loaded on first use; a cache of primitives with their memory objects.
#pragma once
#include "kernels/cpu/conv.h"
#include "kernels/cpu/gemm.h"

namespace rl {

// False when libdnnl.so.3 is neither in lib/ beside this library nor known to the system. The first call loads it.
bool onednn_available();

// All of these throw when oneDNN is absent, and return false, with nothing done, when it has only its slow reference
// implementation for the case.

// The product in float32, bfloat16 or float16. a and b must be row- or column-major (one stride is 1, the other at
// least the extent); a batch stride of 0 broadcasts, for one of the two.
bool onednn_gemm(const GemmArgs& args);

bool onednn_conv_forward(const ConvArgs& args, const float* x, const float* w, const float* bias, float* y,
                         Activation activation);
bool onednn_conv_backward_data(const ConvArgs& args, const float* gy, const float* w, float* gx);
bool onednn_conv_backward_weights(const ConvArgs& args, const float* x, const float* gy, float* gw, float* gbias);

}  // namespace rl
