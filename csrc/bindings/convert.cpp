// Numbers, nested sequences, NumPy and DLPack: the ways in and out of a tensor's memory.
#include <nanobind/stl/vector.h>

#include "bindings/objects.h"
#include "kernels/pointwise.h"

namespace rl::py {

// --- Python numbers
bool number_of(PyObject* o, Arg& a) {
  if (PyFloat_CheckExact(o)) {
    a = Arg(PyFloat_AS_DOUBLE(o));
    return true;
  }
  if (PyBool_Check(o)) {
    a = Arg(o == Py_True);
    return true;
  }
  if (PyLong_Check(o)) {
    int overflow = 0;
    long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow) {
      PyErr_Clear();
      fail(ErrorKind::runtime, "[number] an integer must fit into 64 bits: Overflow when unpacking long. Use a float.");
    }
    a = Arg(static_cast<i64>(v));
    return true;
  }
  if (PyFloat_Check(o)) {
    a = Arg(PyFloat_AsDouble(o));
    return true;
  }
  if (is_tensor(o) || PyComplex_Check(o) || PyUnicode_Check(o) || PySequence_Check(o)) return false;
  // NumPy scalars and their like.
  PyNumberMethods* numbers = Py_TYPE(o)->tp_as_number;
  if (!numbers) return false;
  if (numbers->nb_index) {
    nb::object index = nb::steal(PyNumber_Index(o));
    if (!index.is_valid()) throw PythonError{};
    i64 i = PyLong_AsLongLong(index.ptr());
    if (PyErr_Occurred()) throw PythonError{};
    a = Arg(i);
    return true;
  }
  if (numbers->nb_float) {
    double f = PyFloat_AsDouble(o);
    if (PyErr_Occurred()) throw PythonError{};
    bool is_bool =
        std::string_view(Py_TYPE(o)->tp_name) == "numpy.bool" || std::string_view(Py_TYPE(o)->tp_name) == "numpy.bool_";
    a = is_bool ? Arg(f != 0) : Arg(f);
    return true;
  }
  return false;
}

bool integer_of(PyObject* o, i64& i) {
  if (PyLong_CheckExact(o)) {
    int overflow = 0;
    i = PyLong_AsLongLongAndOverflow(o, &overflow);
    check(!overflow, ErrorKind::runtime, "[number] an integer must fit into 64 bits: Overflow when unpacking long.");
    return true;
  }
  if (PyBool_Check(o)) {
    i = o == Py_True;
    return true;
  }
  if (is_tensor(o)) {
    const TensorImpl& t = *impl(o);
    if (t.numel != 1 || !is_integral(t.dtype) || t.dtype == DType::bool_) return false;
    require_elements("int", t);
    i = visit(t.dtype, [&]<class T>(Type<T>) { return cast<i64>(*t.data_as<T>()); });
    return true;
  }
  if (!PyIndex_Check(o)) return false;
  nb::object index = nb::steal(PyNumber_Index(o));
  if (!index.is_valid()) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw PythonError{};
    PyErr_Clear();  // NumPy arrays have an __index__ that refuses
    return false;
  }
  i = PyLong_AsLongLong(index.ptr());
  if (PyErr_Occurred()) throw PythonError{};
  return true;
}

nb::object plain_value(const Arg& a) {
  switch (a.kind) {
    case Kind::real: return nb::float_(a.f);
    case Kind::integer: return nb::int_(a.i);
    case Kind::boolean: return nb::bool_(a.i != 0);
    case Kind::ints: {
      nb::list list;
      for (std::uint32_t i = 0; i < a.n; ++i) list.append(nb::int_(a.p[i]));
      return nb::tuple(list);
    }
    case Kind::text: return nb::str(a.text);
    case Kind::dtype: return nb::steal(wrap_dtype(static_cast<DType>(a.i)));
    default: return nb::none();
  }
}

PyObject* element(const TensorImpl& t, const char* at) {
  return visit(t.dtype, [&]<class T>(Type<T>) -> PyObject* {
    if constexpr (std::is_same_v<T, bool>) return PyBool_FromLong(*at != 0);  // uninitialised memory holds any byte
    T x;
    std::memcpy(&x, at, sizeof x);
    if constexpr (std::is_integral_v<T>) return PyLong_FromLongLong(x);
    else if constexpr (is_complex_type<T>) return PyComplex_FromDoubles(x.real(), x.imag());
    else return PyFloat_FromDouble(static_cast<double>(x));
  });
}

