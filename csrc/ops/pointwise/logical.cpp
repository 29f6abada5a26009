// Truth: anything but zero is true. Of bools it is the logic of bits.
#include "eager/call.h"
using namespace rl;

namespace {

Tensor truth(const Call& c, int k) {
  Tensor t(&c.tensor(k));
  return t->dtype == DType::bool_ ? t : call<"ne">(t, 0.0);
}

}  // namespace

#define LOGIC(name, of_bits, what)                                                        \
  OP(name, all_types, #name "(input: Tensor, other: Tensor) -> Tensor") {                 \
    .doc = "True where " what " nonzero.", .forms = pointwise_forms,                      \
    .compose = [](const Call& c) { c.out[0] = call<of_bits>(truth(c, 0), truth(c, 1)); }, \
    .samples = "randint(0, 2, (3, 4)), randint(0, 2, (3, 4))\nbools(3, 4), bools(4)",     \
  }

LOGIC(logical_and, "bitwise_and", "both are");
LOGIC(logical_or, "bitwise_or", "either is");
LOGIC(logical_xor, "bitwise_xor", "exactly one is");

OP(logical_not, all_types, "logical_not(input: Tensor) -> Tensor") {
  .doc = "True where input is zero.",
  .forms = pointwise_forms,
  .compose =
      [](const Call& c) {
        Tensor t(&c.tensor(0));
        c.out[0] = t->dtype == DType::bool_ ? call<"bitwise_xor">(t, true) : call<"eq">(t, 0.0);
      },
  .samples = "randint(0, 2, (3, 4))\nbools(3)",
};
