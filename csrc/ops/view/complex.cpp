// Complex numbers as pairs of real ones and back, and memory read as another dtype.
#include "base/parallel.h"
#include "ops/expr.h"
using namespace rl;

namespace {

// t's memory under another dtype; writes are seen on both sides.
Tensor reinterpret(TensorImpl& t, DType d, Sizes size, Sizes stride, i64 offset) {
  Tensor view = strided_alias(t, size, stride, offset);
  view->dtype = d;
  mark_view(*view, t);
  return view;
}

// A geometry counted in complex numbers, recounted in real ones with a last dimension of 2; a real one stays.
void count_in_real(DType d, Dims& size, Dims& stride) {
  if (!is_complex(d)) return;
  for (int k = 0; k < stride.n; ++k)
    check(!__builtin_mul_overflow(stride[k], i64{2}, &stride[k]), ErrorKind::runtime,
          "[part_view] strides must be representable. Received ", Sizes(stride), ".");
  size.push(2);
  stride.push(1);
}

Tensor as_real(const Tensor& t) { return is_complex(t->dtype) ? call<"view_as_real">(t) : t; }
Tensor as_kind(const Tensor& real, DType d) {
  return is_complex(d) ? call<"view_as_complex">(call<"contiguous">(real)) : real;
}

// base and one of its parts, both as geometries over one stretch of real numbers.
struct SharedStretch {
  Dims base_size, base_stride, size, stride;
  i64 first, offset, length;
  SharedStretch(Backward& b, int at, DType part)
      : base_size(b.sizes(0)), base_stride(b.strides(0)), size(b.ints(at)), stride(b.ints(at + 1)) {
    count_in_real(b.dtype(0), base_size, base_stride);
    count_in_real(part, size, stride);
    offset = b.integer(at + 2);
    first = std::min<i64>(0, offset);
    length = std::max(storage_span(base_size, base_stride), offset + storage_span(size, stride)) - first;
    offset -= first;
  }
  Tensor read_base(const Tensor& flat, DType d) const {
    return as_kind(call<"strided_view">(flat, base_size, base_stride, -first), d);
  }
};

DType other_kind(DType d) { return is_complex(d) ? to_real(d) : to_complex(d); }

}  // namespace

OP(view_as_real, all_types, "view_as_real(input: Tensor) -> Tensor") {
  .doc =
      "A view of complex numbers as pairs of real ones: [*input.shape, 2].\n\nRaises RuntimeError for a real tensor.",
  .forms = function,
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        c.check(is_complex(t.dtype), "view_as_real is only supported for complex tensors. Received ", describe(t), ".");
        Dims size(t.sizes()), stride(t.strides());
        count_in_real(t.dtype, size, stride);
        c.out[0] = reinterpret(t, to_real(t.dtype), size, stride, 2 * t.offset);
      },
  .vjp = [](Backward& b) { b.set(0, call<"view_as_complex">(call<"contiguous">(b.gradient()))); },
  .samples = "complex(randn(3, 4), randn(3, 4))",
  .errors = "randn(3) => RuntimeError: [view_as_real] view_as_real is only supported for complex",
};

OP(view_as_complex, floats, "view_as_complex(input: Tensor) -> Tensor") {
  .doc = "A view of pairs of real numbers [..., 2] as complex ones [...].\n\nRaises RuntimeError when the last size is "
         "not 2, or the pairs do not lie next to each other.",
  .forms = function,
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        c.check(t.dtype == DType::f32 || t.dtype == DType::f64,
                "view_as_complex is only supported for half, float and double tensors: input must be float32 or "
                "float64. Received ",
                describe(t), ".");
        c.check(t.ndim > 0, "Input tensor must have one or more dimensions. Received ", describe(t), ".");
        c.check(t.size[t.ndim - 1] == 2, "Tensor must have a last dimension of size 2. Received ", describe(t), ".");
        c.check(t.stride[t.ndim - 1] == 1, "Tensor must have a last dimension with stride 1. Received strides ",
                t.strides(), ". Call contiguous() first.");
        Dims size, stride;
        for (int d = 0; d < t.ndim - 1; ++d) {
          c.check(t.stride[d] % 2 == 0,
                  "Tensor must have a stride divisible by 2 for all but last dimension. Received strides ", t.strides(),
                  ". Call contiguous() first.");
          size.push(t.size[d]);
          stride.push(t.stride[d] / 2);
        }
        c.check(t.offset % 2 == 0, "Tensor must have a storage_offset divisible by 2. Received ", t.offset,
                ". Call clone() first.");
        c.out[0] = reinterpret(t, to_complex(t.dtype), size, stride, t.offset / 2);
      },
  .vjp = [](Backward& b) { b.set(0, call<"view_as_real">(b.gradient())); },
  .samples = "randn(3, 2)\nrandn(2)",
  .errors = "randn(3) => RuntimeError: [view_as_complex] Tensor must have a last dimension of size 2",
};

