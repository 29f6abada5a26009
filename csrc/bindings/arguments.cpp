// L8: Python objects as the arguments of a row.
#include "bindings/arguments.h"

#include <algorithm>

#include "kernels/random.h"

namespace rl::py {
namespace {

bool take_int(PyObject* o, i64& value) {
  if (PyLong_CheckExact(o)) {
    int overflow = 0;
    value = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow) [[unlikely]]
      PyErr_Format(PyExc_OverflowError, "[int] the number must fit 64 bits. Received %R.", o);
    return !overflow;
  }
  if (PyBool_Check(o) || PyFloat_Check(o)) return false;
  return integer_of(o, value);
}

// A number, or a 0-d tensor that is read as one.
bool take_scalar(PyObject* o, Arg& a) {
  if (PyFloat_CheckExact(o)) {
    a = Arg(PyFloat_AS_DOUBLE(o));
    return true;
  }
  if (!is_tensor(o)) return number_of(o, a);
  const TensorImpl& t = *impl(o);
  if (t.ndim || t.requires_grad() || is_complex(t.dtype)) return false;
  nb::object value = nb::steal(item(t));
  return value && number_of(value.ptr(), a);
}

// Nodes keep the pointer: every text that was ever an argument stays.
const char* text_for_life(PyObject* o) {
  static PyObject* texts = PySet_New(nullptr);
  Py_INCREF(o);
  PyUnicode_InternInPlace(&o);
  bool kept = PySet_Add(texts, o) == 0;
  const char* text = kept ? PyUnicode_AsUTF8(o) : nullptr;
  Py_DECREF(o);
  return text;
}

bool is_plain_int(PyObject* o) { return PyLong_CheckExact(o); }
bool is_sequence(PyObject* o) { return PyTuple_Check(o) || PyList_Check(o); }

}  // namespace

std::string expected(const Param& p) {
  static constexpr const char* kNames[] = {
    "Tensor", "Tensor or Number",     "Tensor", "tuple of Tensors", "Number",         "float", "int",
    "bool",   "int or tuple of ints", "str",    "torch.dtype",      "torch.Generator"};
  return str(kNames[static_cast<int>(p.type)], p.optional ? " or None" : "");
}

std::string received(const Param& p, PyObject* got) {
  auto name = [](PyObject* o) {
    std::string_view full = Py_TYPE(o)->tp_name;
    return full.substr(full.rfind('.') + 1);
  };
  if (p.type == ParamType::tensors && is_sequence(got))
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(got); ++i)
      if (PyObject* entry = PySequence_Fast_GET_ITEM(got, i); !is_tensor(entry) && entry != Py_None)
        return str("a ", name(got), " with ", name(entry), " at position ", i);
  return std::string(name(got));
}

Tensor wrapped_number(const Arg& number) {
  DType d = number.kind == Kind::boolean ? DType::bool_ : number.kind == Kind::integer ? DType::i64 : DType::f64;
  Tensor t = empty(Sizes{}, d);
  if (d == DType::f64) *t->data_as<double>() = number.f;
  else if (d == DType::i64) *t->data_as<i64>() = number.i;
  else *t->data_as<bool>() = number.i != 0;
  t->set(kWrappedNumber, true);
  return t;
}

TensorImpl* wrapped_complex(PyObject* o) {
  if (!PyComplex_Check(o) && !std::string_view(Py_TYPE(o)->tp_name).starts_with("numpy.complex")) return nullptr;
  Py_complex z = PyComplex_AsCComplex(o);
  if (PyErr_Occurred()) return nullptr;
  Tensor t = empty(Sizes{}, DType::c128);
  *t->data_as<complex128>() = complex128(z.real, z.imag);
  t->set(kWrappedNumber, true);
  return t.release();
}

bool Arguments::take_tensor(PyObject* o, Arg& a) {
  if (!is_tensor(o)) return false;
  a = Arg(impl(o));
  may_override |= overrides(o);
  return true;
}

