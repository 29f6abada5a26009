// Indexing by integer tensors: input[i, j] and input[i, j] = values.
#include <vector>

#include "base/parallel.h"
#include "eager/call.h"
#include "kernels/pointwise.h"
using namespace rl;

namespace {

// input's dimensions as [before, indexed, after], and the place that every tuple of indices names.
struct IndexPlan {
  Dims result;                       // before + broadcast indices + after
  Dims before, before_stride, after, after_stride;
  Dims places_size;
  std::vector<i64> place;            // offset in elements, one per tuple of indices
  bool touches_memory = true;

  IndexPlan(std::string_view op, const TensorImpl& t, std::span<TensorImpl* const> indices) {
    std::vector<Tensor> kept;
    std::vector<TensorImpl*> given = without_masks(op, t, indices, kept);
    int n = static_cast<int>(given.size());
    check(n <= t.ndim, ErrorKind::index, "[", op, "] too many indices for tensor of dimension ", t.ndim, ". Received ",
          n, ".");
    int first = -1, last = -1, indexed = 0;
    for (int d = 0; d < n; ++d) {
      if (!given[static_cast<std::size_t>(d)]) continue;
      const TensorImpl& index = *given[static_cast<std::size_t>(d)];
      check(is_integral(index.dtype), ErrorKind::index, "[", op,
            "] tensors used as indices must be long, int, byte or bool tensors. Received ", describe(index), ".");
      places_size = indexed++ == 0 ? Dims(index.sizes()) : broadcast_indices(op, places_size, index.sizes());
      if (first < 0) first = d;
      last = d;
    }
    check(indexed > 0, ErrorKind::index, "[", op, "] at least one index must be a tensor. Received none.");
    bool adjacent = last - first + 1 == indexed;
    for (int d = 0; d < t.ndim; ++d) {
      if (d < n && given[static_cast<std::size_t>(d)]) continue;
      bool in_front = adjacent && d < first;
      (in_front ? before : after).push(t.size[d]);
      (in_front ? before_stride : after_stride).push(t.stride[d]);
    }
    for (i64 s : Sizes(before)) result.push(s);
    for (i64 s : Sizes(places_size)) result.push(s);
    for (i64 s : Sizes(after)) result.push(s);
    i64 places = 1;
    for (i64 s : Sizes(places_size)) places *= s;
    place.assign(static_cast<std::size_t>(places), 0);
    for (int d = 0; d < n; ++d)
      if (given[static_cast<std::size_t>(d)]) add_places(op, t, d, *given[static_cast<std::size_t>(d)]);
  }

 private:
  // A bool tensor stands for the places where it holds: one index tensor per dimension of its own.
  static std::vector<TensorImpl*> without_masks(std::string_view op, const TensorImpl& t,
                                                std::span<TensorImpl* const> indices, std::vector<Tensor>& kept) {
    std::vector<TensorImpl*> given;
    for (TensorImpl* index : indices) {
      if (!index || index->dtype != DType::bool_) {
        given.push_back(index);
        continue;
      }
      GradMode off(false);
      check(index->ndim > 0, ErrorKind::index, "[", op, "] a mask needs at least one dimension. Received ",
            describe(*index), ".");
      for (int k = 0; k < index->ndim; ++k) {
        int d = static_cast<int>(given.size()) + k;
        check(d < t.ndim && index->size[k] == t.size[d], ErrorKind::index, "[", op, "] The shape of the mask ",
              index->sizes(), " at index ", k, " does not match the shape of the indexed tensor ", t.sizes(),
              " at index ", d, ".");
      }
      Tensor places = call<"nonzero">(Tensor(index));
      for (int k = 0; k < index->ndim; ++k) {
        kept.push_back(call<"select">(places, 1, k));
        given.push_back(kept.back().get());
      }
    }
    return given;
  }

  static Dims broadcast_indices(std::string_view op, Sizes a, Sizes b) {
    try {
      return broadcast(op, a, b);
    } catch (const Error&) {
      fail(ErrorKind::index, "[", op, "] shape mismatch: indexing tensors could not be broadcast together with shapes ",
           a, ", ", b, ".");
    }
  }

