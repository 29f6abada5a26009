// Elements in another order, or several times: flip, roll, repeat.
#include "ops/index/along.h"
using namespace rl;

namespace {

// A view of t with repeated sizes: each dimension that is repeated becomes two of which one has stride 0.
Tensor repeat_through_view(Tensor t, Sizes times, bool each_element) {
  int n = static_cast<int>(times.size()), shift = n - t->ndim;
  Dims split, wide, result;
  for (int d = 0; d < n; ++d) {
    i64 r = times[static_cast<std::size_t>(d)], s = d < shift ? 1 : t->size[d - shift];
    i64 size = 0;
    check(!__builtin_mul_overflow(r, s, &size), ErrorKind::runtime,
          "[repeat] the result must be representable. Received ", s, " elements ", r, " times.");
    result.push(size);
    if (r != 1 && !each_element) split.push(1), wide.push(r);
    split.push(s), wide.push(s);
    if (r != 1 && each_element) split.push(1), wide.push(r);
  }
  checked_numel("repeat", result);
  Tensor spread = call<"expand">(call<"reshape">(t, split), wide);
  return call<"reshape">(call<"contiguous_copy">(spread), result);
}

Tensor positions(TensorImpl& repeats, i64 expected) {
  check(repeats.ndim <= 1, ErrorKind::runtime, "[repeat_interleave] repeats must be 0-dim or 1-dim tensor. Received ",
        describe(repeats), ".");
  check(repeats.dtype == DType::i64 || repeats.dtype == DType::i32, ErrorKind::runtime,
        "[repeat_interleave] repeats has to be Long or Int tensor. Received ", describe(repeats), ".");
  Tensor counts = packed(repeats, DType::i64);
  const i64* p = counts->data_as<i64>();
  i64 n = expected < 0 ? counts->numel : expected, total = 0;
  check(counts->numel == n || counts->numel == 1, ErrorKind::runtime,
        "[repeat_interleave] repeats must have the same size as input along dim, but got repeats.size(0) = ",
        counts->numel, " and input.size(dim) = ", n, ".");
  bool one = counts->numel == 1;
  for (i64 i = 0; i < n; ++i) {
    i64 times = p[one ? 0 : i];
    check(times >= 0, ErrorKind::runtime, "[repeat_interleave] repeats can not be negative. Received ", times, ".");
    check(!__builtin_add_overflow(total, times, &total), ErrorKind::runtime,
          "[repeat_interleave] the result's size must be representable.");
  }
  Tensor index = empty(Dims{total}, DType::i64);
  i64* to = index->data_as<i64>();
  for (i64 i = 0; i < n; ++i) to = std::fill_n(to, p[one ? 0 : i], i);
  return index;
}

}  // namespace

OP(flip, all_types, "flip(input: Tensor, *dims: ints) -> Tensor") {
  .doc = "A copy with the order along the given dimensions reversed.\n\nRaises RuntimeError when a dim appears twice, "
         "IndexError when it is out of range.",
  .forms = function | method,
  .infer = [](const Call& c) { c.output(0, c.tensor(0).sizes(), c.tensor(0).dtype); },
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        std::uint32_t flipped = dim_mask("flip", c.ints(1), t.ndim);
        if (t.is_contiguous() && t.ndim && flipped == 1u << (t.ndim - 1) && t.numel) {  // rows reversed in one go
          i64 n = t.size[t.ndim - 1];
          visit_size(t.dtype, [&]<class T>(Type<T>) {
            const T* from = t.data_as<T>();
            T* to = c.out[0]->data_as<T>();
            parallel_for(t.numel / n, std::max<i64>(1, kParallelElements / n), [&](i64 b, i64 e) {
              for (i64 r = b; r < e; ++r) std::reverse_copy(from + r * n, from + (r + 1) * n, to + r * n);
            });
          });
          return;
        }
        Dims stride(t.strides());
        i64 offset = t.offset;
        for (int d = 0; d < t.ndim; ++d)
          if (flipped >> d & 1) offset += (t.size[d] - 1) * stride[d], stride[d] = -stride[d];
        if (t.numel) copy_elements(*c.out[0], *strided_alias(t, t.sizes(), stride, offset));
      },
  .vjp = [](Backward& b) { b.set(0, call<"flip">(b.gradient(), b.ints(1))); },
  .samples = "randn(3, 4), (0,)\nrandn(2, 3, 4), (0, -1)\nrandn(3, 4).t(), (1,)",
  .errors = "randn(3), (0, 0) => RuntimeError: [flip] a dim must not appear twice\nrandn(3), (1,) => IndexError: "
            "[flip] Dimension out of range",
};

