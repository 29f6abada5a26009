// Truth: anything but zero is true. Of bools it is the logic of bits.
#include "eager/call.h"
using namespace rl;

namespace {

Tensor truth(const Call& c, int k) {
  Tensor t(&c.tensor(k));
  return t->dtype == DType::bool_ ? t : call<"ne">(t, 0.0);
}

}  // namespace

OP(logical_and, all_types, "logical_and(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "True where both are nonzero.",
  .forms = pointwise_forms,
  .compose = [](const Call& c) { c.out[0] = call<"bitwise_and">(truth(c, 0), truth(c, 1)); },
  .samples = "randint(0, 2, (3, 4)), randint(0, 2, (3, 4))\nbools(3, 4), bools(4)",
};

OP(logical_or, all_types, "logical_or(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "True where either is nonzero.",
  .forms = pointwise_forms,
  .compose = [](const Call& c) { c.out[0] = call<"bitwise_or">(truth(c, 0), truth(c, 1)); },
  .samples = "randint(0, 2, (3, 4)), randint(0, 2, (3, 4))\nbools(3, 4), bools(4)",
};

OP(logical_xor, all_types, "logical_xor(input: Tensor, other: Tensor) -> Tensor") {
  .doc = "True where exactly one is nonzero.",
  .forms = pointwise_forms,
  .compose = [](const Call& c) { c.out[0] = call<"bitwise_xor">(truth(c, 0), truth(c, 1)); },
  .samples = "randint(0, 2, (3, 4)), randint(0, 2, (3, 4))\nbools(3, 4), bools(4)",
};

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