bool Arguments::take_number(PyObject* o, Arg& a) {
  if (PyFloat_CheckExact(o)) {
    a = Arg(PyFloat_AS_DOUBLE(o));
    return true;
  }
  if (PyLong_Check(o)) return number_of(o, a);
  if (TensorImpl* z = wrapped_complex(o)) {  // first: NumPy's complex numbers have a __float__ too
    a = Arg(own(Tensor::steal(z)));
    return true;
  }
  return !PyErr_Occurred() && number_of(o, a);
}

bool Arguments::take_ints(PyObject* const* items, Py_ssize_t n, Arg& a) {
  i64* to = ints_ + used_;
  if (used_ + n > kInline) to = long_ints_.emplace_front(static_cast<std::size_t>(n)).data();
  else used_ += static_cast<int>(n);
  for (Py_ssize_t i = 0; i < n; ++i)
    if (!take_int(items[i], to[i])) return false;
  a = Arg(Sizes(to, static_cast<std::size_t>(n)));
  return true;
}

bool Arguments::take_tensors(PyObject* o, Arg& a) {
  if (!is_sequence(o)) return false;
  Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  TensorImpl** to = list_ + listed_;
  bool is_long = listed_ + n > kInline;
  if (is_long) to = long_lists_.emplace_front(static_cast<std::size_t>(n)).data();
  Arg entry;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* e = PySequence_Fast_GET_ITEM(o, i);
    if (e == Py_None) to[i] = nullptr;
    else if (take_tensor(e, entry)) to[i] = entry.t;
    else {
      may_override |= overrides(e);
      return false;
    }
  }
  for (Py_ssize_t i = 0; i < n; ++i) {
    if (!to[i]) continue;
    if (is_long) own(Tensor(to[i]));
    else to[i]->inc();
  }
  if (!is_long) listed_ += static_cast<int>(n);
  a = Arg(std::span<TensorImpl* const>(to, static_cast<std::size_t>(n)));
  return true;
}

bool Arguments::take_other(const Param& p, PyObject* o, Arg& a) {
  if (o == Py_None) {
    a = Arg();
    return p.optional;
  }
  if (!is_tensor(o) && overrides(o)) {  // asked before it is read as a number
    may_override = true;
    return false;
  }
  switch (p.type) {
    case ParamType::tensor:
    case ParamType::mask: return take_tensor(o, a);
    case ParamType::operand: return take_tensor(o, a) || take_number(o, a);
    case ParamType::tensors: return take_tensors(o, a);
    case ParamType::number: return take_scalar(o, a);
    case ParamType::real:
      if (!take_scalar(o, a)) return false;
      a = Arg(a.number());
      return true;
    case ParamType::integer: {
      i64 value = 0;
      if (!take_int(o, value)) return false;
      a = Arg(value);
      return true;
    }
    case ParamType::boolean:
      if (PyBool_Check(o)) {
        a = Arg(o == Py_True);
        return true;
      }
      return !is_tensor(o) && number_of(o, a) && a.kind == Kind::boolean;  // NumPy's
    case ParamType::ints: {
      if (is_sequence(o)) {
        bool plain = PyTuple_Check(o);
        if (!plain)
          plain = std::all_of(PySequence_Fast_ITEMS(o), PySequence_Fast_ITEMS(o) + PyList_GET_SIZE(o), is_plain_int);
        nb::object held =
            plain ? nb::borrow(o) : nb::steal(PyList_AsTuple(o));  // an entry's __index__ may change the list
        return held && take_ints(PySequence_Fast_ITEMS(held.ptr()), PySequence_Fast_GET_SIZE(held.ptr()), a);
      }
      i64 value = 0;
      if (!take_int(o, value)) return false;
      a = Arg(value);
      return true;
    }
    case ParamType::text:
      if (!PyUnicode_Check(o)) return false;
      a = Arg(text_for_life(o));
      return a.text != nullptr;
    case ParamType::dtype: {
      DType d;
      if (!dtype_of_object(o, d)) return false;
      a = Arg(d);
      return true;
    }
    case ParamType::generator: {
      Generator* generator = nullptr;
      if (!nb::try_cast<Generator*>(nb::handle(o), generator)) return false;
      a = Arg();
      a.opaque = generator;
      a.kind = Kind::generator;
      return true;
    }
  }
  return false;
}

}  // namespace rl::py
