// L8: what a row says, as a Python dict: for the documentation, the tests, the stub and the exporters.
#include "bindings/objects.h"

namespace rl::py {
namespace {

nb::str text(std::string_view s) { return nb::str(s.data(), s.size()); }

const char* type_text(ParamType type) {
  static constexpr const char* kNames[] = {
    "Tensor", "Tensor | Number", "Mask",     "list[Tensor]", "Number", "float", "int", "bool", "ints",
    "str",    "dtype",           "Generator"};
  return kNames[static_cast<int>(type)];
}

nb::object default_value(const Arg& a) {
  switch (a.kind) {
    case Kind::boolean: return nb::bool_(a.i != 0);
    case Kind::integer: return nb::int_(a.i);
    case Kind::real: return nb::float_(a.f);
    case Kind::text: return nb::str(a.text);
    default: return nb::none();
  }
}

nb::dict parameter(const Param& p) {
  nb::dict d;
  d["name"] = text(p.name);
  d["type"] = type_text(p.type);
  d["optional"] = p.optional;
  d["has_default"] = p.has_default;
  d["default"] = default_value(p.fallback);
  d["keyword_only"] = p.keyword_only;
  d["variadic"] = p.variadic;
  return d;
}

nb::object program_text(const Expr& e, const Signature& s) {
  if (!e || !e.trace) return nb::none();
  Program p;
  e.trace(p);
  return text(to_string(p, s));
}

bool accepts(DTypes set, DType d) {
  switch (category(d)) {
    case Category::boolean: return set & bools;
    case Category::integer: return set & integers;
    case Category::floating: return set & floats;
    default: return set & complexes;
  }
}

}  // namespace

std::string parameter_text(const Signature& s) {
  std::string out;
  bool starred = false;
  for (int k = 0; k < s.n; ++k) {
    const Param& p = s.param[k];
    if (k) out += ", ";
    if (p.keyword_only && !starred) out += "*, ";
    starred |= p.keyword_only;
    out += p.name;
    if (p.name == "from") out += '_';  // a keyword of Python
    if (p.has_default) out += str("=", nb::cast<std::string>(nb::repr(default_value(p.fallback))));
  }
  return out;
}

PyObject* row_info(const OpDef& op) {
  const Signature& s = *op.signature;
  nb::dict d;
  d["name"] = text(s.name);
  d["signature"] = text(s.text);
  d["doc"] = op.doc;
  d["home"] = op.home;
  nb::list aliases, forms, dtypes, parameters, outputs;
  for (std::string_view rest = op.aliases; !detail::trim(rest).empty();) aliases.append(text(detail::next_item(rest)));
  if (op.forms & function) forms.append("function");
  if (op.forms & method) forms.append("method");
  if (op.forms & inplace) forms.append("inplace");
  if (op.forms & out_) forms.append("out");
  for (int k = 0; k < kDTypes; ++k)
    if (accepts(op.dtypes, static_cast<DType>(k))) dtypes.append(nb::steal(wrap_dtype(static_cast<DType>(k))));
  for (int k = 0; k < s.n; ++k) parameters.append(parameter(s.param[k]));
  for (int k = 0; k < s.outputs; ++k)
    if (!s.output[k].empty()) outputs.append(text(s.output[k]));
  d["aliases"] = aliases;
  d["forms"] = forms;
  d["dtypes"] = dtypes;
  d["parameters"] = parameters;
  d["outputs"] = outputs;
  d["kind"] = op.value ? "pointwise" : op.view ? "view" : "kernel";
  d["differentiable"] = op.differentiable();
  d["saves"] = op.saves;
  d["samples"] = op.samples;
  d["errors"] = op.errors;
  d["formula"] = op.value ? nb::object(nb::str(op.value.text)) : nb::none();
  d["program"] = program_text(op.value, s);
  nb::dict gradients, gradient_programs;
  for (int k = 0; k < 4 && k < s.n; ++k) {
    if (!op.grad[k]) continue;
    gradients[text(s.param[k].name)] = nb::str(op.grad[k].text);
    gradient_programs[text(s.param[k].name)] = program_text(op.grad[k], s);
  }
  d["gradients"] = gradients;
  d["gradient_programs"] = gradient_programs;
  return d.release().ptr();
}

}  // namespace rl::py
