// L2: memory that processes share. It is a file without a name (memfd): gone with the last process that has it mapped
// or holds its descriptor, however that process ends.
#pragma once
#include "tensor/tensor.h"

namespace rl {

// A storage over shared memory: over new memory, or over what a descriptor that another process sent stands for, which
// it takes over.
Ref<Storage> new_shared_storage(std::size_t bytes);
Ref<Storage> map_shared_storage(std::size_t bytes, int descriptor);

bool is_shared(const Storage& storage);

// The descriptor of the memory under a storage, which the storage keeps; -1 where it is not shared, or was closed.
int shared_descriptor(const Storage& storage);
void close_descriptor(Storage& storage);  // for memory that is not sent any more: descriptors are few

// Moves the bytes of a storage to shared memory.
void share(Storage& storage);

void drop_aliased(void* storage);  // what Storage::alias gives as give_back

}  // namespace rl
