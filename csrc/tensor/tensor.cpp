#include "tensor/tensor.h"

#include <algorithm>
#include <numeric>

#include "tensor/shared_memory.h"

namespace rl {

thread_local constinit bool without_interpreter = false;

Storage* Storage::borrow(char* data, std::size_t bytes, void* owner, void (*give_back)(void*)) {
  auto* s = new (get_block(size_class(64))) Storage;
  s->bin = 0;
  s->bytes = bytes;
  s->data = data;
  s->owner = owner;
  s->give_back = give_back;
  return s;
}

void drop_aliased(void* storage) { static_cast<Storage*>(storage)->dec(); }

Storage* Storage::alias(Storage& other) {
  other.inc();
  return borrow(other.data, other.bytes, &other, drop_aliased);
}

namespace {

// The sizes of an empty tensor may have any product.
i64 wrapping_product(i64 a, i64 b) {
  return static_cast<i64>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

}  // namespace

void TensorImpl::update_geometry() {
  i64 expected = 1;
  bool contiguous = true;
  for (int i = ndim - 1; i >= 0; --i) {
    if (size[i] != 1 && stride[i] != expected) contiguous = false;
    expected = wrapping_product(expected, size[i]);
  }
  numel = expected;
  set(kContiguous, contiguous || numel == 0);
}

void Dims::insert(int at, i64 x) {
  push(0);
  std::copy_backward(value + at, value + n - 1, value + n);
  value[at] = x;
}

void Dims::erase(int at) {
  std::copy(value + at + 1, value + n, value + at);
  --n;
}

TensorImpl* empty_impl(Sizes size, DType d) {
  int n = static_cast<int>(size.size());
  i64 bytes = 0;
  i64 count = n == 0 ? 1 : checked_numel("empty", size);
  if (__builtin_mul_overflow(count, size_of(d), &bytes) || bytes > (i64{1} << 57))
    fail(ErrorKind::runtime, "[empty] the size must be representable. Received ", size, " of ", d, ".");
  Ref<Storage> storage = Ref<Storage>::steal(Storage::make(static_cast<std::size_t>(bytes)));  // first: it may raise
  TensorImpl* t = TensorImpl::blank(d, n);
  i64 step = 1;
  for (int i = n - 1; i >= 0; --i) {
    t->size[i] = size[static_cast<std::size_t>(i)];
    t->stride[i] = step;
    step = wrapping_product(step, std::max<i64>(t->size[i], 1));
  }
  t->numel = count;
  t->storage = storage.release();
  return t;
}

TensorImpl* empty_strided_impl(Sizes size, Sizes stride, DType d) {
  checked_numel("empty_strided", size);
  i64 span = storage_span(size, stride);
  Storage* storage = Storage::make(static_cast<std::size_t>(span * size_of(d)));
  TensorImpl* t = TensorImpl::blank(d, static_cast<int>(size.size()));
  std::copy(size.begin(), size.end(), t->size);
  std::copy(stride.begin(), stride.end(), t->stride);
  t->storage = storage;
  t->update_geometry();
  return t;
}

Tensor strided_alias(const TensorImpl& a, Sizes size, Sizes stride, i64 offset) {
  TensorImpl* t = TensorImpl::blank(a.dtype, static_cast<int>(size.size()));
  t->flags = a.flags & (kInference | kSparse);
  t->offset = offset;
  std::copy(size.begin(), size.end(), t->size);
  std::copy(stride.begin(), stride.end(), t->stride);
  t->storage = a.storage;
  t->storage->inc();
  t->update_geometry();
  return Tensor::steal(t);
}

void refuse_sparse(std::string_view op) {
  fail(ErrorKind::not_implemented, "[", op,
       "] is not implemented for sparse tensors. Call .to_dense() first, or work on .values().");
}

TensorImpl* sparse_shell_impl(Sizes size, DType d) {
  checked_numel("sparse", size);
  Tensor zero = zeros(Sizes{}, d);
  zero->set(kSparse, true);
  Dims strides;
  for (std::size_t k = 0; k < size.size(); ++k) strides.push(0);
  return strided_alias(*zero, size, strides, 0).release();
}

Tensor scalar_tensor(double value, DType d) {
  Tensor t = empty(Sizes{}, d);
  visit(d, [&]<class T>(Type<T>) { *t->data_as<T>() = cast<T>(value); });
  return t;
}

Tensor zeros(Sizes size, DType d) {
  Tensor t = empty(size, d);
  std::memset(t->data(), 0, static_cast<std::size_t>(t->numel * size_of(d)));
  return t;
}

i64 checked_numel(const char* op, Sizes size) {
  check(size.size() <= kMaxDim, ErrorKind::runtime, "[", op, "] a tensor has at most ", kMaxDim,
        " dimensions. Received ", size.size(), ".");
  i64 n = 1;
  bool overflow = false, zero = false;
  for (i64 s : size) {
    if (s < 0)
      fail(ErrorKind::runtime, "[", op, "] sizes must not be negative. Received ", size, ": negative dimension ", s,
           ".");
    zero |= s == 0;
    overflow |= __builtin_mul_overflow(n, s, &n);
  }
  if (zero) return 0;
  check(!overflow && n < (i64{1} << 56), ErrorKind::runtime, "[", op,
        "] the number of elements must fit into memory. Received ", size, ".");
  return n;
}

bool is_dense(const TensorImpl& a) {
  if (a.numel == 0) return true;
  int order[kMaxDim];
  std::iota(order, order + a.ndim, 0);
  std::stable_sort(order, order + a.ndim, [&](int i, int j) { return a.stride[i] < a.stride[j]; });
  i64 expected = 1;
  for (int k = 0; k < a.ndim; ++k) {
    int i = order[k];
    if (a.size[i] == 1) continue;
    if (a.stride[i] != expected) return false;
    expected *= a.size[i];
  }
  return true;
}

bool has_internal_overlap(const TensorImpl& a) {
  if (a.numel == 0) return false;
  for (int i = 0; i < a.ndim; ++i)
    if (a.size[i] > 1 && a.stride[i] == 0) return true;
  if (a.is_contiguous() || is_dense(a)) return false;
  // Sorted by stride, each step must clear the extent of all smaller ones: sufficient, and true of every view but
  // unfold's kind.
  int order[kMaxDim];
  std::iota(order, order + a.ndim, 0);
  std::sort(order, order + a.ndim, [&](int i, int j) { return a.stride[i] < a.stride[j]; });
  i64 reach = 0;
  for (int k = 0; k < a.ndim; ++k) {
    int i = order[k];
    if (a.size[i] <= 1) continue;
    if (a.stride[i] <= reach) return true;
    reach += (a.size[i] - 1) * a.stride[i];
  }
  return false;
}

i64 storage_span(Sizes size, Sizes stride) {
  i64 last = 0;
  for (std::size_t i = 0; i < size.size(); ++i) {
    if (size[i] == 0) return 0;
    i64 step;
    if (__builtin_mul_overflow(size[i] - 1, stride[i], &step) || __builtin_add_overflow(last, step, &last))
      fail(ErrorKind::runtime, "[as_strided] the extent must be representable. Received size ", size, " and stride ",
           stride, ".");
  }
  return last + 1;
}

Dims contiguous_strides(Sizes size) {
  Dims r(size);
  i64 step = 1;
  for (int i = r.n - 1; i >= 0; --i) {
    i64 s = r[i];
    r[i] = step;
    step = wrapping_product(step, std::max<i64>(s, 1));
  }
  return r;
}

Dims broadcast(std::string_view op, Sizes a, Sizes b) {
  Dims r(a.size() >= b.size() ? a : b);
  Sizes s = a.size() >= b.size() ? b : a;
  int shift = r.n - static_cast<int>(s.size());
  for (int i = 0; i < static_cast<int>(s.size()); ++i) {
    i64 x = s[static_cast<std::size_t>(i)], &y = r[i + shift];
    if (y == 1) y = x;
    else if (x != 1 && x != y)
      fail(ErrorKind::runtime, "[", op,
           "] shapes must broadcast: sizes agree or are 1, counted from the end. Received ", a, " and ", b, ".");
  }
  return r;
}

int wrap_dim(std::string_view op, i64 dim, i64 ndim) {
  i64 n = std::max<i64>(ndim, 1);
  if (dim < -n || dim >= n)
    fail(ErrorKind::index, "[", op, "] Dimension out of range: dim must be in [", -n, ", ", n - 1, "]. Received ", dim,
         ".");
  return static_cast<int>(dim < 0 ? dim + n : dim);
}

std::uint32_t dim_mask(std::string_view op, Sizes dims, int ndim) {
  std::uint32_t mask = 0;
  for (i64 d : dims) {
    std::uint32_t bit = 1u << wrap_dim(op, d, ndim);
    check(!(mask & bit), ErrorKind::runtime, "[", op, "] a dim must not appear twice. Received ", dims, ".");
    mask |= bit;
  }
  return mask;
}

Description::operator std::string() const { return str(tensor.dtype, tensor.sizes()); }

}  // namespace rl
