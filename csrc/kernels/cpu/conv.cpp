#include "kernels/cpu/conv.h"

#include "base/parallel.h"
#include "kernels/cpu/onednn.h"
#include "kernels/cpu/workspace.h"

namespace rl {
namespace {

// Extents that the loops below need again and again. Missing spatial dimensions have extent 1 and come first.
struct Geometry {
  i64 in_channels, out_channels;        // of one group
  i64 in_size, out_size, kernel_size;   // products over the spatial dimensions
  i64 in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];

  explicit Geometry(const ConvArgs& c)
      : in_channels(c.in_channels / c.groups), out_channels(c.out_channels / c.groups) {
    for (int i = 0; i < 3; ++i) {
      int from = i - (3 - c.spatial);
      bool given = from >= 0;
      in[i] = given ? c.in[from] : 1, out[i] = given ? c.out[from] : 1, kernel[i] = given ? c.kernel[from] : 1;
      stride[i] = given ? c.stride[from] : 1, pad[i] = given ? c.pad_low[from] : 0,
      dilation[i] = given ? c.dilation[from] : 1;
    }
    in_size = in[0] * in[1] * in[2], out_size = out[0] * out[1] * out[2],
    kernel_size = kernel[0] * kernel[1] * kernel[2];
  }
  i64 window() const { return in_channels * kernel_size; }  // terms of one output element
  bool is_pointwise() const {  // the columns are x itself
    for (int i = 0; i < 3; ++i)
      if (kernel[i] != 1 || stride[i] != 1 || pad[i] != 0 || in[i] != out[i]) return false;
    return true;
  }
};

i64 rows_grain(const Geometry& g) { return std::max<i64>(1, 16384 / std::max<i64>(g.out_size, 1)); }

// Where kernel offset q of dimension d meets the input: outputs [first, last) read inside it, starting at `start`.
struct Span {
  i64 first, last, start;
  Span(const Geometry& g, int d, i64 q) {
    i64 offset = q * g.dilation[d] - g.pad[d];  // input position of output 0
    first = offset >= 0 ? 0 : std::min(g.out[d], (-offset + g.stride[d] - 1) / g.stride[d]);
    i64 room = g.in[d] - offset;  // outputs o with o * stride < room
    last = room <= 0 ? first : std::max(first, std::min(g.out[d], (room + g.stride[d] - 1) / g.stride[d]));
    start = offset;
  }
};

// columns [in_channels * kernel_size, out_size]: every row is x [in_channels, *in] as one kernel offset sees it.
template <class T> void image_to_columns(const Geometry& g, const T* x, T* columns) {
  parallel_for(g.window(), rows_grain(g), [&](i64 begin, i64 end) {
    for (i64 r = begin; r < end; ++r) {
      const T* plane = x + r / g.kernel_size * g.in_size;
      T* out = columns + r * g.out_size;
      i64 q = r % g.kernel_size;
      Span z(g, 0, q / (g.kernel[1] * g.kernel[2])), y(g, 1, q / g.kernel[2] % g.kernel[1]), c(g, 2, q % g.kernel[2]);
      for (i64 i = 0; i < g.out[0]; ++i)
        for (i64 j = 0; j < g.out[1]; ++j, out += g.out[2]) {
          if (i < z.first || i >= z.last || j < y.first || j >= y.last) {
            std::fill_n(out, g.out[2], T(0));
            continue;
          }
          const T* row = plane + ((z.start + i * g.stride[0]) * g.in[1] + y.start + j * g.stride[1]) * g.in[2];
          std::fill(out, out + c.first, T(0));
          if (g.stride[2] == 1 && c.last > c.first)
            std::copy(row + c.start + c.first, row + c.start + c.last, out + c.first);
          else
            for (i64 k = c.first; k < c.last; ++k) out[k] = row[c.start + k * g.stride[2]];
          std::fill(out + c.last, out + g.out[2], T(0));
        }
    }
  });
}

// The adjoint: gx [in_channels, *in] = the sum of what each kernel offset saw. One thread per channel, so the order is
// fixed.
template <class T> void columns_to_image(const Geometry& g, const T* columns, T* gx) {
  parallel_for(g.in_channels, std::max<i64>(1, rows_grain(g) / g.kernel_size), [&](i64 begin, i64 end) {
    for (i64 channel = begin; channel < end; ++channel) {
      T* plane = gx + channel * g.in_size;
      std::fill_n(plane, g.in_size, T(0));
      for (i64 q = 0; q < g.kernel_size; ++q) {
        const T* from = columns + (channel * g.kernel_size + q) * g.out_size;
        Span z(g, 0, q / (g.kernel[1] * g.kernel[2])), y(g, 1, q / g.kernel[2] % g.kernel[1]), c(g, 2, q % g.kernel[2]);
        for (i64 i = z.first; i < z.last; ++i)
          for (i64 j = y.first; j < y.last; ++j) {
            const T* in = from + (i * g.out[1] + j) * g.out[2];
            T* row = plane + ((z.start + i * g.stride[0]) * g.in[1] + y.start + j * g.stride[1]) * g.in[2] + c.start;
            for (i64 k = c.first; k < c.last; ++k) row[k * g.stride[2]] += in[k];
          }
      }
    }
  });
}

// Items side by side when there are enough of them for all threads, else one after the other with all threads inside
// each.
template <class Body> void each_item(const Geometry& g, i64 count, Body body) {
  i64 work = g.out_channels * g.window() * g.out_size + 1;  // multiply-adds of an item
  i64 grain = count >= 2 * num_threads() ? std::max<i64>(1, 128 * 1024 / work) : count;
  parallel_for(count, grain, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) body(i);
  });
}

