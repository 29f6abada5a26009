// The backward engine: counts how many gradients each node will receive, then runs the nodes on the calling thread, so
// that a debugger steps through. No recursion anywhere: graphs may be a million operators deep.
#include <algorithm>
#include <atomic>

#include "eager/autocast.h"
#include "eager/call.h"
#include "eager/tape.h"

namespace rl {
namespace {

// Gradients of tables of rows may be sparse.
bool any_sparse(const TensorImpl& a, const Tensor& b) { return (a.flags | b->flags) & kSparse; }
Tensor sum_of(const Tensor& a, const Tensor& b) { return any_sparse(*a, b) ? sparse_sum(a, &b) : a + b; }
Tensor copy_of(const Tensor& g) { return g->has(kSparse) ? sparse_sum(g, nullptr) : call<"clone">(g); }

// into += g. In place when nobody else can see `into`.
void add_gradient(TensorImpl*& into, Tensor g) {
  if (!into) {
    into = g.release();
    return;
  }
  if (!eager_state.grad && into->unique() && into->storage->unique() && into->is_contiguous() &&
      !any_sparse(*into, g) && into->dtype == g->dtype && same_shape(*into, *g)) {
    ArgRoom arg;
    bind_arguments(op_called<"add">(), arg, Tensor(into), g);
    // The temporary Tensor above is gone by now: `into` is unique again.
    invoke_inplace(op_called<"add">(), arg);
    return;
  }
  Tensor old = Tensor::steal(into);
  into = nullptr;
  into = sum_of(old, g).release();
}

void accumulate_into_leaf(TensorImpl& leaf, Tensor g, bool create_graph) {
  if (!leaf.grad) {
    // The gradient is taken over as it is when nobody else holds it; otherwise two leaves would share memory.
    bool ours = g->unique() && g->storage->unique() && !g->node;
    bool plain = g->is_contiguous() || is_dense(*g) || g->has(kSparse);
    if (!(ours && plain)) g = copy_of(g);
    if (!create_graph && g->node) g = alias(*g);
    leaf.grad = g.release();
    return;
  }
  if (create_graph || any_sparse(*leaf.grad, g)) {
    Tensor sum = sum_of(Tensor(leaf.grad), g);
    std::exchange(leaf.grad, sum.release())->dec();
  } else {
    GradMode off(false);
    ArgRoom arg;
    bind_arguments(op_called<"add">(), arg, Tensor(leaf.grad), g);
    invoke_inplace(op_called<"add">(), arg);
  }
}

std::string located(Node& n) {
  std::string at = describe_location ? describe_location(n) : "";
  return at.empty() ? "" : str(" (in the backward of ", n.name(), ", recorded at ", at, ")");
}

bool has_nan(const Tensor& t) {
  if (!is_differentiable(t->dtype) || t->has(kSparse)) return false;
  Tensor any = call<"any">(call<"isnan">(t));
  return *any->data_as<bool>();
}

// One run. Runs may nest (a hook or Function may call backward): a node that an outer run is still counting is set
// aside.
class Run {
 public:
  Run(std::span<const Edge> roots, std::span<const Edge> inputs, const BackwardOptions& options)
      : roots_(roots), inputs_(inputs), options_(options), captured_(inputs.size()) {
    stamp_ = ++last_stamp;
    active.push_back(stamp_);
    ready_.swap(spare);
  }
  ~Run() {
    if (!finished_) discard();
    for (auto it = set_aside_.rbegin(); it != set_aside_.rend(); ++it) it->put_back();
    active.pop_back();  // runs nest
    ready_.clear();
    if (ready_.capacity() > spare.capacity() && ready_.capacity() <= kSpare) ready_.swap(spare);
  }

  std::vector<Tensor> operator()(std::span<const Tensor> gradients) {
    discover();
    if (!inputs_.empty()) mark_needed();
    for (std::size_t i = 0; i < roots_.size(); ++i)
      add_gradient(roots_[i].node->gradient()[roots_[i].output], gradients[i]);
    for (const Edge& r : roots_)
      if (r.node->pending == 0 && std::find(ready_.begin(), ready_.end(), r.node) == ready_.end())
        ready_.push_back(r.node);
    while (!ready_.empty()) {
      Node* n = ready_.back();
      ready_.pop_back();
      step(*n);
    }
    finished_ = true;
    return std::move(captured_);
  }

