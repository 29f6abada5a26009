// Normalisation of rows of elements that lie side by side: layer_norm, group_norm, rms_norm.
#include "ops/norm/normalize.h"
#include "ops/norm/rows.h"
using namespace rl;

namespace {

constexpr i64 kGrain = 8192;  // elements that are worth a thread

// Rows [rows, n]. Element i of row r is scaled by weight[first(r) + i / repeat]: layer_norm has one weight per element,
// group_norm one per channel, which covers `repeat` places; groups follow one another `groups` times.
struct RowShape {
  i64 rows, n, repeat = 1, groups = 1;
  i64 per_row() const { return n / repeat; }
  i64 weights() const { return per_row() * groups; }
  i64 first(i64 row) const { return row % groups * per_row(); }
};

template <class T> RL_INLINE vec<T> spread(const T* p, i64 i, i64 left, i64 repeat, T otherwise) {
  if (!p) return vec<T>(otherwise);
  if (repeat == 1) return load_up_to(p + i, left);
  return vec<T>::from_lanes([&](int k) { return p[(i + std::min<i64>(k, left - 1)) / repeat]; });
}

template <bool centered, class T>
void normalize_rows(const T* x, const T* weight, const T* bias, T* y, T* mean, T* rstd, const RowShape& s, double eps) {
  parallel_for(s.rows, std::max<i64>(1, kGrain / std::max<i64>(1, s.n)), [&](i64 begin, i64 end) {
    for (i64 r = begin; r < end; ++r) {
      const T* from = x + r * s.n;
      T* to = y + r * s.n;
      T m = 0;
      if (centered)
        m = sum_of<T>(s.n, [&](i64 i, i64 left) __attribute__((always_inline)) { return load_up_to(from + i, left); }) /
            static_cast<T>(s.n);
      T squares = sum_of<T>(s.n, [&](i64 i, i64 left) __attribute__((always_inline)) {
        vec<T> d = load_up_to(from + i, left) - vec<T>(m);
        return d * d;
      });
      T scale = T(1) / std::sqrt(squares / static_cast<T>(s.n) + static_cast<T>(eps));
      if (centered) mean[r] = m;
      rstd[r] = scale;
      auto apply = [&](const T* w, const T* b, i64 at, i64 n) {  // a stretch with one weight, or one per element
        for_vectors<T>(n, [&](i64 i, i64 left) __attribute__((always_inline)) {
          vec<T> v = (load_up_to(from + at + i, left) - vec<T>(m)) * vec<T>(scale);
          store_up_to(to + at + i, v * spread<T>(w, i, left, s.repeat, 1) + spread<T>(b, i, left, s.repeat, 0), left);
        });
      };
      i64 first = s.first(r);
      if (s.repeat == 1) apply(weight ? weight + first : nullptr, bias ? bias + first : nullptr, 0, s.n);
      else
        for (i64 k = 0; k < s.per_row(); ++k)
          apply(weight ? weight + first + k : nullptr, bias ? bias + first + k : nullptr, k * s.repeat, s.repeat);
    }
  });
}

// With g = gy * weight and h = the normalised input: gx = rstd (g - mean(g) - h mean(g h)); the sums over rows that the
// weights' gradients are go block of rows by block of rows.
template <bool centered, class T>
void normalize_rows_backward(const T* gy, const T* x, const T* weight, const T* mean, const T* rstd, T* gx, T* gw,
                             T* gb, const RowShape& s) {
  i64 block = std::max<i64>(16, (s.rows + 31) / 32), blocks = (s.rows + block - 1) / block, wn = s.weights();
  bool affine = gw || gb;
  std::vector<T> partial(affine ? static_cast<std::size_t>(2 * blocks * wn) : 0);
  parallel_for(blocks, std::max<i64>(1, kGrain / std::max<i64>(1, s.n * block)), [&](i64 begin, i64 end) {
    for (i64 b = begin; b < end; ++b) {
      T *pw = affine ? partial.data() + 2 * b * wn : nullptr, *pb = affine ? pw + wn : nullptr;
      for (i64 r = b * block; r < std::min(s.rows, (b + 1) * block); ++r) {
        const T *g = gy + r * s.n, *from = x + r * s.n;
        T m = centered ? mean[r] : T(0), scale = rstd[r], sum_g = 0, sum_gh = 0;
        i64 first = s.first(r), stretch = s.repeat == 1 ? s.n : s.repeat;
        for (i64 at = 0; at < s.n; at += stretch) {
          const T* w = weight ? weight + first + at / s.repeat : nullptr;
          T* to_w = affine ? pw + first + at / s.repeat : nullptr;
          T* to_b = affine ? pb + first + at / s.repeat : nullptr;
          T sums[2] = {0, 0};  // of gy and gy h, over a stretch with one weight
          sum_gh += sum_of<T>(stretch, [&](i64 i, i64 left) __attribute__((always_inline)) {
            vec<T> v = load_up_to(g + at + i, left), h = (load_up_to(from + at + i, left) - vec<T>(m)) * vec<T>(scale),
                   gh = v * h;
            vec<T> gh_w = gh * spread<T>(w, i, left, s.repeat, 1);
            if (affine && s.repeat == 1) {
              store_up_to(to_w + i, load_up_to(to_w + i, left) + gh, left);
              store_up_to(to_b + i, load_up_to(to_b + i, left) + v, left);
            }
            return gh_w;
          });
          if (centered || s.repeat > 1)
            sum_g += sum_of<T>(stretch, [&](i64 i, i64 left) __attribute__((always_inline)) {
              return load_up_to(g + at + i, left) * spread<T>(w, i, left, s.repeat, 1);
            });
          if (affine && s.repeat > 1) {
            for (i64 i = 0; i < stretch; ++i) sums[0] += g[at + i], sums[1] += g[at + i] * ((from[at + i] - m) * scale);
            *to_b += sums[0];
            *to_w += sums[1];
          }
        }
        if (!gx) continue;
        T mean_g = centered ? sum_g / static_cast<T>(s.n) : T(0), mean_gh = sum_gh / static_cast<T>(s.n);
        for (i64 at = 0; at < s.n; at += stretch) {
          const T* w = weight ? weight + first + at / s.repeat : nullptr;
          for_vectors<T>(stretch, [&](i64 i, i64 left) __attribute__((always_inline)) {
            vec<T> h = (load_up_to(from + at + i, left) - vec<T>(m)) * vec<T>(scale);
            vec<T> v = load_up_to(g + at + i, left) * spread<T>(w, i, left, s.repeat, 1) - vec<T>(mean_g) -
                       h * vec<T>(mean_gh);
            store_up_to(gx + r * s.n + at + i, v * vec<T>(scale), left);
          });
        }
      }
    }
  });
  for (i64 b = 0; b < (affine ? blocks : 0); ++b) {
    const T *pw = partial.data() + 2 * b * wn, *pb = pw + wn;
    for (i64 i = 0; i < wn; ++i) {
      if (gw) gw[i] += pw[i];
      if (gb) gb[i] += pb[i];
    }
  }
}

template <class T> const T* data_of(const Tensor& t) { return t ? t->data_as<T>() : nullptr; }

Tensor given(const Call& c, int k, DType d) { return c.has(k) ? packed(c.tensor(k), d) : Tensor(); }

template <bool centered> void run_forward(const Call& c, const RowShape& s, int weight, int bias, double eps,
                                          Tensor* mean, Tensor& rstd) {
  DType d = compute_dtype(c.out[0]->dtype);
  Tensor x = given(c, 0, d), w = given(c, weight, d), b = bias < 0 ? Tensor() : given(c, bias, d);
  Tensor y = c.out[0]->dtype == d ? c.out[0] : empty(x->sizes(), d);
  visit_float(d, [&]<class T>(Type<T>) {
    normalize_rows<centered, T>(x->data_as<T>(), data_of<T>(w), data_of<T>(b), y->data_as<T>(),
                                mean ? (*mean)->template data_as<T>() : nullptr, rstd->template data_as<T>(), s, eps);
  });
  if (y.get() != c.out[0].get()) copy_elements(*c.out[0], *y);
}

template <bool centered> void run_backward_kernel(Backward& b, const RowShape& s, int weight, int bias,
                                                  const Tensor& mean, const Tensor& rstd) {
  DType d = rstd->dtype;
  bool wants_weight = b.given(weight) && b.needs(weight), wants_bias = bias >= 0 && b.given(bias) && b.needs(bias);
  Tensor gy = packed(*b.gradient(), d), x = packed(*b.tensor(0), d);
  Tensor w = b.given(weight) ? packed(*b.tensor(weight), d) : Tensor();
  Tensor gx = b.needs(0) ? empty(x->sizes(), d) : Tensor();
  Tensor gw = wants_weight ? zeros(b.sizes(weight), d) : Tensor(), gb = wants_bias ? zeros(b.sizes(bias), d) : Tensor();
  visit_float(d, [&]<class T>(Type<T>) {
    auto to = [](const Tensor& t) { return t ? t->template data_as<T>() : nullptr; };
    normalize_rows_backward<centered, T>(gy->data_as<T>(), x->data_as<T>(), data_of<T>(w), data_of<T>(mean),
                                         rstd->data_as<T>(), to(gx), to(gw), to(gb), s);
  });
  if (gx) b.set(0, gx);
  if (gw) b.set(weight, gw);
  if (gb) b.set(bias, gb);
}

// --- normalized_shape: the last dimensions
void check_normalized_shape(const Call& c) {
  TensorImpl& t = c.tensor(0);
  Sizes shape = c.ints(1);
  check_accepted(c);
  c.check(
      !shape.empty(),
      "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element. Received [].");
  i64 k = static_cast<i64>(shape.size());
  c.check(k <= t.ndim && same_sizes(shape, t.sizes().subspan(static_cast<std::size_t>(t.ndim - k))),
          "Given normalized_shape=", shape,
          ", expected input with shape [*, ...] that ends in it, but got input of size", t.sizes(), ".");
  for (int a = 2; a < c.op.signature->n; ++a)
    if (c.op.signature->param[a].type == ParamType::tensor && c.has(a)) {
      c.check(same_sizes(c.tensor(a).sizes(), shape), "Expected ", c.op.signature->param[a].name,
              " to be of same shape as normalized_shape. Received ", describe(c.tensor(a)),
              " and normalized_shape = ", shape, ".");
      check_same_float(c, a);
    }
}
RowShape last_dims(Sizes size, std::size_t k) {
  RowShape s{1, 1};
  for (std::size_t d = 0; d < size.size(); ++d) (d < size.size() - k ? s.rows : s.n) *= size[d];
  return s;
}
Dims statistics_sizes(Sizes size, std::size_t k) {
  Dims r(size);
  for (std::size_t d = 0; d < k; ++d) r[r.n - 1 - static_cast<int>(d)] = 1;
  return r;
}
std::uint32_t last_mask(std::size_t ndim, std::size_t k) { return ((1u << k) - 1) << (ndim - k); }

void gradient_by_tensors(Backward& b, std::uint32_t mask, bool centered, int weight, int bias, double eps,
                         bool statistics = false) {
  Tensor gy = b.gradient(), x = b.tensor(0);
  Normalized h = normalized(x, mask, centered, eps);
  Tensor g = b.given(weight) ? gy * b.tensor(weight) : gy;
  if (b.needs(0)) {
    Tensor gx = normalization_gradient(h, g, mask, centered);
    b.set(0, statistics ? gx + statistics_gradient(h, b.gradient(1), b.gradient(2), mask) : gx);
  }
  if (b.given(weight) && b.needs(weight)) b.set(weight, sum_to(gy * h.value, b.sizes(weight)));
  if (bias >= 0 && b.given(bias) && b.needs(bias)) b.set(bias, sum_to(gy, b.sizes(bias)));
}

// --- groups of channels
void check_groups(const Call& c) {
  TensorImpl& t = c.tensor(0);
  i64 groups = c.integer(1);
  check(is_floating(t.dtype), ErrorKind::not_implemented, "[group_norm] not implemented for '", t.dtype, "'. Received ",
        describe(t), ".");
  check(t.ndim >= 2, ErrorKind::runtime, "[group_norm] Expected at least 2 dimensions for input tensor but received ",
        t.ndim, ".");
  check(groups > 0, ErrorKind::runtime, "[group_norm] Expected num groups to be greater than 0, got ", groups, ".");
  check(t.size[1] % groups == 0, ErrorKind::runtime,
        "[group_norm] Expected number of channels in input to be divisible by num_groups, but got input of shape ",
        t.sizes(), " and num_groups=", groups, ".");
  for (int a : {2, 3})
    if (c.has(a)) {
      check(c.tensor(a).ndim == 1 && c.tensor(a).numel == t.size[1], ErrorKind::runtime, "[group_norm] Expected ",
            c.op.signature->param[a].name, " to be a vector of size equal to the number of channels in input, but got ",
            describe(c.tensor(a)), " and input of shape ", t.sizes(), ".");
      check_same_float(c, a);
    }
}
RowShape group_shape(Sizes size, i64 groups) {
  i64 places = 1;
  for (std::size_t d = 2; d < size.size(); ++d) places *= size[d];
  return {size[0] * groups, size[1] / groups * places, std::max<i64>(places, 1), groups};
}

// The result, and the statistics of the given size behind it.
void announce(const Call& c, Sizes statistics) {
  TensorImpl& t = c.tensor(0);
  c.output(0, t.sizes(), t.dtype);
  for (int k = 1; k < c.op.signature->outputs; ++k) c.output(k, statistics, compute_dtype(t.dtype));
}

}  // namespace

