// Views that reorder, join and split dimensions. The gradient of a selecting view is laid into zeros of the input's
// shape.
#include "eager/call.h"
using namespace rl;

namespace {

// The gradient of a view that shows each element at most once: gy at the view's place in a plain tensor of zeros.
void lay_into_zeros(Backward& b) {
  Tensor base = zeros(b.sizes(0), b.gradient()->dtype);
  const OpDef& op = b.op();
  ArgRoom arg;
  arg[0] = Arg(base);
  for (int k = 1; k < op.signature->n; ++k) arg[k] = b.arg(k);
  Geometry g;
  op.view(Call{op, arg, nullptr}, g);
  b.set(0, call<"strided_add">(base, b.gradient(), g.size, g.stride, g.offset));
}

void keep_geometry(const TensorImpl& t, Geometry& g) {
  g.size = t.sizes();
  g.stride = t.strides();
  g.offset = t.offset;
}

// A step larger than the dimension leaves one element, whose stride is never used: it may be any that does not
// overflow.
void scale_stride(i64& stride, i64 step) {
  if (__builtin_mul_overflow(stride, step, &stride)) stride = 1;
}

// -1 stands for what is left over.
Dims infer_size(std::string_view op, Sizes wanted, i64 numel) {
  Dims size(wanted);
  i64 known = 1;
  int open = -1;
  for (int i = 0; i < size.n; ++i) {
    if (size[i] == -1) {
      check(open < 0, ErrorKind::runtime, "[", op, "] only one dimension can be inferred. Received ", wanted, ".");
      open = i;
    } else {
      check(size[i] >= 0, ErrorKind::runtime, "[", op, "] invalid shape dimension ", size[i],
            ": sizes must not be negative. Received ", wanted, ".");
      check(!__builtin_mul_overflow(known, size[i], &known), ErrorKind::runtime, "[", op,
            "] the size must be representable. Received ", wanted, ".");
    }
  }
  if (open >= 0) {
    check(known != 0, ErrorKind::runtime, "[", op, "] cannot reshape tensor of ", numel, " elements into shape ",
          wanted, " because the unspecified dimension size -1 can be any value and is ambiguous.");
    size[open] = numel / known;
    known *= size[open];
  }
  check(known == numel, ErrorKind::runtime, "[", op, "] shape '", wanted, "' is invalid for input of size ", numel,
        ": the numbers of elements must agree. Received ", numel, " elements.");
  return size;
}

// The strides with which `size` views t's memory; false when t lies so that a copy is needed.
bool view_strides(const TensorImpl& t, const Dims& size, Dims& stride) {
  stride = contiguous_strides(size);
  if (t.numel == 0 || t.is_contiguous()) return true;
  int to = size.n - 1;
  i64 chunk_stride = t.stride[t.ndim - 1], old_count = 1, new_count = 1;
  for (int from = t.ndim - 1; from >= 0; --from) {
    old_count *= t.size[from];
    bool chunk_ends = from == 0 || (t.size[from - 1] != 1 && t.stride[from - 1] != old_count * chunk_stride);
    if (!chunk_ends) continue;
    while (to >= 0 && (new_count < old_count || size[to] == 1)) {
      stride[to] = new_count * chunk_stride;
      new_count *= size[to--];
    }
    if (new_count != old_count) return false;
    if (from > 0) chunk_stride = t.stride[from - 1], old_count = new_count = 1;
  }
  return to == -1;
}

}  // namespace

OP(view, all_types, "view(input: Tensor, *size: ints) -> Tensor") {
  .doc = "The same elements with another shape [*size], without a copy; one size may be -1.\n\nRaises RuntimeError "
         "when input's layout needs a copy: use reshape().",
  .forms = method,
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        g.size = infer_size("view", c.ints(1), t.numel);
        g.offset = t.offset;
        c.check(view_strides(t, g.size, g.stride),
                "view size is not compatible with input tensor's size and stride: at least one dimension spans across "
                "two contiguous subspaces. Received ",
                describe(t), " with strides ", t.strides(), " for ", Sizes(g.size), ". Use .reshape(...) instead.");
      },
  .vjp = [](Backward& b) { b.set(0, call<"reshape">(b.gradient(), b.sizes(0))); },
  .samples = "randn(2, 6), (3, 4)\nrandn(2, 6), (-1,)\nrandn(4, 1), (2, 2, 1)",
  .errors = "randn(2, 3).t(), (6,) => RuntimeError: [view] view size is not compatible\nrandn(4), (3,) => "
            "RuntimeError: [view] shape",
};

