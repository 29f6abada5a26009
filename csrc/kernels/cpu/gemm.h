// L4: matrix products over raw pointers. Shapes and dtypes are the caller's to check.
#pragma once
#include "tensor/dtype.h"

namespace rl {

enum class Activation : std::uint8_t { none, relu, gelu, gelu_tanh };

// c[b, m, n] = activation(a[b, m, k] @ b[b, k, n] + bias[n]  (+ c when `accumulate`)).
// Strides count elements and may be anything, 0 and transposed included; c's columns are contiguous.
struct GemmArgs {
  DType dtype = DType::f32;
  i64 batch = 1, m = 0, n = 0, k = 0;
  const void* a = nullptr;
  i64 a_batch = 0, a_row = 0, a_col = 1;
  const void* b = nullptr;
  i64 b_batch = 0, b_row = 0, b_col = 1;
  void* c = nullptr;
  i64 c_batch = 0, c_row = 0;
  const void* bias = nullptr;
  Activation activation = Activation::none;
  bool accumulate = false;
};

// Every dtype but bool. The bits do not depend on the number of threads, except where oneDNN shares out k: float
// products with fewer blocks of c than threads. k == 0 gives zeros (plus bias, or c unchanged when `accumulate`). c
// must not overlap a, b or bias.
void gemm(const GemmArgs& args);

}  // namespace rl
