// L8: the type Tensor: how its objects live and die, its number slots and its other protocols.
//
// A tensor and its Python object are two things with one life. Normally the object owns the tensor. When the last
// Python reference goes while the tensor is still in use, an object that carries state (attributes, a subclass) is not
// freed: it changes places, the tensor owns the object from then on (kOwnsPython), and wrap() changes places again.
#include "bindings/objects.h"
// After Python.h, whose types it uses.
#include <structmember.h>

namespace rl::py {

PyTypeObject* tensor_type;

namespace {

constexpr int kFreeList = 256;
PyTensor* free_list[kFreeList];
int free_count = 0;

PyTensor* as_tensor(PyObject* o) { return reinterpret_cast<PyTensor*>(o); }

void track(PyObject* o) {
  if (!PyObject_GC_IsTracked(o)) PyObject_GC_Track(o);
}

// The collector finalizes an object once; one that changed places twice must be finalized again. The mark is the lowest
// bit of the word before the object.
void clear_finalized(PyObject* o) { reinterpret_cast<std::uintptr_t*>(o)[-1] &= ~std::uintptr_t{1}; }

bool carries_state(PyTensor* o) {
  return Py_TYPE(reinterpret_cast<PyObject*>(o)) != tensor_type || (o->dict && PyDict_GET_SIZE(o->dict) > 0);
}

// The last Python reference is going: if the tensor is still in use, it takes the object over.
void tensor_finalize(PyObject* self) {
  PyTensor* o = as_tensor(self);
  TensorImpl* t = o->impl;
  if (!t || t->py != self || t->has(kOwnsPython) || t->unique() || !carries_state(o)) return;
  Py_INCREF(self);
  t->set(kOwnsPython, true);
  if (t->dec_is_last()) {  // the other owner left at this very moment
    t->count.store(1);
    t->set(kOwnsPython, false);
    Py_DECREF(self);
  }
}

void tensor_dealloc(PyObject* self) {
  PyTensor* o = as_tensor(self);
  PyTypeObject* type = Py_TYPE(self);
  bool exact = type == tensor_type;
  if (o->dict && exact && PyObject_CallFinalizerFromDealloc(self) < 0) return;  // lives on
  TensorImpl* t = std::exchange(o->impl, nullptr);
  if (t && t->py == self) t->py = nullptr;
  if (PyObject_GC_IsTracked(self)) {
    PyObject_GC_UnTrack(self);
    clear_finalized(self);
  }
  if (o->weak_references) PyObject_ClearWeakRefs(self);
  Py_CLEAR(o->dict);
  if (t) t->dec();
  if (exact && free_count < kFreeList) {
    free_list[free_count++] = o;
    return;
  }
  type->tp_free(self);
  Py_DECREF(type);
}

int tensor_traverse(PyObject* self, visitproc visit, void* arg) {
  PyTensor* o = as_tensor(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(o->dict);
  if (o->impl && o->impl->unique() && !o->impl->has(kOwnsPython)) return traverse_graph(*o->impl, visit, arg);
  return 0;
}

int tensor_clear(PyObject* self) {
  PyTensor* o = as_tensor(self);
  Py_CLEAR(o->dict);
  if (o->impl && o->impl->unique() && !o->impl->has(kOwnsPython)) clear_graph(*o->impl);
  return 0;
}

// The tensor goes while it owns the object: the object lives as long as others refer to it, over an alias.
void release_object(TensorImpl& t) {
  if (!Py_IsInitialized()) return;
  PyGILState_STATE lock = PyGILState_Ensure();
  auto* self = static_cast<PyObject*>(std::exchange(t.py, nullptr));
  t.set(kOwnsPython, false);
  TensorImpl* alias = alias_impl(t);
  alias->py = self;
  as_tensor(self)->impl = alias;
  Py_DECREF(self);
  PyGILState_Release(lock);
}

int tensor_setattro(PyObject* self, PyObject* name, PyObject* value) {
  int status = PyObject_GenericSetAttr(self, name, value);
  if (as_tensor(self)->dict) track(self);
  return status;
}
PyObject* get_dict(PyObject* self, void*) {
  PyObject* dict = PyObject_GenericGetDict(self, nullptr);
  if (dict) track(self);
  return dict;
}
int set_dict(PyObject* self, PyObject* value, void*) {
  int status = PyObject_GenericSetDict(self, value, nullptr);
  if (as_tensor(self)->dict) track(self);
  return status;
}

// --- numbers
template <OpName name> PyObject* binary(PyObject* a, PyObject* b) {
  return guarded([&] { return call_binary(op_called<name>(), a, b); });
}
template <OpName name> PyObject* in_place(PyObject* a, PyObject* b) {
  return guarded([&] { return call_inplace(op_called<name>(), a, b); });
}
template <OpName name> PyObject* unary(PyObject* a) {
  if (modes || overrides(a)) [[unlikely]] {
    const char* method = overrides_all(a) && name.text == std::string_view("bitwise_not") ? "__invert__" : name.text;
    if (PyObject* r = ask_about_member(method, {a}, Asked::of_a_row); r || PyErr_Occurred()) return r;
  }
  return guarded([&] { return wrap(call<name>(Tensor(impl(a)))); });
}
PyObject* power(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return binary<"pow">(a, b);
}
PyObject* in_place_power(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return in_place<"pow">(a, b);
}
PyObject* positive(PyObject* a) {
  if (impl(a)->dtype != DType::bool_) return new_reference(a);
  PyErr_SetString(PyExc_RuntimeError,
                  "[positive] input must not be bool. The `+` operator, on a bool tensor is not supported.");
  return nullptr;
}

PyObject* compare(PyObject* a, PyObject* b, int how) {
  switch (how) {
    case Py_LT: return binary<"lt">(a, b);
    case Py_LE: return binary<"le">(a, b);
    case Py_EQ: return binary<"eq">(a, b);
    case Py_NE: return binary<"ne">(a, b);
    case Py_GT: return binary<"gt">(a, b);
    default: return binary<"ge">(a, b);
  }
}
Py_hash_t identity_hash(PyObject* self) { return reinterpret_cast<Py_hash_t>(self); }  // hash(t) == id(t)

int tensor_bool(PyObject* self) {
  const TensorImpl& t = *impl(self);
  if (t.numel == 1 && t.has(kSparse)) {
    PyErr_SetString(PyExc_NotImplementedError, "[bool] is not implemented for sparse tensors. Call .to_dense() first.");
    return -1;
  }
  if (t.numel != 1) {
    PyErr_Format(PyExc_RuntimeError, "Boolean value of Tensor with %s is ambiguous",
                 t.numel ? "more than one value" : "no values");
    return -1;
  }
  return visit(t.dtype, [&]<class T>(Type<T>) { return cast<bool>(*t.data_as<T>()); });
}
PyObject* converted(PyObject* self, PyObject* (*convert)(PyObject*)) {
  return guarded([&]() -> PyObject* {
    nb::object value = nb::steal(item(*impl(self)));
    return value ? convert(value.ptr()) : nullptr;
  });
}
PyObject* tensor_int(PyObject* self) { return converted(self, PyNumber_Long); }
PyObject* tensor_float(PyObject* self) { return converted(self, PyNumber_Float); }
PyObject* tensor_index(PyObject* self) {
  const TensorImpl& t = *impl(self);
  if (t.numel != 1 || !is_integral(t.dtype)) {
    PyErr_SetString(PyExc_TypeError, "only integer tensors of a single element can be converted to an index");
    return nullptr;
  }
  return converted(self, PyNumber_Index);
}

// --- containers
Py_ssize_t tensor_length(PyObject* self) {
  const TensorImpl& t = *impl(self);
  if (t.ndim) return t.size[0];
  PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
  return -1;
}

PyObject* tensor_iterate(PyObject* self) {
  return guarded([&]() -> PyObject* {
    Tensor t(impl(self));
    check(t->ndim > 0, ErrorKind::type, "iteration over a 0-d tensor");
    if (may_ask(self)) {
      nb::object rows = nb::steal(PyObject_CallMethod(self, "unbind", "i", 0));
      return rows ? PyObject_GetIter(rows.ptr()) : nullptr;
    }
    nb::object rows = nb::steal(PyList_New(t->size[0]));
    if (!rows) return nullptr;
    for (i64 i = 0, n = t->size[0]; i < n; ++i) PyList_SET_ITEM(rows.ptr(), i, wrap(call<"select">(t, 0, i)));
    return PyObject_GetIter(rows.ptr());
  });
}

int tensor_contains(PyObject* self, PyObject* value) {
  nb::object checked = nb::steal(guarded([&] {
    Arg number;
    check(is_tensor(value) || PyComplex_Check(value) || number_of(value, number), ErrorKind::runtime,
          "[__contains__] the value must be a Tensor or a number. Received ", Py_TYPE(value)->tp_name, ".");
    return new_reference(Py_None);
  }));
  if (!checked) return -1;
  nb::object equal = nb::steal(PyObject_RichCompare(self, value, Py_EQ));
  if (!equal) return -1;
  if (!is_tensor(equal.ptr())) return PyObject_IsTrue(equal.ptr());
  nb::object any = nb::steal(guarded([&] { return wrap(call<"any">(Tensor(impl(equal.ptr())))); }));
  return any ? PyObject_IsTrue(any.ptr()) : -1;
}

// --- the buffer protocol: the memory itself, kept alive by its storage
struct Export {
  Storage* storage;
  Py_ssize_t shape[kMaxDim], strides[kMaxDim];
};

// NumPy's int64 is the C type long where long has 64 bits; as long long it would be a second, unequal dtype.
const char* buffer_format(DType d) { return d == DType::i64 && sizeof(long) == 8 ? "l" : info(d).buffer; }

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  const TensorImpl& t = *impl(self);
  view->obj = nullptr;
  const char* refusal = nullptr;
  if (t.has(kSparse)) refusal = "[buffer] a sparse tensor has no memory of its own. Call .to_dense() first.";
  else if (!*info(t.dtype).buffer)
    refusal = "[buffer] the dtype must have a buffer format, and bfloat16 has none. Call .float() first.";
  else if (t.requires_grad()) refusal = "[buffer] a tensor that requires grad gives no buffer. Call .detach() first.";
  else if ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS && !t.is_contiguous())
    refusal = "[buffer] the tensor must be contiguous. Call .contiguous() first.";
  else if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES && !t.is_contiguous())
    refusal = "[buffer] the reader must know strides. Call .contiguous() first.";
  else if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && t.ndim > 1)
    refusal = "[buffer] the tensor is not in Fortran order.";
  if (refusal) {
    PyErr_SetString(PyExc_BufferError, refusal);
    return -1;
  }
  auto* held = new (std::nothrow) Export;
  if (!held) {
    PyErr_NoMemory();
    return -1;
  }
  held->storage = t.storage;
  held->storage->inc();
  i64 width = size_of(t.dtype);
  for (int k = 0; k < t.ndim; ++k) held->shape[k] = t.size[k], held->strides[k] = t.stride[k] * width;
  view->obj = new_reference(self);
  view->buf = t.data();
  view->len = t.numel * width;
  view->itemsize = width;
  view->readonly = 0;
  view->ndim = t.ndim;
  view->format = flags & PyBUF_FORMAT ? const_cast<char*>(buffer_format(t.dtype)) : nullptr;
  view->shape = flags & PyBUF_ND ? held->shape : nullptr;
  view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? held->strides : nullptr;
  view->suboffsets = nullptr;
  view->internal = held;
  return 0;
}
void release_buffer(PyObject*, Py_buffer* view) {
  auto* held = static_cast<Export*>(view->internal);
  held->storage->dec();
  delete held;
}

