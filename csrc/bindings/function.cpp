// autograd.Function: operators whose backward is Python. The context object ctx is the backward node that Python sees.
#include "bindings/autograd.h"

namespace rl::py {
namespace {

PyTypeObject* context_type = nullptr;

struct SavedEntry {
  Arg kept;                    // Kind::none for None
  int output = -1;             // which result it is: kept without its node, which would be a cycle
  bool tracked = false;        // that result has a gradient
};

struct PyContext {
  PyObject_HEAD PyObject* dict;
  PyObject* weak_references;
  Node* node;                  // not owned: the node owns this object
  std::vector<SavedEntry>* saved;
  PyObject *to_save, *dirty, *non_differentiable, *needs_input_grad;   // tuples or null
  std::vector<bool>* is_tensor;   // per argument of apply: tensors have an edge, in order
  bool materialize, released;
};

PyContext& context(PyObject* o) { return *reinterpret_cast<PyContext*>(o); }

void drop_saved(PyContext& c) {
  if (!c.saved) return;
  for (SavedEntry& e : *c.saved) free_kept(e.kept);
  c.saved->clear();
}

PyObject* context_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* self = type->tp_alloc(type, 0);
  if (!self) return nullptr;
  PyContext& c = context(self);
  c.saved = new std::vector<SavedEntry>;
  c.is_tensor = new std::vector<bool>;
  c.materialize = true;
  return self;
}
int context_traverse(PyObject* self, visitproc visit, void* arg) {
  PyContext& c = context(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(c.dict);
  Py_VISIT(c.to_save);
  Py_VISIT(c.dirty);
  Py_VISIT(c.non_differentiable);
  Py_VISIT(c.needs_input_grad);
  return 0;
}
int context_clear(PyObject* self) {
  PyContext& c = context(self);
  Py_CLEAR(c.dict);
  Py_CLEAR(c.to_save);
  Py_CLEAR(c.dirty);
  Py_CLEAR(c.non_differentiable);
  return 0;
}
void context_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  PyContext& c = context(self);
  if (c.weak_references) PyObject_ClearWeakRefs(self);
  context_clear(self);
  Py_CLEAR(c.needs_input_grad);
  drop_saved(c);
  delete c.saved;
  delete c.is_tensor;
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

Node& live_node(PyObject* self) {
  Node* n = context(self).node;
  check(n != nullptr, ErrorKind::runtime,
        "[Function] the graph of this context must exist. Received one that was freed, or whose forward has not "
        "returned.");
  return *n;
}

// --- the node's side
class PythonFunction : public ForeignFunction {
 public:
  PythonFunction(PyObject* ctx, Node* node) : ctx_(nb::borrow(ctx)) { context(ctx).node = node; }
  ~PythonFunction() override {
    if (!Py_IsInitialized()) {
      ctx_.release();
      return;
    }
    context(ctx_.ptr()).node = nullptr;
  }
  void* object() override { return ctx_.ptr(); }
  std::string name() override { return Py_TYPE(ctx_.ptr())->tp_name; }
  void release_saved() override {
    PyContext& c = context(ctx_.ptr());
    if (c.saved->empty()) return;
    drop_saved(c);
    c.released = true;
  }

  void backward(Node& node, std::span<const Tensor> gradients, std::span<Tensor> input_gradients) override {
    nb::object ctx = ctx_;  // alive while it runs
    PyContext& c = context(ctx.ptr());
    nb::object args = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(gradients.size())));
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      Tensor g = gradients[i];
      int k = static_cast<int>(i);
      if (!g && c.materialize && node.result()[k].kind == Kind::spec)
        g = zeros(node.result_sizes(k), node.result_dtype(k));
      PyTuple_SET_ITEM(args.ptr(), static_cast<Py_ssize_t>(i), wrap_or_none(std::move(g)));
    }
    nb::object apply = nb::steal(PyObject_GetAttrString(ctx.ptr(), "apply"));
    nb::object result = nb::steal(apply ? PyObject_CallObject(apply.ptr(), args.ptr()) : nullptr);
    if (!result) throw PythonError{};
    const std::vector<bool>& is_tensor_argument = *c.is_tensor;
    check(PyTuple_Check(result.ptr()) &&
              PyTuple_GET_SIZE(result.ptr()) == static_cast<Py_ssize_t>(is_tensor_argument.size()),
          ErrorKind::runtime, "[Function] ", name(),
          ".apply must return one gradient or None per argument of forward.");
    std::size_t edge = 0;
    for (std::size_t i = 0; i < is_tensor_argument.size(); ++i) {
      PyObject* g = PyTuple_GET_ITEM(result.ptr(), static_cast<Py_ssize_t>(i));
      check(g == Py_None || is_tensor(g), ErrorKind::type, "[Function] ", name(),
            " must return Tensors or None. Received ", Py_TYPE(g)->tp_name, " at position ", i, ".");
      check(g == Py_None || is_tensor_argument[i], ErrorKind::runtime, "[Function] ", name(),
            " returned a gradient different from None at position ", i + 1,
            ", but the corresponding forward input was not a Variable. Return None there.");
      if (!is_tensor_argument[i]) continue;
      const Edge& e = node.edge()[edge];
      if (g != Py_None && e.node)
        input_gradients[edge] = fitted(Tensor(impl(g)), e.node->result_sizes(static_cast<int>(e.output)), i);
      ++edge;
    }
  }

 private:
  // The gradient of an input that forward broadcast is summed over what it was broadcast to.
  Tensor fitted(Tensor g, Sizes wanted, std::size_t i) {
    if (same_sizes(g->sizes(), wanted)) return g;
    int extra = g->ndim - static_cast<int>(wanted.size());
    bool fits = extra >= 0;
    for (int d = 0; fits && d < static_cast<int>(wanted.size()); ++d)
      fits = wanted[static_cast<std::size_t>(d)] == 1 || wanted[static_cast<std::size_t>(d)] == g->size[d + extra];
    check(fits, ErrorKind::runtime, "[Function] ", name(), " returned an invalid gradient at index ", i, " - got ",
          g->sizes(), " but expected shape compatible with ", wanted, ".");
    return call<"sum_to_size">(g, wanted);
  }
  nb::object ctx_;
};

