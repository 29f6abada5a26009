// L8: fused_update(rule, lists, numbers), the way from the optimisers to their loop.
#include "bindings/objects.h"
#include "ops/optim/update.h"

namespace rl::py {

namespace {

bool update(nb::str name, nb::tuple lists, nb::tuple numbers) {
  const UpdateRule* rule = find_update_rule(name.c_str());
  check(rule, ErrorKind::value, "[fused_update] there is no rule of this name. Received ", name.c_str(), ".");
  const std::size_t wanted = static_cast<std::size_t>(rule->tensors + rule->state_numbers);
  check(lists.size() == wanted && numbers.size() == static_cast<std::size_t>(rule->numbers), ErrorKind::value,
        "[fused_update] ", name.c_str(), " takes ", wanted, " lists and ", rule->numbers, " numbers. Received ",
        lists.size(), " and ", numbers.size(), ".");
  double number[kMaxUpdateNumbers];
  for (std::size_t i = 0; i < numbers.size(); ++i) number[i] = nb::cast<double>(numbers[i]);

  std::vector<TensorList> tensors(wanted);
  i64 elements = 0;
  for (std::size_t t = 0; t < wanted; ++t) {
    PyObject* list = PyTuple_GET_ITEM(lists.ptr(), static_cast<Py_ssize_t>(t));
    check(PyList_Check(list) && PyList_GET_SIZE(list) == PyObject_Size(PyTuple_GET_ITEM(lists.ptr(), 0)),
          ErrorKind::value, "[fused_update] the lists must have one tensor per parameter.");
    tensors[t].reserve(static_cast<std::size_t>(PyList_GET_SIZE(list)));
    for (Py_ssize_t k = 0; k < PyList_GET_SIZE(list); ++k) {
      PyObject* o = PyList_GET_ITEM(list, k);
      check(is_tensor(o), ErrorKind::type, "[fused_update] the lists must hold tensors. Received ", Py_TYPE(o)->tp_name,
            ".");
      require_elements("fused_update", *impl(o));
      tensors[t].push_back(impl(o));
      elements += impl(o)->numel;
    }
  }
  if (elements < 100'000) return fused_update(*rule, tensors, number);
  nb::gil_scoped_release release;  // the caller's lists hold the tensors
  return fused_update(*rule, tensors, number);
}

}  // namespace

void add_optim(nb::module_& m) {
  m.def("fused_update", update, nb::arg("rule"), nb::arg("lists"), nb::arg("numbers"),
        "Applies an optimiser's rule to lists of tensors in place. False, with nothing done, if the loop does not know "
        "tensors like these.");
}

}  // namespace rl::py
