// L8: rows as callable objects. One call: bind the arguments by the row's signature, invoke, wrap.
//
// A row becomes a function in the module and, on Tensor, a method; in-place forms end in an underscore. Both are Ops;
// only a method binds to the object it is looked up on, as with PyTorch's builtins.
#include "bindings/objects.h"
// After Python.h, whose types it uses.
#include <structmember.h>

#include <algorithm>
#include <unordered_map>

#include "bindings/arguments.h"

namespace rl::py {

namespace {

struct PyOp {
  PyObject_HEAD vectorcallfunc call;
  const OpDef* op;
  bool in_place;
  bool method;
  bool draws;                   // random numbers
  PyObject* name;
  PyObject* keyword[kMaxArgs];  // interned: the names in a call are compared by address first
};
PyTypeObject *op_type, *method_type;
PyObject* the_module;
PyObject* return_type_table;    // a dict: row -> type

PyOp& as_op(PyObject* o) { return *reinterpret_cast<PyOp*>(o); }

// --- several results: torch.return_types.max
PyObject* return_repr(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  std::string_view name = type->tp_name;
  std::string s = str("torch.return_types.", name.substr(name.rfind('.') + 1), "(\n");
  for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(self); ++k) {
    nb::object text = nb::steal(PyObject_Repr(PyTuple_GET_ITEM(self, k)));
    if (!text) return nullptr;
    s += str(k ? ",\n" : "", type->tp_members[k].name, "=", PyUnicode_AsUTF8(text.ptr()));
  }
  return new_string(s + ")");
}

PyTypeObject* return_type(const OpDef& op) {
  static std::unordered_map<const OpDef*, PyTypeObject*> types;
  PyTypeObject*& type = types[&op];
  if (type) return type;
  const Signature& s = *op.signature;
  auto* fields = new PyStructSequence_Field[s.outputs + 1u]{};  // the type points into these for good
  for (int k = 0; k < s.outputs; ++k) fields[k].name = (new std::string(s.output[k]))->c_str();
  auto* name = new std::string(str("rushlight.return_types.", op.name()));
  PyStructSequence_Desc description = {name->c_str(), "The results of an operator, by name.", fields, s.outputs};
  type = PyStructSequence_NewType(&description);
  if (!type) throw nb::python_error();
  type->tp_repr = return_repr;
  if (PyDict_SetItem(return_type_table, nb::str(op.name().data(), op.name().size()).ptr(),
                     reinterpret_cast<PyObject*>(type)) < 0)
    throw nb::python_error();
  return type;
}

bool has_several_results(const Signature& s) { return s.outputs > 1; }

PyObject* wrap_results(const OpDef& op, Tensor* out, int n) {
  PyObject* tuple = PyStructSequence_New(return_type(op));
  for (int k = 0; tuple && k < n; ++k) PyStructSequence_SET_ITEM(tuple, k, wrap_or_none(std::move(out[k])));
  return tuple;
}

// --- what rows do not say because it is the same for all: out, and where a new tensor lives
struct Extras {
  PyObject* out = nullptr;
  bool requires_grad = false;
  MemoryFormat format = MemoryFormat::preserve;
};

bool is_factory(const OpDef& op) {
  if (op.name().ends_with("_like") || op.name().starts_with("new_")) return true;
  if ((op.signature->find("size") >= 0 || op.forms & numbers_alone) && op.signature->find("dtype") >= 0) return true;
  for (int k = 0; k < op.signature->n; ++k)
    if (op.signature->param[k].is_operand() || op.signature->param[k].type == ParamType::tensors) return false;
  return true;
}

bool takes_format(const OpDef& op) {
  return op.name() == "clone" || op.name() == "contiguous" || op.name() == "empty" || op.name().ends_with("_like");
}

bool flag_value(const OpDef& op, const char* name, PyObject* value) {
  check(PyBool_Check(value), ErrorKind::type, "[", op.name(), "] argument '", name, "' must be bool, not ",
        Py_TYPE(value)->tp_name, ".");
  return value == Py_True;
}

bool take_extra(const PyOp& self, std::string_view key, PyObject* value, Extras& extras) {
  const OpDef& op = *self.op;
  if (key == "out" && op.forms & out_ && !self.in_place) {
    if (value != Py_None) extras.out = value;
    return true;
  }
  if (key == "memory_format" && takes_format(op)) {
    check(value == Py_None || memory_format_of(value, extras.format), ErrorKind::type, "[", op.name(),
          "] argument 'memory_format' must be a torch.memory_format, not ", Py_TYPE(value)->tp_name, ".");
    return true;
  }
  if (!is_factory(op)) return false;
  if (key == "device") require_cpu(value);
  else if (key == "layout") require_strided(value);
  else if (key == "requires_grad") extras.requires_grad = flag_value(op, "requires_grad", value);
  else if (key == "pin_memory") {
    check(value == Py_None || !flag_value(op, "pin_memory", value), ErrorKind::runtime, "[", op.name(),
          "] pinned memory must not be asked for: no accelerator is available. Leave pin_memory out.");
  } else if (key == "names") {
    check(value == Py_None, ErrorKind::not_implemented, "[", op.name(),
          "] names must be None: named tensors are not supported.");
  } else {
    return false;
  }
  return true;
}

// The parameters of a call: the row's, and what take_extra() knows.
std::string all_parameters(const PyOp& self) {
  const OpDef& op = *self.op;
  std::string text = parameter_text(*op.signature), named;
  if (op.forms & out_ && !self.in_place) named += ", out=None";
  if (takes_format(op)) (op.name() == "contiguous" ? text : named) += ", memory_format=None";
  if (is_factory(op) && !self.in_place) named += ", layout=None, device=None, requires_grad=False, pin_memory=False";
  if (!named.empty() && text.find('*') == text.npos) text += text.empty() ? "*" : ", *";
  return text + named;
}

Tensor in_format(const Tensor& t, MemoryFormat format) {
  if (format == MemoryFormat::preserve || has_format(*t, format)) return t;
  if (format == MemoryFormat::contiguous) return call<"contiguous">(t);
  Dims last = format == MemoryFormat::channels_last ? Dims{0, 2, 3, 1} : Dims{0, 2, 3, 4, 1};
  Dims back = format == MemoryFormat::channels_last ? Dims{0, 3, 1, 2} : Dims{0, 4, 1, 2, 3};
  check(t->ndim == last.n, ErrorKind::runtime, "[memory_format] the tensor must have ", last.n,
        " dimensions. Received ", t, ".");
  return call<"permute">(call<"contiguous">(call<"permute">(t, last)), back);
}

// --- binding
int find_parameter(const PyOp& self, PyObject* key) {
  int n = self.op->signature->n;
  for (int k = 0; k < n; ++k)
    if (self.keyword[k] == key) return k;
  const char* text = PyUnicode_AsUTF8(key);
  if (!text) throw PythonError();
  const Signature& s = *self.op->signature;
  if (int k = s.find(text); k >= 0) return k;
  static constexpr std::string_view kSynonyms[][2] = {  // NumPy's names, and self for the first argument
                                                      {"axis", "dim"},   {"keepdims", "keepdim"}, {"self", "input"},
                                                      {"input", "self"}, {"x", "input"},          {"a", "input"},
                                                      {"x1", "input"},   {"x2", "other"}};
  for (auto& [synonym, name] : kSynonyms)
    if (text == synonym)
      if (int k = s.find(name); k >= 0) return k;
  return -1;
}

[[noreturn, gnu::cold]] void refuse(const PyOp& self, std::string_view what) {
  if (PyErr_Occurred()) throw PythonError();
  fail(ErrorKind::type, "[", nb::cast<std::string>(nb::handle(self.name)), "] ", what, ". The signature is ",
       self.op->signature->text);
}
[[noreturn, gnu::cold]] void refuse(const PyOp& self, const Param& p, PyObject* got) {
  refuse(self, str("argument '", p.name, "' must be ", expected(p), ", not ", received(p, got)));
}

// Fills a.arg. True when all went well; false when an argument is of a wrong type that may override the call.
bool bind(const PyOp& self, PyObject* const* args, Py_ssize_t positional, PyObject* keywords, Arguments& a,
          Extras& extras) {
  const Signature& s = *self.op->signature;
  unsigned given = 0;
  Py_ssize_t i = 0;
  for (int k = 0; i < positional; ++k) {
    if (k == s.n && i + 1 == positional && takes_format(*self.op) && memory_format_of(args[i], extras.format)) break;
    if (k == s.n || s.param[k].keyword_only) [[unlikely]]
      refuse(self, str("takes ", k, " positional argument", k == 1 ? "" : "s", " but ", positional, " were given"));
    const Param& p = s.param[k];
    if (p.variadic && !PyTuple_Check(args[i]) && !PyList_Check(args[i])) {
      if (!a.take_ints(args + i, positional - i, a.arg[k])) {
        if (a.may_override) return false;
        refuse(self, p,
               *std::find_if_not(args + i, args + positional - 1, [](PyObject* o) { return PyLong_CheckExact(o); }));
      }
      i = positional;
    } else {
      if (!a.take(p, args[i], a.arg[k])) {
        if (overrides(args[i]) || a.may_override) return false;
        refuse(self, p, args[i]);
      }
      ++i;
    }
    given |= 1u << k;
  }
  if (keywords) {
    for (Py_ssize_t j = 0, n = PyTuple_GET_SIZE(keywords); j < n; ++j) {
      PyObject *key = PyTuple_GET_ITEM(keywords, j), *value = args[positional + j];
      int k = find_parameter(self, key);
      if (k < 0) {
        const char* text = PyUnicode_AsUTF8(key);
        if (!take_extra(self, text, value, extras))
          refuse(self, str("got an unexpected keyword argument '", text, "'"));
        a.may_override |= overrides(value);
        continue;
      }
      const Param& p = s.param[k];
      if (given >> k & 1) refuse(self, str("got multiple values for argument '", p.name, "'"));
      if (!a.take(p, value, a.arg[k])) {
        if (overrides(value) || a.may_override) return false;
        refuse(self, p, value);
      }
      given |= 1u << k;
    }
  }
  unsigned all = (1u << s.n) - 1;
  for (unsigned missing = all & ~given; missing; missing &= missing - 1) {
    int k = __builtin_ctz(missing);
    if (!s.param[k].has_default) [[unlikely]] {
      if (a.may_override) return false;
      refuse(self, str("missing required argument '", s.param[k].name, "'"));
    }
    a.arg[k] = s.param[k].fallback;
  }
  if (!a.arg[0].is_tensor() && s.param[0].type == ParamType::operand && !(self.op->forms & numbers_alone)) [[unlikely]]
    if (std::none_of(a.arg.value, a.arg.value + s.n, [](const Arg& given) { return given.is_tensor(); }))
      refuse(self, "needs a Tensor, not numbers alone");
  return true;
}

PyObject* call_with_out(const OpDef& op, const Arg* arg, PyObject* out) {
  int n = has_several_results(*op.signature) ? op.signature->outputs : 1;
  Tensor given[kMaxOutputs];
  bool sequence = PyTuple_Check(out) || PyList_Check(out);
  if (!sequence || n == 1) {
    PyObject* one = sequence && PySequence_Fast_GET_SIZE(out) == 1 ? PySequence_Fast_GET_ITEM(out, 0) : out;
    check(n == 1 && is_tensor(one), ErrorKind::type, "[", op.name(), "] argument 'out' must be ",
          n == 1 ? "a Tensor" : "a tuple of Tensors", ", not ", Py_TYPE(out)->tp_name, ".");
    given[0] = Tensor(impl(one));
  } else {
    check(PySequence_Fast_GET_SIZE(out) == n, ErrorKind::type, "[", op.name(), "] argument 'out' must hold ", n,
          " tensors. Received ", PySequence_Fast_GET_SIZE(out), ".");
    for (int k = 0; k < n; ++k) {
      PyObject* entry = PySequence_Fast_GET_ITEM(out, k);
      check(is_tensor(entry), ErrorKind::type, "[", op.name(), "] argument 'out' must hold tensors, not ",
            Py_TYPE(entry)->tp_name, ".");
      given[k] = Tensor(impl(entry));
    }
  }
  invoke_out(op, arg, given);
  return n == 1 ? wrap(std::move(given[0])) : wrap_results(op, given, n);
}

PyObject* op_call(PyObject* self_, PyObject* const* args, std::size_t flagged, PyObject* keywords) {
  const PyOp& self = as_op(self_);
  const OpDef& op = *self.op;
  Py_ssize_t positional = PyVectorcall_NARGS(flagged);
  if (modes || self.draws) [[unlikely]]
    if (PyObject* r = ask_mode(self_, self.draws, args, positional, keywords); r || PyErr_Occurred()) return r;
  try {
    Arguments a;
    Extras extras;
    bool bound = bind(self, args, positional, keywords, a, extras);
    if (!bound || a.may_override) [[unlikely]] {
      PyObject* r = torch_function(self_, args, positional, keywords, Asked::of_a_row);
      if (r || PyErr_Occurred()) return r;
      if (!bound) refuse(self, "an argument has the wrong type");
    }
    if (self.in_place) {
      if (!a.arg[0].is_tensor()) [[unlikely]]
        refuse(self, str("argument '", op.signature->param[0].name, "' must be Tensor, not a number"));
      return wrap(invoke_inplace(op, a.arg));
    }
    if (extras.out) [[unlikely]]
      return call_with_out(op, a.arg, extras.out);
    if (has_several_results(*op.signature)) {
      Tensor out[kMaxOutputs];
      invoke(op, a.arg, out);
      return wrap_results(op, out, op.signature->outputs);
    }
    Tensor result = invoke(op, a.arg);
    if (extras.format != MemoryFormat::preserve) [[unlikely]]
      result = in_format(result, extras.format);
    if (extras.requires_grad) [[unlikely]]
      set_requires_grad(*result, true);
    return wrap(std::move(result));
  } catch (...) { return raise(); }
}

// --- the types
PyObject* method_get(PyObject* self, PyObject* object, PyObject*) {
  return object ? PyMethod_New(self, object) : new_reference(self);
}
PyObject* op_repr(PyObject* self) {
  return PyUnicode_FromFormat(as_op(self).method ? "<method '%U' of 'Tensor'>" : "<operator %U>", as_op(self).name);
}
PyObject* op_name(PyObject* self, void*) { return new_reference(as_op(self).name); }
PyObject* op_qualified_name(PyObject* self, void*) {
  return as_op(self).method ? PyUnicode_FromFormat("Tensor.%U", as_op(self).name) : new_reference(as_op(self).name);
}
PyObject* op_doc(PyObject* self, void*) {
  const OpDef& op = *as_op(self).op;
  return new_string(str(op.signature->text, "\n\n", op.doc));
}
PyObject* op_text_signature(PyObject* self, void*) { return new_string(str("(", all_parameters(as_op(self)), ")")); }

// A lambda with the row's parameters has the signature that inspect wants.
PyObject* op_signature(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    std::string source = str("lambda ", all_parameters(as_op(self)), ": None");
    nb::dict names;
    names["inf"] = std::numeric_limits<double>::infinity();
    names["__builtins__"] = nb::dict();
    nb::object lambda = nb::steal(PyRun_String(source.c_str(), Py_eval_input, names.ptr(), names.ptr()));
    if (!lambda) throw PythonError();
    return nb::module_::import_("inspect").attr("signature")(lambda).release().ptr();
  });
}
PyObject* op_row(PyObject* self, void*) {
  return guarded([&] { return row_info(*as_op(self).op); });
}
PyObject* op_reduce(PyObject* self, PyObject*) {
  const PyOp& op = as_op(self);
  if (!op.method) return new_reference(op.name);
  return guarded([&] {
    nb::object getattr = nb::module_::import_("builtins").attr("getattr");
    return Py_BuildValue("O(OO)", getattr.ptr(), reinterpret_cast<PyObject*>(tensor_type), op.name);
  });
}

