// The negative log likelihood of classes, and cross entropy: log_softmax and likelihood in one pass.
#include "ops/norm/normalize.h"
#include "ops/norm/rows.h"
using namespace rl;

namespace {

enum Reduction : i64 { kNone = 0, kMean = 1, kSum = 2 };

// input [n, classes, places], target [n, places]; input [classes] is one sample.
struct Shape {
  i64 n = 1, classes = 1, places = 1;
  explicit Shape(Sizes s) {
    if (s.size() == 1) classes = s[0];
    else
      for (std::size_t d = 0; d < s.size(); ++d) (d == 0 ? n : d == 1 ? classes : places) *= s[d];
  }
  i64 at(i64 place, i64 k) const { return (place / places * classes + k) * places + place % places; }
};
Dims target_sizes(Sizes input) {
  Dims d(input);
  d.erase(input.size() == 1 ? 0 : 1);
  return d;
}

void check_loss(const Call& c) {
  TensorImpl &x = c.tensor(0), &target = c.tensor(1);
  c.check(x.ndim >= 1, ErrorKind::value, "input tensor should have a dimension of classes. Received a 0-d tensor.");
  c.check(is_floating(x.dtype), ErrorKind::not_implemented, "\"", c.op.name(), "\" not implemented for '", x.dtype,
          "'. Received ", describe(x), ".");
  c.check(target.dtype == DType::i64 || target.dtype == DType::u8,
          "expected scalar type Long or Byte for the target but found ", target.dtype, ". Convert with .long().");
  Dims want = target_sizes(x.sizes());
  bool samples_differ = x.ndim < 2 || (target.ndim > 0 && target.size[0] != x.size[0]);
  c.check(same_sizes(want, target.sizes()) || (x.ndim == 1 && target.numel == 1 && target.ndim == 1),
          samples_differ ? ErrorKind::value : ErrorKind::runtime, "Expected target size ", Sizes(want), ", got ",
          target.sizes(), ": the shape of input without the dimension of the classes. Received input ", describe(x),
          " and target ", describe(target), ".");
  if (c.has(2)) {
    TensorImpl& w = c.tensor(2);
    c.check(w.ndim == 1 && w.numel == Shape(x.sizes()).classes, "weight tensor should be defined either for all ",
            Shape(x.sizes()).classes, " classes or no classes. Received ", describe(w), ".");
    c.check(w.dtype == x.dtype, "expected scalar type ", x.dtype, " but found ", w.dtype,
            " for weight. Convert with .to(dtype).");
  }
  i64 r = c.integer(3);
  c.check(r >= kNone && r <= kSum, ErrorKind::value, "reduction must be 0 (none), 1 (mean) or 2 (sum). Received ", r,
          ".");
}

// Indices are checked before anything is read.
void check_classes(std::string_view name, const Tensor& target, i64 classes, i64 ignored) {
  const i64* p = target->data_as<i64>();
  for (i64 k = 0; k < target->numel; ++k)
    check((p[k] >= 0 && p[k] < classes) || p[k] == ignored, ErrorKind::index, "[", name, "] Target ", p[k],
          " is out of bounds: classes are 0 to ", classes - 1, ".");
}

// Losses of all places go through `loss(place, weight)`: kept, or summed in blocks of fixed size. Result 0 and the sum
// of the weights, result `total_at`, are filled.
template <class T, class F> void reduce_losses(const Call& c, const Tensor& target, int total_at, F&& loss) {
  constexpr i64 kBlock = 2048;
  const i64 *class_of = target->data_as<i64>(), count = target->numel, ignored = c.integer(4), reduction = c.integer(3);
  Tensor weights = c.has(2) ? packed(c.tensor(2), dtype_of<T>()) : Tensor();
  const T* weight = weights ? weights->data_as<T>() : nullptr;
  Tensor result = empty(c.out[0]->sizes(), dtype_of<T>()), total = empty({}, dtype_of<T>());
  T* out = result->data_as<T>();
  i64 blocks = (count + kBlock - 1) / kBlock;
  std::vector<double> sums(static_cast<std::size_t>(2 * blocks));
  parallel_for(blocks, 8, [&](i64 begin, i64 end) {
    for (i64 b = begin; b < end; ++b)
      for (i64 k = b * kBlock; k < std::min(count, (b + 1) * kBlock); ++k) {
        T w = class_of[k] == ignored ? T(0) : weight ? weight[class_of[k]] : T(1);
        T l = class_of[k] == ignored ? T(0) : loss(k, w);
        if (reduction == kNone) out[k] = l;
        sums[static_cast<std::size_t>(2 * b)] += static_cast<double>(l);
        sums[static_cast<std::size_t>(2 * b + 1)] += static_cast<double>(w);
      }
  });
  double sum = 0, all_weights = 0;
  for (i64 b = 0; b < blocks; ++b)
    sum += sums[static_cast<std::size_t>(2 * b)], all_weights += sums[static_cast<std::size_t>(2 * b + 1)];
  *total->data_as<T>() = static_cast<T>(reduction == kNone ? 0 : all_weights);
  if (reduction == kMean) *out = static_cast<T>(sum / all_weights);
  if (reduction == kSum) *out = static_cast<T>(sum);
  copy_elements(*c.out[0], *result);
  copy_elements(*c.out[total_at], *total);
}

struct LossArguments {  // what a vjp reads, packed
  Tensor gy, target, weight;
  double total;
  i64 reduction, ignored;
  LossArguments(Backward& b, DType d, int total_at)
      : gy(packed(*b.gradient(), d)),
        target(packed(*b.tensor(1), DType::i64)),
        weight(b.given(2) ? packed(*b.tensor(2), d) : Tensor()),
        total(*packed(*b.result(total_at), DType::f64)->data_as<double>()),
        reduction(b.integer(3)),
        ignored(b.integer(4)) {}

