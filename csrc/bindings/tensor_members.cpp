// L8: properties and methods of Tensor that are no operators.
#include "bindings/objects.h"
#include "tensor/shared_memory.h"

namespace rl::py {

namespace {

PyObject* boolean_object(bool b) { return PyBool_FromLong(b); }
PyObject* none() { Py_RETURN_NONE; }

// guarded() for what sets a property.
template <class F> int guarded_set(F&& set) {
  PyObject* done = guarded([&]() -> PyObject* {
    set();
    return Py_None;
  });
  return done ? 0 : -1;
}

// __torch_function__ is not asked here: what follows only describes a tensor.

// --- geometry and kind
PyObject* get_shape(PyObject* self, void*) { return make_size(impl(self)->sizes()); }
PyObject* get_dtype(PyObject* self, void*) { return wrap_dtype(impl(self)->dtype); }
PyObject* get_device(PyObject*, void*) { return cpu_device(); }
PyObject* get_layout(PyObject*, void*) { return strided_layout(); }
PyObject* get_ndim(PyObject* self, void*) { return PyLong_FromLong(impl(self)->ndim); }
PyObject* get_itemsize(PyObject* self, void*) { return PyLong_FromLongLong(size_of(impl(self)->dtype)); }
PyObject* get_nbytes(PyObject* self, void*) {
  return PyLong_FromLongLong(impl(self)->numel * size_of(impl(self)->dtype));
}
PyObject* get_true(PyObject*, void*) { Py_RETURN_TRUE; }
PyObject* get_false(PyObject*, void*) { Py_RETURN_FALSE; }
PyObject* get_names(PyObject* self, void*) {
  PyObject* names = PyTuple_New(impl(self)->ndim);
  for (int k = 0; names && k < impl(self)->ndim; ++k) PyTuple_SET_ITEM(names, k, none());
  return names;
}

// A dim argument, wrapped; a 0-d tensor has none.
int dim_argument(const char* op, PyObject* o, const TensorImpl& t) {
  i64 dim = 0;
  check(integer_of(o, dim), ErrorKind::type, "[", op, "] argument 'dim' must be int, not ", Py_TYPE(o)->tp_name, ".");
  check(t.ndim > 0, ErrorKind::index, "[", op, "] the tensor must have dimensions. Received dim ", dim,
        " of a 0-d tensor.");
  return wrap_dim(op, dim, t.ndim);
}
// The one optional argument `dim`; null or None when it is not given.
bool parse_dim(PyObject* args, PyObject* keywords, PyObject*& dim) {
  static const char* names[] = {"dim", nullptr};
  dim = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O", const_cast<char**>(names), &dim)) return false;
  if (dim == Py_None) dim = nullptr;
  return true;
}

PyObject* size(PyObject* self, PyObject* args, PyObject* keywords) {
  PyObject* dim;
  if (!parse_dim(args, keywords, dim)) return nullptr;
  return guarded([&] {
    const TensorImpl& t = *impl(self);
    return dim ? PyLong_FromLongLong(t.size[dim_argument("size", dim, t)]) : make_size(t.sizes());
  });
}
PyObject* stride(PyObject* self, PyObject* args, PyObject* keywords) {
  PyObject* dim;
  if (!parse_dim(args, keywords, dim)) return nullptr;
  return guarded([&]() -> PyObject* {
    const TensorImpl& t = *impl(self);
    if (dim) return PyLong_FromLongLong(t.stride[dim_argument("stride", dim, t)]);
    nb::object strides = nb::steal(PyTuple_New(t.ndim));
    for (int k = 0; strides && k < t.ndim; ++k) PyTuple_SET_ITEM(strides.ptr(), k, PyLong_FromLongLong(t.stride[k]));
    return strides.release().ptr();
  });
}
PyObject* dim(PyObject* self, PyObject*) { return PyLong_FromLong(impl(self)->ndim); }
PyObject* numel(PyObject* self, PyObject*) { return PyLong_FromLongLong(impl(self)->numel); }
PyObject* element_size(PyObject* self, PyObject*) { return PyLong_FromLongLong(size_of(impl(self)->dtype)); }
PyObject* storage_offset(PyObject* self, PyObject*) { return PyLong_FromLongLong(impl(self)->offset); }
PyObject* data_ptr(PyObject* self, PyObject*) {
  const TensorImpl& t = *impl(self);
  if (t.has(kSparse))
    return PyErr_Format(PyExc_NotImplementedError,
                        "[data_ptr] a sparse tensor has no memory of its own. Ask its values() and indices().");
  return t.numel ? PyLong_FromVoidPtr(t.data()) : PyLong_FromLong(0);
}
PyObject* is_contiguous(PyObject* self, PyObject* args, PyObject* keywords) {
  static const char* names[] = {"memory_format", nullptr};
  PyObject* given = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O", const_cast<char**>(names), &given)) return nullptr;
  MemoryFormat format = MemoryFormat::contiguous;
  if (given && !memory_format_of(given, format)) {
    return PyErr_Format(PyExc_TypeError,
                        "[is_contiguous] argument 'memory_format' must be a torch.memory_format, not %s.",
                        Py_TYPE(given)->tp_name);
  }
  if (format == MemoryFormat::preserve) {
    return PyErr_Format(PyExc_RuntimeError,
                        "[is_contiguous] preserve_format names no order of memory. Use contiguous_format.");
  }
  return boolean_object(has_format(*impl(self), format));
}
PyObject* is_floating_point(PyObject* self, PyObject*) { return boolean_object(is_floating(impl(self)->dtype)); }
PyObject* is_complex_(PyObject* self, PyObject*) { return boolean_object(is_complex(impl(self)->dtype)); }
PyObject* is_signed(PyObject* self, PyObject*) { return boolean_object(info(impl(self)->dtype).is_signed); }
PyObject* is_inference(PyObject* self, PyObject*) { return boolean_object(impl(self)->has(kInference)); }
PyObject* device_number(PyObject*, PyObject*) { return PyLong_FromLong(-1); }
PyObject* answer_false(PyObject*, PyObject*) { Py_RETURN_FALSE; }
PyObject* same_tensor(PyObject* self, PyObject*) { return new_reference(self); }
PyObject* is_view(PyObject* self, PyObject*) { return boolean_object(impl(self)->base); }
PyObject* is_same_size(PyObject* self, PyObject* other) {
  if (is_tensor(other)) return boolean_object(same_shape(*impl(self), *impl(other)));
  return PyErr_Format(PyExc_TypeError, "[is_same_size] argument 'other' must be Tensor, not %s.",
                      Py_TYPE(other)->tp_name);
}

// --- autograd state
bool is_leaf_tensor(TensorImpl& t) { return !wants_grad(t) || !t.node || t.node->is_accumulator(); }

PyObject* get_requires_grad(PyObject* self, void*) { return boolean_object(wants_grad(*impl(self))); }
int set_requires_grad_property(PyObject* self, PyObject* value, void*) {
  if (!value || !PyBool_Check(value)) {
    PyErr_SetString(PyExc_RuntimeError, "[requires_grad] the value must be a bool.");
    return -1;
  }
  return guarded_set([&] { set_requires_grad(*impl(self), value == Py_True); });
}
PyObject* requires_grad_(PyObject* self, PyObject* args, PyObject* keywords) {
  static const char* names[] = {"requires_grad", nullptr};
  PyObject* on = Py_True;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O!", const_cast<char**>(names), &PyBool_Type, &on)) return nullptr;
  return guarded([&] {
    set_requires_grad(*impl(self), on == Py_True);
    return new_reference(self);
  });
}
PyObject* get_is_leaf(PyObject* self, void*) {
  return guarded([&] { return boolean_object(is_leaf_tensor(*impl(self))); });
}
PyObject* get_grad_fn(PyObject* self, void*) {
  return guarded([&] { return is_leaf_tensor(*impl(self)) ? none() : wrap_node(impl(self)->node); });
}
PyObject* get_output_nr(PyObject* self, void*) { return PyLong_FromLong(impl(self)->output_index); }
PyObject* get_retains_grad(PyObject* self, void*) { return boolean_object(impl(self)->has(kRetainsGrad)); }
PyObject* get_base(PyObject* self, void*) { return wrap_or_none(Tensor(impl(self)->base)); }
PyObject* get_version(PyObject* self, void*) {
  return guarded([&] {
    check(!impl(self)->has(kInference), ErrorKind::runtime,
          "[_version] the tensor must not be made in inference mode: "
          "inference tensors count no writes. Clone it outside inference mode.");
    return PyLong_FromUnsignedLong(impl(self)->storage->version);
  });
}

PyObject* get_grad(PyObject* self, void*) {
  TensorImpl& t = *impl(self);
  if (t.grad) return wrap(Tensor(t.grad));
  if (t.requires_grad() && !t.has(kRetainsGrad) && !is_leaf_tensor(t) &&
      PyErr_WarnEx(PyExc_UserWarning,
                   "[grad] The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. It is filled "
                   "only after .retain_grad(); call that before backward(), or read the leaf's.",
                   1) < 0)
    return nullptr;
  Py_RETURN_NONE;
}
int set_grad(PyObject* self, PyObject* value, void*) {
  return guarded_set([&] {
    TensorImpl& t = *impl(self);
    TensorImpl* g = nullptr;
    if (value && value != Py_None) {
      check(is_tensor(value), ErrorKind::type, "[grad] must be a Tensor or None. Received ", Py_TYPE(value)->tp_name,
            ".");
      g = impl(value);
      check(g != &t, ErrorKind::runtime, "[grad] must be another tensor than the one it belongs to.");
      check(g->dtype == t.dtype, ErrorKind::runtime, "[grad] must have the tensor's dtype, ", t.dtype, ". Received ",
            *g, ".");
      check(same_shape(*g, t), ErrorKind::runtime, "[grad] must have the tensor's size, ", t.sizes(), ". Received ", *g,
            ".");
      g->inc();
    }
    TensorImpl* before = std::exchange(t.grad, g);
    if (before) before->dec();
  });
}

// The same values without history: it shares the count of writes, so that a write through it is noticed.
PyObject* detach(PyObject* self, PyObject*) {
  return guarded([&] {
    Tensor t = alias(*impl(self));
    t->set(kWrappedNumber, false);
    t->set(kInference, t->has(kInference) || eager_state.inference);
    return wrap(std::move(t));
  });
}
PyObject* detach_(PyObject* self, PyObject*) {
  return guarded([&] {
    TensorImpl& t = *impl(self);
    check(!t.base, ErrorKind::runtime,
          "[detach_] the tensor must not be a view: can't detach views in-place. Use detach().");
    if (t.has(kRetainsGrad)) forget_retained(t);
    Node* node = is_leaf_tensor(t) ? nullptr : std::exchange(t.node, nullptr);
    t.set(kRequiresGrad, false);
    t.output_index = 0;
    ++t.history;
    if (node) node->dec();
    return new_reference(self);
  });
}

// .data: as detach(), but with a count of writes of its own.
PyObject* get_data(PyObject* self, void*) {
  return guarded([&] {
    Tensor t = alias(*impl(self));
    t->set(kWrappedNumber, false);
    Storage* own = Storage::alias(*t->storage);
    std::exchange(t->storage, own)->dec();
    return wrap(std::move(t));
  });
}
int set_data(PyObject* self, PyObject* value, void*) {
  return guarded_set([&] {
    check(value && is_tensor(value), ErrorKind::type, "[data] must be a Tensor. Received ",
          value ? Py_TYPE(value)->tp_name : "nothing", ".");
    TensorImpl &t = *impl(self), &from = *impl(value);
    check(t.has(kSparse) == from.has(kSparse), ErrorKind::runtime,
          "[data] must have the tensor's layout: both sparse or both strided. Received ", from, " for ", t, ".");
    check(!t.requires_grad() || is_differentiable(from.dtype), ErrorKind::runtime,
          "[data] must be floating point or complex for a tensor that requires grad. Received ", from, ".");
    if (&t == &from) return;
    Storage* storage = Storage::alias(*from.storage);
    storage->version = t.storage->version;
    std::exchange(t.storage, storage)->dec();
    t.dtype = from.dtype;
    t.ndim = from.ndim;
    t.numel = from.numel;
    t.offset = from.offset;
    std::copy_n(from.size, from.ndim, t.size);
    std::copy_n(from.stride, from.ndim, t.stride);
    t.set(kContiguous, from.is_contiguous());
  });
}

// --- views by name
PyObject* swapped(PyObject* self, const char* name, bool conjugate) {
  return guarded([&] {
    Tensor t(impl(self));
    check(t->ndim >= 2, ErrorKind::runtime, "[", name,
          "] the tensor must be a matrix or a batch of matrices. Received ", t, ".");
    t = call<"transpose">(t, t->ndim - 2, t->ndim - 1);
    return wrap(conjugate ? conj(t) : t);
  });
}
PyObject* get_mT(PyObject* self, void*) { return swapped(self, "mT", false); }
PyObject* get_mH(PyObject* self, void*) { return swapped(self, "mH", true); }
PyObject* get_H(PyObject* self, void*) {
  if (impl(self)->ndim == 0) return new_reference(self);
  if (impl(self)->ndim == 2) return swapped(self, "H", true);
  return guarded([&]() -> PyObject* {
    fail(ErrorKind::runtime, "[H] the tensor must be a matrix. Received ", *impl(self), ". Use mH for batches.");
  });
}
PyObject* get_T(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    Tensor t(impl(self));
    if (t->ndim != 2 && PyErr_WarnEx(PyExc_UserWarning,
                                     "[T] reversing the dimensions of a tensor that is no matrix is "
                                     "deprecated. Use .mT for batches of matrices, or .permute().",
                                     1) < 0)
      return nullptr;
    Dims reversed;
    for (int k = t->ndim - 1; k >= 0; --k) reversed.push(k);
    return wrap(call<"permute">(t, reversed));
  });
}
PyObject* get_part(PyObject* self, void* name) {
  return guarded([&] {
    ArgRoom arg;
    arg[0] = Arg(impl(self));
    return wrap(invoke(require_op(static_cast<const char*>(name)), arg));
  });
}
int set_part(PyObject* self, PyObject* value, void* name) {
  nb::object part = nb::steal(get_part(self, name));
  if (!part) return -1;
  if (!value) {
    PyErr_SetString(PyExc_AttributeError, "a part of a tensor cannot be deleted");
    return -1;
  }
  nb::object done = nb::steal(PyObject_CallMethod(part.ptr(), is_tensor(value) ? "copy_" : "fill_", "O", value));
  return done ? 0 : -1;
}

