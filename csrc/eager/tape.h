// L5: the tape. A node is a recorded call: which operator, what its gradient reads, and where its inputs came from.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "schema/opdef.h"

namespace rl {

// Shape and dtype of a tensor whose data was not kept.
struct TensorSpec {
  static constexpr std::uint8_t kPlaced = 255;  // as bin: the memory is somebody else's
  DType dtype;
  std::uint8_t ndim;
  std::uint8_t bin;
  bool strided;  // not contiguous: strides follow the sizes
  i64 size[1];   // ndim of them
  static std::size_t bytes_for(const TensorImpl& t) {
    return sizeof(TensorSpec) + t.ndim * sizeof(i64) * (t.is_contiguous() ? 1 : 2);
  }
  static TensorSpec* write(void* at, const TensorImpl& t);  // bytes_for(t) of room
  static TensorSpec* of(const TensorImpl& t);
  void destroy() {
    if (bin != kPlaced) put_block(bin, this);
  }
  Sizes sizes() const { return {size, ndim}; }
  Dims strides() const { return strided ? Dims(Sizes{size + ndim, ndim}) : contiguous_strides(sizes()); }
};

struct Edge {
  Node* node = nullptr;       // owned
  std::uint32_t output = 0;
};

// What another language attaches to the graph. `object()` lets its garbage collector see through.
class Hook {
 public:
  virtual ~Hook() = default;
  virtual void* object() = 0;
  virtual void on_tensor(Tensor& gradient) = 0;                                             // may replace it
  virtual void before(std::span<Tensor> gradients) = 0;                                     // of the node's results
  virtual void after(std::span<Tensor> input_gradients, std::span<const Tensor> gradients) = 0;
  virtual void accumulated(TensorImpl& leaf) = 0;
};
enum class HookKind : std::uint8_t { tensor, before, after, accumulated, retain };
struct HookEntry {
  i64 id;
  HookKind kind;
  std::uint32_t output;           // tensor, retain: of which result
  std::shared_ptr<Hook> hook;
  TensorImpl* retained;           // retain: the tensor whose .grad is set (not owned)
};

// A node whose backward is written in another language (autograd.Function).
class ForeignFunction {
 public:
  virtual ~ForeignFunction() = default;
  virtual void* object() = 0;
  virtual std::string name() = 0;
  virtual void backward(Node& node, std::span<const Tensor> gradients, std::span<Tensor> input_gradients) = 0;
  virtual void release_saved() = 0;
};

struct NodeExtras {
  std::vector<HookEntry> hooks;
  std::unique_ptr<ForeignFunction> function;
  void* metadata = nullptr;       // of the other language; freed by `free_metadata`
};
struct TensorExtras {             // hooks of a leaf, which outlive its accumulator
  std::vector<HookEntry> hooks;
};
extern void (*free_metadata)(void*);
extern Tensor (*sparse_sum)(const Tensor& a, const Tensor* b);  // a + b, or a copy of a, where one of them is sparse
extern void (*drop_python)(TensorImpl&);   // of a tensor that holds its Python object (kOwnsPython), when it dies

enum NodeFlag : std::uint8_t {
  kAccumulator = 1,    // of a leaf: adds to its .grad; argument 0 is the leaf
  kReleased = 2,       // what was kept is gone
  kReachesForeign = 4, // a hook or a foreign function is behind it: the garbage collector must look
  kNeeded = 8,         // (during a run) leads to a wanted input
};

struct Node : Counted {
  std::uint8_t flags = 0, bin = 0, outputs = 1, args = 0;
  std::uint32_t edges = 0;
  const OpDef* op = nullptr;
  NodeExtras* extras = nullptr;
  void* where = nullptr;          // the forward line: code object and instruction, see `locate`
  std::int32_t instruction = 0;
  std::uint32_t stamp = 0;        // of the run that last saw it
  std::uint32_t pending = 0;      // gradients still to come in that run
  Node* next_dead = nullptr;

  // In one block behind the node:
  Arg* arg() { return reinterpret_cast<Arg*>(this + 1); }
  Edge* edge() { return reinterpret_cast<Edge*>(arg() + args); }
  Arg* result() { return reinterpret_cast<Arg*>(edge() + edges); }
  TensorImpl** gradient() { return reinterpret_cast<TensorImpl**>(result() + outputs); }
  void* room() { return gradient() + outputs; }

