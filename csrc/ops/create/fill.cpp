// Tensors from a number, a range or nothing.
#include <cmath>

#include "base/parallel.h"
#include "eager/call.h"
#include "kernels/pointwise.h"
using namespace rl;

namespace {

// start + i * step in every element type, in blocks: an element's value depends on its index alone.
template <class F> void fill_by_index(TensorImpl& t, F&& value) {
  visit(t.dtype, [&]<class T>(Type<T>) {
    T* out = t.data_as<T>();
    parallel_for(t.numel, kParallelElements, [&](i64 b, i64 e) {
      for (i64 i = b; i < e; ++i) out[i] = cast<T>(value(i));
    });
  });
}

i64 truncated(const Arg& a) { return a.kind == Kind::real ? cast<i64>(a.f) : a.i; }

double number_or_scalar(const Call& c, int k) {
  if (!c.arg[k].is_tensor()) return c.arg[k].number();
  c.check(c.tensor(k).ndim == 0, "only supports 0-dimensional start and end tensors. Received ", describe(c.tensor(k)),
          ".");
  double value = 0;
  visit(c.tensor(k).dtype, [&]<class T>(Type<T>) { value = cast<double>(*c.tensor(k).data_as<T>()); });
  return value;
}

// infer: a tensor [*size], or one of input's shape and dtype; argument `dtype` overrides.
void sized(const Call& c) { c.output(0, c.ints(0), c.dtype(1, default_dtype())); }
template <int dtype> void like(const Call& c) { c.output(0, c.tensor(0).sizes(), c.dtype(dtype, c.tensor(0).dtype)); }

void leave(const Call&) {}
void set_zero(const Call& c) {
  std::memset(c.out[0]->data(), 0, static_cast<std::size_t>(c.out[0]->numel * size_of(c.out[0]->dtype)));
}
void set_one(const Call& c) { fill_elements(*c.out[0], Arg(i64{1})); }

DType dtype_of_number(const Arg& a) {
  return a.kind == Kind::real ? default_dtype() : a.kind == Kind::boolean ? DType::bool_ : DType::i64;
}

// The elements of each row of a matrix that stand on the other side of the diagonal become zero.
template <bool lower> void keep_triangle(const Call& c) {
  TensorImpl& t = *c.out[0];
  copy_elements(t, c.tensor(0));
  i64 rows = std::max<i64>(t.size[t.ndim - 2], 1), columns = t.size[t.ndim - 1], width = size_of(t.dtype);
  for (i64 r = 0; r < t.numel / std::max<i64>(columns, 1); ++r) {
    i64 edge = std::clamp<i64>(r % rows + c.integer(1) + lower, 0, columns);
    i64 first = lower ? edge : 0, end = lower ? columns : edge;
    std::memset(t.data() + (r * columns + first) * width, 0, static_cast<std::size_t>((end - first) * width));
  }
}

void infer_triangle(const Call& c) {
  c.check(c.tensor(0).ndim >= 2, "input tensor must have at least 2 dimensions. Received ", describe(c.tensor(0)), ".");
  c.output(0, c.tensor(0).sizes(), c.tensor(0).dtype);
}

}  // namespace

#define SIZED(name, what, fill)                                                              \
  OP(name, all_types, #name "(*size: ints, dtype: dtype | None = None) -> Tensor") {         \
    .doc = what, .forms = function | out_, .infer = sized, .cpu = fill, .samples = "(2, 3)", \
    .errors = "(-1,) => RuntimeError: [" #name "] sizes must not be negative",               \
  }

SIZED(empty, "An uninitialised tensor [*size].", leave);
SIZED(zeros, "A tensor [*size] of zeros.", set_zero);
SIZED(ones, "A tensor [*size] of ones.", set_one);

OP(full, all_types, "full(size: ints, fill_value: Number, *, dtype: dtype | None = None) -> Tensor") {
  .doc = "A tensor [*size] filled with fill_value; without dtype, that of the number (floats: the default dtype).",
  .forms = function | out_,
  .infer = [](const Call& c) { c.output(0, c.ints(0), c.dtype(2, dtype_of_number(c.arg[1]))); },
  .cpu =
      [](const Call& c) {
        if (c.arg[1].number() == 0 && !std::signbit(c.arg[1].number())) set_zero(c);
        else fill_elements(*c.out[0], c.arg[1]);
      },
  .samples = "(2, 3), 1.5\n(4,), 2",
};

