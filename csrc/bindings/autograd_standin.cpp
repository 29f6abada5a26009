// TEMPORARY (weak symbols, replaced at link time by autograd.cpp as soon as it exists).
#include "bindings/objects.h"
namespace rl::py {
#define WEAK __attribute__((weak))
WEAK PyTypeObject* node_type = nullptr;
WEAK PyObject* wrap_node(Node*) { Py_RETURN_NONE; }
WEAK bool node_reaches_python(const TensorImpl&) { return false; }
WEAK int traverse_graph(const TensorImpl&, visitproc, void*) { return 0; }
WEAK void clear_graph(TensorImpl&) {}
WEAK void add_autograd(nb::module_& m) {
  m.def("simple_backward", [](Tensor t, bool create) {
    Edge root = edge_of(*t); Tensor g = scalar_tensor(1, t->dtype); BackwardOptions o; o.create_graph = create; o.retain_graph = create;
    run_backward({&root, 1}, {&g, 1}, {}, o); root.node->dec(); });
  m.def("simple_grad", [](Tensor t, Tensor g, Tensor x, bool create) {
    Edge root = edge_of(*t), in = edge_of(*x); BackwardOptions o; o.create_graph = create; o.retain_graph = true; o.accumulate = false;
    auto r = run_backward({&root, 1}, {&g, 1}, {&in, 1}, o); root.node->dec(); in.node->dec(); return r[0]; });
}
WEAK PyMethodDef tensor_methods_autograd[] = {{nullptr, nullptr, 0, nullptr}};
WEAK PyGetSetDef tensor_properties_autograd[] = {{nullptr, nullptr, nullptr, nullptr, nullptr}};
}
