// Padding with one value; the modes that repeat elements are index_select().
#include "ops/index/along.h"
using namespace rl;

OP(constant_pad_nd, all_types, "constant_pad_nd(input: Tensor, pad: ints, value: Tensor | Number = 0) -> Tensor") {
  .doc = "input made larger at the ends of its last dimensions: pad holds (before, after) for the last dimension, then "
         "for the one before, and so on; value is written there. Negative numbers cut off.\n\nRaises RuntimeError for "
         "an odd number of numbers, too many, or when a size would be negative.",
  .forms = function,
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        Sizes pad = c.ints(1);
        int n = static_cast<int>(pad.size() / 2);
        c.check(pad.size() % 2 == 0, "Length of pad must be even but instead it equals ", pad.size(), ".");
        c.check(n <= t.ndim,
                "Length of pad should be no more than twice the number of dimensions of the input. Received ", pad,
                " for ", describe(t), ".");
        Dims size(t.sizes()), inner(t.sizes());
        i64 from = t.offset, grown[kMaxDim] = {};
        bool all_covered = true;
        for (int k = 0; k < n; ++k) {
          int d = t.ndim - 1 - k;
          i64 before = pad[static_cast<std::size_t>(2 * k)], after = pad[static_cast<std::size_t>(2 * k + 1)];
          constexpr i64 most = i64{1} << 56;
          c.check(before < most && after < most && before > -most && after > -most,
                  "the result must fit into memory. Received pad ", pad, ".");
          size[d] += before + after;
          c.check(size[d] >= 0, "The input size ", t.size[d], ", plus negative padding ", before, " and ", after,
                  " resulted in a negative output size, which is invalid. Check dimension ", d, " of your input.");
          inner[d] += std::min<i64>(before, 0) + std::min<i64>(after, 0);
          c.check(
              inner[d] >= 0,
              "narrow(): length must be non-negative: negative numbers must not cut off more than there is. Received ",
              before, " and ", after, " for dimension ", d, " of size ", t.size[d], ".");
          all_covered &= before <= 0 && after <= 0;
          grown[d] = std::max<i64>(before, 0);
          from += std::max<i64>(-before, 0) * t.stride[d];
        }
        TensorImpl& out = c.output(0, size, t.dtype);
        if (c.arg[2].is_tensor())
          c.check(c.tensor(2).numel == 1, "value must be a number. Received ", describe(c.tensor(2)), ".");
        if (all_covered) {
        } else if (c.arg[2].is_tensor()) {
          copy_elements(out, *strided_alias(c.tensor(2), Sizes{}, Sizes{}, c.tensor(2).offset));
        } else {
          fill_elements(out, c.arg[2]);
        }
        i64 to = 0;
        bool empty_inside = t.numel == 0;
        for (int d = 0; d < t.ndim; ++d) {
          to += grown[d] * out.stride[d];
          empty_inside |= inner[d] <= 0;
        }
        if (!empty_inside)
          copy_elements(*strided_alias(out, inner, out.strides(), to), *strided_alias(t, inner, t.strides(), from));
      },
  .vjp =
      [](Backward& b) {
        if (!b.needs(0)) return;
        Dims back(b.ints(1));
        for (int k = 0; k < back.n; ++k) back[k] = -back[k];
        b.set(0, call<"constant_pad_nd">(b.gradient(), back, 0.0));
      },
  .samples = "randn(3, 4), (1, 2)\nrandn(2, 3, 4), (1, 1, 2, 0), 1.5\nrandn(3, 4), (-1, 2, 1, -1)",
  .errors = "randn(3), (1,) => RuntimeError: [constant_pad_nd] Length of pad must be even\nrandn(3), (-2, -2) => "
            "RuntimeError: [constant_pad_nd] The input size",
};
