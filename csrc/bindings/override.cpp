// L8: __torch_function__: what is asked before a function runs, and functions in Python that are offered to it.
//
// Three may answer in a function's place: a mode of this thread, the handler of random draws, and the classes of the
// arguments. docs/decisions/0021 has the design and what it costs.
#include "bindings/objects.h"
#include "eager/autocast.h"
// After Python.h, whose types it uses.
#include <structmember.h>

#include <algorithm>
#include <vector>

namespace rl::py {

int modes = 0;

namespace {

PyObject* disabled;                                // __torch_function__ of a class that says it is no override
PyObject *name_of_override, *name_of_rows_alone;
thread_local bool classes_off = false;             // DisableTorchFunctionSubclass
thread_local bool skip_once = false;               // redispatch_function: nobody is asked about the next call
thread_local PyObject* mode = nullptr;             // asked about every call
thread_local PyObject* random_override = nullptr;  // asked about every call that draws random numbers

bool is_builtin(PyTypeObject* type) {
  return type == &PyFloat_Type || type == &PyLong_Type || type == &PyTuple_Type || type == &PyList_Type ||
         type == &PyBool_Type || type == &PyUnicode_Type || type == Py_TYPE(Py_None);
}

// A class of our own that is asked about rows alone: what is composed of rows works on it by its parts.
bool of_rows_alone(PyObject* o) { return _PyType_Lookup(Py_TYPE(o), name_of_rows_alone) != nullptr; }

bool is_list(PyObject* o) { return PyTuple_Check(o) || PyList_Check(o); }

// Objects whose class overrides, subclasses before their bases, each class once.
void collect(PyObject* o, Asked asked, std::vector<PyObject*>& found) {
  if (is_list(o)) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
      PyObject* entry = PySequence_Fast_GET_ITEM(o, i);
      if (!is_list(entry)) collect(entry, asked, found);
    }
    return;
  }
  if (!overrides(o) || (asked == Asked::of_all && of_rows_alone(o))) return;
  for (PyObject* other : found)
    if (Py_TYPE(other) == Py_TYPE(o)) return;
  auto before = found.begin();
  while (before != found.end() && !PyType_IsSubtype(Py_TYPE(o), Py_TYPE(*before))) ++before;
  found.insert(before, o);
}

// handler(function, types, args, kwargs)
PyObject* ask(PyObject* handler, PyObject* function, PyObject* types, PyObject* const* args, Py_ssize_t positional,
              PyObject* keywords) {
  nb::object arguments = nb::steal(PyTuple_New(positional)), named = nb::steal(PyDict_New());
  if (!arguments || !named) return nullptr;
  for (Py_ssize_t i = 0; i < positional; ++i) PyTuple_SET_ITEM(arguments.ptr(), i, new_reference(args[i]));
  for (Py_ssize_t i = 0; keywords && i < PyTuple_GET_SIZE(keywords); ++i)
    if (PyDict_SetItem(named.ptr(), PyTuple_GET_ITEM(keywords, i), args[positional + i]) < 0) return nullptr;
  return PyObject_CallFunctionObjArgs(handler, function, types, arguments.ptr(), named.ptr(), nullptr);
}

nb::object types_of(const std::vector<PyObject*>& objects) {
  nb::object types = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(objects.size())));
  for (std::size_t k = 0; types && k < objects.size(); ++k)
    PyTuple_SET_ITEM(types.ptr(), static_cast<Py_ssize_t>(k),
                     new_reference(reinterpret_cast<PyObject*>(Py_TYPE(objects[k]))));
  return types;
}

}  // namespace

bool overrides(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  if (type == tensor_type || is_builtin(type)) return false;
  PyObject* f = _PyType_Lookup(type, name_of_override);
  return f && f != disabled;
}
bool overrides_all(PyObject* o) { return overrides(o) && !of_rows_alone(o); }