PyObject* item(const TensorImpl& t) {
  require_elements("item", t);
  check(t.numel == 1, ErrorKind::runtime, "[item] a Tensor with ", t.numel,
        " elements cannot be converted to Scalar: it must have one. Received ", describe(t), ".");
  return element(t, t.data());
}

namespace {

PyObject* list_from(const TensorImpl& t, int dim, const char* at) {
  if (dim == t.ndim) return element(t, at);
  PyObject* list = PyList_New(t.size[dim]);
  if (!list) return nullptr;
  i64 step = t.size[dim] > 1 ? t.stride[dim] * size_of(t.dtype) : 0;  // one that is not used may be any
  for (i64 i = 0; i < t.size[dim]; ++i) {
    PyObject* entry = list_from(t, dim + 1, at + i * step);
    if (!entry) {
      Py_DECREF(list);
      return nullptr;
    }
    PyList_SET_ITEM(list, i, entry);
  }
  return list;
}

}  // namespace

PyObject* to_list(const TensorImpl& t) {
  require_elements("tolist", t);
  return list_from(t, 0, t.data());
}

// --- nested sequences into tensors
namespace {

bool is_nested(PyObject* o) {
  return PyList_Check(o) || PyTuple_Check(o) ||
         (PySequence_Check(o) && !PyUnicode_Check(o) && !PyBytes_Check(o) && !is_tensor(o));
}

// NumPy's scalars bring their dtype; float64 and complex128 are subclasses of Python's own types.
bool numpy_scalar_dtype(PyObject* o, DType& d) {
  std::string_view name = Py_TYPE(o)->tp_name;
  if (!name.starts_with("numpy.")) return false;
  name.remove_prefix(6);
  if (name == "bool_") name = "bool";
  for (int k = 0; k < kDTypes; ++k)
    if (name == kDType[k].name) {
      d = static_cast<DType>(k);
      return true;
    }
  return false;
}

// Entry i of a list or tuple; reading the entries before it may have run code that changed the list.
nb::object entry_of(PyObject* sequence, i64 i) {
  check(i < PySequence_Fast_GET_SIZE(sequence), ErrorKind::runtime,
        "[tensor] a sequence must not change while it is read. It became shorter.");
  return nb::borrow(PySequence_Fast_GET_ITEM(sequence, i));
}

class SequenceReader {
 public:
  // The shape from the first entries, the dtype from all of them.
  explicit SequenceReader(PyObject* o) { look(o, 0, true); }

  Dims size;
  DType dtype = DType::bool_;
  bool any = false;

  void fill(PyObject* o, const TensorImpl& t, int dim, char* at) const {
    if (dim == t.ndim) return put(o, t, at);
    check(is_nested(o), ErrorKind::value, "[tensor] expected sequence of length ", t.size[dim], " at dim ", dim,
          ": nested sequences must have one shape. Received ", Py_TYPE(o)->tp_name, ".");
    nb::object fast = nb::steal(PySequence_Fast(o, "[tensor] a sequence is expected"));
    if (!fast.is_valid()) throw PythonError{};
    i64 n = PySequence_Fast_GET_SIZE(fast.ptr());
    check(n == t.size[dim], ErrorKind::value, "[tensor] expected sequence of length ", t.size[dim], " at dim ", dim,
          " (got ", n, "): nested sequences must have one shape.");
    i64 step = t.stride[dim] * size_of(t.dtype);
    for (i64 i = 0; i < n; ++i) fill(entry_of(fast.ptr(), i).ptr(), t, dim + 1, at + i * step);
  }

 private:
  void note(DType d) {
    dtype = any ? promote(dtype, d) : d;
    any = true;
  }