// --- text
PyObject* tensor_repr(PyObject* self) {
  static PyObject* write = nullptr;
  if (!write) {
    nb::object module = nb::steal(PyImport_ImportModule("rushlight.printing"));
    if (!module) return nullptr;
    write = PyObject_GetAttrString(module.ptr(), "tensor_repr");
    if (!write) return nullptr;
  }
  return PyObject_CallOneArg(write, self);
}

// A protocol of a subclass is offered to its __torch_function__, which is told of Tensor's method.
template <OpName name, auto plain> struct Offer;
template <OpName name, class R, class... Others, R (*plain)(PyObject*, Others...)> struct Offer<name, plain> {
  static R call(PyObject* self, Others... others) {
    if (!may_ask(self)) [[likely]]
      return plain(self, others...);
    nb::object r = nb::steal(ask_about_member(name.text, {self, others...}, Asked::of_all));
    if (!r && !PyErr_Occurred()) return plain(self, others...);
    if constexpr (std::is_same_v<R, PyObject*>) return r.release().ptr();
    else if constexpr (std::is_same_v<R, int>) return r ? PyObject_IsTrue(r.ptr()) : -1;
    else return r ? PyNumber_AsSsize_t(r.ptr(), PyExc_OverflowError) : -1;
  }
};
template <OpName name, auto plain> constexpr auto asked = &Offer<name, plain>::call;

