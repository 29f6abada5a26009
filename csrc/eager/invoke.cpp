// The one call path: compute, put the call on the tape if a gradient is wanted, tell the observers.
#include "eager/invoke.h"

#include <algorithm>

#include "base/parallel.h"
#include "eager/autocast.h"
#include "eager/call.h"

namespace rl {

void* (*release_interpreter)() = nullptr;
void (*acquire_interpreter)(void*) = nullptr;

namespace {

// What a call asks of each tensor among its arguments.
bool admit(const OpDef& op, TensorImpl& t) {
  require_elements(op.name(), t);
  return wants_grad(t);
}

std::vector<Observer*>& observers() {
  thread_local std::vector<Observer*> list;
  return list;
}

[[gnu::noinline, gnu::cold]] void tell_observers(const OpDef& op, const Arg* arg, const Tensor* out) {
  struct Quiet {  // what an observer itself calls is nobody's business
    Quiet() { eager_state.observers = 0; }
    ~Quiet() { eager_state.observers = static_cast<int>(observers().size()); }
  } quiet;
  std::vector<Observer*> told = observers();
  for (Observer* o : told)
    if (std::ranges::find(observers(), o) != observers().end()) o->called(op, arg, out);
}

constexpr i64 kLongKernel = 1 << 15;  // elements; releasing Python's lock costs about as much as a microsecond of work

}  // namespace

void add_observer(Observer* o) {
  observers().push_back(o);
  eager_state.observers = static_cast<int>(observers().size());
}
void remove_observer(Observer* o) {
  std::erase(observers(), o);
  eager_state.observers = static_cast<int>(observers().size());
}

void written(TensorImpl& t) { ++t.storage->version; }

// --- promotion
DType result_type(const Arg* arg, int n) {
  // Tensors with dimensions decide; 0-d tensors and then numbers only lift the category.
  DType found[3] = {};
  bool has[3] = {};
  auto note = [&](int rank, DType d) {
    found[rank] = has[rank] ? promote(found[rank], d) : d;
    has[rank] = true;
  };
  for (int k = 0; k < n; ++k) {
    const Arg& a = arg[k];
    if (a.is_tensor()) note(a.t->has(kWrappedNumber) ? 2 : a.t->ndim == 0 ? 1 : 0, a.t->dtype);
    else if (a.kind == Kind::real) note(2, default_dtype());
    else if (a.kind == Kind::integer) note(2, DType::i64);
    else if (a.kind == Kind::boolean) note(2, DType::bool_);
  }
  if (has[2] && is_complex(found[2])) found[2] = to_complex(default_dtype());
  auto combine = [](DType high, DType low) {
    if (category(low) <= category(high)) return high;
    if (is_complex(low) && is_floating(high)) return to_complex(high);
    return category(high) == Category::boolean || is_integral(high) ? low : promote(high, low);
  };
  DType result = DType::f32;
  bool any = false;
  for (int rank = 0; rank < 3; ++rank) {
    if (!has[rank]) continue;
    result = any ? combine(result, found[rank]) : found[rank];
    any = true;
  }
  return result;
}

namespace {

bool accepts(const OpDef& op, DType d) { return op.dtypes >> static_cast<int>(category(d)) & 1; }

std::string accepted_text(const OpDef& op) {
  std::string r;
  const char* names[] = {"bool", "integer", "floating point", "complex"};
  for (int c = 0; c < 4; ++c)
    if (op.dtypes >> c & 1) r += str(r.empty() ? "" : " or ", names[c]);
  return r;
}

std::string describe_operands(const Arg* a, int n) {
  std::string r;
  for (int k = 0; k < n; ++k) {
    if (k) r += " and ";
    if (a[k].is_tensor()) r += describe(*a[k].t);
    else if (a[k].kind == Kind::real) append(r, a[k].f);
    else append(r, a[k].i);
  }
  return r;
}

struct FormulaTypes {
  DType promoted, compute, out;
};

FormulaTypes formula_types(const OpDef& op, const Expr& e, const Arg* operand, int n, const DType* compute,
                           Result result) {
  Arg numeric[kMaxOperands];
  int m = 0;
  for (int k = 0; k < n; ++k)
    if (!e.binding.mask[k]) numeric[m++] = operand[k];
  FormulaTypes t;
  t.promoted = compute ? *compute : result_type(numeric, m);
  if (m == 0) t.promoted = DType::bool_;
  if (!compute && result == Result::floating && is_integral(t.promoted)) t.promoted = default_dtype();
  if (m == 0) return {DType::bool_, DType::i64, DType::bool_};
  if (!compute && !accepts(op, t.promoted))
    fail(ErrorKind::runtime, "[", op.name(), "] input must be ", accepted_text(op), ": not implemented for ",
         t.promoted, ". Received ", describe_operands(operand, n), ". Convert with .to(dtype).");
  t.compute = compute_dtype(t.promoted);
  t.out = e.gives_mask ? DType::bool_ : result == Result::real_part ? to_real(t.promoted) : t.promoted;
  return t;
}

Tile tile_of(const OpDef& op, const Expr& e, DType compute) {
  Tile tile = e.tile[static_cast<int>(compute_of(compute))];
  check(tile != nullptr, ErrorKind::runtime, "[", op.name(), "] has no cpu kernel for ", compute, ".");
  return tile;
}

// The order in memory of the result follows a dense operand of the full shape, as users of channels_last expect.
Tensor result_for(Sizes size, DType d, const Arg* operand, int n) {
  for (int k = 0; k < n; ++k) {
    if (!operand[k].is_tensor() || operand[k].t->ndim < 2 || !same_sizes(operand[k].t->sizes(), size)) continue;
    const TensorImpl& t = *operand[k].t;
    if (t.is_contiguous() || t.numel == 0 || !is_dense(t)) break;
    return Tensor::steal(empty_strided_impl(size, t.strides(), d));
  }
  return empty(size, d);
}

Dims broadcast_operands(const OpDef& op, const Arg* operand, int n) {
  Dims size;
  bool first = true;
  for (int k = 0; k < n; ++k) {
    if (!operand[k].is_tensor()) continue;
    size = first ? Dims(operand[k].t->sizes()) : broadcast(op.name(), size, operand[k].t->sizes());
    first = false;
  }
  return size;
}

void set_strides(Operand& o, const TensorImpl& t, int ndim, const i64* size) {
  int shift = ndim - t.ndim;
  i64 width = size_of(t.dtype);
  for (int d = 0; d < ndim; ++d)
    o.stride[d] = d < shift || (t.size[d - shift] == 1 && size[d] != 1) ? 0 : t.stride[d - shift] * width;
}

// Any operands into `out`, whose shape is the broadcast one.
void run_into(const Expr& e, Tile tile, DType compute, const Arg* operand, int n, const double* attribute,
              TensorImpl& out) {
  if (out.numel == 0) return;
  Pointwise p;
  p.tile = tile;
  p.compute = compute;
  p.gives_mask = e.gives_mask;
  p.ndim = out.ndim;
  std::copy_n(out.size, out.ndim, p.size);
  p.out.data = out.data();
  p.out.dtype = out.dtype;
  set_strides(p.out, out, out.ndim, out.size);
  p.inputs = n;
  p.attribute = attribute;
  alignas(16) char number[kMaxOperands][sizeof(i64)];
  for (int k = 0; k < n; ++k) {
    Operand& o = p.in[k];
    p.mask[k] = e.binding.mask[k];
    if (operand[k].is_tensor()) {
      TensorImpl& t = *operand[k].t;
      o.data = t.data();
      o.dtype = t.dtype;
      set_strides(o, t, out.ndim, out.size);
    } else {
      bool real = operand[k].kind == Kind::real;
      o.data = number[k];
      o.dtype = real ? DType::f64 : DType::i64;
      std::memcpy(number[k], real ? static_cast<const void*>(&operand[k].f) : &operand[k].i, sizeof(i64));
      std::fill_n(o.stride, out.ndim, 0);
    }
  }
  WithoutInterpreter released(out.numel >= kLongKernel);
  run_pointwise(p);
}

constexpr i64 kNumberTile = 1024;

void fill_number(char* to, DType d, const Arg& a, i64 n) {
  if (d == DType::f32) std::fill_n(reinterpret_cast<float*>(to), n, static_cast<float>(a.number()));
  else if (d == DType::f64) std::fill_n(reinterpret_cast<double*>(to), n, a.number());
  else std::fill_n(reinterpret_cast<i64*>(to), n, a.i);
}

// Integers and bools of any width, contiguous and of one shape and dtype, under a formula that treats each bit alone.
template <class Allocate>
bool run_on_words(const Expr& e, const Arg* operand, int n, Tensor& out, Allocate&& allocate) {
  const TensorImpl* first = nullptr;
  for (int k = 0; k < n; ++k) {
    if (!operand[k].is_tensor()) continue;
    const TensorImpl& t = *operand[k].t;
    if (!first) first = &t;
    if (!t.is_contiguous() || t.has(kWrappedNumber) || t.dtype != first->dtype || !same_shape(t, *first)) return false;
  }
  if (!first || !(e.bitwise >> static_cast<int>(category(first->dtype)) & 1)) return false;
  i64 width = size_of(first->dtype);
  alignas(64) i64 number[2][kNumberTile];
  const char* in[2];
  for (int k = 0; k < n; ++k) {
    if (n > 2) return false;
    in[k] = operand[k].is_tensor() ? operand[k].t->data() : reinterpret_cast<const char*>(number[k]);
    if (operand[k].is_tensor()) continue;
    if ((first->dtype == DType::bool_) != (operand[k].kind == Kind::boolean)) return false;
    i64 word = operand[k].i;
    for (i64 bits = 8 * width; bits < 64; bits *= 2)
      word = static_cast<i64>((static_cast<std::uint64_t>(word) & ((std::uint64_t{1} << bits) - 1)) |
                              static_cast<std::uint64_t>(word) << bits);
    std::fill_n(number[k], kNumberTile, word);
  }
  allocate(*first, first->dtype);
  Tile tile = e.tile[static_cast<int>(Compute::i64)];
  i64 bytes = first->numel * width, words = bytes / 8;
  char* to = out->data();
  auto run = [&](char* result, const char* const* from, i64 count) {
    tile(result, reinterpret_cast<const void* const*>(from), static_cast<std::size_t>(count), nullptr);
  };
  {
    WithoutInterpreter released(words >= kLongKernel);
    parallel_for(words, kParallelElements, [&](i64 begin, i64 end) {
      for (i64 at = begin; at < end; at += kNumberTile) {
        const char* from[2];
        for (int k = 0; k < n; ++k) from[k] = operand[k].is_tensor() ? in[k] + at * 8 : in[k];
        run(to + at * 8, from, std::min(kNumberTile, end - at));
      }
    });
  }
  if (std::size_t rest = static_cast<std::size_t>(bytes % 8)) {  // the last bytes through a word of their own
    char last[2][8] = {}, result[8];
    const char* from[2];
    for (int k = 0; k < n; ++k) {
      std::memcpy(last[k], operand[k].is_tensor() ? in[k] + words * 8 : in[k], rest);
      from[k] = last[k];
    }
    run(result, from, 1);
    std::memcpy(to + words * 8, result, rest);
  }
  return true;
}

// Contiguous tensors of one shape and dtype, with numbers that do not promote: straight to the tile.
template <class Allocate>
bool run_directly(const Expr& e, const Arg* operand, int n, const double* attribute, const DType* compute,
                  Result result, Tensor& out, Allocate&& allocate) {
  if (e.bitwise && !compute && run_on_words(e, operand, n, out, allocate)) return true;
  if (result == Result::real_part || e.reads_mask) return false;
  const TensorImpl* first = nullptr;
  for (int k = 0; k < n; ++k) {
    if (!operand[k].is_tensor()) continue;
    const TensorImpl* t = operand[k].t;
    if ((t->flags & (kContiguous | kWrappedNumber)) != kContiguous) return false;
    if (!first) first = t;
    else if (t->dtype != first->dtype || !same_shape(*t, *first)) return false;
  }
  if (!first) return false;
  DType d = first->dtype;
  if (d != DType::f32 && d != DType::f64 && (d != DType::i64 || result == Result::floating)) return false;
  if (compute && *compute != d) return false;
  Tile tile = e.tile[static_cast<int>(compute_of(d))];
  if (!tile) return false;
  alignas(64) char number[3][kNumberTile * 8];
  const char* in[kMaxOperands];
  bool is_number[kMaxOperands];
  int numbers = 0;
  for (int k = 0; k < n; ++k) {
    is_number[k] = !operand[k].is_tensor();
    if (!is_number[k]) {
      in[k] = operand[k].t->data();
      continue;
    }
    if (numbers == 3 || (operand[k].kind == Kind::real && d == DType::i64)) return false;
    in[k] = number[numbers];
    fill_number(number[numbers++], d, operand[k], std::min<i64>((first->numel + 7) & ~i64{7}, kNumberTile));
  }
  allocate(*first, e.gives_mask ? DType::bool_ : d);
  i64 total = first->numel;
  char* to = out->data();
  if (total <= kNumberTile || (!numbers && total < kParallelElements)) {
    tile(to, reinterpret_cast<const void* const*>(in), static_cast<std::size_t>(total), attribute);
    return true;
  }
  i64 width = size_of(d), out_width = size_of(out->dtype), step = numbers ? kNumberTile : kParallelElements / 2;
  WithoutInterpreter released(total >= kLongKernel);
  parallel_for(total, kParallelElements, [&](i64 begin, i64 end) {
    for (i64 at = begin; at < end; at += step) {
      const void* from[kMaxOperands];
      for (int k = 0; k < n; ++k) from[k] = is_number[k] ? in[k] : in[k] + at * width;
      tile(to + at * out_width, from, static_cast<std::size_t>(std::min(step, end - at)), attribute);
    }
  });
  return true;
}

}  // namespace

Tensor run_formula(const OpDef& op, const Expr& e, const Arg* operand, int n, const double* attribute,
                   const DType* compute, Result result) {
  Tensor out;
  if (run_directly(e, operand, n, attribute, compute, result, out,
                   [&](const TensorImpl& like, DType d) { out = Tensor::steal(empty_like_impl(like, d)); }))
    return out;
  FormulaTypes types = formula_types(op, e, operand, n, compute, result);
  Tile tile = tile_of(op, e, types.compute);
  out = result_for(broadcast_operands(op, operand, n), types.out, operand, n);
  run_into(e, tile, types.compute, operand, n, attribute, *out);
  return out;
}

namespace {

// Splits the arguments of a row into what its formula reads per element and its attributes.
struct FormulaArguments {
  Room<Arg, kMaxOperands> operand;
  double attribute[kMaxArgs];
  int n = 0;
  bool wants = false;

