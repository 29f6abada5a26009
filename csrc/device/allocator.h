// L1: memory in size classes. Freed blocks stay in bins: the page faults of a fresh block cost more than the work done
// in it.
#pragma once
#include <cstddef>

#include "base/check.h"

namespace rl {

// 64-byte steps up to 1 KiB, then four classes per power of two.
struct SizeClass {
  int index;
  std::size_t bytes;
};
constexpr int kSmallClasses = 16;
constexpr int kClasses = kSmallClasses + 4 * 48;

inline SizeClass size_class(std::size_t bytes) {
  if (bytes <= 1024) {
    int index = bytes == 0 ? 0 : static_cast<int>((bytes - 1) / 64);
    return {index, static_cast<std::size_t>(index + 1) * 64};
  }
  int log = 63 - __builtin_clzll(bytes - 1);
  std::size_t step = std::size_t{1} << (log - 2);
  std::size_t rounded = (bytes + step - 1) / step * step;
  int quarter = static_cast<int>((rounded - (std::size_t{1} << log)) / step);  // 1..4
  return {kSmallClasses + (log - 10) * 4 + quarter - 1, rounded};
}

// Blocks of at most 1 MiB are kept per thread, larger ones in bins that all threads share.
constexpr int kThreadClasses = kSmallClasses + 4 * 10;
struct ThreadBins {
  void* bin[kThreadClasses] = {};  // a free block's first word points to the next
  ~ThreadBins();
};
extern thread_local constinit ThreadBins* thread_bins_ [[gnu::tls_model("initial-exec")]];
ThreadBins& make_thread_bins();
inline ThreadBins& thread_bins() { return thread_bins_ ? *thread_bins_ : make_thread_bins(); }

void* new_block(SizeClass c);     // may raise: out of memory
void* take_shared_block(SizeClass c);
void put_shared_block(int index, void* block);

void free_block(int index, void* block);

#ifdef __SANITIZE_ADDRESS__
constexpr bool kKeepBlocks = false;  // the sanitizer sees every block come and go
#else
constexpr bool kKeepBlocks = true;
#endif

inline void* get_block(SizeClass c) {
  if constexpr (!kKeepBlocks) return new_block(c);
  if (c.index >= kThreadClasses) [[unlikely]]
    return take_shared_block(c);
  void*& head = thread_bins().bin[c.index];
  if (!head) [[unlikely]]
    return new_block(c);
  void* block = head;
  head = *static_cast<void**>(block);
  return block;
}
inline void put_block(int index, void* block) {
  if constexpr (!kKeepBlocks) return free_block(index, block);
  if (index >= kThreadClasses) [[unlikely]]
    return put_shared_block(index, block);
  void*& head = thread_bins().bin[index];
  *static_cast<void**>(block) = head;
  head = block;
}

// Objects of one size through the same bins.
template <class T> struct Pooled {
  static_assert(sizeof(T) <= 1024);
  static constexpr SizeClass kClass = {static_cast<int>((sizeof(T) - 1) / 64), (sizeof(T) + 63) / 64 * 64};
  static void* get() { return get_block(kClass); }
  static void put(void* p) { put_block(kClass.index, p); }
};

struct MemoryStatistics {
  std::size_t reserved = 0;  // bytes held from the system, cached blocks included
  std::size_t cached = 0;    // bytes of large blocks in the shared bins
};
MemoryStatistics memory_statistics();
void empty_cache();  // returns the shared bins' blocks and this thread's to the system

}  // namespace rl