  void look(PyObject* o, int depth, bool first) {
    if (is_tensor(o)) {
      const TensorImpl& t = *impl(o);
      require_elements("tensor", t);
      check(t.numel == 1, ErrorKind::value,
            "[tensor] only one element tensors can be converted to Python scalars. Received ", describe(t),
            ". Use torch.stack.");
      return note(t.dtype);
    }
    if (PyFloat_CheckExact(o)) return note(default_dtype());
    if (DType d; numpy_scalar_dtype(o, d)) return note(d);
    if (PyFloat_Check(o)) return note(default_dtype());
    if (PyBool_Check(o)) return note(DType::bool_);
    if (PyLong_Check(o)) return note(DType::i64);
    if (PyComplex_Check(o)) return note(to_complex(default_dtype()));
    check(!overrides(o), ErrorKind::runtime,
          "[tensor] the data must be numbers, and a tensor inside vmap is none. Use ",
          "torch.stack() for tensors, clone() for a copy.");
    if (is_nested(o)) {
      check(depth < kMaxDim, ErrorKind::value, "[tensor] too many dimensions: sequences may be nested ", kMaxDim,
            " deep. Received a deeper one.");
      nb::object fast = nb::steal(PySequence_Fast(o, "[tensor] a sequence is expected"));
      if (!fast.is_valid()) throw PythonError{};
      i64 n = PySequence_Fast_GET_SIZE(fast.ptr());
      if (first && size.n == depth) size.push(n);
      for (i64 i = 0; i < n; ++i) look(entry_of(fast.ptr(), i).ptr(), depth + 1, first && i == 0);
      return;
    }
    Arg a;
    if (number_of(o, a))
      return note(a.kind == Kind::real ? default_dtype() : a.kind == Kind::boolean ? DType::bool_ : DType::i64);
    check(!PyUnicode_Check(o) || depth == 0, ErrorKind::value,
          "[tensor] too many dimensions 'str': data must be numbers. Received a str in a sequence.");
    if (PyUnicode_Check(o))
      fail(ErrorKind::type, "[tensor] new(): invalid data type 'str': data must be numbers. Received a str.");
    fail(ErrorKind::runtime, "[tensor] Could not infer dtype of ", Py_TYPE(o)->tp_name,
         ": data must be numbers, sequences of numbers, or arrays.");
  }