OP(real, all_types, "real(input: Tensor) -> Tensor") {
  .doc = "The real part, a view; a real tensor itself.",
  .forms = function,
  .compose =
      [](const Call& c) {
        Tensor t(&c.tensor(0));
        c.out[0] = is_complex(t->dtype) ? call<"select">(call<"view_as_real">(t), -1, 0) : t;
      },
  .samples = "complex(randn(3), randn(3))\nrandn(3)",
};

OP(imag, all_types, "imag(input: Tensor) -> Tensor") {
  .doc = "The imaginary part, a view.\n\nRaises RuntimeError for a real tensor.",
  .forms = function,
  .compose =
      [](const Call& c) {
        Tensor t(&c.tensor(0));
        c.check(is_complex(t->dtype), "imag is not implemented for tensors with non-complex dtypes. Received ",
                describe(*t), ".");
        c.out[0] = call<"select">(call<"view_as_real">(t), -1, 1);
      },
  .samples = "complex(randn(3), randn(3))",
  .errors = "randn(3) => RuntimeError: [imag] imag is not implemented for tensors with non-complex",
};

// Between a base and a view of the other kind, real or complex; size and stride are counted in the view's elements,
// offset in real numbers. The tape derives histories of in-place writes from them.
OP(part_view, inexact_types, "part_view(input: Tensor, size: ints, stride: ints, offset: int) -> Tensor") {
  .doc = "strided_view() of a complex tensor as real numbers, or of real numbers as complex ones; offset is counted in "
         "real numbers.",
  .home = "_core",
  .compose =
      [](const Call& c) {
        Tensor t(&c.tensor(0));
        Dims size(c.ints(1)), stride(c.ints(2));
        DType part = other_kind(t->dtype);
        count_in_real(part, size, stride);
        c.out[0] = call<"strided_view">(as_real(t), size, stride, c.integer(3));
        if (is_complex(part)) c.out[0] = call<"view_as_complex">(c.out[0]);
      },
  .vjp =
      [](Backward& b) {
        SharedStretch s(b, 1, other_kind(b.dtype(0)));
        Tensor g = as_real(b.gradient());
        Tensor flat = call<"strided_add">(zeros(Dims{s.length}, g->dtype), g, s.size, s.stride, s.offset);
        b.set(0, s.read_base(flat, b.dtype(0)));
      },
  .samples = "complex(randn(6), randn(6)), (3,), (2,), 1\nrandn(12), (3,), (2,), 2",
};

OP(part_scatter, inexact_types,
   "part_scatter(input: Tensor, src: Tensor, size: ints, stride: ints, offset: int) -> Tensor") {
  .doc = "A copy of input whose elements at part_view(input, size, stride, offset) are src.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        GradMode off(false);
        c.out[0] = call<"contiguous_copy">(Tensor(&c.tensor(0)));
        Tensor part = call<"part_view">(c.out[0], c.ints(2), c.ints(3), c.integer(4));
        c.check(same_shape(*part, c.tensor(1)), "src must have the size of the part. Received ", describe(c.tensor(1)),
                " for ", describe(*part), ".");
        copy_elements(*part, c.tensor(1));
      },
  .vjp =
      [](Backward& b) {
        SharedStretch s(b, 2, other_kind(b.dtype(0)));
        Tensor g = as_real(b.gradient());
        Tensor flat = call<"strided_add">(zeros(Dims{s.length}, g->dtype), g, s.base_size, s.base_stride, -s.first);
        if (b.needs(0))
          b.set(0, s.read_base(call<"strided_scatter">(flat, zeros(s.size, g->dtype), s.size, s.stride, s.offset),
                               b.dtype(0)));
        if (b.needs(1))
          b.set(1, as_kind(call<"strided_view">(flat, s.size, s.stride, s.offset), other_kind(b.dtype(0))));
      },
  .samples = "complex(randn(6), randn(6)), randn(3), (3,), (2,), 1",
};

