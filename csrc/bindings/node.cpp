// torch.autograd's Node: what a tensor's grad_fn shows, and hooks on tensors and nodes.
#include "bindings/autograd.h"

#include <unordered_map>

namespace rl::py {

PyTypeObject* node_type = nullptr;

// --- hooks: an ordered dict of callables that Python may edit; RemovableHandle takes entries out again
namespace {

PyObject* tuple_of(std::span<const Tensor> tensors) {
  PyObject* t = PyTuple_New(static_cast<Py_ssize_t>(tensors.size()));
  for (std::size_t i = 0; i < tensors.size(); ++i)
    PyTuple_SET_ITEM(t, static_cast<Py_ssize_t>(i), wrap_or_none(tensors[i]));
  return t;
}

class DictHook : public Hook {
 public:
  explicit DictHook(nb::object dict) : dict_(std::move(dict)) {}
  ~DictHook() override {
    if (!Py_IsInitialized()) dict_.release();
  }
  void* object() override { return dict_.ptr(); }

  void on_tensor(Tensor& gradient) override {
    for (nb::object& hook : hooks()) {
      nb::object result = call(hook, nb::steal(wrap(gradient)));
      if (result.is_none()) continue;
      check(is_tensor(result.ptr()), ErrorKind::type, "[hook] hook '", name(hook),
            "' must return a Tensor or None. Received ", Py_TYPE(result.ptr())->tp_name, ".");
      Tensor replaced(impl(result.ptr()));
      check(same_shape(*replaced, *gradient), ErrorKind::runtime, "[hook] hook '", name(hook),
            "' has changed the size of value: it must return the gradient's shape. Received ", describe(*replaced),
            " for ", describe(*gradient), ".");
      gradient = std::move(replaced);
    }
  }
  void before(std::span<Tensor> gradients) override {
    for (nb::object& hook : hooks()) replace(gradients, call(hook, nb::steal(tuple_of(gradients))), hook);
  }
  void after(std::span<Tensor> input_gradients, std::span<const Tensor> gradients) override {
    for (nb::object& hook : hooks())
      replace(input_gradients, call(hook, nb::steal(tuple_of(input_gradients)), nb::steal(tuple_of(gradients))), hook);
  }
  void accumulated(TensorImpl& leaf) override {
    for (nb::object& hook : hooks()) call(hook, nb::steal(wrap(Tensor(&leaf))));
  }

 private:
  std::vector<nb::object> hooks() const {  // a copy: a hook may remove itself
    std::vector<nb::object> list;
    for (nb::handle hook : nb::object(dict_.attr("values")())) list.push_back(nb::borrow(hook));
    return list;
  }
  static std::string name(const nb::object& hook) {
    return nb::hasattr(hook, "__name__") ? nb::cast<std::string>(nb::str(hook.attr("__name__"))) : "hook";
  }
  template <class... A> static nb::object call(const nb::object& hook, A&&... args) {
    PyObject* given[] = {args.ptr()...};
    PyObject* result = PyObject_Vectorcall(hook.ptr(), given, sizeof...(A), nullptr);
    if (!result) throw PythonError{};
    return nb::steal(result);
  }
  static void replace(std::span<Tensor> gradients, const nb::object& result, const nb::object& hook) {
    if (result.is_none()) return;
    nb::object values = PyTuple_Check(result.ptr()) ? result : nb::steal<nb::object>(PyTuple_Pack(1, result.ptr()));
    check(PyTuple_GET_SIZE(values.ptr()) == static_cast<Py_ssize_t>(gradients.size()), ErrorKind::runtime,
          "[hook] hook '", name(hook),
          "' has returned an incorrect number of values: it must return one per gradient. Received ",
          PyTuple_GET_SIZE(values.ptr()), " for ", gradients.size(), ".");
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      PyObject* value = PyTuple_GET_ITEM(values.ptr(), static_cast<Py_ssize_t>(i));
      check(value == Py_None || is_tensor(value), ErrorKind::type, "[hook] hook '", name(hook),
            "' must return tensors or None. Received ", Py_TYPE(value)->tp_name, ".");
      gradients[i] = value == Py_None ? Tensor() : Tensor(impl(value));
    }
  }

