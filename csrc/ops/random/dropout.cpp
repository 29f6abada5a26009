// Dropout: mask and scale in one pass over the input, from a counter-based stream of its own.
#include "base/parallel.h"
#include "kernels/random_philox.h"
#include "ops/expr.h"
#include "ops/random/draw.h"
using namespace rl;

namespace {

double scale_of(double p) { return p < 1 ? 1 / (1 - p) : 0; }

template <class T, class S> T times(T x, S scale) {
  if constexpr (is_half_type<T>) return T(static_cast<float>(x) * scale);
  else return x * scale;
}

// Inlined, so that a count that is known becomes straight vector code.
template <class T, class S>
[[gnu::always_inline]] inline void select(i64 count, const T* __restrict from, T* __restrict to, bool* __restrict marks,
                                          const std::uint32_t* words, std::uint32_t least, S kept, bool some) {
  for (i64 i = 0; i < count; ++i) to[i] = times(from[i], words[i] >= least ? kept : S(0));
  for (i64 i = 0; i < count; ++i) marks[i] = (words[i] >= least) & some;
}

template <class T> void drop(const T* x, T* y, bool* mask, i64 n, double p, std::uint64_t seed) {
  using S = decltype([] {
    if constexpr (is_complex_type<T>) return typename T::value_type{};
    else if constexpr (is_half_type<T>) return float{};
    else return T{};
  }());
  // One 32-bit comparison per element; p = 1 has no such threshold, but then what is kept is scaled by 0, too.
  const auto limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(dropout_threshold(p), 0xffffffffu));
  const bool none = p == 1;
  parallel_for((n + kPhiloxBlock - 1) / kPhiloxBlock, 512, [=](i64 begin, i64 end) {
    std::uint32_t words[kPhiloxBlock];
    const S kept = static_cast<S>(scale_of(p));  // locals: a store to y might change the closure's
    const std::uint32_t least = limit;
    const bool some = !none;
    for (i64 block = begin; block < end; ++block) {
      philox_block(seed, 0, static_cast<std::uint64_t>(block), words);
      const T* from = x + block * kPhiloxBlock;
      T* to = y + block * kPhiloxBlock;
      bool* marks = mask + block * kPhiloxBlock;
      i64 rest = n - block * kPhiloxBlock;
      if (rest < kPhiloxBlock) select(rest, from, to, marks, words, least, kept, some);
      else select(kPhiloxBlock, from, to, marks, words, least, kept, some);
    }
  });
}

}  // namespace

OP(native_dropout, inexact_types,
   "native_dropout(input: Tensor, p: float, train: bool | None) -> (output: Tensor, mask: Tensor)") {
  .doc = "input with each element zero with probability p and the others divided by 1 - p, and the mask (bool) of what "
         "was kept. With train=False nothing is dropped.\n\nRaises RuntimeError unless 0 <= p <= 1, or for integers.",
  .forms = function,
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        double p = c.real(1);
        c.check(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ", p, ".");
        c.check(is_differentiable(t.dtype),
                "input must be floating point: result type Float can't be cast to the desired output type ", t.dtype,
                ". Received ", describe(t), ".");
        TensorImpl &out = c.output(0, t.sizes(), t.dtype), &mask = c.output(1, t.sizes(), DType::bool_);
        GradMode off(false);
        if ((c.has(2) && !c.flag(2)) || p == 0) {
          copy_elements(out, t);
          fill_elements(mask, Arg(true));
          return;
        }
        Tensor x = call<"contiguous">(Tensor(&t));
        std::uint64_t seed;
        {
          std::lock_guard lock(generator_mutex());
          seed = philox_seed(default_generator());
        }
        WithoutInterpreter released(t.numel >= kLongDraw);
        visit_inexact(t.dtype, [&]<class T>(Type<T>) {
          drop(x->data_as<T>(), out.data_as<T>(), mask.data_as<bool>(), t.numel, p, seed);
        });
      },
  .vjp =
      [](Backward& b) {
        bool dropped = !b.given(2) || b.flag(2);
        if (b.has_gradient(0))
          b.set(0, call<"native_dropout_backward">(b.gradient(), b.result(1), dropped ? scale_of(b.real(1)) : 1.0));
      },
  .saves = "mask",
  .samples = "randn(3, 4), 0.0, True\nrandn(3, 4), 0.5, False",
  .errors = "randn(3), 1.5, True => RuntimeError: [native_dropout] dropout probability has to be between 0 and 1, but "
            "got 1.5",
};

OP(native_dropout_backward, inexact_types,
   "native_dropout_backward(grad_output: Tensor, mask: Mask, scale: float) -> Tensor") {
  .doc = "grad_output * scale where mask holds, 0 elsewhere.",
  .forms = function,
  .value = EXPR([](auto grad_output, auto mask, auto scale) { return where(mask, grad_output * scale, 0.); }),
  .grad = {GRAD([](auto gy, auto mask, auto scale) { return where(mask, gy * scale, 0.); })},
  .samples = "randn(3, 4), bools(3, 4), 2.0",
};

OP(dropout, inexact_types, "dropout(input: Tensor, p: float, train: bool) -> Tensor") {
  .doc = "input with each element zero with probability p and the others divided by 1 - p; input itself with "
         "train=False.\n\nRaises RuntimeError unless 0 <= p <= 1, or for integers.",
  .forms = function,
  .compose =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        double p = c.real(1);
        c.check(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ", p, ".");
        c.out[0] = !c.flag(2) || p == 0 || t.numel == 0 ? Tensor(&t) : call_all<"native_dropout">(c.arg[0], p, true)[0];
      },
  .samples = "randn(3, 4), 0.0, True\nrandn(3, 4), 0.5, False",
  .errors = "randn(3), 1.5, True => RuntimeError: [dropout] dropout probability has to be between 0 and 1, but got 1.5",
};
