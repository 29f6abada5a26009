#include "kernels/reduce.h"

namespace rl {
namespace {

void push(ReduceGeometry::Group& g, i64 size, i64 stride) {
  g.count *= size;
  if (size == 1) return;
  if (g.n > 0 && g.stride[g.n - 1] == stride * size) {
    g.size[g.n - 1] *= size;
    g.stride[g.n - 1] = stride;
    return;
  }
  g.size[g.n] = size;
  g.stride[g.n++] = stride;
}

}  // namespace

ReduceGeometry reduce_geometry(const TensorImpl& t, std::uint32_t mask) {
  ReduceGeometry g;
  for (int d = 0; d < t.ndim; ++d) push(mask >> d & 1 ? g.folded : g.kept, t.size[d], t.stride[d]);
  return g;
}

Dims reduced_sizes(Sizes size, std::uint32_t mask, bool keepdim) {
  Dims r;
  for (std::size_t d = 0; d < size.size(); ++d) {
    if (!(mask >> d & 1)) r.push(size[d]);
    else if (keepdim) r.push(1);
  }
  return r;
}

std::uint32_t reduce_mask(std::string_view op, bool given, Sizes dim, int ndim) {
  if (!given || dim.empty()) return ~0u;
  return dim_mask(op, dim, ndim);
}

}  // namespace rl
