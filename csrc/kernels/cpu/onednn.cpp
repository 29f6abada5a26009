#include "kernels/cpu/onednn.h"

#include <dlfcn.h>
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

#include <array>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "kernels/cpu/workspace.h"

namespace rl {
namespace {

// ---- the library

// clang-format off
#define RL_ONEDNN_FUNCTIONS(F)                                                                                \
  F(engine_create) F(stream_create) F(memory_desc_create_with_strides) F(memory_desc_create_with_tag)         \
  F(memory_desc_destroy) F(memory_desc_equal) F(memory_desc_get_size) F(memory_create)                        \
  F(memory_set_data_handle) F(memory_destroy) F(primitive_attr_create) F(primitive_attr_destroy)              \
  F(primitive_attr_set_post_ops) F(post_ops_create) F(post_ops_destroy) F(post_ops_append_sum)                \
  F(post_ops_append_eltwise) F(matmul_primitive_desc_create) F(convolution_forward_primitive_desc_create)     \
  F(convolution_backward_data_primitive_desc_create) F(convolution_backward_weights_primitive_desc_create)    \
  F(reorder_primitive_desc_create) F(primitive_desc_query) F(primitive_desc_query_md)                         \
  F(primitive_desc_destroy) F(primitive_create) F(primitive_execute) F(primitive_destroy)                     \
  F(get_effective_cpu_isa)
// clang-format on

struct Library {
#define RL_MEMBER(name) decltype(&dnnl_##name) name = nullptr;
  RL_ONEDNN_FUNCTIONS(RL_MEMBER)
#undef RL_MEMBER
  dnnl_engine_t engine = nullptr;
  std::string problem;  // why it could not be loaded; empty when it was