  nb::object dict_;
};

nb::object add_hook(std::vector<HookEntry>& entries, HookKind kind, std::uint32_t output, nb::handle function) {
  nb::object dict;
  for (HookEntry& e : entries)
    if (e.kind == kind && e.output == output && e.hook) dict = nb::borrow(static_cast<PyObject*>(e.hook->object()));
  if (!dict.is_valid()) {
    dict = nb::module_::import_("collections").attr("OrderedDict")();
    entries.push_back({0, kind, output, std::make_shared<DictHook>(dict), nullptr});
  }
  nb::object handle = nb::module_::import_("rushlight.utils.hooks").attr("RemovableHandle")(dict);
  dict[handle.attr("id")] = function;
  return handle;
}

}  // namespace

nb::object add_node_hook(Node& n, HookKind kind, nb::handle function) {
  n.flags |= kReachesForeign;
  return add_hook(n.extra().hooks, kind, 0, function);
}

nb::object next_functions(Node& n) {
  nb::list result;
  for (std::uint32_t k = 0; k < n.edges; ++k) {
    const Edge& e = n.edge()[k];
    if (n.is_input(k)) result.append(nb::make_tuple(nb::steal(wrap_node(e.node)), e.node ? e.output : 0));
  }
  return nb::tuple(result);
}

nb::object outputs_of(Node& n) {
  nb::list list;
  for (int k = 0; k < n.outputs; ++k) {
    bool known = n.is_accumulator() || n.result()[k].kind != Kind::none;
    if (known)
      list.append(nb::make_tuple(nb::steal(make_size(n.result_sizes(k))), nb::steal(wrap_dtype(n.result_dtype(k)))));
  }
  return list;
}

nb::object location_of(Node& n) {
  std::string at = describe_location ? describe_location(n) : "";
  return at.empty() ? nb::none() : nb::object(nb::str(at.c_str()));
}

nb::object metadata_of(Node& n) {
  NodeExtras& x = n.extra();
  if (!x.metadata) x.metadata = nb::dict().release().ptr();
  n.flags |= kReachesForeign;
  return nb::borrow(static_cast<PyObject*>(x.metadata));
}

// --- the Node type
namespace {

struct PyNode {
  PyObject_HEAD Node* node;
  PyObject* weak_references;
};

Node& node_of(PyObject* self) { return *reinterpret_cast<PyNode*>(self)->node; }

// One Python object per node while there is one: programs compare nodes with `is` and use them as keys.
std::unordered_map<Node*, PyObject*>& wrappers() {
  static auto* map = new std::unordered_map<Node*, PyObject*>;
  return *map;
}

void node_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  auto* o = reinterpret_cast<PyNode*>(self);
  PyObject_GC_UnTrack(self);
  if (o->node) wrappers().erase(o->node);  // first: what follows may ask for the node's object
  if (o->weak_references) PyObject_ClearWeakRefs(self);
  if (o->node) o->node->dec();
  type->tp_free(self);
  Py_DECREF(type);
}
// No tp_clear: a cycle through a node also leads through a dict, a tensor or a closure, which are cleared.
int node_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  auto* o = reinterpret_cast<PyNode*>(self);
  return o->node ? traverse_node(*o->node, visit, arg) : 0;
}
PyObject* node_new(PyTypeObject* type, PyObject*, PyObject*) {
  return PyErr_Format(PyExc_TypeError, "cannot create '%s' instances: nodes are made by recorded calls", type->tp_name);
}