 private:
  struct SetAside {
    Node* node;
    std::uint32_t stamp, pending;
    std::uint8_t needed;
    std::vector<TensorImpl*> gradients;
    void put_back() {
      node->stamp = stamp;
      node->pending = pending;
      node->flags = static_cast<std::uint8_t>((node->flags & ~kNeeded) | needed);
      std::copy(gradients.begin(), gradients.end(), node->gradient());
      node->dec();
    }
  };

  bool first_visit(Node& n) {
    if (n.stamp == stamp_) return false;
    if (active.size() > 1 && std::find(active.begin(), active.end(), n.stamp) != active.end()) {
      n.inc();
      set_aside_.push_back({&n, n.stamp, n.pending, static_cast<std::uint8_t>(n.flags & kNeeded),
                            std::vector<TensorImpl*>(n.gradient(), n.gradient() + n.outputs)});
      std::fill_n(n.gradient(), n.outputs, nullptr);
    }
    n.stamp = stamp_;
    n.pending = 0;
    n.flags &= static_cast<std::uint8_t>(~kNeeded);
    return true;
  }

  void discover() {
    std::vector<Node*>& todo = ready_;  // empty so far, and grown once
    for (const Edge& r : roots_)
      if (first_visit(*r.node)) todo.push_back(r.node);
    while (!todo.empty()) {
      Node* n = todo.back();
      todo.pop_back();
      for (std::uint32_t k = 0; k < n->edges; ++k)
        if (Node* next = n->edge()[k].node) {
          if (first_visit(*next)) todo.push_back(next);
          ++next->pending;
        }
    }
  }

  // Only nodes that lead to a wanted input are run. Topological order first, then back along it.
  void mark_needed() {
    for (const Edge& e : inputs_)
      if (e.node && e.node->stamp == stamp_) e.node->flags |= kNeeded;
    std::vector<Node*> order, todo;
    std::vector<std::pair<Node*, std::uint32_t>> counts;
    for (const Edge& r : roots_)
      if (r.node->pending == 0 && std::find(todo.begin(), todo.end(), r.node) == todo.end()) todo.push_back(r.node);
    while (!todo.empty()) {
      Node* n = todo.back();
      todo.pop_back();
      order.push_back(n);
      for (std::uint32_t k = 0; k < n->edges; ++k)
        if (Node* next = n->edge()[k].node)
          if (--next->pending == 0) todo.push_back(next);
    }
    for (Node* n : order)
      for (std::uint32_t k = 0; k < n->edges; ++k)
        if (Node* next = n->edge()[k].node) ++next->pending;
    for (auto it = order.rbegin(); it != order.rend(); ++it)
      for (std::uint32_t k = 0; k < (*it)->edges; ++k)
        if (Node* next = (*it)->edge()[k].node)
          if (next->flags & kNeeded) (*it)->flags |= kNeeded;
  }