OP(native_layer_norm, floats,
   "native_layer_norm(input: Tensor, normalized_shape: ints, weight: Tensor | None, bias: Tensor | None, eps: float) "
   "-> (output: Tensor, mean: Tensor, rstd: Tensor)") {
  .doc = "layer_norm with the mean and 1 / sqrt(variance + eps) of each row, [..., 1...].",
  .forms = function | out_,
  .infer =
      [](const Call& c) {
        check_normalized_shape(c);
        announce(c, statistics_sizes(c.tensor(0).sizes(), c.ints(1).size()));
      },
  .cpu =
      [](const Call& c) {
        run_forward<true>(c, last_dims(c.tensor(0).sizes(), c.ints(1).size()), 2, 3, c.real(4), &c.out[1], c.out[2]);
      },
  .vjp =
      [](Backward& b) {
        std::size_t k = b.ints(1).size(), ndim = b.sizes(0).size();
        bool statistics = b.has_gradient(1) || b.has_gradient(2);
        if (eager_state.grad || statistics)
          return gradient_by_tensors(b, last_mask(ndim, k), true, 2, 3, b.real(4), statistics);
        run_backward_kernel<true>(b, last_dims(b.sizes(0), k), 2, 3, b.result(1), b.result(2));
      },
  .saves = "input, weight, mean, rstd",
  .samples = "randn(3, 4), (4,), None, None, 1e-5\nrandn(2, 3, 4), (3, 4), randn(3, 4), randn(3, 4), 1e-5",
  .errors = "randn(3, 4), (3,), None, None, 1e-5 => RuntimeError: [native_layer_norm] Given normalized_shape",
};