template <class F> void* slot(F* f) { return reinterpret_cast<void*>(f); }

PyMemberDef members[] = {
  {"__dictoffset__", T_PYSSIZET, offsetof(PyTensor, dict), READONLY, nullptr},
  {"__weaklistoffset__", T_PYSSIZET, offsetof(PyTensor, weak_references), READONLY, nullptr},
  {nullptr, 0, 0, 0, nullptr},
};

// The definitions of several files in one table, which the type keeps pointing to.
const char* name_of(const PyMethodDef& d) { return d.ml_name; }
const char* name_of(const PyGetSetDef& d) { return d.name; }
template <class Definition> std::vector<Definition>& joined(std::initializer_list<const Definition*> tables) {
  auto* all = new std::vector<Definition>;
  for (const Definition* table : tables)
    for (; name_of(*table); ++table) all->push_back(*table);
  all->push_back(Definition{});
  return *all;
}

// help() and inspect read a slot's parameter from the text "($self, value, /)"; PyTorch calls it other, or item.
void rename_operands(PyTypeObject* type) {
  PyObject *name, *method;
  for (Py_ssize_t at = 0; PyDict_Next(type->tp_dict, &at, &name, &method);) {
    if (!Py_IS_TYPE(method, &PyWrapperDescr_Type)) continue;
    wrapperbase*& base = reinterpret_cast<PyWrapperDescrObject*>(method)->d_base;
    std::string text = base->doc ? base->doc : "";
    bool contains = text.starts_with("__contains__(");
    std::string_view theirs = contains ? "key" : "value", ours = contains ? "item" : "other";
    if (text.find(str("($self, ", theirs)) == text.npos || text.starts_with("__setattr__(")) continue;
    for (std::size_t k = 0; (k = text.find(theirs, k)) != text.npos; k += ours.size())
      text.replace(k, theirs.size(), ours);
    base = new wrapperbase(*base);  // the type keeps it for good
    base->doc = (new std::string(text))->c_str();
  }
}

}  // namespace

