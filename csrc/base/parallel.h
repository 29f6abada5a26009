// L0: the one thread pool (libgomp, which oneDNN brings too; a second pool on the same cores would fight it).
#pragma once
#include <algorithm>
#include <cstdint>

#include "base/check.h"

namespace rl {

int num_threads();
void set_num_threads(int n);
bool in_parallel();

using RangeFunction = void (*)(void* closure, i64 begin, i64 end);
void parallel_ranges(i64 n, i64 grain, RangeFunction run, void* closure);

// Calls body(begin, end) over [0, n). Ranges begin at multiples of `grain`, so what a range computes never depends on
// how many threads there are; below two grains it runs on the calling thread. An exception in a range reaches the
// caller.
template <class Body>
void parallel_for(i64 n, i64 grain, Body&& body) {
  if (n <= 0) return;
  if (n <= grain) return body(i64{0}, n);
  using Closure = std::remove_reference_t<Body>;
  parallel_ranges(
      n, grain, [](void* c, i64 b, i64 e) { (*static_cast<Closure*>(c))(b, e); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace rl
