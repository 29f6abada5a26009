#include "ops/matmul/product.h"

#include "base/parallel.h"
#include "kernels/cpu/gemm.h"

namespace rl {

namespace {

const char* scalar_name(DType d) {
  constexpr const char* names[kDTypes] = {"bool",  "unsigned char", "signed char",         "short int",
                                          "int",   "long int",      "c10::Half",           "c10::BFloat16",
                                          "float", "double",        "c10::complex<float>", "c10::complex<double>"};
  return names[static_cast<int>(d)];
}

// Leading dimensions, from the last to the first; neighbours that both operands step through evenly are one.
struct Batch {
  int n = 0;
  i64 size[kMaxDim], a[kMaxDim], b[kMaxDim];
  void push(i64 count, i64 a_stride, i64 b_stride) {
    if (count == 1) return;
    if (n > 0 && a_stride == a[n - 1] * size[n - 1] && b_stride == b[n - 1] * size[n - 1]) {
      size[n - 1] *= count;
      return;
    }
    size[n] = count, a[n] = a_stride, b[n++] = b_stride;
  }
};

i64 stride_of(const TensorImpl& t, int matrix_dims, int from_last) {
  int d = t.ndim - matrix_dims - 1 - from_last;
  return d < 0 || t.size[d] == 1 ? 0 : t.stride[d];
}

void run(GemmArgs g, const Batch& batch) {
  g.c_batch = g.m * g.n;
  if (batch.n) g.batch = batch.size[0], g.a_batch = batch.a[0], g.b_batch = batch.b[0];
  i64 outer = 1, work = g.batch * g.m * g.n * g.k, width = size_of(g.dtype);
  for (int d = 1; d < batch.n; ++d) outer *= batch.size[d];
  WithoutInterpreter released(outer * work >= kLongProduct);
  if (outer == 1) return gemm(g);
  // Small products go side by side; of large ones, each uses all threads.
  parallel_for(outer, work >= kLongProduct ? outer : std::max<i64>(1, kLongProduct / (work + 256)),
               [&](i64 begin, i64 end) {
                 for (i64 i = begin; i < end; ++i) {
                   i64 a = 0, b = 0, rest = i;
                   for (int d = 1; d < batch.n; ++d) {
                     a += rest % batch.size[d] * batch.a[d], b += rest % batch.size[d] * batch.b[d];
                     rest /= batch.size[d];
                   }
                   GemmArgs one = g;
                   one.a = static_cast<const char*>(g.a) + a * width;
                   one.b = static_cast<const char*>(g.b) + b * width;
                   one.c = static_cast<char*>(g.c) + i * g.batch * g.c_batch * width;
                   gemm(one);
                 }
               });
}

[[noreturn, gnu::cold]] void refuse_shapes(std::string_view op, const TensorImpl& a, const TensorImpl& b) {
  std::string what;
  i64 m = a.ndim > 1 ? a.size[a.ndim - 2] : 1, k = a.size[a.ndim - 1], p = b.size[b.ndim > 1 ? b.ndim - 2 : 0];
  i64 rows = k ? a.numel / k : m;
  if (a.ndim == 1 && b.ndim == 1)
    what = str("inconsistent tensor size, expected tensor ", a.sizes(), " and src ", b.sizes(),
               " to have the same number of elements, but got ", k, " and ", p, " elements respectively");
  else if (b.ndim == 1) what = str("size mismatch, got input (", rows, "), mat (", rows, "x", k, "), vec (", p, ")");
  else if (a.ndim > 2 && b.ndim > 2)
    what = str("Expected size for first two dimensions of batch2 tensor to be: [", b.size[0], ", ", k, "] but got: [",
               b.size[0], ", ", p, "]");
  else
    what = str("mat1 and mat2 shapes cannot be multiplied (", b.ndim > 2 ? m : rows, "x", k, " and ", p, "x",
               b.size[b.ndim - 1], ")");
  std::string_view turn_a = a.ndim > 2 ? "input.mT" : "input.T", turn_b = b.ndim > 2 ? "other.mT" : "other.T", cure;
  if (a.ndim > 1 && m == p) cure = turn_a;
  else if (b.ndim > 1 && b.size[b.ndim - 1] == k) cure = turn_b;
  fail(ErrorKind::runtime, "[", op, "] inner dimensions must agree: ", what, ". Received ", describe(a), " @ ",
       describe(b), ".", cure.empty() ? " Reshape one of them." : str(" Did you mean ", cure, "?"));
}

}  // namespace

void check_product_dtypes(std::string_view op, const TensorImpl& a, const TensorImpl& b) {
  check(a.dtype == b.dtype, ErrorKind::runtime, "[", op,
        "] expected m1 and m2 to have the same dtype, but got: ", scalar_name(a.dtype), " != ", scalar_name(b.dtype),
        ". Received ", describe(a), " and ", describe(b), ". Convert one with .to(dtype).");
  check(a.dtype != DType::bool_ || a.numel == 0 || b.numel == 0, ErrorKind::not_implemented, "[", op,
        "] a product is not implemented for 'Bool'. Received ", describe(a), ". Convert with .to(dtype).");
}

Tensor product(std::string_view op, TensorImpl& a, TensorImpl& b, Tensor start) {
  check_product_dtypes(op, a, b);
  check(a.ndim > 0 && b.ndim > 0, ErrorKind::runtime, "[", op,
        "] both arguments to matmul need to be at least 1D, but they are ", a.ndim, "D and ", b.ndim, "D. Received ",
        describe(a), " @ ", describe(b), ". Multiply by a number with *.");
  bool row = a.ndim == 1, column = b.ndim == 1;
  GemmArgs g;
  g.dtype = a.dtype;
  g.k = a.size[a.ndim - 1];
  g.a_col = a.stride[a.ndim - 1];
  if (!row) g.m = a.size[a.ndim - 2], g.a_row = a.stride[a.ndim - 2];
  else g.m = 1;
  if (!column) g.n = b.size[b.ndim - 1], g.b_row = b.stride[b.ndim - 2], g.b_col = b.stride[b.ndim - 1];
  else g.n = 1, g.b_row = b.stride[0];
  if (b.size[column ? 0 : b.ndim - 2] != g.k) [[unlikely]]
    refuse_shapes(op, a, b);
  g.c_row = g.n;
  g.a = a.data();
  g.b = b.data();
  if (g.dtype == DType::bool_) g.dtype = DType::u8;  // there are no terms
  g.accumulate = bool(start);
  Tensor out = std::move(start);
  if (a.ndim == 2 && b.ndim == 2) {
    if (!out) out = empty({g.m, g.n}, a.dtype);
    g.c = out->data();
    WithoutInterpreter released(g.m * g.n * g.k >= kLongProduct);
    gemm(g);
    return out;
  }
  int a_dims = row ? 1 : 2, b_dims = column ? 1 : 2;
  Dims size = broadcast(op, a.sizes().first(static_cast<std::size_t>(a.ndim - a_dims)),
                        b.sizes().first(static_cast<std::size_t>(b.ndim - b_dims)));
  Batch batch;
  for (int d = 0; d < size.n; ++d) batch.push(size[size.n - 1 - d], stride_of(a, a_dims, d), stride_of(b, b_dims, d));
  if (!row) size.push(g.m);
  if (!column) size.push(g.n);
  if (!out) {
    checked_numel("matmul", size);
    out = empty(size, a.dtype);
  }
  g.c = out->data();
  if (out->numel) run(g, batch);
  return out;
}

void set_product_gradients(Backward& back, const Tensor& gradient, int first) {
  Sizes a = back.sizes(first), b = back.sizes(first + 1);
  bool row = a.size() == 1, column = b.size() == 1;
  Tensor gy = gradient;
  if (column) gy = call<"unsqueeze">(gy, -1);
  if (row) gy = call<"unsqueeze">(gy, -2);
  if (back.needs(first)) {
    Tensor other = back.tensor(first + 1);
    if (column) other = call<"unsqueeze">(other, -1);
    Tensor g = call<"matmul">(gy, conj(turned(other)));
    back.set(first, row ? call<"squeeze">(g, Dims{-2}) : g);
  }
  if (back.needs(first + 1)) {
    Tensor input = back.tensor(first);
    if (row) input = call<"unsqueeze">(input, -2);
    if (a.size() > 2 && b.size() <= 2) {  // one matrix for the whole batch: the batch is more rows
      i64 k = a.back(), n = column ? 1 : b.back(), rows = 1;
      for (i64 s : a.first(a.size() - 1)) rows *= s;
      input = as_matrix(input, rows, k);
      gy = as_matrix(gy, rows, n);
    }
    Tensor g = call<"matmul">(conj(turned(input)), gy);
    back.set(first + 1, column ? call<"squeeze">(g, Dims{-1}) : g);
  }
}

}  // namespace rl