  static void put(PyObject* o, const TensorImpl& t, char* at) {
    auto store = [&](auto value) {
      visit(t.dtype, [&]<class T>(Type<T>) {
        T x = cast<T>(value);
        std::memcpy(at, &x, sizeof x);
      });
    };
    if (is_tensor(o)) {
      const TensorImpl& from = *impl(o);
      require_elements("tensor", from);
      check(from.numel == 1, ErrorKind::value,
            "[tensor] only one element tensors can be converted to Python scalars. Received ", describe(from), ".");
      return visit(from.dtype, [&]<class T>(Type<T>) { store(*from.data_as<T>()); });
    }
    if (PyComplex_Check(o)) {
      check(is_complex(t.dtype), ErrorKind::type, "[tensor] a complex number must go into a complex dtype. Received ",
            t.dtype, ".");
      return store(complex128(PyComplex_RealAsDouble(o), PyComplex_ImagAsDouble(o)));
    }
    Arg a;
    if (!number_of(o, a)) {
      if (is_nested(o))
        fail(ErrorKind::type,
             "[tensor] nested sequences must have one shape: expected a number at this depth. Received ",
             Py_TYPE(o)->tp_name, ".");
      fail(ErrorKind::type, "[tensor] data must be numbers. Received ", Py_TYPE(o)->tp_name, ".");
    }
    if (a.kind == Kind::real) return store(a.f);
    if (is_integral(t.dtype) && t.dtype != DType::bool_ && t.dtype != DType::i64) {
      bool fits = visit(t.dtype, [&]<class T>(Type<T>) {
        if constexpr (std::is_integral_v<T>)
          return a.i >= static_cast<i64>(std::numeric_limits<T>::min()) &&
                 a.i <= static_cast<i64>(std::numeric_limits<T>::max());
        else return true;
      });
      if (!fits)
        fail(ErrorKind::runtime, "[tensor] value cannot be converted to type ", t.dtype, " without overflow. Received ",
             a.i, ".");
    }
    store(a.i);
  }
};

bool dtype_of_format(const char* format, std::size_t item, DType& d) {
  std::string_view f = format ? format : "B";
  if (!f.empty() && (f[0] == '<' || f[0] == '=' || f[0] == '@' || f[0] == '|')) f.remove_prefix(1);
  if (f == "l" || f == "q" || f == "n") d = item == 8 ? DType::i64 : DType::i32;
  else if (f == "?") d = DType::bool_;
  else if (f == "B" || f == "c") d = DType::u8;
  else if (f == "b") d = DType::i8;
  else if (f == "h") d = DType::i16;
  else if (f == "i") d = DType::i32;
  else if (f == "e") d = DType::f16;
  else if (f == "f") d = DType::f32;
  else if (f == "d") d = DType::f64;
  else if (f == "Zf") d = DType::c64;
  else if (f == "Zd") d = DType::c128;
  else return false;
  return static_cast<std::size_t>(size_of(d)) == item;
}

struct BufferOwner {
  Py_buffer view;
};
void give_back_buffer(void* owner) {
  auto* o = static_cast<BufferOwner*>(owner);
  if (Py_IsInitialized()) {
    PyGILState_STATE state = PyGILState_Ensure();
    PyBuffer_Release(&o->view);
    PyGILState_Release(state);
  }
  delete o;
}

// A tensor over the memory of an object with the buffer protocol.
Tensor from_buffer_protocol(PyObject* o, bool need_writable) {
  auto* owner = new BufferOwner;
  int flags = PyBUF_STRIDES | PyBUF_FORMAT | (need_writable ? PyBUF_WRITABLE : 0);
  if (PyObject_GetBuffer(o, &owner->view, flags)) {
    if (need_writable) {
      PyErr_Clear();
      if (PyObject_GetBuffer(o, &owner->view, flags & ~PyBUF_WRITABLE) == 0) {
        if (PyErr_WarnEx(
                PyExc_UserWarning,
                "[from_numpy] the array is not writable: writing into the tensor is undefined. Copy the array first.",
                1)) {
          PyBuffer_Release(&owner->view);
          delete owner;
          throw PythonError{};
        }
      } else {
        delete owner;
        throw PythonError{};
      }
    } else {
      delete owner;
      throw PythonError{};
    }
  }
  const Py_buffer& v = owner->view;
  Ref<Storage> guard;
  DType d = DType::u8;
  auto refuse = [&](ErrorKind kind, const std::string& why) {
    give_back_buffer(owner);
    throw Error(kind, why);
  };
  if (!dtype_of_format(v.format, static_cast<std::size_t>(v.itemsize), d))
    refuse(ErrorKind::type, str("[from_numpy] can't convert np.ndarray of format '", v.format ? v.format : "",
                                "'. The supported types are: float64, float32, float16, complex64, complex128, int64, "
                                "int32, int16, int8, uint8, and bool. Convert with astype()."));
  if (v.ndim > kMaxDim)
    refuse(ErrorKind::value, str("[from_numpy] a tensor has at most ", kMaxDim, " dimensions. Received ", v.ndim, "."));
  Dims size, stride;
  for (int i = 0; i < v.ndim; ++i) {
    i64 s = v.strides ? v.strides[i] : 0;
    if (s < 0 || s % v.itemsize)
      refuse(
          ErrorKind::value,
          "[from_numpy] At least one stride in the given numpy array is negative or no multiple of the element size, "
          "and tensors with negative strides are not currently supported. Copy the array first: array.copy().");
    size.push(v.shape[i]);
    stride.push(s / v.itemsize);
  }
  std::size_t bytes = static_cast<std::size_t>(storage_span(size, stride) * v.itemsize);
  Ref<Storage> storage =
      Ref<Storage>::steal(Storage::borrow(static_cast<char*>(v.buf), bytes, owner, give_back_buffer));
  Tensor whole = empty(Sizes{}, d);
  whole->storage->dec();
  whole->storage = storage.release();
  return strided_alias(*whole, size, stride, 0);
}

// Arrays whose dtype the buffer protocol cannot carry with its strides reach us through numpy.asarray first.
Tensor tensor_from_data(nb::handle data, nb::handle dtype, bool copy) {
  DType wanted;
  bool given = !dtype.is_none();
  check(!given || dtype_of_object(dtype.ptr(), wanted), ErrorKind::type,
        "[tensor] argument 'dtype' must be torch.dtype, not ", Py_TYPE(dtype.ptr())->tp_name, ".");
  PyObject* o = data.ptr();
  Tensor t;
  if (is_tensor(o)) {
    GradMode off(false);
    t = Tensor(impl(o));
    if (given && t->dtype != wanted) return to_dtype(t, wanted);
    return copy ? call<"clone">(t) : t;
  }
  bool number = PyFloat_CheckExact(o) || PyLong_Check(o) || PyComplex_CheckExact(o);
  if (!number && !PyList_Check(o) && !PyTuple_Check(o)) {
    if (PyObject_HasAttrString(o, "__array_interface__") || PyObject_HasAttrString(o, "__array__")) {
      nb::object array = data.attr("__array__")();
      if (array.attr("flags").attr("writeable").ptr() == Py_False) array = array.attr("copy")();
      t = from_buffer_protocol(array.ptr(), false);
    } else if (PyObject_CheckBuffer(o)) {
      t = from_buffer_protocol(o, false);
    }
  }
  if (t) {
    if (given && t->dtype != wanted) return to_dtype(t, wanted);
    return copy ? call<"contiguous_copy">(t) : t;
  }
  if (PyFloat_CheckExact(o) && !given) return scalar_tensor(PyFloat_AS_DOUBLE(o), default_dtype());
  SequenceReader reader(o);
  DType d = given ? wanted : reader.any ? reader.dtype : default_dtype();
  t = empty(reader.size, d);
  reader.fill(o, *t, 0, t->data());
  return t;
}

// --- DLPack (version 0.8 of its C interface)
struct DLDevice {
  std::int32_t type, id;
};
struct DLDataType {
  std::uint8_t code, bits;
  std::uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  std::int32_t ndim;
  DLDataType dtype;
  std::int64_t *shape, *strides;
  std::uint64_t byte_offset;
};
struct DLManagedTensor {
  DLTensor tensor;
  void* context;
  void (*deleter)(DLManagedTensor*);
};
struct DLManagedTensorVersioned {
  std::uint32_t major, minor;
  void* context;
  void (*deleter)(DLManagedTensorVersioned*);
  std::uint64_t flags;
  DLTensor tensor;
};
enum DLCode : std::uint8_t { kInt = 0, kUnsigned = 1, kFloat = 2, kBfloat = 4, kComplex = 5, kBool = 6 };

DLDataType dlpack_dtype(DType d) {
  auto bits = static_cast<std::uint8_t>(8 * size_of(d));
  if (d == DType::bool_) return {kBool, bits, 1};
  if (d == DType::bf16) return {kBfloat, bits, 1};
  if (d == DType::u8) return {kUnsigned, bits, 1};
  return {is_complex(d) ? kComplex : is_floating(d) ? kFloat : kInt, bits, 1};
}

template <class Managed>
constexpr const char* kCapsuleName = std::is_same_v<Managed, DLManagedTensor> ? "dltensor" : "dltensor_versioned";

template <class Managed>
PyObject* export_capsule(TensorImpl& t) {
  auto* managed = new Managed{};
  t.inc();
  managed->context = &t;
  managed->deleter = [](Managed* m) {
    static_cast<TensorImpl*>(m->context)->dec();
    delete m;
  };
  managed->tensor = {t.data(), {1, 0}, t.ndim, dlpack_dtype(t.dtype), t.size, t.stride, 0};
  if constexpr (std::is_same_v<Managed, DLManagedTensorVersioned>) managed->major = 1;
  return PyCapsule_New(managed, kCapsuleName<Managed>, [](PyObject* capsule) {
    if (!PyCapsule_IsValid(capsule, kCapsuleName<Managed>)) return;  // taken: its new owner frees it
    auto* m = static_cast<Managed*>(PyCapsule_GetPointer(capsule, kCapsuleName<Managed>));
    if (m->deleter) m->deleter(m);
  });
}

PyObject* to_dlpack(PyObject* self, PyObject*, PyObject* keywords) {
  return guarded([&]() -> PyObject* {
    TensorImpl& t = *impl(self);
    require_elements("__dlpack__", t);
    check(!t.requires_grad(), ErrorKind::runtime,
          "[__dlpack__] Can't export tensors that require gradient, use tensor.detach(). Received ", describe(t), ".");
    // A reader that knows version 1 may write; to older ones NumPy shows a read-only array.
    PyObject* newest = keywords ? PyDict_GetItemString(keywords, "max_version") : nullptr;
    bool versioned = newest && PyTuple_Check(newest) && PyTuple_GET_SIZE(newest) == 2 &&
                     PyLong_AsLong(PyTuple_GET_ITEM(newest, 0)) >= 1;
    return versioned ? export_capsule<DLManagedTensorVersioned>(t) : export_capsule<DLManagedTensor>(t);
  });
}

PyObject* dlpack_device(PyObject*, PyObject*) { return Py_BuildValue("(ii)", 1, 0); }

template <class Managed>
Tensor import_capsule(PyObject* capsule) {
  auto* managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule, kCapsuleName<Managed>));
  const DLTensor& x = managed->tensor;
  if constexpr (std::is_same_v<Managed, DLManagedTensorVersioned>)
    check(managed->major == 1, ErrorKind::runtime, "[from_dlpack] the DLPack version must be 1. Received ",
          managed->major, ".");
  check(x.device.type == 1, ErrorKind::runtime,
        "[from_dlpack] the tensor must be on the cpu. Received DLPack device type ", x.device.type,
        ". Copy it to the host first.");
  check(x.ndim <= kMaxDim && x.ndim >= 0, ErrorKind::runtime, "[from_dlpack] a tensor has at most ", kMaxDim,
        " dimensions. Received ", x.ndim, ".");
  DType d = DType::bool_;
  bool found = false;
  for (int k = 0; k < kDTypes && !found; ++k) {
    DLDataType want = dlpack_dtype(static_cast<DType>(k));
    found = want.code == x.dtype.code && want.bits == x.dtype.bits && x.dtype.lanes == 1;
    if (found) d = static_cast<DType>(k);
  }
  check(found, ErrorKind::runtime, "[from_dlpack] unsupported element type: code ", static_cast<int>(x.dtype.code),
        ", ", static_cast<int>(x.dtype.bits), " bits, ", x.dtype.lanes, " lanes.");
  Dims size(Sizes{x.shape, static_cast<std::size_t>(x.ndim)});
  Dims stride = x.strides ? Dims(Sizes{x.strides, static_cast<std::size_t>(x.ndim)}) : contiguous_strides(size);
  for (int i = 0; i < stride.n; ++i)
    check(stride[i] >= 0 || size[i] <= 1, ErrorKind::runtime, "[from_dlpack] strides must not be negative. Received ",
          Sizes(stride), ". Copy first.");
  std::size_t bytes = static_cast<std::size_t>(storage_span(size, stride) * size_of(d));
  PyCapsule_SetName(capsule, std::is_same_v<Managed, DLManagedTensor> ? "used_dltensor" : "used_dltensor_versioned");
  Storage* storage = Storage::borrow(static_cast<char*>(x.data) + x.byte_offset, bytes, managed, [](void* owner) {
    auto* m = static_cast<Managed*>(owner);
    if (!m->deleter || !Py_IsInitialized()) return;
    PyGILState_STATE state = PyGILState_Ensure();
    m->deleter(m);
    PyGILState_Release(state);
  });
  Tensor whole = empty(Sizes{}, d);
  std::exchange(whole->storage, storage)->dec();
  return strided_alias(*whole, size, stride, 0);
}

