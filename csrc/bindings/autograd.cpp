// The way into the backward engine, and hooks on what the tape keeps.
#include "bindings/autograd.h"

#include <nanobind/stl/vector.h>

#include <unordered_set>

namespace rl::py {
namespace {

Tensor implicit_gradient(const TensorImpl& t) {
  check(t.numel == 1, ErrorKind::runtime,
        "[backward] grad can be implicitly created only for scalar outputs. Received ", describe(t),
        ". Give gradient=, or reduce with sum() or mean().");
  check(!is_complex(t.dtype), ErrorKind::runtime,
        "[backward] grad can be implicitly created only for real scalar outputs but got ", t.dtype,
        ". Give gradient=.");
  // Of a loss in float32 nearly always the same: kept, as long as nobody else holds it or wrote to it.
  static Tensor& usual = *new Tensor;
  bool is_usual = t.ndim == 0 && t.dtype == DType::f32;
  if (is_usual && usual && usual->unique() && usual->storage->version == 0) return usual;
  Tensor one = empty(t.sizes(), t.dtype);
  if (is_usual) usual = one;
  visit(t.dtype, [&]<class T>(Type<T>) { *one->data_as<T>() = cast<T>(1); });
  return one;
}

// A running backward. The Python object for it (autograd.engine.GraphTask) is made when somebody asks.
class RunningTask {
 public:
  explicit RunningTask(bool fills_all_leaves) : fills_all_leaves_(fills_all_leaves), outer_(innermost) {
    innermost = this;
  }
  ~RunningTask() { innermost = outer_; }
  void finish() {
    innermost = outer_;
    if (task_.is_valid()) task_.attr("finish")();
  }
  static nb::object current(nb::object make) {
    if (!innermost) return nb::none();
    if (!innermost->task_.is_valid()) innermost->task_ = make(innermost->fills_all_leaves_);
    return innermost->task_;
  }

