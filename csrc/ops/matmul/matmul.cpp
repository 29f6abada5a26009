// Products of matrices and vectors.
#include "ops/matmul/product.h"
using namespace rl;

namespace {

void multiply(const Call& c) { c.out[0] = product(c.op.name(), c.tensor(0), c.tensor(1)); }
void multiply_backward(Backward& b) { set_product_gradients(b, b.gradient()); }

void check_vectors(const Call& c) {
  const TensorImpl &a = c.tensor(0), &b = c.tensor(1);
  c.check(a.ndim == 1 && b.ndim == 1, "1D tensors expected, but got ", a.ndim, "D and ", b.ndim, "D tensors. Received ",
          describe(a), " and ", describe(b), ".");
  c.check(a.dtype == b.dtype, "dot : expected both vectors to have same dtype. Received ", describe(a), " and ",
          describe(b), ". Convert one with .to(dtype).");
}

}  // namespace

OP(matmul, numeric_types, "matmul(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "The product input @ other. Two matrices [M, K] and [K, N] give [M, N]; leading dimensions broadcast. A "
         "vector on the left is a row, one on the right a column, and that dimension is left out of the result; two "
         "vectors give their dot product [].\n\nRaises RuntimeError when the inner dimensions or the dtypes differ, or "
         "an operand is 0-d; NotImplementedError for bools.",
  .cpu = multiply,
  .vjp = multiply_backward,
  .saves = "other for input, input for other",
  .samples = "randn(3, 4), randn(4, 5)\nrandn(4), randn(4)\nrandn(3, 4), randn(4)\nrandn(3), randn(3, 4)\nrandn(2, 3, "
             "4), randn(4, 5)\nrandn(2, 1, 3, 4), randn(3, 4, 2)\nrandn(4), randn(2, 4, 3)\nrandn(2, 3, 4), "
             "randn(4)\nrandn(3, 4).mT, randn(3, 2)\nrandint(0, 9, (3, 4)), randint(0, 9, (4, 2))\nrandn(0, 4), "
             "randn(4, 5)\nrandn(3, 0), randn(0, 5)",
  .errors =
      "randn(3, 4), randn(5, 6) => RuntimeError: [matmul] inner dimensions must agree: mat1 and mat2 shapes cannot be "
      "multiplied (3x4 and 5x6)\nrandn(), randn(2) => RuntimeError: [matmul] both arguments to matmul need to be at "
      "least 1D\nbools(2, 2), bools(2, 2) => NotImplementedError: [matmul] a product is not implemented for 'Bool'",
};

OP(mm, numeric_types, "mm(input: Tensor, mat2: Tensor) -> Tensor") {
  .doc = "The product [M, N] of two matrices, input [M, K] and mat2 [K, N].\n\nRaises RuntimeError when an operand is "
         "no matrix, or the inner dimensions or dtypes differ.",
  .cpu =
      [](const Call& c) {
        c.check(c.tensor(0).ndim == 2, "self must be a matrix. Received ", describe(c.tensor(0)), ".");
        c.check(c.tensor(1).ndim == 2, "mat2 must be a matrix. Received ", describe(c.tensor(1)), ".");
        multiply(c);
      },
  .vjp = multiply_backward,
  .saves = "mat2 for input, input for mat2",
  .samples = "randn(3, 4), randn(4, 5)\nrandn(4, 3).t(), randn(4, 2)",
  .errors = "randn(3), randn(3, 4) => RuntimeError: [mm] self must be a matrix\nrandn(3, 4), randn(5, 6) => "
            "RuntimeError: [mm] inner dimensions must agree",
};

OP(bmm, numeric_types, "bmm(input: Tensor, mat2: Tensor) -> Tensor") {
  .doc = "The products [B, M, N] of B pairs of matrices, input [B, M, K] and mat2 [B, K, N].\n\nRaises RuntimeError "
         "when the sizes or dtypes do not fit.",
  .cpu =
      [](const Call& c) {
        TensorImpl &a = c.tensor(0), &b = c.tensor(1);
        c.check(a.ndim == 3, "batch1 must be a 3D tensor. Received ", describe(a), ".");
        c.check(b.ndim == 3, "batch2 must be a 3D tensor. Received ", describe(b), ".");
        c.check(a.size[0] == b.size[0] && a.size[2] == b.size[1],
                "Expected size for first two dimensions of batch2 tensor to be: [", a.size[0], ", ", a.size[2],
                "] but got: [", b.size[0], ", ", b.size[1], "]. Received ", describe(a), " and ", describe(b), ".");
        multiply(c);
      },
  .vjp = multiply_backward,
  .saves = "mat2 for input, input for mat2",
  .samples = "randn(2, 3, 4), randn(2, 4, 5)\nrandn(0, 3, 4), randn(0, 4, 5)",
  .errors = "randn(2, 3, 4), randn(3, 4, 5) => RuntimeError: [bmm] Expected size for first two dimensions\nrandn(2, "
            "3), randn(2, 3, 4) => RuntimeError: [bmm] batch1 must be a 3D tensor",
};