OP(layer_norm, floats,
   "layer_norm(input: Tensor, normalized_shape: ints, weight: Tensor | None = None, bias: Tensor | None = None, eps: "
   "float = 1e-5) -> Tensor") {
  .doc = "(input - mean) / sqrt(variance + eps) * weight + bias over the last dimensions, normalized_shape.",
  .home = "_core",
  .compose = first_of<"native_layer_norm">,
  .samples = "randn(3, 4), (4,)\nrandn(2, 3, 4), (3, 4), randn(3, 4), randn(3, 4)",
};

OP(native_group_norm, floats,
   "native_group_norm(input: Tensor, num_groups: int, weight: Tensor | None, bias: Tensor | None, eps: float) -> "
   "(output: Tensor, mean: Tensor, rstd: Tensor)") {
  .doc = "group_norm with the mean and 1 / sqrt(variance + eps) of each group, [N, num_groups].",
  .home = "_core",
  .infer =
      [](const Call& c) {
        check_groups(c);
        announce(c, Dims{c.tensor(0).size[0], c.integer(1)});
      },
  .cpu =
      [](const Call& c) {
        run_forward<true>(c, group_shape(c.tensor(0).sizes(), c.integer(1)), 2, 3, c.real(4), &c.out[1], c.out[2]);
      },
  .vjp =
      [](Backward& b) {
        Sizes size = b.sizes(0);
        i64 groups = b.integer(1);
        check(!b.has_gradient(1) && !b.has_gradient(2), ErrorKind::not_implemented,
              "[native_group_norm] the gradients of mean and rstd are not implemented. Use var_mean().");
        if (!eager_state.grad)
          return run_backward_kernel<true>(b, group_shape(size, groups), 2, 3, b.result(1), b.result(2));
        Dims rows{size[0] * groups, b.tensor(0)->numel / std::max<i64>(1, size[0] * groups)}, channels(size);
        for (int d = 0; d < channels.n; ++d) channels[d] = d == 1 ? size[1] : 1;
        Tensor gy = b.gradient(), g = b.given(2) ? gy * call<"reshape">(b.tensor(2), channels) : gy;
        Normalized h = normalized(call<"reshape">(b.tensor(0), rows), 2, true, b.real(4));
        if (b.needs(0)) b.set(0, call<"reshape">(normalization_gradient(h, call<"reshape">(g, rows), 2, true), size));
        if (b.given(2) && b.needs(2))
          b.set(2, call<"reshape">(sum_to(gy * call<"reshape">(h.value, size), channels), b.sizes(2)));
        if (b.given(3) && b.needs(3)) b.set(3, call<"reshape">(sum_to(gy, channels), b.sizes(3)));
      },
  .saves = "input, weight, mean, rstd",
  .samples = "randn(2, 4, 3), 2, None, None, 1e-5\nrandn(2, 6, 3, 2), 3, randn(6), randn(6), 1e-5\nrandn(3, 4), 2, "
             "randn(4), None, 1e-5",
  .errors = "randn(2, 4, 3), 3, None, None, 1e-5 => RuntimeError: [group_norm] Expected number of channels",
};

