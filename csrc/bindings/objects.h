// L8: what the files of the Tensor and Op types share beyond python.h.
#pragma once
#include "bindings/python.h"

namespace rl::py {

// Runs f() and turns what it throws into a Python exception.
template <class F> PyObject* guarded(F&& f) {
  try {
    return f();
  } catch (...) { return raise(); }
}
inline PyObject* new_reference(PyObject* o) {
  Py_INCREF(o);
  return o;
}
inline PyObject* new_string(std::string_view s) {
  return PyUnicode_FromStringAndSize(s.data(), static_cast<Py_ssize_t>(s.size()));
}

// --- tensor.cpp, tensor_members.cpp
PyObject* adopt(PyTypeObject* type, Tensor t);       // a new object of `type` for a tensor that has none
void set_requires_grad(TensorImpl& t, bool on);      // with PyTorch's rules
PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* keywords);
extern PyMethodDef tensor_methods[];
extern PyGetSetDef tensor_properties[];
void add_storage(nb::module_& m);

// --- dtype.cpp
enum class MemoryFormat { contiguous, preserve, channels_last, channels_last_3d };
bool memory_format_of(PyObject* o, MemoryFormat& format);
bool has_format(const TensorImpl& t, MemoryFormat format);
void require_cpu(PyObject* device);                  // None, "cpu" or torch.device("cpu"); throws otherwise
void require_strided(PyObject* layout);
PyObject* cpu_device();                              // new references
PyObject* strided_layout();

// --- op.cpp
PyObject* call_inplace(const OpDef& op, PyObject* a, PyObject* b);
PyObject* return_types();                            // a dict: row -> the type of its several results

// --- override.cpp: __torch_function__. What asks returns nullptr without an exception when nobody answers.
extern int modes;                                    // of all threads: while there is none, no call looks for one
bool overrides(PyObject* o);                         // whether its class has a __torch_function__ to be asked
bool overrides_all(PyObject* o);                     // likewise, and about more than rows
inline bool may_ask(PyObject* o) { return modes || (Py_TYPE(o) != tensor_type && overrides_all(o)); }
enum class Asked { of_a_row, of_all };
PyObject* torch_function(PyObject* function, PyObject* const* args, Py_ssize_t positional, PyObject* keywords,
                         Asked asked);
PyObject* ask_mode(PyObject* function, bool draws, PyObject* const* args, Py_ssize_t positional, PyObject* keywords);
PyObject* ask_about_member(const char* name, std::initializer_list<PyObject*> args, Asked asked);  // of Tensor's
PyGetSetDef offered_property(const PyGetSetDef& plain);
void add_overrides(PyObject* module);

// --- row.cpp
std::string parameter_text(const Signature& s);      // as Python writes it: input, other, *, alpha=1
PyObject* row_info(const OpDef& op);

// --- provenance.cpp
void install_provenance();

}  // namespace rl::py