  static Node* make(const OpDef* op, int args, int edges, int outputs, std::size_t room = 0);
  bool is_accumulator() const { return flags & kAccumulator; }
  // An accumulator that no edge needs: its leaf keeps it for the next graph. While edges hold it, it holds its leaf.
  bool dormant() const { return count.load(std::memory_order_relaxed) == 0; }
  void fall_asleep_or_go();
  void dec() {
    if (dec_is_last()) destroy();
  }
  void destroy();                 // never recurses: a chain of a million nodes is freed by a loop
  void free_block() { put_block(bin, this); }
  void release_saved();
  NodeExtras& extra();
  std::string name();             // MulBackward0
  bool is_input(
      std::uint32_t k) const {  // whether edge k belongs to a tensor argument, rather than to a number or a text
    return !op || k >= args || op->signature->param[k].is_operand();
  }
  DType result_dtype(int k);
  Sizes result_sizes(int k);
};

// What a saved_tensors_hooks pack function returned.
class Packed {
 public:
  virtual ~Packed() = default;
  virtual void* object() = 0;     // as Hook::object()
  virtual Tensor unpack() = 0;
  Tensor source;   // the tensor's shape and its place in the graph: a leaf itself, or a stand-in without data
};

// Per thread: what invoke() does besides computing.
struct EagerState {
  bool grad = true;
  bool inference = false;
  bool anomaly = false;
  bool check_nan = true;
  int observers = 0;
  std::unique_ptr<Packed> (*pack)(const Tensor&) = nullptr;
};
extern thread_local constinit EagerState eager_state [[gnu::tls_model("initial-exec")]];

struct GradMode {                 // for a scope
  explicit GradMode(bool on) : before(eager_state.grad) { eager_state.grad = on; }
  ~GradMode() { eager_state.grad = before; }
  bool before;
};

// The bindings say where in the user's program the call stands.
extern void (*locate)(Node&);
extern void (*unlocate)(Node&);
extern std::string (*describe_location)(const Node&);   // "model.py:12", or "" when unknown

// --- edges and history
Edge edge_of(TensorImpl& t);                  // owned; an empty one when no gradient is wanted
bool refresh_view(TensorImpl& view);          // the base's history was rewritten: derive the view's anew
inline bool wants_grad(TensorImpl& t) {
  if (t.base && t.base->history != t.history) [[unlikely]]
    return refresh_view(t);
  return t.flags & kRequiresGrad;
}
void set_history(TensorImpl& t, Ref<Node> node, int output);   // t is result `output` of node
void rebase_history(TensorImpl& t, Node* node, int output);    // the same after an in-place write: views follow
void forget_retained(TensorImpl& t);                           // before t leaves its node: undoes retain_grad()
void mark_view(TensorImpl& view, TensorImpl& of);
Node* record(const OpDef& op, const Arg* arg, Tensor* out, int outputs);   // a new reference

// --- keeping tensors
Arg keep(TensorImpl& t);                       // owned; a copy of the reference that makes no cycles
Tensor kept(Node& node, const Arg& a);         // raises when it was freed or written since
Arg kept_operand(Node& node, const Arg& a, Tensor& owner);  // the same without counting; owner: of what was packed
Tensor kept(const Arg& a, const Node* node, const char* by);   // the same for one that outlives its node
void free_kept(Arg& a);

// --- what a vjp sees
class Backward {
 public:
  Backward(Node& node, std::span<Tensor> gradients, std::span<Tensor> input_gradients)
      : node_(node), gy_(gradients), gin_(input_gradients) {}
  const OpDef& op() const { return *node_.op; }
  bool needs(int k) const { return node_.edge()[k].node != nullptr; }
  bool has_gradient(int output = 0) const { return bool(gy_[static_cast<std::size_t>(output)]); }
  Tensor gradient(int output = 0) const;       // zeros when nothing depends on that result
  Tensor tensor(int k) const { return kept(node_, node_.arg()[k]); }
  Tensor result(int k = 0) const;              // on the tape when the gradient is recorded
  bool given(int k) const { return node_.arg()[k].kind != Kind::none; }
  i64 integer(int k) const { return node_.arg()[k].i; }
  double real(int k) const { return node_.arg()[k].number(); }
  bool flag(int k) const { return node_.arg()[k].i != 0; }
  std::string_view text(int k) const { return node_.arg()[k].text; }
  const Arg& arg(int k) const { return node_.arg()[k]; }
  Sizes ints(int k) const;
  Sizes sizes(int k) const;                    // of argument k, kept or not
  Dims strides(int k) const;                   // as the argument lay in memory
  DType dtype(int k) const;
  Sizes result_sizes(int k = 0) const { return node_.result_sizes(k); }
  // of a list argument k: its length, and entry i
  int length(int k) const { return static_cast<int>(node_.arg()[k].n); }
  bool needs(int k, int i) const {
    (void)k;
    return node_.edge()[node_.args + i].node != nullptr;
  }
  Tensor tensor(int k, int i) const { return kept(node_, node_.arg()[k].saved[i]); }
  bool given(int k, int i) const { return node_.arg()[k].saved[i].kind != Kind::none; }
  Sizes sizes(int k, int i) const;
  void set(int k, Tensor g) { gin_[static_cast<std::size_t>(k)] = std::move(g); }
  void set(int k, int i, Tensor g) {
    (void)k;
    gin_[static_cast<std::size_t>(node_.args + i)] = std::move(g);
  }

 private:
  Node& node_;
  std::span<Tensor> gy_, gin_;
};

// --- the engine (backward.cpp)
struct BackwardOptions {
  bool retain_graph = false;
  bool create_graph = false;
  bool accumulate = true;                      // into .grad; otherwise the inputs' gradients are returned
};
std::vector<Tensor> run_backward(std::span<const Edge> roots, std::span<const Tensor> gradients,
                                 std::span<const Edge> inputs, const BackwardOptions& options);

}  // namespace rl