  void add_places(std::string_view op, const TensorImpl& t, int d, const TensorImpl& index) {
    if (place.empty()) return;
    GradMode off(false);
    Tensor flat =
        contiguous(call<"expand">(to_dtype(Tensor(const_cast<TensorImpl*>(&index)), DType::i64), places_size));
    const i64* p = flat->data_as<i64>();
    i64 size = t.size[d], stride = t.stride[d];
    for (std::size_t i = 0; i < place.size(); ++i) {
      i64 at = p[i];
      check(at >= -size && at < size, ErrorKind::index, "[", op, "] index ", at, " is out of bounds for dimension ", d,
            " with size ", size, ". Received input ", describe(t), ".");
      place[i] += (at < 0 ? at + size : at) * stride;
    }
  }
};

i64 count(const Dims& d) {
  i64 n = 1;
  for (i64 s : Sizes(d)) n *= s;
  return n;
}

i64 offset_of(i64 index, const Dims& size, const Dims& stride) {
  i64 at = 0;
  for (int d = size.n - 1; d >= 0; --d) {
    at += index % size[d] * stride[d];
    index /= size[d];
  }
  return at;
}

// Calls run(offset in the indexed tensor, first element in the result, stride of the innermost run, its length).
template <class Run> void for_each_run(const IndexPlan& plan, i64 begin, i64 end, Run&& run) {
  i64 inner = plan.after.n ? plan.after[plan.after.n - 1] : 1,
      step = plan.after.n ? plan.after_stride[plan.after.n - 1] : 1;
  i64 after = count(plan.after), rows = inner ? after / inner : 0, places = static_cast<i64>(plan.place.size());
  Dims row_size = plan.after, row_stride = plan.after_stride;
  if (row_size.n) --row_size.n, --row_stride.n;
  for (i64 k = begin; k < end; ++k) {
    i64 base = plan.place[static_cast<std::size_t>(k % places)] +
               (plan.before.n ? offset_of(k / places, plan.before, plan.before_stride) : 0);
    for (i64 r = 0; r < rows; ++r)
      run(base + (row_size.n ? offset_of(r, row_size, row_stride) : 0), k * after + r * inner, step, inner);
  }
}

}  // namespace

OP(index, all_types, "index(input: Tensor, indices: list[Tensor]) -> Tensor") {
  .doc = "input[indices]: integer tensors, broadcast together, index the first dimensions; None skips one. A bool "
         "tensor names the places where it holds.\n\nRaises IndexError when an index is out of bounds.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        IndexPlan plan("index", t, c.tensors(1));
        TensorImpl& out = c.output(0, plan.result, t.dtype);
        if (out.numel == 0) return;
        visit_size(t.dtype, [&]<class T>(Type<T>) {
          const T* from = t.data_as<T>();
          T* to = out.data_as<T>();
          i64 tasks = count(plan.before) * static_cast<i64>(plan.place.size());
          parallel_for(tasks, std::max<i64>(1, kParallelElements / std::max<i64>(1, count(plan.after))),
                       [&](i64 b, i64 e) {
                         for_each_run(plan, b, e, [&](i64 source, i64 target, i64 step, i64 n) {
                           if (step == 1)
                             std::memcpy(to + target, from + source, static_cast<std::size_t>(n) * sizeof(T));
                           else
                             for (i64 i = 0; i < n; ++i) to[target + i] = from[source + i * step];
                         });
                       });
        });
      },
  .vjp =
      [](Backward& b) {
        std::vector<Tensor> kept(static_cast<std::size_t>(b.length(1)));
        std::vector<TensorImpl*> indices;
        for (int i = 0; i < b.length(1); ++i) {
          if (b.given(1, i)) kept[static_cast<std::size_t>(i)] = b.tensor(1, i);
          indices.push_back(kept[static_cast<std::size_t>(i)].get());
        }
        b.set(0, call<"index_put">(zeros(b.sizes(0), b.gradient()->dtype), std::span<TensorImpl* const>(indices),
                                   b.gradient(), true));
      },
  .saves = "indices",
  .samples = "randn(4, 3), [randint(0, 4, (2,))]\nrandn(4, 3, 2), [randint(0, 4, (2, 1)), None, randint(0, 2, (5,))]",
  .errors = "randn(3), [randint(5, 6, (2,))] => IndexError: [index] index 5 is out of bounds",
};