 private:
  static inline thread_local constinit RunningTask* innermost [[gnu::tls_model("initial-exec")]] = nullptr;
  bool fills_all_leaves_;
  RunningTask* outer_;
  nb::object task_;
};

nb::object run_backward_from_python(nb::tuple tensors, nb::tuple gradients, bool retain_graph, bool create_graph,
                                    nb::tuple inputs, bool allow_unreachable, bool accumulate) {
  OwnedEdges roots, wanted;
  std::vector<Tensor> start;
  for (std::size_t i = 0; i < nb::len(tensors); ++i) {
    PyObject *o = nb::object(tensors[i]).ptr(), *g = i < nb::len(gradients) ? nb::object(gradients[i]).ptr() : Py_None;
    check(
        !overrides(o), ErrorKind::runtime, "[backward] element ", i,
        " of tensors must not have a hidden batch: backward() and grad() know nothing of vmap. Use torch.func.grad or "
        "torch.func.vjp in the mapped function.");
    check(is_tensor(o), ErrorKind::type, "[backward] element ", i, " of tensors must be a Tensor. Received ",
          Py_TYPE(o)->tp_name, ".");
    TensorImpl& t = *impl(o);
    Edge e = edge_of(t);
    check(e.node != nullptr, ErrorKind::runtime, "[backward] element ", i,
          " of tensors does not require grad and does not have a grad_fn: no operator was recorded for it. Received ",
          describe(t), ". Set requires_grad=True on its inputs.");
    roots.edge.push_back(e);
    check(g == Py_None || is_tensor(g), ErrorKind::type, "[backward] gradients can be either Tensors or None, but got ",
          Py_TYPE(g)->tp_name, ".");
    if (g == Py_None) {
      start.push_back(implicit_gradient(t));
      continue;
    }
    Tensor gradient(impl(g));
    check(same_shape(*gradient, t), ErrorKind::runtime, "[backward] Mismatch in shape: grad_output[", i,
          "] has a shape of ", gradient->sizes(), " and output[", i, "] has a shape of ", t.sizes(), ".");
    check(is_complex(gradient->dtype) == is_complex(t.dtype), ErrorKind::runtime,
          "[backward] For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch "
          "in dtype: grad_output[",
          i, "] has a dtype of ", gradient->dtype, " and output[", i, "] has a dtype of ", t.dtype, ".");
    start.push_back(to_dtype(gradient, t.dtype));
  }
  for (std::size_t i = 0; i < nb::len(inputs); ++i) {
    nb::object input = inputs[i];
    if (is_tensor(input.ptr())) {
      Edge e = edge_of(*impl(input.ptr()));
      check(e.node != nullptr, ErrorKind::runtime,
            "[grad] One of the differentiated Tensors does not require grad: input ", i, ", ",
            describe(*impl(input.ptr())), ". Set requires_grad=True on it before the computation.");
      wanted.edge.push_back(e);
      if (accumulate) retain_grad(*impl(input.ptr()));  // of a leaf there is nothing to do
      continue;
    }
    check(PyTuple_Check(input.ptr()) && nb::len(input) == 2, ErrorKind::type,
          "[grad] inputs must be tensors or gradient edges. Received ", Py_TYPE(input.ptr())->tp_name, ".");
    Node* n = node_of_object(nb::object(input[0]).ptr());
    check(n != nullptr, ErrorKind::runtime,
          "[grad] a gradient edge must name a node of a graph. Received one that was freed.");
    n->inc();
    auto output = static_cast<std::uint32_t>(nb::cast<int>(input[1]));
    wanted.edge.push_back({n, output});
    check(output < n->outputs, ErrorKind::index, "[grad] a gradient edge must name an output of its node. Received ",
          output, " of ", static_cast<int>(n->outputs), ".");
  }
  BackwardOptions options;
  options.retain_graph = retain_graph;
  options.create_graph = create_graph;
  options.accumulate = accumulate;
  RunningTask task(accumulate && wanted.edge.empty());
  std::vector<Tensor> found = run_backward(roots.edge, start, wanted.edge, options);
  task.finish();
  nb::object result = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(found.size())));
  for (std::size_t i = 0; i < found.size(); ++i) {
    check(found[i] || allow_unreachable || accumulate, ErrorKind::runtime,
          "[grad] One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True "
          "if this is the desired behavior. Received input ",
          i, ".");
    PyTuple_SET_ITEM(result.ptr(), static_cast<Py_ssize_t>(i), wrap_or_none(std::move(found[i])));
  }
  return result;
}

// Whether a backward from `outputs` reaches a leaf that is none of `inputs`: then its result has a history to keep.
bool depends_on_others(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs) {
  std::unordered_set<Node*> seen;
  std::vector<Node*> todo;
  auto visit = [&](Node* n) {
    if (n && seen.insert(n).second) todo.push_back(n);
  };
  for (const Tensor& t : inputs) seen.insert(t->node);
  for (const Tensor& t : outputs) visit(wants_grad(*t) && t->node ? t->node : nullptr);
  while (!todo.empty()) {
    Node* n = todo.back();
    todo.pop_back();
    if (n->is_accumulator()) return true;
    for (std::uint32_t k = 0; k < n->edges; ++k) visit(n->edge()[k].node);
  }
  return false;
}

// --- saved_tensors_hooks
struct HookPair {
  nb::object pack, unpack;
};
std::vector<HookPair>& hook_stack() {
  static thread_local auto* stack = new std::vector<HookPair>;
  return *stack;
}

class PackedObject : public Packed {
 public:
  explicit PackedObject(nb::object pair) : pair_(std::move(pair)) {}
  ~PackedObject() override {
    if (!Py_IsInitialized()) pair_.release();
  }
  void* object() override { return pair_.ptr(); }
  Tensor unpack() override {
    nb::object pair = pair_;
    PyObject* given[] = {PyTuple_GET_ITEM(pair.ptr(), 0)};
    nb::object result = nb::steal(PyObject_Vectorcall(PyTuple_GET_ITEM(pair.ptr(), 1), given, 1, nullptr));
    if (!result.is_valid()) throw PythonError{};
    check(is_tensor(result.ptr()), ErrorKind::type,
          "[saved_tensors_hooks] Output of saved tensor unpack_hook expected to be a Tensor. Received ",
          Py_TYPE(result.ptr())->tp_name, ".");
    return Tensor(impl(result.ptr()));
  }

