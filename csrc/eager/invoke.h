// L5: what happens when an operator is CALLED.
#pragma once
#include "eager/tape.h"
#include "kernels/pointwise.h"

namespace rl {

void invoke(const OpDef& op, const Arg* arg, Tensor* out);       // out: room for every result
Tensor invoke(const OpDef& op, const Arg* arg);                  // for one result
Tensor invoke_inplace(const OpDef& op, const Arg* arg);          // writes argument 0 and returns it
void invoke_out(const OpDef& op, const Arg* arg, Tensor* given); // writes the given tensors

// A formula on operands in the lambda's order. `compute` overrides the promoted dtype (gradients).
Tensor run_formula(const OpDef& op, const Expr& e, const Arg* operand, int n, const double* attribute,
                   const DType* compute, Result result);

DType result_type(const Arg* arg, int n);  // PyTorch's promotion over tensors, 0-d tensors and numbers
Tensor evaluate_gradient(Node& node, int k, const Tensor& gy, bool create_graph);  // of a pointwise row
void check_inplace(const OpDef& op, TensorImpl& self);  // leaf, view and overlap rules
void written(TensorImpl& t);  // counts a write
void resize_impl(TensorImpl& t, Sizes size);  // contiguous, storage kept when it is large enough

// Observers: the profiler, the tracer and others are told of every call on their thread.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void called(const OpDef& op, const Arg* arg, const Tensor* out) = 0;
};
void add_observer(Observer* o);
void remove_observer(Observer* o);

// Python's lock is released around long kernels; the bindings say how.
extern void* (*release_interpreter)();
extern void (*acquire_interpreter)(void*);
class WithoutInterpreter {
 public:
  explicit WithoutInterpreter(bool worth_it)
      : state_(worth_it && release_interpreter ? release_interpreter() : nullptr) {
    without_interpreter = state_;
  }
  ~WithoutInterpreter() {
    if (state_) acquire_interpreter(state_);
    without_interpreter = false;
  }

 private:
  void* state_;
};

}  // namespace rl