PyObject* node_name(PyObject* self, PyObject*) { return PyUnicode_FromString(node_of(self).name().c_str()); }
PyObject* node_next(PyObject* self, void*) {
  return guarded([&] { return next_functions(node_of(self)).release().ptr(); });
}
PyObject* node_metadata(PyObject* self, void*) {
  return guarded([&] { return metadata_of(node_of(self)).release().ptr(); });
}
PyObject* node_variable(PyObject* self, void*) {
  Node& n = node_of(self);
  if (n.is_accumulator()) return wrap(Tensor(n.arg()[0].t));
  PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute 'variable'", n.name().c_str());
  return nullptr;
}
PyObject* node_location(PyObject* self, void*) {
  return guarded([&] { return location_of(node_of(self)).release().ptr(); });
}
PyObject* node_outputs(PyObject* self, void*) {
  return guarded([&] { return outputs_of(node_of(self)).release().ptr(); });
}
PyObject* node_hook(PyObject* self, PyObject* function) {
  return guarded([&] { return add_node_hook(node_of(self), HookKind::after, function).release().ptr(); });
}
PyObject* node_prehook(PyObject* self, PyObject* function) {
  return guarded([&] { return add_node_hook(node_of(self), HookKind::before, function).release().ptr(); });
}

// --- _saved_<argument> and _saved_<result>: what the gradient will read
nb::object saved_value(Node& n, const Arg& a) {
  switch (a.kind) {
    case Kind::tensor:
    case Kind::packed: return nb::steal(wrap(kept(n, a)));
    case Kind::tensors: {
      nb::list list;
      for (std::uint32_t i = 0; i < a.n; ++i) list.append(saved_value(n, a.saved[i]));
      return nb::tuple(list);
    }
    case Kind::spec:
      check(n.flags & kReleased, ErrorKind::runtime, "[", n.name(),
            "] the gradient does not read this argument, so it was not kept.");
      fail(ErrorKind::runtime, "[", n.name(),
           "] Trying to directly access saved tensors after they have already been freed. "
           "Call backward(retain_graph=True) the first time.");
    default: return plain_value(a);
  }
}

std::string result_name(const Signature& s, int k) { return s.output[k].empty() ? "result" : std::string(s.output[k]); }

bool is_listed(const Node& n, const Arg& a) { return a.kind != Kind::spec || (n.flags & kReleased); }

PyObject* node_getattr(PyObject* self, PyObject* name) {
  Py_ssize_t length = 0;
  const char* text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &length) : nullptr;
  if (!text) PyErr_Clear();
  std::string_view what = text ? std::string_view(text, static_cast<std::size_t>(length)) : std::string_view();
  Node& n = node_of(self);
  if (!what.starts_with("_saved_") || !n.op) return PyObject_GenericGetAttr(self, name);
  return guarded([&]() -> PyObject* {
    what.remove_prefix(7);
    const Signature& s = *n.op->signature;
    int k = s.find(what == "self" ? "input" : what);
    if (k >= 0 && is_listed(n, n.arg()[k])) return saved_value(n, n.arg()[k]).release().ptr();
    for (int r = 0; r < n.outputs && r < s.outputs; ++r)
      if (what == result_name(s, r) && is_listed(n, n.result()[r]))
        return saved_value(n, n.result()[r]).release().ptr();
    return PyObject_GenericGetAttr(self, name);
  });
}

PyObject* node_dir(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    Node& n = node_of(self);
    nb::list names = nb::borrow<nb::list>(
        nb::handle(reinterpret_cast<PyObject*>(&PyBaseObject_Type)).attr("__dir__")(nb::handle(self)));
    auto add = [&](std::string_view name) { names.append(nb::str(str("_saved_", name).c_str())); };
    if (!n.op) return names.release().ptr();
    const Signature& s = *n.op->signature;
    for (int k = 0; k < n.args; ++k)
      if (is_listed(n, n.arg()[k])) add(s.param[k].name);
    for (int r = 0; r < n.outputs && r < s.outputs; ++r)
      if (is_listed(n, n.result()[r])) add(result_name(s, r));
    return names.release().ptr();
  });
}

PyObject* node_repr(PyObject* self) {
  return PyUnicode_FromFormat("<%s object at %p>", node_of(self).name().c_str(), static_cast<void*>(&node_of(self)));
}

PyMethodDef node_methods[] = {
  {"name", node_name, METH_NOARGS, "The operator's name, as in AddBackward0."},
  {"register_hook", node_hook, METH_O,
   "Calls fn(grad_inputs, grad_outputs) when the node has run; a tuple returned replaces grad_inputs."},
  {"register_prehook", node_prehook, METH_O,
   "Calls fn(grad_outputs) before the node runs; a tuple returned replaces them."},
  {"__dir__", node_dir, METH_NOARGS, nullptr},
  {nullptr, nullptr, 0, nullptr}};
