// L6: the rules of optimisers, and the one loop that all of them are poured into.
#pragma once
#include <vector>

#include "tensor/tensor.h"

namespace rl {

constexpr int kMaxUpdateTensors = 6;    // the parameter, its gradient, its state
constexpr int kMaxUpdateNumbers = 12;
constexpr int kMaxStateNumbers = 3;

// A number of the state: 0-d, float32 or float64. What is written is rounded to its dtype at once.
struct StateNumber {
  TensorImpl* tensor;
  bool is_known() const { return (tensor->dtype == DType::f32 || tensor->dtype == DType::f64) && tensor->numel == 1; }
  operator double() const {
    return tensor->dtype == DType::f64 ? *tensor->data_as<double>() : static_cast<double>(*tensor->data_as<float>());
  }
  void operator=(double value) {
    if (tensor->dtype == DType::f64) *tensor->data_as<double>() = value;
    else *tensor->data_as<float>() = static_cast<float>(value);
    ++tensor->storage->version;
  }
  void operator*=(double factor) {  // like tensor.mul_(factor), which rounds the factor too
    *this = tensor->dtype == DType::f64 ? *this * factor : *this * static_cast<double>(static_cast<float>(factor));
  }
};

// One rule. Its tensors have the parameter's shape; the first is the parameter, the second the gradient.
struct UpdateRule {
  const char* name;
  int tensors;
  int state_numbers;    // as many lists more; the last holds the numbers of steps, which the loop advances first
  int numbers;          // what the optimiser gives: lr, momentum, ...
  void (*constants)(const double* number, StateNumber* state, double* constant);  // what the elements need of them
  void (*f32)(float* const* at, i64 begin, i64 end, const double* constant);
  void (*f64)(double* const* at, i64 begin, i64 end, const double* constant);
  const UpdateRule* next = nullptr;

  UpdateRule(const char* name, int tensors, int state_numbers, int numbers, decltype(constants) c, decltype(f32) f,
             decltype(f64) d);
};

const UpdateRule* find_update_rule(std::string_view name);

using TensorList = std::vector<TensorImpl*>;

// Applies a rule to many parameters. False, with nothing written, when a tensor is none that the loop knows: float32 or
// float64, all of a parameter's alike and in the same dense layout.
bool fused_update(const UpdateRule& rule, const std::vector<TensorList>& lists, const double* number);

}  // namespace rl