// --- ctx's methods
PyObject* save_for_backward(PyObject* self, PyObject* tensors) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tensors); ++i) {
    PyObject* t = PyTuple_GET_ITEM(tensors, i);
    if (t != Py_None && !is_tensor(t))
      return PyErr_Format(PyExc_TypeError,
                          "[save_for_backward] save_for_backward can only save variables, but argument %zd is of type "
                          "%s. Set ctx.name = value for anything else.",
                          i, Py_TYPE(t)->tp_name);
  }
  Py_INCREF(tensors);
  Py_XSETREF(context(self).to_save, tensors);
  Py_RETURN_NONE;
}
PyObject* mark_dirty(PyObject* self, PyObject* tensors) {
  Py_INCREF(tensors);
  Py_XSETREF(context(self).dirty, tensors);
  Py_RETURN_NONE;
}
PyObject* mark_non_differentiable(PyObject* self, PyObject* tensors) {
  Py_INCREF(tensors);
  Py_XSETREF(context(self).non_differentiable, tensors);
  Py_RETURN_NONE;
}
PyObject* set_materialize_grads(PyObject* self, PyObject* value) {
  int on = PyObject_IsTrue(value);
  if (on < 0) return nullptr;
  context(self).materialize = on;
  Py_RETURN_NONE;
}
PyObject* context_name(PyObject* self, PyObject*) { return PyUnicode_FromString(Py_TYPE(self)->tp_name); }
PyObject* context_hook(PyObject* self, PyObject* function) {
  return guarded([&] { return add_node_hook(live_node(self), HookKind::after, function).release().ptr(); });
}
PyObject* context_prehook(PyObject* self, PyObject* function) {
  return guarded([&] { return add_node_hook(live_node(self), HookKind::before, function).release().ptr(); });
}
PyObject* context_next(PyObject* self, void*) {
  return guarded([&] { return next_functions(live_node(self)).release().ptr(); });
}
PyObject* context_metadata(PyObject* self, void*) {
  return guarded([&] { return metadata_of(live_node(self)).release().ptr(); });
}
PyObject* context_outputs(PyObject* self, void*) {
  return guarded([&] { return outputs_of(live_node(self)).release().ptr(); });
}
PyObject* context_location(PyObject* self, void*) {
  return guarded([&] { return location_of(live_node(self)).release().ptr(); });
}
PyObject* get_needs(PyObject* self, void*) {
  PyObject* needs = context(self).needs_input_grad;
  return needs ? new_reference(needs) : PyTuple_New(0);
}
int set_needs(PyObject* self, PyObject* value, void*) {
  Py_XINCREF(value);
  Py_XSETREF(context(self).needs_input_grad, value);
  return 0;
}
PyObject* get_materialize(PyObject* self, void*) { return PyBool_FromLong(context(self).materialize); }
int set_materialize(PyObject* self, PyObject* value, void*) {
  context(self).materialize = PyObject_IsTrue(value) > 0;
  return 0;
}
PyObject* get_to_save(PyObject* self, void*) {
  PyObject* saved = context(self).to_save;
  return saved ? new_reference(saved) : PyTuple_New(0);
}
// The context may outlive its node; what it saved stays readable.
Tensor saved_tensor(PyContext& c, const SavedEntry& e) {
  if (e.kept.kind == Kind::none) return {};
  Tensor t = kept(e.kept, c.node, Py_TYPE(reinterpret_cast<PyObject*>(&c))->tp_name);
  if (e.output < 0) return t;
  t = alias(*t);
  if (c.node && e.tracked) set_history(*t, Ref<Node>(c.node), e.output);
  return t;
}

