// log(sum(exp(x))), without overflow.
#include "ops/norm/rows.h"
#include "ops/reduce/reduce.h"
using namespace rl;

namespace {

std::uint32_t mask_of(const Call& c) { return reduce_mask("logsumexp", true, c.ints(1), c.tensor(0).ndim); }

}  // namespace

OP(logsumexp, all_types, "logsumexp(input: Tensor, dim: ints, keepdim: bool = False) -> Tensor") {
  .doc = "log(sum(exp(input))) over dim, computed around the largest element. Integers become the default dtype.",
  .aliases = "special_logsumexp",
  .infer =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        c.output(0, reduced_sizes(t.sizes(), mask_of(c), c.flag(2)), is_integral(t.dtype) ? default_dtype() : t.dtype);
      },
  .cpu =
      [](const Call& c) {
        GradMode off(false);
        Tensor x = to_dtype(Tensor(&c.tensor(0)), c.out[0]->dtype), sum;
        ReduceGeometry g = reduce_geometry(*x, mask_of(c));
        bool rows = x->is_contiguous() && x->numel > 0 && g.folded.n == 1 && g.folded.stride[0] == 1;
        if (rows && (x->dtype == DType::f32 || x->dtype == DType::f64)) {
          i64 n = g.folded.count;
          auto run = [&]<class T>(Type<T>) {
            parallel_for(g.kept.count, std::max<i64>(1, 8192 / n), [&](i64 begin, i64 end) {
              for (i64 r = begin; r < end; ++r) c.out[0]->data_as<T>()[r] = log_sum_exp(x->data_as<T>() + r * n, n);
            });
          };
          return x->dtype == DType::f32 ? run(Type<float>{}) : run(Type<double>{});
        }
        Dims dims(c.ints(1));
        if (mask_of(c) == ~0u)
          for (int d = dims.n = 0; d < x->ndim; ++d) dims.push(d);
        if (x->numel == 0) {
          sum = call<"log">(call<"sum">(call<"exp">(x), dims, true));
        } else {
          Tensor largest = call<"amax">(is_complex(x->dtype) ? call<"clone">(call<"real">(x)) : x, dims, true);
          largest = call<"masked_fill">(largest, call<"isinf">(largest), 0.);
          sum = call<"log">(call<"sum">(call<"exp">(x - largest), dims, true)) + largest;
        }
        copy_elements(*c.out[0], *call<"reshape">(sum, c.out[0]->sizes()));
      },
  .vjp =
      [](Backward& b) {
        Tensor x = to_dtype(b.tensor(0), b.gradient()->dtype);
        std::uint32_t mask = reduce_mask("logsumexp", true, b.ints(1), x->ndim);
        Tensor share = call<"exp">(x - restore_dims(b.result(), x->sizes(), mask));
        b.set(0, restore_dims(b.gradient(), x->sizes(), mask) * conj(share));
      },
  .saves = "input, result",
  .samples = "randn(3, 4), 1\nrandn(3, 4, 5), (0, 2), True\nrandint(0, 9, (5,)), 0",
  .errors = "randn(3), 1 => IndexError: [logsumexp] Dimension out of range",
};
