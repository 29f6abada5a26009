// L2: reference counts, storage, shapes, views. A Tensor is a counted pointer to a TensorImpl.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <initializer_list>
#include <new>
#include <span>
#include <utility>

#include "device/allocator.h"
#include "tensor/dtype.h"
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace rl {

constexpr int kMaxDim = 16;

// Set while a thread works without the interpreter's lock; the sanitizer build holds every count to the rule.
extern thread_local constinit bool without_interpreter [[gnu::tls_model("initial-exec")]];

// Counts change under the interpreter's lock only: a kernel that runs without it neither copies nor drops a reference.
// So a count is a plain number (docs/decisions/0011); atomic in name, that reading it from elsewhere is no error.
struct Counted {
  std::atomic<std::int32_t> count{1};
  void inc() { set(count.load(std::memory_order_relaxed) + 1); }
  bool unique() const { return count.load(std::memory_order_relaxed) == 1; }
  bool dec_is_last() {
    if (unique()) return true;
    set(count.load(std::memory_order_relaxed) - 1);
    return false;
  }

 private:
  void set(std::int32_t n) {
#ifdef __SANITIZE_ADDRESS__
    check(!without_interpreter, ErrorKind::runtime, "[count] a reference was counted without the interpreter's lock.");
#endif
    count.store(n, std::memory_order_relaxed);
  }
};

template <class T> class Ref {
 public:
  Ref() = default;
  explicit Ref(T* p) : p_(p) {
    if (p_) p_->inc();
  }
  static Ref steal(T* p) {
    Ref r;
    r.p_ = p;
    return r;
  }
  Ref(const Ref& o) : Ref(o.p_) {}
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() {
    if (p_) p_->dec();
  }
  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_; }
  T* release() { return std::exchange(p_, nullptr); }

 private:
  T* p_ = nullptr;
};

// The version counts writes; every tensor on the same storage shares it. Data follows the header in the same block, or
// is foreign memory (NumPy, DLPack) or another storage's, given back through `give_back(owner)`.
struct Storage : Counted {
  int bin = -1;
  std::uint32_t version = 0;
  std::size_t bytes = 0;
  char* data = nullptr;
  void* owner = nullptr;
  void (*give_back)(void* owner) = nullptr;

  static Storage* make(std::size_t bytes);
  static Storage* borrow(char* data, std::size_t bytes, void* owner, void (*give_back)(void*));
  static Storage* alias(Storage& other);  // the same memory with a version counter of its own
  void dec() {
    if (dec_is_last()) destroy();
  }
  void destroy() {
    if (give_back) give_back(owner);
    put_block(bin, this);
  }
};

struct Node;       // eager/tape.h
struct TensorImpl;
struct TensorExtras;
void drop_autograd(TensorImpl* t);  // eager/tape.cpp

enum TensorFlag : std::uint8_t {
  kRequiresGrad = 1,
  kContiguous = 2,
  kWrappedNumber = 4,   // made from a Python number: takes part in promotion by category only
  kRetainsGrad = 8,
  kInference = 16,      // made in inference mode: never on a tape
  kOwnsPython = 32,     // the tensor holds its Python object instead of the other way round
  kViewNoGrad = 64,     // a view made under no_grad: in-place writes with gradients are refused
  kSparse = 128,        // a shell: shape and dtype alone; a class in Python holds the elements
};

struct TensorImpl : Counted {
  DType dtype;
  std::uint8_t ndim;
  std::uint8_t flags;
  std::uint8_t output_index;   // which output of `node` this is
  std::uint32_t
      history;       // of a base: how often its history was rewritten; of a view: the base's count when node was set
  i64 numel;
  i64 offset;                  // in elements
  Storage* storage;
  Node* node;                  // grad_fn (owned); of a leaf: its accumulator, see Node::dormant
  TensorImpl* grad;
  TensorImpl* base;            // of a view: the tensor it looks into
  TensorExtras* extras;        // hooks of a leaf
  void* py;                    // the Python object, if there is one now
  i64 size[kMaxDim], stride[kMaxDim];

