// Order statistics: the k-th smallest element, the median, the mode.
#include "ops/sort/order.h"
using namespace rl;

namespace {

// Of each line, the element whose rank is rank(elements, NaNs among them).
template <class Rank> void pick(const Call& c, Tensor x, const Along& a, Rank&& rank) {
  i64* indices = c.op.signature->outputs > 1 ? c.out[1]->data_as<i64>() : nullptr;
  for_lines(x, a, false, [&]<class T>(const T* from, std::span<Ranked<T>> line, i64 first, i64 number) {
    i64 nans = 0;
    if constexpr (!std::is_integral_v<T>)
      for (Ranked<T> r : line) nans += key_in<T>(r) == kNanKey<T>;
    auto k = line.begin() + rank(static_cast<i64>(line.size()), nans);
    std::nth_element(line.begin(), k, line.end());
    i64 place = place_in<T>(*k);
    c.out[0]->data_as<T>()[number] = from[first + place * a.inner];
    if (indices) indices[number] = place;
  });
}

// The lower of the two in the middle; with NaNs, the first NaN or the middle of the others.
i64 middle(i64 n, i64 nans, bool skip_nan) {
  return skip_nan || nans == 0 ? std::max<i64>(0, n - nans - 1) / 2 : n - nans;
}

template <bool skip_nan> void median_along(const Call& c) {
  Tensor x = packed(c.tensor(0));
  pick(c, x, Along(x->sizes(), wrap_dim(c.op.name(), c.integer(1), x->ndim)),
       [&](i64 n, i64 nans) { return middle(n, nans, skip_nan); });
}

template <bool skip_nan> void median_of_all(const Call& c) {
  Tensor x = packed(c.tensor(0));
  if (x->numel == 0) {
    visit_real(x->dtype,
               [&]<class T>(Type<T>) { *c.out[0]->data_as<T>() = cast<T>(std::numeric_limits<double>::quiet_NaN()); });
    return;
  }
  pick(c, x, Along(Sizes(&x->numel, 1), 0), [&](i64 n, i64 nans) { return middle(n, nans, skip_nan); });
}

// `dim_at` is the place of the argument dim; keepdim follows it.
template <int dim_at> void gradient_of_picked(Backward& b) {
  b.set(0, place_along(b.gradient(), b.result(1), b.sizes(0), b.integer(dim_at), !b.flag(dim_at + 1)));
}

void infer_all(const Call& c) {
  check_accepted(c);
  c.output(0, {}, c.tensor(0).dtype);
}

void share_evenly(Backward& b) {
  Tensor x = b.tensor(0), result = b.result();
  Tensor tied =
      to_dtype(call<"logical_or">(call<"eq">(x, result), call<"logical_and">(call<"isnan">(x), call<"isnan">(result))),
               b.gradient()->dtype);
  b.set(0, tied * (b.gradient() / call<"sum">(tied)));
}

}  // namespace

OP(kthvalue, number_types,
   "kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> (values: Tensor, indices: Tensor)") {
  .doc = "The k-th smallest element along dim (k counts from 1), and where it stands, int64. NaN is the largest.\n\n"
         "Raises RuntimeError when k is not in [1, size of dim].",
  .forms = plain_forms | out_apart | out_exact,
  .infer =
      [](const Call& c) {
        infer_picked(c, 2, 3);
        TensorImpl& t = c.tensor(0);
        i64 n = t.ndim ? t.size[wrap_dim("kthvalue", c.integer(2), t.ndim)] : 1;
        c.check(c.integer(1) >= 1 && c.integer(1) <= n, "kthvalue(): selected number k out of range for dimension ",
                c.integer(2), ": it must be in [1, ", n, "]. Received ", c.integer(1), ".");
      },
  .cpu =
      [](const Call& c) {
        Tensor x = packed(c.tensor(0));
        pick(c, x, Along(x->sizes(), wrap_dim("kthvalue", c.integer(2), x->ndim)),
             [&](i64, i64) { return c.integer(1) - 1; });
      },
  .vjp = gradient_of_picked<2>,
  .saves = "indices",
  .samples = "distinct(3, 4), 2\ndistinct(5, 4), 3, 0, True\nrandint(0, 9, (5,)), 1",
  .errors = "randn(3), 4 => RuntimeError: [kthvalue] kthvalue(): selected number k out of range",
};

#define MEDIAN_ALONG(name, what, skip_nan)                                                                 \
  OP(name, number_types,                                                                                   \
     #name "(input: Tensor, dim: int = -1, keepdim: bool = False) -> (values: Tensor, indices: Tensor)") { \
    .doc = "The median along dim " what ", and where it stands.", .home = "_core",                         \
    .infer = [](const Call& c) { infer_picked(c, 1, 2); }, .cpu = median_along<skip_nan>,                  \
    .vjp = gradient_of_picked<1>, .saves = "indices",                                                      \
    .samples = "distinct(3, 4)\ndistinct(5, 4), 0, True\nrandint(0, 9, (5,)), 0",                          \
    .errors = "randn(3), 1 => IndexError: [" #name "] Dimension out of range",                             \
  }

MEDIAN_ALONG(median_dim, "(the lower of two in the middle; NaN where there is one)", false);
MEDIAN_ALONG(nanmedian_dim, "of what is not NaN (the lower of two in the middle)", true);

#define MEDIAN_OF_ALL(name, what, skip_nan)                                                                   \
  OP(name, number_types, #name "(input: Tensor) -> Tensor") {                                                 \
    .doc = "The median of all elements " what ". The gradient is shared evenly among ties.", .home = "_core", \
    .infer = infer_all, .cpu = median_of_all<skip_nan>, .vjp = share_evenly, .saves = "input, result",        \
    .samples = "distinct(3, 4)\nrandint(0, 9, (5,))",                                                         \
  }

MEDIAN_OF_ALL(median_all, "(the lower of two in the middle; NaN where there is one)", false);
MEDIAN_OF_ALL(nanmedian_all, "that are not NaN (the lower of two in the middle)", true);

OP(mode, real_types, "mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> (values: Tensor, indices: Tensor)") {
  .doc = "The most frequent element along dim (the smallest of several), and the last place where it stands, int64.",
  .infer = [](const Call& c) { infer_picked(c, 1, 2); },
  .cpu =
      [](const Call& c) {
        Tensor x = packed(c.tensor(0));
        Along a(x->sizes(), wrap_dim("mode", c.integer(1), x->ndim));
        for_lines(x, a, false, [&]<class T>(const T* from, std::span<Ranked<T>> line, i64 first, i64 number) {
          sort_ranked<T>(line);
          std::size_t best = 0, best_count = 0;
          for (std::size_t i = 0, count = 0; i < line.size(); ++i) {
            count = i > 0 && key_in<T>(line[i - 1]) == key_in<T>(line[i]) ? count + 1 : 1;
            if (count > best_count) best = i, best_count = count;
          }
          i64 place = place_in<T>(line[best]);
          c.out[0]->data_as<T>()[number] = from[first + place * a.inner];
          c.out[1]->data_as<i64>()[number] = place;
        });
      },
  .vjp = gradient_of_picked<1>,
  .saves = "indices",
  .samples = "distinct(3, 4)\nrandint(0, 3, (5, 4)), 0, True",
  .errors = "randn(3), 1 => IndexError: [mode] Dimension out of range",
};