PyObject* get_saved(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    PyContext& c = context(self);
    check(!c.released, ErrorKind::runtime,
          "[backward] Trying to backward through the graph a second time (or directly access saved tensors after they "
          "have already been freed). Call backward(retain_graph=True) the first time.");
    if (c.to_save) return new_reference(c.to_save);  // forward has not returned
    std::vector<SavedEntry>& saved = *c.saved;
    nb::object result = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(saved.size())));
    for (std::size_t i = 0; i < saved.size(); ++i)
      PyTuple_SET_ITEM(result.ptr(), static_cast<Py_ssize_t>(i), wrap_or_none(saved_tensor(c, saved[i])));
    return result.release().ptr();
  });
}

PyMethodDef context_methods[] = {
  {"save_for_backward", save_for_backward, METH_VARARGS, "Keeps tensors for backward; call it once."},
  {"mark_dirty", mark_dirty, METH_VARARGS, "Names the inputs that forward changed in place."},
  {"mark_non_differentiable", mark_non_differentiable, METH_VARARGS, "Names the outputs that have no gradient."},
  {"set_materialize_grads", set_materialize_grads, METH_O,
   "Whether missing gradients reach backward as zeros (default) or None."},
  {"name", context_name, METH_NOARGS, "The name of the node."},
  {"register_hook", context_hook, METH_O, "As Node.register_hook."},
  {"register_prehook", context_prehook, METH_O, "As Node.register_prehook."},
  {nullptr, nullptr, 0, nullptr}};
PyGetSetDef context_properties[] = {
  {"saved_tensors", get_saved, nullptr, "What save_for_backward was given.", nullptr},
  {"saved_variables", get_saved, nullptr, "The old name of saved_tensors.", nullptr},
  {"to_save", get_to_save, nullptr, "What is to be kept when forward returns.", nullptr},
  {"needs_input_grad", get_needs, set_needs, "One bool per argument of apply.", nullptr},
  {"materialize_grads", get_materialize, set_materialize, "Whether missing gradients are zeros.", nullptr},
  {"next_functions", context_next, nullptr, "As Node.next_functions.", nullptr},
  {"metadata", context_metadata, nullptr, "As Node.metadata.", nullptr},
  {"outputs", context_outputs, nullptr, "As Node.outputs.", nullptr},
  {"location", context_location, nullptr, "As Node.location.", nullptr},
  {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
  {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef context_members[] = {
  {"__dictoffset__", T_PYSSIZET, offsetof(PyContext, dict), READONLY, nullptr},
  {"__weaklistoffset__", T_PYSSIZET, offsetof(PyContext, weak_references), READONLY, nullptr},
  {nullptr, 0, 0, 0, nullptr}};
PyType_Slot context_slots[] = {{Py_tp_new, reinterpret_cast<void*>(context_new)},
                               {Py_tp_dealloc, reinterpret_cast<void*>(context_dealloc)},
                               {Py_tp_traverse, reinterpret_cast<void*>(context_traverse)},
                               {Py_tp_clear, reinterpret_cast<void*>(context_clear)},
                               {Py_tp_methods, context_methods},
                               {Py_tp_getset, context_properties},
                               {Py_tp_members, context_members},
                               {Py_tp_doc, const_cast<char*>("The base of autograd.Function's ctx.")},
                               {0, nullptr}};
PyType_Spec context_spec = {"rushlight._core.FunctionContext", sizeof(PyContext), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, context_slots};

// --- apply
bool contains(PyObject* tuple, const TensorImpl* t) {
  if (!tuple) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i)
    if (PyObject* o = PyTuple_GET_ITEM(tuple, i); is_tensor(o) && impl(o) == t) return true;
  return false;
}

int index_of(PyObject* tuple, const TensorImpl* t) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i)
    if (PyObject* o = PyTuple_GET_ITEM(tuple, i); is_tensor(o) && impl(o) == t) return static_cast<int>(i);
  return -1;
}