  static TensorImpl* blank(DType d, int ndim);  // contiguous; sizes and storage are the caller's to fill in
  void dec() {
    if (dec_is_last()) destroy();
  }
  void destroy() {
    if (node || grad || base || extras || (flags & kOwnsPython)) [[unlikely]]
      drop_autograd(this);
    if (storage) storage->dec();
    Pooled<TensorImpl>::put(this);
  }

  char* data() const { return storage->data + offset * size_of(dtype); }
  template <class T> T* data_as() const { return reinterpret_cast<T*>(data()); }
  bool requires_grad() const { return flags & kRequiresGrad; }
  bool is_contiguous() const { return flags & kContiguous; }
  bool has(TensorFlag f) const { return flags & f; }
  void set(TensorFlag f, bool on) { flags = static_cast<std::uint8_t>(on ? flags | f : flags & ~f); }
  std::span<const i64> sizes() const { return {size, ndim}; }
  std::span<const i64> strides() const { return {stride, ndim}; }
  void update_geometry();  // numel and kContiguous from size and stride
};

class Tensor : public Ref<TensorImpl> {
 public:
  using Ref::Ref;
  Tensor() = default;
  Tensor(Ref<TensorImpl> r) : Ref(std::move(r)) {}
  static Tensor steal(TensorImpl* t) { return Ref<TensorImpl>::steal(t); }
};

using Sizes = std::span<const i64>;

// Shapes that are built step by step (infer rules, views).
struct Dims {
  i64 value[kMaxDim];
  int n = 0;
  Dims() = default;
  Dims(Sizes s) {
    for (i64 x : s) push(x);
  }
  Dims(std::initializer_list<i64> s) {
    for (i64 x : s) push(x);
  }
  void push(i64 x) {
    check(n < kMaxDim, ErrorKind::runtime, "[shape] a tensor has at most ", kMaxDim, " dimensions. Received more.");
    value[n++] = x;
  }
  void insert(int at, i64 x);
  void erase(int at);
  i64& operator[](int i) { return value[i]; }
  i64 operator[](int i) const { return value[i]; }
  i64& back() { return value[n - 1]; }
  operator Sizes() const { return {value, static_cast<std::size_t>(n)}; }
};

TensorImpl* empty_impl(Sizes size, DType d, std::string_view op = "empty");  // contiguous, uninitialised
inline TensorImpl* empty_like_impl(const TensorImpl& a, DType d);  // the same, geometry copied (a is contiguous)
TensorImpl* empty_strided_impl(Sizes size, Sizes stride, DType d);
inline TensorImpl* alias_impl(const TensorImpl& a);                // same storage and geometry, no autograd
inline Tensor empty(Sizes size, DType d) { return Tensor::steal(empty_impl(size, d)); }
inline Tensor empty(std::initializer_list<i64> size, DType d) { return empty(Sizes{size.begin(), size.size()}, d); }
inline Tensor alias(const TensorImpl& a) { return Tensor::steal(alias_impl(a)); }
Tensor strided_alias(const TensorImpl& a, Sizes size, Sizes stride, i64 offset);
Tensor scalar_tensor(double value, DType d);
Tensor zeros(Sizes size, DType d);

inline bool same_sizes(Sizes a, Sizes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }
inline bool same_shape(const TensorImpl& a, const TensorImpl& b);
i64 checked_numel(std::string_view op, Sizes size);                // raises on negative or overflowing sizes
bool is_dense(const TensorImpl& a);  // covers its memory without gaps or overlaps, in some order
bool has_internal_overlap(const TensorImpl& a);  // two indices may name one element
i64 storage_span(Sizes size, Sizes stride);  // elements from the first to the last one reached
Dims contiguous_strides(Sizes size);
Dims broadcast(std::string_view op, Sizes a, Sizes b);