  void step(Node& n) {
    Few<Tensor, 4> inputs_of_backward(n.outputs);
    std::span<Tensor> gradients = inputs_of_backward;
    bool any = false;
    for (int k = 0; k < n.outputs; ++k) {
      gradients[static_cast<std::size_t>(k)] = Tensor::steal(std::exchange(n.gradient()[k], nullptr));
      any |= bool(gradients[static_cast<std::size_t>(k)]);
    }
    // A leaf's own hooks outlive its accumulator; hooks on the node itself go with it.
    std::vector<HookEntry>* of_node = n.extras ? &n.extras->hooks : nullptr;
    std::vector<HookEntry>* of_tensor = !n.is_accumulator()    ? of_node
                                        : n.arg()[0].t->extras ? &n.arg()[0].t->extras->hooks
                                                               : nullptr;
    if (of_tensor && any) run_tensor_hooks(*of_tensor, gradients);
    for (std::size_t i = 0; i < inputs_.size() && !options_.accumulate; ++i)
      if (inputs_[i].node == &n && gradients[inputs_[i].output]) captured_[i] = gradients[inputs_[i].output];

    if (n.is_accumulator()) {
      bool wanted = inputs_.empty() || (n.flags & kNeeded);
      if (!any || !options_.accumulate || !wanted) return;
      if (of_node) run_hooks_before(*of_node, gradients);
      if (!gradients[0]) return;
      Tensor shown = of_node ? gradients[0] : Tensor();
      accumulate_into_leaf(*n.arg()[0].t, std::move(gradients[0]), options_.create_graph);
      if (of_node) run_hooks_after(n, {}, {&shown, 1});
      if (of_tensor)
        for (HookEntry& h : std::vector<HookEntry>(*of_tensor))
          if (h.kind == HookKind::accumulated) h.hook->accumulated(*n.arg()[0].t);
      return;
    }

    Few<Tensor, kMaxArgs> results_of_backward(n.edges);
    std::span<Tensor> input_gradients = results_of_backward;
    bool run = any && (inputs_.empty() || leads_somewhere(n));
    if (run) {
      if (of_node) run_hooks_before(*of_node, gradients);
      apply(n, gradients, input_gradients);
      if (of_node) run_hooks_after(n, input_gradients, gradients);
      if (eager_state.anomaly && eager_state.check_nan) check_nan(n, input_gradients);
      for (Tensor& g : gradients) g = Tensor();
      if (!options_.retain_graph) n.release_saved();
    }
    for (std::uint32_t k = 0; k < n.edges; ++k) {
      Edge e = n.edge()[k];
      if (!e.node) continue;
      if (input_gradients[k]) add_gradient(e.node->gradient()[e.output], std::move(input_gradients[k]));
      if (--e.node->pending == 0) ready_.push_back(e.node);
    }
  }

  static bool leads_somewhere(Node& n) {
    for (std::uint32_t k = 0; k < n.edges; ++k)
      if (n.edge()[k].node && (n.edge()[k].node->flags & kNeeded)) return true;
    return false;
  }

  void apply(Node& n, std::span<Tensor> gradients, std::span<Tensor> input_gradients) {
    try {
      if (n.extras && n.extras->function) {
        n.extras->function->backward(n, gradients, input_gradients);
      } else if (n.op->vjp) {
        Backward b(n, gradients, input_gradients);
        n.op->vjp(b);
      } else {
        for (int k = 0; k < n.args; ++k)
          if (n.edge()[k].node)
            input_gradients[static_cast<std::size_t>(k)] = evaluate_gradient(n, k, gradients[0], options_.create_graph);
      }
      fit_to_inputs(n, input_gradients);
    } catch (const Error& e) { throw Error(e.kind(), std::string(e.what()) + located(n)); }
  }

  // A broadcast argument receives the sum, a real one the real part, a half one its own dtype.
  static void fit_to_inputs(Node& n, std::span<Tensor> input_gradients) {
    bool foreign = n.extras && n.extras->function;
    for (std::uint32_t k = 0; k < n.edges; ++k) {
      Tensor& g = input_gradients[k];
      Node* to = n.edge()[k].node;
      if (!to || !g) continue;
      std::uint32_t output = n.edge()[k].output;
      Sizes wanted = to->result_sizes(static_cast<int>(output));
      DType dtype = to->result_dtype(static_cast<int>(output));
      if (!foreign && k < n.args && !same_sizes(wanted, g->sizes())) g = call<"sum_to_size">(g, wanted);
      if (g->dtype != dtype) {
        if (is_complex(g->dtype) && !is_complex(dtype)) g = call<"real">(g);
        g = to_dtype(g, dtype);
      }
    }
  }

  static void check_nan(Node& n, std::span<Tensor> input_gradients) {
    for (std::size_t k = 0; k < input_gradients.size(); ++k)
      if (input_gradients[k] && has_nan(input_gradients[k]))
        fail(ErrorKind::runtime, "Function '", n.name(), "' returned nan values in its ", k, "th output.", located(n));
  }

  // Of the tensors that the node computed: whether or not the node itself runs.
  static void run_tensor_hooks(const std::vector<HookEntry>& hooks, std::span<Tensor> gradients) {
    for (HookEntry& h : std::vector<HookEntry>(hooks))  // a copy: a hook may remove itself
      if (h.kind == HookKind::tensor && gradients[h.output]) h.hook->on_tensor(gradients[h.output]);
    for (const HookEntry& h : hooks)
      if (h.kind == HookKind::retain && h.retained && gradients[h.output])
        add_to_retained(*h.retained, gradients[h.output]);
  }
  static void add_to_retained(TensorImpl& t, const Tensor& g) {
    Tensor sum = t.grad ? sum_of(Tensor(t.grad), g) : copy_of(g);
    TensorImpl* before = std::exchange(t.grad, sum.release());
    if (before) before->dec();
  }

