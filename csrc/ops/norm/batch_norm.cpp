// Normalisation of channels over the batch (Ioffe and Szegedy, 2015).
#include "ops/norm/normalize.h"
#include "ops/norm/rows.h"
using namespace rl;

namespace {

constexpr i64 kTile = 64;      // channels that lie side by side and are walked together
constexpr i64 kGrain = 8192;   // elements that are worth a thread

// input [n, channels, places], contiguous
struct Shape {
  i64 n = 1, channels = 1, places = 1;
  explicit Shape(Sizes s) {
    for (std::size_t d = 0; d < s.size(); ++d) (d == 0 ? n : d == 1 ? channels : places) *= s[d];
  }
  i64 count() const { return n * places; }
};

// Calls body(first channel, how many) over all of them.
template <class Body> void for_channels(const Shape& s, Body&& body) {
  i64 tile = s.places == 1 ? kTile : 1, tiles = (s.channels + tile - 1) / tile;
  parallel_for(tiles, std::max<i64>(1, kGrain / std::max<i64>(1, s.count() * tile)), [&](i64 begin, i64 end) {
    for (i64 k = begin; k < end; ++k) body(k * tile, std::min(tile, s.channels - k * tile));
  });
}

// sum[j] of f(offset, channel j, lanes left) over the batch and its places; j is -1 where the lanes are places of one
// channel.
template <class T, class F> RL_INLINE void sum_channels(const Shape& s, i64 first, i64 width, double* sum, F&& f) {
  std::fill_n(sum, width, 0.);
  if (s.places > 1) {
    for (i64 r = 0; r < s.n; ++r) {
      i64 at = (r * s.channels + first) * s.places;
      sum[0] +=
          sum_of<T>(s.places, [&](i64 i, i64 left) __attribute__((always_inline)) { return f(at + i, i64{-1}, left); });
    }
    return;
  }
  alignas(64) T part[kTile] = {};
  for (i64 r = 0; r < s.n; ++r) {
    i64 at = r * s.channels + first;
    for_vectors<T>(width, [&](i64 j, i64 left) __attribute__((always_inline)) {
      store_up_to(part + j, load_up_to(part + j, left) + f(at + j, j, left), left);
    });
    if (r % 64 == 63 || r + 1 == s.n)  // long sums in two levels: less rounding
      for (i64 j = 0; j < width; ++j) sum[j] += static_cast<double>(part[j]), part[j] = 0;
  }
}

// One number per channel as a vector: the same in all lanes when a channel's places lie side by side.
template <class T> RL_INLINE vec<T> channel(const T* p, i64 j, i64 left) {
  return j < 0 ? vec<T>(p[0]) : load_up_to(p + j, left);
}

template <class T>
void statistics(const T* x, T* mean, double* variance, const Shape& s) {
  for_channels(s, [&](i64 first, i64 width) {
    double sum[kTile];
    T m[kTile];
    sum_channels<T>(s, first, width, sum,
                    [&](i64 at, i64, i64 left) __attribute__((always_inline)) { return load_up_to(x + at, left); });
    for (i64 j = 0; j < width; ++j) mean[first + j] = m[j] = static_cast<T>(sum[j] / static_cast<double>(s.count()));
    sum_channels<T>(s, first, width, sum, [&](i64 at, i64 j, i64 left) __attribute__((always_inline)) {
      vec<T> d = load_up_to(x + at, left) - channel(m, j, left);
      return d * d;
    });
    for (i64 j = 0; j < width; ++j) variance[first + j] = sum[j] / static_cast<double>(s.count());
  });
}

// y = x * scale + shift, one scale and shift per channel, or y = a * scale + b * slope + shift
template <class T> void apply(const T* x, T* y, const T* scale, const T* shift, const Shape& s,
                              const T* other = nullptr, const T* slope = nullptr) {
  auto line = [&](const T* from, const T* from2, T* to, i64 n, i64 c, bool one) __attribute__((always_inline)) {
    for_vectors<T>(n, [&](i64 i, i64 left) __attribute__((always_inline)) {
      i64 j = one ? -1 : i;
      vec<T> v = load_up_to(from + i, left) * channel(scale + c, j, left) + channel(shift + c, j, left);
      if (from2) v += load_up_to(from2 + i, left) * channel(slope + c, j, left);
      store_up_to(to + i, v, left);
    });
  };
  if (s.places == 1) {
    parallel_for(s.n, std::max<i64>(1, kGrain / std::max<i64>(1, s.channels)), [&](i64 begin, i64 end) {
      for (i64 r = begin; r < end; ++r)
        line(x + r * s.channels, other ? other + r * s.channels : nullptr, y + r * s.channels, s.channels, 0, false);
    });
    return;
  }
  parallel_for(s.n * s.channels, std::max<i64>(1, kGrain / std::max<i64>(1, s.places)), [&](i64 begin, i64 end) {
    for (i64 k = begin; k < end; ++k)
      line(x + k * s.places, other ? other + k * s.places : nullptr, y + k * s.places, s.places, k % s.channels, true);
  });
}

template <class T> std::vector<T> channel_values(const Tensor& t, i64 channels, T otherwise) {
  std::vector<T> v(static_cast<std::size_t>(channels), otherwise);
  if (t) {
    Tensor wide = packed(*t, dtype_of<T>());
    std::copy_n(wide->data_as<T>(), channels, v.begin());
  }
  return v;
}

Tensor given(const Call& c, int k) { return c.has(k) ? Tensor(&c.tensor(k)) : Tensor(); }

template <class T> void move_towards(TensorImpl& running, const std::vector<T>& batch, double momentum) {
  visit(running.dtype, [&]<class R>(Type<R>) {
    if constexpr (!is_complex_type<R>) {
      R* p = running.data_as<R>();
      for (i64 k = 0; k < running.numel; ++k) {
        R& r = p[k * running.stride[0]];
        r = cast<R>((1 - momentum) * static_cast<double>(r) +
                    momentum * static_cast<double>(batch[static_cast<std::size_t>(k)]));
      }
    }
  });
  written(running);
}

template <class T> void forward(const Call& c) {
  Tensor x = packed(c.tensor(0), dtype_of<T>()),
         y = c.out[0]->dtype == dtype_of<T>() ? c.out[0] : empty(x->sizes(), dtype_of<T>());
  Shape s(x->sizes());
  bool training = c.flag(5);
  double eps = c.real(7);
  std::vector<T> mean, scale = channel_values<T>(given(c, 1), s.channels, 1),
                       shift = channel_values<T>(given(c, 2), s.channels, 0);
  std::vector<double> variance(static_cast<std::size_t>(s.channels));
  if (training) {
    mean.resize(variance.size());
    statistics(x->data_as<T>(), mean.data(), variance.data(), s);
    if (c.has(3)) move_towards(c.tensor(3), mean, c.real(6));
    if (c.has(4)) {
      std::vector<double> unbiased = variance;
      for (double& v : unbiased) v *= static_cast<double>(s.count()) / static_cast<double>(s.count() - 1);
      move_towards(c.tensor(4), unbiased, c.real(6));
    }
  } else {
    mean = channel_values<T>(given(c, 3), s.channels, 0);
    std::vector<T> v = channel_values<T>(given(c, 4), s.channels, 1);
    std::copy(v.begin(), v.end(), variance.begin());
  }
  for (std::size_t k = 0; k < variance.size(); ++k) {
    double invstd = 1 / std::sqrt(variance[k] + eps);
    if (training) c.out[1]->data_as<T>()[k] = mean[k], c.out[2]->data_as<T>()[k] = static_cast<T>(invstd);
    scale[k] = static_cast<T>(static_cast<double>(scale[k]) * invstd);
  }
  // (x - mean) * scale + bias as x * scale + shift
  for (std::size_t k = 0; k < variance.size(); ++k)
    shift[k] =
        static_cast<T>(static_cast<double>(shift[k]) - static_cast<double>(mean[k]) * static_cast<double>(scale[k]));
  apply(x->data_as<T>(), y->data_as<T>(), scale.data(), shift.data(), s);
  if (y.get() != c.out[0].get()) copy_elements(*c.out[0], *y);
}

// With h the normalised input: gx = weight invstd (gy - mean(gy) - h mean(gy h)) in training, gy weight invstd
// otherwise.
template <class T> void backward_kernel(Backward& b) {
  bool training = b.flag(5);
  Tensor x = packed(*b.tensor(0), dtype_of<T>()), gy = packed(*b.gradient(), dtype_of<T>());
  Shape s(x->sizes());
  std::size_t channels = static_cast<std::size_t>(s.channels);
  std::vector<T> mean, invstd, weight = channel_values<T>(b.given(1) ? b.tensor(1) : Tensor(), s.channels, 1);
  if (training) {
    mean = channel_values<T>(b.result(1), s.channels, 0);
    invstd = channel_values<T>(b.result(2), s.channels, 1);
  } else {
    mean = channel_values<T>(b.given(3) ? b.tensor(3) : Tensor(), s.channels, 0);
    invstd = channel_values<T>(b.given(4) ? b.tensor(4) : Tensor(), s.channels, 1);
    for (T& v : invstd) v = static_cast<T>(1 / std::sqrt(static_cast<double>(v) + b.real(7)));
  }
  std::vector<double> sum(channels), sum_h(channels);
  const T *g = gy->data_as<T>(), *from = x->data_as<T>();
  for_channels(s, [&](i64 first, i64 width) {
    sum_channels<T>(s, first, width, &sum[static_cast<std::size_t>(first)],
                    [&](i64 at, i64, i64 left) __attribute__((always_inline)) { return load_up_to(g + at, left); });
    sum_channels<T>(s, first, width, &sum_h[static_cast<std::size_t>(first)],
                    [&](i64 at, i64 j, i64 left) __attribute__((always_inline)) {
                      vec<T> h =
                          (load_up_to(from + at, left) - channel(&mean[static_cast<std::size_t>(first)], j, left)) *
                          channel(&invstd[static_cast<std::size_t>(first)], j, left);
                      return load_up_to(g + at, left) * h;
                    });
  });
  auto per_channel = [&](const std::vector<double>& v, int k) {
    Tensor t = empty({s.channels}, dtype_of<T>());
    for (std::size_t i = 0; i < channels; ++i) t->data_as<T>()[i] = static_cast<T>(v[i]);
    b.set(k, t);
  };
  if (b.given(1) && b.needs(1)) per_channel(sum_h, 1);
  if (b.given(2) && b.needs(2)) per_channel(sum, 2);
  if (!b.needs(0)) return;
  Tensor gx = empty(x->sizes(), dtype_of<T>());
  std::vector<T> scale(channels), slope(channels), shift(channels);
  double n = static_cast<double>(std::max<i64>(1, s.count()));
  for (std::size_t k = 0; k < channels; ++k) {
    double w = static_cast<double>(weight[k]) * static_cast<double>(invstd[k]);
    scale[k] = static_cast<T>(w);
    if (!training) continue;
    double along_h = w * sum_h[k] / n * static_cast<double>(invstd[k]);
    slope[k] = static_cast<T>(-along_h);
    shift[k] = static_cast<T>(along_h * static_cast<double>(mean[k]) - w * sum[k] / n);
  }
  apply(g, gx->data_as<T>(), scale.data(), shift.data(), s, training ? from : nullptr, slope.data());
  b.set(0, gx);
}

void gradient_by_tensors(Backward& b) {
  Tensor x = b.tensor(0), gy = b.gradient();
  Dims shape(x->sizes());
  for (int d = 0; d < shape.n; ++d) shape[d] = d == 1 ? x->size[1] : 1;
  std::uint32_t mask = ((1u << x->ndim) - 1) & ~2u;
  auto lay = [&](const Tensor& t) { return call<"reshape">(t, shape); };
  Tensor g = b.given(1) ? gy * lay(b.tensor(1)) : gy;
  Normalized h;
  if (b.flag(5)) {
    h = normalized(x, mask, true, b.real(7));
  } else {
    h.rstd = lay(call<"rsqrt">(b.tensor(4) + b.real(7)));
    h.value = (x - lay(b.tensor(3))) * h.rstd;
  }
  if (b.needs(0)) {
    Tensor gx = b.flag(5) ? normalization_gradient(h, g, mask, true) : g * h.rstd;
    bool statistics = b.flag(5) && (b.has_gradient(1) || b.has_gradient(2));
    b.set(0, statistics ? gx + statistics_gradient(h, b.gradient(1), b.gradient(2), mask) : gx);
  }
  if (b.given(1) && b.needs(1)) b.set(1, call<"reshape">(sum_to(gy * h.value, shape), b.sizes(1)));
  if (b.given(2) && b.needs(2)) b.set(2, call<"reshape">(sum_to(gy, shape), b.sizes(2)));
}

}  // namespace

