#include "kernels/cpu/pool.h"

#include <cmath>
#include <vector>

#include "base/parallel.h"
#include "kernels/cpu/workspace.h"

namespace rl {
namespace {

// Where one output position reads along one dimension: first, first + step, ... below last.
struct Window {
  i64 first, last;
  i64 extent;  // its share of an average's divisor
};

// The windows of all three dimensions (missing ones have extent 1 and come first).
struct Geometry {
  i64 in[3], out[3], step[3];
  i64 in_size = 1, out_size = 1;
  std::vector<Window> windows[3];

  Geometry(const PoolArgs& p, bool adaptive) {
    for (int d = 0; d < 3; ++d) {
      int from = d - (3 - p.spatial);
      if (from < 0) {
        in[d] = out[d] = step[d] = 1;
        windows[d].push_back({0, 1, 1});
        continue;
      }
      in[d] = p.in[from], out[d] = p.out[from], step[d] = adaptive ? 1 : p.dilation[from];
      in_size *= in[d], out_size *= out[d];
      windows[d].reserve(static_cast<std::size_t>(out[d]));
      for (i64 o = 0; o < out[d]; ++o)
        windows[d].push_back(adaptive ? adaptive_window(o, in[d], out[d]) : window(p, from, o));
    }
  }

 private:
  // From floor(o * in / out) to ceil((o + 1) * in / out).
  static Window adaptive_window(i64 o, i64 in, i64 out) {
    i64 first = o * in / out, last = ((o + 1) * in + out - 1) / out;
    return {first, last, last - first};
  }
  static Window window(const PoolArgs& p, int d, i64 o) {
    i64 start = o * p.stride[d] - p.pad[d], reach = (p.kernel[d] - 1) * p.dilation[d] + 1;
    i64 first = start;
    if (first < 0) first += (-first + p.dilation[d] - 1) / p.dilation[d] * p.dilation[d];
    i64 last = std::min(start + reach, p.in[d]);
    i64 padded = std::min(start + reach, p.in[d] + p.pad[d]) - start;
    return {first, std::max(first, last), p.count_include_pad ? padded : std::max<i64>(last - first, 0)};
  }
};

template <class T> using Accumulator = std::conditional_t<is_half_type<T>, float, T>;

template <class Body> void each_plane(const PoolArgs& p, i64 work, Body body) {
  parallel_for(p.planes, std::max<i64>(1, 16384 / std::max<i64>(work, 1)), [&](i64 begin, i64 end) {
    for (i64 plane = begin; plane < end; ++plane) body(plane);
  });
}

i64 kernel_size(const PoolArgs& p) {
  i64 n = 1;
  for (int d = 0; d < p.spatial; ++d) n *= p.kernel[d];
  return n;
}

// Calls body(output position, z window, y window, x window) for every output of a plane, in order.
template <class Body> void each_output(const Geometry& g, Body body) {
  i64 o = 0;
  for (const Window& z : g.windows[0])
    for (const Window& y : g.windows[1])
      for (const Window& x : g.windows[2]) body(o++, z, y, x);
}

// A sliding window seen a row of outputs at a time: kernel offset q along the last dimension meets the input for
// outputs [first, last), at input positions start + output * stride. Neighbouring outputs then share a loop without
// branches.
struct Offset {
  i64 first, last, start;
};
struct Rows {
  std::vector<Offset> offsets;
  i64 stride;

  Rows(const PoolArgs& p, const Geometry& g) : stride(p.stride[p.spatial - 1]) {
    int d = p.spatial - 1;
    for (i64 q = 0; q < p.kernel[d]; ++q) {
      i64 start = q * p.dilation[d] - p.pad[d], room = p.in[d] - start;
      i64 first = std::min(g.out[2], start >= 0 ? 0 : (-start + stride - 1) / stride);
      i64 last = room <= 0 ? first : std::clamp((room + stride - 1) / stride, first, g.out[2]);
      offsets.push_back({first, last, start});
    }
  }

