// Sorted elements, and the first few of them.
#include "ops/sort/order.h"
using namespace rl;

namespace {

// The elements of a ranked line and the places they came from, `step` apart.
template <class T> void write_line(const T* from, std::span<Ranked<T>> line, i64 step, T* values, i64* indices) {
  for (i64 at = 0; Ranked<T> r : line) {
    indices[at] = place_in<T>(r);
    values[at] = from[indices[at] * step];
    at += step;
  }
}

}  // namespace

OP(sort, real_types,
   "sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> (values: Tensor, indices: "
   "Tensor)") {
  .doc = "The elements of input [*] in order along dim, and the places they came from, int64. NaN is the largest; "
         "equals keep their order.",
  .infer =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        wrap_dim("sort", c.integer(1), t.ndim);
        check_accepted(c);
        c.output(0, t.sizes(), t.dtype);
        c.output(1, t.sizes(), DType::i64);
      },
  .cpu =
      [](const Call& c) {
        Tensor x = packed(c.tensor(0));
        i64* indices = c.out[1]->data_as<i64>();
        Along a(x->sizes(), wrap_dim("sort", c.integer(1), x->ndim));
        for_lines(x, a, c.flag(2), [&]<class T>(const T* from, std::span<Ranked<T>> line, i64 first, i64) {
          sort_ranked<T>(line);
          write_line<T>(from + first, line, a.inner, c.out[0]->data_as<T>() + first, indices + first);
        });
      },
  .vjp = [](Backward& b) { b.set(0, place_along(b.gradient(), b.result(1), b.sizes(0), b.integer(1), false)); },
  .saves = "indices",
  .samples = "distinct(3, 4)\ndistinct(3, 4), 0, True\nrandint(0, 3, (3, 4)), 1",
  .errors = "randn(3), 1 => IndexError: [sort] Dimension out of range",
};

OP(topk, number_types,
   "topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> (values: Tensor, indices: "
   "Tensor)") {
  .doc = "The k largest (or smallest) elements along dim in order, and the places they came from, int64. NaN is the "
         "largest.\n\n"
         "Raises RuntimeError when k exceeds the size of dim.",
  .infer =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        int dim = wrap_dim("topk", c.integer(2), t.ndim);
        check_accepted(c);
        Dims size(t.sizes());
        i64 k = c.integer(1);
        c.check(k >= 0 && k <= (t.ndim ? t.size[dim] : 1),
                "selected index k out of range: it must be at most the size of dim ", dim, ". Received ", k, " for ",
                describe(t), ".");
        if (t.ndim) size[dim] = k;
        c.output(0, size, t.dtype);
        c.output(1, size, DType::i64);
      },
  .cpu =
      [](const Call& c) {
        Tensor x = packed(c.tensor(0));
        i64* indices = c.out[1]->data_as<i64>();
        Along a(x->sizes(), wrap_dim("topk", c.integer(2), x->ndim));
        i64 k = x->ndim ? c.integer(1) : 1;
        for_lines(x, a, c.flag(3), [&]<class T>(const T* from, std::span<Ranked<T>> line, i64 first, i64 number) {
          std::span<Ranked<T>> best = line.first(static_cast<std::size_t>(k));
          if (k * 16 < a.n) {
            std::partial_sort(line.begin(), best.end(), line.end());
          } else if (k > 0) {
            if (k < a.n) std::nth_element(line.begin(), best.end() - 1, line.end());
            sort_ranked<T>(best);
          }
          i64 at = number / a.inner * k * a.inner + number % a.inner;
          write_line<T>(from + first, best, a.inner, c.out[0]->data_as<T>() + at, indices + at);
        });
      },
  .vjp = [](Backward& b) { b.set(0, place_along(b.gradient(), b.result(1), b.sizes(0), b.integer(2), false)); },
  .saves = "indices",
  .samples = "distinct(3, 4), 2\ndistinct(5, 4), 3, 0, False\ndistinct(40), 2",
  .errors = "randn(3), 4 => RuntimeError: [topk] selected index k out of range",
};