template <class T>
void forward(const ConvArgs& args, const T* x, const T* w, const T* bias, T* y, Activation activation) {
  Geometry g(args);
  each_item(g, args.batch * args.groups, [&](i64 i) {
    i64 group = i % args.groups;
    const T* from = x + i * g.in_channels * g.in_size;
    Workspace space(g.is_pointwise() ? 0 : g.window() * g.out_size * static_cast<i64>(sizeof(T)));
    if (!g.is_pointwise()) image_to_columns(g, from, space.as<T>());
    const T* columns = g.is_pointwise() ? from : space.as<T>();
    T* to = y + i * g.out_channels * g.out_size;
    if (bias)  // one bias per row of this product
      for (i64 o = 0; o < g.out_channels; ++o)
        std::fill_n(to + o * g.out_size, g.out_size, bias[group * g.out_channels + o]);
    gemm({dtype_of<T>(), 1, g.out_channels, g.out_size, g.window(), w + group * g.out_channels * g.window(), 0,
          g.window(), 1, columns, 0, g.out_size, 1, to, 0, g.out_size, nullptr, activation, bias != nullptr});
  });
}

template <class T> void backward_data(const ConvArgs& args, const T* gy, const T* w, T* gx) {
  Geometry g(args);
  each_item(g, args.batch * args.groups, [&](i64 i) {
    T* to = gx + i * g.in_channels * g.in_size;
    Workspace space(g.is_pointwise() ? 0 : g.window() * g.out_size * static_cast<i64>(sizeof(T)));
    T* columns = g.is_pointwise() ? to : space.as<T>();
    gemm({dtype_of<T>(), 1, g.window(), g.out_size, g.out_channels, w + i % args.groups * g.out_channels * g.window(),
          0, 1, g.window(), gy + i * g.out_channels * g.out_size, 0, g.out_size, 1, columns, 0, g.out_size, nullptr,
          Activation::none, false});
    if (!g.is_pointwise()) columns_to_image(g, columns, to);
  });
}

template <class T> void backward_weights(const ConvArgs& args, const T* x, const T* gy, T* gw) {
  Geometry g(args);
  each_item(g, args.groups, [&](i64 group) {
    Workspace space(g.is_pointwise() ? 0 : g.window() * g.out_size * static_cast<i64>(sizeof(T)));
    T* to = gw + group * g.out_channels * g.window();
    if (args.batch == 0) std::fill_n(to, g.out_channels * g.window(), T(0));
    for (i64 b = 0; b < args.batch; ++b) {
      i64 i = b * args.groups + group;
      const T* from = x + i * g.in_channels * g.in_size;
      if (!g.is_pointwise()) image_to_columns(g, from, space.as<T>());
      gemm({dtype_of<T>(), 1, g.out_channels, g.window(), g.out_size, gy + i * g.out_channels * g.out_size, 0,
            g.out_size, 1, g.is_pointwise() ? from : space.as<T>(), 0, 1, g.out_size, to, 0, g.window(), nullptr,
            Activation::none, b > 0});
    }
  });
}

// gbias [out_channels] = gy summed over batch and space, row by row: short sums of short sums keep the error small.
template <class T> void backward_bias(const ConvArgs& args, const T* gy, T* gbias) {
  Geometry g(args);
  parallel_for(args.out_channels, rows_grain(g), [&](i64 begin, i64 end) {
    for (i64 o = begin; o < end; ++o) {
      T total(0);
      for (i64 b = 0; b < args.batch; ++b) {
        const T* plane = gy + (b * args.out_channels + o) * g.out_size;
        for (i64 r = 0; r < g.out_size; r += g.out[2]) {
          T row(0);
          for (i64 j = 0; j < g.out[2]; ++j) row += plane[r + j];
          total += row;
        }
      }
      gbias[o] = total;
    }
  });
}

