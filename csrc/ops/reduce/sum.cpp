// Sums and means.
#include "ops/reduce/reduce.h"
using namespace rl;

namespace {

template <class A> struct Add {
  A start() const { return A(0); }
  template <class T> void step(A& s, T x, i64) const { join(s, cast<A>(x)); }
  void join(A& a, const A& b) const {
    if constexpr (std::is_integral_v<A>)  // wraps around
      a = static_cast<A>(static_cast<std::make_unsigned_t<A>>(a) + static_cast<std::make_unsigned_t<A>>(b));
    else a += b;
  }
};

// Half types are summed in float, integers in int64.
template <class T> using Accumulator =
    std::conditional_t<is_half_type<T>, float, std::conditional_t<std::is_integral_v<T>, i64, T>>;

void sum_kernel(const TensorImpl& t, std::uint32_t mask, TensorImpl& out) {
  DType natural = is_integral(t.dtype) ? DType::i64 : t.dtype;
  if (out.dtype != natural) {
    Tensor wide = empty(out.sizes(), natural);
    sum_kernel(t, mask, *wide);
    return copy_elements(out, *wide);
  }
  visit(t.dtype, [&]<class T>(Type<T>) {
    using A = Accumulator<T>;
    using O = std::conditional_t<std::is_integral_v<T>, i64, T>;
    O* to = out.data_as<O>();
    reduce<T>(t, mask, Add<A>{}, [&](i64 i, const A& s) { to[i] = cast<O>(s); });
  });
}

// The tensor in the dtype that is summed: `dtype` converts before, as PyTorch does.
Tensor summand(const Call& c, DType d) {
  Tensor t(&c.tensor(0));
  bool same_sum = t->dtype == d || (is_integral(t->dtype) && d == DType::i64);
  return same_sum ? t : to_dtype(t, d);
}

void infer_sum(const Call& c, DType d) {
  TensorImpl& t = c.tensor(0);
  c.output(0, reduced_sizes(t.sizes(), reduce_mask(c.op.name(), c.has(1), c.ints(1), t.ndim), c.flag(2)), d);
}

}  // namespace

OP(sum, all_types,
   "sum(input: Tensor, dim: ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor") {
  .doc = "The sum of input [*] over dim (all dimensions when None). Integers and bools are summed as int64.",
  .infer =
      [](const Call& c) { infer_sum(c, c.dtype(3, is_integral(c.tensor(0).dtype) ? DType::i64 : c.tensor(0).dtype)); },
  .cpu =
      [](const Call& c) {
        GradMode off(false);
        sum_kernel(*summand(c, c.out[0]->dtype), reduce_mask("sum", c.has(1), c.ints(1), c.tensor(0).ndim), *c.out[0]);
      },
  .vjp =
      [](Backward& b) {
        Sizes size = b.sizes(0);
        std::uint32_t mask = reduce_mask("sum", b.given(1), b.ints(1), static_cast<int>(size.size()));
        b.set(0, call<"expand">(restore_dims(b.gradient(), size, mask), size));
      },
  .samples =
      "randn(3, 4)\nrandn(3, 4, 5), (0, 2)\nrandn(3, 4), 1, True\nrandint(0, 9, (5,))\nrandn(3, 4), 0, dtype=float64",
  .errors = "randn(3), 1 => IndexError: [sum] Dimension out of range\nrandn(3, 4), (0, 0) => RuntimeError: [sum] a dim "
            "must not appear twice",
};

OP(mean, inexact_types,
   "mean(input: Tensor, dim: ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor") {
  .doc = "The mean of input [*] over dim (all dimensions when None).\n\nRaises RuntimeError for integers: give dtype.",
  .infer =
      [](const Call& c) {
        DType d = c.dtype(3, c.tensor(0).dtype);
        c.check(is_differentiable(d),
                "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
                "Received ",
                describe(c.tensor(0)), ". Give dtype=torch.float32.");
        infer_sum(c, d);
      },
  .cpu =
      [](const Call& c) {
        GradMode off(false);
        TensorImpl &t = c.tensor(0), &out = *c.out[0];
        sum_kernel(*summand(c, out.dtype), reduce_mask("mean", c.has(1), c.ints(1), t.ndim), out);
        double count = static_cast<double>(t.numel) / static_cast<double>(std::max<i64>(out.numel, 1));
        visit(out.dtype, [&]<class T>(Type<T>) {
          T* p = out.data_as<T>();
          for (i64 i = 0; i < out.numel; ++i) {
            if constexpr (is_half_type<T>) p[i] = T(static_cast<float>(p[i]) / static_cast<float>(count));
            else if constexpr (is_complex_type<T>) p[i] /= static_cast<typename T::value_type>(count);
            else p[i] = static_cast<T>(static_cast<double>(p[i]) / count);
          }
        });
      },
  .vjp =
      [](Backward& b) {
        Sizes size = b.sizes(0);
        std::uint32_t mask = reduce_mask("mean", b.given(1), b.ints(1), static_cast<int>(size.size()));
        double count = 1;
        for (std::size_t d = 0; d < size.size(); ++d)
          if (mask >> d & 1) count *= static_cast<double>(size[d]);
        b.set(0, call<"expand">(restore_dims(b.gradient(), size, mask) / count, size));
      },
  .samples = "randn(3, 4)\nrandn(3, 4, 5), (0, 2)\nrandn(3, 4), 1, True\nrandint(0, 9, (5,)), dtype=float32",
  .errors = "randint(0, 9, (5,)) => RuntimeError: [mean] mean(): could not infer output dtype",
};

OP(sum_to_size, all_types, "sum_to_size(input: Tensor, *size: ints) -> Tensor") {
  .doc = "input summed over what broadcasting added to `size`.",
  .forms = method,
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        Sizes size = c.ints(1);
        int shift = t.ndim - static_cast<int>(size.size());
        bool fits = shift >= 0;
        std::uint32_t mask = 0;
        for (int d = 0; fits && d < t.ndim; ++d) {
          if (d < shift) mask |= 1u << d;
          else if (size[static_cast<std::size_t>(d - shift)] != t.size[d])
            fits = size[static_cast<std::size_t>(d - shift)] == 1, mask |= 1u << d;
        }
        c.check(fits, "size {", size, "} is not expandable to size {", t.sizes(),
                "}: it must broadcast to the input's shape.");
        if (mask == 0 && (!size.empty() || !is_integral(t.dtype))) {
          c.out[0] = alias(t);
          return;
        }
        c.out[0] = empty(size, is_integral(t.dtype) ? DType::i64 : t.dtype);
        sum_kernel(t, mask, *c.out[0]);
      },
  .vjp = [](Backward& b) { b.set(0, call<"expand">(b.gradient(), b.sizes(0))); },
  .samples = "randn(3, 4), (4,)\nrandn(3, 4), (3, 1)",
  .errors = "randn(3, 4), (2,) => RuntimeError: [sum_to_size]",
};