namespace {

// The first answer: of the mode, then of the objects' classes.
PyObject* answer(PyObject* function, const std::vector<PyObject*>& found, PyObject* const* args, Py_ssize_t positional,
                 PyObject* keywords) {
  nb::object types = types_of(found);
  if (!types) return nullptr;
  if (mode) {
    nb::object held = nb::borrow(mode);
    PyObject* r = ask(held.ptr(), function, types.ptr(), args, positional, keywords);
    if (r != Py_NotImplemented) return r;
    Py_DECREF(r);
  }
  for (PyObject* o : found) {
    nb::object handler = nb::steal(PyObject_GetAttr(o, name_of_override));
    if (!handler) return nullptr;
    PyObject* r = ask(handler.ptr(), function, types.ptr(), args, positional, keywords);
    if (r != Py_NotImplemented) return r;
    Py_DECREF(r);
  }
  PyErr_Format(PyExc_TypeError,
               "[__torch_function__] no class among %R implements %R: all of them returned NotImplemented.",
               types.ptr(), function);
  return nullptr;
}

}  // namespace

PyObject* torch_function(PyObject* function, PyObject* const* args, Py_ssize_t positional, PyObject* keywords,
                         Asked asked) {
  if ((classes_off && !mode) || std::exchange(skip_once, false)) return nullptr;
  std::vector<PyObject*> found;
  Py_ssize_t named = keywords ? PyTuple_GET_SIZE(keywords) : 0;
  for (Py_ssize_t i = 0; !classes_off && i < positional + named; ++i) collect(args[i], asked, found);
  return found.empty() && !mode ? nullptr : answer(function, found, args, positional, keywords);
}

PyObject* ask_mode(PyObject* function, bool draws, PyObject* const* args, Py_ssize_t positional, PyObject* keywords) {
  if (mode) return torch_function(function, args, positional, keywords, Asked::of_all);
  if (!draws || !random_override || classes_off) return nullptr;
  nb::object none = nb::steal(PyTuple_New(0));
  return ask(random_override, function, none.ptr(), args, positional, keywords);
}

PyObject* ask_about_member(const char* name, std::initializer_list<PyObject*> args, Asked asked) {
  nb::object function = nb::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), name));
  if (!function) return nullptr;
  return torch_function(function.ptr(), args.begin(), static_cast<Py_ssize_t>(args.size()), nullptr, asked);
}

// --- properties: each is told of by its __get__ or __set__
namespace {

struct Property {
  PyGetSetDef plain;
  PyObject* accessor(const char* which) const {
    nb::object descriptor = nb::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), plain.name));
    return descriptor ? PyObject_GetAttrString(descriptor.ptr(), which) : nullptr;
  }
};

PyObject* offered_get(PyObject* self, void* closure) {
  auto* property = static_cast<Property*>(closure);
  if (may_ask(self)) [[unlikely]] {
    nb::object getter = nb::steal(property->accessor("__get__"));
    if (!getter) return nullptr;
    if (PyObject* r = torch_function(getter.ptr(), &self, 1, nullptr, Asked::of_all); r || PyErr_Occurred()) return r;
  }
  return property->plain.get(self, property->plain.closure);
}
int offered_set(PyObject* self, PyObject* value, void* closure) {
  auto* property = static_cast<Property*>(closure);
  if (value && may_ask(self)) [[unlikely]] {
    nb::object setter = nb::steal(property->accessor("__set__"));
    if (!setter) return -1;
    PyObject* both[] = {self, value};
    nb::object r = nb::steal(torch_function(setter.ptr(), both, 2, nullptr, Asked::of_all));
    if (r || PyErr_Occurred()) return r ? 0 : -1;
  }
  return property->plain.set(self, value, property->plain.closure);
}

}  // namespace

PyGetSetDef offered_property(const PyGetSetDef& plain) {
  return {plain.name, offered_get, plain.set ? offered_set : nullptr, plain.doc, new Property{plain}};  // for good
}