OP(index_put, all_types,
   "index_put(input: Tensor, indices: list[Tensor], values: Tensor, accumulate: bool = False) -> Tensor") {
  .doc = "A copy of input with values (broadcast) written at indices, or added there when accumulate.\n\nRaises "
         "IndexError when an index is out of bounds, RuntimeError when values do not broadcast or have another dtype.",
  .forms = function | method | inplace,
  .infer =
      [](const Call& c) {
        c.output(0, c.tensor(0).sizes(), c.tensor(0).dtype);
        copy_elements(*c.out[0], c.tensor(0));
      },
  .cpu =
      [](const Call& c) {
        TensorImpl &t = *c.out[0], &values = c.tensor(2);
        c.check(values.dtype == t.dtype, "Index put requires the source and destination dtypes match, got ", t.dtype,
                " for the destination and ", values.dtype, " for the source.");
        IndexPlan plan("index_put", t, c.tensors(1));
        GradMode off(false);
        Tensor source(&values);
        if (values.storage == t.storage) source = call<"clone">(source);
        bool fits = values.ndim <= plan.result.n;
        for (int d = 0; fits && d < values.ndim; ++d) {
          i64 s = values.size[d], want = plan.result[plan.result.n - values.ndim + d];
          fits = s == 1 || s == want;
        }
        c.check(fits, "shape mismatch: value tensor of shape ", values.sizes(),
                " cannot be broadcast to indexing result of shape ", Sizes(plan.result), ".");
        source = contiguous(call<"expand">(source, plan.result));
        if (source->numel == 0) return;
        bool add = c.flag(3);
        visit(t.dtype, [&]<class T>(Type<T>) {
          T* to = t.data_as<T>();
          const T* from = source->data_as<T>();
          // One after the other: indices may repeat, and the last write and the order of sums must not depend on
          // threads.
          for_each_run(plan, 0, count(plan.before) * static_cast<i64>(plan.place.size()),
                       [&](i64 target, i64 first, i64 step, i64 n) {
                         for (i64 i = 0; i < n; ++i) {
                           T& x = to[target + i * step];
                           if (!add) x = from[first + i];
                           else if constexpr (std::is_same_v<T, bool>) x = x || from[first + i];
                           else if constexpr (is_half_type<T>)
                             x = T(static_cast<float>(x) + static_cast<float>(from[first + i]));
                           else x = static_cast<T>(x + from[first + i]);
                         }
                       });
        });
      },
  .writes_over = true,
  .vjp =
      [](Backward& b) {
        std::vector<Tensor> kept(static_cast<std::size_t>(b.length(1)));
        std::vector<TensorImpl*> list;
        for (int i = 0; i < b.length(1); ++i) {
          if (b.given(1, i)) kept[static_cast<std::size_t>(i)] = b.tensor(1, i);
          list.push_back(kept[static_cast<std::size_t>(i)].get());
        }
        std::span<TensorImpl* const> indices(list);
        if (b.needs(0))
          b.set(0, b.flag(3) ? b.gradient()
                             : call<"index_put">(b.gradient(), indices, zeros(Sizes{}, b.gradient()->dtype), false));
        if (b.needs(2)) b.set(2, call<"index">(b.gradient(), indices));
      },
  .saves = "indices",
  .samples = "randn(4, 3), [randint(0, 4, (2,))], randn(2, 3)\nrandn(4, 3), [randint(0, 4, (6,))], randn(6, 3), True",
  .errors = "randn(3), [randint(5, 6, (2,))], randn(2) => IndexError: [index_put] index 5 is out of bounds",
};

OP(nonzero, all_types, "nonzero(input: Tensor) -> Tensor") {
  .doc = "The indices of the nonzero elements, in row-major order: int64 [n, input.dim()].",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        GradMode off(false);
        TensorImpl& t = c.tensor(0);
        Tensor flat = contiguous(to_dtype(call<"ne">(Tensor(&t), 0.0), DType::bool_));
        const bool* p = flat->data_as<bool>();
        i64 n = 0;
        for (i64 i = 0; i < flat->numel; ++i) n += p[i];
        TensorImpl& out = c.output(0, Dims{n, t.ndim}, DType::i64);
        i64* to = out.data_as<i64>();
        for (i64 i = 0; i < flat->numel; ++i) {
          if (!p[i]) continue;
          i64 rest = i;
          for (int d = t.ndim - 1; d >= 0; --d) {
            to[d] = rest % t.size[d];
            rest /= t.size[d];
          }
          to += t.ndim;
        }
      },
  .samples = "randint(0, 2, (3, 4))\nbools(5)",
};
