// What the rows with sliding windows share: one int or one per spatial dimension, and where things lie.
#pragma once
#include <algorithm>

#include "eager/call.h"

namespace rl {

// `given` as one number per spatial dimension.
inline Dims per_dimension(std::string_view op, const char* what, Sizes given, int spatial) {
  if (given.size() == 1) {
    Dims all;
    for (int d = 0; d < spatial; ++d) all.push(given[0]);
    return all;
  }
  check(static_cast<int>(given.size()) == spatial, ErrorKind::runtime, "[", op, "] expected ", what,
        " to be a single integer value or a list of ", spatial, " values to match the spatial dimensions, but got ",
        what, "=", given, ".");
  return Dims(given);
}

inline Dims per_dimension(const Call& c, const char* what, int argument, int spatial) {
  return per_dimension(c.op.name(), what, c.ints(argument), spatial);
}

constexpr i64 kLargestExtent = i64{1} << 31;  // sums and products of two such numbers fit

inline void check_each(std::string_view op, const char* text, const Dims& values, i64 least) {
  for (i64 v : Sizes(values))
    check(v >= least && v < kLargestExtent, ErrorKind::runtime, "[", op, "] ", text, ". Received ", Sizes(values), ".");
}

inline std::string by_times(Sizes sizes) {  // (3 x 4)
  std::string s = "(";
  for (std::size_t i = 0; i < sizes.size(); ++i) s += str(i ? " x " : "", sizes[i]);
  return s + ")";
}

}  // namespace rl
