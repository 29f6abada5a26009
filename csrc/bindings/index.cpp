// tensor[key] and tensor[key] = value: views for integers, slices, None and Ellipsis; the index rows for tensors.
#include <vector>

#include "bindings/objects.h"

namespace rl::py {
namespace {

// Applies a key from left to right. What remains in `indices` are the tensors that select elements.
class Indexer {
 public:
  Indexer(Tensor t, PyObject* key) : result(std::move(t)) {
    if (PyTuple_Check(key)) {
      i64 n = PyTuple_GET_SIZE(key);
      for (i64 i = 0; i < n; ++i) count(PyTuple_GET_ITEM(key, i));
      check_count();
      for (i64 i = 0; i < n; ++i) apply(PyTuple_GET_ITEM(key, i));
    } else if (PyList_Check(key) && holds_slices(key)) {
      nb::object tuple = nb::steal(PyList_AsTuple(key));
      *this = Indexer(std::move(result), tuple.ptr());
    } else {
      count(key);
      check_count();
      apply(key);
    }
  }

  Tensor result;
  std::vector<Tensor> indices;
  bool has_tensors() const { return !indices.empty(); }
  std::vector<TensorImpl*> index_list() const {
    std::vector<TensorImpl*> list;
    for (const Tensor& t : indices) list.push_back(t.get());
    return list;
  }

 private:
  static bool holds_slices(PyObject* list) {
    for (i64 i = 0; i < PyList_GET_SIZE(list); ++i) {
      PyObject* o = PyList_GET_ITEM(list, i);
      if (PySlice_Check(o) || o == Py_Ellipsis || o == Py_None) return true;
    }
    return false;
  }

  void count(PyObject* o) {
    if (o == Py_Ellipsis || o == Py_None || PyBool_Check(o)) {  // none of them names a dimension
    } else if (is_tensor(o) && (impl(o)->dtype == DType::bool_ || impl(o)->dtype == DType::u8)) {
      named_ += impl(o)->ndim;
    } else {
      ++named_;
    }
  }
  void check_count() const {
    check(named_ <= result->ndim, ErrorKind::index, "[index] too many indices for tensor of dimension ",
          static_cast<int>(result->ndim), ". Received ", named_, " for ", describe(*result), ".");
  }

  void use(Tensor index) {
    indices.resize(static_cast<std::size_t>(dim_));
    indices.push_back(std::move(index));
    ++dim_;
  }

  void use_mask(const Tensor& mask) {
    for (int d = 0; d < mask->ndim; ++d)
      check(mask->size[d] == result->size[dim_ + d], ErrorKind::index, "[index] The shape of the mask ", mask->sizes(),
            " at index ", d, " does not match the shape of the indexed tensor ", result->sizes(), " at index ",
            dim_ + d, ".");
    if (mask->ndim == 0) {
      result = call<"unsqueeze">(result, dim_);
      bool on = *to_dtype(mask, DType::bool_)->data_as<bool>();
      Tensor index = zeros(Dims{on ? 1 : 0}, DType::i64);
      return use(index);
    }
    GradMode off(false);
    Tensor places = call<"nonzero">(mask);
    for (int d = 0; d < mask->ndim; ++d) use(call<"select">(places, 1, d));
  }

  void apply(PyObject* o) {
    i64 i;
    if (PyLong_CheckExact(o) || (PyIndex_Check(o) && !PyBool_Check(o) && !is_tensor(o) && !PySequence_Check(o))) {
      check(integer_of(o, i), ErrorKind::type, "[index] an index must be an int. Received ", Py_TYPE(o)->tp_name, ".");
      return select(i);
    }
    if (PySlice_Check(o)) return slice(o);
    if (o == Py_None) {
      result = call<"unsqueeze">(result, dim_++);
      return;
    }
    if (o == Py_Ellipsis) {
      dim_ += static_cast<int>(result->ndim) - new_dims_before() - named_left(o);
      return;
    }
    if (PyBool_Check(o)) return use_mask(scalar_tensor(o == Py_True, DType::bool_));
    if (is_tensor(o)) return use_tensor(Tensor(impl(o)));
    if (PySequence_Check(o) && !PyUnicode_Check(o)) {
      nb::object made = nb::module_::import_("rushlight._core").attr("tensor_from")(nb::borrow(o), nb::none(), false);
      Tensor t(impl(made.ptr()));
      if (t->numel == 0 && is_floating(t->dtype)) t = to_dtype(t, DType::i64);
      return use_tensor(t);
    }
    fail(ErrorKind::type,
         "[index] only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
         "(got ",
         Py_TYPE(o)->tp_name, ").");
  }

  // Where an ellipsis ends: all dimensions that no later part of the key names.
  int named_left(PyObject*) const { return named_ - used_; }
  int new_dims_before() const { return dim_; }

  void use_tensor(const Tensor& t) {
    require_elements("index", *t);
    if (t->dtype == DType::bool_ || t->dtype == DType::u8) {
      used_ += t->ndim;
      return use_mask(t);
    }
    check(is_integral(t->dtype), ErrorKind::index,
          "[index] tensors used as indices must be long, int, byte or bool tensors. Received ", describe(*t), ".");
    if (t->ndim == 0) {
      i64 i = visit(t->dtype, [&]<class T>(Type<T>) { return cast<i64>(*t->data_as<T>()); });
      return select(i);
    }
    ++used_;
    use(t);
  }

