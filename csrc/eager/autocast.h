// L5: autocasting: in a region, products run in a short dtype and what needs precision runs in float32.
#pragma once
#include <string_view>

#include "schema/opdef.h"

namespace rl {

enum class CastRule : std::uint8_t {
  none,
  lower,    // its tensors become the region's dtype
  full,     // they become float32
  widest,   // they become float32 if one of them is
  unchanged,  // they stay, as what the function calls
};
CastRule cast_rule(std::string_view name);  // of a public function: "matmul", "linalg.inv"

// The one flag that a call looks at; off while a function that has a rule runs.
extern thread_local constinit bool autocasting [[gnu::tls_model("initial-exec")]];

struct AutocastMode {  // for a scope
  explicit AutocastMode(bool on) : before(autocasting) { autocasting = on; }
  ~AutocastMode() { autocasting = before; }
  bool before;
};

struct AutocastRegion {  // of this thread; its dtype and cache outlive the flag
  DType dtype = DType::bf16;
  bool keeps_weights = true;
};
extern thread_local constinit AutocastRegion autocast_region;
void forget_cast_weights();

// A tensor as a rule wants it: floating point other than float64 is converted, on the tape. A leaf that wants a
// gradient is converted once.
Tensor cast_to(TensorImpl& t, DType d);
DType cast_dtype(CastRule rule);

// invoke() with converted arguments; false when the row has no rule. Out of line: invoke() is short.
[[gnu::noinline, gnu::cold]] bool invoke_cast(const OpDef& op, const Arg* arg, Tensor* out);

}  // namespace rl