  static void run_hooks_before(const std::vector<HookEntry>& hooks, std::span<Tensor> gradients) {
    for (HookEntry& h : std::vector<HookEntry>(hooks))
      if (h.kind == HookKind::before) h.hook->before(gradients);
  }
  static void run_hooks_after(Node& n, std::span<Tensor> input_gradients, std::span<const Tensor> gradients) {
    for (HookEntry& h : std::vector<HookEntry>(n.extras->hooks)) {
      if (h.kind != HookKind::after) continue;
      std::vector<Tensor> shown;  // numbers among the arguments have no gradient to show
      for (std::uint32_t k = 0; k < n.edges; ++k)
        if (n.is_input(k)) shown.push_back(input_gradients[k]);
      h.hook->after(shown, gradients);
      auto next = shown.begin();
      for (std::uint32_t k = 0; k < n.edges; ++k)
        if (n.is_input(k)) input_gradients[k] = std::move(*next++);
    }
  }

  void discard() {  // after an error: gradients on their way are dropped
    std::vector<Node*> todo;
    std::uint32_t mark = ++last_stamp;
    auto visit = [&](Node* n) {
      if (n->stamp != stamp_) return;
      n->stamp = mark;
      for (int k = 0; k < n->outputs; ++k)
        if (TensorImpl* g = std::exchange(n->gradient()[k], nullptr)) g->dec();
      todo.push_back(n);
    };
    for (const Edge& r : roots_) visit(r.node);
    while (!todo.empty()) {
      Node* n = todo.back();
      todo.pop_back();
      for (std::uint32_t k = 0; k < n->edges; ++k)
        if (Node* next = n->edge()[k].node) visit(next);
    }
  }

  std::span<const Edge> roots_, inputs_;
  BackwardOptions options_;
  std::vector<Tensor> captured_;
  std::vector<Node*> ready_;
  std::vector<SetAside> set_aside_;
  std::uint32_t stamp_;
  bool finished_ = false;

  static inline std::uint32_t last_stamp = 0;
  static inline std::vector<std::uint32_t> active;
  static constexpr std::size_t kSpare = 4096;
  static inline std::vector<Node*> spare;  // memory for the next run's ready_
};

// The counts live in the nodes: one thread at a time has the engine, for a run and those nested in it. It is taken and
// given back under the interpreter's lock, so that plain variables do.
class Engine {
 public:
  Engine() {
    static thread_local constinit char me [[gnu::tls_model("initial-exec")]] = 0;
    while (const void* other = owner.load(std::memory_order_relaxed)) {
      if (other == &me) return;
      ++waiting;
      {
        WithoutInterpreter released(true);
        owner.wait(other);
      }
      --waiting;
    }
    owner.store(&me, std::memory_order_relaxed);
    taken_ = true;
  }
  ~Engine() {
    if (!taken_) return;
    owner.store(nullptr, std::memory_order_relaxed);
    if (waiting) owner.notify_all();
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

 private:
  static inline std::atomic<const void*> owner = nullptr;
  static inline int waiting = 0;
  bool taken_ = false;
};

}  // namespace

std::vector<Tensor> run_backward(std::span<const Edge> roots, std::span<const Tensor> gradients,
                                 std::span<const Edge> inputs, const BackwardOptions& options) {
  Engine engine;
  for (std::size_t i = 0; i < roots.size(); ++i) {
    Sizes expected = roots[i].node->result_sizes(static_cast<int>(roots[i].output));
    check(same_sizes(expected, gradients[i]->sizes()), ErrorKind::runtime,
          "[backward] Mismatch in shape: the gradient must have the shape of its tensor. Received ",
          gradients[i]->sizes(), " for a tensor of shape ", expected, ".");
  }
  GradMode mode(options.create_graph);
  AutocastMode off(false);  // gradients run in the dtypes of what was recorded
  return Run(roots, inputs, options)(gradients);
}

}  // namespace rl