// --- storage
struct UntypedStorage {  // torch.UntypedStorage: the bytes under a tensor
  explicit UntypedStorage(Storage* s) : storage(s) {}
  Ref<Storage> storage;
  i64 bytes() const { return static_cast<i64>(storage->bytes); }
};
PyObject* untyped_storage(PyObject* self, PyObject*) {
  return guarded([&] {
    require_elements("untyped_storage", *impl(self));
    return nb::cast(UntypedStorage(impl(self)->storage)).release().ptr();
  });
}

// --- subclasses and construction
bool is_tensor_class(const char* op, PyObject* type) {
  static PyObject* dispatch = PyUnicode_InternFromString("__torch_dispatch__");
  if (PyType_Check(type) && PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(type), tensor_type)) {
    if (_PyType_Lookup(reinterpret_cast<PyTypeObject*>(type), dispatch) == _PyType_Lookup(tensor_type, dispatch))
      return true;
    PyErr_Format(PyExc_NotImplementedError,
                 "[%s] cls must not define __torch_dispatch__: there is no dispatcher below the operators. Received "
                 "%R. Use __torch_function__.",
                 op, type);
    return false;
  }
  PyErr_Format(PyExc_TypeError, "[%s] cls must be a subclass of Tensor. Received %R.", op, type);
  return false;
}
PyObject* make_subclass_(PyObject*, PyObject* args, PyObject* keywords) {
  static const char* names[] = {"cls", "data", "require_grad", nullptr};
  PyObject *type, *data;
  int requires_grad = 0;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO!|p", const_cast<char**>(names), &type, tensor_type, &data,
                                   &requires_grad))
    return nullptr;
  if (!is_tensor_class("_make_subclass", type)) return nullptr;
  return guarded([&]() -> PyObject* {
    auto* cls = reinterpret_cast<PyTypeObject*>(type);
    if (Py_TYPE(data) != tensor_type) require_elements(cls->tp_name, *impl(data));  // a bare shell is made for this
    nb::object o = nb::steal(make_subclass(cls, Tensor(impl(data))));
    if (o && requires_grad) set_requires_grad(*impl(o.ptr()), true);
    return o.release().ptr();
  });
}
PyObject* as_subclass(PyObject* self, PyObject* type) {
  if (!is_tensor_class("as_subclass", type)) return nullptr;
  return guarded([&] {
    Tensor t(impl(self));
    require_elements("as_subclass", *t);
    t = wants_grad(*t) ? call<"view">(t, t->sizes()) : alias(*t);  // on the tape when there is one
    return adopt(reinterpret_cast<PyTypeObject*>(type), std::move(t));
  });
}

