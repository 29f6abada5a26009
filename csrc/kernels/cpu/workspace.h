// L4: scratch memory for the duration of a kernel call, 64-byte aligned.
#pragma once
#include "device/allocator.h"

namespace rl {

class Workspace {
 public:
  explicit Workspace(i64 bytes)
      : class_(size_class(static_cast<std::size_t>(bytes))), data_(bytes > 0 ? get_block(class_) : nullptr) {}
  ~Workspace() {
    if (data_) put_block(class_.index, data_);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  template <class T> T* as() const { return static_cast<T*>(data_); }

 private:
  SizeClass class_;
  void* data_;
};

}  // namespace rl
