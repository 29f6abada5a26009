// What the rows of pooling share.
#pragma once
#include "kernels/cpu/pool.h"
#include "kernels/pointwise.h"
#include "ops/conv/geometry.h"

namespace rl {

// max_pool2d: a row serves all numbers of dimensions, its messages name the one that was called.
struct PoolName {
  const char* base;
  int spatial;
};
inline void append(std::string& s, const PoolName& n) { s += str(n.base, n.spatial, "d"); }

inline int pool_dims(const char* base, std::size_t n) {
  check(n >= 1 && n <= 3, ErrorKind::runtime, "[", base, "] the window must have one to three dimensions. Received ", n,
        ".");
  return static_cast<int>(n);
}

// The number of dimensions that a row's name says.
inline int dims_by_name(const Call& c) { return c.op.name()[c.op.name().find_first_of("123")] - '0'; }

inline PoolArgs pool_input(const PoolName& op, Sizes size, DType d) {
  int n = op.spatial;
  check(static_cast<int>(size.size()) == n + 1 || static_cast<int>(size.size()) == n + 2, ErrorKind::runtime, "[", op,
        "] Expected ", n + 1, "D or ", n + 2,
        "D (batch mode) tensor with optional 0 dim batch size for input: non-empty ", n + 1, "D or ", n + 2,
        "D (batch mode) tensor expected for input, but got:", size, ".");
  for (std::size_t k = size.size() - static_cast<std::size_t>(n) - 1; k < size.size(); ++k)
    check(size[k] > 0 && size[k] < kLargestExtent, ErrorKind::runtime, "[", op,
          "] Expected input to have non-zero size for non-batch dimensions: Expected ", n + 1, "D or ", n + 2,
          "D (batch mode) tensor with optional 0 dim batch size for input, but got:", size, ".");
  check(d != DType::bool_ && !is_complex(d), ErrorKind::not_implemented, "[", op, "] pooling is not implemented for ",
        d, ". Convert with .to(dtype).");
  PoolArgs a;
  a.dtype = d;
  a.spatial = n;
  std::size_t lead = size.size() - static_cast<std::size_t>(n);
  for (std::size_t k = 0; k < lead; ++k) a.planes *= size[k];
  for (std::size_t k = 0; k < static_cast<std::size_t>(n); ++k) a.in[k] = size[lead + k];
  return a;
}

// Input sizes with the spatial ones replaced by a.out.
inline Dims pool_output(Sizes size, const PoolArgs& a) {
  Dims out(size.first(size.size() - static_cast<std::size_t>(a.spatial)));
  for (int k = 0; k < a.spatial; ++k) out.push(a.out[k]);
  return out;
}

// Fills in a sliding window and the number of its places; stride None or () means kernel_size.
inline void slide(PoolArgs& a, const PoolName& op, Sizes kernel, Sizes stride, Sizes padding, Sizes dilation,
                  bool ceil_mode) {
  std::string name = str(op);
  Dims k = per_dimension(name, "kernel_size", kernel, a.spatial),
       s = stride.empty() ? k : per_dimension(name, "stride", stride, a.spatial),
       p = per_dimension(name, "padding", padding, a.spatial), d = per_dimension(name, "dilation", dilation, a.spatial);
  check_each(name, "stride should not be zero", s, 1);
  check_each(name, "kernel_size must be greater than zero", k, 1);
  check_each(name, "pad must be non-negative", p, 0);
  check_each(name, "dilation should be greater than zero", d, 1);
  bool fits = true;
  for (int i = 0; i < a.spatial; ++i) {
    i64 reach = (k[i] - 1) * d[i] + 1;
    check(p[i] <= reach / 2, ErrorKind::runtime, "[", op,
          "] pad should be at most half of effective kernel size, but got pad=", p[i], ", kernel_size=", k[i],
          " and dilation=", d[i], ".");
    i64 room = a.in[i] + 2 * p[i] - reach + (ceil_mode ? s[i] - 1 : 0);
    i64 places = room < 0 ? 0 : room / s[i] + 1;
    if (ceil_mode && (places - 1) * s[i] >= a.in[i] + p[i]) --places;  // the last window must begin inside the input
    a.kernel[i] = k[i], a.stride[i] = s[i], a.pad[i] = p[i], a.dilation[i] = d[i], a.out[i] = places;
    fits &= places > 0;
  }
  if (!fits) [[unlikely]] {
    std::string in, out;
    for (int i = 0; i < a.spatial; ++i) in += str("x", a.in[i]), out += str("x", a.out[i]);
    fail(ErrorKind::runtime, "[", op, "] Given input size: (C", in, "). Calculated output size: (C", out,
         "). Output size is too small. Kernel size: ", kernel, ".");
  }
}

inline bool is_long(const PoolArgs& a) {
  i64 work = a.planes;
  for (int i = 0; i < a.spatial; ++i) work *= a.out[i] * a.kernel[i];
  return work >= 1 << 16;
}

inline void check_pooled(const PoolName& op, const TensorImpl& gradient, Sizes wanted) {
  check(same_sizes(gradient.sizes(), wanted), ErrorKind::runtime, "[", op,
        "] the gradient must have the size of the result, ", wanted, ". Received ", describe(gradient), ".");
}

}  // namespace rl