PyGetSetDef node_properties[] = {
  {"next_functions", node_next, nullptr, "The nodes that the inputs came from: ((node or None, output number), ...).",
   nullptr},
  {"metadata", node_metadata, nullptr, "A dict of the user's own.", nullptr},
  {"variable", node_variable, nullptr, "Of an AccumulateGrad: the leaf.", nullptr},
  {"location", node_location, nullptr, "The line that recorded the node, as file.py:12, or None.", nullptr},
  {"outputs", node_outputs, nullptr, "The (shape, dtype) of every result.", nullptr},
  {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef node_members[] = {{"__weaklistoffset__", T_PYSSIZET, offsetof(PyNode, weak_references), READONLY, nullptr},
                              {nullptr, 0, 0, 0, nullptr}};
PyType_Slot node_slots[] = {{Py_tp_new, reinterpret_cast<void*>(node_new)},
                            {Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)},
                            {Py_tp_traverse, reinterpret_cast<void*>(node_traverse)},
                            {Py_tp_methods, node_methods},
                            {Py_tp_getset, node_properties},
                            {Py_tp_members, node_members},
                            {Py_tp_getattro, reinterpret_cast<void*>(node_getattr)},
                            {Py_tp_repr, reinterpret_cast<void*>(node_repr)},
                            {Py_tp_doc, const_cast<char*>("A recorded call: a node of the graph that backward walks.")},
                            {0, nullptr}};
PyType_Spec node_spec = {"rushlight._core.Node", sizeof(PyNode), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, node_slots};

// type(node).__name__ is the node's name: one subtype for each, made when it is first met.
PyTypeObject* type_for(const std::string& name) {
  static auto* types = new std::unordered_map<std::string, PyTypeObject*>;
  PyTypeObject*& type = (*types)[name];
  if (!type) {
    nb::object made =
        nb::steal(PyObject_CallFunction(reinterpret_cast<PyObject*>(&PyType_Type), "s(O){s:(),s:s}", name.c_str(),
                                        node_type, "__slots__", "__module__", "rushlight.autograd"));
    if (!made.is_valid()) throw PythonError{};
    type = reinterpret_cast<PyTypeObject*>(made.release().ptr());
  }
  return type;
}

}  // namespace

PyObject* wrap_node(Node* n) {
  if (!n) Py_RETURN_NONE;
  if (n->extras && n->extras->function) {
    auto* ctx = static_cast<PyObject*>(n->extras->function->object());
    Py_INCREF(ctx);
    return ctx;
  }
  auto found = wrappers().find(n);
  if (found != wrappers().end()) {
    Py_INCREF(found->second);
    return found->second;
  }
  PyTypeObject* type = type_for(n->name());
  auto* o = reinterpret_cast<PyNode*>(type->tp_alloc(type, 0));
  if (!o) throw PythonError{};
  n->inc();
  o->node = n;
  o->weak_references = nullptr;
  wrappers()[n] = reinterpret_cast<PyObject*>(o);
  return reinterpret_cast<PyObject*>(o);
}

Node* node_of_object(PyObject* o) {
  if (PyObject_TypeCheck(o, node_type)) return &node_of(o);
  return node_of_context(o);
}

