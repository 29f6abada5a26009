// L8: Python callables that are told of every call of an operator on their thread.
#include "bindings/objects.h"
#include "eager/invoke.h"

namespace rl::py {
namespace {

class PythonObserver : public Observer {
 public:
  explicit PythonObserver(nb::handle handler) : handler_(nb::borrow(handler)) {}
  ~PythonObserver() override {  // also at the end of a thread that has left an observer behind
    eager_state.observers = 0;
    if (Py_IsInitialized()) {
      PyGILState_STATE lock = PyGILState_Ensure();
      handler_.reset();
      PyGILState_Release(lock);
    } else {
      handler_.release();
    }
  }
  bool calls(nb::handle handler) const { return handler_.is(handler); }

  void called(const OpDef& op, const Arg* arg, const Tensor* out) override {
    nb::list given, results;
    for (int k = 0; k < op.signature->n; ++k) given.append(value(arg[k]));
    for (int k = 0; k < op.signature->outputs; ++k) results.append(nb::steal(wrap_or_none(out[k])));
    nb::object handler = handler_;  // it may remove itself
    handler(nb::str(op.name().data(), op.name().size()), nb::tuple(given), nb::tuple(results));
  }

 private:
  static nb::object value(const Arg& a) {
    if (a.kind == Kind::tensor) return nb::steal(wrap(Tensor(a.t)));
    if (a.kind != Kind::tensors) return plain_value(a);
    nb::list list;
    for (std::uint32_t i = 0; i < a.n; ++i) list.append(nb::steal(wrap_or_none(Tensor(a.list[i]))));
    return nb::tuple(list);
  }

  nb::object handler_;
};

std::vector<std::unique_ptr<PythonObserver>>& mine() {
  thread_local std::vector<std::unique_ptr<PythonObserver>> list;
  return list;
}

void observe(nb::callable handler) {
  mine().push_back(std::make_unique<PythonObserver>(handler));
  add_observer(mine().back().get());
}

void unobserve(nb::callable handler) {
  auto& list = mine();
  auto found = std::find_if(list.rbegin(), list.rend(), [&](auto& o) { return o->calls(handler); });
  check(found != list.rend(), ErrorKind::value, "[unobserve] handler must observe this thread. Call observe first.");
  std::unique_ptr<PythonObserver> gone = std::move(*found);
  list.erase(std::next(found).base());
  PythonObserver* observer = gone.get();
  gone.reset();
  remove_observer(observer);  // which counts those that are left
}

}  // namespace

void add_observers(nb::module_& m) {
  m.def("observe", observe, nb::arg("handler"),
        "From now on handler(name, arguments, results) is told of every call of an operator on this thread, in the "
        "order in which they end; arguments in the order of the signature.");
  m.def("unobserve", unobserve, nb::arg("handler"), "Undoes one observe(handler) of this thread.");
}

}  // namespace rl::py