Tensor from_dlpack_capsule(nb::handle capsule) {
  if (PyCapsule_IsValid(capsule.ptr(), "dltensor_versioned"))
    return import_capsule<DLManagedTensorVersioned>(capsule.ptr());
  check(
      PyCapsule_IsValid(capsule.ptr(), "dltensor"), ErrorKind::runtime,
      "[from_dlpack] from_dlpack received an invalid capsule: it must be an unused DLPack capsule. Note that DLTensor "
      "capsules can be consumed only once.");
  return import_capsule<DLManagedTensor>(capsule.ptr());
}

bool truth_of(PyObject* o) {
  int truth = PyObject_IsTrue(o);
  if (truth < 0) throw PythonError{};
  return truth;
}

// torch.tensor, the usual start of a program that counts its microseconds: without a frame of Python's.
PyObject* new_tensor(PyObject*, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  return guarded([&] {
    check(n <= 1, ErrorKind::type, "[tensor] takes 1 positional argument but ", n,
          " were given. Name the others, as in dtype=.");
    PyObject *data = n ? args[0] : nullptr, *dtype = Py_None;
    bool requires_grad = false;
    for (Py_ssize_t k = 0; names && k < PyTuple_GET_SIZE(names); ++k) {
      PyObject *name = PyTuple_GET_ITEM(names, k), *value = args[n + k];
      auto is = [&](const char* text) { return PyUnicode_CompareWithASCIIString(name, text) == 0; };
      if (is("requires_grad")) requires_grad = truth_of(value);
      else if (is("dtype")) dtype = value;
      else if (is("device")) require_cpu(value);
      else if (is("data") && !n) data = value;
      else
        check(is("pin_memory"), ErrorKind::type, "[tensor] got an unexpected keyword argument '",
              nb::cast<std::string>(nb::handle(name)),
              "'. The signature is tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False)");
    }
    check(data != nullptr, ErrorKind::type, "[tensor] missing required argument 'data'.");
    Tensor t = tensor_from_data(data, dtype, true);
    if (requires_grad) set_requires_grad(*t, true);
    return wrap(std::move(t));
  });
}

