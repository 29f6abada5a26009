// L2: reference counts, storage, shapes, views. A Tensor is a counted pointer to a TensorImpl.
#pragma once
#include <array>
#include <atomic>
#include <initializer_list>
#include <new>
#include <span>
#include <utility>

#include "device/allocator.h"
#include "tensor/dtype.h"

namespace rl {

constexpr int kMaxDim = 16;

struct Counted {
  std::atomic<std::int32_t> count{1};
  void inc() { count.fetch_add(1, std::memory_order_relaxed); }
  bool unique() const { return count.load(std::memory_order_acquire) == 1; }
  bool dec_is_last() { return unique() || count.fetch_sub(1, std::memory_order_acq_rel) == 1; }
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
  void destroy();
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
  Node* node;                  // grad_fn (owned); of a leaf: its accumulator (not owned)
  TensorImpl* grad;
  TensorImpl* base;            // of a view: the tensor it looks into
  TensorExtras* extras;        // hooks of a leaf
  void* py;                    // the Python object, if there is one now
  i64 size[kMaxDim], stride[kMaxDim];

  static TensorImpl* raw() { return new (Pooled<TensorImpl>::get()) TensorImpl; }
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

TensorImpl* empty_impl(Sizes size, DType d);                       // contiguous, uninitialised
TensorImpl* empty_like_impl(const TensorImpl& a, DType d);         // the same, geometry copied (a is contiguous)
TensorImpl* empty_strided_impl(Sizes size, Sizes stride, DType d);
TensorImpl* alias_impl(const TensorImpl& a);                       // same storage and geometry, no autograd
inline Tensor empty(Sizes size, DType d) { return Tensor::steal(empty_impl(size, d)); }
inline Tensor empty(std::initializer_list<i64> size, DType d) { return empty(Sizes{size.begin(), size.size()}, d); }
inline Tensor alias(const TensorImpl& a) { return Tensor::steal(alias_impl(a)); }
Tensor strided_alias(const TensorImpl& a, Sizes size, Sizes stride, i64 offset);
Tensor scalar_tensor(double value, DType d);
Tensor zeros(Sizes size, DType d);

bool same_shape(const TensorImpl& a, const TensorImpl& b);
bool same_sizes(Sizes a, Sizes b);
i64 checked_numel(const char* op, Sizes size);                     // raises on negative or overflowing sizes
bool is_dense(const TensorImpl& a);  // covers its memory without gaps or overlaps, in some order
bool has_internal_overlap(const TensorImpl& a);  // two indices may name one element
i64 storage_span(Sizes size, Sizes stride);  // elements from the first to the last one reached
Dims contiguous_strides(Sizes size);
Dims broadcast(std::string_view op, Sizes a, Sizes b);

// dim counted from the end when negative; raises IndexError. A 0-d tensor has one dimension here, as in PyTorch.
int wrap_dim(std::string_view op, i64 dim, i64 ndim);
std::uint32_t dim_mask(std::string_view op, Sizes dims, int ndim);  // bits of wrapped dims; raises on repetition

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

}  // namespace rl
