// Copies: of memory, into another dtype, into another tensor.
#include "eager/call.h"
#include "kernels/pointwise.h"
using namespace rl;

OP(clone, all_types, "clone(input: Tensor) -> Tensor") {
  .doc = "A copy with memory of its own; the layout is kept when it is dense.",
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        c.out[0] = !t.is_contiguous() && is_dense(t)
                       ? Tensor::steal(empty_strided_impl(t.sizes(), t.strides(), t.dtype))
                       : empty(t.sizes(), t.dtype);
        if (t.is_contiguous() || !same_sizes(c.out[0]->strides(), t.strides())) return copy_elements(*c.out[0], t);
        // Both lie the same way: the memory is copied as it is.
        std::memcpy(c.out[0]->data(), t.data(), static_cast<std::size_t>(t.numel * size_of(t.dtype)));
      },
  .vjp = [](Backward& b) { b.set(0, b.gradient()); },
  .samples = "randn(3, 4)\nrandn(3, 4).t()",
};

OP(contiguous_copy, all_types, "contiguous_copy(input: Tensor) -> Tensor") {
  .doc = "A copy in row-major order.",
  .home = "_core",
  .infer = [](const Call& c) { c.output(0, c.tensor(0).sizes(), c.tensor(0).dtype); },
  .cpu = [](const Call& c) { copy_elements(*c.out[0], c.tensor(0)); },
  .vjp = [](Backward& b) { b.set(0, b.gradient()); },
  .samples = "randn(3, 4).t()",
};

OP(contiguous, all_types, "contiguous(input: Tensor) -> Tensor") {
  .doc = "The tensor itself when it lies in row-major order, a copy that does otherwise.",
  .forms = method,
  .compose =
      [](const Call& c) {
        Tensor t(&c.tensor(0));
        c.out[0] = t->is_contiguous() ? t : call<"contiguous_copy">(t);
      },
  .samples = "randn(3, 4)\nrandn(3, 4).t()",
};

OP(to_dtype, all_types, "to_dtype(input: Tensor, dtype: dtype) -> Tensor") {
  .doc = "The elements converted to dtype: a copy, also when nothing changes.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        DType d = c.dtype(1, t.dtype);
        c.out[0] = !t.is_contiguous() && is_dense(t) ? Tensor::steal(empty_strided_impl(t.sizes(), t.strides(), d))
                                                     : empty(t.sizes(), d);
        copy_elements(*c.out[0], t);
      },
  .vjp = [](Backward& b) { b.set(0, b.gradient()); },  // the engine converts back
  .samples = "randn(3, 4), float64\nrandint(0, 5, (3,)), float32",
};

OP(copy, all_types, "copy(input: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor") {
  .doc =
      "src, broadcast to input's shape and converted to its dtype. In place: input becomes src, at once in any case.",
  .forms = inplace,
  .infer = [](const Call& c) { c.output(0, c.tensor(0).sizes(), c.tensor(0).dtype); },
  .cpu =
      [](const Call& c) {
        TensorImpl &to = *c.out[0], &from = c.tensor(1);
        check(from.ndim <= to.ndim && same_sizes(broadcast("copy_", to.sizes(), from.sizes()), to.sizes()),
              ErrorKind::runtime, "[copy_] src must broadcast to the tensor that is written. Received ", describe(from),
              " for ", describe(to), ".");
        bool overlap = from.storage == to.storage;
        if (overlap && from.offset == to.offset && same_shape(from, to) && same_sizes(from.strides(), to.strides()) &&
            from.dtype == to.dtype)
          return;
        Tensor source(&from);
        if (overlap) {
          GradMode off(false);
          source = call<"clone">(source);
        }
        copy_elements(to, *source);
      },
  .writes_over = true,
  .vjp =
      [](Backward& b) {
        if (b.needs(0)) b.set(0, zeros(b.sizes(0), b.gradient()->dtype));
        if (b.needs(1)) b.set(1, b.gradient());
      },
  .samples = "randn(3, 4), randn(4)\nrandn(3, 4), randn(3, 4)",
};
