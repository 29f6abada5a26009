// L6: the loop of the optimisers: all parameters of a group in one parallel region.
#include "ops/optim/update.h"

#include <algorithm>

#include "base/parallel.h"

namespace rl {

namespace {

const UpdateRule* first_rule = nullptr;

// Elements per task: fixed, so that what a task computes does not depend on the number of threads.
constexpr i64 kBlock = 16384;

bool same_layout(const TensorImpl& a, const TensorImpl& b) {
  if (!same_shape(a, b) || a.dtype != b.dtype) return false;
  if (a.is_contiguous() && b.is_contiguous()) return true;
  for (int d = 0; d < a.ndim; ++d)
    if (a.stride[d] != b.stride[d] && a.size[d] != 1) return false;
  return true;
}

bool is_known(const UpdateRule& rule, const std::vector<TensorList>& lists, std::size_t k) {
  const TensorImpl& param = *lists[0][k];
  if ((param.dtype != DType::f32 && param.dtype != DType::f64) || !is_dense(param)) return false;
  for (int t = 1; t < rule.tensors; ++t)
    if (!same_layout(param, *lists[static_cast<std::size_t>(t)][k])) return false;
  for (int t = 0; t < rule.state_numbers; ++t)
    if (!StateNumber{lists[static_cast<std::size_t>(rule.tensors + t)][k]}.is_known()) return false;
  return true;
}

struct Task {                     // one parameter
  void* at[kMaxUpdateTensors];
  double constant[kMaxUpdateNumbers];
  bool is_double;
  i64 first_block;
  i64 numel;
};

void run(const UpdateRule& rule, const Task& task, i64 begin, i64 end) {
  if (task.is_double) {
    double* at[kMaxUpdateTensors];
    for (int t = 0; t < rule.tensors; ++t) at[t] = static_cast<double*>(task.at[t]);
    rule.f64(at, begin, end, task.constant);
  } else {
    float* at[kMaxUpdateTensors];
    for (int t = 0; t < rule.tensors; ++t) at[t] = static_cast<float*>(task.at[t]);
    rule.f32(at, begin, end, task.constant);
  }
}

}  // namespace

UpdateRule::UpdateRule(const char* n, int tensors_, int state, int numbers_, decltype(constants) c, decltype(f32) f,
                       decltype(f64) d)
    : name(n),
      tensors(tensors_),
      state_numbers(state),
      numbers(numbers_),
      constants(c),
      f32(f),
      f64(d),
      next(first_rule) {
  first_rule = this;
}

const UpdateRule* find_update_rule(std::string_view name) {
  const UpdateRule* rule = first_rule;
  while (rule && name != rule->name) rule = rule->next;
  return rule;
}

bool fused_update(const UpdateRule& rule, const std::vector<TensorList>& lists, const double* number) {
  const std::size_t n = lists[0].size();
  for (std::size_t k = 0; k < n; ++k)
    if (!is_known(rule, lists, k)) return false;

  std::vector<Task> tasks(n);
  i64 blocks = 0;
  for (std::size_t k = 0; k < n; ++k) {
    Task& task = tasks[k];
    StateNumber state[kMaxStateNumbers];
    for (int t = 0; t < rule.state_numbers; ++t) state[t].tensor = lists[static_cast<std::size_t>(rule.tensors + t)][k];
    if (rule.state_numbers) {
      StateNumber& step = state[rule.state_numbers - 1];
      step = step + 1;
    }
    rule.constants(number, state, task.constant);
    for (int t = 0; t < rule.tensors; ++t) {
      TensorImpl& tensor = *lists[static_cast<std::size_t>(t)][k];
      task.at[t] = tensor.data();
      if (t != 1) ++tensor.storage->version;  // the gradient is only read
    }
    task.is_double = lists[0][k]->dtype == DType::f64;
    task.numel = lists[0][k]->numel;
    task.first_block = blocks;
    blocks += (task.numel + kBlock - 1) / kBlock;
  }

  if (blocks <= static_cast<i64>(n)) {  // small parameters: waking threads would cost more
    i64 total = 0;
    for (const Task& task : tasks) total += task.numel;
    if (total <= 2 * kBlock) {
      for (const Task& task : tasks) run(rule, task, 0, task.numel);
      return true;
    }
  }
  parallel_for(blocks, 1, [&](i64 begin, i64 end) {
    auto task = std::upper_bound(tasks.begin(), tasks.end(), begin,
                                 [](i64 block, const Task& t) { return block < t.first_block; }) -
                1;
    for (i64 block = begin; block < end; ++block) {
      while (task + 1 != tasks.end() && (task + 1)->first_block <= block) ++task;
      const i64 from = (block - task->first_block) * kBlock;
      run(rule, *task, from, std::min(from + kBlock, task->numel));
    }
  });
  return true;
}

}  // namespace rl