OP(roll, all_types, "roll(input: Tensor, shifts: ints, dims: ints = ()) -> Tensor") {
  .doc = "A copy moved by shifts along dims; what leaves at the end comes in at the beginning. Without dims, input is "
         "moved as one row.\n\nRaises RuntimeError when shifts and dims do not have one length.",
  .forms = function | method,
  .infer = [](const Call& c) { c.output(0, c.tensor(0).sizes(), c.tensor(0).dtype); },
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        Sizes shifts = c.ints(1), dims = c.ints(2);
        c.check(!shifts.empty(), "`shifts` required: there must be at least one. Received none.");
        c.check(shifts.size() == dims.size() || (dims.empty() && shifts.size() == 1),
                "shifts and dimensions must align. shifts: ", shifts.size(), ", dims:", dims.size(), ".");
        c.check(t.ndim > 0 || dims.empty(), ErrorKind::index, "Dimension specified as ", dims.empty() ? 0 : dims[0],
                " but tensor has no dimensions.");
        if (t.numel == 0) return;
        Tensor source(&t), target(c.out[0]);
        if (dims.empty()) {
          source = packed(t, t.dtype);
          source = strided_alias(*source, Dims{t.numel}, Dims{1}, source->offset);
          target = strided_alias(*target, Dims{t.numel}, Dims{1}, 0);
        }
        Dims shift(source->sizes());  // along every dimension, in [0, size)
        for (int d = 0; d < shift.n; ++d) shift[d] = 0;
        for (std::size_t k = 0; k < shifts.size(); ++k) {
          int d = dims.empty() ? 0 : wrap_dim("roll", dims[k], t.ndim);
          i64 n = source->size[d];
          shift[d] = ((shift[d] + shifts[k] % n) % n + n) % n;
        }
        // Each dimension falls into two parts; their products are moved one by one.
        for (unsigned corner = 0; corner < 1u << shift.n; ++corner) {
          Dims size(source->sizes());
          i64 from = source->offset, to = target->offset;
          bool nothing = false;
          for (int d = 0; d < shift.n; ++d) {
            bool wraps = corner >> d & 1;
            i64 n = size[d];
            size[d] = wraps ? shift[d] : n - shift[d];
            nothing |= size[d] == 0;
            from += wraps ? (n - shift[d]) * source->stride[d] : 0;
            to += wraps ? 0 : shift[d] * target->stride[d];
          }
          if (!nothing)
            copy_elements(*strided_alias(*target, size, target->strides(), to),
                          *strided_alias(*source, size, source->strides(), from));
        }
      },
  .vjp =
      [](Backward& b) {
        Dims back(b.ints(1));
        for (int k = 0; k < back.n; ++k) back[k] = -back[k];
        b.set(0, call<"roll">(b.gradient(), back, b.ints(2)));
      },
  .samples = "randn(5), 2\nrandn(3, 4), (1, -2), (0, 1)\nrandn(3, 4), 5\nrandn(3, 4).t(), -1, 0",
  .errors = "randn(3), (1, 2), (0,) => RuntimeError: [roll] shifts and dimensions must align",
};

OP(repeat, all_types, "repeat(input: Tensor, *repeats: ints) -> Tensor") {
  .doc = "A copy in which the whole tensor is repeated along each dimension; new dimensions come first.\n\nRaises "
         "RuntimeError when there are fewer numbers than dimensions, or a negative one.",
  .forms = method,
  .compose =
      [](const Call& c) {
        Sizes times = c.ints(1);
        TensorImpl& t = c.tensor(0);
        c.check(static_cast<int>(times.size()) >= t.ndim,
                "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor. Received ",
                times, " for ", describe(t), ".");
        for (i64 r : times)
          c.check(r >= 0, "Trying to create tensor with negative dimension ", r,
                  ": repeats must not be negative. Received ", times, ".");
        c.out[0] = repeat_through_view(Tensor(&t), times, false);
      },
  .samples = "randn(3), (2,)\nrandn(3, 2), (2, 1, 3)\nrandn(()), (2, 2)",
  .errors = "randn(3, 2), (2,) => RuntimeError: [repeat] Number of dimensions\nrandn(3), (-1,) => RuntimeError: "
            "[repeat] Trying to create tensor with negative dimension",
};

OP(repeat_interleave, all_types,
   "repeat_interleave(input: Tensor, repeats: Tensor | Number | None = None, dim: int | None = None, *, output_size: "
   "int | None = None) -> Tensor") {
  .doc = "Each slice along dim, repeated one after the other: `repeats` times, or repeats[i] times slice i. Without "
         "dim, input is one row. Without repeats, input holds the numbers of repetitions, and the indices are "
         "returned.\n\nRaises RuntimeError when repeats is negative, or fits neither dim's size nor 1.",
  .forms = function | method,
  .compose =
      [](const Call& c) {
        Tensor t(&c.tensor(0));
        if (!c.has(1)) {
          c.check(t->ndim == 1, "repeat_interleave only accept 1D vector as repeat. Received ", describe(*t), ".");
          c.out[0] = positions(*t, -1);
        } else {
          int dim = 0;
          c.check(!c.has(2) || t->ndim > 0, ErrorKind::index,
                  "Dimension out of range: dim must not be given for a tensor that has no dimensions. Received ",
                  describe(*t), ".");
          if (c.has(2)) dim = wrap_dim("repeat_interleave", c.integer(2), t->ndim);
          else t = call<"reshape">(t, Dims{-1});
          if (t->ndim == 0) t = call<"reshape">(t, Dims{1});
          if (c.arg[1].is_tensor()) {
            Tensor index = positions(c.tensor(1), t->size[dim]);
            c.out[0] = call<"index_select">(t, dim, index);
          } else {
            c.check(c.integer(1) >= 0, "Repeats must be non-negative. Received ", c.integer(1), ".");
            Dims times(t->sizes());
            for (int d = 0; d < times.n; ++d) times[d] = d == dim ? c.integer(1) : 1;
            c.out[0] = repeat_through_view(t, times, true);
          }
        }
        if (!c.has(3)) return;
        int dim = c.has(2) && c.has(1) ? wrap_dim("repeat_interleave", c.integer(2), c.out[0]->ndim) : 0;
        c.check(c.out[0]->size[dim] == c.integer(3),
                "allocated size does not match required size: output_size must be the sum of repeats. Received ",
                c.integer(3), " for ", c.out[0]->size[dim], ".");
      },
  .samples = "randn(3), 2\nrandn(3, 2), 2, 0\nrandn(3, 2), randint(0, 4, (3,)), 0\nrandint(0, 3, (4,))",
  .errors = "randn(3), -1 => RuntimeError: [repeat_interleave] Repeats must be non-negative\nrandn(3), randint(1, 2, "
            "(2,)) => RuntimeError: [repeat_interleave] repeats must have the same size",
};
