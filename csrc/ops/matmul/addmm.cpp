// beta * input + alpha * product, for products of matrices, vectors and batches of matrices.
#include "kernels/pointwise.h"
#include "ops/matmul/product.h"
using namespace rl;

namespace {

bool is_number(const Arg& a, double value) { return a.is_number() && a.number() == value; }

// t times beta or alpha, which integers take as whole numbers and bools as a bool.
Tensor scaled(const Tensor& t, Arg factor) {
  if (is_number(factor, 1)) return t;
  if (t->dtype == DType::bool_ && factor.is_number()) factor = Arg(factor.number() != 0);
  if (is_integral(t->dtype) && factor.kind == Kind::real) factor = Arg(to_integer<i64>(factor.f));
  return call<"mul">(t, factor);
}

// beta * input, seen in the result's shape. beta = 0 hides what input holds, even NaN.
Tensor addend(const Call& c, Sizes size, DType d) {
  TensorImpl& input = c.tensor(0);
  c.check(input.ndim <= static_cast<int>(size.size()) && same_sizes(broadcast(c.op.name(), size, input.sizes()), size),
          "input must broadcast to the product's shape ", size,
          ": the expanded size of the tensor must match the existing size. Received input ", describe(input), ".");
  bool hidden = is_number(c.arg[3], 0);
  return call<"expand">(hidden ? zeros({}, d) : scaled(to_dtype(Tensor(&input), d), c.arg[3]), size);
}

// The same in row-major memory of its own, for a product to be added to.
Tensor start_from(const Call& c, Sizes size, DType d) {
  Tensor start = empty(size, d);
  copy_elements(*start, *addend(c, size, d));
  return start;
}

// a @ b has the given size.
Tensor add_product(const Call& c, TensorImpl& a, TensorImpl& b, Sizes size) {
  c.check(c.tensor(0).dtype == a.dtype,
          "input and the product must have the same dtype: self and mat2 must have the same dtype. Received input ",
          describe(c.tensor(0)), " and ", describe(a), ". Convert one with .to(dtype).");
  GradMode off(false);
  bool half = a.dtype == DType::f16 || a.dtype == DType::bf16;
  if (half && !(is_number(c.arg[3], 1) && is_number(c.arg[4], 1))) {  // rounded once, at the end
    Tensor wide_a = to_dtype(Tensor(&a), DType::f32), wide_b = to_dtype(Tensor(&b), DType::f32);
    Tensor p = scaled(product(c.op.name(), *wide_a, *wide_b), c.arg[4]);
    return to_dtype(addend(c, size, DType::f32) + p, a.dtype);
  }
  if (is_number(c.arg[4], 1)) return product(c.op.name(), a, b, start_from(c, size, a.dtype));
  Tensor p = scaled(product(c.op.name(), a, b), c.arg[4]);
  return addend(c, size, a.dtype) + p;
}

void check_matrices(const Call& c, int dims, const char* first, const char* second) {
  TensorImpl &a = c.tensor(1), &b = c.tensor(2);
  const char* kind = dims == 2 ? "matrix" : "3D tensor";
  c.check(a.ndim == dims, first, " must be a ", kind, ", got ", a.ndim, "-D tensor. Received ", describe(a), ".");
  c.check(b.ndim == dims, second, " must be a ", kind, ", got ", b.ndim, "-D tensor. Received ", describe(b), ".");
  check_product_dtypes(c.op.name(), a, b);
  if (dims == 2) return;
  c.check(a.size[0] == b.size[0] && a.size[2] == b.size[1],
          "Incompatible matrix sizes for bmm: Expected size for first two dimensions of batch2 tensor to be: [",
          a.size[0], ", ", a.size[2], "] but got: [", b.size[0], ", ", b.size[1], "]. Received ", describe(a), " and ",
          describe(b), ".");
}

void add_matrices(const Call& c) {
  check_matrices(c, 2, "mat1", "mat2");
  c.out[0] = add_product(c, c.tensor(1), c.tensor(2), Dims{c.tensor(1).size[0], c.tensor(2).size[1]});
}
void add_matrix_and_vector(const Call& c) {
  TensorImpl &mat = c.tensor(1), &vec = c.tensor(2);
  c.check(mat.ndim == 2 && vec.ndim == 1, "vector + matrix @ vector expected, got ", c.tensor(0).ndim, ", ", mat.ndim,
          ", ", vec.ndim, ". Received ", describe(mat), " and ", describe(vec), ".");
  c.out[0] = add_product(c, mat, vec, Dims{mat.size[0]});
}
void add_batches(const Call& c) {
  TensorImpl &a = c.tensor(1), &b = c.tensor(2);
  check_matrices(c, 3, "batch1", "batch2");
  c.out[0] = add_product(c, a, b, Dims{a.size[0], a.size[1], b.size[2]});
}
void add_sum_of_batch(const Call& c) {
  check_matrices(c, 3, "batch1", "batch2");
  GradMode off(false);
  // The sum over the batch is part of the inner dimension: [M, B * K] @ [B * K, N].
  TensorImpl &a = c.tensor(1), &b = c.tensor(2);
  i64 m = a.size[1], k = a.size[0] * a.size[2], n = b.size[2];
  Tensor left = call<"reshape">(call<"transpose">(Tensor(&a), 0, 1), Dims{m, k}),
         right = call<"reshape">(Tensor(&b), Dims{k, n});
  c.out[0] = add_product(c, *left, *right, Dims{m, n});
}

// In backward: gradients times the conjugate of beta or alpha, which is a tensor when it is complex.
Tensor scaled_back(Backward& b, const Tensor& g, int k) {
  if (b.arg(k).is_number()) return scaled(g, b.arg(k));
  return g * conj(b.tensor(k));
}

void product_backward(Backward& b) {
  Tensor gy = b.gradient();
  if (b.needs(0)) b.set(0, scaled_back(b, gy, 3));
  if (b.needs(1) || b.needs(2)) set_product_gradients(b, scaled_back(b, gy, 4), 1);
}

}  // namespace

