// Writing to the elements that an index of src's shape names.
#include "ops/index/element.h"
using namespace rl;

namespace {

void check_same_dtype(const Call& c, const TensorImpl& self, const TensorImpl& src) {
  c.check(self.dtype == src.dtype, "Expected self.dtype to be equal to src.dtype. Received ", self.dtype, " and ",
          src.dtype, ". Convert with .to(dtype).");
}

// One write after the other: indices may repeat, and the last write and the order of sums must not depend on threads.
template <class Write> void scatter_into(const Call& c, Write&& write) {
  TensorImpl& src = c.tensor(3);
  with_packed(*c.out[0], [&](TensorImpl& out) {
    ElementIndex at(c.op.name(), out, c.integer(1), c.tensor(2), &src);
    if (c.tensor(2).numel == 0) return;
    check_same_dtype(c, out, src);
    Tensor source = src.storage == c.out[0]->storage ? packed_apart(src, src.dtype, *c.out[0]) : Tensor(&src);
    visit(out.dtype, [&]<class T>(Type<T>) {
      T* to = out.data_as<T>();
      const T* from = source->data_as<T>();
      at.for_each(0, at.lines, at_least_1d(source->strides(), 0),
                  [&](i64 target, i64 i) { write(to[target], from[i]); });
    });
  });
}

// The gradient of src, which may be larger than index: what was not read gets zero.
Tensor gradient_of_src(const Tensor& gy, i64 dim, const Tensor& index, Sizes src) {
  if (index->numel == 0) return zeros(src, gy->dtype);
  Tensor g = call<"gather">(gy, dim, index);
  if (same_sizes(g->sizes(), src)) return g;
  Dims pad;
  for (int d = g->ndim - 1; d >= 0; --d) {
    pad.push(0);
    pad.push(src[static_cast<std::size_t>(d)] - g->size[d]);
  }
  return call<"constant_pad_nd">(g, pad, 0.0);
}

enum class Reduce { sum, prod, mean, amax, amin };

Reduce parse_reduce(std::string_view how) {
  if (how == "sum") return Reduce::sum;
  if (how == "prod") return Reduce::prod;
  if (how == "mean") return Reduce::mean;
  if (how == "amax") return Reduce::amax;
  if (how == "amin") return Reduce::amin;
  fail(ErrorKind::runtime, "[scatter_reduce] reduce argument must be either sum, prod, mean, amax or amin, got ", how,
       ".");
}

// combined(a, b), told apart outside the loop.
template <class T, class Loop> void with_combination(Reduce how, Loop&& loop) {
  if constexpr (!is_complex_type<T>) {
    if (how == Reduce::amax) return loop([](T a, T b) { return (a != a) | (a >= b) ? a : b; });
    if (how == Reduce::amin) return loop([](T a, T b) { return (a != a) | (a <= b) ? a : b; });
  }
  if (how == Reduce::prod) return loop([](T a, T b) { return multiply(a, b); });
  loop([](T a, T b) { return add(a, b); });
}

template <class T> T divide_by_count(T sum, i64 n) {
  if constexpr (std::is_same_v<T, bool>) return sum;
  else if constexpr (std::is_integral_v<T>) {
    i64 s = static_cast<i64>(sum), q = s / n;
    return static_cast<T>(q - (s % n < 0));
  } else if constexpr (is_half_type<T>) return T(static_cast<float>(sum) / static_cast<float>(n));
  else if constexpr (is_complex_type<T>) return sum / static_cast<typename T::value_type>(n);
  else return sum / static_cast<T>(n);
}

void scatter_reduce_into(const Call& c) {
  Reduce how = parse_reduce(c.text(4));
  bool include_self = c.flag(5);
  TensorImpl& src = c.tensor(3);
  c.check(!is_complex(src.dtype) || (how != Reduce::amax && how != Reduce::amin),
          "amax and amin are not implemented for ", src.dtype, ": complex numbers have no order. Received ",
          describe(src), ".");
  with_packed(*c.out[0], [&](TensorImpl& out) {
    ElementIndex at("scatter_reduce", out, c.integer(1), c.tensor(2), &src);
    if (c.tensor(2).numel == 0) return;
    check_same_dtype(c, out, src);
    Tensor source = src.storage == c.out[0]->storage ? packed_apart(src, src.dtype, *c.out[0]) : Tensor(&src);
    Tensor counts;  // how many were combined at each place, without self
    if (how == Reduce::mean || !include_self) counts = zeros(out.sizes(), DType::i64);
    i64* seen = counts ? counts->data_as<i64>() : nullptr;
    visit(out.dtype, [&]<class T>(Type<T>) {
      T* to = out.data_as<T>();
      const T* from = source->data_as<T>();
      with_combination<T>(how, [&](auto combined) {
        at.for_each(0, at.lines, at_least_1d(source->strides(), 0), [&](i64 target, i64 i) {
          bool only = seen && seen[target]++ == 0 && !include_self;
          to[target] = only ? from[i] : combined(to[target], from[i]);
        });
      });
      if (how != Reduce::mean) return;
      for (i64 i = 0; i < out.numel; ++i)
        if (seen[i]) to[i] = divide_by_count(to[i], seen[i] + include_self);
    });
  });
}

Tensor ones_like(const Tensor& t, DType d) { return call<"full_like">(t, 1.0, d); }

void scatter_reduce_gradient(Backward& b) {
  Reduce how = parse_reduce(b.text(4));
  bool include_self = b.flag(5);
  i64 dim = b.integer(1);
  Tensor gy = b.gradient(), index = b.tensor(2), self = b.tensor(0), src = b.tensor(3), result = b.result(), g_self,
         g_src;
  DType d = gy->dtype;
  auto pick = [&](const Tensor& t) { return call<"gather">(t, dim, index); };
  check(index->numel == 0 || same_sizes(index->sizes(), src->sizes()), ErrorKind::runtime,
        "[scatter_reduce] the gradient needs index and src of one shape. Received ", index->sizes(), " and ",
        src->sizes(), ".");
  if (index->numel == 0) {
    g_self = gy;
    g_src = zeros(src->sizes(), d);
  } else if (how == Reduce::sum) {
    g_self = gy;
    g_src = pick(gy);
  } else if (how == Reduce::mean) {
    DType real = to_real(d);
    Tensor n =
        call<"scatter_add">(call<"full_like">(gy, include_self ? 1.0 : 0.0, real), dim, index, ones_like(src, real));
    g_self = gy / call<"clamp_min">(n, 1.0);
    g_src = pick(g_self);
  } else if (how == Reduce::prod) {
    // Without the factor itself; a factor of zero is taken out by replacing it, when it is the only one.
    Tensor self_zero = call<"eq">(self, 0.0), src_zero = call<"eq">(src, 0.0);
    Tensor safe_self = call<"masked_fill">(self, self_zero, 1.0);
    Tensor without_self = call<"scatter_reduce">(safe_self, dim, index, src, "prod", include_self);
    g_self = gy * conj(without_self / safe_self);
    Tensor zeros_at = pick(call<"scatter_add">(zeros(self->sizes(), d), dim, index, to_dtype(src_zero, d)));
    Tensor single = call<"bitwise_and">(src_zero, call<"eq">(zeros_at, 1.0));
    Tensor without_src =
        call<"scatter_reduce">(self, dim, index, call<"masked_fill">(src, single, 1.0), "prod", include_self);
    g_src = call<"where">(single, pick(gy * conj(without_src)),
                          pick(gy * conj(result)) / conj(call<"masked_fill">(src, src_zero, 1.0)));
  } else {
    // Those that reached the extremum share the gradient.
    Tensor self_won = to_dtype(call<"eq">(self, result), d), src_won = to_dtype(call<"eq">(src, pick(result)), d);
    Tensor winners = call<"scatter_add">(include_self ? self_won : call<"scatter_value">(self_won, dim, index, 0.0),
                                         dim, index, src_won);
    Tensor share = gy / winners;
    g_self = self_won * share;
    g_src = src_won * pick(share);
  }
  if (b.needs(0)) b.set(0, include_self || index->numel == 0 ? g_self : call<"scatter_value">(g_self, dim, index, 0.0));
  if (b.needs(3)) b.set(3, g_src);
}

}  // namespace