OP(reshape, all_types, "reshape(input: Tensor, *shape: ints) -> Tensor") {
  .doc = "The same elements with another shape: a view where the layout allows it, a copy otherwise.",
  .forms = view_forms,
  .compose =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        Dims size = infer_size("reshape", c.ints(1), t.numel), stride;
        Tensor source = view_strides(t, size, stride) ? Tensor(&t) : call<"clone">(Tensor(&t));
        if (!source->is_contiguous() && source.get() != &t) source = call<"contiguous">(source);
        c.out[0] = call<"view">(source, size);
      },
  .samples = "randn(2, 6), (3, 4)\nrandn(2, 3).t(), (6,)",
  .errors = "randn(4), (3,) => RuntimeError: [reshape] shape",
};

OP(permute, all_types, "permute(input: Tensor, *dims: ints) -> Tensor") {
  .doc = "A view with the dimensions in another order.",
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        Sizes dims = c.ints(1);
        c.check(dims.size() == t.ndim, "dims must name every dimension: input.dim() = ", t.ndim,
                " is not equal to len(dims) = ", dims.size(), ". Received ", dims, ".");
        dim_mask("permute", dims, t.ndim);
        for (i64 d : dims) {
          int k = wrap_dim("permute", d, t.ndim);
          g.size.push(t.size[k]);
          g.stride.push(t.stride[k]);
        }
        g.offset = t.offset;
      },
  .vjp =
      [](Backward& b) {
        Sizes dims = b.ints(1);
        int n = static_cast<int>(dims.size());
        Dims inverse(dims);
        for (int i = 0; i < n; ++i) inverse[wrap_dim("permute", dims[static_cast<std::size_t>(i)], n)] = i;
        b.set(0, call<"permute">(b.gradient(), inverse));
      },
  .samples = "randn(2, 3, 4), (2, 0, 1)\nrandn(2, 3), (-1, 0)",
  .errors = "randn(2, 3), (0, 0) => RuntimeError: [permute] a dim must not appear twice",
};

OP(transpose, all_types, "transpose(input: Tensor, dim0: int, dim1: int) -> Tensor") {
  .doc = "A view with two dimensions exchanged.",
  .aliases = "swapaxes, swapdims",
  .forms = function | method | inplace,
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        keep_geometry(t, g);
        int a = wrap_dim("transpose", c.integer(1), t.ndim), b = wrap_dim("transpose", c.integer(2), t.ndim);
        if (t.ndim == 0) return;
        std::swap(g.size[a], g.size[b]);
        std::swap(g.stride[a], g.stride[b]);
      },
  .vjp = [](Backward& b) { b.set(0, call<"transpose">(b.gradient(), b.integer(1), b.integer(2))); },
  .samples = "randn(2, 3, 4), 0, -1\nrandn(2, 3), 0, 1",
  .errors = "randn(2, 3), 0, 2 => IndexError: [transpose] Dimension out of range",
};

OP(t, all_types, "t(input: Tensor) -> Tensor") {
  .doc = "The transpose of a matrix; tensors of fewer dimensions are returned as views of themselves.",
  .forms = function | method | inplace,
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        c.check(t.ndim <= 2, "t() expects a tensor with <= 2 dimensions. Received ", describe(t),
                ". Use transpose(dim0, dim1).");
        keep_geometry(t, g);
        if (t.ndim == 2) std::swap(g.size[0], g.size[1]), std::swap(g.stride[0], g.stride[1]);
      },
  .vjp = [](Backward& b) { b.set(0, call<"t">(b.gradient())); },
  .samples = "randn(2, 3)\nrandn(3)",
  .errors = "randn(2, 3, 4) => RuntimeError: [t] t() expects",
};

