// L4: moves a block of rows x columns elements from one layout and dtype to another.
#pragma once
#include "tensor/dtype.h"

namespace rl {

struct MoveArgs {
  char* dst;
  i64 dst_row, dst_column;         // strides in bytes
  const char* src;
  i64 src_row, src_column;
  i64 rows, columns;
};
using Move = void (*)(const MoveArgs&);
Move move_function(DType from, DType to);

}  // namespace rl