#define LIKE(name, what, fill)                                                                      \
  OP(name, all_types, #name "(input: Tensor, *, dtype: dtype | None = None) -> Tensor") {           \
    .doc = what " of input's shape (and dtype).", .forms = function, .infer = like<1>, .cpu = fill, \
    .samples = "randn(2, 3)",                                                                       \
  }

LIKE(empty_like, "An uninitialised tensor", leave);
LIKE(zeros_like, "Zeros", set_zero);
LIKE(ones_like, "Ones", set_one);

OP(full_like, all_types, "full_like(input: Tensor, fill_value: Number, *, dtype: dtype | None = None) -> Tensor") {
  .doc = "A tensor of input's shape (and dtype) filled with fill_value.",
  .forms = function | out_,
  .infer = like<2>,
  .cpu = [](const Call& c) { fill_elements(*c.out[0], c.arg[1]); },
  .samples = "randn(2, 3), 1.5",
};

OP(fill, all_types, "fill(input: Tensor, value: Tensor | Number) -> Tensor") {
  .doc = "input's shape and dtype, filled with value (a number or a 0-d tensor).",
  .forms = function | inplace | one_value,
  .infer = [](const Call& c) { c.output(0, c.tensor(0).sizes(), c.tensor(0).dtype); },
  .cpu =
      [](const Call& c) {
        if (!c.arg[1].is_tensor()) return fill_elements(*c.out[0], c.arg[1]);
        TensorImpl& value = c.tensor(1);
        c.check(value.ndim == 0, "fill_ only supports 0-dimension value tensor. Received ", describe(value), ".");
        copy_elements(*c.out[0], value.storage == c.out[0]->storage ? *call<"clone">(Tensor(&value)) : value);
      },
  .writes_over = true,
  .vjp =
      [](Backward& b) {
        if (b.needs(0)) b.set(0, zeros(b.sizes(0), b.gradient()->dtype));
        if (b.needs(1)) b.set(1, call<"sum">(b.gradient()));
      },
  .samples = "randn(2, 3), 1.5\nrandn(2, 3), randn(())",
};

OP(zero, all_types, "zero(input: Tensor) -> Tensor") {
  .doc = "Zeros of input's shape and dtype. In place: input becomes zero.",
  .forms = inplace | one_value,
  .infer = [](const Call& c) { c.output(0, c.tensor(0).sizes(), c.tensor(0).dtype); },
  .cpu = [](const Call& c) { fill_elements(*c.out[0], Arg(i64{0})); },
  .writes_over = true,
  .vjp = [](Backward& b) { b.set(0, zeros(b.sizes(0), b.gradient()->dtype)); },
  .samples = "randn(2, 3)",
};

OP(arange, all_types, "arange(start: Number, end: Number, step: Number = 1, dtype: dtype | None = None) -> Tensor") {
  .doc = "start, start + step, ... below end. Integers give int64, otherwise the default dtype.\n\nRaises RuntimeError "
         "when step is 0 or leads away from end.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        double start = c.real(0), end = c.real(1), step = c.real(2);
        bool whole = c.arg[0].kind != Kind::real && c.arg[1].kind != Kind::real && c.arg[2].kind != Kind::real;
        DType dtype = c.dtype(3, whole ? DType::i64 : default_dtype());
        i64 first = truncated(c.arg[0]), last = truncated(c.arg[1]), by = truncated(c.arg[2]);
        whole |= dtype == DType::i64;
        c.check(step != 0, "step must be nonzero. Received 0.");
        c.check(std::isfinite(start) && std::isfinite(end),
                "unsupported range: start and end must be finite. Received ", start, " -> ", end, ".");
        c.check((step > 0) == (end >= start) || end == start,
                "upper bound and lower bound inconsistent with step sign: step must lead from start to end. Received "
                "start ",
                start, ", end ", end, ", step ", step, ".");
        c.check(!whole || by != 0, ErrorKind::value,
                "step must be nonzero, also as an integer of the result. Received ", step, ".");
        double count =
            std::ceil(whole ? static_cast<double>(static_cast<__int128>(last) - first) / static_cast<double>(by)
                            : (end - start) / step);
        c.check(std::isfinite(count) && count < 1e15,
                "invalid size, possible overflow: the range must fit into memory. Received start ", start, ", end ",
                end, ", step ", step, ".");
        TensorImpl& t = c.output(0, Dims{static_cast<i64>(count)}, dtype);
        if (is_integral(dtype)) fill_by_index(t, [&](i64 i) { return first + i * by; });
        else fill_by_index(t, [&](i64 i) { return start + static_cast<double>(i) * step; });
      },
  .samples = "0, 5\n1, 2.5, 0.5\n5, 0, -2",
  .errors = "0, 5, 0 => RuntimeError: [arange] step must be nonzero\n0, 5, -1 => RuntimeError: [arange] upper bound",
};