  // Per place: gy (one for all unless reduction is none), times the weight, over the total for the mean; 0 where
  // ignored.
  template <class T> std::vector<T> factors() const {
    std::vector<T> f(static_cast<std::size_t>(target->numel));
    const i64* t = target->data_as<i64>();
    const T *g = gy->data_as<T>(), *w = weight ? weight->data_as<T>() : nullptr;
    T scale = reduction == kMean ? static_cast<T>(1 / total) : T(1);
    for (std::size_t k = 0; k < f.size(); ++k)
      f[k] = t[k] == ignored ? T(0) : (reduction == kNone ? g[k] : g[0]) * (w ? w[t[k]] : T(1)) * scale;
    return f;
  }
};

// The factors as a tensor in which gy stays differentiable: [n, 1, places] or [1].
Tensor factor_tensor(Backward& b, Sizes size, int total_at) {
  Tensor target = b.tensor(1), gy = b.gradient();
  Tensor f = to_dtype(call<"ne">(target, b.integer(4)), gy->dtype);
  if (b.given(2)) {
    Tensor safe = call<"masked_fill">(to_dtype(target, DType::i64), call<"eq">(target, b.integer(4)), i64{0});
    f = f * call<"reshape">(call<"index_select">(b.tensor(2), i64{0}, call<"reshape">(safe, Sizes(&safe->numel, 1))),
                            target->sizes());
  }
  if (b.integer(3) == kMean) f = f / b.result(total_at);
  f = f * gy;
  return call<"unsqueeze">(f, i64{size.size() == 1 ? 0 : 1});
}

Tensor one_hot_at(Backward& b, Sizes size,
                  const Tensor& values) {  // values where the target's class is, zeros elsewhere
  i64 dim = size.size() == 1 ? 0 : 1;
  Tensor target = to_dtype(b.tensor(1), DType::i64);
  Tensor at = call<"masked_fill">(target, call<"eq">(target, b.integer(4)), i64{0});
  at = call<"reshape">(at, values->sizes());
  return call<"scatter_add">(zeros(size, values->dtype), dim, at, values);
}

void announce(const Call& c, int total_at) {
  DType d = c.tensor(0).dtype;
  Dims size = c.integer(3) == kNone ? Dims(c.tensor(1).sizes()) : Dims();
  c.output(0, size, d);
  c.output(total_at, {}, d);
}

}  // namespace