OP(conj, all_types, "conj(input: Tensor) -> Tensor") {
  .doc = "The complex conjugate, elementwise, computed at once; real numbers stay.",
  .aliases = "conj_physical",
  .value = EXPR([](auto input) { return conj(input); }),
  .grad = {GRAD([](auto gy) { return conj(gy); })},
  .samples = "complex(randn(3), randn(3))\nrandn(3)",
};

OP(angle_of, inexact_types, "angle_of(input: Tensor) -> Tensor") {
  .doc = "The angle of floating point and complex numbers.",
  .home = "_core",
  .result = Result::real_part,
  .value = EXPR([](auto input) { return angle(input); }),
  .vjp =
      [](Backward& b) {
        Tensor z = b.tensor(0), gy = b.gradient();
        if (!is_complex(z->dtype)) return b.set(0, gy * 0.0);
        Tensor x = call<"real">(z), y = call<"imag">(z), square = x * x + y * y, at_zero = call<"eq">(square, 0.0);
        Tensor scale = call<"where">(at_zero, 0.0, gy / square);
        b.set(0, call<"complex">(-(scale * y), scale * x));  // d atan2(y, x)
      },
  .saves = "input",
  .samples = "complex(randn(3), randn(3))\nrandn(3)",
};

OP(angle, all_types, "angle(input: Tensor) -> Tensor") {
  .doc = "The angle of a complex number in radians, in (-pi, pi]; of a real one 0, or pi when it is negative.",
  .forms = function | method | out_,
  .compose =
      [](const Call& c) {
        Tensor t(&c.tensor(0));
        c.out[0] = call<"angle_of">(is_integral(t->dtype) ? to_dtype(t, default_dtype()) : t);
      },
  .samples = "complex(randn(3), randn(3))\nrandn(3)\nrandint(-3, 3, (4,))",
};

OP(complex, floats, "complex(real: Tensor, imag: Tensor) -> Tensor") {
  .doc = "real + i imag, broadcast; both float32 or both float64.\n\nRaises RuntimeError for other dtypes.",
  .forms = function | out_ | out_exact,
  .cpu =
      [](const Call& c) {
        TensorImpl &re = c.tensor(0), &im = c.tensor(1);
        c.check(
            (re.dtype == DType::f32 || re.dtype == DType::f64) && (im.dtype == DType::f32 || im.dtype == DType::f64),
            "Expected both inputs to be Half, Float or Double tensors but got ", re.dtype, " and ", im.dtype,
            ". Only float32 and float64 make complex numbers here.");
        c.check(re.dtype == im.dtype, "Expected object of scalar type ", re.dtype, " but got scalar type ", im.dtype,
                " for second argument: both must have one dtype.");
        Dims size = broadcast("complex", re.sizes(), im.sizes());
        TensorImpl& out = c.output(0, size, to_complex(re.dtype));
        Tensor a = empty(size, re.dtype), b = empty(size, re.dtype);
        copy_elements(*a, re);
        copy_elements(*b, im);
        visit_float(re.dtype, [&]<class T>(Type<T>) {
          parallel_for(out.numel, kParallelElements, [&, x = a->data_as<T>(), y = b->data_as<T>()](i64 from, i64 to) {
            T* pairs = reinterpret_cast<T*>(out.data());
            for (i64 i = from; i < to; ++i) pairs[2 * i] = x[i], pairs[2 * i + 1] = y[i];
          });
        });
      },
  .vjp =
      [](Backward& b) {
        if (b.needs(0)) b.set(0, call<"real">(b.gradient()));
        if (b.needs(1)) b.set(1, call<"imag">(b.gradient()));
      },
  .samples = "randn(3, 4), randn(3, 4)\nrandn(3, 1), randn(4)",
  .errors = "randint(0, 3, (2,)), randn(2) => RuntimeError: [complex] Expected both inputs",
};