#define ADD_PRODUCT(name, a, b, kernel, what, samples_, errors_)                                       \
  OP(name, numeric_types,                                                                              \
     #name "(input: Tensor, " #a ": Tensor, " #b                                                       \
           ": Tensor, *, beta: Tensor | Number = 1, alpha: Tensor | Number = 1) -> Tensor") {          \
    .doc = "beta * input + alpha * " what ".\n\nRaises RuntimeError when sizes or dtypes do not fit.", \
    .forms = pointwise_forms, .cpu = kernel, .vjp = product_backward,                                  \
    .saves = #b " for " #a ", " #a " for " #b ", beta for input, alpha for " #a ", alpha for " #b,     \
    .samples = samples_, .errors = errors_,                                                            \
  }

ADD_PRODUCT(addmm, mat1, mat2, add_matrices,
            "(mat1 @ mat2): [M, N] for mat1 [M, K], mat2 [K, N] and an input that broadcasts to [M, N]",
            "randn(3, 5), randn(3, 4), randn(4, 5)\nrandn(5), randn(3, 4), randn(4, 5), beta=0.5, alpha=2.0\nrandn(3, "
            "5), randn(3, 4), randn(4, 5), beta=0",
            "randn(3), randn(2, 4), randn(5, 3) => RuntimeError: [addmm] inner dimensions must agree\nrandn(5), "
            "randn(2, 4), randn(4, 3) => RuntimeError: [addmm]\nrandn(3), randn(2, 4, 1), randn(5, 3) => RuntimeError: "
            "[addmm] mat1 must be a matrix");
ADD_PRODUCT(addmv, mat, vec, add_matrix_and_vector,
            "(mat @ vec): [M] for mat [M, K], vec [K] and an input that broadcasts to [M]",
            "randn(3), randn(3, 4), randn(4)\nrandn(1), randn(3, 4), randn(4), beta=0.5, alpha=2.0",
            "randn(2), randn(2, 4), randn(5) => RuntimeError: [addmv] inner dimensions must agree: size mismatch");
