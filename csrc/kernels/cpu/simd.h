// L4: vec<T> and mask<T>, the values that an operator's formula is poured into on the CPU, and all that formulas may
// say.
#pragma once
#include "kernels/cpu/simd_complex.h"  // which needs all the others