template <class F> void* slot(F* f) { return reinterpret_cast<void*>(f); }

PyMemberDef op_members[] = {
  {"__vectorcalloffset__", T_PYSSIZET, offsetof(PyOp, call), READONLY, nullptr},
  {nullptr, 0, 0, 0, nullptr},
};
PyGetSetDef op_properties[] = {
  {"__name__", op_name, nullptr, nullptr, nullptr},
  {"__qualname__", op_qualified_name, nullptr, nullptr, nullptr},
  {"__doc__", op_doc, nullptr, nullptr, nullptr},
  {"__text_signature__", op_text_signature, nullptr, nullptr, nullptr},
  {"__signature__", op_signature, nullptr, nullptr, nullptr},
  {"row", op_row, nullptr, "What the operator's row says, as a dict.", nullptr},
  {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyMethodDef op_methods[] = {{"__reduce__", op_reduce, METH_NOARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
PyType_Slot op_slots[] = {
  {Py_tp_call, slot(PyVectorcall_Call)}, {Py_tp_repr, slot(op_repr)}, {Py_tp_members, op_members},
  {Py_tp_getset, op_properties},         {Py_tp_methods, op_methods}, {0, nullptr},
};
PyType_Slot method_slots[] = {
  {Py_tp_call, slot(PyVectorcall_Call)},
  {Py_tp_descr_get, slot(method_get)},
  {Py_tp_members, op_members},
  {Py_tp_getset, op_properties},  // again: a type without a text of its own would have __doc__ = None
  {0, nullptr},
};
constexpr unsigned kOpFlags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_VECTORCALL;
PyType_Spec op_spec = {"rushlight._core.Op", sizeof(PyOp), 0, kOpFlags | Py_TPFLAGS_BASETYPE, op_slots};
PyType_Spec method_spec = {"rushlight._core.Method", sizeof(PyOp), 0, kOpFlags | Py_TPFLAGS_METHOD_DESCRIPTOR,
                           method_slots};

PyObject* make_op(const OpDef& op, const std::string& name, bool in_place, bool method) {
  PyTypeObject* type = method ? method_type : op_type;
  PyObject* o = type->tp_alloc(type, 0);
  if (!o) throw nb::python_error();
  PyOp& self = as_op(o);
  self.call = op_call;
  self.op = &op;
  self.in_place = in_place;
  self.method = method;
  self.draws = op.signature->find("generator") >= 0 || op.name().ends_with("dropout");
  self.name = PyUnicode_InternFromString(name.c_str());
  for (int k = 0; k < op.signature->n; ++k) {
    self.keyword[k] = new_string(op.signature->param[k].name);
    PyUnicode_InternInPlace(&self.keyword[k]);
  }
  return o;
}

// Methods that are written by hand come first.
void add_method(const OpDef& op, const std::string& name, bool in_place) {
  nb::object key = nb::steal(PyUnicode_InternFromString(name.c_str()));
  if (_PyType_Lookup(tensor_type, key.ptr())) return;
  nb::object method = nb::steal(make_op(op, name, in_place, true));
  if (PyObject_SetAttr(reinterpret_cast<PyObject*>(tensor_type), key.ptr(), method.ptr()) < 0) throw nb::python_error();
}
void add_function(const OpDef& op, const std::string& name, bool in_place) {
  nb::object function = nb::steal(make_op(op, name, in_place, false));
  if (PyModule_AddObjectRef(the_module, name.c_str(), function.ptr()) < 0) throw nb::python_error();
}

void add_forms(const OpDef& op, std::string_view name_) {
  std::string name(name_);
  bool on_tensor = !*op.home;  // what torch keeps in torch.nn.functional or torch.special is no method
  bool only_in_place = name.ends_with('_') && op.forms & inplace;
  add_function(op, name, only_in_place);
  if (on_tensor && op.forms & (method | (only_in_place ? inplace : 0))) add_method(op, name, only_in_place);
  if (op.forms & inplace && !only_in_place) {
    add_function(op, name + "_", true);
    if (on_tensor) add_method(op, name + "_", true);
  }
}

// What __torch_function__ is told when a number slot is used: the methods that PyTorch names. Where left is no tensor,
// it is the right operand's method, and that comes first.
PyObject* ask_about_slot(const OpDef& op, PyObject* left, PyObject* right, bool in_place) {
  struct Names {
    std::string_view row;
    const char *forward, *reflected, *in_place;
  };
  static constexpr Names kNames[] = {
    {"sub", "sub", "__rsub__", "sub_"},
    {"div", "div", "__rdiv__", "div_"},
    {"floor_divide", "__floordiv__", "__rfloordiv__", "floor_divide_"},
    {"remainder", "remainder", "__rmod__", "remainder_"},
    {"pow", "pow", "__rpow__", "pow_"},
    {"matmul", "matmul", "__rmatmul__", nullptr},
    {"eq", "__eq__", "__eq__", nullptr},
    {"bitwise_and", "__and__", "bitwise_and", "__iand__"},
    {"bitwise_or", "__or__", "bitwise_or", "__ior__"},
    {"bitwise_xor", "__xor__", "bitwise_xor", "__ixor__"},
    {"bitwise_left_shift", "__lshift__", "__rlshift__", "__ilshift__"},
    {"bitwise_right_shift", "__rshift__", "__rrshift__", "__irshift__"},
  };
  PyObject* both[] = {left, right};
  std::string name = str(op.name(), in_place ? "_" : "");
  if (modes || overrides_all(left) || overrides_all(right)) {  // else it is a class that knows rows
    bool reflected = !is_tensor(left) && is_tensor(right);
    if (reflected) std::swap(both[0], both[1]);
    for (const Names& n : kNames)
      if (n.row == op.name()) name = in_place ? n.in_place : reflected ? n.reflected : n.forward;
  }
  nb::object method = nb::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), name.c_str()));
  PyObject* r = method ? torch_function(method.ptr(), both, 2, nullptr, Asked::of_a_row) : nullptr;
  if (r || !PyErr_Occurred() || (op.name() != "eq" && op.name() != "ne")) return r;
  if (!PyErr_ExceptionMatches(PyExc_TypeError)) return nullptr;
  PyErr_Clear();  // Python compares by identity what nobody compares
  Py_RETURN_NOTIMPLEMENTED;
}

enum class Operand { good, overriding, foreign };

// An operand of a number slot; a number becomes a 0-d tensor where the row wants tensors.
Operand slot_operand(const Param& p, PyObject* o, Arguments& a, Arg& arg) {
  bool plain_number = PyLong_CheckExact(o) || PyFloat_CheckExact(o);
  if (!plain_number && is_tensor(o)) {
    arg = Arg(impl(o));
    a.may_override |= overrides(o);
    return Operand::good;
  }
  if (!plain_number && overrides(o)) {
    a.may_override = true;
    return Operand::overriding;
  }
  if (p.type == ParamType::operand || PyComplex_Check(o)) {
    if (a.take_number(o, arg)) return Operand::good;
  } else if (Arg number; number_of(o, number)) {
    arg = Arg(a.own(wrapped_number(number)));
    return Operand::good;
  }
  if (PyErr_Occurred()) throw PythonError();
  return Operand::foreign;
}

PyObject* call_slot(const OpDef& op, PyObject* left, PyObject* right, bool in_place) {
  Arguments a;
  const Signature& s = *op.signature;
  if (modes) [[unlikely]]
    if (PyObject* r = ask_about_slot(op, left, right, in_place); r || PyErr_Occurred()) return r;
  if (Py_TYPE(left) == tensor_type && Py_TYPE(right) == tensor_type) {
    a.arg[0] = Arg(impl(left));
    a.arg[1] = Arg(impl(right));
  } else {
    Operand worst = std::max(slot_operand(s.param[0], left, a, a.arg[0]), slot_operand(s.param[1], right, a, a.arg[1]));
    bool product = op.name() == "matmul" && !(is_tensor(left) && is_tensor(right));  // which takes no numbers
    if (worst == Operand::foreign || (product && worst == Operand::good)) Py_RETURN_NOTIMPLEMENTED;
    if (a.may_override)
      if (PyObject* r = ask_about_slot(op, left, right, in_place); r || PyErr_Occurred()) return r;
    if (worst != Operand::good) Py_RETURN_NOTIMPLEMENTED;
  }
  for (int k = 2; k < s.n; ++k) a.arg[k] = s.param[k].fallback;
  if (!in_place) return wrap(invoke(op, a.arg));
  invoke_inplace(op, a.arg);
  return new_reference(left);
}

}  // namespace