PyObject* wrap(TensorImpl* t) {
  if (t->py) {
    auto* o = static_cast<PyObject*>(t->py);
    if (t->has(kOwnsPython)) {  // the tensor's reference becomes the caller's, the caller's the object's
      t->set(kOwnsPython, false);
      clear_finalized(o);
      return o;
    }
    if (Py_REFCNT(o) > 0) [[likely]] {
      Py_INCREF(o);
      t->dec();
      return o;
    }  // else the object is being freed
  }
  PyTensor* o;
  if (free_count) {
    o = free_list[--free_count];
    _Py_NewReference(reinterpret_cast<PyObject*>(o));
  } else {
    o = PyObject_GC_New(PyTensor, tensor_type);
    if (!o) [[unlikely]] {
      t->dec();
      return nullptr;
    }
    o->dict = o->weak_references = nullptr;
  }
  o->impl = t;
  t->py = o;
  if (t->node && node_reaches_python(*t)) PyObject_GC_Track(o);
  return reinterpret_cast<PyObject*>(o);
}

PyObject* wrap_or_none(Tensor t) {
  if (!t) Py_RETURN_NONE;
  return wrap(std::move(t));
}

PyObject* adopt(PyTypeObject* type, Tensor t) {
  if (type == tensor_type) return wrap(std::move(t));
  PyObject* o = type->tp_alloc(type, 0);  // tracked
  if (!o) return nullptr;
  t->py = o;
  as_tensor(o)->impl = t.release();
  return o;
}

PyObject* make_subclass(PyTypeObject* type, const Tensor& t) {
  Tensor a = alias(*t);
  a->set(kWrappedNumber, false);
  return adopt(type, std::move(a));
}

