// L8: what node.cpp, function.cpp and autograd.cpp share.
#pragma once
#include "bindings/objects.h"
// After Python.h, which it needs.
#include <structmember.h>

#include <vector>

namespace rl::py {

struct OwnedEdges {
  std::vector<Edge> edge;
  ~OwnedEdges() {
    for (Edge& e : edge)
      if (e.node) e.node->dec();
  }
};

// --- node.cpp
nb::object add_node_hook(Node& n, HookKind kind, nb::handle function);
nb::object next_functions(Node& n);
nb::object metadata_of(Node& n);
nb::object outputs_of(Node& n);          // [(shape, dtype), ...]
nb::object location_of(Node& n);
void retain_grad(TensorImpl& t);
Node* node_of_object(PyObject* o);       // of a Node or a Function's ctx; nullptr for anything else
void add_nodes(nb::module_& m);

// --- cycles.cpp
int traverse_node(Node& n, visitproc visit, void* arg);   // what only the one owner of this node keeps alive

// --- autograd.cpp
PyObject* tensor_backward(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names);

// --- function.cpp
Node* node_of_context(PyObject* o);
void add_functions(nb::module_& m);

}  // namespace rl::py