PyObject* item_method(PyObject* self, PyObject*) {
  return guarded([&] { return item(*impl(self)); });
}
PyObject* tolist_method(PyObject* self, PyObject*) {
  return guarded([&] { return to_list(*impl(self)); });
}

}  // namespace

PyMethodDef tensor_methods_convert[] = {
  {"item", item_method, METH_NOARGS,
   "The value of a tensor of one element, as a Python number. Raises RuntimeError otherwise."},
  {"tolist", tolist_method, METH_NOARGS, "The elements as nested lists of Python numbers."},
  {"__dlpack__", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(to_dlpack)), METH_VARARGS | METH_KEYWORDS,
   "A DLPack capsule over the same memory."},
  {"__dlpack_device__", dlpack_device, METH_NOARGS, "(1, 0): the CPU."},
  {nullptr, nullptr, 0, nullptr}};

void add_conversions(nb::module_& m) {
  static PyMethodDef functions[] = {
    {"tensor", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(new_tensor)), METH_FASTCALL | METH_KEYWORDS,
     R"(tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False)
--

A new tensor with a copy of `data`: a number, nested sequences of numbers, an array or a tensor.

Without dtype, integers give int64, floats the default dtype. Raises ValueError for sequences of unequal length,
TypeError or RuntimeError for what is no number.

>>> torch.tensor([[1.0, 2.0], [3.0, 4.0]])
tensor([[1., 2.],
        [3., 4.]])
)"},
    {nullptr, nullptr, 0, nullptr},
  };
  if (PyModule_AddFunctions(m.ptr(), functions) < 0) throw nb::python_error();
  m.def("tensor_from", tensor_from_data, nb::arg("data"), nb::arg("dtype").none(), nb::arg("copy"),
        "A tensor from numbers, nested sequences, arrays or a tensor; shares memory where it can unless copy.");
  m.def(
      "from_buffer", [](nb::handle array) { return from_buffer_protocol(array.ptr(), true); }, nb::arg("array"),
      "A tensor over the memory of an object with the buffer protocol.");
  m.def(
      "resize_",
      [](Tensor t, std::vector<i64> size) {
        resize_impl(*t, size);
        written(*t);
        return t;
      },
      nb::arg("input"), nb::arg("size"), "Another shape, in place; the memory is kept when it is large enough.");
  m.def(
      "sparse_shell",
      [](std::vector<i64> size, nb::handle dtype) {
        DType d = DType::f32;
        check(dtype_of_object(dtype.ptr(), d), ErrorKind::type, "[sparse_shell] dtype must be a torch.dtype.");
        return Tensor::steal(sparse_shell_impl(size, d));
      },
      nb::arg("size"), nb::arg("dtype"),
      "A tensor of this shape and dtype without elements: every operator refuses it, so a subclass has to step in.");
  m.def("from_dlpack_capsule", from_dlpack_capsule, nb::arg("capsule"));
}

}  // namespace rl::py