OP(native_batch_norm, floats,
   "native_batch_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, "
   "running_var: Tensor | None, training: bool, momentum: float, eps: float) -> (output: Tensor, save_mean: Tensor, "
   "save_invstd: Tensor)") {
  .doc = "batch_norm with the batch's mean and 1 / sqrt(variance + eps) (empty unless training). Training moves "
         "running_mean and "
         "running_var, in place, by momentum towards the batch's mean and unbiased variance.",
  .forms = function | out_,
  .infer =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        check(is_floating(t.dtype), ErrorKind::not_implemented, "[batch_norm] \"batch_norm\" not implemented for '",
              t.dtype, "'. Received ", describe(t), ".");
        check(t.ndim >= 2, ErrorKind::runtime, "[batch_norm] input must be [N, C, ...]. Received ", describe(t), ".");
        for (int k = 1; k <= 4; ++k) {
          if (!c.has(k)) continue;
          TensorImpl& v = c.tensor(k);
          check(v.ndim == 1 && v.numel == t.size[1], ErrorKind::runtime, "[batch_norm] ", c.op.signature->param[k].name,
                " should contain ", t.size[1], " elements, one per channel. Received ", describe(v), " for input ",
                describe(t), ".");
          check_same_float(c, k);
        }
        bool training = c.flag(5);
        check(training || (c.has(3) && c.has(4)), ErrorKind::runtime,
              "[batch_norm] running_mean and running_var must be defined in evaluation mode. Received None. Set "
              "training=True.");
        DType d = compute_dtype(t.dtype);
        i64 kept = training ? t.size[1] : 0;
        c.output(0, t.sizes(), t.dtype);
        c.output(1, Sizes(&kept, 1), d);
        c.output(2, Sizes(&kept, 1), d);
      },
  .cpu = [](const Call& c) { c.out[0]->dtype == DType::f64 ? forward<double>(c) : forward<float>(c); },
  .vjp =
      [](Backward& b) {
        if (eager_state.grad || b.has_gradient(1) || b.has_gradient(2)) return gradient_by_tensors(b);
        b.gradient()->dtype == DType::f64 ? backward_kernel<double>(b) : backward_kernel<float>(b);
      },
  .saves = "input, weight, running_mean, running_var, save_mean, save_invstd",
  .samples = "randn(4, 3), None, None, None, None, True, 0.1, 1e-5\nrandn(4, 3, 5), randn(3), randn(3), None, None, "
             "True, 0.1, 1e-5\n"
             "randn(4, 3, 5), randn(3), randn(3), randn(3), positive(3), False, 0.1, 1e-5",
  .errors = "randn(4, 3), randn(4), None, None, None, True, 0.1, 1e-5 => RuntimeError: [batch_norm] weight should "
            "contain 3 elements",
};

OP(batch_norm, floats,
   "batch_norm(input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None, "
   "bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5) -> Tensor") {
  .doc = "(input - mean) / sqrt(variance + eps) * weight + bias for each channel of input [N, C, ...].",
  .home = "_core",
  .compose =
      [](const Call& c) {
        if (c.tensor(0).numel == 0) {  // of any shape; the gradients of weight and bias are still defined
          c.out[0] = call<"clone">(c.arg[0]);
          if (c.has(3)) c.out[0] = c.out[0] * call<"select">(c.arg[3], i64{0}, i64{0});
          if (c.has(4)) c.out[0] = c.out[0] + call<"select">(c.arg[4], i64{0}, i64{0});
          return;
        }
        c.out[0] = call_all<"native_batch_norm">(c.arg[0], c.arg[3], c.arg[4], c.arg[1], c.arg[2], c.arg[5], c.arg[6],
                                                 c.arg[7])[0];
      },
  .samples = "randn(4, 3), None, None, None, None, True\nrandn(4, 3, 5), randn(3), positive(3)",
};
