#include "device/allocator.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace rl {

thread_local constinit ThreadBins* thread_bins_ = nullptr;

namespace {

std::atomic<std::size_t> reserved{0}, cached{0};
std::mutex shared_mutex;
void* shared_bin[kClasses] = {};

// A child has only the thread that forked: another one's lock would never be given back in it.
[[maybe_unused]] const int held_over_fork =
    pthread_atfork([] { shared_mutex.lock(); }, [] { shared_mutex.unlock(); }, [] { shared_mutex.unlock(); });

std::size_t bytes_of_class(int index) {
  if (index < kSmallClasses) return static_cast<std::size_t>(index + 1) * 64;
  int log = 10 + (index - kSmallClasses) / 4, quarter = (index - kSmallClasses) % 4 + 1;
  return (std::size_t{1} << log) + (std::size_t{1} << (log - 2)) * static_cast<std::size_t>(quarter);
}

void free_list(void* block, std::size_t bytes) {
  while (block) {
    void* next = *static_cast<void**>(block);
    std::free(block);
    reserved -= bytes;
    block = next;
  }
}

// Linux promises memory that it does not have and ends the process when it is touched: refuse what can never fit.
std::size_t physical_memory() {
  static const std::size_t bytes =
      static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGE_SIZE));
  return bytes;
}

}  // namespace

ThreadBins::~ThreadBins() {
  for (int i = 0; i < kThreadClasses; ++i) free_list(bin[i], bytes_of_class(i));
}

ThreadBins& make_thread_bins() {
  // The bins of the main thread are never destroyed: static objects may free tensors after it.
  static std::atomic<bool> main_thread_has_bins{false};
  if (!main_thread_has_bins.exchange(true)) return *(thread_bins_ = new ThreadBins);
  struct Owner {
    ThreadBins bins;
    ~Owner() { thread_bins_ = nullptr; }
  };
  static thread_local Owner owner;
  return *(thread_bins_ = &owner.bins);
}

void* new_block(SizeClass c) {
  void* block =
      c.bytes > physical_memory() || reserved + c.bytes > physical_memory() ? nullptr : std::aligned_alloc(64, c.bytes);
  if (!block) {
    empty_cache();
    if (c.bytes <= physical_memory()) block = std::aligned_alloc(64, c.bytes);
    check(block != nullptr, ErrorKind::runtime, "[alloc] not enough memory: could not allocate ", c.bytes, " bytes. ",
          reserved.load(), " bytes are in use. Free tensors, or use a smaller shape or dtype.");
  }
  reserved += c.bytes;
  return block;
}

void free_block(int index, void* block) {
  std::free(block);
  reserved -= bytes_of_class(index);
}

void* take_shared_block(SizeClass c) {
  {
    std::lock_guard lock(shared_mutex);
    if (void* block = shared_bin[c.index]) {
      shared_bin[c.index] = *static_cast<void**>(block);
      cached -= c.bytes;
      return block;
    }
  }
  return new_block(c);
}

void put_shared_block(int index, void* block) {
  std::size_t bytes = bytes_of_class(index);
  if (cached + bytes > physical_memory() / 4) {  // a program that is done with large tensors should not keep them
    std::free(block);
    reserved -= bytes;
    return;
  }
  std::lock_guard lock(shared_mutex);
  *static_cast<void**>(block) = shared_bin[index];
  shared_bin[index] = block;
  cached += bytes;
}

MemoryStatistics memory_statistics() { return {reserved, cached}; }

void empty_cache() {
  std::lock_guard lock(shared_mutex);
  for (int i = 0; i < kClasses; ++i) { free_list(std::exchange(shared_bin[i], nullptr), bytes_of_class(i)); }
  cached = 0;
  if (thread_bins_)
    for (int i = 0; i < kThreadClasses; ++i) free_list(std::exchange(thread_bins_->bin[i], nullptr), bytes_of_class(i));
}

}  // namespace rl
