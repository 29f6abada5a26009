#include "eager/tape.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>

#include "eager/call.h"

namespace rl {

thread_local constinit EagerState eager_state;
void (*free_metadata)(void*) = nullptr;
void (*drop_python)(TensorImpl&) = nullptr;
Tensor (*sparse_sum)(const Tensor&, const Tensor*) = nullptr;
void (*locate)(Node&) = nullptr;
void (*unlocate)(Node&) = nullptr;
std::string (*describe_location)(const Node&) = nullptr;

// --- specs
TensorSpec* TensorSpec::write(void* at, const TensorImpl& t) {
  auto* s = static_cast<TensorSpec*>(at);
  s->dtype = t.dtype;
  s->ndim = t.ndim;
  s->bin = kPlaced;
  s->strided = !t.is_contiguous();
  for (int k = 0; k < t.ndim; ++k) s->size[k] = t.size[k];
  if (s->strided) std::copy_n(t.stride, t.ndim, s->size + t.ndim);
  return s;
}
TensorSpec* TensorSpec::of(const TensorImpl& t) {
  SizeClass c = size_class(bytes_for(t));
  TensorSpec* s = write(get_block(c), t);
  s->bin = static_cast<std::uint8_t>(c.index);
  return s;
}

namespace {

Arg as_argument(TensorSpec* spec) {
  Arg a;
  a.spec = spec;
  a.kind = Kind::spec;
  return a;
}
Arg spec_of(const TensorImpl& t) { return as_argument(TensorSpec::of(t)); }

// Integers and kept lists live in blocks of the small bins.
template <class T> T* copy_block(std::size_t n) {
  return static_cast<T*>(get_block(size_class(std::max<std::size_t>(1, n * sizeof(T)))));
}
template <class T> void free_block(const T* p, std::size_t n) {
  put_block(size_class(std::max<std::size_t>(1, n * sizeof(T))).index, const_cast<T*>(p));
}

Arg own(const Arg& a) {  // numbers and texts are values; integers are copied
  if (a.kind != Kind::ints) return a;
  Arg r = a;
  i64* copy = copy_block<i64>(a.n);
  std::copy_n(a.p, a.n, copy);
  r.p = copy;
  return r;
}

}  // namespace

// --- keeping tensors
namespace {

bool is_leaf(const TensorImpl& t) { return !t.node || t.node->is_accumulator(); }

// t's shape and history over an empty storage.
Tensor without_data(TensorImpl& t) {
  Tensor r = alias(t);
  std::exchange(r->storage, Storage::make(0))->dec();
  if (t.requires_grad()) set_history(*r, Ref<Node>(t.node), t.output_index);
  return r;
}

// What an unpack function returned, at its old place in the graph.
Tensor put_back(const Tensor& unpacked, const Tensor& source) {
  check(same_shape(*unpacked, *source), ErrorKind::runtime,
        "[saved_tensors_hooks] what is unpacked must have the shape of what was packed, ", source->sizes(),
        ". Received ", describe(*unpacked), ".");
  Tensor t = alias(*unpacked);
  if (t->dtype != source->dtype) {
    GradMode off(false);
    t = to_dtype(t, source->dtype);
  }
  if (!source->requires_grad()) return t;
  if (is_leaf(*source)) {
    GradMode on(true);
    Tensor linked = call<"alias">(source);
    set_history(*t, Ref<Node>(linked->node), linked->output_index);
  } else {
    set_history(*t, Ref<Node>(source->node), source->output_index);
  }
  return t;
}

}  // namespace

Arg keep(TensorImpl& t) {
  check(!t.has(kInference) || eager_state.inference, ErrorKind::runtime,
        "[autograd] Inference tensors cannot be saved for backward. Received ", describe(t),
        ". Make a clone() of it first.");
  Arg a;
  if (eager_state.pack) {
    // The hook sees an alias without history: what it returns must not keep the graph alive.
    if (auto packed = eager_state.pack(alias(t))) {
      packed->source = t.requires_grad() && is_leaf(t) ? Tensor(&t) : without_data(t);
      a.opaque = packed.release();
      a.kind = Kind::packed;
      return a;
    }
  }
  // A leaf that wants a gradient is not written in place while recording: the reference itself is safe. Anything else
  // could come to depend on the node that keeps it, so the node keeps a copy of the reference.
  bool is_parameter = t.requires_grad() && is_leaf(t);
  if (is_parameter) {
    t.inc();
    a.t = &t;
  } else {
    a.t = alias_impl(t);
    if (t.node) {
      a.t->node = t.node;
      t.node->inc();
      a.t->output_index = t.output_index;
      a.t->set(kRequiresGrad, true);
    }
  }
  a.kind = Kind::tensor;
  a.version = t.storage->version;
  return a;
}

Tensor kept(Node& node, const Arg& a) {
  if (node.flags & kReleased)
    fail(ErrorKind::runtime, "[backward] Trying to backward through the graph a second time: what ", node.name(),
         " had kept is freed. Received a "
         "graph that was used. Call backward(retain_graph=True) the first time.");
  if (a.kind == Kind::tensor && a.t->storage->version == a.version) [[likely]]
    return Tensor(a.t);
  return kept(a, &node, node.name().c_str());
}

Arg kept_operand(Node& node, const Arg& a, Tensor& owner) {
  if (a.kind == Kind::tensor && !(node.flags & kReleased) && a.t->storage->version == a.version) [[likely]]
    return Arg(a.t);
  owner = kept(node, a);
  return Arg(owner);
}

Tensor kept(const Arg& a, const Node* node, const char* by) {
  if (a.kind == Kind::packed) {
    auto& packed = *static_cast<Packed*>(a.opaque);
    return put_back(packed.unpack(), packed.source);
  }
  check(a.kind == Kind::tensor, ErrorKind::runtime, "[backward] ", by, " did not keep what its gradient reads.");
  if (a.t->storage->version != a.version) {
    std::string at = node && describe_location ? describe_location(*node) : "";
    fail(ErrorKind::runtime,
         "[backward] one of the variables needed for gradient computation has been modified by an inplace operation: ",
         describe(*a.t), ", kept by ", by, at.empty() ? "" : " recorded at ", at, ", is at version ",
         a.t->storage->version, "; expected version ", a.version,
         " instead. Write to a copy (clone()), or out of place.");
  }
  return Tensor(a.t);
}

void free_kept(Arg& a) {
  switch (a.kind) {
    case Kind::tensor: a.t->dec(); break;
    case Kind::spec: a.spec->destroy(); break;
    case Kind::packed: delete static_cast<Packed*>(a.opaque); break;
    case Kind::ints: free_block(a.p, a.n); break;
    case Kind::tensors:
      for (std::uint32_t i = 0; i < a.n; ++i) free_kept(a.saved[i]);
      free_block(a.saved, a.n);
      break;
    default: break;
  }
  a = Arg();
}

// --- nodes
Node* Node::make(const OpDef* op, int args, int edges, int outputs, std::size_t room) {
  std::size_t behind = static_cast<std::size_t>(args + outputs) * sizeof(Arg) +
                       static_cast<std::size_t>(edges) * sizeof(Edge) +
                       static_cast<std::size_t>(outputs) * sizeof(TensorImpl*);
  SizeClass c = size_class(sizeof(Node) + behind + room);
  Node* n = new (get_block(c)) Node;
  n->op = op;
  n->bin = static_cast<std::uint8_t>(c.index);
  n->args = static_cast<std::uint8_t>(args);
  n->edges = static_cast<std::uint32_t>(edges);
  n->outputs = static_cast<std::uint8_t>(outputs);
  static_assert(Kind{} == Kind::none);
  std::memset(static_cast<void*>(n->arg()), 0, behind);  // Arg(), Edge{} and no gradient
  return n;
}

NodeExtras& Node::extra() {
  if (!extras) extras = new NodeExtras;
  return *extras;
}

namespace {

// What was kept turns into its shape: a second backward says so instead of reading freed memory.
void shrink(Arg& a) {
  if (a.kind == Kind::tensor) {
    TensorImpl* t = a.t;
    if (t->requires_grad() && is_leaf(*t)) return;  // its accumulator holds it as long
    if (t->unique() && !t->py) {  // the node's own: without its memory it is no more than a shape
      if (Storage* s = std::exchange(t->storage, nullptr)) s->dec();
      return;
    }
    a = spec_of(*t);
    t->dec();
  } else if (a.kind == Kind::packed) {
    Arg spec = spec_of(*static_cast<Packed*>(a.opaque)->source);
    free_kept(a);
    a = spec;
  } else if (a.kind == Kind::tensors) {
    for (std::uint32_t i = 0; i < a.n; ++i) shrink(a.saved[i]);
  }
}

}  // namespace

void Node::release_saved() {
  if (flags & (kReleased | kAccumulator)) return;
  bool kept_any = false;
  auto visit_kept = [&](Arg& a) {
    if (a.kind == Kind::tensor || a.kind == Kind::packed || a.kind == Kind::tensors) kept_any = true, shrink(a);
  };
  for (int k = 0; k < args; ++k) visit_kept(arg()[k]);
  for (int k = 0; k < outputs; ++k) visit_kept(result()[k]);
  if (extras && extras->function) extras->function->release_saved(), kept_any = true;
  if (kept_any) flags |= kReleased;
}

namespace {

bool owns_memory(Kind kind) {
  return kind == Kind::tensor || kind == Kind::spec || kind == Kind::ints || kind == Kind::tensors ||
         kind == Kind::packed;
}

void free_extras(Node& n) {
  NodeExtras* extras = std::exchange(n.extras, nullptr);
  if (!extras) return;
  if (extras->metadata && free_metadata) free_metadata(extras->metadata);
  for (HookEntry& h : extras->hooks)
    if (h.kind == HookKind::retain && h.retained) h.retained->set(kRetainsGrad, false);
  delete extras;
}

}  // namespace

void Node::fall_asleep_or_go() {
  TensorImpl* leaf = arg()[0].t;
  if (TensorImpl* g = std::exchange(gradient()[0], nullptr)) g->dec();
  if (leaf->node == this && !extras) {
    count.store(0, std::memory_order_relaxed);
  } else {
    if (leaf->node == this) leaf->node = nullptr;
    free_extras(*this);
    free_block();
  }
  leaf->dec();
}

void Node::destroy() {
  // Freeing what a node keeps may free further nodes: they queue up here instead of recursing.
  static thread_local constinit Node* dead [[gnu::tls_model("initial-exec")]] = nullptr;
  static thread_local constinit bool draining [[gnu::tls_model("initial-exec")]] = false;
  if (is_accumulator()) return fall_asleep_or_go();
  next_dead = dead;
  dead = this;
  if (draining) return;
  draining = true;
  while (Node* n = dead) {
    dead = n->next_dead;
    if (n->where && unlocate) unlocate(*n);
    free_extras(*n);
    for (int k = 0; k < n->args; ++k)
      if (owns_memory(n->arg()[k].kind)) free_kept(n->arg()[k]);
    for (int k = 0; k < n->outputs; ++k)
      if (owns_memory(n->result()[k].kind)) free_kept(n->result()[k]);
    for (std::uint32_t k = 0; k < n->edges; ++k)
      if (Node* to = n->edge()[k].node) to->dec();
    for (int k = 0; k < n->outputs; ++k)
      if (n->gradient()[k]) n->gradient()[k]->dec();
    n->free_block();
  }
  draining = false;
}

// MulBackward0, LogSoftmaxBackward0: the name of the row in the field's usual dress.
std::string Node::name() {
  if (is_accumulator()) return "AccumulateGrad";
  if (extras && extras->function) return extras->function->name();
  std::string r;
  bool upper = true;
  for (char c : op->name()) {
    if (c == '_') {
      upper = true;
      continue;
    }
    r += upper ? static_cast<char>(std::toupper(c)) : c;
    upper = false;
  }
  return r + "Backward0";
}

namespace {

// The tensor that an argument keeps, with or without its data.
const TensorImpl* shown(const Arg& a) {
  if (a.kind == Kind::packed) return static_cast<Packed*>(a.opaque)->source.get();
  return a.kind == Kind::tensor ? a.t : nullptr;
}
Sizes sizes_of(const Arg& a) {
  if (const TensorImpl* t = shown(a)) return t->sizes();
  return a.kind == Kind::spec ? a.spec->sizes() : Sizes();
}
DType dtype_of_kept(const Arg& a) {
  const TensorImpl* t = shown(a);
  return t ? t->dtype : a.spec->dtype;
}

}  // namespace

Sizes Node::result_sizes(int k) { return is_accumulator() ? arg()[0].t->sizes() : sizes_of(result()[k]); }
DType Node::result_dtype(int k) { return is_accumulator() ? arg()[0].t->dtype : dtype_of_kept(result()[k]); }

// --- edges and history
namespace {

Node* sleeping_accumulator(TensorImpl& leaf) {
  Node* n = Node::make(nullptr, 1, 0, 1);
  n->flags = kAccumulator;
  n->count.store(0, std::memory_order_relaxed);
  n->arg()[0].t = &leaf;
  n->arg()[0].kind = Kind::tensor;
  return leaf.node = n;
}

}  // namespace

Edge edge_of(TensorImpl& t) {
  if (!wants_grad(t)) return {};
  Node* n = t.node ? t.node : sleeping_accumulator(t);
  if (n->dormant()) {
    t.inc();
    n->count.store(1, std::memory_order_relaxed);
    n->flags = static_cast<std::uint8_t>(kAccumulator | (t.extras ? kReachesForeign : 0));
  } else {
    n->inc();
  }
  return {n, t.output_index};
}

namespace {

// A tensor leaves its node, or takes its sleeping accumulator with it.
void leave(Node* n) {
  if (!n) return;
  if (!n->is_accumulator()) n->dec();
  else if (n->dormant()) n->free_block();
}

}  // namespace

void forget_retained(TensorImpl& t) {
  t.set(kRetainsGrad, false);
  if (t.node && t.node->extras)
    for (HookEntry& h : t.node->extras->hooks)
      if (h.retained == &t) h.retained = nullptr;  // the list itself may be in use
}

void set_history(TensorImpl& t, Ref<Node> node, int output) {
  if (t.has(kRetainsGrad)) {  // retain_grad() follows a tensor that is written in place to its new node
    forget_retained(t);
    node->extra().hooks.push_back({0, HookKind::retain, static_cast<std::uint32_t>(output), nullptr, &t});
    t.set(kRetainsGrad, true);
  }
  t.output_index = static_cast<std::uint8_t>(output);
  t.set(kRequiresGrad, true);
  leave(std::exchange(t.node, node.release()));
}

void mark_view(TensorImpl& view, TensorImpl& of) {
  TensorImpl* base = of.base ? of.base : &of;
  base->inc();
  view.base = base;
  if (of.base) wants_grad(of);
  view.history = base->history;
  if (!eager_state.grad) view.set(kViewNoGrad, true);
}

namespace {

// A node of strided_view's family between a base and one of its views. When one is complex and the other real, the part
// rows count offsets in real numbers.
Node* geometry_node(bool scatter, TensorImpl& base, TensorImpl& view) {
  bool parts = is_complex(base.dtype) != is_complex(view.dtype);
  const OpDef& op = require_op(scatter ? (parts ? "part_scatter" : "strided_scatter")
                               : parts ? "part_view"
                                       : "strided_view");
  int tensors = scatter ? 2 : 1;
  auto offset = [&](const TensorImpl& t) { return t.offset * (parts && is_complex(t.dtype) ? 2 : 1); };
  Node* n = Node::make(&op, op.signature->n, op.signature->n, 1);
  n->arg()[0] = spec_of(base);
  if (tensors == 2) n->arg()[1] = spec_of(view);
  n->arg()[tensors] = own(Arg(view.sizes()));
  n->arg()[tensors + 1] = own(Arg(view.strides()));
  n->arg()[tensors + 2] = Arg(offset(view) - offset(base));
  return n;
}

}  // namespace

bool refresh_view(TensorImpl& view) {
  TensorImpl& base = *view.base;
  view.history = base.history;
  if (!wants_grad(base)) return view.requires_grad();
  Node* n = geometry_node(false, base, view);
  n->result()[0] = spec_of(view);
  n->edge()[0] = edge_of(base);
  n->flags |= n->edge()[0].node->flags & kReachesForeign;
  set_history(view, Ref<Node>::steal(n), 0);
  return true;
}

void rebase_history(TensorImpl& t, Node* node, int output) {
  if (!t.base) {
    set_history(t, Ref<Node>(node), output);
    ++t.history;
    return;
  }
  TensorImpl& base = *t.base;
  Node* n = geometry_node(true, base, t);
  n->result()[0] = spec_of(base);
  n->edge()[0] = edge_of(base);
  node->inc();
  n->edge()[1] = {node, static_cast<std::uint32_t>(output)};
  n->flags |= node->flags & kReachesForeign;
  set_history(base, Ref<Node>::steal(n), 0);
  ++base.history;
  refresh_view(t);
}

Node* record(const OpDef& op, const Arg* arg, Tensor* out, int outputs) {
  const Signature& s = *op.signature;
  int list = s.list, extra = list >= 0 && arg[list].kind == Kind::tensors ? static_cast<int>(arg[list].n) : 0;

  // What is kept follows from who wants a gradient; of the other tensors the shapes, in the node's own block.
  unsigned tensors = 0, wanting = 0, shapes = 0, keep_arguments = 0, keep_results = 0;  // bits of arguments, results
  auto wants = [&](TensorImpl* t, int k) {
    if (!t || !is_differentiable(t->dtype) || !wants_grad(*t)) return false;
    keep_arguments |= op.saved_for[k];
    keep_results |= op.results_for[k];
    return true;
  };
  for (int k = 0; k < s.n; ++k) {
    if (!arg[k].is_tensor()) continue;
    tensors |= 1u << k;
    if (wants(arg[k].t, k)) wanting |= 1u << k;
  }
  for (int i = 0; i < extra; ++i) wants(arg[list].list[i], list);
  const TensorImpl& first = *out[0];
  std::size_t room = 0;
  for (unsigned rest = tensors & ~keep_arguments; rest; rest &= rest - 1) {
    int k = std::countr_zero(rest);
    if (!op.vjp && arg[k].t->dtype == first.dtype && same_shape(*arg[k].t, first)) continue;
    shapes |= 1u << k;
    room += TensorSpec::bytes_for(*arg[k].t);
  }
  for (int k = 0; k < outputs; ++k)
    if (out[k] && !(keep_results >> k & 1)) room += TensorSpec::bytes_for(*out[k]);

  Ref<Node> n = Ref<Node>::steal(Node::make(&op, s.n, s.n + extra, outputs, room));  // a pack function may raise
  char* place = static_cast<char*>(n->room());
  auto placed_spec = [&](const TensorImpl& t) {
    return as_argument(TensorSpec::write(std::exchange(place, place + TensorSpec::bytes_for(t)), t));
  };
  auto link = [&](Edge& e, TensorImpl& t) {
    e = edge_of(t);
    if (e.node) n->flags |= e.node->flags & kReachesForeign;
  };
  for (unsigned rest = wanting; rest; rest &= rest - 1) {
    int k = std::countr_zero(rest);
    link(n->edge()[k], *arg[k].t);
  }
  for (int i = 0; i < extra; ++i)
    if (TensorImpl* t = arg[list].list[i]; t && is_differentiable(t->dtype)) link(n->edge()[s.n + i], *t);

  for (int k = 0; k < s.n; ++k) {
    Arg& to = n->arg()[k];
    bool wanted = keep_arguments >> k & 1;
    if (arg[k].is_tensor()) {
      if (wanted) to = keep(*arg[k].t);
      else if (shapes >> k & 1) to = placed_spec(*arg[k].t);
    } else if (arg[k].kind == Kind::tensors) {
      to.kind = Kind::tensors;
      to.n = arg[k].n;
      to.saved = copy_block<Arg>(arg[k].n);
      for (std::uint32_t i = 0; i < arg[k].n; ++i) new (&to.saved[i]) Arg();
      for (std::uint32_t i = 0; i < arg[k].n; ++i)
        if (TensorImpl* t = arg[k].list[i]) to.saved[i] = wanted ? keep(*t) : spec_of(*t);
    } else {
      to = own(arg[k]);
    }
  }
  for (int k = 0; k < outputs; ++k) {
    if (!out[k]) continue;
    if (keep_results >> k & 1) {
      Arg a;
      if (eager_state.pack) {
        a = keep(*out[k]);
      } else {
        a.t = alias_impl(*out[k]);
        a.kind = Kind::tensor;
        a.version = out[k]->storage->version;
      }
      n->result()[k] = a;
    } else {
      n->result()[k] = placed_spec(*out[k]);
    }
  }
  if (locate) locate(*n);
  return n.release();
}

// --- what a vjp sees
Tensor Backward::gradient(int output) const {
  const Tensor& g = gy_[static_cast<std::size_t>(output)];
  return g ? g : zeros(node_.result_sizes(output), node_.result_dtype(output));
}

Tensor Backward::result(int k) const {
  Tensor t = kept(node_, node_.result()[k]);
  if (!eager_state.grad) return t;
  Tensor tracked = alias(*t);
  if (is_differentiable(tracked->dtype)) set_history(*tracked, Ref<Node>(&node_), k);
  return tracked;
}

Sizes Backward::ints(int k) const {
  const Arg& a = node_.arg()[k];
  if (a.kind == Kind::ints) return {a.p, a.n};
  if (a.kind == Kind::none) return {};
  return {&a.i, 1};
}

Sizes Backward::sizes(int k) const {
  const Arg& a = node_.arg()[k];
  return a.kind == Kind::none ? node_.result_sizes(0) : sizes_of(a);
}
Dims Backward::strides(int k) const {
  const Arg& a = node_.arg()[k];
  if (const TensorImpl* t = shown(a)) return t->strides();
  return a.kind == Kind::spec ? a.spec->strides() : contiguous_strides(node_.result_sizes(0));
}
Sizes Backward::sizes(int k, int i) const { return sizes_of(node_.arg()[k].saved[i]); }
DType Backward::dtype(int k) const {
  const Arg& a = node_.arg()[k];
  return a.kind == Kind::none ? node_.result_dtype(0) : dtype_of_kept(a);
}

// --- the end of a tensor's autograd part
void drop_autograd(TensorImpl* t) {
  if (t->has(kOwnsPython) && drop_python) drop_python(*t);
  if (t->extras) {
    delete t->extras;
    t->extras = nullptr;
  }
  if (TensorImpl* g = std::exchange(t->grad, nullptr)) g->dec();
  if (t->has(kRetainsGrad)) forget_retained(*t);
  leave(std::exchange(t->node, nullptr));
  if (TensorImpl* b = std::exchange(t->base, nullptr)) b->dec();
}

}  // namespace rl