OP(nll_loss_forward, floats,
   "nll_loss_forward(input: Tensor, target: Tensor, weight: Tensor | None, reduction: int, ignore_index: int) -> "
   "(output: Tensor, total_weight: Tensor)") {
  .doc = "-weight[target] * input[target] with the sum of the weights. input [N, C, ...] or [C] are log probabilities, "
         "target [N, ...] classes.\n\n"
         "reduction: 0 none, 1 mean (over the weights), 2 sum. Raises IndexError for classes out of range.",
  .home = "_core",
  .infer =
      [](const Call& c) {
        check_loss(c);
        announce(c, 1);
      },
  .cpu =
      [](const Call& c) {
        DType d = compute_dtype(c.tensor(0).dtype);
        Shape s(c.tensor(0).sizes());
        Tensor x = packed(c.tensor(0), d), target = packed(c.tensor(1), DType::i64);
        check_classes("nll_loss", target, s.classes, c.integer(4));
        const i64* t = target->data_as<i64>();
        visit_float(d, [&]<class T>(Type<T>) {
          const T* p = x->data_as<T>();
          reduce_losses<T>(c, target, 1, [&](i64 k, T w) { return -w * p[s.at(k, t[k])]; });
        });
      },
  .vjp =
      [](Backward& b) {
        Sizes size = b.sizes(0);
        if (eager_state.grad) return b.set(0, -one_hot_at(b, size, factor_tensor(b, size, 1)));
        DType d = compute_dtype(b.gradient()->dtype);
        LossArguments a(b, d, 1);
        Tensor gx = zeros(size, d);
        Shape s(size);
        const i64* t = a.target->data_as<i64>();
        visit_float(d, [&]<class T>(Type<T>) {
          std::vector<T> f = a.factors<T>();
          T* to = gx->data_as<T>();
          for (i64 k = 0; k < a.target->numel; ++k)
            if (t[k] != a.ignored) to[s.at(k, t[k])] = -f[static_cast<std::size_t>(k)];
        });
        b.set(0, gx);
      },
  .saves = "target, weight, total_weight",
  .samples = "randn(3, 4), randint(0, 4, (3,)), None, 1, -100\nrandn(3, 4, 2), randint(0, 4, (3, 2)), positive(4), 0, "
             "1\nrandn(4), randint(0, 4, ()), None, 2, -100",
  .errors = "randn(3, 4), randint(4, 5, (3,)), None, 1, -100 => IndexError: [nll_loss] Target 4 is out of bounds",
};

OP(nll_loss, floats,
   "nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: int = 1, ignore_index: int = "
   "-100) -> Tensor") {
  .doc = "The negative log likelihood of the classes in target; see nll_loss_forward.",
  .home = "_core",
  .compose = first_of<"nll_loss_forward">,
  .samples = "randn(3, 4), randint(0, 4, (3,))\nrandn(3, 4), randint(0, 4, (3,)), positive(4), 2",
};