PyObject* format_(PyObject* self, PyObject* specification) {
  if (!PyUnicode_Check(specification))
    return PyErr_Format(PyExc_TypeError, "[__format__] the specification must be a str, not %s.",
                        Py_TYPE(specification)->tp_name);
  nb::object value = impl(self)->ndim == 0 && Py_TYPE(self) == tensor_type
                         ? nb::steal(guarded([&] { return item(*impl(self)); }))
                         : nb::steal(PyObject_Str(self));
  if (!value) return nullptr;
  if (PyUnicode_Check(value.ptr()) && PyUnicode_Check(specification) && PyUnicode_GET_LENGTH(specification) > 0) {
    return PyErr_Format(PyExc_TypeError, "unsupported format string passed to Tensor.__format__");
  }
  return PyObject_Format(value.ptr(), specification);
}
PyObject* complex_(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    nb::object value = nb::steal(item(*impl(self)));
    if (!value) return nullptr;
    Py_complex z = PyComplex_AsCComplex(value.ptr());
    return PyErr_Occurred() ? nullptr : PyComplex_FromCComplex(z);
  });
}

PyCFunction with_keywords(PyObject* (*f)(PyObject*, PyObject*, PyObject*)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(f));
}

}  // namespace

void set_requires_grad(TensorImpl& t, bool on) {
  if (on == wants_grad(t)) return;
  if (on) {
    check(is_differentiable(t.dtype), ErrorKind::runtime,
          "[requires_grad] only Tensors of floating point and complex dtype can require gradients. Received ", t, ".");
    check(!t.has(kInference) || eager_state.inference, ErrorKind::runtime,
          "[requires_grad] Setting requires_grad=True on inference tensor outside InferenceMode is not allowed. "
          "Clone it first.");
  } else {
    check(is_leaf_tensor(t), ErrorKind::runtime,
          "[requires_grad] you can only change requires_grad flags of leaf variables. "
          "This tensor was computed from others. Use .detach() for a tensor without history.");
  }
  t.set(kRequiresGrad, on);
}