  FormulaArguments(const OpDef& op, const Arg* arg) {
    const Binding& b = op.value.binding;
    int m = 0;
    for (int i = 0; i < b.n; ++i) {
      const Arg& a = arg[b.source[i]];
      if (b.operand[i]) {
        if (b.mask[i] && a.is_tensor() && a.t->dtype != DType::bool_ && a.t->dtype != DType::u8)
          fail(ErrorKind::runtime, "[", op.name(), "] ", op.signature->param[b.source[i]].name,
               " must be a bool tensor. Received ", describe(*a.t), ". Compare first, as in mask != 0.");
        operand[n++] = a;
        wants |= a.is_tensor() && admit(op, *a.t);
      } else {
        attribute[m++] = a.number();
        if (a.kind == Kind::real && op.signature->param[b.source[i]].type == ParamType::number)
          check_real_attribute(op, arg, b.source[i]);
      }
    }
  }

 private:
  static void check_real_attribute(const OpDef& op, const Arg* arg, int k) {
    for (int i = 0; i < op.signature->n; ++i)
      if (op.signature->param[i].is_operand() &&
          (arg[i].kind == Kind::real || (arg[i].is_tensor() && !is_integral(arg[i].t->dtype))))
        return;
    fail(ErrorKind::runtime, "[", op.name(), "] For integral input tensors, argument ", op.signature->param[k].name,
         " must not be a floating point number. Received ", arg[k].f, ".");
  }
};

bool admit_all(const OpDef& op, const Arg* arg) {
  bool wants = false;
  for (int k = 0; k < op.signature->n; ++k) {
    if (arg[k].is_tensor()) wants |= admit(op, *arg[k].t);
    else if (arg[k].kind == Kind::tensors)
      for (std::uint32_t i = 0; i < arg[k].n; ++i) wants |= arg[k].list[i] && admit(op, *arg[k].list[i]);
  }
  return wants;
}

void attach(const OpDef& op, const Arg* arg, Tensor* out, int outputs) {
  bool differentiable = false;
  for (int k = 0; k < outputs; ++k) differentiable |= out[k] && is_differentiable(out[k]->dtype);
  if (!differentiable) return;
  Ref<Node> n = Ref<Node>::steal(record(op, arg, out, outputs));
  for (int k = 1; k < outputs; ++k)
    if (out[k] && is_differentiable(out[k]->dtype)) set_history(*out[k], n, k);
  if (out[0] && is_differentiable(out[0]->dtype)) set_history(*out[0], std::move(n), 0);
}

void mark_inference(Tensor* out, int outputs) {
  for (int k = 0; k < outputs; ++k)
    if (out[k]) out[k]->set(kInference, true);
}

Tensor make_view(const OpDef& op, const Arg* arg, Tensor* out) {
  Geometry g;
  op.view(Call{op, arg, out}, g);
  TensorImpl& of = *arg[0].t;
  Tensor view = strided_alias(of, g.size, g.stride, g.offset);
  mark_view(*view, of);
  return view;
}

void compute(const OpDef& op, const Arg* arg, Tensor* out) {
  if (op.view) {
    out[0] = make_view(op, arg, out);
    return;
  }
  Call c{op, arg, out};
  check(op.cpu != nullptr, ErrorKind::not_implemented, "[", op.name(), "] has no cpu kernel.");
  if (op.infer) op.infer(c);
  op.cpu(c);
}

}  // namespace

Tensor invoke(const OpDef& op, const Arg* arg) {
  if (op.signature->outputs == 1) {
    Tensor one;
    invoke(op, arg, &one);
    return one;
  }
  Tensor out[kMaxOutputs];
  invoke(op, arg, out);
  return std::move(out[0]);
}

void invoke(const OpDef& op, const Arg* arg, Tensor* out) {
  bool wants;
  int outputs = op.signature->outputs;
  if (autocasting) [[unlikely]]
    if (invoke_cast(op, arg, out)) return;
  if (op.compose) {
    op.compose(Call{op, arg, out});
    return;
  }
  if (op.value) [[likely]] {
    FormulaArguments f(op, arg);
    out[0] = run_formula(op, op.value, f.operand, f.n, f.attribute, nullptr, op.result);
    wants = f.wants;
  } else {
    wants = admit_all(op, arg);
    compute(op, arg, out);
  }
  if (wants && eager_state.grad && op.differentiable()) attach(op, arg, out, outputs);
  if (eager_state.inference) [[unlikely]]
    mark_inference(out, outputs);
  if (eager_state.observers) [[unlikely]]
    tell_observers(op, arg, out);
}

// --- in-place
void check_inplace(const OpDef& op, TensorImpl& self) {
  require_elements(op.name(), self);
  if (eager_state.grad && wants_grad(self)) {
    bool leaf = !self.node || self.node->is_accumulator();
    if (leaf)
      fail(ErrorKind::runtime, "[", op.name(),
           "_] a leaf Variable that requires grad is being used in an in-place operation. Received ", describe(self),
           ". Work under torch.no_grad(), or on a clone().");
  }
  if (eager_state.grad && self.base && (!self.base->node || self.base->node->is_accumulator()) &&
      self.base->requires_grad())
    fail(ErrorKind::runtime, "[", op.name(),
         "_] a view of a leaf Variable that requires grad is being used in an in-place operation. Received ",
         describe(self), ". Work under torch.no_grad(), or on a clone().");
  if (self.has(kInference) && !eager_state.inference)
    fail(ErrorKind::runtime, "[", op.name(),
         "_] Inplace update to inference tensor outside InferenceMode is not allowed. Received ", describe(self),
         ". Make a clone() first.");
  if (has_internal_overlap(self) && (!(op.forms & one_value) || (eager_state.grad && wants_grad(self))))
    fail(ErrorKind::runtime, "[", op.name(),
         "_] unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
         "Received ",
         describe(self), " with strides ", self.strides(), ". Call clone() first.");
}

namespace {

bool same_geometry(const TensorImpl& a, const TensorImpl& b) {
  return a.offset == b.offset && same_shape(a, b) && same_sizes(a.strides(), b.strides());
}

void check_castable(const OpDef& op, DType from, DType to) {
  if (category(from) > category(to))
    fail(ErrorKind::runtime, "[", op.name(), "_] result type ", from, " can't be cast to the desired output type ", to,
         ". Use the out-of-place form, or convert first.");
}

}  // namespace

namespace {

// squeeze_, t_: the tensor itself becomes the view.
Tensor reshape_inplace(const OpDef& op, const Arg* arg) {
  TensorImpl& self = *arg[0].t;
  Tensor result(&self), view[kMaxOutputs];
  check_inplace(op, self);
  invoke(op, arg, view);
  const TensorImpl& v = *view[0];
  self.ndim = v.ndim;
  self.offset = v.offset;
  std::copy_n(v.size, v.ndim, self.size);
  std::copy_n(v.stride, v.ndim, self.stride);
  self.update_geometry();
  if (v.node) set_history(self, Ref<Node>(v.node), 0);
  return result;
}

}  // namespace

Tensor invoke_inplace(const OpDef& op, const Arg* given) {
  if (op.view) return reshape_inplace(op, given);
  AutocastMode off(false);  // what is written keeps its dtype
  TensorImpl& self = *given[0].t;
  ArgRoom arg;
  std::copy_n(given, op.signature->n, arg.value);
  check_inplace(op, self);
  bool wants = admit_all(op, arg) && eager_state.grad && op.differentiable();
  check(!(wants && self.base && self.has(kViewNoGrad)), ErrorKind::runtime, "[", op.name(),
        "_] a view was created in no_grad mode and is being modified inplace with grad mode enabled. Received ",
        describe(self), ". Make the view with gradients enabled.");
  Tensor result(&self);
  Tensor original;
  // The gradient may read what is about to be overwritten.
  unsigned keeps = 0;
  if (wants)
    for (int k = 0; k < op.signature->n; ++k)
      if (arg[k].is_tensor() && wants_grad(*arg[k].t)) keeps |= op.saved_for[k];
  if (keeps & 1) {
    GradMode off(false);
    original = call<"clone">(Tensor(&self));
  }
  Node* node = nullptr;
  std::uint32_t version_before = self.storage->version;
  auto record_with_original = [&] {
    Arg recorded[kMaxArgs];
    std::copy_n(arg.value, op.signature->n, recorded);
    if (original) {
      if (wants_grad(self)) {
        Edge e = edge_of(self);
        set_history(*original, Ref<Node>::steal(e.node), static_cast<int>(e.output));
      }
      recorded[0] = Arg(original);
    }
    node = record(op, recorded, &result, 1);
    // Kept arguments on the written storage are as old as the state before the write: reading them later raises.
    for (int k = 0; k < node->args; ++k)
      if (Arg& a = node->arg()[k]; a.kind == Kind::tensor && a.t->storage == self.storage) a.version = version_before;
  };

  if (op.value) {
    FormulaArguments f(op, arg);
    Tensor copies[kMaxOperands];
    for (int k = 0; k < f.n; ++k)  // an operand that overlaps what is written, other than exactly, is read from a copy
      if (f.operand[k].is_tensor() && f.operand[k].t != &self && f.operand[k].t->storage == self.storage &&
          !same_geometry(*f.operand[k].t, self)) {
        GradMode off(false);
        copies[k] = call<"clone">(Tensor(f.operand[k].t));
        f.operand[k] = Arg(copies[k]);
      }
    bool done = run_directly(op.value, f.operand, f.n, f.attribute, nullptr, op.result, result,
                             [&](const TensorImpl& like, DType d) {
                               if (d != self.dtype || !same_shape(like, self))
                                 result = Tensor::steal(empty_like_impl(like, d));
                             });
    if (done && result.get() != &self) {
      // Comparison in place: the mask is converted. Anything else does not fit.
      check(same_shape(*result, self), ErrorKind::runtime, "[", op.name(), "_] output with shape ", self.sizes(),
            " doesn't match the broadcast shape ", result->sizes(), ".");
      check_castable(op, result->dtype, self.dtype);
      copy_elements(self, *result);
    } else if (!done) {
      FormulaTypes types = formula_types(op, op.value, f.operand, f.n, nullptr, op.result);
      Dims size = broadcast_operands(op, f.operand, f.n);
      check(same_sizes(size, self.sizes()), ErrorKind::runtime, "[", op.name(), "_] output with shape ", self.sizes(),
            " doesn't match the broadcast shape ", Sizes(size), ".");
      check_castable(op, types.out, self.dtype);
      run_into(op.value, tile_of(op, op.value, types.compute), types.compute, f.operand, f.n, f.attribute, self);
    }
    result = Tensor(&self);
  } else if (op.writes_over) {
    Tensor out[kMaxOutputs] = {result};
    op.cpu(Call{op, arg, out});
  } else {
    Tensor out[kMaxOutputs];
    {
      GradMode off(false);
      invoke(op, arg, out);
    }
    check(same_shape(*out[0], self), ErrorKind::runtime, "[", op.name(), "_] output with shape ", self.sizes(),
          " doesn't match the result's shape ", out[0]->sizes(), ".");
    check_castable(op, out[0]->dtype, self.dtype);
    copy_elements(self, *out[0]);
  }
  written(self);
  if (wants && is_differentiable(self.dtype)) {
    record_with_original();
    rebase_history(self, node, 0);
    node->dec();
  }
  if (eager_state.observers) [[unlikely]]
    tell_observers(op, arg, &result);
  return result;
}

void resize_impl(TensorImpl& t, Sizes size) {
  require_elements("resize_", t);
  i64 n = checked_numel("resize_", size);
  i64 bytes = (n + t.offset) * size_of(t.dtype);
  if (static_cast<std::size_t>(bytes) > t.storage->bytes) {
    Storage* larger = Storage::make(static_cast<std::size_t>(bytes));
    std::memcpy(larger->data, t.storage->data, t.storage->bytes);
    t.storage->dec();
    t.storage = larger;
  }
  Dims strides = contiguous_strides(size);
  t.ndim = static_cast<std::uint8_t>(size.size());
  std::copy(size.begin(), size.end(), t.size);
  std::copy_n(strides.value, strides.n, t.stride);
  t.update_geometry();
}

namespace {

// Of dense tensors; what others share is not looked for.
bool shares_memory(const TensorImpl& a, const TensorImpl& b) {
  if (&a == &b) return true;
  if (a.storage != b.storage || a.numel == 0 || b.numel == 0 || !is_dense(a) || !is_dense(b)) return false;
  return a.data() < b.data() + b.numel * size_of(b.dtype) && b.data() < a.data() + a.numel * size_of(a.dtype);
}

void check_apart(const OpDef& op, const Arg* arg, const TensorImpl& out) {
  auto check_one = [&](const TensorImpl* t) {
    if (t && shares_memory(*t, out))
      fail(ErrorKind::runtime, "[", op.name(),
           "] unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
           "memory location. Received ",
           describe(*t), ". Call clone() on one of them first.");
  };
  for (int k = 0; k < op.signature->n; ++k) {
    if (arg[k].is_tensor()) check_one(arg[k].t);
    else if (arg[k].kind == Kind::tensors)
      for (std::uint32_t i = 0; i < arg[k].n; ++i) check_one(arg[k].list[i]);
  }
}

}  // namespace

void invoke_out(const OpDef& op, const Arg* arg, Tensor* given) {
  AutocastMode off(false);
  int outputs = op.signature->outputs;
  for (int k = 0; k < outputs; ++k) {
    check(!(admit(op, *given[k]) && eager_state.grad), ErrorKind::runtime, "[", op.name(),
          "] out=... arguments don't support automatic differentiation, but one of them requires grad. Received ",
          describe(*given[k]), ".");
    check(!has_internal_overlap(*given[k]), ErrorKind::runtime, "[", op.name(),
          "] unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
          "Call clone() on out first.");
    if (op.forms & out_apart) check_apart(op, arg, *given[k]);
  }
  check(!(admit_all(op, arg) && eager_state.grad && op.differentiable()), ErrorKind::runtime, "[", op.name(),
        "] functions with out=... arguments don't support automatic differentiation, but one of the arguments requires "
        "grad. Use the form without out=.");
  Tensor out[kMaxOutputs];
  invoke(op, arg, out);
  for (int k = 0; k < outputs; ++k) {
    if (category(out[k]->dtype) > category(given[k]->dtype))
      fail(ErrorKind::runtime, "[", op.name(), "] result type ", out[k]->dtype,
           " can't be cast to the desired output type ", given[k]->dtype, ".");
    check(!(op.forms & out_exact) || out[k]->dtype == given[k]->dtype, ErrorKind::runtime, "[", op.name(),
          "] out must have the dtype of the result, ", out[k]->dtype, ". Received ", describe(*given[k]), ".");
    if (!same_shape(*out[k], *given[k])) resize_impl(*given[k], out[k]->sizes());
    copy_elements(*given[k], *out[k]);
    written(*given[k]);
  }
}

// --- gradients of formulas
namespace {

const Program& program_of(const OpDef& op, int k) {
  if (!op.grad_program[k]) {
    auto* p = new Program;  // lives as long as the row
    op.grad[k].trace(*p);
    for (Program::Step& s : p->steps)
      if (s.op) s.def = &require_op(s.op);
    op.grad_program[k] = p;
  }
  return *op.grad_program[k];
}

// Numbers only: the operator's own loop, on one element.
Arg fold(const OpDef& op, const Arg* a) {
  const Binding& b = op.value.binding;
  double in[kMaxOperands][8] = {}, attribute[kMaxArgs], out[8] = {};
  const void* from[kMaxOperands] = {};
  int n = 0, m = 0;
  for (int i = 0; i < b.n; ++i) {
    double value = a[b.source[i]].number();
    if (!b.operand[i]) {
      attribute[m++] = value;
    } else {
      in[n][0] = value;
      from[n] = in[n];
      ++n;
    }
  }
  tile_of(op, op.value, DType::f64)(out, from, 1, attribute);
  unsigned char truth;
  std::memcpy(&truth, out, 1);
  return op.value.gives_mask ? Arg(truth != 0) : Arg(out[0]);
}

// The recorded formula, run on tensors: each step is a call, which is recorded in turn.
Tensor run_program(const Program& p, Node& node, const Tensor& gy) {
  std::vector<Arg> value(p.steps.size());
  std::vector<Tensor> keep_alive(p.steps.size());
  Backward b(node, {}, {});
  for (std::size_t i = 0; i < p.steps.size(); ++i) {
    const Program::Step& s = p.steps[i];
    if (s.input != kNoInput) {
      if (s.input == kGradient) keep_alive[i] = gy;
      else if (s.input == kResult) keep_alive[i] = b.result(0);
      else if (node.arg()[s.input].kind == Kind::tensor || node.arg()[s.input].kind == Kind::packed)
        keep_alive[i] = b.tensor(s.input);
      value[i] = keep_alive[i] ? Arg(keep_alive[i]) : node.arg()[s.input];
      continue;
    }
    if (!s.op) {
      value[i] = Arg(s.constant);
      continue;
    }
    ArgRoom a;
    int n = 0;
    bool numbers = true;
    for (int operand : s.operand) {
      if (operand < 0) break;
      a[n] = value[static_cast<std::size_t>(operand)];
      numbers &= !a[n++].is_tensor();
    }
    for (int k = n; k < s.def->signature->n; ++k) a[k] = s.def->signature->param[k].fallback;
    if (s.op == std::string_view("where") && !a[0].is_tensor()) {
      value[i] = a[0].i != 0 ? a[1] : a[2];
      if (value[i].is_tensor()) keep_alive[i] = Tensor(value[i].t);
    } else if (numbers) {
      value[i] = fold(*s.def, a);
    } else {
      if (s.op == std::string_view("conj")) keep_alive[i] = conj(Tensor(a[0].t));
      else keep_alive[i] = invoke(*s.def, a);
      value[i] = Arg(keep_alive[i]);
    }
  }
  const Arg& r = value[static_cast<std::size_t>(p.result)];
  if (r.is_tensor()) return Tensor(r.t);
  return call<"full_like">(gy, r.number());
}

}  // namespace

Tensor evaluate_gradient(Node& node, int k, const Tensor& gy, bool create_graph) {
  const OpDef& op = *node.op;
  const Expr& e = op.grad[k];
  require_elements(op.name(), *gy);
  check(bool(e), ErrorKind::not_implemented, "[", op.name(), "] the derivative for '", op.signature->param[k].name,
        "' is not implemented.");
  if (e.identity) return gy;
  if (create_graph) return run_program(program_of(op, k), node, gy);
  const Binding& b = e.binding;
  Room<Arg, kMaxOperands> operand;
  Few<Tensor, kMaxOperands> unpacked(b.n);
  double attribute[kMaxArgs];
  int n = 0, m = 0;
  for (int i = 0; i < b.n; ++i) {
    int source = b.source[i];
    if (source == kGradient) {
      operand[n++] = Arg(gy);
    } else if (source == kResult || b.operand[i]) {
      const Arg& a = source == kResult ? node.result()[0] : node.arg()[source];
      if (a.kind == Kind::tensor || a.kind == Kind::packed) {
        operand[n] = kept_operand(node, a, unpacked[static_cast<std::size_t>(i)]);
      } else if (a.kind == Kind::spec) {
        kept(node, a);  // raises: it was freed
      } else {
        operand[n] = a;
      }
      ++n;
    } else {
      attribute[m++] = node.arg()[source].number();
    }
  }
  // Complex appears when any operand is complex; otherwise the gradient's own dtype is computed in.
  DType compute = gy->dtype;
  for (int i = 0; i < n; ++i)
    if (operand[i].is_tensor() && is_complex(operand[i].t->dtype) && !is_complex(compute))
      compute = to_complex(compute);
  return run_formula(op, e, operand, n, attribute, &compute, Result::promoted);
}

}  // namespace rl
