// What the rows that draw random numbers share: whose numbers, into what memory.
#pragma once
#include "eager/call.h"
#include "kernels/pointwise.h"
#include "kernels/random.h"

namespace rl {

inline Generator& generator_of(const Call& c, int k) {
  return c.has(k) ? *static_cast<Generator*>(c.arg[k].opaque) : default_generator();
}

constexpr i64 kLongDraw = 1 << 14;  // elements; longer draws run without Python's lock

// draw(generator) with the stream to itself.
template <class Draw> void with_generator(const Call& c, int k, i64 elements, Draw&& draw) {
  WithoutInterpreter released(elements >= kLongDraw);
  std::lock_guard lock(generator_mutex());
  draw(generator_of(c, k));
}

// draw(memory, generator) fills `out`, element after element as they lie in memory; gaps are left alone.
template <class Draw> void draw_into(const Call& c, int k, TensorImpl& out, Draw&& draw) {
  if (is_dense(out)) return with_generator(c, k, out.numel, [&](Generator& g) { draw(out.data(), g); });
  Tensor work = empty(out.sizes(), out.dtype);
  with_generator(c, k, out.numel, [&](Generator& g) { draw(work->data(), g); });
  copy_elements(out, *work);
}

// What was drawn does not depend on what was there.
inline void no_gradients(Backward& b) {
  for (int k = 0; k < 2; ++k)
    if (b.op().signature->param[k].is_operand() && b.needs(k)) b.set(k, zeros(b.sizes(k), b.dtype(k)));
}

}  // namespace rl