PyObject* call_binary(const OpDef& op, PyObject* a, PyObject* b) {
  try {
    return call_slot(op, a, b, false);
  } catch (...) { return raise(); }
}
PyObject* call_inplace(const OpDef& op, PyObject* a, PyObject* b) {
  try {
    return call_slot(op, a, b, true);
  } catch (...) { return raise(); }
}

// Gradients meet in the engine; a sparse one's class knows how to add.
Tensor add_sparse(const Tensor& a, const Tensor* b) {
  nb::gil_scoped_acquire lock;
  nb::object left = nb::steal(wrap(a));
  nb::object result = nb::steal(b ? call_binary(op_called<"add">(), left.ptr(), nb::steal(wrap(*b)).ptr())
                                  : PyObject_CallMethod(left.ptr(), "clone", nullptr));
  if (!result) throw PythonError{};
  return Tensor(impl(result.ptr()));
}

PyObject* return_types() {
  for (const OpDef* op = first_op(); op; op = op->next)
    if (has_several_results(*op->signature)) return_type(*op);
  return new_reference(return_type_table);
}

void add_operators(PyObject* module) {
  the_module = module;
  sparse_sum = add_sparse;
  return_type_table = PyDict_New();
  op_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&op_spec));
  if (!op_type) throw nb::python_error();
  method_type =
      reinterpret_cast<PyTypeObject*>(PyType_FromSpecWithBases(&method_spec, reinterpret_cast<PyObject*>(op_type)));
  if (!method_type || PyModule_AddObjectRef(module, "Op", reinterpret_cast<PyObject*>(op_type)) < 0)
    throw nb::python_error();
  for (const OpDef* op = first_op(); op; op = op->next) {
    add_forms(*op, op->name());
    for (std::string_view rest = op->aliases; !detail::trim(rest).empty();) {
      std::string_view alias = detail::next_item(rest);
      if (alias.find('.') == alias.npos) add_forms(*op, alias);  // special.expit: the package places it
    }
  }
}

}  // namespace rl::py
