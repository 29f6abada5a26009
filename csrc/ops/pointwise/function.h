// Rows of one function of the vocabulary (schema/program.h), of one tensor; integers are computed as floating point.
#pragma once
#include "ops/expr.h"

// FUNCTION(name, dtypes, aliases, documentation, samples, gradient)
#define FUNCTION(name, dtypes_, aliases_, what, samples_, ...)                                               \
  OP(name, dtypes_, #name "(input: Tensor) -> Tensor") {                                                     \
    .doc = what, .aliases = aliases_, .result = Result::floating,                                            \
    .value = EXPR([](auto input) { return name(input); }), .grad = {GRAD(__VA_ARGS__)}, .samples = samples_, \
  }