  // visit(offset, where the input row begins in its plane) for every part of the windows of one row of outputs.
  template <class Visit> void sweep(const Geometry& g, const Window& z, const Window& y, Visit visit) const {
    for (i64 i = z.first; i < z.last; i += g.step[0])
      for (i64 j = y.first; j < y.last; j += g.step[1])
        for (const Offset& q : offsets) visit(q, (i * g.in[1] + j) * g.in[2]);
  }
};

// The compiler turns strides of 1 and 2 into vector loads once it knows them.
template <class F> void with_stride(i64 stride, F f) {
  if (stride == 1) f(std::integral_constant<i64, 1>{});
  else if (stride == 2) f(std::integral_constant<i64, 2>{});
  else f(stride);
}

// The first maximum wins, and any NaN wins over it.
template <class A, class T, class Index, class Stride>
void take_larger(i64 n, const T* __restrict in, Stride stride, Index position, A* __restrict best,
                 Index* __restrict where) {
  for (i64 o = 0; o < n; ++o) {
    A v = static_cast<A>(in[o * stride]);
    bool take = (v > best[o]) | (v != v);
    best[o] = take ? v : best[o];
    where[o] = take ? static_cast<Index>(position + static_cast<Index>(o * stride)) : where[o];
  }
}

template <class A>
constexpr A kLowest =
    std::is_floating_point_v<A> ? -std::numeric_limits<A>::infinity() : std::numeric_limits<A>::lowest();

template <class T, class Index> void max_planes(const PoolArgs& p, const T* x, T* y, i64* indices) {
  using A = Accumulator<T>;
  Geometry g(p, false);
  Rows rows(p, g);
  each_plane(p, g.out_size * kernel_size(p), [&](i64 plane) {
    const T* in = x + plane * g.in_size;
    T* out = y + plane * g.out_size;
    i64* at = indices ? indices + plane * g.out_size : nullptr;
    i64 width = g.out[2];
    Workspace best_space(width * static_cast<i64>(sizeof(A))), where_space(width * static_cast<i64>(sizeof(Index)));
    A* best = best_space.as<A>();
    Index* where = where_space.as<Index>();
    for (const Window& z : g.windows[0])
      for (const Window& w : g.windows[1]) {
        for (i64 o = 0; o < width; ++o) {
          best[o] = kLowest<A>;
          where[o] = static_cast<Index>((z.first * g.in[1] + w.first) * g.in[2] +
                                        g.windows[2][static_cast<std::size_t>(o)].first);
        }
        with_stride(rows.stride, [&](auto stride) {
          rows.sweep(g, z, w, [&](const Offset& q, i64 row) {
            i64 from = row + q.start + q.first * stride;
            if (q.first < q.last)
              take_larger(q.last - q.first, in + from, stride, static_cast<Index>(from), best + q.first,
                          where + q.first);
          });
        });
        for (i64 o = 0; o < width; ++o) out[o] = T(best[o]);
        if (at) std::copy_n(where, width, at), at += width;
        out += width;
      }
  });
}

template <class T> void adaptive_max_planes(const PoolArgs& p, const T* x, T* y, i64* indices) {
  using A = Accumulator<T>;
  Geometry g(p, true);
  each_plane(p, g.in_size, [&](i64 plane) {
    const T* in = x + plane * g.in_size;
    each_output(g, [&](i64 o, const Window& wz, const Window& wy, const Window& wx) {
      A best = kLowest<A>;
      i64 where = (wz.first * g.in[1] + wy.first) * g.in[2] + wx.first;
      for (i64 i = wz.first; i < wz.last; ++i)
        for (i64 j = wy.first; j < wy.last; ++j) {
          i64 row = (i * g.in[1] + j) * g.in[2];
          for (i64 k = wx.first; k < wx.last; ++k) {
            A v = static_cast<A>(in[row + k]);
            if (v > best || v != v) best = v, where = row + k;
          }
        }
      y[plane * g.out_size + o] = T(best);
      if (indices) indices[plane * g.out_size + o] = where;
    });
  });
}

template <class A> A average(A sum, i64 divisor) {
  if constexpr (std::is_integral_v<A>) return divisor ? static_cast<A>(static_cast<i64>(sum) / divisor) : A(0);
  else return sum / static_cast<A>(divisor);
}

template <class T> void average_planes(const PoolArgs& p, const T* x, T* y) {
  using A = Accumulator<T>;
  Geometry g(p, false);
  Rows rows(p, g);
  each_plane(p, g.out_size * kernel_size(p), [&](i64 plane) {
    const T* in = x + plane * g.in_size;
    T* out = y + plane * g.out_size;
    i64 width = g.out[2];
    Workspace space(width * static_cast<i64>(sizeof(A)));
    A* __restrict sum = space.as<A>();
    for (const Window& z : g.windows[0])
      for (const Window& w : g.windows[1]) {
        std::fill_n(sum, width, A(0));
        with_stride(rows.stride, [&](auto stride) {
          rows.sweep(g, z, w, [&](const Offset& q, i64 row) {
            for (i64 o = q.first; o < q.last; ++o) sum[o] += static_cast<A>(in[row + q.start + o * stride]);
          });
        });
        for (i64 o = 0; o < width; ++o) {
          i64 divisor = z.extent * w.extent * g.windows[2][static_cast<std::size_t>(o)].extent;
          out[o] = T(average(sum[o], p.divisor_override ? p.divisor_override : divisor));
        }
        out += width;
      }
  });
}

// Long rows take sixteen sums side by side, which fill the vector registers; the order of adding is fixed.
template <class A, class T> A sum_of(const T* x, i64 n) {
  A total(0);
  i64 i = 0;
  if (n >= 32) {
    A lanes[16] = {};
    for (; i + 16 <= n; i += 16)
#pragma GCC unroll 16
      for (int k = 0; k < 16; ++k) lanes[k] += static_cast<A>(x[i + k]);
#pragma GCC unroll 16
    for (int k = 0; k < 8; ++k) lanes[k] += lanes[k + 8];
    total = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  }
  for (; i < n; ++i) total += static_cast<A>(x[i]);
  return total;
}

template <class T> void adaptive_average_planes(const PoolArgs& p, const T* x, T* y) {
  using A = Accumulator<T>;
  Geometry g(p, true);
  each_plane(p, g.in_size, [&](i64 plane) {
    const T* in = x + plane * g.in_size;
    each_output(g, [&](i64 o, const Window& wz, const Window& wy, const Window& wx) {
      A sum(0);
      bool whole_rows = wx.extent == g.in[2];  // then the rows of a window follow one another
      for (i64 i = wz.first; i < wz.last; ++i)
        for (i64 j = wy.first; j < (whole_rows ? wy.first + 1 : wy.last); ++j)
          sum += sum_of<A>(in + (i * g.in[1] + j) * g.in[2] + wx.first, whole_rows ? wy.extent * g.in[2] : wx.extent);
      y[plane * g.out_size + o] = T(average(sum, wz.extent * wy.extent * wx.extent));
    });
  });
}

template <class T> void average_planes_backward(const PoolArgs& p, bool adaptive, const T* gy, T* gx) {
  using A = Accumulator<T>;
  Geometry g(p, adaptive);
  i64 fixed = adaptive ? 0 : p.divisor_override;
  each_plane(p, std::max(g.in_size, adaptive ? g.in_size : g.out_size * kernel_size(p)), [&](i64 plane) {
    std::vector<float> wide(is_half_type<T> ? static_cast<std::size_t>(g.in_size) : 0);
    A* to;
    if constexpr (is_half_type<T>) to = wide.data();
    else to = gx + plane * g.in_size;
    const T* from = gy + plane * g.out_size;
    std::fill_n(to, g.in_size, A(0));
    each_output(g, [&](i64 o, const Window& wz, const Window& wy, const Window& wx) {
      i64 divisor = fixed ? fixed : wz.extent * wy.extent * wx.extent;
      A share = static_cast<A>(from[o]) / static_cast<A>(divisor);
      for (i64 i = wz.first; i < wz.last; ++i)
        for (i64 j = wy.first; j < wy.last; ++j) {
          A* row = to + (i * g.in[1] + j) * g.in[2];
          for (i64 k = wx.first; k < wx.last; ++k) row[k] += share;
        }
    });
    if constexpr (is_half_type<T>)
      for (i64 i = 0; i < g.in_size; ++i) gx[plane * g.in_size + i] = T(wide[static_cast<std::size_t>(i)]);
  });
}

// visit() over the dtypes that have an order.
template <class F> void visit_real(DType dtype, const char* op, F f) {
  check(dtype != DType::bool_ && !is_complex(dtype), ErrorKind::not_implemented, "[", op,
        "] needs real numbers. Received ", dtype, ". Cast to a floating point dtype.");
  visit(dtype, [&]<class T>(Type<T> t) {
    if constexpr (!std::is_same_v<T, bool> && !is_complex_type<T>) f(t);
  });
}

template <class F> void visit_floating(DType dtype, const char* op, F f) {
  check(is_floating(dtype), ErrorKind::not_implemented, "[", op, "] needs a floating point dtype. Received ", dtype,
        ".");
  visit(dtype, [&]<class T>(Type<T> t) {
    if constexpr (std::is_floating_point_v<T> || is_half_type<T>) f(t);
  });
}

}  // namespace

void max_pool(const PoolArgs& p, const void* x, void* y, i64* indices) {
  visit_real(p.dtype, "max_pool", [&]<class T>(Type<T>) {
    i64 in_size = 1;
    for (int d = 0; d < p.spatial; ++d) in_size *= p.in[d];
    auto run = in_size < (i64{1} << 31) ? max_planes<T, std::int32_t> : max_planes<T, i64>;
    run(p, static_cast<const T*>(x), static_cast<T*>(y), indices);
  });
}

void adaptive_max_pool(const PoolArgs& p, const void* x, void* y, i64* indices) {
  visit_real(p.dtype, "adaptive_max_pool",
             [&]<class T>(Type<T>) { adaptive_max_planes(p, static_cast<const T*>(x), static_cast<T*>(y), indices); });
}

void max_pool_backward(const PoolArgs& p, const void* gy, const i64* indices, void* gx) {
  i64 in_size = 1, out_size = 1;
  for (int d = 0; d < p.spatial; ++d) in_size *= p.in[d], out_size *= p.out[d];
  visit_real(p.dtype, "max_pool_backward", [&]<class T>(Type<T>) {
    each_plane(p, in_size + out_size, [&](i64 plane) {
      const T* from = static_cast<const T*>(gy) + plane * out_size;
      const i64* at = indices + plane * out_size;
      T* to = static_cast<T*>(gx) + plane * in_size;
      std::fill_n(to, in_size, T(0));
      for (i64 o = 0; o < out_size; ++o) {
        check(at[o] >= 0 && at[o] < in_size, ErrorKind::runtime, "[max_pool_backward] indices must lie in [0, ",
              in_size, "). Received ", at[o], ".");
        to[at[o]] = T(to[at[o]] + from[o]);
      }
    });
  });
}

void avg_pool(const PoolArgs& p, const void* x, void* y) {
  visit_real(p.dtype, "avg_pool",
             [&]<class T>(Type<T>) { average_planes(p, static_cast<const T*>(x), static_cast<T*>(y)); });
}

void adaptive_avg_pool(const PoolArgs& p, const void* x, void* y) {
  visit_real(p.dtype, "adaptive_avg_pool",
             [&]<class T>(Type<T>) { adaptive_average_planes(p, static_cast<const T*>(x), static_cast<T*>(y)); });
}

void avg_pool_backward(const PoolArgs& p, const void* gy, void* gx) {
  visit_floating(p.dtype, "avg_pool_backward", [&]<class T>(Type<T>) {
    average_planes_backward(p, false, static_cast<const T*>(gy), static_cast<T*>(gx));
  });
}

void adaptive_avg_pool_backward(const PoolArgs& p, const void* gy, void* gx) {
  visit_floating(p.dtype, "adaptive_avg_pool_backward", [&]<class T>(Type<T>) {
    average_planes_backward(p, true, static_cast<const T*>(gy), static_cast<T*>(gx));
  });
}

}  // namespace rl
