#include "tensor/shared_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace rl {
namespace {

struct Mapping {
  void* address;
  std::size_t bytes;
  int descriptor;
  // What the storage looked at before it was shared: others may have kept its address.
  void* former_owner = nullptr;
  void (*give_back_former)(void*) = nullptr;
};

void unmap(void* owner) {
  auto* m = static_cast<Mapping*>(owner);
  munmap(m->address, m->bytes);
  if (m->descriptor >= 0) close(m->descriptor);
  if (m->give_back_former) m->give_back_former(m->former_owner);
  delete m;
}

[[noreturn]] void refuse(std::size_t bytes, int error) {
  fail(error == EMFILE || error == ENFILE ? ErrorKind::runtime : ErrorKind::memory, "[shared_memory] ", bytes,
       " bytes cannot be shared: ", std::strerror(error), ". ",
       error == EMFILE ? "Raise the limit of open files (ulimit -n)." : "Free memory, or share less.");
}

Mapping* map(std::size_t bytes, int descriptor) {
  void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (address == MAP_FAILED) {
    int error = errno;
    close(descriptor);
    refuse(bytes, error);
  }
  return new Mapping{address, bytes, descriptor};
}

Mapping* new_mapping(std::size_t bytes) {
  int descriptor = memfd_create("rushlight", MFD_CLOEXEC);
  if (descriptor < 0) refuse(bytes, errno);
  if (ftruncate(descriptor, static_cast<off_t>(bytes))) {
    int error = errno;
    close(descriptor);
    refuse(bytes, error);
  }
  return map(bytes, descriptor);
}

Ref<Storage> storage_over(Mapping* m) {
  return Ref<Storage>::steal(Storage::borrow(static_cast<char*>(m->address), m->bytes, m, unmap));
}

Storage* root(const Storage& s) {
  auto* r = const_cast<Storage*>(&s);
  while (r->give_back == drop_aliased) r = static_cast<Storage*>(r->owner);
  return r;
}

}  // namespace

Ref<Storage> new_shared_storage(std::size_t bytes) { return storage_over(new_mapping(bytes)); }

Ref<Storage> map_shared_storage(std::size_t bytes, int descriptor) { return storage_over(map(bytes, descriptor)); }

bool is_shared(const Storage& storage) { return root(storage)->give_back == unmap; }

int shared_descriptor(const Storage& storage) {
  return is_shared(storage) ? static_cast<Mapping*>(root(storage)->owner)->descriptor : -1;
}

void close_descriptor(Storage& storage) {
  if (shared_descriptor(storage) >= 0)
    close(std::exchange(static_cast<Mapping*>(root(storage)->owner)->descriptor, -1));
}

void share(Storage& storage) {
  Storage* r = root(storage);
  if (r->bytes == 0 || is_shared(storage)) return;
  Mapping* m = new_mapping(r->bytes);
  std::memcpy(m->address, r->data, r->bytes);
  m->former_owner = std::exchange(r->owner, m);
  m->give_back_former = std::exchange(r->give_back, unmap);
  for (Storage* s = &storage;; s = static_cast<Storage*>(s->owner)) {
    s->data = static_cast<char*>(m->address);
    if (s == r) break;
  }
}

}  // namespace rl