OP(scatter, all_types, "scatter(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor") {
  .doc = "A copy of input with result[index[i, j, k], j, k] = src[i, j, k] for dim 0, and likewise for others. Of "
         "writes to one place the last in row-major order stays.\n\nindex is int64 or int32, no larger than src. "
         "Raises RuntimeError when index is out of bounds, or for another dtype of src.",
  .home = "_core",
  .forms = pointwise_forms,
  .infer = begin_with_input,
  .cpu = [](const Call& c) { scatter_into(c, [](auto& to, auto from) { to = from; }); },
  .writes_over = true,
  .vjp =
      [](Backward& b) {
        if (b.needs(0)) b.set(0, call<"scatter_value">(b.gradient(), b.integer(1), b.tensor(2), 0.0));
        if (b.needs(3)) b.set(3, gradient_of_src(b.gradient(), b.integer(1), b.tensor(2), b.sizes(3)));
      },
  .saves = "index",
  .samples = "randn(3, 4), 0, randint(0, 3, (1, 4)), randn(1, 4)\nrandn(3, 4), 1, randint(0, 4, (3, 1)), randn(3, 1)",
  .errors = "randn(3), 0, randint(5, 6, (2,)), randn(2) => RuntimeError: [scatter] index 5 is out of bounds",
};