OP(polar, floats, "polar(abs: Tensor, angle: Tensor) -> Tensor") {
  .doc = "abs * (cos(angle) + i sin(angle)); both float32 or both float64.\n\nRaises RuntimeError for other dtypes.",
  .forms = function | out_ | out_exact,
  .compose =
      [](const Call& c) {
        Tensor r(&c.tensor(0)), phi(&c.tensor(1));
        c.check((r->dtype == DType::f32 || r->dtype == DType::f64) && phi->dtype == r->dtype,
                "Expected both inputs to be Half, Float or Double tensors of one dtype: abs and angle must both be "
                "float32 or both float64. Received ",
                r->dtype, " and ", phi->dtype, ".");
        c.out[0] = call<"complex">(r * call<"cos">(phi), r * call<"sin">(phi));
      },
  .samples = "positive(3), randn(3)",
  .errors = "randint(0, 3, (2,)), randn(2) => RuntimeError: [polar] Expected both inputs",
};

OP(isreal, all_types, "isreal(input: Tensor) -> Tensor") {
  .doc = "True where the imaginary part is zero; everywhere for a real tensor.",
  .forms = view_forms,
  .compose =
      [](const Call& c) {
        Tensor t(&c.tensor(0));
        c.out[0] = is_complex(t->dtype) ? call<"eq">(call<"imag">(t), 0.0) : call<"full_like">(t, true, DType::bool_);
      },
  .samples = "complex(randn(3), randn(3))\nrandn(3)",
};

OP(view_dtype, all_types, "view_dtype(input: Tensor, dtype: dtype) -> Tensor") {
  .doc = "input's memory read as another dtype. Between dtypes of different widths the last size changes. No gradient "
         "passes.\n\nRaises RuntimeError when the last dimension does not divide, or its elements do not lie next to "
         "each other.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        DType d = c.dtype(1, t.dtype);
        i64 from = size_of(t.dtype), to = size_of(d);
        Dims size(t.sizes()), stride(t.strides());
        i64 offset = t.offset;
        if (from != to) {
          int last = t.ndim - 1;
          check(t.ndim > 0, ErrorKind::runtime, "[view] self.dim() cannot be 0 to view ", t.dtype, " as ", d,
                " (different element sizes).");
          check(stride[last] == 1, ErrorKind::runtime, "[view] self.stride(-1) must be 1 to view ", t.dtype, " as ", d,
                " (different element sizes), but got ", stride[last], ". Call contiguous() first.");
          if (from > to) {
            i64 parts = from / to;
            for (int k = 0; k < last; ++k) stride[k] *= parts;
            size[last] *= parts;
            offset *= parts;
          } else {
            i64 parts = to / from;
            check(size[last] % parts == 0, ErrorKind::runtime, "[view] self.size(-1) must be divisible by ", parts,
                  " to view ", t.dtype, " as ", d, " (different element sizes), but got ", size[last], ".");
            check(offset % parts == 0, ErrorKind::runtime, "[view] self.storage_offset() must be divisible by ", parts,
                  " to view ", t.dtype, " as ", d, " (different element sizes), but got ", offset,
                  ". Call clone() first.");
            for (int k = 0; k < last; ++k) {
              check(stride[k] % parts == 0, ErrorKind::runtime, "[view] self.stride(", k, ") must be divisible by ",
                    parts, " to view ", t.dtype, " as ", d, " (different element sizes), but got ", stride[k],
                    ". Call contiguous() first.");
              stride[k] /= parts;
            }
            size[last] /= parts;
            offset /= parts;
          }
        }
        c.out[0] = strided_alias(t, size, stride, offset);
        c.out[0]->dtype = d;
      },
  .samples = "randn(3, 4), int32\nrandn(3, 4), int16\nrandint(0, 9, (2, 4), dtype=int32), float64",
  .errors = "randn(3), complex128 => RuntimeError: [view] self.size(-1) must be divisible by 2",
};