// --- functions in Python
namespace {

struct PyOffered {
  PyObject_HEAD vectorcallfunc call;
  PyObject* function;
  vectorcallfunc inner;
  PyObject* path;          // "rushlight.nn.functional:relu", where pickle finds it again
  PyObject *name, *qualified_name;
  PyObject* weak_references;
  CastRule rule;
  bool of_data;            // it reads nested numbers: its arguments are no tensors, only a mode is asked
};
PyTypeObject *offered_type, *offered_method_type;
PyOffered& as_offered(PyObject* o) { return *reinterpret_cast<PyOffered*>(o); }

bool any_overrides(PyObject* const* args, Py_ssize_t n) {
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* o = args[i];
    if (Py_TYPE(o) == tensor_type) continue;
    if (!is_list(o)) {
      if (overrides_all(o)) return true;
      continue;
    }
    for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(o); ++k)
      if (overrides_all(PySequence_Fast_GET_ITEM(o, k))) return true;
  }
  return false;
}

bool has_out(PyObject* const* values, PyObject* keywords) {
  for (Py_ssize_t i = 0; keywords && i < PyTuple_GET_SIZE(keywords); ++i)
    if (values[i] != Py_None && !PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(keywords, i), "out")) return true;
  return false;
}

// With what autocasting makes of the tensors among the arguments, and in lists there.
PyObject* call_cast(const PyOffered& self, PyObject* const* args, std::size_t flagged, PyObject* keywords) {
  return guarded([&]() -> PyObject* {
    DType to = cast_dtype(self.rule);
    std::vector<nb::object> owned;
    auto cast = [&](PyObject* o) -> PyObject* {
      if (!is_tensor(o) || self.rule == CastRule::unchanged) return o;
      return owned.emplace_back(nb::steal(wrap(cast_to(*impl(o), to)))).ptr();
    };
    Py_ssize_t n = PyVectorcall_NARGS(flagged) + (keywords ? PyTuple_GET_SIZE(keywords) : 0);
    std::vector<PyObject*> given(args, args + n);
    for (PyObject*& o : given) {
      if (!is_list(o)) {
        o = cast(o);
        continue;
      }
      nb::object list = nb::steal(PySequence_List(o));
      if (!list) throw PythonError();
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list.ptr()); ++i)
        PyList_SetItem(list.ptr(), i, new_reference(cast(PyList_GET_ITEM(list.ptr(), i))));
      o = owned.emplace_back(PyTuple_Check(o) ? nb::steal(PyList_AsTuple(list.ptr())) : list).ptr();
    }
    AutocastMode off(false);
    std::size_t count = static_cast<std::size_t>(PyVectorcall_NARGS(flagged));
    PyObject* r = self.inner(self.function, given.data(), count, keywords);
    if (!r) throw PythonError();
    return r;
  });
}

PyObject* offered_call(PyObject* self_, PyObject* const* args, std::size_t flagged, PyObject* keywords) {
  PyOffered& self = as_offered(self_);
  Py_ssize_t n = PyVectorcall_NARGS(flagged), all = n + (keywords ? PyTuple_GET_SIZE(keywords) : 0);
  if (modes || (!self.of_data && any_overrides(args, all))) [[unlikely]] {
    PyObject* r = self.of_data ? ask_mode(self_, false, args, n, keywords)
                               : torch_function(self_, args, n, keywords, Asked::of_all);
    if (r || PyErr_Occurred()) return r;
  }
  if (autocasting && self.rule != CastRule::none && !has_out(args + n, keywords)) [[unlikely]]
    return call_cast(self, args, flagged, keywords);
  return self.inner(self.function, args, flagged, keywords);
}