OP(scatter_value, all_types, "scatter_value(input: Tensor, dim: int, index: Tensor, value: Number) -> Tensor") {
  .doc = "scatter() of one number.",
  .home = "_core",
  .forms = function | inplace,
  .infer = begin_with_input,
  .cpu =
      [](const Call& c) {
        with_packed(*c.out[0], [&](TensorImpl& out) {
          ElementIndex at("scatter", out, c.integer(1), c.tensor(2));
          if (c.tensor(2).numel == 0) return;
          Tensor number = empty(Sizes{}, out.dtype);
          fill_elements(*number, c.arg[3]);
          visit_size(out.dtype, [&]<class T>(Type<T>) {
            T *to = out.data_as<T>(), value = *number->data_as<T>();
            at.for_each(0, at.lines, at.stride, [&](i64 target, i64) { to[target] = value; });
          });
        });
      },
  .writes_over = true,
  .vjp = [](Backward& b) { b.set(0, call<"scatter_value">(b.gradient(), b.integer(1), b.tensor(2), 0.0)); },
  .saves = "index",
  .samples = "randn(3, 4), 0, randint(0, 3, (2, 4)), 1.5",
};

OP(scatter_add, all_types, "scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor") {
  .doc = "A copy of input with src[i, j, k] added at [index[i, j, k], j, k] for dim 0, and likewise for others; sums "
         "are taken in row-major order.\n\nRaises RuntimeError when index is out of bounds or larger than src, or for "
         "another dtype of src.",
  .forms = pointwise_forms,
  .infer = begin_with_input,
  .cpu = [](const Call& c) { scatter_into(c, []<class T>(T& to, T from) { to = add(to, from); }); },
  .writes_over = true,
  .vjp =
      [](Backward& b) {
        if (b.needs(0)) b.set(0, b.gradient());
        if (b.needs(3)) b.set(3, gradient_of_src(b.gradient(), b.integer(1), b.tensor(2), b.sizes(3)));
      },
  .saves = "index for src",
  .samples = "randn(3, 4), 0, randint(0, 3, (5, 4)), randn(5, 4)\nrandn(3, 4), 1, randint(0, 4, (3, 6)), randn(3, 6)",
  .errors = "randn(3), 0, randint(5, 6, (2,)), randn(2) => RuntimeError: [scatter_add] index 5 is out of bounds",
};

OP(scatter_reduce, all_types,
   "scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> "
   "Tensor") {
  .doc =
      "A copy of input in which the elements of src that index sends to one place are combined there: reduce is 'sum', "
      "'prod', 'mean', 'amax' or 'amin'. Without include_self, input's own element does not take part where anything "
      "arrives.\n\nRaises RuntimeError for another reduce, an index out of bounds, or another dtype of src.",
  .forms = pointwise_forms,
  .infer = begin_with_input,
  .cpu = scatter_reduce_into,
  .writes_over = true,
  .vjp = scatter_reduce_gradient,
  .saves = "input, index, src, result",
  .samples = "randn(3, 4), 0, randint(0, 3, (5, 4)), randn(5, 4), 'sum'\nrandn(3, 4), 1, randint(0, 4, (3, 6)), "
             "randn(3, 6), 'mean', include_self=False\nrandn(3), 0, randint(0, 3, (6,)), distinct(6), "
             "'amax'\nrandn(3), 0, randint(0, 3, (6,)), positive(6), 'prod'",
  .errors =
      "randn(3), 0, randint(0, 3, (2,)), randn(2), 'max' => RuntimeError: [scatter_reduce] reduce argument must be",
};