// Tensor(2, 3) is uninitialised memory of that size; Tensor(data) converts to the default dtype.
PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* keywords) {
  return guarded([&]() -> PyObject* {
    if (keywords && PyDict_GET_SIZE(keywords)) {
      PyObject *key, *value;
      for (Py_ssize_t at = 0; PyDict_Next(keywords, &at, &key, &value);) {
        check(PyUnicode_CompareWithASCIIString(key, "device") == 0, ErrorKind::type,
              "[Tensor] got an unexpected keyword argument '", nb::cast<std::string>(nb::str(nb::handle(key))),
              "'. Use torch.tensor() for dtype and requires_grad.");
        require_cpu(value);
      }
    }
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject* first = n ? PyTuple_GET_ITEM(args, 0) : nullptr;
    auto from_sizes = [&](PyObject* sizes) -> PyObject* {
      Dims dims;
      for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(sizes); ++k) {
        i64 value = 0;
        PyObject* entry = PyTuple_GET_ITEM(sizes, k);
        if (!integer_of(entry, value)) {
          if (PyErr_Occurred()) throw PythonError();
          fail(ErrorKind::type, "[Tensor] sizes must be int. Received ", Py_TYPE(entry)->tp_name,
               ". Use torch.tensor() for values.");
        }
        dims.push(value);
      }
      return adopt(type, empty(dims, default_dtype()));
    };
    if (!n) return adopt(type, empty({0}, default_dtype()));
    if (n > 1 || (PyIndex_Check(first) && !PySequence_Check(first) && !is_tensor(first))) return from_sizes(args);
    if (Py_IS_TYPE(first, size_type)) return from_sizes(first);
    if (is_tensor(first)) return adopt(type, alias(*impl(first)));
    check(PySequence_Check(first) || PyObject_CheckBuffer(first), ErrorKind::type,
          "[Tensor] data must be a sequence. Received ", Py_TYPE(first)->tp_name, ". Use torch.tensor() for numbers.");
    nb::module_ core = nb::module_::import_("rushlight._core");
    nb::object dtype = nb::steal(wrap_dtype(default_dtype()));
    nb::object made = core.attr("tensor_from")(nb::handle(first), dtype, true);
    check(is_tensor(made.ptr()), ErrorKind::runtime, "[Tensor] the data gave no tensor.");
    if (type == tensor_type) return made.release().ptr();
    return make_subclass(type, Tensor(impl(made.ptr())));
  });
}

