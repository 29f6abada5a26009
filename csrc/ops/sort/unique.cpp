// Distinct elements and slices.
#include <numeric>

#include "ops/sort/order.h"
using namespace rl;

namespace {

// Runs of equal slices in `order` become one slice each. same(i, j) compares slices i and j.
struct Runs {
  std::vector<i64> first;  // a slice of each run
  Tensor inverse, counts;
};
template <class Same> Runs find_runs(const std::vector<i64>& order, bool inverse, bool counts, Same&& same) {
  Runs r;
  i64 n = static_cast<i64>(order.size());
  r.inverse = empty({inverse ? n : 0}, DType::i64);
  std::vector<i64> length;
  for (i64 k = 0; k < n; ++k) {
    i64 i = order[static_cast<std::size_t>(k)];
    if (k == 0 || !same(order[static_cast<std::size_t>(k - 1)], i)) r.first.push_back(i), length.push_back(0);
    ++length.back();
    if (inverse) r.inverse->data_as<i64>()[i] = static_cast<i64>(r.first.size()) - 1;
  }
  r.counts = empty({counts ? static_cast<i64>(length.size()) : 0}, DType::i64);
  if (counts) std::copy(length.begin(), length.end(), r.counts->data_as<i64>());
  return r;
}

std::vector<i64> in_order(i64 n) {
  std::vector<i64> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), i64{0});
  return order;
}

void unique_elements(const Call& c, bool sorted) {
  check_accepted(c);
  Tensor x = packed(c.tensor(0));
  bool inverse = c.flag(1), counts = c.flag(2);
  visit_real(x->dtype, [&]<class T>(Type<T>) {
    using V = Wide<T>;
    const T* from = x->data_as<T>();
    std::vector<i64> order = in_order(x->numel);
    if (sorted) {
      std::vector<Ranked<T>> line(order.size());
      rank_line(from, 1, false, std::span(line));
      sort_ranked<T>(line);
      std::transform(line.begin(), line.end(), order.begin(), place_in<T>);
    }
    Runs runs = find_runs(order, inverse, counts, [&](i64 i, i64 j) { return V(from[i]) == V(from[j]); });
    c.out[0] = empty({static_cast<i64>(runs.first.size())}, x->dtype);
    for (std::size_t k = 0; k < runs.first.size(); ++k) c.out[0]->data_as<T>()[k] = from[runs.first[k]];
    c.out[1] = inverse ? call<"reshape">(runs.inverse, x->sizes()) : runs.inverse;
    c.out[2] = runs.counts;
  });
}

void unique_slices(const Call& c, bool sorted) {
  GradMode off(false);
  check_accepted(c);
  TensorImpl& t = c.tensor(0);
  int dim = wrap_dim(c.op.name(), c.integer(1), t.ndim);
  c.check(t.ndim > 0, ErrorKind::index, "Dimension specified as ", c.integer(1),
          " but tensor has no dimensions. Leave dim out.");
  int zero_sizes = 0;
  for (int d = 0; d < t.ndim; ++d) zero_sizes += t.size[d] == 0;
  c.check(zero_sizes == 0 || (zero_sizes == 1 && t.size[dim] == 0),
          "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied. Received ", describe(t),
          ".");
  Dims front{dim};
  for (int d = 0; d < t.ndim; ++d)
    if (d != dim) front.push(d);
  Tensor x = contiguous(call<"permute">(Tensor(&t), front));
  i64 n = x->size[0], width = n ? x->numel / n : 0;
  std::vector<i64> order = in_order(n);
  Runs runs;
  visit_real(x->dtype, [&]<class T>(Type<T>) {
    using V = Wide<T>;
    const T* from = x->data_as<T>();
    auto less = [&](i64 i, i64 j) {
      const T *a = from + i * width, *b = from + j * width;
      return std::lexicographical_compare(a, a + width, b, b + width, [](T u, T v) { return key_of(u) < key_of(v); });
    };
    if (sorted) std::stable_sort(order.begin(), order.end(), less);
    runs = find_runs(order, c.flag(2), c.flag(3), [&](i64 i, i64 j) {
      for (i64 k = 0; k < width; ++k)
        if (V(from[i * width + k]) != V(from[j * width + k])) return false;
      return true;
    });
  });
  Tensor picked = empty({static_cast<i64>(runs.first.size())}, DType::i64);
  std::copy(runs.first.begin(), runs.first.end(), picked->data_as<i64>());
  c.out[0] = call<"index_select">(Tensor(&t), i64{dim}, picked);
  c.out[1] = runs.inverse;
  c.out[2] = runs.counts;
}

}  // namespace

#define UNIQUE(name, what, sorted, samples_)                                                                          \
  OP(name, real_types,                                                                                                \
     #name "(input: Tensor, return_inverse: bool = False, return_counts: bool = False) -> (values: Tensor, inverse: " \
           "Tensor, counts: Tensor)") {                                                                               \
    .doc = what, .home = "_core", .cpu = [](const Call& c) { unique_elements(c, sorted); }, .samples = samples_,      \
  }

UNIQUE(unique_sorted,
       "The distinct elements of input [*] in order; where each element went (input's shape) and how often each "
       "occurs, empty unless asked for. Every NaN is distinct.",
       true, "randint(0, 3, (3, 4))\nrandint(0, 3, (3, 4)), True, True\nrandn(5)");
UNIQUE(unique_consecutive_flat,
       "input [*] flattened, with runs of equal elements as one; as unique_sorted() without the sorting.", false,
       "randint(0, 2, (3, 4)), True, True\nrandn(5)");

#define UNIQUE_SLICES(name, what, sorted, samples_)                                                                    \
  OP(name, real_types,                                                                                                 \
     #name "(input: Tensor, dim: int, return_inverse: bool = False, return_counts: bool = False) -> (values: Tensor, " \
           "inverse: Tensor, counts: Tensor)") {                                                                       \
    .doc = what, .home = "_core", .cpu = [](const Call& c) { unique_slices(c, sorted); }, .samples = samples_,         \
    .errors = "randn(3), 1 => IndexError: [" #name "] Dimension out of range",                                         \
  }

UNIQUE_SLICES(unique_dim,
              "The distinct slices along dim in lexicographic order; where each slice went [size of dim] and how often "
              "each occurs.",
              true, "randint(0, 2, (5, 2)), 0, True, True\nrandint(0, 2, (2, 6)), 1");
UNIQUE_SLICES(unique_consecutive_dim,
              "input with runs of equal slices along dim as one; as unique_dim() without the sorting.", false,
              "randint(0, 2, (5, 2)), 0, True, True\nrandint(0, 2, (2, 6)), 1");