// --- tensors
namespace {

void track(PyObject* self) {
  if (!PyObject_GC_IsTracked(self)) PyObject_GC_Track(self);
}

bool is_leaf(TensorImpl& t) { return !wants_grad(t) || !t.node || t.node->is_accumulator(); }

PyObject* register_hook(PyObject* self, PyObject* function) {
  return guarded([&]() -> PyObject* {
    TensorImpl& t = *impl(self);
    check(wants_grad(t), ErrorKind::runtime,
          "[register_hook] cannot register a hook on a tensor that doesn't require gradient. Received ", describe(t),
          ". Call requires_grad_() first.");
    track(self);
    if (!is_leaf(t)) {
      t.node->flags |= kReachesForeign;
      return add_hook(t.node->extra().hooks, HookKind::tensor, t.output_index, function).release().ptr();
    }
    if (!t.extras) t.extras = new TensorExtras;
    if (t.node) t.node->flags |= kReachesForeign;
    return add_hook(t.extras->hooks, HookKind::tensor, 0, function).release().ptr();
  });
}
PyObject* tensor_hooks(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    TensorImpl& t = *impl(self);
    bool leaf = is_leaf(t);
    std::span<const HookEntry> entries;
    if (leaf && t.extras) entries = t.extras->hooks;
    if (!leaf && t.node->extras) entries = t.node->extras->hooks;
    for (const HookEntry& e : entries)
      if (e.kind == HookKind::tensor && e.hook && (leaf || e.output == t.output_index))
        return new_reference(static_cast<PyObject*>(e.hook->object()));
    return new_reference(Py_None);
  });
}

PyObject* register_post_accumulate(PyObject* self, PyObject* function) {
  return guarded([&]() -> PyObject* {
    TensorImpl& t = *impl(self);
    check(t.requires_grad(), ErrorKind::runtime,
          "[register_post_accumulate_grad_hook] cannot register a hook on a tensor that doesn't require gradient. "
          "Received ",
          describe(t), ".");
    check(is_leaf(t), ErrorKind::runtime,
          "[register_post_accumulate_grad_hook] post accumulate grad hooks cannot be registered on non-leaf tensors. "
          "Received ",
          describe(t), ".");
    track(self);
    if (!t.extras) t.extras = new TensorExtras;
    return add_hook(t.extras->hooks, HookKind::accumulated, 0, function).release().ptr();
  });
}

PyObject* retain_grad_method(PyObject* self, PyObject*) {
  return guarded([&] {
    retain_grad(*impl(self));
    return new_reference(Py_None);
  });
}

}  // namespace

void retain_grad(TensorImpl& t) {
  check(wants_grad(t), ErrorKind::runtime,
        "[retain_grad] can't retain_grad on Tensor that has requires_grad=False. Received ", describe(t), ".");
  if (is_leaf(t) || t.has(kRetainsGrad)) return;
  t.node->extra().hooks.push_back({0, HookKind::retain, t.output_index, nullptr, &t});
  t.set(kRetainsGrad, true);
}

PyMethodDef tensor_methods_autograd[] = {
  {"backward", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(tensor_backward)), METH_FASTCALL | METH_KEYWORDS,
   "backward(gradient=None, retain_graph=None, create_graph=False, inputs=None)\n\nAdds the gradients of this tensor "
   "with "
   "respect to the leaves of its graph to their .grad. gradient: that of something with respect to this tensor; a "
   "scalar "
   "needs none. Raises RuntimeError when the tensor needs no gradient, is no scalar and no gradient is given, or its "
   "graph "
   "was used up."},
  {"register_hook", register_hook, METH_O,
   "Calls fn(grad) when this tensor's gradient is known; a tensor returned replaces it. Returns a handle with "
   "remove()."},
  {"register_post_accumulate_grad_hook", register_post_accumulate, METH_O,
   "Of a leaf: calls fn(tensor) after its .grad was added to. Returns a handle."},
  {"retain_grad", retain_grad_method, METH_NOARGS, "Fills .grad of this tensor in backward although it is no leaf."},
  {nullptr, nullptr, 0, nullptr}};
PyGetSetDef tensor_properties_autograd[] = {
  {"_backward_hooks", tensor_hooks, nullptr, "The hooks of register_hook, a dict; None without any.", nullptr},
  {nullptr, nullptr, nullptr, nullptr, nullptr},
};

void add_nodes(nb::module_& m) {
  node_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&node_spec));
  if (!node_type) throw nb::python_error();
  m.attr("Node") = nb::handle(reinterpret_cast<PyObject*>(node_type));
  free_metadata = [](void* dict) {
    if (Py_IsInitialized()) Py_DECREF(static_cast<PyObject*>(dict));
  };
}

}  // namespace rl::py