 private:
  nb::object pair_;  // what pack returned, and the unpack function
};

std::unique_ptr<Packed> pack_with_hooks(const Tensor& t) {
  HookPair hooks = hook_stack().back();
  nb::object shown = nb::steal(wrap(t));
  PyObject* given[] = {shown.ptr()};
  std::uint32_t version = t->storage->version;
  GradMode off(false);  // so that nothing is kept while the hook runs
  nb::object value = nb::steal(PyObject_Vectorcall(hooks.pack.ptr(), given, 1, nullptr));
  if (!value.is_valid()) throw PythonError{};
  check(
      t->storage->version == version, ErrorKind::runtime,
      "[saved_tensors_hooks] A saved tensor pack hook is modifying its input in place. Return a changed copy instead.");
  nb::object pair = nb::steal(PyTuple_Pack(2, value.ptr(), hooks.unpack.ptr()));
  return std::make_unique<PackedObject>(std::move(pair));
}

}  // namespace

// The usual call, without arguments, goes straight to the engine; the others through rushlight.autograd.
PyObject* tensor_backward(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  if (n > 0 || names) {
    nb::object general = nb::steal(PyObject_GetAttrString(self, "_backward_with"));
    return general.is_valid() ? PyObject_Vectorcall(general.ptr(), args, static_cast<std::size_t>(n), names) : nullptr;
  }
  return guarded([&]() -> PyObject* {
    TensorImpl& t = *impl(self);
    Edge root = edge_of(t);
    Ref<Node> owner = Ref<Node>::steal(root.node);
    check(root.node != nullptr, ErrorKind::runtime,
          "[backward] element 0 of tensors does not require grad and does not have a grad_fn: no operator was recorded "
          "for "
          "it. Received ",
          describe(t), ". Set requires_grad=True on its inputs.");
    Tensor one = implicit_gradient(t);
    RunningTask task(true);
    run_backward({&root, 1}, {&one, 1}, {}, {});
    task.finish();
    Py_RETURN_NONE;
  });
}

void add_autograd(nb::module_& m) {
  add_nodes(m);
  add_functions(m);
  m.def("current_graph_task", RunningTask::current, nb::arg("make"),
        "The object of the innermost backward that runs on this thread, made by make(fills_all_leaves) at first; or "
        "None.");
  m.def("depends_on_others", depends_on_others, nb::arg("outputs"), nb::arg("inputs"),
        "Whether a backward from outputs reaches a leaf that is none of inputs.");
  m.def("run_backward", run_backward_from_python, nb::arg("tensors"), nb::arg("grad_tensors"), nb::arg("retain_graph"),
        nb::arg("create_graph"), nb::arg("inputs"), nb::arg("allow_unreachable"), nb::arg("accumulate_grad"),
        "Runs the backward engine; returns the gradients of inputs.");
  m.def(
      "push_saved_tensors_hooks",
      [](nb::object pack, nb::object unpack) {
        hook_stack().push_back({std::move(pack), std::move(unpack)});
        eager_state.pack = pack_with_hooks;
      },
      nb::arg("pack"), nb::arg("unpack"));
  m.def("pop_saved_tensors_hooks", [] {
    check(!hook_stack().empty(), ErrorKind::runtime, "[saved_tensors_hooks] no hooks are pushed.");
    hook_stack().pop_back();
    eager_state.pack = hook_stack().empty() ? nullptr : pack_with_hooks;
  });
  m.def(
      "set_version_", [](const Tensor& t, std::uint32_t version) { t->storage->version = version; }, nb::arg("tensor"),
      nb::arg("version"));
}

}  // namespace rl::py