OP(cross_entropy_forward, floats,
   "cross_entropy_forward(input: Tensor, target: Tensor, weight: Tensor | None, reduction: int, ignore_index: int) -> "
   "(output: Tensor, probability: Tensor, total_weight: Tensor)") {
  .doc = "nll_loss of log_softmax in one pass, with the probabilities, which its gradient reads, and the sum of the "
         "weights.",
  .home = "_core",
  .infer =
      [](const Call& c) {
        check_loss(c);
        announce(c, 2);
        c.output(1, c.tensor(0).sizes(), compute_dtype(c.tensor(0).dtype));
      },
  .cpu =
      [](const Call& c) {
        GradMode off(false);
        DType d = c.out[1]->dtype;
        Shape s(c.tensor(0).sizes());
        Tensor x = packed(c.tensor(0), d), target = packed(c.tensor(1), DType::i64);
        check_classes("cross_entropy", target, s.classes, c.integer(4));
        Tensor log_sum = empty(target->sizes(), d);
        const i64* t = target->data_as<i64>();
        if (s.places > 1) {
          x = call<"log_softmax">(x, i64{1});
          c.out[1] = call<"exp">(x);
          std::memset(log_sum->data(), 0, static_cast<std::size_t>(log_sum->numel * size_of(d)));
        }
        visit_float(d, [&]<class T>(Type<T>) {
          const T* p = x->data_as<T>();
          T *probability = c.out[1]->data_as<T>(), *sum = log_sum->data_as<T>();
          if (s.places == 1 && s.classes > 0)
            parallel_for(s.n, std::max<i64>(1, 8192 / s.classes), [&](i64 begin, i64 end) {
              for (i64 r = begin; r < end; ++r)
                sum[r] = softmax_row<false>(p + r * s.classes, probability + r * s.classes, s.classes);
            });
          reduce_losses<T>(c, target, 2, [&](i64 k, T w) { return w * (sum[k] - p[s.at(k, t[k])]); });
        });
      },
  .vjp =
      [](Backward& b) {
        Sizes size = b.sizes(0);
        check(!b.has_gradient(1), ErrorKind::not_implemented,
              "[cross_entropy_forward] the gradient of the probabilities is not implemented. Use softmax().");
        if (eager_state.grad) {
          Tensor f = factor_tensor(b, size, 2),
                 p = call<"softmax">(to_dtype(b.tensor(0), b.gradient()->dtype), i64{size.size() == 1 ? 0 : 1});
          return b.set(0, p * f - one_hot_at(b, size, f));
        }
        Tensor probability = b.result(1);
        DType d = probability->dtype;
        LossArguments a(b, d, 2);
        Tensor gx = empty(size, d);
        Shape s(size);
        const i64* t = a.target->data_as<i64>();
        visit_float(d, [&]<class T>(Type<T>) {
          std::vector<T> f = a.factors<T>();
          const T* p = probability->data_as<T>();
          T* to = gx->data_as<T>();
          parallel_for(s.n, std::max<i64>(1, 16384 / std::max<i64>(1, s.classes * s.places)), [&](i64 begin, i64 end) {
            for (i64 r = begin; r < end; ++r) {
              const T* factor = f.data() + r * s.places;
              for (i64 k = 0, at = r * s.classes; s.places == 1 && k < s.classes; ++k) to[at + k] = p[at + k] * *factor;
              for (i64 k = 0; s.places > 1 && k < s.classes; ++k) {
                i64 at = (r * s.classes + k) * s.places;
                for (i64 j = 0; j < s.places; ++j) to[at + j] = p[at + j] * factor[j];
              }
              for (i64 j = 0; j < s.places; ++j) {
                i64 k = t[r * s.places + j];
                if (k != a.ignored) to[(r * s.classes + k) * s.places + j] -= factor[j];
              }
            }
          });
        });
        b.set(0, gx);
      },
  .saves = "input, target, weight, probability, total_weight",
  .samples = "randn(3, 4), randint(0, 4, (3,)), None, 1, -100\nrandn(3, 4, 2), randint(0, 4, (3, 2)), positive(4), 0, "
             "1\nrandn(4), randint(0, 4, ()), None, 2, -100",
  .errors = "randn(3, 4), randint(4, 5, (3,)), None, 1, -100 => IndexError: [cross_entropy] Target 4 is out of bounds",
};

OP(cross_entropy, floats,
   "cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: int = 1, ignore_index: int = "
   "-100) -> Tensor") {
  .doc = "The cross entropy between logits [N, C, ...] or [C] and the classes in target; see cross_entropy_forward.",
  .home = "_core",
  .compose = first_of<"cross_entropy_forward">,
  .samples = "randn(3, 4), randint(0, 4, (3,))\nrandn(3, 4), randint(0, 4, (3,)), positive(4), 2",
};