// Whether an output gets a gradient.
bool is_tracked(const PyContext& c, const Node* node, const TensorImpl& t) {
  return node && is_differentiable(t.dtype) && !contains(c.non_differentiable, &t);
}

void check_dirty(const PyContext& c, PyObject* outputs) {
  if (!c.dirty) return;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(c.dirty); ++i) {
    PyObject* o = PyTuple_GET_ITEM(c.dirty, i);
    check(is_tensor(o), ErrorKind::type, "[mark_dirty] only tensors can be marked. Received ", Py_TYPE(o)->tp_name,
          ".");
    check(contains(outputs, impl(o)), ErrorKind::runtime,
          "[mark_dirty] Some elements marked as dirty during the forward method were not returned as output. The "
          "inputs that are modified inplace must all be outputs of the Function.");
  }
}

// The outputs as the caller receives them: with history, as aliases of inputs that were returned as they are, or plain.
class Outputs {
 public:
  Outputs(PyContext& c, PyObject* args, PyObject* outputs, Node* node)
      : c_(c), args_(args), outputs_(outputs), node_(node) {}

  nb::object finished() {
    Py_ssize_t n = PyTuple_GET_SIZE(outputs_);
    nb::object result = nb::steal(PyTuple_New(n));
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* o = PyTuple_GET_ITEM(outputs_, i);
      PyTuple_SET_ITEM(result.ptr(), i, is_tensor(o) ? finish(o, static_cast<int>(i)) : new_reference(o));
    }
    return result;
  }

 private:
  PyObject* finish(PyObject* o, int k) {
    Tensor t(impl(o));
    if (node_) {
      node_->result()[k].spec = TensorSpec::of(*t);
      node_->result()[k].kind = Kind::spec;
    }
    bool dirty = contains(c_.dirty, t.get()), as_it_is = contains(args_, t.get()) && !dirty;
    if (!is_tracked(c_, node_, *t)) {
      if (as_it_is || (node_ && !dirty && t->requires_grad())) t = alias(*t);
      return wrap(std::move(t));
    }
    if (dirty) {
      check_written(*t);
      rebase_history(*t, node_, k);
    } else {
      if (as_it_is) {
        Tensor view = alias(*t);
        GradMode off(false);
        mark_view(*view, *t);  // made unrecorded: writing to it while recording is refused
        t = std::move(view);
      } else if (t->node && !t->node->is_accumulator()) {
        t = alias(*t);  // forward recorded a graph of its own, which keeps its tensor
      }
      set_history(*t, Ref<Node>(node_), k);
    }
    PyObject* made = wrap(std::move(t));
    if (made && !PyObject_GC_IsTracked(made)) PyObject_GC_Track(made);
    return made;
  }

  void check_written(TensorImpl& t) {
    TensorImpl& base = t.base ? *t.base : t;
    bool leaf = base.requires_grad() && (!base.node || base.node->is_accumulator());
    check(!leaf, ErrorKind::runtime, "[Function] a leaf Variable that requires grad",
          t.base ? ", or a view of one," : "", " is being used in an in-place operation. Received ", describe(t),
          ". Work on a clone().");
  }

  PyContext& c_;
  PyObject *args_, *outputs_;
  Node* node_;
};

// After forward: what ctx.save_for_backward() was given, before the outputs get their history.
void keep_saved(PyContext& c, Node* node, PyObject* args, PyObject* outputs) {
  if (!c.to_save) return;
  nb::object to_save = nb::steal(std::exchange(c.to_save, nullptr));
  if (!node) return;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(to_save.ptr()); ++i) {
    PyObject* o = PyTuple_GET_ITEM(to_save.ptr(), i);
    SavedEntry e;
    if (is_tensor(o)) {
      TensorImpl& t = *impl(o);
      bool as_it_is = contains(args, &t) && !contains(c.dirty, &t);  // then the output is an alias of it
      if (!as_it_is) e.output = index_of(outputs, &t);
      if (e.output >= 0) {
        e.tracked = is_tracked(c, node, t);
        e.kept = keep(*alias(t));
      } else if (Py_TYPE(o) != tensor_type && !eager_state.pack) {  // of a subclass: the same object comes back
        t.inc();
        e.kept.t = &t;
        e.kept.kind = Kind::tensor;
        e.kept.version = t.storage->version;
      } else {
        e.kept = keep(t);
      }
    }
    c.saved->push_back(e);
  }
}

