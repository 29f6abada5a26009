// L8: what the files of this folder share. Python.h is included here and nowhere else in csrc.
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>
// Python.h first, as its manual asks.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "eager/call.h"

namespace rl::py {

namespace nb = nanobind;

// A tensor as Python sees it. `impl` is owned, except while the tensor owns the Python object (kOwnsPython): an object
// with attributes or of a subclass survives as long as its tensor does, so that it is the same object when it is met
// again.
struct PyTensor {
  PyObject_HEAD TensorImpl* impl;
  PyObject* dict;
  PyObject* weak_references;
};
extern PyTypeObject* tensor_type;                    // heap type rushlight._core.Tensor
inline bool is_tensor(PyObject* o) { return Py_TYPE(o) == tensor_type || PyType_IsSubtype(Py_TYPE(o), tensor_type); }
inline TensorImpl* impl(PyObject* o) { return reinterpret_cast<PyTensor*>(o)->impl; }
PyObject* wrap(TensorImpl* t);                       // takes the reference; the same tensor gives the same object
inline PyObject* wrap(Tensor t) { return wrap(t.release()); }
PyObject* wrap_or_none(Tensor t);
PyObject* make_subclass(PyTypeObject* type, const Tensor& t);   // a new object of a subclass over an alias of t

// Turns the C++ exception that is being handled into a Python one. Use: try { ... } catch (...) { return raise(); }
PyObject* raise();
// An exception that Python raised inside a hook or Function, on its way through C++.
struct PythonError {};

// --- dtype.cpp: torch.dtype objects are singletons; torch.Size, torch.device, layouts and memory formats
extern PyTypeObject *dtype_type, *size_type, *device_type;
PyObject* wrap_dtype(DType d);                       // new reference
bool dtype_of_object(PyObject* o, DType& d);         // torch.dtype, or float / int / bool / complex the types
PyObject* make_size(Sizes s);

// --- convert.cpp: numbers, nested sequences, the buffer protocol, DLPack
bool number_of(PyObject* o,
               Arg& a);  // int, float, bool and what has __index__ / __float__ (NumPy scalars); never a tensor
bool integer_of(PyObject* o, i64& i);  // an index: int, NumPy integer, 0-d integer tensor
nb::object plain_value(const Arg& a);  // an argument that is no tensor, or None
PyObject* item(const TensorImpl& t);  // raises unless one element
PyObject* to_list(const TensorImpl& t);
PyObject* element(const TensorImpl& t, const char* at);  // one element as a Python number

// --- op.cpp: rows as callable objects
PyObject* call_binary(const OpDef& op, PyObject* a, PyObject* b);  // number slots: NotImplemented for foreign objects
void add_operators(PyObject* module);  // every row: module.<name>, and methods on Tensor

// --- index.cpp
PyObject* tensor_subscript(PyObject* self, PyObject* key);
int tensor_ass_subscript(PyObject* self, PyObject* key, PyObject* value);

// --- autograd.cpp
extern PyTypeObject* node_type;
PyObject* wrap_node(Node* n);  // None when null; an autograd.Function's own ctx for its node
bool node_reaches_python(const TensorImpl& t);
int traverse_graph(const TensorImpl& t, visitproc visit, void* arg);  // what only this tensor keeps alive
void clear_graph(TensorImpl& t);

// Each file adds what it defines.
void add_tensor(PyObject* module);
void add_dtypes(PyObject* module);
void add_conversions(nb::module_& m);
void add_autograd(nb::module_& m);
void add_observers(nb::module_& m);
void add_random(nb::module_& m);
void add_optim(nb::module_& m);
void add_source(nb::module_& m);  // formulas as CUDA C++
void add_state(nb::module_& m);  // grad mode, threads, memory, registry queries
extern PyMethodDef tensor_methods_convert[], tensor_methods_autograd[];  // each ends with a null entry
extern PyGetSetDef tensor_properties_autograd[];

}  // namespace rl::py

namespace nanobind::detail {
// nanobind functions take and give rl::Tensor as Python tensors.
template <> struct type_caster<rl::Tensor> {
  NB_TYPE_CASTER(rl::Tensor, const_name("Tensor"))
  bool from_python(handle src, uint8_t, cleanup_list*) noexcept {
    if (!rl::py::is_tensor(src.ptr())) return false;
    value = rl::Tensor(rl::py::impl(src.ptr()));
    return true;
  }
  static handle from_cpp(const rl::Tensor& t, rv_policy, cleanup_list*) noexcept { return rl::py::wrap_or_none(t); }
};
}  // namespace nanobind::detail
