// Counting by value.
#include "ops/reduce/reduce.h"
using namespace rl;

OP(bincount, integers, "bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor") {
  .doc = "How often each number occurs in input [n], non-negative integers: [max(largest + 1, minlength)], int64. With "
         "weights [n], their sums "
         "instead: float32 for float32, float64 otherwise.",
  .forms = function | method,
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        i64 minlength = c.integer(2);
        c.check(category(t.dtype) == Category::integer, ErrorKind::not_implemented,
                "\"bincount\" not implemented for '", t.dtype, "'. Received ", describe(t), ".");
        c.check(minlength >= 0, "minlength should be >= 0. Received ", minlength, ".");
        c.check(t.ndim == 1, "bincount only supports 1-d non-negative integral inputs. Received ", describe(t), ".");
        if (t.numel == 0) {
          c.out[0] = zeros({&minlength, 1}, DType::i64);
          return;
        }
        c.check(!c.has(1) || (c.tensor(1).ndim == 1 && c.tensor(1).numel == t.numel),
                "weights should be 1-d and have the same length as input. Received ",
                c.has(1) ? std::string(describe(c.tensor(1))) : "None", " for input ", describe(t), ".");
        Tensor x = packed(t, DType::i64);
        const i64* p = x->data_as<i64>();
        i64 largest = 0;
        for (i64 k = 0; k < x->numel; ++k) {
          c.check(p[k] >= 0, "bincount only supports 1-d non-negative integral inputs. Received ", p[k], ".");
          largest = std::max(largest, p[k]);
        }
        c.check(largest < std::numeric_limits<i64>::max(), "the largest number + 1 must be representable. Received ",
                largest, ".");
        i64 n = std::max(largest + 1, minlength);
        checked_numel("bincount", {&n, 1});
        if (!c.has(1)) {
          c.out[0] = zeros({&n, 1}, DType::i64);
          i64* to = c.out[0]->data_as<i64>();
          for (i64 k = 0; k < x->numel; ++k) ++to[p[k]];
          return;
        }
        DType d = c.tensor(1).dtype == DType::f32 ? DType::f32 : DType::f64;
        Tensor w = packed(c.tensor(1), d);
        c.out[0] = zeros({&n, 1}, d);
        visit_float(d, [&]<class T>(Type<T>) {
          for (i64 k = 0; k < x->numel; ++k) c.out[0]->data_as<T>()[p[k]] += w->data_as<T>()[k];
        });
      },
  .samples = "randint(0, 5, (20,))\nrandint(0, 5, (20,)), randn(20)\nrandint(0, 5, (20,)), None, 8",
  .errors = "randint(-2, -1, (3,)) => RuntimeError: [bincount] bincount only supports 1-d non-negative\nrandint(0, 2, "
            "(3, 3)) => RuntimeError: [bincount] bincount only supports 1-d",
};

OP(histc, floats, "histc(input: Tensor, bins: int = 100, min: float = 0., max: float = 0.) -> Tensor") {
  .doc = "How many elements of input [*] fall into each of `bins` equal intervals of [min, max], as input's dtype: "
         "[bins]. The data's own range is "
         "taken when min equals max; elements outside count for nothing.",
  .cpu =
      [](const Call& c) {
        GradMode off(false);
        TensorImpl& t = c.tensor(0);
        i64 bins = c.integer(1);
        double low = c.real(2), high = c.real(3);
        check_accepted(c);
        c.check(bins > 0, "bins must be > 0. Received ", bins, ".");
        if (low == high && t.numel > 0) {
          Tensor smallest = to_dtype(call<"amin">(Tensor(&t)), DType::f64),
                 largest = to_dtype(call<"amax">(Tensor(&t)), DType::f64);
          low = *smallest->data_as<double>();
          high = *largest->data_as<double>();
        }
        if (low == high) low -= 1, high += 1;
        c.check(std::isfinite(low) && std::isfinite(high), "range of [", low, ", ", high, "] is not finite.");
        c.check(low < high, "max must be larger than min. Received min=", low, " and max=", high, ".");
        Tensor x = contiguous(Tensor(&t)), counts = zeros({&bins, 1}, DType::f64);
        double* to = counts->data_as<double>();
        visit(t.dtype, [&]<class T>(Type<T>) {
          if constexpr (!std::is_integral_v<T> && !is_complex_type<T>) {
            using V = Wide<T>;
            V first = static_cast<V>(low), last = static_cast<V>(high);
            for (i64 k = 0; k < x->numel; ++k) {
              V v = x->data_as<T>()[k];
              if (!(v >= first && v <= last)) continue;
              i64 bin = static_cast<i64>((v - first) / (last - first) * static_cast<V>(bins));
              to[std::clamp<i64>(bin, 0, bins - 1)] += 1;
            }
          }
        });
        c.out[0] = to_dtype(counts, t.dtype);
      },
  .samples = "randn(20), 5\nrandn(3, 4), 4, -1., 1.",
  .errors = "randn(3), 0 => RuntimeError: [histc] bins must be > 0\nrandn(3), 2, 1., 0. => RuntimeError: [histc] max "
            "must be larger than min",
};