OP(expand, all_types, "expand(input: Tensor, *size: ints) -> Tensor") {
  .doc =
      "A view in which dimensions of size 1 are repeated, without memory; -1 keeps a size. New dimensions come first.",
  .forms = method,
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        Sizes size = c.ints(1);
        int shift = static_cast<int>(size.size()) - t.ndim;
        c.check(shift >= 0, "the number of sizes provided (", size.size(),
                ") must be greater or equal to the number of dimensions in the tensor (", t.ndim, "). Received ", size,
                " for ", describe(t), ".");
        for (int d = 0; d < static_cast<int>(size.size()); ++d) {
          i64 want = size[static_cast<std::size_t>(d)];
          if (d < shift) {
            c.check(want >= 0, "a new leading dimension needs a size: -1 is not allowed there. Received ", size, ".");
            g.size.push(want);
            g.stride.push(0);
            continue;
          }
          i64 have = t.size[d - shift];
          if (want == -1) want = have;
          c.check(want >= 0 && (want == have || have == 1), "the expanded size (", want,
                  ") must match the existing size (", have, ") at non-singleton dimension ", d, ". Received ", size,
                  " for ", describe(t), ".");
          g.size.push(want);
          g.stride.push(want == have ? t.stride[d - shift] : 0);
        }
        checked_numel("expand", g.size);
        g.offset = t.offset;
      },
  .vjp = [](Backward& b) { b.set(0, b.gradient()); },  // the engine sums over what was repeated
  .samples = "randn(3, 1), (3, 4)\nrandn(3), (2, -1)",
  .errors = "randn(3), (4,) => RuntimeError: [expand] the expanded size",
};

OP(select, all_types, "select(input: Tensor, dim: int, index: int) -> Tensor") {
  .doc = "A view of one slice along dim, without that dimension.",
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        c.check(t.ndim > 0, ErrorKind::index, "select() cannot be applied to a 0-dim tensor. Received ", describe(t),
                ".");
        int d = wrap_dim("select", c.integer(1), t.ndim);
        i64 i = c.integer(2), n = t.size[d];
        c.check(i >= -n && i < n, ErrorKind::index, "index ", i, " is out of bounds for dimension ", d, " with size ",
                n, ". Received ", describe(t), ".");
        keep_geometry(t, g);
        g.offset += (i < 0 ? i + n : i) * t.stride[d];
        g.size.erase(d);
        g.stride.erase(d);
      },
  .vjp = lay_into_zeros,
  .samples = "randn(3, 4), 0, 1\nrandn(3, 4), 1, -1",
  .errors = "randn(3, 4), 0, 3 => IndexError: [select] index 3 is out of bounds",
};

OP(slice, all_types,
   "slice(input: Tensor, dim: int, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor") {
  .doc = "A view of input[start:end:step] along dim; bounds are clipped as Python's slices are.",
  .home = "_core",
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        c.check(t.ndim > 0, ErrorKind::index, "slice() cannot be applied to a 0-dim tensor. Received ", describe(t),
                ".");
        int d = wrap_dim("slice", c.integer(1), t.ndim);
        i64 n = t.size[d], step = c.integer(4), start = c.has(2) ? c.integer(2) : 0, end = c.has(3) ? c.integer(3) : n;
        c.check(step > 0, ErrorKind::value, "step must be greater than zero. Received ", step,
                ". Use flip() to reverse.");
        start = std::clamp<i64>(start < 0 ? start + n : start, 0, n);
        end = std::clamp<i64>(end < 0 ? end + n : end, start, n);
        keep_geometry(t, g);
        g.offset += start * t.stride[d];
        g.size[d] = end > start ? (end - start - 1) / step + 1 : 0;
        scale_stride(g.stride[d], step);
      },
  .vjp = lay_into_zeros,
  .samples = "randn(5, 4), 0, 1, 4, 2\nrandn(5, 4), 1, -3",
  .errors = "randn(5), 0, 0, 5, 0 => ValueError: [slice] step",
};

OP(narrow, all_types, "narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor") {
  .doc = "A view of `length` slices along dim, from `start` on.",
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        c.check(t.ndim > 0, "narrow() cannot be applied to a 0-dim tensor. Received ", describe(t), ".");
        int d = wrap_dim("narrow", c.integer(1), t.ndim);
        i64 n = t.size[d], start = c.integer(2), length = c.integer(3);
        c.check(length >= 0, "narrow(): length must be non-negative. Received ", length, ".");
        c.check(start >= -n && start <= n, ErrorKind::index, "start out of range (expected to be in range of [", -n,
                ", ", n, "]). Received ", start, ".");
        if (start < 0) start += n;
        c.check(length <= n - start, "start (", start, ") + length (", length, ") exceeds dimension size (", n, ").");
        keep_geometry(t, g);
        g.offset += start * t.stride[d];
        g.size[d] = length;
      },
  .vjp = lay_into_zeros,
  .samples = "randn(5, 4), 0, 1, 3\nrandn(5, 4), -1, 0, 2",
  .errors = "randn(5), 0, 3, 4 => RuntimeError: [narrow] start",
};

