// L8: the extension module rushlight._core, and C++ exceptions as Python ones.
#include "bindings/objects.h"

namespace rl::py {

namespace {

PyObject* class_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::type: return PyExc_TypeError;
    case ErrorKind::value: return PyExc_ValueError;
    case ErrorKind::index: return PyExc_IndexError;
    case ErrorKind::not_implemented: return PyExc_NotImplementedError;
    case ErrorKind::memory: return PyExc_MemoryError;
    default: return PyExc_RuntimeError;
  }
}

PyObject* class_of(const nb::builtin_exception& e) {
  switch (e.type()) {
    case nb::exception_type::type_error: return PyExc_TypeError;
    case nb::exception_type::value_error: return PyExc_ValueError;
    case nb::exception_type::index_error: return PyExc_IndexError;
    case nb::exception_type::key_error: return PyExc_KeyError;
    case nb::exception_type::attribute_error: return PyExc_AttributeError;
    case nb::exception_type::stop_iteration: return PyExc_StopIteration;
    case nb::exception_type::buffer_error: return PyExc_BufferError;
    case nb::exception_type::import_error: return PyExc_ImportError;
    default: return PyExc_RuntimeError;
  }
}

}  // namespace

PyObject* raise() {
  try {
    throw;
  } catch (const PythonError&) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "an exception was lost on its way through C++");
  } catch (const Error& e) { PyErr_SetString(class_of(e.kind()), e.what()); } catch (nb::python_error& e) {
    e.restore();
  } catch (const nb::builtin_exception& e) { PyErr_SetString(class_of(e), e.what()); } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) { PyErr_SetString(PyExc_RuntimeError, e.what()); }
  return nullptr;
}

}  // namespace rl::py

NB_MODULE(_core, m) {
  using namespace rl::py;
  m.doc() = "The C++ core: tensors, operators, the tape.";
  nb::set_leak_warnings(false);  // tensors that modules hold at exit are no leaks
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const rl::Error&) { raise(); } catch (const PythonError&) {
      raise();
    }
  });
  add_dtypes(m.ptr());
  add_tensor(m.ptr());
  add_storage(m);
  add_conversions(m);
  add_autograd(m);
  add_observers(m);
  add_random(m);
  add_optim(m);
  add_state(m);
  add_source(m);
  add_overrides(m.ptr());
  add_operators(m.ptr());
  install_provenance();
  if (PyErr_Occurred()) throw nb::python_error();
}
