// L8: a row's formula as CUDA C++. Nothing is compiled or run here.
#include "bindings/objects.h"
#include "device/cuda_prelude.h"
#include "kernels/cpu/special_functions.h"

namespace rl::py {
namespace {

struct KernelTypes {
  const char *storage, *compute;
  DTypes category;
};

KernelTypes kernel_types(DType d) {
  switch (d) {
    case DType::f16: return {"f16", "float", floats};
    case DType::bf16: return {"bf16", "float", floats};
    case DType::f32: return {"float", "float", floats};
    case DType::f64: return {"double", "double", floats};
    case DType::i64: return {"i64", "i64", integers};
    default: fail(ErrorKind::not_implemented, "[cuda_source] there are no CUDA formulas for ", d, ". Use float32.");
  }
}

// One kernel, named <row>_<the argument that the gradient is of, or "value">_<dtype>. Its arguments: the geometry, the
// result, what the formula reads per element, and its attributes.
std::string kernel(const OpDef& op, int gradient, DType d) {
  const Signature& s = *op.signature;
  const Expr& e = gradient < 0 ? op.value : op.grad[gradient];
  KernelTypes t = kernel_types(d);
  check(op.dtypes & t.category, ErrorKind::runtime, "[cuda_source] ", op.name(), " must compute in ", d,
        ": it does not.");
  std::string parameters, values;
  int operands = 0;
  for (int i = 0; i < e.binding.n; ++i) {
    int source = e.binding.source[i];
    std::string name(source == kGradient ? "gy" : source == kResult ? "result" : s.param[source].name);
    std::string value;
    if (!e.binding.operand[i]) {
      parameters += str(", double ", name);
      value = str("rl::num<", t.compute, ">(", name, ")");
    } else {
      std::string element = str(name, "[at[", ++operands, "]]");
      parameters += str(", const ", e.binding.mask[i] ? "bool" : t.storage, "* ", name);
      value = e.binding.mask[i] ? str("rl::mask<", t.compute, ">{", element, "}")
                                : str("rl::num<", t.compute, ">(rl::load(", element, "))");
    }
    values += str(i ? ", " : "", value);
  }
  std::string_view what = gradient < 0 ? "value" : s.param[gradient].name;
  std::string computed = str("formula(", values, ")");
  return str("extern \"C\" __global__ void ", op.name(), "_", what, "_", d, "(const rl::Geometry<", operands,
             "> geometry, ", e.gives_mask ? "bool" : t.storage, "* out", parameters, ") {\n  auto formula = ", e.text,
             ";\n  rl::for_each(geometry, [&](const i64* at) {\n    ",
             e.gives_mask ? str("out[at[0]] = rl::mask<", t.compute, ">(", computed, ").v")
                          : str("rl::store(out[at[0]], rl::num<", t.compute, ">(", computed, ").v)"),
             ";\n  });\n}\n");
}

std::string cuda_source(std::string_view name, int gradient, nb::handle dtype) {
  const OpDef* op = find_op(name);
  check(op && op->value, ErrorKind::value, "[cuda_source] the operator must have a formula. Received '", name, "'.");
  check(gradient < 0 || (gradient < 4 && op->grad[gradient]), ErrorKind::value, "[cuda_source] ", name,
        " must have a gradient of argument ", gradient, ".");
  DType d = DType::f32;
  check(dtype.is_none() || dtype_of_object(dtype.ptr(), d), ErrorKind::type,
        "[cuda_source] dtype must be a torch.dtype.");
  return str("namespace rl {\n", kernel(*op, gradient, d), "}\n");
}

std::string cuda_prelude() {
  std::string prelude = kCudaPrelude;
  std::string special =
      str("namespace scalar {\nconstexpr double kPi = 3.14159265358979323846;\n#define kInfinity RL_INFINITY\n"
          "#define kNaN RL_NAN\n#define RL_NOINLINE __noinline__\nusing ::lgamma;\n",
          scalar::kSpecialFunctionsText, "\n#undef kInfinity\n#undef kNaN\n}\n");
  return prelude.replace(prelude.find("// ---- the vocabulary"), 0, special);
}

}  // namespace

void add_source(nb::module_& m) {
  m.def(
      "cuda_source",
      [](nb::str name, int gradient, nb::handle dtype) { return cuda_source(name.c_str(), gradient, dtype); },
      nb::arg("op_name"), nb::arg("grad_index") = -1, nb::arg("dtype") = nb::none(),
      "The CUDA C++ kernel of an operator's formula, or of its gradient for argument grad_index; it follows "
      "cuda_prelude().");
  m.def("cuda_prelude", cuda_prelude, "What CUDA C++ kernels of formulas need before them.");
}

}  // namespace rl::py