ADD_PRODUCT(
    baddbmm, batch1, batch2, add_batches,
    "(batch1 @ batch2): [B, M, N] for batch1 [B, M, K], batch2 [B, K, N] and an input that broadcasts to [B, M, N]",
    "randn(2, 3, 5), randn(2, 3, 4), randn(2, 4, 5)\nrandn(5), randn(2, 3, 4), randn(2, 4, 5), beta=0.5, alpha=2.0",
    "randn(2, 3, 5), randn(2, 3, 4), randn(2, 5, 5) => RuntimeError: [baddbmm] Incompatible matrix sizes");
// The gradient of addbmm broadcasts over the batch.
ADD_PRODUCT(
    addbmm, batch1, batch2, add_sum_of_batch,
    "(the sum of all batch1[i] @ batch2[i]): [M, N] for batch1 [B, M, K], batch2 [B, K, N] and an input that "
    "broadcasts to [M, N]",
    "randn(3, 5), randn(2, 3, 4), randn(2, 4, 5)\nrandn(5), randn(2, 3, 4), randn(2, 4, 5), beta=0.5, alpha=2.0",
    "randn(3, 5), randn(2, 3, 4), randn(2, 5, 5) => RuntimeError: [addbmm] Incompatible matrix sizes");

OP(addr, all_types,
   "addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Tensor | Number = 1, alpha: Tensor | Number = 1) -> "
   "Tensor") {
  .doc = "beta * input + alpha * outer(vec1, vec2): [N, M] for vec1 [N], vec2 [M] and an input that broadcasts to [N, "
         "M]. Dtypes are promoted.\n\nRaises RuntimeError when sizes do not fit.",
  .forms = pointwise_forms,
  .cpu =
      [](const Call& c) {
        TensorImpl &input = c.tensor(0), &a = c.tensor(1), &b = c.tensor(2);
        c.check(a.ndim == 1, "addr: Expected 1-D argument vec1, but got ", a.ndim, "-D. Received ", describe(a), ".");
        c.check(b.ndim == 1, "addr: Expected 1-D argument vec2, but got ", b.ndim, "-D. Received ", describe(b), ".");
        GradMode off(false);
        DType d = promote(input.dtype, promote(a.dtype, b.dtype));
        for (int k : {3, 4})
          c.check(!is_integral(d) || c.arg[k].kind != Kind::real, "For integral input tensors, argument ",
                  k == 3 ? "beta" : "alpha", " must not be a floating point number. Received ", c.real(k), ".");
        Tensor column = call<"unsqueeze">(to_dtype(Tensor(&a), d), 1), row = to_dtype(Tensor(&b), d);
        Tensor start = addend(c, Dims{a.size[0], b.size[0]}, d);
        if (is_integral(d) || !c.arg[4].is_number()) c.out[0] = start + scaled(column * row, c.arg[4]);
        else c.out[0] = call<"addcmul">(start, column, row, c.real(4));
      },
  .vjp =
      [](Backward& b) {
        Tensor gy = b.gradient();
        if (b.needs(0)) b.set(0, scaled_back(b, gy, 3));
        if (!b.needs(1) && !b.needs(2)) return;
        Tensor g = scaled_back(b, gy, 4);
        if (b.needs(1)) b.set(1, call<"matmul">(g, to_dtype(conj(b.tensor(2)), g->dtype)));
        if (b.needs(2)) b.set(2, call<"matmul">(to_dtype(conj(b.tensor(1)), g->dtype), g));
      },
  .saves = "vec2 for vec1, vec1 for vec2, beta for input, alpha for vec1, alpha for vec2",
  .samples = "randn(3, 4), randn(3), randn(4)\nrandn(4), randn(3), randn(4), beta=0.5, alpha=2.0",
  .errors = "randn(2, 3), randn(2, 1), randn(3) => RuntimeError: [addr] addr: Expected 1-D argument vec1\nrandn(2, 3), "
            "randn(2), randn(4) => RuntimeError: [addr]",
};