PyObject* offered_bind(PyObject* self, PyObject* object, PyObject*) {
  return object ? PyMethod_New(self, object) : new_reference(self);
}
PyObject* offered_unbound(PyObject* self, PyObject*, PyObject*) { return new_reference(self); }
PyObject* offered_attribute(PyObject* self, PyObject* name) {
  bool of_function = !PyUnicode_CompareWithASCIIString(name, "__doc__") ||  // else found in the type
                     !PyUnicode_CompareWithASCIIString(name, "__module__");
  PyObject* found = of_function ? nullptr : PyObject_GenericGetAttr(self, name);
  if (found || (!of_function && !PyErr_ExceptionMatches(PyExc_AttributeError))) return found;
  PyErr_Clear();
  return PyObject_GetAttr(as_offered(self).function, name);
}
int offered_set_attribute(PyObject* self, PyObject* name, PyObject* value) {
  return PyObject_SetAttr(as_offered(self).function, name, value);
}
PyObject* offered_repr(PyObject* self) {
  nb::object path = nb::steal(PyObject_CallMethod(as_offered(self).path, "replace", "ss", ":", "."));
  return path ? PyUnicode_FromFormat("<function %U>", path.ptr()) : nullptr;
}
PyObject* offered_reduce(PyObject* self, PyObject*) {
  nb::object pkgutil = nb::steal(PyImport_ImportModule("pkgutil"));
  if (!pkgutil) return nullptr;
  nb::object find = nb::steal(PyObject_GetAttrString(pkgutil.ptr(), "resolve_name"));
  return find ? Py_BuildValue("O(O)", find.ptr(), as_offered(self).path) : nullptr;
}
PyObject* offered_same(PyObject* self, PyObject*) { return new_reference(self); }

int offered_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(as_offered(self).function);
  return 0;
}
int offered_clear(PyObject* self) {
  Py_CLEAR(as_offered(self).function);
  return 0;
}
void offered_free(PyObject* self) {
  PyObject_GC_UnTrack(self);
  if (as_offered(self).weak_references) PyObject_ClearWeakRefs(self);
  Py_CLEAR(as_offered(self).function);
  Py_CLEAR(as_offered(self).path);
  Py_CLEAR(as_offered(self).name);
  Py_CLEAR(as_offered(self).qualified_name);
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

template <class F> void* slot(F* f) { return reinterpret_cast<void*>(f); }

PyMemberDef offered_members[] = {
  {"__vectorcalloffset__", T_PYSSIZET, offsetof(PyOffered, call), READONLY, nullptr},
  {"__weaklistoffset__", T_PYSSIZET, offsetof(PyOffered, weak_references), READONLY, nullptr},
  {"path", T_OBJECT, offsetof(PyOffered, path), READONLY, nullptr},
  {"__name__", T_OBJECT, offsetof(PyOffered, name), READONLY, nullptr},
  {"__qualname__", T_OBJECT, offsetof(PyOffered, qualified_name), READONLY, nullptr},
  {"__wrapped__", T_OBJECT, offsetof(PyOffered, function), READONLY, nullptr},
  {nullptr, 0, 0, 0, nullptr},
};
PyMethodDef offered_methods[] = {
  {"__reduce__", offered_reduce, METH_NOARGS, nullptr},
  {"__copy__", offered_same, METH_NOARGS, nullptr},
  {"__deepcopy__", offered_same, METH_O, nullptr},
  {nullptr, nullptr, 0, nullptr},
};
PyType_Slot offered_slots[] = {
  {Py_tp_call, slot(PyVectorcall_Call)},
  {Py_tp_descr_get, slot(offered_unbound)},  // with which inspect sees a routine
  {Py_tp_repr, slot(offered_repr)},
  {Py_tp_getattro, slot(offered_attribute)},
  {Py_tp_setattro, slot(offered_set_attribute)},
  {Py_tp_members, offered_members},
  {Py_tp_methods, offered_methods},
  {Py_tp_traverse, slot(offered_traverse)},
  {Py_tp_clear, slot(offered_clear)},
  {Py_tp_dealloc, slot(offered_free)},
  {0, nullptr},
};
PyType_Slot offered_method_slots[] = {
  {Py_tp_call, slot(PyVectorcall_Call)},
  {Py_tp_descr_get, slot(offered_bind)},
  {Py_tp_members, offered_members},
  {Py_tp_traverse, slot(offered_traverse)},
  {Py_tp_clear, slot(offered_clear)},
  {Py_tp_dealloc, slot(offered_free)},
  {0, nullptr},
};
constexpr unsigned kFlags =
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_HAVE_GC;
PyType_Spec offered_spec = {"rushlight._core.Offered", sizeof(PyOffered), 0, kFlags | Py_TPFLAGS_BASETYPE,
                            offered_slots};
PyType_Spec offered_method_spec = {"rushlight._core.OfferedMethod", sizeof(PyOffered), 0,
                                   kFlags | Py_TPFLAGS_METHOD_DESCRIPTOR, offered_method_slots};

PyObject* offered(PyObject*, PyObject* args, PyObject* keywords) {
  static const char* names[] = {"function", "path", "of_data", nullptr};
  PyObject *function, *path;
  int of_data = 0;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "OU|p", const_cast<char**>(names), &function, &path, &of_data))
    return nullptr;
  vectorcallfunc inner = PyVectorcall_Function(function);
  if (!inner) return PyErr_Format(PyExc_TypeError, "[offered] function must be one. Received %R.", function);
  std::string_view text = PyUnicode_AsUTF8(path);
  text = text.substr(text.find(':') + 1);
  bool method = text.starts_with("Tensor.");
  PyTypeObject* type = method ? offered_method_type : offered_type;
  PyObject* o = type->tp_alloc(type, 0);
  if (!o) return nullptr;
  PyOffered& self = as_offered(o);
  self.call = offered_call;
  self.function = new_reference(function);
  self.inner = inner;
  self.path = new_reference(path);
  self.qualified_name = new_string(text);
  self.name = new_string(text.substr(method ? 7 : 0));
  // "rushlight.linalg:inv" is "linalg.inv" to the rules; "nn.functional" they leave out, and whose method it is.
  std::string_view space = PyUnicode_AsUTF8(path);
  std::string_view bare = text.substr(method ? 7 : 0);
  bool below = space.starts_with("rushlight.linalg:") || space.starts_with("rushlight.fft:");
  self.rule = cast_rule(below ? str(space.substr(10, space.find(':') - 10), ".", bare) : std::string(bare));
  self.of_data = of_data;
  return o;
}

