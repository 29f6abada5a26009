// What Python's garbage collector sees through the tape: the Python objects that a tensor keeps alive by way of C++.
//
// An object may show the collector only references of which it is the one owner. So the walk from a tensor enters a
// node or a tensor when it has met every reference to it; whatever is held from outside as well stays closed, and
// alive.
#include <unordered_map>

#include "bindings/autograd.h"

namespace rl::py {
namespace {

// A young collection must not cost a walk over a graph of a million nodes. A walk that gives up shows less, which is
// safe.
constexpr int kFewNodes = 1000;       // where hooks and Functions are not known to be
constexpr int kManyNodes = 20'000;

class Walk {
 public:
  Walk(visitproc visit, void* arg) : visit_(visit), arg_(arg) {}

  int from_tensor(const TensorImpl& t) {
    budget_ = t.node && (t.node->flags & kReachesForeign) ? kManyNodes : kFewNodes;
    enter(t);
    return run();
  }
  int from_node(Node& n) {
    budget_ = n.flags & kReachesForeign ? kManyNodes : kFewNodes;
    enter(n);
    return run();
  }

 private:
  int run() {
    while (!status_ && budget_ > 0) {
      if (!nodes_.empty()) {
        Node* n = nodes_.back();
        nodes_.pop_back();
        enter(*n);
      } else if (!tensors_.empty()) {
        TensorImpl* t = tensors_.back();
        tensors_.pop_back();
        enter(*t);
      } else {
        break;
      }
    }
    return status_;
  }

  void show(void* object) {
    if (object && !status_) status_ = visit_(static_cast<PyObject*>(object), arg_);
  }
  template <class T> void meet(T* p, std::vector<T*>& list) {
    if (p && (p->unique() || ++met_[p] == p->count.load(std::memory_order_relaxed))) list.push_back(p);
  }
  void meet(Node* n) { meet(n, nodes_); }
  void meet(TensorImpl* t) { meet(t, tensors_); }

  void show_hooks(const std::vector<HookEntry>& hooks) {
    for (const HookEntry& h : hooks)
      if (h.hook) show(h.hook->object());
  }
  void show_kept(const Arg& a) {
    if (a.kind == Kind::tensor) {
      meet(a.t);
    } else if (a.kind == Kind::packed) {
      auto* packed = static_cast<Packed*>(a.opaque);
      show(packed->object());
      meet(packed->source.get());
    } else if (a.kind == Kind::tensors) {
      for (std::uint32_t i = 0; i < a.n; ++i) show_kept(a.saved[i]);
    }
  }

  void enter(const TensorImpl& t) {
    if (t.has(kOwnsPython)) show(t.py);
    if (t.extras) show_hooks(t.extras->hooks);
    meet(t.grad);
    meet(t.base);
    if (t.node && !t.node->is_accumulator()) meet(t.node);
  }
  void enter(Node& n) {
    --budget_;
    if (n.extras) {
      show_hooks(n.extras->hooks);
      if (n.extras->function) show(n.extras->function->object());
      show(n.extras->metadata);
    }
    for (int k = 0; k < n.args; ++k) show_kept(n.arg()[k]);
    for (int k = 0; k < n.outputs; ++k) show_kept(n.result()[k]);
    for (std::uint32_t k = 0; k < n.edges; ++k) meet(n.edge()[k].node);
  }

  visitproc visit_;
  void* arg_;
  int status_ = 0, budget_ = 0;
  std::unordered_map<const void*, int> met_;
  std::vector<Node*> nodes_;
  std::vector<TensorImpl*> tensors_;
};

}  // namespace

// Cycles may be closed after a result was wrapped (an attribute, a hook on an earlier node): any result may be part of
// one.
bool node_reaches_python(const TensorImpl& t) {
  return (t.node && !t.node->is_accumulator()) || (t.extras && !t.extras->hooks.empty());
}

int traverse_graph(const TensorImpl& t, visitproc visit, void* arg) {
  bool closed = !t.node || t.node->is_accumulator() || !t.node->unique();  // others hold the history too
  if (closed && !t.extras && !t.grad && !t.base) return 0;
  return Walk(visit, arg).from_tensor(t);
}

int traverse_node(Node& n, visitproc visit, void* arg) { return n.unique() ? Walk(visit, arg).from_node(n) : 0; }

void clear_graph(TensorImpl& t) { drop_autograd(&t); }

}  // namespace rl::py
