#include "tensor/dtype.h"

namespace rl {

DType promote(DType a, DType b) {
  if (a == b) return a;
  Category ca = category(a), cb = category(b);
  if (ca > cb) std::swap(a, b), std::swap(ca, cb);
  if (cb == Category::complex) {
    bool wide = b == DType::c128 || a == DType::f64 || a == DType::c128;
    return wide ? DType::c128 : DType::c64;
  }
  if (ca != cb) return b;                                                    // the higher category wins
  if (ca == Category::floating) {
    bool halves = (a == DType::f16 && b == DType::bf16) || (a == DType::bf16 && b == DType::f16);
    return halves ? DType::f32 : std::max(a, b);
  }
  if (a == DType::u8 || b == DType::u8) {  // unsigned and signed: one that holds both
    DType other = a == DType::u8 ? b : a;
    return other == DType::i8 ? DType::i16 : other;
  }
  return std::max(a, b);
}

namespace {
DType default_dtype_ = DType::f32;
}
DType default_dtype() { return default_dtype_; }
void set_default_dtype(DType d) { default_dtype_ = d; }

}  // namespace rl
