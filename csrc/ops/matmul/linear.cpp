// The affine map of a layer.
#include "kernels/cpu/gemm.h"
#include "kernels/pointwise.h"
#include "ops/matmul/product.h"
using namespace rl;

namespace {

struct Shape {
  i64 rows, in, out;
  Shape(Sizes input, Sizes weight) : rows(1), in(weight.back()), out(weight.size() == 2 ? weight[0] : 1) {
    for (i64 s : input.first(input.size() - 1)) rows *= s;
  }
};

void check_arguments(const TensorImpl& input, const TensorImpl& weight, const TensorImpl* bias) {
  check_product_dtypes("linear", input, weight);
  check(weight.ndim == 1 || weight.ndim == 2, ErrorKind::runtime,
        "[linear] weight must be [out_features, in_features] or [in_features]: t() expects a tensor with <= 2 "
        "dimensions. Received ",
        describe(weight), ".");
  check(input.ndim > 0, ErrorKind::runtime,
        "[linear] both arguments to linear need to be at least 1D, but they are 0D and ", weight.ndim,
        "D. Received input ", describe(input), ".");
  i64 in = weight.size[weight.ndim - 1], last = input.size[input.ndim - 1];
  if (last != in) [[unlikely]] {
    i64 rows = last ? input.numel / last : 1;
    bool swapped = weight.ndim == 2 && weight.size[0] == last;
    fail(ErrorKind::runtime, "[linear] the last dimension of input must be in_features = ", in, ". Received input ",
         describe(input), " and weight ", describe(weight), ": mat1 and mat2 shapes cannot be multiplied (", rows, "x",
         last, " and ", in, "x", weight.ndim == 2 ? weight.size[0] : 1, "). ",
         swapped ? "Did you mean weight.T?" : "Reshape the input, or change the layer's in_features.");
  }
  if (!bias) return;
  check(weight.ndim == 2, ErrorKind::runtime,
        "[linear] with a bias, mat2 must be a matrix, got 1-D tensor. Received weight ", describe(weight), ".");
  check(bias->dtype == input.dtype, ErrorKind::runtime,
        "[linear] self and mat2 must have the same dtype. Received bias ", describe(*bias), " and weight ",
        describe(weight), ". Convert one with .to(dtype).");
}

void linear_kernel(const Call& c) {
  TensorImpl &input = c.tensor(0), &weight = c.tensor(1);
  TensorImpl* bias = c.has(2) ? &c.tensor(2) : nullptr;
  check_arguments(input, weight, bias);
  Shape s(input.sizes(), weight.sizes());
  Dims size(input.sizes());
  if (weight.ndim == 2) size.back() = s.out;
  else size.erase(size.n - 1);
  TensorImpl& out = c.output(0, size, input.dtype);

  GradMode off(false);
  // The rows must lie evenly: all but those of some views do.
  Tensor x(&input);
  if (input.ndim > 2 && !input.is_contiguous()) x = call<"contiguous">(x);
  GemmArgs g;
  g.dtype = input.dtype == DType::bool_ ? DType::u8 : input.dtype;  // bools: there are no terms
  g.m = s.rows, g.n = s.out, g.k = s.in;
  g.a = x->data();
  g.a_row = x->ndim > 1 ? x->stride[x->ndim - 2] : s.in;
  g.a_col = x->stride[x->ndim - 1];
  g.b = weight.data();
  g.b_row = weight.stride[weight.ndim - 1];
  g.b_col = weight.ndim == 2 ? weight.stride[0] : 1;
  g.c = out.data();
  g.c_row = s.out;
  Tensor row;
  if (bias && bias->ndim == 1 && bias->size[0] == s.out) {
    row = contiguous(Tensor(bias));
    g.bias = row->data();
  } else if (bias) {
    check(bias->ndim <= size.n && same_sizes(broadcast("linear", size, bias->sizes()), size), ErrorKind::runtime,
          "[linear] bias must broadcast to the result's shape ", Sizes(size),
          ": the expanded size of the tensor must match the existing size. Received bias ", describe(*bias), ".");
    copy_elements(out, *bias);
    g.accumulate = true;
  }
  WithoutInterpreter released(g.m * g.n * g.k >= kLongProduct);
  gemm(g);
}

}  // namespace

OP(linear, numeric_types, "linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor") {
  .doc = "input @ weight.T + bias: [*, out_features] for input [*, in_features], weight [out_features, in_features] "
         "and bias [out_features]. A weight [in_features] gives [*].\n\nRaises RuntimeError when sizes or dtypes do "
         "not fit, NotImplementedError for bools.",
  .home = "nn.functional",
  .forms = function | out_,
  .cpu = linear_kernel,
  .vjp =
      [](Backward& b) {
        Sizes input = b.sizes(0), weight = b.sizes(1);
        Shape s(input, weight);
        Tensor gy = b.gradient();
        if (b.given(2) && b.needs(2)) b.set(2, gy);  // the engine sums it down
        Tensor g = b.needs(0) || b.needs(1) ? as_matrix(gy, s.rows, s.out) : gy;
        if (b.needs(0)) {
          Tensor gx = call<"matmul">(g, conj(as_matrix(b.tensor(1), s.out, s.in)));
          b.set(0, input.size() == 2 ? gx : call<"reshape">(gx, input));
        }
        if (b.needs(1)) {
          Tensor gw = call<"matmul">(turned(g), conj(as_matrix(b.tensor(0), s.rows, s.in)));
          b.set(1, weight.size() == 2 ? gw : call<"reshape">(gw, weight));
        }
      },
  .saves = "weight for input, input for weight",
  .samples = "randn(5, 3), randn(4, 3)\nrandn(5, 3), randn(4, 3), randn(4)\nrandn(2, 5, 3), randn(4, 3), "
             "randn(4)\nrandn(3), randn(4, 3), randn(4)\nrandn(5, 3), randn(3)\nrandn(3, 2, 5).mT, randn(4, 2), "
             "randn(4)\nrandn(0, 3), randn(4, 3), randn(4)\nrandn(2, 3), randn(4, 3), randn(1)",
  .errors = "randn(1, 64), randn(32, 32) => RuntimeError: [linear] the last dimension of input must be in_features = "
            "32. Received input\nrandn(2, 3), randn(4, 3), randn(5) => RuntimeError: [linear]",
};