OP(linspace, all_types,
   "linspace(start: Tensor | Number, end: Tensor | Number, steps: int, *, dtype: dtype | None = None) -> Tensor") {
  .doc = "`steps` numbers from start to end (numbers or 0-d tensors), both included, evenly spaced; for an integer "
         "dtype, both are truncated first.",
  .forms = function | out_ | numbers_alone,
  .cpu =
      [](const Call& c) {
        i64 n = c.integer(2);
        c.check(n >= 0, "number of steps must be non-negative. Received ", n, ".");
        TensorImpl& t = c.output(0, Dims{n}, c.dtype(3, default_dtype()));
        auto fill = [&]<class A>(A start, A end) {
          A step = n > 1 ? (end - start) / static_cast<A>(n - 1) : A(0);
          // From both ends, so that both are exact.
          fill_by_index(t, [&](i64 i) {
            return i < n / 2 || n == 1 ? start + step * static_cast<A>(i) : end - step * static_cast<A>(n - 1 - i);
          });
        };
        double start = number_or_scalar(c, 0), end = number_or_scalar(c, 1);
        if (t.dtype == DType::f32) fill(static_cast<float>(start), static_cast<float>(end));
        else if (is_integral(t.dtype)) fill(std::trunc(start), std::trunc(end));
        else fill(start, end);
      },
  .samples = "0, 1, 5\n-2.0, 3.0, 4",
  .errors = "0, 1, -1 => RuntimeError: [linspace] number of steps",
};

OP(eye, all_types, "eye(n: int, m: int | None = None, *, dtype: dtype | None = None) -> Tensor") {
  .doc = "Ones on the diagonal of [n, m], zeros elsewhere; m defaults to n.",
  .forms = function | out_,
  .cpu =
      [](const Call& c) {
        i64 rows = c.integer(0), columns = c.has(1) ? c.integer(1) : rows;
        c.check(rows >= 0 && columns >= 0, "n and m must be greater or equal to 0. Received ", rows, " and ", columns,
                ".");
        TensorImpl& t = c.output(0, Dims{rows, columns}, c.dtype(2, default_dtype()));
        std::memset(t.data(), 0, static_cast<std::size_t>(t.numel * size_of(t.dtype)));
        Tensor diagonal = strided_alias(t, Dims{std::min(rows, columns)}, Dims{columns + 1}, 0);
        fill_elements(*diagonal, Arg(i64{1}));
      },
  .samples = "3\n2, 4",
};

#define TRIANGLE(name, lower, kept, zeroed)                                                         \
  OP(name, all_types, #name "(input: Tensor, diagonal: int = 0) -> Tensor") {                       \
    .doc = "input on and " kept " the given diagonal of the last two dimensions, zero " zeroed ".", \
    .forms = pointwise_forms, .infer = infer_triangle, .cpu = keep_triangle<lower>,                 \
    .vjp = [](Backward& b) { b.set(0, call<#name>(b.gradient(), b.integer(1))); },                  \
    .samples = "randn(3, 4)\nrandn(2, 3, 3), -1\nrandn(2, 3, 3), 1",                                \
    .errors = "randn(3) => RuntimeError: [" #name "] input tensor must have at least 2",            \
  }

TRIANGLE(tril, true, "below", "above");
TRIANGLE(triu, false, "above", "below");