i64 x_elements(const ConvArgs& c) { return c.batch * c.in_channels * c.in[0] * c.in[1] * c.in[2]; }
i64 y_elements(const ConvArgs& c) { return c.batch * c.out_channels * c.out[0] * c.out[1] * c.out[2]; }
i64 w_elements(const ConvArgs& c) {
  return c.out_channels * (c.in_channels / c.groups) * c.kernel[0] * c.kernel[1] * c.kernel[2];
}

// Half precision computes in float: a copy of each input, and the result rounded once.
template <class To, class From> void convert(i64 n, const From* from, To* to) {
  parallel_for(n, 16384, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) to[i] = cast<To>(from[i]);
  });
}

class Widened {
 public:
  template <class T> Widened(i64 n, const T* from) : space_(from ? n * 4 : 0) {
    if (from) convert(n, from, space_.as<float>());
  }
  explicit Widened(i64 n) : space_(n * 4) {}
  float* data() const { return space_.as<float>(); }

 private:
  Workspace space_;
};

ConvArgs checked(ConvArgs c) {
  for (int i = c.spatial; i < 3; ++i) c.in[i] = c.out[i] = c.kernel[i] = 1;
  check(c.dtype != DType::bool_, ErrorKind::runtime,
        "[conv] a convolution needs numbers. Received bool. Cast to a floating point dtype.");
  return c;
}

}  // namespace

void conv_forward(const ConvArgs& given, const void* x, const void* w, const void* bias, void* y,
                  Activation activation) {
  ConvArgs args = checked(given);
  if (y_elements(args) == 0) return;
  visit(args.dtype, [&]<class T>(Type<T>) {
    auto *x_ = static_cast<const T*>(x), *w_ = static_cast<const T*>(w), *bias_ = static_cast<const T*>(bias);
    auto* y_ = static_cast<T*>(y);
    if constexpr (is_half_type<T>) {
      Widened fx(x_elements(args), x_), fw(w_elements(args), w_), fb(args.out_channels, bias_), fy(y_elements(args));
      ConvArgs wide = args;
      wide.dtype = DType::f32;
      conv_forward(wide, fx.data(), fw.data(), fb.data(), fy.data(), activation);
      convert(y_elements(args), fy.data(), y_);
    } else if constexpr (!std::is_same_v<T, bool>) {
      if constexpr (std::is_same_v<T, float>)
        if (x_elements(args) > 0 && onednn_available() && onednn_conv_forward(args, x_, w_, bias_, y_, activation))
          return;
      forward<T>(args, x_, w_, bias_, y_, activation);
    }
  });
}

void conv_backward_data(const ConvArgs& given, const void* gy, const void* w, void* gx) {
  ConvArgs args = checked(given);
  if (x_elements(args) == 0) return;
  visit(args.dtype, [&]<class T>(Type<T>) {
    auto *gy_ = static_cast<const T*>(gy), *w_ = static_cast<const T*>(w);
    auto* gx_ = static_cast<T*>(gx);
    if constexpr (is_half_type<T>) {
      Widened fy(y_elements(args), gy_), fw(w_elements(args), w_), fx(x_elements(args));
      ConvArgs wide = args;
      wide.dtype = DType::f32;
      conv_backward_data(wide, fy.data(), fw.data(), fx.data());
      convert(x_elements(args), fx.data(), gx_);
    } else if constexpr (!std::is_same_v<T, bool>) {
      if constexpr (std::is_same_v<T, float>)
        if (y_elements(args) > 0 && onednn_available() && onednn_conv_backward_data(args, gy_, w_, gx_)) return;
      backward_data<T>(args, gy_, w_, gx_);
    }
  });
}

void conv_backward_weights(const ConvArgs& given, const void* x, const void* gy, void* gw, void* gbias) {
  ConvArgs args = checked(given);
  visit(args.dtype, [&]<class T>(Type<T>) {
    auto *x_ = static_cast<const T*>(x), *gy_ = static_cast<const T*>(gy);
    auto *gw_ = static_cast<T*>(gw), *gbias_ = static_cast<T*>(gbias);
    if constexpr (is_half_type<T>) {
      Widened fx(x_elements(args), x_), fy(y_elements(args), gy_), fw(w_elements(args)),
          fb(gbias ? args.out_channels : 0);
      ConvArgs wide = args;
      wide.dtype = DType::f32;
      conv_backward_weights(wide, fx.data(), fy.data(), fw.data(), fb.data());
      convert(w_elements(args), fw.data(), gw_);
      if (gbias) convert(args.out_channels, fb.data(), gbias_);
    } else if constexpr (!std::is_same_v<T, bool>) {
      if constexpr (std::is_same_v<T, float>)
        if (x_elements(args) > 0 && y_elements(args) > 0 && onednn_available() &&
            onednn_conv_backward_weights(args, x_, gy_, gw_, gbias_))
          return;
      backward_weights<T>(args, x_, gy_, gw_);
      if (gbias) backward_bias<T>(args, gy_, gbias_);
    }
  });
}

}  // namespace rl
