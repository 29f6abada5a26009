// any, all, count_nonzero.
#include "ops/reduce/reduce.h"
using namespace rl;

namespace {

// In bytes of 0 and 1, so that the loop needs no branches.
template <bool every> struct Truth {
  std::uint8_t start() const { return every; }
  template <class T> void step(std::uint8_t& s, T x, i64) const {
    auto truth = static_cast<std::uint8_t>(x != T(0));
    s = every ? s & truth : s | truth;
  }
  void join(std::uint8_t& a, std::uint8_t b) const { a = every ? a & b : a | b; }
};

struct CountNonzero {
  i64 start() const { return 0; }
  template <class T> void step(i64& s, T x, i64) const { s += x != T(0); }
  void join(i64& a, i64 b) const { a += b; }
};

// An empty dim means none of them here.
std::uint32_t truth_mask(const Call& c) { return c.has(1) ? dim_mask(c.op.name(), c.ints(1), c.tensor(0).ndim) : ~0u; }

void infer_truth(const Call& c) {
  TensorImpl& t = c.tensor(0);
  c.output(0, reduced_sizes(t.sizes(), truth_mask(c), c.flag(2)), t.dtype == DType::u8 ? DType::u8 : DType::bool_);
}

template <bool every> void truth(const Call& c) {
  auto* to = c.out[0]->data_as<std::uint8_t>();
  visit(c.tensor(0).dtype, [&]<class T>(Type<T>) {
    reduce<T>(c.tensor(0), truth_mask(c), Truth<every>{}, [&](i64 i, std::uint8_t s) { to[i] = s; });
  });
}

}  // namespace

#define TRUTH(name, what, every)                                                                           \
  OP(name, all_types, #name "(input: Tensor, dim: ints | None = None, keepdim: bool = False) -> Tensor") { \
    .doc = "Whether " what " nonzero, over dim (all dimensions when None). bool; uint8 for uint8.",        \
    .infer = infer_truth, .cpu = truth<every>,                                                             \
    .samples = "bools(3, 4)\nbools(3, 4), 0\nrandint(0, 2, (3, 4, 2)), (0, 2), True\nrandn(3)",            \
    .errors = "bools(3), 1 => IndexError: [" #name "] Dimension out of range",                             \
  }

TRUTH(any, "any element of input [*] is", false);
TRUTH(all, "all elements of input [*] are", true);

OP(count_nonzero, all_types, "count_nonzero(input: Tensor, dim: ints | None = None) -> Tensor") {
  .doc = "How many elements of input [*] are nonzero, over dim (all dimensions when None), int64.",
  .forms = function | method,
  .infer =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        c.output(0, reduced_sizes(t.sizes(), reduce_mask("count_nonzero", c.has(1), c.ints(1), t.ndim), false),
                 DType::i64);
      },
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        i64* to = c.out[0]->data_as<i64>();
        visit(t.dtype, [&]<class T>(Type<T>) {
          reduce<T>(t, reduce_mask("count_nonzero", c.has(1), c.ints(1), t.ndim), CountNonzero{},
                    [&](i64 i, i64 s) { to[i] = s; });
        });
      },
  .samples = "randint(0, 2, (3, 4))\nrandint(0, 2, (3, 4)), 0\nbools(3, 4), (0, 1)",
  .errors = "randn(3), 1 => IndexError: [count_nonzero] Dimension out of range",
};
