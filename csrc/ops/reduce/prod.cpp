// Products.
#include "ops/reduce/reduce.h"
using namespace rl;

namespace {

template <class A> struct Multiply {
  A start() const { return A(1); }
  template <class T> void step(A& s, T x, i64) const { s *= cast<A>(x); }
  void join(A& a, const A& b) const { a *= b; }
};

// Integers are multiplied in uint64, where overflow wraps around.
template <class T> using Factor = std::conditional_t<std::is_integral_v<T>, std::uint64_t, Wide<T>>;

DType prod_dtype(const Call& c) { return c.dtype(3, is_integral(c.tensor(0).dtype) ? DType::i64 : c.tensor(0).dtype); }

// The product of all other elements along the middle dimension, from products of those before and those behind.
void products_of_others(const Tensor& x, const Along& a, TensorImpl& out) {
  visit_inexact(x->dtype, [&]<class T>(Type<T>) {
    using A = Wide<T>;
    const T* from = x->data_as<T>();
    T* to = out.data_as<T>();
    parallel_for(a.outer * a.inner, std::max<i64>(1, 16384 / std::max<i64>(1, a.n)), [&](i64 begin, i64 end) {
      std::vector<A> before(static_cast<std::size_t>(a.n));
      for (i64 k = begin; k < end; ++k) {
        i64 at = k / a.inner * a.n * a.inner + k % a.inner;
        A product(1);
        for (i64 i = 0; i < a.n; ++i)
          before[static_cast<std::size_t>(i)] = product, product *= cast<A>(from[at + i * a.inner]);
        product = A(1);
        for (i64 i = a.n - 1; i >= 0; --i) {
          to[at + i * a.inner] = T(before[static_cast<std::size_t>(i)] * product);
          product *= cast<A>(from[at + i * a.inner]);
        }
      }
    });
  });
}

Tensor shifted_products(const Tensor& x, int dim) {  // 1, x0, x0 x1, ...
  i64 n = x->size[dim];
  Dims one(x->sizes());
  one[dim] = 1;
  Tensor first = call<"cumprod">(call<"narrow">(x, i64{dim}, i64{0}, n - 1), i64{dim});
  TensorImpl* parts[] = {nullptr, first.get()};
  Tensor ones = call<"add">(zeros(one, x->dtype), i64{1});
  parts[0] = ones.get();
  return call<"cat">(std::span<TensorImpl* const>(parts, 2), i64{dim});
}

Tensor others(const Tensor& x, int dim) {
  if (!eager_state.grad) {
    Tensor packed = contiguous(x), out = empty(x->sizes(), x->dtype);
    products_of_others(packed, Along(x->sizes(), dim), *out);
    return out;
  }
  if (x->ndim == 0) return call<"reshape">(others(call<"reshape">(x, Sizes(&x->numel, 1)), 0), x->sizes());
  i64 d[] = {dim};
  Sizes dims(d, 1);
  return shifted_products(x, dim) * call<"flip">(shifted_products(call<"flip">(x, dims), dim), dims);
}

}  // namespace

OP(prod, all_types,
   "prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor") {
  .doc = "The product of input [*] over dim (all dimensions when None). Integers and bools are multiplied as int64.",
  .infer =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        c.output(0, reduced_sizes(t.sizes(), reduce_mask("prod", c.has(1), c.ints(1), t.ndim), c.flag(2)),
                 prod_dtype(c));
      },
  .cpu =
      [](const Call& c) {
        GradMode off(false);
        Tensor t = to_dtype(Tensor(&c.tensor(0)), prod_dtype(c));
        std::uint32_t mask = reduce_mask("prod", c.has(1), c.ints(1), t->ndim);
        visit(t->dtype, [&]<class T>(Type<T>) {
          T* to = c.out[0]->data_as<T>();
          reduce<T>(*t, mask, Multiply<Factor<T>>{}, [&](i64 i, const Factor<T>& s) { to[i] = cast<T>(s); });
        });
      },
  .vjp =
      [](Backward& b) {
        Tensor x = to_dtype(b.tensor(0), b.gradient()->dtype);
        Sizes size = b.sizes(0);
        std::uint32_t mask = reduce_mask("prod", b.given(1), b.ints(1), static_cast<int>(size.size()));
        Tensor gy = restore_dims(b.gradient(), size, mask);
        if (x->numel == 0) return b.set(0, gy * x);
        Tensor rest;
        if (b.given(1)) rest = others(x, wrap_dim("prod", b.integer(1), static_cast<i64>(size.size())));
        else rest = call<"reshape">(others(call<"reshape">(x, Sizes(&x->numel, 1)), 0), size);
        b.set(0, gy * conj(rest));
      },
  .saves = "input",
  .samples = "randn(3, 4)\nrandn(3, 4, 5), 1\nrandn(3, 4), 0, True\nrandint(0, 9, (5,))\nrandn(3, 4), 0, dtype=float64",
  .errors = "randn(3), 1 => IndexError: [prod] Dimension out of range",
};
