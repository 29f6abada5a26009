// L8: Python objects as the arguments of a row.
#pragma once
#include <forward_list>
#include <vector>

#include "bindings/objects.h"

namespace rl::py {

std::string expected(const Param& p);                // "Tensor or Number", for messages
std::string received(const Param& p, PyObject* got); // "str", for messages
Tensor wrapped_number(const Arg& number);            // 0-d; takes part in type promotion by category only
TensorImpl* wrapped_complex(PyObject* o);            // a complex number likewise; nullptr when o is none

// The arguments of one call and whatever memory they need. Nothing is allocated unless a list is long.
class Arguments {
 public:
  ArgRoom arg;
  bool may_override = false;  // a tensor of a subclass with its own __torch_function__ was met

  Arguments() = default;
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
  ~Arguments() {
    for (int k = 0; k < listed_; ++k)
      if (list_[k]) list_[k]->dec();
  }

  // Each is false, with or without a Python exception, when the object does not fit.
  bool take(const Param& p, PyObject* o, Arg& a) {
    if (p.type <= ParamType::mask && Py_TYPE(o) == tensor_type) [[likely]] {
      a = Arg(impl(o));
      return true;
    }
    return take_other(p, o, a);
  }
  bool take_ints(PyObject* const* items, Py_ssize_t n, Arg& a);
  bool take_number(PyObject* o, Arg& a);  // numbers, complex ones too, for an operand
  TensorImpl* own(Tensor t) { return made_.emplace_front(std::move(t)).get(); }

 private:
  bool take_other(const Param& p, PyObject* o, Arg& a);
  bool take_tensor(PyObject* o, Arg& a);
  bool take_tensors(PyObject* o, Arg& a);

  static constexpr int kInline = 32;
  int used_ = 0, listed_ = 0;
  i64 ints_[kInline];
  TensorImpl* list_[kInline];  // counted: Python may drop them while the call runs
  std::forward_list<std::vector<i64>> long_ints_;
  std::forward_list<std::vector<TensorImpl*>> long_lists_;
  std::forward_list<Tensor> made_;
};

}  // namespace rl::py
