// What the rows that multiply matrices share: checks, and one way into the kernel for all shapes.
#pragma once
#include "eager/call.h"

namespace rl {

// Both operands of one numeric dtype.
void check_product_dtypes(std::string_view op, const TensorImpl& a, const TensorImpl& b);

// a @ b by the rules of matmul: 1-d operands are a row and a column, further leading dimensions broadcast. `start`,
// when given, has the result's shape, dtype and row-major layout: the product is added to it, and it is the result.
Tensor product(std::string_view op, TensorImpl& a, TensorImpl& b, Tensor start = {});

// The gradients of `a @ b`, arguments `first` and `first + 1` of a row, when the result's gradient is gy.
void set_product_gradients(Backward& b, const Tensor& gy, int first = 0);

inline Tensor turned(const Tensor& t) { return call<"transpose">(t, -2, -1); }
inline Tensor as_matrix(const Tensor& t, i64 rows, i64 columns) {
  return t->ndim == 2 ? t : call<"reshape">(t, Dims{rows, columns});
}

// Longer than this many multiply-adds, a kernel runs without Python's lock.
constexpr i64 kLongProduct = 1 << 18;

}  // namespace rl
