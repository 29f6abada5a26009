// L8: modes of this thread, threads, memory, type promotion, and questions to the registry.
#include "base/parallel.h"
#include "base/serial.h"
#include "bindings/objects.h"
#include "eager/autocast.h"

namespace rl::py {
namespace {

DType dtype_argument(const char* op, nb::handle o) {
  DType d;
  check(dtype_of_object(o.ptr(), d), ErrorKind::type, "[", op, "] a torch.dtype is wanted. Received ",
        Py_TYPE(o.ptr())->tp_name, ".");
  return d;
}
nb::object dtype_object(DType d) { return nb::steal(wrap_dtype(d)); }

bool can_cast(nb::handle from_, nb::handle to) {
  DType from = dtype_argument("can_cast", from_), d = dtype_argument("can_cast", to);
  if (is_complex(from) && !is_complex(d)) return false;
  if (is_floating(from) && is_integral(d)) return false;
  return from == DType::bool_ || d != DType::bool_;
}

nb::object common_type(nb::handle first, nb::handle second) {
  Arg arg[2];
  Tensor held[2];
  nb::handle given[] = {first, second};
  for (int k = 0; k < 2; ++k) {
    PyObject* o = given[k].ptr();
    if (is_tensor(o)) {
      arg[k] = Arg(impl(o));
    } else if (overrides(o)) {
      nb::object self = nb::module_::import_("rushlight._core").attr("result_type");
      PyObject* both[] = {first.ptr(), second.ptr()};
      if (PyObject* r = torch_function(self.ptr(), both, 2, nullptr, Asked::of_a_row)) return nb::steal(r);
      throw nb::python_error();
    } else if (PyComplex_Check(o)) {
      held[k] = empty(Sizes{}, DType::c128);
      held[k]->set(kWrappedNumber, true);
      arg[k] = Arg(held[k]);
    } else if (!number_of(o, arg[k])) {
      if (PyErr_Occurred()) throw nb::python_error();
      fail(ErrorKind::type, "[result_type] arguments must be tensors or numbers. Received ", Py_TYPE(o)->tp_name, ".");
    }
  }
  return dtype_object(result_type(arg, 2));
}

nb::object broadcast_shapes(nb::args shapes) {
  Dims common;
  for (nb::handle shape : shapes) {
    Dims next;
    i64 value = 0;
    if (PyTuple_Check(shape.ptr()) || PyList_Check(shape.ptr())) {
      for (nb::handle entry : nb::borrow<nb::sequence>(shape)) {
        check(integer_of(entry.ptr(), value), ErrorKind::type, "[broadcast_shapes] sizes must be int. Received ",
              Py_TYPE(entry.ptr())->tp_name, ".");
        next.push(value);
      }
    } else {
      check(integer_of(shape.ptr(), value), ErrorKind::type,
            "[broadcast_shapes] shapes must be int or tuples of int. Received ", Py_TYPE(shape.ptr())->tp_name, ".");
      next.push(value);
    }
    for (int k = 0; k < next.n; ++k)
      check(next[k] >= 0, ErrorKind::runtime, "[broadcast_shapes] sizes must not be negative. Received ", Sizes(next),
            ".");
    common = broadcast("broadcast_shapes", common, next);
  }
  return nb::steal(make_size(common));
}

nb::object op_info(std::string_view name) {
  const OpDef* op = find_op(name);
  check(op, ErrorKind::value, "[op_info] the name must be that of an operator. Received '", name,
        "'. op_names() lists them.");
  return nb::steal(row_info(*op));
}

nb::list op_names() {
  nb::list names;
  for (const OpDef* op = first_op(); op; op = op->next) names.append(nb::str(op->name().data(), op->name().size()));
  names.attr("sort")();
  return names;
}

// What the root package shows as torch.<name>.
nb::list public_names() {
  nb::list names;
  for (const OpDef* op = first_op(); op; op = op->next) {
    if (*op->home || !(op->forms & function)) continue;
    auto add = [&](std::string_view name) {
      names.append(nb::str(name.data(), name.size()));
      if (op->forms & inplace && !name.ends_with('_')) names.append(nb::str((std::string(name) + "_").c_str()));
    };
    add(op->name());
    for (std::string_view rest = op->aliases; !detail::trim(rest).empty();)
      if (std::string_view alias = detail::next_item(rest); alias.find('.') == alias.npos) add(alias);
  }
  return names;
}

void* release_lock() { return PyGILState_Check() ? PyEval_SaveThread() : nullptr; }
void acquire_lock(void* thread) { PyEval_RestoreThread(static_cast<PyThreadState*>(thread)); }

}  // namespace

void add_state(nb::module_& m) {
  release_interpreter = release_lock;
  acquire_interpreter = acquire_lock;

  m.def("is_grad_enabled", [] { return eager_state.grad; }, "Whether calls are put on the tape, on this thread.");
  m.def("set_grad_enabled_", [](bool on) { eager_state.grad = on; }, nb::arg("mode"));
  m.def(
      "is_inference_mode_enabled", [] { return eager_state.inference; },
      "Whether inference mode is on, on this thread.");
  m.def("set_inference_mode_", [](bool on) { eager_state.inference = on; }, nb::arg("mode"));
  m.def("autocasting", [] { return autocasting; }, "Whether calls are autocast, on this thread.");
  m.def("set_autocasting_", [](bool on) { autocasting = on; }, nb::arg("on"));
  m.def("autocast_dtype", [] { return dtype_object(autocast_region.dtype); });
  m.def(
      "set_autocast_dtype_", [](nb::handle d) { autocast_region.dtype = dtype_argument("set_autocast_dtype", d); },
      nb::arg("dtype"));
  m.def("autocast_keeps_weights", [] { return autocast_region.keeps_weights; });
  m.def("set_autocast_keeps_weights_", [](bool on) { autocast_region.keeps_weights = on; }, nb::arg("on"));
  m.def("forget_cast_weights", forget_cast_weights, "Drops the weights that autocasting on this thread converted.");
  m.def("anomaly_enabled", [] { return eager_state.anomaly; });
  m.def("anomaly_checks_nan", [] { return eager_state.check_nan; });
  m.def(
      "set_anomaly_",
      [](bool on, bool check_nan) {
        eager_state.anomaly = on;
        eager_state.check_nan = check_nan;
      },
      nb::arg("mode"), nb::arg("check_nan") = true);

  m.def("get_num_threads", [] { return num_threads(); }, "The number of threads that an operator may use.");
  m.def("set_serial", set_serial, nb::arg("on"),
        "Whether operators that this thread calls leave the other cores alone.");
  m.def(
      "set_num_threads",
      [](int n) {
        check(n > 0, ErrorKind::runtime, "[set_num_threads] the number must be positive. Received ", n, ".");
        set_num_threads(n);
      },
      nb::arg("num"), "Sets the number of threads that an operator may use. Results do not depend on it.");

  m.def("get_default_dtype", [] { return dtype_object(default_dtype()); }, "The dtype of new floating point tensors.");
  m.def(
      "set_default_dtype",
      [](nb::handle d) {
        DType dtype = dtype_argument("set_default_dtype", d);
        check(is_floating(dtype), ErrorKind::type, "[set_default_dtype] the dtype must be floating point. Received ",
              dtype, ".");
        set_default_dtype(dtype);
      },
      nb::arg("d"), "Sets the dtype of new floating point tensors.");
  m.def(
      "promote_types",
      [](nb::handle a, nb::handle b) {
        return dtype_object(promote(dtype_argument("promote_types", a), dtype_argument("promote_types", b)));
      },
      nb::arg("type1"), nb::arg("type2"), "The smallest dtype that holds the values of both.");
  m.def("result_type", common_type, nb::arg("tensor1"), nb::arg("tensor2"),
        "The dtype of an arithmetic operation on both: tensors or numbers.");
  m.def("can_cast", can_cast, nb::arg("from_"), nb::arg("to"), "Whether type promotion allows from_ to become to.");
  m.def("broadcast_shapes", broadcast_shapes, "The shape that all of the given shapes broadcast to.");

  m.def(
      "memory_statistics",
      [] {
        MemoryStatistics s = memory_statistics();
        nb::dict d;
        d["reserved"] = s.reserved;
        d["cached"] = s.cached;
        return d;
      },
      "Bytes held from the system, and how many of them are cached blocks.");
  m.def("empty_cache", [] { empty_cache(); }, "Returns cached blocks to the system.");

  m.def("op_names", op_names, "The names of all rows.");
  m.def("public_names", public_names, "The rows' functions that torch.<name> shows.");
  m.def(
      "op_info", [](nb::str name) { return op_info(name.c_str()); }, nb::arg("name"),
      "What the row of an operator says.");
  m.def("return_types", [] { return nb::steal(return_types()); }, "The types of several results: row -> named tuple.");
  m.def(
      "check_device", [](nb::handle device) { require_cpu(device.ptr()); }, nb::arg("device").none(),
      "Raises RuntimeError unless tensors can be made on the device.");
  m.def("check_layout", [](nb::handle layout) { require_strided(layout.ptr()); }, nb::arg("layout").none());
}

}  // namespace rl::py