  Library() {
    void* handle = nullptr;
    Dl_info self;
    if (dladdr(reinterpret_cast<void*>(&onednn_available), &self) && self.dli_fname) {
      std::string path = self.dli_fname;
      path.erase(path.rfind('/') + 1);
      handle = dlopen((path + "lib/libdnnl.so.3").c_str(), RTLD_LAZY | RTLD_LOCAL);
    }
    if (!handle) handle = dlopen("libdnnl.so.3", RTLD_LAZY | RTLD_LOCAL);
    if (!handle) {
      problem = "libdnnl.so.3 was not found";
      return;
    }
#define RL_LOOK_UP(name)                                                 \
  name = reinterpret_cast<decltype(name)>(dlsym(handle, "dnnl_" #name)); \
  if (!name) problem = "libdnnl.so.3 lacks dnnl_" #name;
    RL_ONEDNN_FUNCTIONS(RL_LOOK_UP)
#undef RL_LOOK_UP
    if (problem.empty() && engine_create(&engine, dnnl_cpu, 0) != dnnl_success) problem = "oneDNN found no CPU engine";
  }
};

const Library& try_library() {
  static const Library* library = new Library;  // never unloaded: threads may hold primitives until they end
  return *library;
}

const Library& library() {
  const Library& l = try_library();
  check(l.problem.empty(), ErrorKind::runtime, "[onednn] this needs oneDNN 3. Received none: ", l.problem,
        ". Reinstall the package, whose lib/ folder holds it.");
  return l;
}

void require(dnnl_status_t status, const char* what) {
  check(status == dnnl_success, status == dnnl_out_of_memory ? ErrorKind::memory : ErrorKind::runtime, "[onednn] ",
        what, " failed with status ", static_cast<int>(status), ".");
}

// Owners of oneDNN's handles.
struct DeleteDescriptor {
  void operator()(dnnl_memory_desc_t p) const { library().memory_desc_destroy(p); }
};
struct DeleteMemory {
  void operator()(dnnl_memory_t p) const { library().memory_destroy(p); }
};
struct DeletePrimitiveDescriptor {
  void operator()(dnnl_primitive_desc_t p) const { library().primitive_desc_destroy(p); }
};
struct DeletePrimitive {
  void operator()(dnnl_primitive_t p) const { library().primitive_destroy(p); }
};
struct DeleteAttributes {
  void operator()(dnnl_primitive_attr_t p) const { library().primitive_attr_destroy(p); }
};
using Descriptor = std::unique_ptr<dnnl_memory_desc, DeleteDescriptor>;
using Memory = std::unique_ptr<dnnl_memory, DeleteMemory>;
using PrimitiveDescriptor = std::unique_ptr<dnnl_primitive_desc, DeletePrimitiveDescriptor>;
using Primitive = std::unique_ptr<dnnl_primitive, DeletePrimitive>;
using Attributes = std::unique_ptr<dnnl_primitive_attr, DeleteAttributes>;

dnnl_data_type_t data_type(DType dtype) {
  return dtype == DType::bf16 ? dnnl_bf16 : dtype == DType::f16 ? dnnl_f16 : dnnl_f32;
}

Descriptor describe(int rank, const i64* sizes, const i64* strides, DType dtype = DType::f32) {
  dnnl_memory_desc_t d = nullptr;
  require(library().memory_desc_create_with_strides(&d, rank, sizes, data_type(dtype), strides), "describing a tensor");
  return Descriptor(d);
}

Descriptor describe_contiguous(int rank, const i64* sizes) {
  i64 strides[DNNL_MAX_NDIMS], step = 1;
  for (int i = rank - 1; i >= 0; --i) strides[i] = step, step *= sizes[i];
  return describe(rank, sizes, strides);
}

Memory make_memory(const_dnnl_memory_desc_t d) {
  dnnl_memory_t m = nullptr;
  require(library().memory_create(&m, d, library().engine, DNNL_MEMORY_NONE), "creating a memory object");
  return Memory(m);
}

Primitive make_primitive(const_dnnl_primitive_desc_t d) {
  dnnl_primitive_t p = nullptr;
  require(library().primitive_create(&p, d), "creating a primitive");
  return Primitive(p);
}

bool is_reference(const_dnnl_primitive_desc_t d) {
  const char* name = nullptr;
  require(library().primitive_desc_query(d, dnnl_query_impl_info_str, 0, &name), "asking for an implementation's name");
  return std::string_view(name).starts_with("ref");
}

void set(const Memory& m, const void* data) {
  require(library().memory_set_data_handle(m.get(), const_cast<void*>(data)), "setting a data pointer");
}

void execute(const Primitive& p, int count, const dnnl_exec_arg_t* args) {
  static thread_local dnnl_stream_t stream = [] {
    dnnl_stream_t s = nullptr;
    require(library().stream_create(&s, library().engine, dnnl_stream_default_flags), "creating a stream");
    return s;
  }();
  require(library().primitive_execute(p.get(), stream, count, args), "running a primitive");
}

// oneDNN takes as many threads as OpenMP offers to the calling thread, and some primitives fix that when they are
// created.
int offered_threads() {
  int n = in_parallel() ? 1 : num_threads();
  omp_set_num_threads(n);
  return n;
}

// oneDNN's own relu turns NaN into 0 and would hide a diverged model, so relu is a pass of ours afterwards.
template <class T> void relu_rows(T* c, i64 batch, i64 batch_stride, i64 rows, i64 row_stride, i64 columns) {
  parallel_for(batch * rows, std::max<i64>(1, 32768 / columns), [&](i64 begin, i64 end) {
    for (i64 r = begin; r < end; ++r) {
      T* row = c + r / rows * batch_stride + r % rows * row_stride;
      for (i64 j = 0; j < columns; ++j) row[j] = row[j] < 0.f ? T(0.f) : row[j];
    }
  });
}

// `activation` is none, gelu or gelu_tanh.
Attributes make_attributes(Activation activation, bool accumulate, DType dtype = DType::f32) {
  const Library& l = library();
  dnnl_primitive_attr_t a = nullptr;
  require(l.primitive_attr_create(&a), "creating attributes");
  Attributes attributes(a);
  if (activation == Activation::none && !accumulate) return attributes;
  dnnl_post_ops_t ops = nullptr;
  require(l.post_ops_create(&ops), "creating post-operations");
  if (accumulate) require(l.post_ops_append_sum(ops, 1.f, 0, data_type(dtype)), "adding a sum");
  auto alg = activation == Activation::gelu ? dnnl_eltwise_gelu_erf : dnnl_eltwise_gelu_tanh;
  if (activation != Activation::none) require(l.post_ops_append_eltwise(ops, alg, 0.f, 0.f), "adding an activation");
  require(l.primitive_attr_set_post_ops(a, ops), "setting post-operations");
  l.post_ops_destroy(ops);
  return attributes;
}

// ---- the cache: per thread, so that a call needs no lock and owns the memory objects whose pointers it sets

struct Key {
  std::array<i64, 36> words{};
  int used = 0;
  void add(i64 w) { words[static_cast<std::size_t>(used++)] = w; }
  bool operator==(const Key& o) const {
    return used == o.used && std::equal(words.begin(), words.begin() + used, o.words.begin());
  }
};
struct KeyHash {
  std::size_t operator()(const Key& k) const {
    std::uint64_t h = 0x9e3779b97f4a7c15u;
    for (int i = 0; i < k.used; ++i) {
      h = (h ^ static_cast<std::uint64_t>(k.words[static_cast<std::size_t>(i)])) * 0xff51afd7ed558ccdu;
      h ^= h >> 32;
    }
    return h;
  }
};

// The least recently used entry goes when there are more than `limit`.
template <class Value> class Cache {
 public:
  explicit Cache(std::size_t limit) : limit_(limit) {}
  template <class Make> Value& get(const Key& key, Make make) {
    if (!entries_.empty() && entries_.front().first == key) return entries_.front().second;
    auto found = index_.find(key);
    if (found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return entries_.front().second;
    }
    entries_.emplace_front(key, make());
    index_[key] = entries_.begin();
    if (entries_.size() > limit_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    return entries_.front().second;
  }

 private:
  using Entry = std::pair<Key, Value>;
  std::size_t limit_;
  std::list<Entry> entries_;
  std::unordered_map<Key, typename std::list<Entry>::iterator, KeyHash> index_;
};

// ---- matrix product

struct Matmul {
  Primitive primitive;  // null: nothing but the reference implementation exists
  Memory a, b, bias, c;
};

// An extent of 1 may come with any stride; oneDNN is given one that fits the other dimensions.
Descriptor describe_matrix(DType dtype, bool batched, i64 batch, i64 batch_stride, i64 rows, i64 row, i64 columns,
                           i64 col) {
  i64 sizes[3] = {batch, rows, columns}, strides[3] = {batch_stride, row, col};
  if (rows == 1 && strides[2] == 1) strides[1] = columns;
  if (columns == 1 && strides[1] == 1) strides[2] = rows;
  if (batch == 1) strides[0] = rows * columns;
  return batched ? describe(3, sizes, strides, dtype) : describe(2, sizes + 1, strides + 1, dtype);
}

Matmul make_matmul(const GemmArgs& g) {
  const Library& l = library();
  bool batched = g.batch > 1;
  Descriptor a = describe_matrix(g.dtype, batched, g.a_batch ? g.batch : 1, g.a_batch, g.m, g.a_row, g.k, g.a_col);
  Descriptor b = describe_matrix(g.dtype, batched, g.b_batch ? g.batch : 1, g.b_batch, g.k, g.b_row, g.n, g.b_col);
  Descriptor c = describe_matrix(g.dtype, batched, g.batch, g.c_batch, g.m, g.c_row, g.n, 1);
  Descriptor bias = g.bias ? describe_matrix(g.dtype, batched, 1, g.n, 1, g.n, g.n, 1) : nullptr;
  Attributes attributes = make_attributes(g.activation, g.accumulate, g.dtype);
  dnnl_primitive_desc_t d = nullptr;
  if (l.matmul_primitive_desc_create(&d, l.engine, a.get(), b.get(), bias.get(), c.get(), attributes.get()) !=
      dnnl_success)
    return {};
  PrimitiveDescriptor descriptor(d);
  if (is_reference(d)) return {};
  return {make_primitive(d), make_memory(a.get()), make_memory(b.get()), bias ? make_memory(bias.get()) : nullptr,
          make_memory(c.get())};
}

// ---- convolution

// One tensor of a convolution: as the user has it (plain), and as the implementation wants it (inner, when that
// differs).
struct Operand {
  Memory plain, inner;
  Primitive reorder;
  i64 bytes = 0;  // of the inner tensor; 0 when it is the plain one
};

struct Convolution {
  Primitive primitive;  // null: nothing but the reference implementation exists
  Operand x, w, y;
  Memory bias;
};

enum class Direction { forward, backward_data, backward_weights };

Operand make_operand(const_dnnl_memory_desc_t plain, const_dnnl_memory_desc_t inner, bool is_result) {
  const Library& l = library();
  Operand o;
  o.plain = make_memory(plain);
  if (l.memory_desc_equal(plain, inner)) return o;
  o.inner = make_memory(inner);
  o.bytes = static_cast<i64>(l.memory_desc_get_size(inner));
  dnnl_primitive_desc_t d = nullptr;
  auto from = is_result ? inner : plain, to = is_result ? plain : inner;
  require(l.reorder_primitive_desc_create(&d, from, l.engine, to, l.engine, nullptr), "describing a change of layout");
  PrimitiveDescriptor descriptor(d);
  o.reorder = make_primitive(d);
  return o;
}

// Where a convolution's tensors lie while it runs; `any` leaves it to oneDNN, whose choice is not always the fastest.
enum class Layout { any, plain, channels_last, blocked };

Descriptor describe_layout(int rank, const i64* sizes, Layout layout) {
  constexpr dnnl_format_tag_t last[3] = {dnnl_acb, dnnl_acdb, dnnl_acdeb};
  constexpr dnnl_format_tag_t by8[3] = {dnnl_aBc8b, dnnl_aBcd8b, dnnl_aBcde8b},
                              by16[3] = {dnnl_aBc16b, dnnl_aBcd16b, dnnl_aBcde16b};
  if (layout == Layout::plain) return describe_contiguous(rank, sizes);
  const Library& l = library();
  bool wide = (l.get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
  auto tag = layout == Layout::any             ? dnnl_format_tag_any
             : layout == Layout::channels_last ? last[rank - 3]
             : wide                            ? by16[rank - 3]
                                               : by8[rank - 3];
  dnnl_memory_desc_t d = nullptr;
  require(l.memory_desc_create_with_tag(&d, rank, sizes, dnnl_f32, tag), "describing a tensor");
  return Descriptor(d);
}

// Measured on AVX-512 with plain tensors outside, changes of layout included.
Layout preferred_layout(const ConvArgs& c, Direction direction) {
  i64 kernel = 1, out = 1, stride = 1;
  bool padded = false, backward_weights = direction == Direction::backward_weights;
  for (int i = 0; i < c.spatial; ++i) {
    kernel *= c.kernel[i], out *= c.out[i], stride *= c.stride[i];
    padded = padded || c.pad_low[i] || c.pad_high[i];
  }
  i64 channels = std::min(c.in_channels, c.out_channels);
  bool pointwise = kernel == 1 && !padded && c.groups == 1, small = out <= 64;
  if (pointwise && (backward_weights || !small)) return Layout::plain;  // a matrix product as it stands
  if (direction == Direction::backward_data && c.in_channels <= 4)
    return Layout::plain;  // blocks would be padding mostly
  if (channels < 16) return Layout::any;
  if (backward_weights && small && stride == 1 && channels >= 256 && c.groups == 1) return Layout::channels_last;
  return Layout::blocked;
}

// Null when oneDNN cannot do it in this layout, or only by its reference implementation.
PrimitiveDescriptor describe_convolution(const ConvArgs& c, Direction direction, const_dnnl_memory_desc_t x,
                                         const_dnnl_memory_desc_t w, const_dnnl_memory_desc_t bias,
                                         const_dnnl_memory_desc_t y, const_dnnl_primitive_attr_t attributes) {
  const Library& l = library();
  i64 dilation[3] = {c.dilation[0] - 1, c.dilation[1] - 1, c.dilation[2] - 1};  // oneDNN counts the gaps
  auto algorithm = dnnl_convolution_direct;
  auto kind = direction == Direction::forward ? dnnl_forward_inference : dnnl_forward_training;
  bool data = direction == Direction::backward_data;
  dnnl_primitive_desc_t d = nullptr;
  if (l.convolution_forward_primitive_desc_create(&d, l.engine, kind, algorithm, x, w, data ? nullptr : bias, y,
                                                  c.stride, dilation, c.pad_low, c.pad_high,
                                                  attributes) != dnnl_success)
    return nullptr;
  PrimitiveDescriptor descriptor(d);
  if (direction != Direction::forward) {
    auto status =
        data ? l.convolution_backward_data_primitive_desc_create(&d, l.engine, algorithm, x, w, y, c.stride, dilation,
                                                                 c.pad_low, c.pad_high, descriptor.get(), attributes)
             : l.convolution_backward_weights_primitive_desc_create(&d, l.engine, algorithm, x, w, bias, y, c.stride,
                                                                    dilation, c.pad_low, c.pad_high, descriptor.get(),
                                                                    attributes);
    if (status != dnnl_success) return nullptr;
    descriptor.reset(d);
  }
  return is_reference(d) ? nullptr : std::move(descriptor);
}

Convolution make_convolution(const ConvArgs& c, Direction direction, bool has_bias, Activation activation) {
  int rank = c.spatial + 2, grouped = c.groups > 1;
  i64 x[5] = {c.batch, c.in_channels}, y[5] = {c.batch, c.out_channels},
      w[6] = {c.groups, c.out_channels / c.groups, c.in_channels / c.groups};
  for (int i = 0; i < c.spatial; ++i) x[i + 2] = c.in[i], y[i + 2] = c.out[i], w[i + 3] = c.kernel[i];
  const i64* w_sizes = w + 1 - grouped;
  Descriptor w_any = describe_layout(rank + grouped, w_sizes, Layout::any);
  Descriptor bias = has_bias ? describe_contiguous(1, &c.out_channels) : nullptr;
  Attributes attributes = make_attributes(activation, false);

  PrimitiveDescriptor descriptor;
  for (Layout layout : {preferred_layout(c, direction), Layout::any, Layout::plain}) {
    Descriptor x_inner = describe_layout(rank, x, layout), y_inner = describe_layout(rank, y, layout);
    descriptor =
        describe_convolution(c, direction, x_inner.get(), w_any.get(), bias.get(), y_inner.get(), attributes.get());
    if (descriptor) break;
  }
  if (!descriptor) return {};
  auto chosen = [&](dnnl_query_t what) { return library().primitive_desc_query_md(descriptor.get(), what, 0); };
  bool gx = direction == Direction::backward_data, gw = direction == Direction::backward_weights,
       fwd = direction == Direction::forward;
  Convolution made;
  made.x =
      make_operand(describe_contiguous(rank, x).get(), chosen(gx ? dnnl_query_diff_src_md : dnnl_query_src_md), gx);
  made.w = make_operand(describe_contiguous(rank + grouped, w_sizes).get(),
                        chosen(gw ? dnnl_query_diff_weights_md : dnnl_query_weights_md), gw);
  made.y =
      make_operand(describe_contiguous(rank, y).get(), chosen(fwd ? dnnl_query_dst_md : dnnl_query_diff_dst_md), fwd);
  if (has_bias) made.bias = make_memory(bias.get());
  made.primitive = make_primitive(descriptor.get());
  return made;
}

Convolution& cached_convolution(const ConvArgs& c, Direction direction, bool has_bias, Activation activation) {
  static thread_local Cache<Convolution> cache(512);
  Key key;
  key.add(static_cast<i64>(direction) | static_cast<i64>(has_bias) << 4 | static_cast<i64>(activation) << 8 |
          static_cast<i64>(c.spatial) << 16 | static_cast<i64>(offered_threads()) << 32);
  key.add(c.batch), key.add(c.groups), key.add(c.in_channels), key.add(c.out_channels);
  for (int i = 0; i < c.spatial; ++i)
    for (i64 v : {c.in[i], c.out[i], c.kernel[i], c.stride[i], c.pad_low[i], c.pad_high[i], c.dilation[i]}) key.add(v);
  return cache.get(key, [&] { return make_convolution(c, direction, has_bias, activation); });
}

// Sets the pointers of an operand, brings an input into the inner layout, and names the memory that the primitive
// reads.
dnnl_exec_arg_t bind(const Operand& o, int arg, const void* data, const Workspace& space, bool is_result) {
  set(o.plain, data);
  if (!o.inner) return {arg, o.plain.get()};
  set(o.inner, space.as<void>());
  dnnl_exec_arg_t change[2] = {{DNNL_ARG_FROM, o.plain.get()}, {DNNL_ARG_TO, o.inner.get()}};
  if (!is_result) execute(o.reorder, 2, change);
  return {arg, o.inner.get()};
}

void bring_back(const Operand& o) {
  dnnl_exec_arg_t change[2] = {{DNNL_ARG_FROM, o.inner.get()}, {DNNL_ARG_TO, o.plain.get()}};
  if (o.inner) execute(o.reorder, 2, change);
}

bool convolve(const ConvArgs& args, Direction direction, const float* x, const float* w, const float* bias,
              const float* y, Activation activation) {
  Convolution& c = cached_convolution(args, direction, bias != nullptr, activation);
  if (!c.primitive) return false;
  bool gx = direction == Direction::backward_data, gw = direction == Direction::backward_weights,
       fwd = direction == Direction::forward;
  Workspace x_space(c.x.bytes), w_space(c.w.bytes), y_space(c.y.bytes);
  dnnl_exec_arg_t list[4] = {bind(c.x, gx ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, x, x_space, gx),
                             bind(c.w, gw ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, w, w_space, gw),
                             bind(c.y, fwd ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, y, y_space, fwd),
                             {gw ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, c.bias.get()}};
  if (bias) set(c.bias, bias);
  execute(c.primitive, bias ? 4 : 3, list);
  bring_back(gx ? c.x : gw ? c.w : c.y);
  return true;
}

}  // namespace

bool onednn_available() { return try_library().problem.empty(); }

bool onednn_gemm(const GemmArgs& args) {
  GemmArgs g = args;
  if (g.activation == Activation::relu) g.activation = Activation::none;
  static thread_local Cache<Matmul> cache(512);
  Key key;
  for (i64 v : {g.batch, g.m, g.n, g.k, g.a_batch, g.a_row, g.a_col, g.b_batch, g.b_row, g.b_col, g.c_batch, g.c_row})
    key.add(v);
  key.add(static_cast<i64>(g.activation) | static_cast<i64>(g.accumulate) << 8 |
          static_cast<i64>(g.bias != nullptr) << 9 | static_cast<i64>(g.dtype) << 16 |
          static_cast<i64>(offered_threads()) << 32);
  Matmul& m = cache.get(key, [&] { return make_matmul(g); });
  if (!m.primitive) return false;
  set(m.a, g.a), set(m.b, g.b), set(m.c, g.c);
  if (g.bias) set(m.bias, g.bias);
  dnnl_exec_arg_t list[4] = {
    {DNNL_ARG_SRC, m.a.get()}, {DNNL_ARG_WEIGHTS, m.b.get()}, {DNNL_ARG_DST, m.c.get()}, {DNNL_ARG_BIAS, m.bias.get()}};
  execute(m.primitive, g.bias ? 4 : 3, list);
  if (args.activation == Activation::relu)
    visit(g.dtype, [&]<class T>(Type<T>) {
      if constexpr (std::is_same_v<T, float> || is_half_type<T>)
        relu_rows(static_cast<T*>(g.c), g.batch, g.c_batch, g.m, g.c_row, g.n);
    });
  return true;
}

bool onednn_conv_forward(const ConvArgs& args, const float* x, const float* w, const float* bias, float* y,
                         Activation activation) {
  bool relu = activation == Activation::relu;
  if (!convolve(args, Direction::forward, x, w, bias, y, relu ? Activation::none : activation)) return false;
  i64 size = 1;
  for (int i = 0; i < args.spatial; ++i) size *= args.out[i];
  if (relu) relu_rows(y, args.batch * args.out_channels, size, 1, size, size);
  return true;
}

bool onednn_conv_backward_data(const ConvArgs& args, const float* gy, const float* w, float* gx) {
  return convolve(args, Direction::backward_data, gx, w, nullptr, gy, Activation::none);
}

bool onednn_conv_backward_weights(const ConvArgs& args, const float* x, const float* gy, float* gw, float* gbias) {
  return convolve(args, Direction::backward_weights, x, gw, gbias, gy, Activation::none);
}

}  // namespace rl