// --- what the package is told
PyObject* disabled_torch_function(PyObject*, PyObject* args, PyObject*) {
  PyObject *function = nullptr, *types = nullptr, *arguments = nullptr, *named = nullptr;
  if (!PyArg_ParseTuple(args, "OO|OO", &function, &types, &arguments, &named)) return nullptr;
  nb::object none = arguments ? nb::object() : nb::steal(PyTuple_New(0));
  bool before = std::exchange(classes_off, true);
  PyObject* r = PyObject_Call(function, arguments ? arguments : none.ptr(), named == Py_None ? nullptr : named);
  classes_off = before;
  return r;
}
PyObject* set_torch_function_enabled(PyObject*, PyObject* on) {
  int wanted = PyObject_IsTrue(on);
  if (wanted < 0) return nullptr;
  return PyBool_FromLong(!std::exchange(classes_off, !wanted));
}
PyObject* skip_torch_function_once(PyObject*, PyObject* on) {
  skip_once = on == Py_True;
  Py_RETURN_NONE;
}
PyObject* is_torch_function_enabled(PyObject*, PyObject*) { return PyBool_FromLong(!classes_off); }

PyObject* has_torch_function(PyObject*, PyObject* args) {
  nb::object sequence = nb::steal(PySequence_Fast(args, "[has_torch_function] a tuple of arguments is wanted."));
  if (!sequence) return nullptr;
  PyObject** items = PySequence_Fast_ITEMS(sequence.ptr());
  if (std::exchange(skip_once, false)) Py_RETURN_FALSE;
  bool any = !classes_off && std::any_of(items, items + PySequence_Fast_GET_SIZE(sequence.ptr()), overrides);
  return PyBool_FromLong(any || mode);
}
// handle_torch_function(public_api, relevant_args, *args, **kwargs)
PyObject* handle_torch_function(PyObject*, PyObject* const* args, Py_ssize_t n, PyObject* keywords) {
  if (n < 2 || !is_list(args[1]))
    return PyErr_Format(PyExc_TypeError, "[handle_torch_function] a function and a tuple of relevant arguments come "
                                         "first.");
  std::vector<PyObject*> found;
  if (!classes_off) collect(args[1], Asked::of_a_row, found);
  return answer(args[0], found, args + 2, n - 2, keywords);
}