  void select(i64 i) {
    ++used_;
    i64 n = result->size[dim_];
    check(i >= -n && i < n, ErrorKind::index, "[index] index ", i, " is out of bounds for dimension ", dim_,
          " with size ", n, ". Received ", describe(*result), ".");
    result = call<"select">(result, dim_, i);
  }

  void slice(PyObject* o) {
    ++used_;
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(o, &start, &stop, &step)) throw PythonError{};
    check(step > 0, ErrorKind::value, "[index] step must be greater than zero. Received ", step,
          ". Use flip() to reverse.");
    i64 n = result->size[dim_];
    bool whole = start == 0 && stop >= n && step == 1;
    if (!whole) result = call<"slice">(result, dim_, i64{start}, i64{stop}, i64{step});
    else if (!aliased_) result = call<"alias">(result);
    aliased_ = true;
    ++dim_;
  }

  int dim_ = 0, named_ = 0, used_ = 0;
  bool aliased_ = false;
};

Tensor value_for(PyObject* value, const Tensor& target) {
  if (is_tensor(value)) return Tensor(impl(value));
  nb::object made = nb::module_::import_("rushlight._core")
                        .attr("tensor_from")(nb::borrow(value), nb::steal(wrap_dtype(target->dtype)), false);
  return Tensor(impl(made.ptr()));
}

// Leading dimensions of size 1 that the place does not have are dropped, as PyTorch does.
Tensor without_leading_ones(Tensor value, int ndim) {
  while (value->ndim > ndim && value->size[0] == 1) value = call<"select">(value, 0, 0);
  return value;
}

void write(const OpDef& op, const ArgRoom& arg) { invoke_inplace(op, arg); }

// The tensor, a key (or an entry of it) or a value whose class overrides is asked about Tensor's method; nullptr when
// there is none.
PyObject* ask_overrides(const char* method, std::initializer_list<PyObject*> args) {
  bool any = may_ask(*args.begin());
  for (PyObject* o : std::span(args.begin() + 1, args.end())) {
    any |= overrides(o);
    for (Py_ssize_t i = 0; PyTuple_Check(o) && i < PyTuple_GET_SIZE(o); ++i) any |= overrides(PyTuple_GET_ITEM(o, i));
  }
  if (!any) return nullptr;
  PyObject* r = ask_about_member(method, args, Asked::of_a_row);
  if (!r && PyErr_Occurred()) throw PythonError{};
  return r;
}

}  // namespace

PyObject* tensor_subscript(PyObject* self, PyObject* key) {
  return guarded([&]() -> PyObject* {
    Tensor t(impl(self));
    if (PyLong_CheckExact(key) && t->ndim > 0 && !may_ask(self)) {
      i64 i;
      integer_of(key, i);
      i64 n = t->size[0];
      check(i >= -n && i < n, ErrorKind::index, "[index] index ", i, " is out of bounds for dimension 0 with size ", n,
            ". Received ", describe(*t), ".");
      return wrap(call<"select">(t, 0, i));
    }
    if (PyObject* r = ask_overrides("__getitem__", {self, key})) return r;
    check(t->ndim > 0 || key == Py_None || key == Py_Ellipsis || PyBool_Check(key) || PyTuple_Check(key) ||
              is_tensor(key),
          ErrorKind::index,
          "[index] invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor to a "
          "number. Received ",
          describe(*t), ".");
    Indexer ix(t, key);
    if (ix.has_tensors()) {
      std::vector<TensorImpl*> list = ix.index_list();
      return wrap(call<"index">(ix.result, std::span<TensorImpl* const>(list)));
    }
    if (ix.result.get() == t.get()) return wrap(call<"alias">(t));
    return wrap(std::move(ix.result));
  });
}

int tensor_ass_subscript(PyObject* self, PyObject* key, PyObject* value) {
  PyObject* done = guarded([&]() -> PyObject* {
    check(value != nullptr, ErrorKind::type,
          "[index] Tensor does not support deleting items. Use narrow() or a mask to keep the others.");
    if (PyObject* r = ask_overrides("__setitem__", {self, key, value})) return r;
    Indexer ix(Tensor(impl(self)), key);
    Tensor v = value_for(value, ix.result);
    ArgRoom arg;
    if (!ix.has_tensors()) {
      v = without_leading_ones(std::move(v), ix.result->ndim);
      bind_arguments(op_called<"copy">(), arg, ix.result, v);
      write(op_called<"copy">(), arg);
    } else {
      std::vector<TensorImpl*> list = ix.index_list();
      if (v->dtype != ix.result->dtype) {
        check(v->ndim == 0 || !is_tensor(value), ErrorKind::runtime,
              "[index_put] Index put requires the source and destination dtypes match, got ", ix.result->dtype,
              " for the destination and ", v->dtype, " for the source.");
        v = to_dtype(v, ix.result->dtype);
      }
      bind_arguments(op_called<"index_put">(), arg, ix.result, std::span<TensorImpl* const>(list), v, false);
      write(op_called<"index_put">(), arg);
    }
    Py_RETURN_NONE;
  });
  if (!done) return -1;
  Py_DECREF(done);
  return 0;
}

}  // namespace rl::py
