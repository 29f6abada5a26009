// L5: which functions are autocast, and how.
#include "eager/autocast.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "eager/call.h"

namespace rl {

thread_local constinit bool autocasting = false;
thread_local constinit AutocastRegion autocast_region;

namespace {

// clang-format off
constexpr std::string_view kLower[] = {
  "addbmm", "addmm", "baddbmm", "bmm", "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d",
  "conv_transpose3d", "linalg.vecdot", "linear", "matmul", "mm", "prelu", "scaled_dot_product_attention"};

constexpr std::string_view kFull[] = {
  "adaptive_avg_pool3d", "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "avg_pool3d",
  "binary_cross_entropy", "binary_cross_entropy_with_logits", "cdist", "cholesky", "cholesky_inverse",
  "cholesky_solve", "cosine_embedding_loss", "cross_entropy", "ctc_loss", "fake_quantize_per_tensor_affine",
  "fft.fft", "fft.fft2", "fft.fftn", "fft.hfft", "fft.ifft", "fft.ifft2", "fft.ifftn", "fft.ihfft", "fft.irfft",
  "fft.irfft2", "fft.irfftn", "fft.rfft", "fft.rfft2", "fft.rfftn",
  "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
  "fractional_max_pool3d_with_indices", "geqrf", "grid_sample", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d",
  "hinge_embedding_loss", "huber_loss", "inverse", "kl_div", "l1_loss",
  "linalg.cholesky", "linalg.cholesky_ex", "linalg.cond", "linalg.eig", "linalg.eigh", "linalg.eigvals",
  "linalg.eigvalsh", "linalg.householder_product", "linalg.inv", "linalg.inv_ex", "linalg.lstsq",
  "linalg.matrix_rank", "linalg.qr", "linalg.solve", "linalg.svd", "linalg.svdvals", "linalg.tensorinv",
  "linalg.tensorsolve", "linear_cross_entropy", "lu_solve", "margin_ranking_loss", "max_pool3d", "max_unpool1d",
  "max_unpool2d", "max_unpool3d", "mse_loss", "multi_margin_loss", "multilabel_margin_loss", "nanquantile", "nll_loss", "orgqr",
  "ormqr", "pinverse", "poisson_nll_loss", "polar", "prod", "qr", "quantile", "smooth_l1_loss", "soft_margin_loss",
  "stft", "svd", "trace", "triangular_solve", "triplet_margin_loss", "view_as_complex"};

constexpr std::string_view kWidest[] = {"cat", "index_copy", "stack"};

// Of products that PyTorch does not make with a function of the first list.
constexpr std::string_view kUnchanged[] = {"bilinear", "linalg.lu_solve", "linalg.matrix_exp", "matrix_exp"};
// clang-format on

using Rules = std::unordered_map<std::string_view, CastRule>;
const Rules& rules() {
  static const Rules all = [] {
    Rules r;
    for (std::string_view name : kLower) r[name] = CastRule::lower;
    for (std::string_view name : kFull) r[name] = CastRule::full;
    for (std::string_view name : kWidest) r[name] = CastRule::widest;
    for (std::string_view name : kUnchanged) r[name] = CastRule::unchanged;
    return r;
  }();
  return all;
}

CastRule row_rule(const OpDef& op) {
  static const std::unordered_map<const OpDef*, CastRule> of_rows = [] {
    std::unordered_map<const OpDef*, CastRule> r;
    for (auto& [name, rule] : rules())
      if (const OpDef* row = find_op(name)) r[row] = rule;
    return r;
  }();
  auto found = of_rows.find(&op);
  return found == of_rows.end() ? CastRule::none : found->second;
}

// A weight as it was when it was converted.
struct CastWeight {
  Tensor weight, cast;
  std::uint32_t version;
};
using CastWeights = std::unordered_map<const TensorImpl*, CastWeight>;
CastWeights& cast_weights() {
  thread_local CastWeights kept;
  return kept;
}

bool is_weight(TensorImpl& t) {
  return t.dtype == DType::f32 && !t.base && wants_grad(t) && (!t.node || t.node->is_accumulator());
}

// Whether f holds for one of the call's tensors.
template <class F> bool any_tensor(const OpDef& op, const Arg* arg, F&& f) {
  for (int k = 0; k < op.signature->n; ++k) {
    if (arg[k].is_tensor() && f(*arg[k].t)) return true;
    for (std::uint32_t i = 0; arg[k].kind == Kind::tensors && i < arg[k].n; ++i)
      if (arg[k].list[i] && f(*arg[k].list[i])) return true;
  }
  return false;
}

}  // namespace

CastRule cast_rule(std::string_view name) {
  auto found = rules().find(name);
  return found == rules().end() ? CastRule::none : found->second;
}

void forget_cast_weights() { cast_weights().clear(); }

DType cast_dtype(CastRule rule) { return rule == CastRule::lower ? autocast_region.dtype : DType::f32; }

Tensor cast_to(TensorImpl& t, DType d) {
  if (!is_floating(t.dtype) || t.dtype == DType::f64 || t.dtype == d) return Tensor(&t);
  AutocastMode off(false);
  if (!autocast_region.keeps_weights || !is_weight(t)) return to_dtype(Tensor(&t), d);
  CastWeight& kept = cast_weights()[&t];
  // One that was converted without a gradient does not serve where one is wanted, nor one that was written since.
  if (!kept.cast || kept.cast->dtype != d || wants_grad(*kept.cast) != eager_state.grad ||
      kept.version != t.storage->version)
    kept = {Tensor(&t), to_dtype(Tensor(&t), d), t.storage->version};
  return kept.cast;
}

bool invoke_cast(const OpDef& op, const Arg* given, Tensor* out) {
  CastRule rule = row_rule(op);
  if (rule == CastRule::none) return false;
  if (rule == CastRule::widest && !any_tensor(op, given, [](TensorImpl& t) { return t.dtype == DType::f32; }))
    return false;
  DType to = cast_dtype(rule);
  std::vector<Tensor> owned;
  std::vector<std::vector<TensorImpl*>> lists;
  auto cast = [&](TensorImpl* t) { return t ? owned.emplace_back(cast_to(*t, to)).get() : nullptr; };
  ArgRoom arg;
  for (int k = 0; k < op.signature->n; ++k) {
    arg[k] = given[k];
    if (given[k].is_tensor()) arg[k].t = cast(given[k].t);
    if (given[k].kind != Kind::tensors) continue;
    std::vector<TensorImpl*>& list = lists.emplace_back(given[k].list, given[k].list + given[k].n);
    std::ranges::transform(list, list.begin(), cast);
    arg[k].list = list.data();
  }
  AutocastMode off(false);
  invoke(op, arg, out);
  return true;
}

}  // namespace rl