PyMethodDef tensor_methods[] = {
  {"size", with_keywords(size), METH_VARARGS | METH_KEYWORDS, "size(dim=None): the size of all dimensions, or of one."},
  {"stride", with_keywords(stride), METH_VARARGS | METH_KEYWORDS,
   "stride(dim=None): elements between neighbours along every dimension, or one."},
  {"dim", dim, METH_NOARGS, "The number of dimensions."},
  {"ndimension", dim, METH_NOARGS, "The number of dimensions."},
  {"numel", numel, METH_NOARGS, "The number of elements."},
  {"nelement", numel, METH_NOARGS, "The number of elements."},
  {"element_size", element_size, METH_NOARGS, "Bytes per element."},
  {"storage_offset", storage_offset, METH_NOARGS, "The place of the first element in the storage, in elements."},
  {"data_ptr", data_ptr, METH_NOARGS, "The address of the first element; 0 when there is none."},
  {"is_contiguous", with_keywords(is_contiguous), METH_VARARGS | METH_KEYWORDS,
   "is_contiguous(memory_format=torch.contiguous_format): whether memory is in that order, without gaps."},
  {"is_floating_point", is_floating_point, METH_NOARGS, "Whether the dtype is floating point (complex is not)."},
  {"is_complex", is_complex_, METH_NOARGS, "Whether the dtype is complex."},
  {"is_signed", is_signed, METH_NOARGS, "Whether the dtype has negative numbers."},
  {"is_inference", is_inference, METH_NOARGS, "Whether the tensor was made in inference mode."},
  {"get_device", device_number, METH_NOARGS, "The index of the device: -1 for the CPU."},
  {"is_conj", answer_false, METH_NOARGS, "False: conj() computes its result."},
  {"is_neg", answer_false, METH_NOARGS, "False: neg() computes its result."},
  {"resolve_conj", same_tensor, METH_NOARGS, "The tensor itself: conj() computes its result."},
  {"resolve_neg", same_tensor, METH_NOARGS, "The tensor itself: neg() computes its result."},
  {"is_pinned", answer_false, METH_VARARGS, "Whether the memory is page-locked."},
  {"is_shared", answer_false, METH_NOARGS, "Whether the memory is shared between processes."},
  {"has_names", answer_false, METH_NOARGS, "False: dimensions have no names."},
  {"_is_view", is_view, METH_NOARGS, "Whether the tensor looks into another one."},
  {"is_same_size", is_same_size, METH_O, "Whether the other tensor has the same size."},
  {"requires_grad_", with_keywords(requires_grad_), METH_VARARGS | METH_KEYWORDS,
   "requires_grad_(requires_grad=True): sets the flag and returns the tensor."},
  {"detach", detach, METH_NOARGS, "A tensor on the same memory without history."},
  {"detach_", detach_, METH_NOARGS, "Cuts the tensor off its history."},
  {"untyped_storage", untyped_storage, METH_NOARGS, "The bytes under the tensor."},
  {"as_subclass", as_subclass, METH_O, "as_subclass(cls): the same values as an object of a subclass."},
  {"_make_subclass", with_keywords(make_subclass_), METH_VARARGS | METH_KEYWORDS | METH_STATIC,
   "_make_subclass(cls, data, require_grad=False): a new leaf of a subclass on data's memory."},
  {"__format__", format_, METH_O, nullptr},
  {"__complex__", complex_, METH_NOARGS, nullptr},
  {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef tensor_properties[] = {
  {"shape", get_shape, nullptr, "The size of every dimension.", nullptr},
  {"dtype", get_dtype, nullptr, "The type of the elements.", nullptr},
  {"device", get_device, nullptr, "Where the data lives.", nullptr},
  {"layout", get_layout, nullptr, "How the data is laid out.", nullptr},
  {"ndim", get_ndim, nullptr, "The number of dimensions.", nullptr},
  {"itemsize", get_itemsize, nullptr, "Bytes per element.", nullptr},
  {"nbytes", get_nbytes, nullptr, "Bytes of all elements.", nullptr},
  {"names", get_names, nullptr, "A None for every dimension: dimensions have no names.", nullptr},
  {"requires_grad", get_requires_grad, set_requires_grad_property, "Whether backward() computes a gradient for it.",
   nullptr},
  {"grad", get_grad, set_grad, "The gradient that backward() added up, or None.", nullptr},
  {"is_leaf", get_is_leaf, nullptr, "Whether the user made it, rather than an operator whose gradient is recorded.",
   nullptr},
  {"grad_fn", get_grad_fn, nullptr, "The node of the tape that made it, or None.", nullptr},
  {"output_nr", get_output_nr, nullptr, "Which result of grad_fn it is.", nullptr},
  {"retains_grad", get_retains_grad, nullptr, "Whether retain_grad() was called on a tensor that is no leaf.", nullptr},
  {"_version", get_version, nullptr, "How often the memory was written.", nullptr},
  {"_base", get_base, nullptr, "Of a view: the tensor it looks into.", nullptr},
  {"data", get_data, set_data, "The values without history; writes through it are not noticed by autograd.", nullptr},
  {"T", get_T, nullptr, "The transpose of a matrix.", nullptr},
  {"mT", get_mT, nullptr, "The transpose of every matrix of a batch.", nullptr},
  {"H", get_H, nullptr, "The conjugate transpose of a matrix.", nullptr},
  {"mH", get_mH, nullptr, "The conjugate transpose of every matrix of a batch.", nullptr},
  {"real", get_part, set_part, "The real part, a view.", const_cast<char*>("real")},
  {"imag", get_part, set_part, "The imaginary part of a complex tensor, a view.", const_cast<char*>("imag")},
  {"is_cpu", get_true, nullptr, nullptr, nullptr},
  {"is_cuda", get_false, nullptr, nullptr, nullptr},
  {"is_xpu", get_false, nullptr, nullptr, nullptr},
  {"is_mps", get_false, nullptr, nullptr, nullptr},
  {"is_mtia", get_false, nullptr, nullptr, nullptr},
  {"is_xla", get_false, nullptr, nullptr, nullptr},
  {"is_ipu", get_false, nullptr, nullptr, nullptr},
  {"is_maia", get_false, nullptr, nullptr, nullptr},
  {"is_vulkan", get_false, nullptr, nullptr, nullptr},
  {"is_meta", get_false, nullptr, nullptr, nullptr},
  {"is_mkldnn", get_false, nullptr, nullptr, nullptr},
  {"is_quantized", get_false, nullptr, nullptr, nullptr},
  {"is_sparse", get_false, nullptr, nullptr, nullptr},
  {"is_sparse_csr", get_false, nullptr, nullptr, nullptr},
  {"is_nested", get_false, nullptr, nullptr, nullptr},
  {nullptr, nullptr, nullptr, nullptr, nullptr},
};

namespace {

Tensor bytes_of(Ref<Storage> storage) {
  i64 n = static_cast<i64>(storage->bytes), one = 1;
  Tensor like = empty({1}, DType::u8);
  std::exchange(like->storage, storage.release())->dec();
  return strided_alias(*like, Sizes(&n, 1), Sizes(&one, 1), 0);
}

}  // namespace

void swap_contents(nb::handle first, nb::handle second) {
  nb::handle given[] = {first, second};
  for (nb::handle o : given) {
    check(is_tensor(o.ptr()), ErrorKind::type, "[swap_tensors] t1 and t2 must be tensors. Received ",
          Py_TYPE(o.ptr())->tp_name, ".");
    check(impl(o.ptr())->unique(), ErrorKind::runtime,
          "[swap_tensors] t1 and t2 must be part of no graph and have no views: Expected use_count to be 1. Received ",
          describe(*impl(o.ptr())), ". Call backward or drop the graph first.");
  }
  auto *a = reinterpret_cast<PyTensor*>(first.ptr()), *b = reinterpret_cast<PyTensor*>(second.ptr());
  std::swap(a->impl, b->impl);
  for (nb::handle o : given) impl(o.ptr())->py = o.ptr();
}

void add_storage(nb::module_& m) {
  m.def("swap_contents_", swap_contents, nb::arg("t1"), nb::arg("t2"), "Two Tensor objects change contents.");
  nb::class_<UntypedStorage>(m, "UntypedStorage", "The bytes under one or more tensors.")
      .def(
          "data_ptr", [](const UntypedStorage& s) { return reinterpret_cast<std::uintptr_t>(s.storage->data); },
          "The address.")
      .def("nbytes", &UntypedStorage::bytes, "The number of bytes.")
      .def("size", &UntypedStorage::bytes, "The number of bytes.")
      .def("__len__", &UntypedStorage::bytes)
      .def("__sizeof__", [](const UntypedStorage& s) { return sizeof(s) + s.bytes(); })
      .def("element_size", [](const UntypedStorage&) { return 1; })
      .def_prop_ro("device", [](const UntypedStorage&) { return nb::steal(cpu_device()); })
      .def(
          "tensor", [](const UntypedStorage& s) { return bytes_of(s.storage); }, "All bytes as a uint8 tensor.")
      .def(
          "share_memory_",
          [](UntypedStorage& s) -> UntypedStorage& {
            share(*s.storage);
            return s;
          },
          nb::rv_policy::none, "Moves the bytes to memory that processes share; returns the storage.")
      .def(
          "is_shared", [](const UntypedStorage& s) { return is_shared(*s.storage); },
          "Whether processes share the memory.")
      .def(
          "shared_descriptor", [](const UntypedStorage& s) { return shared_descriptor(*s.storage); },
          "The file descriptor that stands for shared memory, -1 where there is none. It belongs to the storage.")
      .def(
          "close_descriptor", [](UntypedStorage& s) { close_descriptor(*s.storage); },
          "Closes it: the memory stays shared, and is not sent to further processes.")
      .def(
          "__eq__",
          [](const UntypedStorage& a, nb::handle b) {
            return nb::isinstance<UntypedStorage>(b) &&
                   nb::cast<const UntypedStorage&>(b).storage->data == a.storage->data;
          },
          nb::arg("other").none())
      .def("__hash__", [](const UntypedStorage& s) { return reinterpret_cast<std::uintptr_t>(s.storage->data) >> 6; });
  m.def(
      "shared_bytes",
      [](std::size_t nbytes, int descriptor) {
        return bytes_of(descriptor < 0 ? new_shared_storage(nbytes) : map_shared_storage(nbytes, descriptor));
      },
      nb::arg("nbytes"), nb::arg("descriptor") = -1,
      "uint8 [nbytes] in shared memory: new, or that of a descriptor, which is taken over.");
}

}  // namespace rl::py
