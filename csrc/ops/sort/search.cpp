// Binary search in sorted sequences.
#include "ops/reduce/reduce.h"
using namespace rl;

namespace {

// The first place whose element is >= value (> value with `right`); NaN goes behind everything.
template <class T> i64 find_place(const T* sequence, const i64* sorter, i64 n, T value, bool right) {
  i64 low = 0, high = n;
  while (low < high) {
    i64 mid = low + (high - low) / 2;
    T m = sequence[sorter ? sorter[mid] : mid];
    bool ahead = right ? !(m > value) : !(m >= value);
    if (ahead) low = mid + 1;
    else high = mid;
  }
  return low;
}

// sequence [n] or [..., n], value [...]: one sequence for all values, or one per line of them.
void search(const Call& c, const Tensor& sequence, const Arg& given, bool right, const Tensor& sorter = {}) {
  bool out_int32 = c.flag(2);
  Tensor value = given.is_tensor() ? Tensor(given.t)
                                   : scalar_tensor(given.number(), given.kind == Kind::real ? DType::f64 : DType::i64);
  c.check(sequence->ndim > 0 && (given.is_tensor() ? value->ndim > 0 || sequence->ndim == 1 : sequence->ndim == 1),
          "input value can be a scalar only when boundaries tensor dimension is 1. Received boundaries ",
          describe(*sequence), " and input ", describe(*value), ".");
  bool shared = sequence->ndim == 1;
  bool fits = shared || sequence->ndim == value->ndim;
  for (int d = 0; fits && !shared && d + 1 < value->ndim; ++d) fits = value->size[d] == sequence->size[d];
  c.check(fits,
          "boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value "
          "tensor must match. Received ",
          describe(*sequence), " and ", describe(*value), ".");
  c.check(!is_complex(sequence->dtype) && !is_complex(value->dtype), ErrorKind::not_implemented,
          "not implemented for complex numbers. Received ", describe(*sequence), " and ", describe(*value), ".");
  i64 n = sequence->size[sequence->ndim - 1];
  if (sorter) {
    c.check(same_shape(*sorter, *sequence), "boundary and sorter must have the same size. Received ",
            describe(*sequence), " and ", describe(*sorter), ".");
    c.check(sorter->dtype == DType::i64, "sorter must be a tensor of long dtype. Received ", describe(*sorter), ".");
    for (i64 k = 0; k < sorter->numel; ++k)
      c.check(sorter->data_as<i64>()[k] >= 0 && sorter->data_as<i64>()[k] < n, "sorter index out of range. Received ",
              sorter->data_as<i64>()[k], ".");
  }
  c.check(!out_int32 || n < std::numeric_limits<std::int32_t>::max(),
          "out_int32 needs a sequence shorter than 2^31. Received ", describe(*sequence), ".");
  DType d = promote(sequence->dtype, value->dtype);
  Tensor s = packed(*sequence, d), v = packed(*value, d), out = empty(value->sizes(), DType::i64);
  i64 per_line = shared ? std::max<i64>(1, v->numel) : std::max<i64>(1, v->size[v->ndim - 1]);
  visit_real(d, [&]<class T>(Type<T>) {
    const T *from = s->data_as<T>(), *values = v->data_as<T>();
    const i64* order = sorter ? sorter->data_as<i64>() : nullptr;
    i64* to = out->data_as<i64>();
    parallel_for(v->numel, 1024, [&](i64 begin, i64 end) {
      for (i64 k = begin; k < end; ++k) {
        i64 line = k / per_line * n;
        to[k] = find_place<T>(from + line, order ? order + line : nullptr, n, values[k], right);
      }
    });
  });
  c.out[0] = out_int32 ? to_dtype(out, DType::i32) : out;
}

}  // namespace

OP(searchsorted, real_types,
   "searchsorted(sorted_sequence: Tensor, input: Tensor | Number, *, out_int32: bool = False, right: bool = False, "
   "side: str | None = None, sorter: Tensor | None = None) -> Tensor") {
  .doc = "Where the values of input would be inserted into sorted_sequence [..., n] to keep it sorted: before equals, "
         "behind them with right=True "
         "or side='right'. int64, or int32.\n\nRaises RuntimeError when the leading dimensions of the two differ.",
  .forms = function | out_,
  .cpu =
      [](const Call& c) {
        bool right = c.flag(3);
        if (c.has(4)) {
          std::string_view side = c.text(4);
          c.check(side == "left" || side == "right", "side can only be 'left' or 'right' but got ", side, ".");
          c.check(!right || side == "right",
                  "side and right can't be set to opposites, got side of left while right was True. Leave right out.");
          right = side == "right";
        }
        search(c, Tensor(&c.tensor(0)), c.arg[1], right, c.has(5) ? packed(c.tensor(5)) : Tensor());
      },
  .samples = "torch.arange(5.), randn(3, 4)\ntorch.arange(10).reshape(2, 5), randint(0, 9, (2, 3)), "
             "right=True\ntorch.arange(5.), 2.5, side='right'",
  .errors = "torch.arange(5.), 1., side='middle' => RuntimeError: [searchsorted] side can only be",
};

OP(bucketize, real_types,
   "bucketize(input: Tensor | Number, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor") {
  .doc = "The buckets between the sorted boundaries [n] that the elements of input fall into: i with boundaries[i-1] < "
         "input <= boundaries[i], "
         "or <= and < with right=True. int64, or int32.",
  .forms = function | out_,
  .cpu =
      [](const Call& c) {
        Tensor boundaries(&c.tensor(1));
        c.check(boundaries->ndim == 1, "boundaries tensor must be 1 dimension, but got dim(", boundaries->ndim,
                "). Received ", describe(*boundaries), ".");
        search(c, boundaries, c.arg[0], c.flag(3));
      },
  .samples = "randn(3, 4), torch.arange(3.)\n2, torch.arange(5), right=True",
  .errors = "randn(3), randn(2, 2) => RuntimeError: [bucketize] boundaries tensor must be 1 dimension",
};
