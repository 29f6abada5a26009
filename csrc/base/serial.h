// L0: a thread that works beside others, such as one that loads data, leaves the pool of parallel.h to the program.
#pragma once

namespace rl {

void set_serial(bool on);  // of the calling thread

}  // namespace rl