OP(diagonal, all_types, "diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor") {
  .doc = "A view of the diagonals of the planes (dim1, dim2), as a new last dimension; offset > 0 lies above the main "
         "one.",
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        int a = wrap_dim("diagonal", c.integer(2), t.ndim), b = wrap_dim("diagonal", c.integer(3), t.ndim);
        c.check(a != b, "diagonal dimensions cannot be identical. Received ", c.integer(2), " and ", c.integer(3), ".");
        keep_geometry(t, g);
        i64 k = c.integer(1), rows = t.size[a], columns = t.size[b];
        i64 length = std::max<i64>(0, k >= 0 ? std::min(rows, columns - k) : std::min(rows + k, columns));
        if (length > 0) g.offset += k >= 0 ? k * t.stride[b] : -k * t.stride[a];
        i64 step = t.stride[a] + t.stride[b];
        g.size.erase(std::max(a, b)), g.stride.erase(std::max(a, b));
        g.size.erase(std::min(a, b)), g.stride.erase(std::min(a, b));
        g.size.push(length);
        g.stride.push(step);
      },
  .vjp = lay_into_zeros,
  .samples = "randn(3, 4)\nrandn(2, 3, 4), 1, 0, 2\nrandn(3, 4), -1",
  .errors = "randn(3) => IndexError: [diagonal] Dimension out of range",
};

OP(unfold, all_types, "unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor") {
  .doc = "A view of all windows of `size` along dimension, `step` apart, as a new last dimension.",
  .forms = method,
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        int d = wrap_dim("unfold", c.integer(1), t.ndim);
        i64 n = t.ndim ? t.size[d] : 1, size = c.integer(2), step = c.integer(3);
        c.check(size >= 0 && size <= n, "maximum size for tensor at dimension ", d, " is ", n, " but size is ", size,
                ".");
        c.check(step > 0, "step must be > 0. Received ", step, ".");
        keep_geometry(t, g);
        i64 inner = t.ndim ? t.stride[d] : 1;
        if (t.ndim) g.size[d] = (n - size) / step + 1, scale_stride(g.stride[d], step);
        g.size.push(size);
        g.stride.push(inner);
      },
  .vjp = lay_into_zeros,
  .samples = "randn(7), 0, 3, 2\nrandn(2, 7), 1, 3, 1",
  .errors = "randn(3), 0, 4, 1 => RuntimeError: [unfold] maximum size",
};

OP(unsqueeze, all_types, "unsqueeze(input: Tensor, dim: int) -> Tensor") {
  .doc = "A view with a dimension of size 1 inserted at dim.",
  .forms = function | method | inplace,
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        keep_geometry(t, g);
        int d = wrap_dim("unsqueeze", c.integer(1), t.ndim + 1);
        g.size.insert(d, 1);
        g.stride.insert(d, d < t.ndim ? t.size[d] * t.stride[d] : 1);
      },
  .vjp = [](Backward& b) { b.set(0, call<"reshape">(b.gradient(), b.sizes(0))); },
  .samples = "randn(3, 4), 1\nrandn(3), -1",
  .errors = "randn(3), 2 => IndexError: [unsqueeze] Dimension out of range",
};

OP(squeeze, all_types, "squeeze(input: Tensor, dim: ints | None = None) -> Tensor") {
  .doc = "A view without the dimensions of size 1: all of them, or those in dim.",
  .forms = function | method | inplace,
  .view =
      [](const Call& c, Geometry& g) {
        TensorImpl& t = c.tensor(0);
        std::uint32_t among = c.has(1) ? dim_mask("squeeze", c.ints(1), t.ndim) : ~0u;
        for (int d = 0; d < t.ndim; ++d) {
          if (t.size[d] == 1 && (among >> d & 1)) continue;
          g.size.push(t.size[d]);
          g.stride.push(t.stride[d]);
        }
        g.offset = t.offset;
      },
  .vjp = [](Backward& b) { b.set(0, call<"reshape">(b.gradient(), b.sizes(0))); },
  .samples = "randn(3, 1, 4, 1)\nrandn(3, 1, 4), 1\nrandn(3, 4), 0",
  .errors = "randn(3), 2 => IndexError: [squeeze] Dimension out of range",
};

OP(alias, all_types, "alias(input: Tensor) -> Tensor") {
  .doc = "A view of the whole tensor.",
  .home = "_core",
  .forms = view_forms,
  .view = [](const Call& c, Geometry& g) { keep_geometry(c.tensor(0), g); },
  .vjp = [](Backward& b) { b.set(0, b.gradient()); },
  .samples = "randn(3, 4)",
};