OP(mv, numeric_types, "mv(input: Tensor, vec: Tensor) -> Tensor") {
  .doc = "The product [M] of a matrix input [M, K] and a vector vec [K].\n\nRaises RuntimeError when the sizes or "
         "dtypes do not fit.",
  .cpu =
      [](const Call& c) {
        c.check(c.tensor(0).ndim == 2 && c.tensor(1).ndim == 1, "vector + matrix @ vector expected, got 1, ",
                c.tensor(0).ndim, ", ", c.tensor(1).ndim, ". Received ", describe(c.tensor(0)), " and ",
                describe(c.tensor(1)), ".");
        multiply(c);
      },
  .vjp = multiply_backward,
  .saves = "vec for input, input for vec",
  .samples = "randn(3, 4), randn(4)",
  .errors = "randn(3, 4), randn(3) => RuntimeError: [mv] inner dimensions must agree: size mismatch\nrandn(3), "
            "randn(3) => RuntimeError: [mv] vector + matrix",
};

OP(dot, numeric_types, "dot(input: Tensor, tensor: Tensor) -> Tensor") {
  .doc = "The sum [] of the products of two vectors of one length.\n\nRaises RuntimeError when they are no vectors, or "
         "their lengths or dtypes differ.",
  .cpu =
      [](const Call& c) {
        check_vectors(c);
        multiply(c);
      },
  .vjp =
      [](Backward& b) {
        if (b.needs(0)) b.set(0, b.gradient() * conj(b.tensor(1)));
        if (b.needs(1)) b.set(1, b.gradient() * conj(b.tensor(0)));
      },
  .saves = "tensor for input, input for tensor",
  .samples = "randn(5), randn(5)",
  .errors = "randn(3, 1), randn(3) => RuntimeError: [dot] 1D tensors expected\nrandn(3), randn(4) => RuntimeError: "
            "[dot] inner dimensions must agree: inconsistent tensor size",
};

OP(vdot, numeric_types, "vdot(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "The sum [] of the products of two vectors, those of input conjugated.\n\nRaises RuntimeError when they are "
         "no vectors, or their lengths or dtypes differ.",
  .cpu =
      [](const Call& c) {
        check_vectors(c);
        GradMode off(false);
        c.out[0] = product("vdot", *conj(Tensor(&c.tensor(0))), c.tensor(1));
      },
  .vjp =
      [](Backward& b) {
        Tensor gy = b.gradient();
        if (b.needs(0)) b.set(0, conj(gy) * b.tensor(1));
        if (b.needs(1)) b.set(1, gy * b.tensor(0));
      },
  .saves = "other for input, input for other",
  .samples = "randn(5), randn(5)",
  .errors = "randn(3), randn(4) => RuntimeError: [vdot] inner dimensions must agree: inconsistent tensor size",
};

OP(outer, all_types, "outer(input: Tensor, vec2: Tensor) -> Tensor") {
  .doc = "All products [N, M] of an element of input [N] and one of vec2 [M].\n\nRaises RuntimeError when an operand "
         "is no vector.",
  .aliases = "ger",
  .compose =
      [](const Call& c) {
        c.check(c.tensor(0).ndim == 1, "outer: Expected 1-D argument self, but got ", c.tensor(0).ndim, "-D. Received ",
                describe(c.tensor(0)), ".");
        c.check(c.tensor(1).ndim == 1, "outer: Expected 1-D argument vec2, but got ", c.tensor(1).ndim, "-D. Received ",
                describe(c.tensor(1)), ".");
        c.out[0] = call<"unsqueeze">(c.arg[0], 1) * Tensor(&c.tensor(1));
      },
  .samples = "randn(3), randn(4)",
  .errors = "randn(3), randn(3, 1) => RuntimeError: [outer] outer: Expected 1-D argument vec2",
};
