// L8: torch.dtype, torch.Size, torch.device, torch.layout, torch.memory_format.
#include "bindings/objects.h"

namespace rl::py {

PyTypeObject *dtype_type, *size_type, *device_type;

namespace {

template <class T> T& as(PyObject* o) { return *reinterpret_cast<T*>(o); }

PyTypeObject* make_type(PyObject* module, const char* name, PyType_Spec& spec, PyObject* bases = nullptr) {
  PyObject* type = bases ? PyType_FromSpecWithBases(&spec, bases) : PyType_FromSpec(&spec);
  if (!type || PyModule_AddObjectRef(module, name, type) < 0) throw nb::python_error();
  return reinterpret_cast<PyTypeObject*>(type);
}

// --- torch.dtype
struct PyDType {
  PyObject_HEAD DType dtype;
};
PyObject* dtypes[kDTypes];

PyObject* dtype_repr(PyObject* self) { return PyUnicode_FromFormat("torch.%s", info(as<PyDType>(self).dtype).name); }
PyObject* dtype_reduce(PyObject* self, PyObject*) { return PyUnicode_FromString(info(as<PyDType>(self).dtype).name); }
PyObject* dtype_real(PyObject* self, PyObject*) { return wrap_dtype(to_real(as<PyDType>(self).dtype)); }
PyObject* dtype_complex(PyObject* self, PyObject*) {
  return guarded([&] {
    DType d = as<PyDType>(self).dtype;
    check(is_differentiable(d), ErrorKind::runtime, "[to_complex] dtype must be floating point or complex. Received ",
          d, ".");
    return wrap_dtype(to_complex(d));
  });
}
PyObject* dtype_itemsize(PyObject* self, void*) { return PyLong_FromLongLong(size_of(as<PyDType>(self).dtype)); }
PyObject* dtype_is_floating(PyObject* self, void*) { return PyBool_FromLong(is_floating(as<PyDType>(self).dtype)); }
PyObject* dtype_is_complex(PyObject* self, void*) { return PyBool_FromLong(is_complex(as<PyDType>(self).dtype)); }
PyObject* dtype_is_signed(PyObject* self, void*) { return PyBool_FromLong(info(as<PyDType>(self).dtype).is_signed); }

PyMethodDef dtype_methods[] = {
  {"__reduce__", dtype_reduce, METH_NOARGS, nullptr},
  {"to_real", dtype_real, METH_NOARGS, "The dtype of the real part: torch.complex64.to_real() is torch.float32."},
  {"to_complex", dtype_complex, METH_NOARGS,
   "The complex dtype of this precision: torch.float32.to_complex() is torch.complex64."},
  {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef dtype_properties[] = {
  {"itemsize", dtype_itemsize, nullptr, "Bytes per element.", nullptr},
  {"is_floating_point", dtype_is_floating, nullptr, nullptr, nullptr},
  {"is_complex", dtype_is_complex, nullptr, nullptr, nullptr},
  {"is_signed", dtype_is_signed, nullptr, nullptr, nullptr},
  {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot dtype_slots[] = {
  {Py_tp_repr, reinterpret_cast<void*>(dtype_repr)},
  {Py_tp_methods, dtype_methods},
  {Py_tp_getset, dtype_properties},
  {Py_tp_doc, const_cast<char*>("The type of a tensor's elements. One object per type: compare with `is` or `==`.")},
  {0, nullptr},
};
PyType_Spec dtype_spec = {"rushlight.dtype", sizeof(PyDType), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                          dtype_slots};

// --- torch.Size: a tuple of int that knows its product
PyObject* to_size(PyObject* tuple) {  // takes the reference
  if (!tuple || Py_IS_TYPE(tuple, size_type) || !PyTuple_Check(tuple)) return tuple;
  Py_ssize_t n = PyTuple_GET_SIZE(tuple);
  PyObject* size = size_type->tp_alloc(size_type, n);
  for (Py_ssize_t i = 0; size && i < n; ++i) PyTuple_SET_ITEM(size, i, new_reference(PyTuple_GET_ITEM(tuple, i)));
  Py_DECREF(tuple);
  return size;
}

PyObject* size_new(PyTypeObject* type, PyObject* args, PyObject* keywords) {
  PyObject* tuple = PyTuple_Type.tp_new(type, args, keywords);
  for (Py_ssize_t i = 0; tuple && i < PyTuple_GET_SIZE(tuple); ++i) {
    PyObject* entry = PyTuple_GET_ITEM(tuple, i);
    if (PyLong_Check(entry)) continue;
    PyObject* number = PyIndex_Check(entry) ? PyNumber_Index(entry) : nullptr;
    if (!number) {
      PyErr_Format(PyExc_TypeError, "[Size] entries must be int. Received %s at position %zd.", Py_TYPE(entry)->tp_name,
                   i);
      Py_CLEAR(tuple);
    } else {
      PyTuple_SET_ITEM(tuple, i, number);
      Py_DECREF(entry);
    }
  }
  return tuple;
}

PyObject* size_repr(PyObject* self) {
  std::string s = "torch.Size([";
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
    nb::object text = nb::steal(PyObject_Repr(PyTuple_GET_ITEM(self, i)));
    if (!text) return nullptr;
    s += i ? ", " : "";
    s += nb::cast<std::string>(text);
  }
  return new_string(s + "])");
}
PyObject* size_numel(PyObject* self, PyObject*) {
  nb::object product = nb::steal(PyLong_FromLong(1));
  for (Py_ssize_t i = 0; product && i < PyTuple_GET_SIZE(self); ++i)
    product = nb::steal(PyNumber_Multiply(product.ptr(), PyTuple_GET_ITEM(self, i)));
  return product.release().ptr();
}
PyObject* size_reduce(PyObject* self, PyObject*) {
  return Py_BuildValue("O(N)", reinterpret_cast<PyObject*>(size_type),
                       PyTuple_GetSlice(self, 0, PyTuple_GET_SIZE(self)));
}
// (3,) + torch.Size([2]) is a Size too: the number slot is asked before tuple's own concatenation.
PyObject* size_add(PyObject* a, PyObject* b) {
  if (!PyTuple_Check(a) || !PyTuple_Check(b)) Py_RETURN_NOTIMPLEMENTED;
  return to_size(PyTuple_Type.tp_as_sequence->sq_concat(a, b));
}
PyObject* size_concat(PyObject* a, PyObject* b) { return to_size(PyTuple_Type.tp_as_sequence->sq_concat(a, b)); }
PyObject* size_repeat(PyObject* a, Py_ssize_t n) { return to_size(PyTuple_Type.tp_as_sequence->sq_repeat(a, n)); }
PyObject* size_subscript(PyObject* self, PyObject* key) {
  PyObject* found = PyTuple_Type.tp_as_mapping->mp_subscript(self, key);
  return PySlice_Check(key) ? to_size(found) : found;
}

PyMethodDef size_methods[] = {
  {"numel", size_numel, METH_NOARGS, "The number of elements of a tensor of this size."},
  {"__reduce__", size_reduce, METH_NOARGS, nullptr},
  {nullptr, nullptr, 0, nullptr},
};
PyType_Slot size_slots[] = {
  {Py_tp_new, reinterpret_cast<void*>(size_new)},
  {Py_tp_repr, reinterpret_cast<void*>(size_repr)},
  {Py_tp_methods, size_methods},
  {Py_nb_add, reinterpret_cast<void*>(size_add)},
  {Py_sq_concat, reinterpret_cast<void*>(size_concat)},
  {Py_sq_repeat, reinterpret_cast<void*>(size_repeat)},
  {Py_mp_subscript, reinterpret_cast<void*>(size_subscript)},
  {Py_tp_doc, const_cast<char*>("The size of every dimension of a tensor: a tuple of int.")},
  {0, nullptr},
};
PyType_Spec size_spec = {"rushlight.Size", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, size_slots};

// --- torch.device
constexpr const char* kDevices[] = {"cpu", "cuda",   "mps", "xpu",  "meta",         "xla",
                                    "hip", "vulkan", "hpu", "mtia", "privateuseone"};
struct PyDevice {
  PyObject_HEAD int kind;   // into kDevices
  int index;  // -1: none
};
PyObject* cpu;

int device_kind(std::string_view name) {
  for (std::size_t k = 0; k < std::size(kDevices); ++k)
    if (name == kDevices[k]) return static_cast<int>(k);
  return -1;
}

PyObject* make_device(PyTypeObject* type, int kind, int index) {
  PyObject* o = type->tp_alloc(type, 0);
  if (o) as<PyDevice>(o).kind = kind, as<PyDevice>(o).index = index;
  return o;
}

PyObject* parse_device(std::string_view text) {
  std::size_t colon = text.find(':');
  int kind = device_kind(text.substr(0, colon)), index = -1;
  std::string_view digits = colon == text.npos ? std::string_view() : text.substr(colon + 1);
  bool good = kind >= 0 && (colon == text.npos || (!digits.empty() && digits.size() < 5));
  if (good && !digits.empty()) index = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') good = false;
    else index = index * 10 + (c - '0');
  }
  if (digits.size() > 1 && digits[0] == '0') good = false;
  check(good, ErrorKind::runtime, "[device] the text must be a device type, or type:index. Received '", text,
        "'. Try 'cpu'.");
  return make_device(device_type, kind, index);
}

PyObject* device_new(PyTypeObject*, PyObject* args, PyObject* keywords) {
  static const char* names[] = {"type", "index", nullptr};
  PyObject *what = nullptr, *index = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O", const_cast<char**>(names), &what, &index)) return nullptr;
  return guarded([&]() -> PyObject* {
    if (index == Py_None) index = nullptr;
    if (Py_IS_TYPE(what, device_type) && !index) return new_reference(what);
    i64 number = -1;
    if (PyLong_Check(what) && !index)
      fail(ErrorKind::runtime,
           "[device] an index alone names an accelerator, and none is available. Try device('cpu').");
    check(PyUnicode_Check(what), ErrorKind::type, "[device] type must be a str or a torch.device. Received ",
          Py_TYPE(what)->tp_name, ".");
    const char* text = PyUnicode_AsUTF8(what);
    if (!text) throw PythonError();
    nb::object device = nb::steal(parse_device(text));
    if (!index) return device.release().ptr();
    check(as<PyDevice>(device.ptr()).index < 0, ErrorKind::runtime, "[device] the index must be given once. Received '",
          text, "' and an index.");
    check(integer_of(index, number) && number >= 0 && number < 10000, ErrorKind::runtime,
          "[device] index must be a small int that is not negative.");
    as<PyDevice>(device.ptr()).index = static_cast<int>(number);
    return device.release().ptr();
  });
}

std::string device_text(const PyDevice& d) {
  return d.index < 0 ? kDevices[d.kind] : str(kDevices[d.kind], ":", d.index);
}
PyObject* device_repr(PyObject* self) {
  const PyDevice& d = as<PyDevice>(self);
  return new_string(d.index < 0 ? str("device(type='", kDevices[d.kind], "')")
                                : str("device(type='", kDevices[d.kind], "', index=", d.index, ")"));
}
PyObject* device_str(PyObject* self) { return new_string(device_text(as<PyDevice>(self))); }
PyObject* device_compare(PyObject* a, PyObject* b, int how) {
  if ((how != Py_EQ && how != Py_NE) || !Py_IS_TYPE(a, device_type) || !Py_IS_TYPE(b, device_type))
    Py_RETURN_NOTIMPLEMENTED;
  bool equal = as<PyDevice>(a).kind == as<PyDevice>(b).kind && as<PyDevice>(a).index == as<PyDevice>(b).index;
  return PyBool_FromLong(equal == (how == Py_EQ));
}
Py_hash_t device_hash(PyObject* self) { return as<PyDevice>(self).kind * 10007 + as<PyDevice>(self).index + 2; }
PyObject* device_kind_name(PyObject* self, void*) { return PyUnicode_FromString(kDevices[as<PyDevice>(self).kind]); }
PyObject* device_index(PyObject* self, void*) {
  if (as<PyDevice>(self).index < 0) Py_RETURN_NONE;
  return PyLong_FromLong(as<PyDevice>(self).index);
}
PyObject* device_reduce(PyObject* self, PyObject*) {
  const PyDevice& d = as<PyDevice>(self);
  if (d.index < 0) return Py_BuildValue("O(s)", reinterpret_cast<PyObject*>(device_type), kDevices[d.kind]);
  return Py_BuildValue("O(si)", reinterpret_cast<PyObject*>(device_type), kDevices[d.kind], d.index);
}
PyObject* device_enter(PyObject* self, PyObject*) {
  return guarded([&] {
    require_cpu(self);
    return new_reference(self);
  });
}
PyObject* device_exit(PyObject*, PyObject*) { Py_RETURN_NONE; }

PyMethodDef device_methods[] = {
  {"__reduce__", device_reduce, METH_NOARGS, nullptr},
  {"__enter__", device_enter, METH_NOARGS, nullptr},
  {"__exit__", device_exit, METH_VARARGS, nullptr},
  {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef device_properties[] = {
  {"type", device_kind_name, nullptr, "The name of the kind of device.", nullptr},
  {"index", device_index, nullptr, "Which of them, or None.", nullptr},
  {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyType_Slot device_slots[] = {
  {Py_tp_new, reinterpret_cast<void*>(device_new)},
  {Py_tp_repr, reinterpret_cast<void*>(device_repr)},
  {Py_tp_str, reinterpret_cast<void*>(device_str)},
  {Py_tp_richcompare, reinterpret_cast<void*>(device_compare)},
  {Py_tp_hash, reinterpret_cast<void*>(device_hash)},
  {Py_tp_methods, device_methods},
  {Py_tp_getset, device_properties},
  {Py_tp_doc,
   const_cast<char*>("Where a tensor's data lives. Tensors live on the CPU; other names can be written and compared.")},
  {0, nullptr},
};
PyType_Spec device_spec = {"rushlight.device", sizeof(PyDevice), 0, Py_TPFLAGS_DEFAULT, device_slots};

// --- named constants: layouts and memory formats
struct PyConstant {
  PyObject_HEAD const char* name;
  int value;
};
PyTypeObject *layout_type, *memory_format_type;
PyObject* strided;

PyObject* constant_repr(PyObject* self) { return PyUnicode_FromFormat("torch.%s", as<PyConstant>(self).name); }
PyObject* constant_reduce(PyObject* self, PyObject*) { return PyUnicode_FromString(as<PyConstant>(self).name); }
PyMethodDef constant_methods[] = {{"__reduce__", constant_reduce, METH_NOARGS, nullptr},
                                  {nullptr, nullptr, 0, nullptr}};
PyType_Slot constant_slots[] = {
  {Py_tp_repr, reinterpret_cast<void*>(constant_repr)},
  {Py_tp_methods, constant_methods},
  {0, nullptr},
};
constexpr unsigned kConstantFlags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION;
PyType_Spec layout_spec = {"rushlight.layout", sizeof(PyConstant), 0, kConstantFlags, constant_slots};
PyType_Spec memory_format_spec = {"rushlight.memory_format", sizeof(PyConstant), 0, kConstantFlags, constant_slots};

PyObject* add_constant(PyObject* module, PyTypeObject* type, const char* name, int value) {
  PyObject* o = type->tp_alloc(type, 0);
  if (!o) throw nb::python_error();
  as<PyConstant>(o).name = name;
  as<PyConstant>(o).value = value;
  if (PyModule_AddObjectRef(module, name, o) < 0) throw nb::python_error();
  return o;
}

}  // namespace

PyObject* wrap_dtype(DType d) { return new_reference(dtypes[static_cast<int>(d)]); }

bool dtype_of_object(PyObject* o, DType& d) {
  if (Py_IS_TYPE(o, dtype_type)) d = as<PyDType>(o).dtype;
  else if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) d = DType::f64;
  else if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) d = DType::i64;
  else if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) d = DType::bool_;
  else if (o == reinterpret_cast<PyObject*>(&PyComplex_Type)) d = DType::c128;
  else return false;
  return true;
}

PyObject* make_size(Sizes s) {
  PyObject* size = size_type->tp_alloc(size_type, static_cast<Py_ssize_t>(s.size()));
  if (!size) return nullptr;
  for (std::size_t i = 0; i < s.size(); ++i) {
    PyObject* entry = PyLong_FromLongLong(s[i]);
    if (!entry) {
      Py_DECREF(size);
      return nullptr;
    }
    PyTuple_SET_ITEM(size, static_cast<Py_ssize_t>(i), entry);
  }
  return size;
}

bool memory_format_of(PyObject* o, MemoryFormat& format) {
  if (!Py_IS_TYPE(o, memory_format_type)) return false;
  format = static_cast<MemoryFormat>(as<PyConstant>(o).value);
  return true;
}

bool has_format(const TensorImpl& t, MemoryFormat format) {
  if (format == MemoryFormat::contiguous || format == MemoryFormat::preserve) return t.is_contiguous();
  int n = format == MemoryFormat::channels_last ? 4 : 5;
  if (t.ndim != n) return false;
  i64 expected = 1;
  for (int k = 0; k < n; ++k) {  // channels, then width to depth, then the batch
    int dim = k == 0 ? 1 : k == n - 1 ? 0 : n - k;
    if (t.size[dim] != 1 && t.stride[dim] != expected) return false;
    expected *= t.size[dim];
  }
  return true;
}

void require_cpu(PyObject* device) {
  if (!device || device == Py_None || device == cpu) return;
  nb::object parsed;
  if (PyUnicode_Check(device)) {
    const char* text = PyUnicode_AsUTF8(device);
    if (!text) throw PythonError();
    parsed = nb::steal(parse_device(text));
    device = parsed.ptr();
  }
  check(!PyLong_Check(device), ErrorKind::runtime,
        "[device] an index alone names an accelerator, and none is available. Use device='cpu'.");
  check(Py_IS_TYPE(device, device_type), ErrorKind::type, "[device] device must be a torch.device or a str. Received ",
        Py_TYPE(device)->tp_name, ".");
  const PyDevice& d = as<PyDevice>(device);
  check(d.kind == 0, ErrorKind::runtime, "[device] tensors live on the CPU in this build. Received device '",
        device_text(d), "'. Use device='cpu'.");
}

void require_strided(PyObject* layout) {
  if (!layout || layout == Py_None || layout == strided) return;
  check(Py_IS_TYPE(layout, layout_type), ErrorKind::type, "[layout] layout must be a torch.layout. Received ",
        Py_TYPE(layout)->tp_name, ".");
  fail(ErrorKind::not_implemented, "[layout] tensors are strided in this build. Received torch.",
       as<PyConstant>(layout).name, ". Use torch.strided.");
}

PyObject* cpu_device() { return new_reference(cpu); }
PyObject* strided_layout() { return new_reference(strided); }

void add_dtypes(PyObject* module) {
  dtype_type = make_type(module, "dtype", dtype_spec);
  for (int k = 0; k < kDTypes; ++k) {
    PyObject* o = dtype_type->tp_alloc(dtype_type, 0);
    if (!o) throw nb::python_error();
    as<PyDType>(o).dtype = static_cast<DType>(k);
    dtypes[k] = o;
    PyModule_AddObjectRef(module, kDType[k].name, o);
    if (*kDType[k].alias) PyModule_AddObjectRef(module, kDType[k].alias, o);
  }
  size_type = make_type(module, "Size", size_spec, reinterpret_cast<PyObject*>(&PyTuple_Type));
  device_type = make_type(module, "device", device_spec);
  cpu = make_device(device_type, 0, -1);
  layout_type = make_type(module, "layout", layout_spec);
  strided = add_constant(module, layout_type, "strided", 0);
  int value = 0;
  for (const char* name : {"sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "_mkldnn", "jagged"})
    Py_DECREF(add_constant(module, layout_type, name, ++value));
  memory_format_type = make_type(module, "memory_format", memory_format_spec);
  value = 0;
  for (const char* name : {"contiguous_format", "preserve_format", "channels_last", "channels_last_3d"})
    Py_DECREF(add_constant(module, memory_format_type, name, value++));
  if (!cpu) throw nb::python_error();
}

}  // namespace rl::py