void add_tensor(PyObject* module) {
  std::vector<PyGetSetDef>& properties = joined<PyGetSetDef>({tensor_properties, tensor_properties_autograd});
  for (PyGetSetDef& p : properties)
    if (p.name) p = offered_property(p);
  properties.insert(properties.begin(), {"__dict__", get_dict, set_dict, nullptr, nullptr});
  PyType_Slot slots[] = {
    {Py_tp_new, slot(tensor_new)},
    {Py_tp_dealloc, slot(tensor_dealloc)},
    {Py_tp_finalize, slot(tensor_finalize)},
    {Py_tp_traverse, slot(tensor_traverse)},
    {Py_tp_clear, slot(tensor_clear)},
    {Py_tp_setattro, slot(tensor_setattro)},
    {Py_tp_repr, slot(asked<"__repr__", tensor_repr>)},
    {Py_tp_richcompare, slot(compare)},
    {Py_tp_hash, slot(identity_hash)},
    {Py_tp_iter, slot(tensor_iterate)},
    {Py_tp_members, members},
    {Py_tp_methods, joined<PyMethodDef>({tensor_methods, tensor_methods_convert, tensor_methods_autograd}).data()},
    {Py_tp_getset, properties.data()},
    {Py_tp_doc,
     const_cast<char*>("A multi-dimensional array of one element type that can record how it was computed.")},
    {Py_mp_length, slot(asked<"__len__", tensor_length>)},
    {Py_mp_subscript, slot(tensor_subscript)},
    {Py_mp_ass_subscript, slot(tensor_ass_subscript)},
    {Py_sq_contains, slot(asked<"__contains__", tensor_contains>)},
    {Py_bf_getbuffer, slot(get_buffer)},
    {Py_bf_releasebuffer, slot(release_buffer)},
    {Py_nb_bool, slot(asked<"__bool__", tensor_bool>)},
    {Py_nb_int, slot(asked<"__int__", tensor_int>)},
    {Py_nb_float, slot(asked<"__float__", tensor_float>)},
    {Py_nb_index, slot(asked<"__index__", tensor_index>)},
    {Py_nb_add, slot(binary<"add">)},
    {Py_nb_subtract, slot(binary<"sub">)},
    {Py_nb_multiply, slot(binary<"mul">)},
    {Py_nb_true_divide, slot(binary<"div">)},
    {Py_nb_floor_divide, slot(binary<"floor_divide">)},
    {Py_nb_remainder, slot(binary<"remainder">)},
    {Py_nb_power, slot(power)},
    {Py_nb_matrix_multiply, slot(binary<"matmul">)},
    {Py_nb_and, slot(binary<"bitwise_and">)},
    {Py_nb_or, slot(binary<"bitwise_or">)},
    {Py_nb_xor, slot(binary<"bitwise_xor">)},
    {Py_nb_lshift, slot(binary<"bitwise_left_shift">)},
    {Py_nb_rshift, slot(binary<"bitwise_right_shift">)},
    {Py_nb_inplace_add, slot(in_place<"add">)},
    {Py_nb_inplace_subtract, slot(in_place<"sub">)},
    {Py_nb_inplace_multiply, slot(in_place<"mul">)},
    {Py_nb_inplace_true_divide, slot(in_place<"div">)},
    {Py_nb_inplace_floor_divide, slot(in_place<"floor_divide">)},
    {Py_nb_inplace_remainder, slot(in_place<"remainder">)},
    {Py_nb_inplace_power, slot(in_place_power)},
    {Py_nb_inplace_and, slot(in_place<"bitwise_and">)},
    {Py_nb_inplace_or, slot(in_place<"bitwise_or">)},
    {Py_nb_inplace_xor, slot(in_place<"bitwise_xor">)},
    {Py_nb_inplace_lshift, slot(in_place<"bitwise_left_shift">)},
    {Py_nb_inplace_rshift, slot(in_place<"bitwise_right_shift">)},
    {Py_nb_negative, slot(unary<"neg">)},
    {Py_nb_absolute, slot(unary<"abs">)},
    {Py_nb_invert, slot(unary<"bitwise_not">)},
    {Py_nb_positive, slot(asked<"positive", positive>)},
    {0, nullptr},
  };
  PyType_Spec spec = {"rushlight.Tensor", sizeof(PyTensor), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  tensor_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!tensor_type || PyModule_AddObjectRef(module, "Tensor", reinterpret_cast<PyObject*>(tensor_type)) < 0)
    throw nb::python_error();
  rename_operands(tensor_type);
  drop_python = release_object;
}

}  // namespace rl::py
