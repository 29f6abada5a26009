// L8: where in the user's program a node was made: the code object and the instruction of the innermost frame that is
// not the library's own. Two words per node; the line number is looked up only when somebody asks.
#include <dlfcn.h>

#include "bindings/objects.h"

#if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030D0000
#define RL_INTERNAL_FRAMES 1
#define Py_BUILD_CORE
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE
#endif

namespace rl::py {
namespace {

// The folder of the package, with the closing slash; the extension module lies in it.
const std::string& package_folder() {
  static const std::string folder = [] {
    Dl_info where{};
    if (!dladdr(reinterpret_cast<void*>(&install_provenance), &where) || !where.dli_fname)
      return std::string("/nowhere/");
    std::string path = where.dli_fname;
    std::size_t slash = path.rfind('/');
    return slash == path.npos ? std::string("/nowhere/") : path.substr(0, slash + 1);
  }();
  return folder;
}

bool is_library_file(PyObject* filename) {
  Py_ssize_t length = 0;
  const char* text = PyUnicode_AsUTF8AndSize(filename, &length);
  if (!text) {
    PyErr_Clear();
    return false;
  }
  std::string_view file(text, static_cast<std::size_t>(length));
  return file.starts_with(package_folder()) || file.starts_with("<frozen");
}

// Whether a code object is the library's, remembered by address; the cache keeps its code objects alive.
bool is_library_code(PyCodeObject* code) {
  static struct {
    PyCodeObject* code;
    bool library;
  } cache[512];
  auto& entry =
      cache[(reinterpret_cast<std::uintptr_t>(code) >> 5 ^ reinterpret_cast<std::uintptr_t>(code) >> 14) & 511];
  if (entry.code != code) [[unlikely]] {
    Py_INCREF(code);
    PyCodeObject* before = std::exchange(entry.code, code);
    entry.library = is_library_file(code->co_filename);
    Py_XDECREF(before);
  }
  return entry.library;
}

#ifdef RL_INTERNAL_FRAMES
bool is_python_frame(_PyInterpreterFrame* f) {
#if PY_VERSION_HEX >= 0x030C0000
  return f->owner != FRAME_OWNED_BY_CSTACK;
#else
  return f->owner <= FRAME_OWNED_BY_FRAME_OBJECT;
#endif
}

void locate_call(Node& n) {
  PyThreadState* thread = _PyThreadState_UncheckedGet();
  if (!thread || !thread->cframe) return;
  _PyInterpreterFrame *frame = thread->cframe->current_frame, *found = nullptr;
  for (; frame; frame = frame->previous) {
    if (!is_python_frame(frame)) continue;
    if (!is_library_code(frame->f_code)) {
      found = frame;
      break;
    }
  }
  if (!found) return;
  Py_INCREF(found->f_code);
  n.where = found->f_code;
  n.instruction = static_cast<std::int32_t>(reinterpret_cast<char*>(found->prev_instr) -
                                            reinterpret_cast<char*>(_PyCode_CODE(found->f_code)));
}
#else
void locate_call(Node& n) {
  PyFrameObject* frame = PyEval_GetFrame();
  Py_XINCREF(frame);
  while (frame) {
    PyCodeObject* code = PyFrame_GetCode(frame);
    if (!is_library_code(code)) {
      n.where = code;  // with its reference
#if PY_VERSION_HEX >= 0x030B0000
      n.instruction = PyFrame_GetLasti(frame);
#else
      n.instruction = -1 - PyFrame_GetLineNumber(frame);
#endif
      Py_DECREF(frame);
      return;
    }
    Py_DECREF(code);
    PyFrameObject* outer = PyFrame_GetBack(frame);
    Py_DECREF(frame);
    frame = outer;
  }
}
#endif

void forget_call(Node& n) {
  if (Py_IsInitialized()) Py_DECREF(static_cast<PyObject*>(std::exchange(n.where, nullptr)));
}

std::string describe_call(const Node& n) {
  if (!n.where) return "";
  auto* code = static_cast<PyCodeObject*>(n.where);
  const char* text = PyUnicode_AsUTF8(code->co_filename);
  if (!text) {
    PyErr_Clear();
    return "";
  }
  std::string_view file = text;
  if (std::size_t slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  int line = n.instruction < 0 ? -1 - n.instruction : PyCode_Addr2Line(code, n.instruction);
  return str(file, ":", line);
}

}  // namespace

void install_provenance() {
  locate = locate_call;
  unlocate = forget_call;
  describe_location = describe_call;
}

}  // namespace rl::py