// dim counted from the end when negative; raises IndexError. A 0-d tensor has one dimension here, as in PyTorch.
int wrap_dim(std::string_view op, i64 dim, i64 ndim);
std::uint32_t dim_mask(std::string_view op, Sizes dims, int ndim);  // bits of wrapped dims; raises on repetition

// A contiguous tensor as [outer, n, inner] around one dimension; a 0-d tensor is [1, 1, 1].
struct Along {
  i64 outer = 1, n = 1, inner = 1;
  Along(Sizes size, int dim) {
    for (int d = 0; d < static_cast<int>(size.size()); ++d)
      (d < dim ? outer : d == dim ? n : inner) *= size[static_cast<std::size_t>(d)];
  }
};

// What every reader and writer of elements asks of its tensors first.
[[noreturn, gnu::cold]] void refuse_sparse(std::string_view op);
inline void require_elements(std::string_view op, const TensorImpl& t) {
  if (t.has(kSparse)) [[unlikely]]
    refuse_sparse(op);
}
TensorImpl* sparse_shell_impl(Sizes size, DType d);  // its memory is one zero, which no stride leaves

// float32[2, 3]; becomes text only when a message is written, so that a check that holds costs nothing.
struct Description {
  const TensorImpl& tensor;
  operator std::string() const;
};
inline Description describe(const TensorImpl& t) { return {t}; }
inline void append(std::string& s, const Description& d) { s += std::string(d); }
inline void append(std::string& s, const TensorImpl& t) { append(s, describe(t)); }
inline void append(std::string& s, const Tensor& t) { t ? append(s, *t) : append(s, "None"); }

// --- inline: what every call does
inline Storage* Storage::make(std::size_t bytes) {
  static_assert(sizeof(Storage) <= 64);
  SizeClass c = size_class(bytes + 64);
  auto* s = new (get_block(c)) Storage;
  s->bin = c.index;
  s->bytes = bytes;
  s->data = reinterpret_cast<char*>(s) + 64;
#ifdef __SANITIZE_ADDRESS__
  __asan_poison_memory_region(s->data + bytes, c.bytes - 64 - bytes);  // what the size class adds belongs to nobody
#endif
  return s;
}

inline TensorImpl* TensorImpl::blank(DType d, int ndim) {
  TensorImpl* t = new (Pooled<TensorImpl>::get()) TensorImpl;
  t->dtype = d;
  t->ndim = static_cast<std::uint8_t>(ndim);
  t->flags = kContiguous;
  t->output_index = 0;
  t->history = 0;
  t->offset = 0;
  t->storage = nullptr;
  t->node = nullptr;
  t->grad = t->base = nullptr;
  t->extras = nullptr;
  t->py = nullptr;
  return t;
}

inline TensorImpl* empty_like_impl(const TensorImpl& a, DType d) {
  Storage* storage = Storage::make(static_cast<std::size_t>(a.numel * size_of(d)));
  TensorImpl* t = TensorImpl::blank(d, a.ndim);
  for (int i = 0; i < a.ndim; ++i) t->size[i] = a.size[i], t->stride[i] = a.stride[i];
  t->numel = a.numel;
  t->storage = storage;
  return t;
}

inline TensorImpl* alias_impl(const TensorImpl& a) {
  TensorImpl* t = TensorImpl::blank(a.dtype, a.ndim);
  t->flags = a.flags & (kContiguous | kInference | kWrappedNumber | kSparse);
  t->offset = a.offset;
  t->numel = a.numel;
  for (int i = 0; i < a.ndim; ++i) t->size[i] = a.size[i], t->stride[i] = a.stride[i];
  t->storage = a.storage;
  if (t->storage) t->storage->inc();
  return t;
}

inline bool same_shape(const TensorImpl& a, const TensorImpl& b) {
  if (a.ndim != b.ndim) return false;
  for (int i = 0; i < a.ndim; ++i)
    if (a.size[i] != b.size[i]) return false;
  return true;
}

}  // namespace rl