PyObject* exchanged(PyObject*& handler, PyObject* next) {
  PyObject* before = std::exchange(handler, next == Py_None ? nullptr : new_reference(next));
  return before ? before : new_reference(Py_None);
}
PyObject* set_random_override(PyObject*, PyObject* handler) { return exchanged(random_override, handler); }
PyObject* set_mode(PyObject*, PyObject* handler) {
  modes += (handler != Py_None) - (mode != nullptr);
  return exchanged(mode, handler);
}

template <class F> PyCFunction function_of(F* f) { return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(f)); }

PyTypeObject* new_type(PyType_Spec& spec, PyTypeObject* base) {
  PyObject* type = PyType_FromSpecWithBases(&spec, reinterpret_cast<PyObject*>(base));
  if (!type) throw nb::python_error();
  return reinterpret_cast<PyTypeObject*>(type);
}

}  // namespace

void add_overrides(PyObject* module) {
  static PyMethodDef functions[] = {
    {"_disabled_torch_function_impl", function_of(disabled_torch_function), METH_VARARGS | METH_KEYWORDS,
     "As a class's __torch_function__: the class overrides nothing."},
    {"_set_torch_function_enabled", set_torch_function_enabled, METH_O,
     "Whether __torch_function__ of classes is asked on this thread; returns what held before."},
    {"_skip_torch_function_once", skip_torch_function_once, METH_O,
     "Whether nobody is asked about the next call on this thread."},
    {"_is_torch_function_enabled", is_torch_function_enabled, METH_NOARGS,
     "Whether __torch_function__ of classes is asked on this thread."},
    {"has_torch_function", has_torch_function, METH_O,
     "has_torch_function(relevant_args)\n--\n\n"
     "Whether __torch_function__ is asked about a call with these arguments: one's class, or a mode."},
    {"handle_torch_function", function_of(handle_torch_function), METH_FASTCALL | METH_KEYWORDS,
     "handle_torch_function(public_api, relevant_args, *args, **kwargs)\n--\n\n"
     "What a mode, or the overriding among the relevant arguments, make of the call; subclasses are asked before their "
     "bases. Raises TypeError when all return NotImplemented."},
    {"_set_torch_function_mode", set_mode, METH_O,
     "A callable that on this thread is asked first, as a __torch_function__ is, about every call; or None. Returns "
     "the one before."},
    {"_set_random_override", set_random_override, METH_O,
     "A callable that on this thread is asked as a __torch_function__ is, about every operator that draws random "
     "numbers; or None. Returns the one before."},
    {"offered", function_of(offered), METH_VARARGS | METH_KEYWORDS,
     "offered(function, path, of_data=False): the function, which is offered to __torch_function__ before it runs. "
     "path is where it is found, such as rushlight:Tensor.view; of_data: its arguments are plain data."},
    {nullptr, nullptr, 0, nullptr},
  };
  name_of_override = PyUnicode_InternFromString("__torch_function__");
  name_of_rows_alone = PyUnicode_InternFromString("_overrides_rows_alone");
  offered_type = new_type(offered_spec, nullptr);
  offered_method_type = new_type(offered_method_spec, offered_type);
  if (PyModule_AddFunctions(module, functions) < 0 ||
      PyModule_AddObjectRef(module, "Offered", reinterpret_cast<PyObject*>(offered_type)) < 0)
    throw nb::python_error();
  disabled = PyObject_GetAttrString(module, "_disabled_torch_function_impl");
}

}  // namespace rl::py
