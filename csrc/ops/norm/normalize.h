// The gradient of normalisation written over tensors, so that it can be differentiated again.
#pragma once
#include "ops/reduce/reduce.h"

namespace rl {

// compose of a row that shows the first result of another one, which has the same five arguments.
template <OpName row> void first_of(const Call& c) {
  c.out[0] = call_all<row>(c.arg[0], c.arg[1], c.arg[2], c.arg[3], c.arg[4])[0];
}

inline Dims masked_dims(std::uint32_t mask, int ndim) {
  Dims d;
  for (int k = 0; k < ndim; ++k)
    if (mask >> k & 1) d.push(k);
  return d;
}
inline Tensor mean_over(const Tensor& t, std::uint32_t mask) {
  return call<"mean">(t, masked_dims(mask, t->ndim), true);
}

struct Normalized {
  Tensor value, rstd;   // (x - mean) * rstd
};
inline Normalized normalized(const Tensor& x, std::uint32_t mask, bool centered, double eps) {
  Tensor d = centered ? x - mean_over(x, mask) : x;
  Tensor rstd = call<"rsqrt">(mean_over(d * d, mask) + eps);
  return {d * rstd, rstd};
}

// rstd (g - mean(g) - h mean(g h))
inline Tensor normalization_gradient(const Normalized& h, const Tensor& g, std::uint32_t mask, bool centered) {
  Tensor r = g - h.value * mean_over(g * h.value, mask);
  return h.rstd * (centered ? r - mean_over(g, mask) : r);
}

// What the gradients of the mean and of rstd add to that of x.
inline Tensor statistics_gradient(const Normalized& h, const Tensor& g_mean, const Tensor& g_rstd, std::uint32_t mask) {
  const TensorImpl& x = *h.value;
  double n = 1;
  for (int d = 0; d < x.ndim; ++d)
    if (mask >> d & 1) n *= static_cast<double>(x.size[d]);
  Dims size = reduced_sizes(x.sizes(), mask, true);
  auto lay = [&](const Tensor& g) { return call<"reshape">(g, size); };
  return (lay(g_mean) - lay(g_rstd) * (h.rstd * h.rstd) * h.value) / n;
}

inline Tensor sum_to(const Tensor& t, Sizes size) {
  return same_sizes(t->sizes(), size) ? t : call<"sum_to_size">(t, size);
}

// Weights have the input's dtype, or float32 beside half precision.
inline void check_same_float(const Call& c, int k) {
  DType x = c.tensor(0).dtype, d = c.tensor(k).dtype;
  bool half = x == DType::f16 || x == DType::bf16;
  c.check(d == x || (half && d == DType::f32), "expected scalar type ", x, " but found ", d, " for ",
          c.op.signature->param[k].name, ". Received ", describe(c.tensor(k)), ". Convert with .to(dtype).");
}

}  // namespace rl