nb::object call_forward(PyObject* forward, PyObject* ctx, PyObject* args) {
  Py_ssize_t n = PyTuple_GET_SIZE(args);
  nb::object all = nb::steal(PyTuple_New(n + 1));
  PyTuple_SET_ITEM(all.ptr(), 0, new_reference(ctx));
  for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(all.ptr(), i + 1, new_reference(PyTuple_GET_ITEM(args, i)));
  GradMode off(false);
  nb::object returned = nb::steal(PyObject_CallObject(forward, all.ptr()));
  if (!returned) throw PythonError{};
  return returned;
}

PyObject* apply_function(PyObject*, PyObject* const* given, Py_ssize_t n) {
  return guarded([&]() -> PyObject* {
    check(n == 4 && PyTuple_Check(given[3]) && PyObject_TypeCheck(given[1], context_type), ErrorKind::type,
          "[apply_function] (cls, ctx, forward, args) are expected.");
    PyObject *ctx = given[1], *forward = given[2], *args = given[3];
    PyContext& c = context(ctx);
    OwnedEdges edges;  // taken before forward, which may write to its inputs
    bool wants = false;
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    nb::object needs = nb::steal(PyTuple_New(count));
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyObject* o = PyTuple_GET_ITEM(args, i);
      bool given_tensor = is_tensor(o), need = given_tensor && wants_grad(*impl(o));
      if (!given_tensor && overrides(o)) return new_reference(Py_NotImplemented);  // the package knows what to do
      c.is_tensor->push_back(given_tensor);
      if (given_tensor) edges.edge.push_back(need && eager_state.grad ? edge_of(*impl(o)) : Edge{});
      wants |= need;
      PyTuple_SET_ITEM(needs.ptr(), i, PyBool_FromLong(need));
    }
    Py_XSETREF(c.needs_input_grad, needs.release().ptr());

    nb::object returned = call_forward(forward, ctx, args);
    bool single = !PyTuple_Check(returned.ptr());
    nb::object outputs = single ? nb::steal(PyTuple_Pack(1, returned.ptr())) : returned;
    Py_ssize_t outputs_count = PyTuple_GET_SIZE(outputs.ptr());
    check_dirty(c, outputs.ptr());

    Ref<Node> node;
    if (wants && eager_state.grad) {
      constexpr Py_ssize_t kMostOutputs = 255;
      check(outputs_count <= kMostOutputs, ErrorKind::runtime, "[Function] forward must return at most ", kMostOutputs,
            " outputs. Received ", outputs_count, ".");
      node = Ref<Node>::steal(
          Node::make(nullptr, 0, static_cast<int>(edges.edge.size()), static_cast<int>(outputs_count)));
      std::copy(edges.edge.begin(), edges.edge.end(), node->edge());
      edges.edge.clear();
      node->flags |= kReachesForeign;
      node->extra().function = std::make_unique<PythonFunction>(ctx, node.get());
      if (locate) locate(*node);
      if (c.dirty)
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(c.dirty); ++i) written(*impl(PyTuple_GET_ITEM(c.dirty, i)));
    }
    keep_saved(c, node.get(), args, outputs.ptr());
    nb::object result = Outputs(c, args, outputs.ptr(), node.get()).finished();
    Py_CLEAR(c.dirty);  // they would keep tensors, and with them this node, alive
    Py_CLEAR(c.non_differentiable);
    return single ? new_reference(PyTuple_GET_ITEM(result.ptr(), 0)) : result.release().ptr();
  });
}

PyMethodDef functions[] = {
  {"apply_function", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(apply_function)), METH_FASTCALL,
   "Runs a Function's forward and records it: apply_function(cls, ctx, forward, args)."},
  {nullptr, nullptr, 0, nullptr}};

}  // namespace

Node* node_of_context(PyObject* o) { return PyObject_TypeCheck(o, context_type) ? context(o).node : nullptr; }

void add_functions(nb::module_& m) {
  context_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&context_spec));
  if (!context_type) throw nb::python_error();
  m.attr("FunctionContext") = nb::handle(reinterpret_cast<PyObject*>(context_type));
  if (PyModule_AddFunctions(m.ptr(), functions) < 0) throw nb::python_error();
}

}  // namespace rl::py