OP(group_norm, floats,
   "group_norm(input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = "
   "1e-5) -> Tensor") {
  .doc = "(input - mean) / sqrt(variance + eps) * weight + bias over groups of channels of input [N, C, ...]; weight "
         "and bias are [C].",
  .home = "_core",
  .compose = first_of<"native_group_norm">,
  .samples = "randn(2, 4, 3), 2\nrandn(2, 6, 3, 2), 3, randn(6), randn(6)",
};

OP(native_rms_norm, floats,
   "native_rms_norm(input: Tensor, normalized_shape: ints, weight: Tensor | None, eps: float) -> (output: Tensor, "
   "rstd: Tensor)") {
  .doc = "rms_norm with 1 / sqrt(mean of squares + eps) of each row, [..., 1...].",
  .home = "_core",
  .infer =
      [](const Call& c) {
        check_normalized_shape(c);
        announce(c, statistics_sizes(c.tensor(0).sizes(), c.ints(1).size()));
      },
  .cpu =
      [](const Call& c) {
        run_forward<false>(c, last_dims(c.tensor(0).sizes(), c.ints(1).size()), 2, -1, c.real(3), nullptr, c.out[1]);
      },
  .vjp =
      [](Backward& b) {
        std::size_t k = b.ints(1).size();
        check(!b.has_gradient(1), ErrorKind::not_implemented,
              "[native_rms_norm] the gradient of rstd is not implemented.");
        if (eager_state.grad) return gradient_by_tensors(b, last_mask(b.sizes(0).size(), k), false, 2, -1, b.real(3));
        run_backward_kernel<false>(b, last_dims(b.sizes(0), k), 2, -1, Tensor(), b.result(1));
      },
  .saves = "input, weight, rstd",
  .samples = "randn(3, 4), (4,), None, 1e-5\nrandn(2, 3, 4), (3, 4), randn(3, 4), 1e-5",
  .errors = "randn(3, 4), (3,), None, 1e-5 => RuntimeError: [native_rms_norm] Given normalized_shape",
};

OP(rms_norm, inexact_types,
   "rms_norm(input: Tensor, normalized_shape: ints, weight: Tensor | None = None, eps: float | None = None) -> "
   "Tensor") {
  .doc = "input / sqrt(mean of squares + eps) * weight over the last dimensions, normalized_shape. eps defaults to the "
         "dtype's machine epsilon.",
  .home = "_core",
  .compose =
      [](const Call& c) {
        DType d = c.tensor(0).dtype;
        double eps =
            to_real(d) == DType::f64 ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
        if (c.has(3)) eps = c.real(3);
        if (is_complex(d)) {
          check_normalized_shape(c);
          Tensor y = normalized(Tensor(&c.tensor(0)), last_mask(c.tensor(0).ndim, c.ints(1).size()), false, eps).value;
          c.out[0] = c.has(2) ? y * Tensor(&c.tensor(2)) : y;
          return;
        }
        c.out[0] = call_all<"native_rms_norm">(c.arg[0], c.arg[1], c.arg[2], eps)[0];
      },
  .samples = "randn(3, 4), (4,)\nrandn(2, 3, 4), (3, 4), randn(3, 4), 1e-5",
};
