#include <unordered_map>

#include "schema/opdef.h"

namespace rl {
namespace {

constinit OpDef* head = nullptr;

// "other for input, input for other, result": every item without `for` is read by the gradient of all arguments.
void parse_saves(OpDef& op) {
  const Signature& s = *op.signature;
  for (std::string_view rest = op.saves; !detail::trim(rest).empty();) {
    std::string_view item = detail::next_item(rest), what = item, reader;
    if (std::size_t at = item.find(" for "); at != item.npos) {
      what = detail::trim(item.substr(0, at));
      reader = detail::trim(item.substr(at + 5));
    }
    int argument = s.find(what), result = -1;
    if (argument < 0) {
      if (what == "result") result = 0;
      for (int k = 0; k < s.outputs; ++k)
        if (s.output[k] == what) result = k;
      check(result >= 0, ErrorKind::runtime, "[registry] ", s.name, " saves '", what,
            "', which is no argument or result.");
    }
    for (int k = 0; k < s.n; ++k) {
      if (!reader.empty() && s.param[k].name != reader) continue;
      if (argument >= 0) op.saved_for[k] = static_cast<std::uint16_t>(op.saved_for[k] | 1u << argument);
      else op.results_for[k] = static_cast<std::uint8_t>(op.results_for[k] | 1u << result);
    }
  }
}

void read_bindings(OpDef& op) {
  for (int k = 0; k < 4; ++k) {
    const Expr& e = op.grad[k];
    if (!e) continue;
    for (int i = 0; i < e.binding.n; ++i) {
      int source = e.binding.source[i];
      if (source >= 0 && e.binding.operand[i])
        op.saved_for[k] = static_cast<std::uint16_t>(op.saved_for[k] | 1u << source);
      if (source == kResult) op.results_for[k] = 1;
    }
  }
}

std::unordered_map<std::string_view, const OpDef*>& table() {
  static auto* map = [] {
    auto* m = new std::unordered_map<std::string_view, const OpDef*>;
    for (const OpDef* op = head; op; op = op->next) {
      check(m->emplace(op->name(), op).second, ErrorKind::runtime, "[registry] two rows are called ", op->name(), ".");
      for (std::string_view rest = op->aliases; !detail::trim(rest).empty();) m->emplace(detail::next_item(rest), op);
    }
    return m;
  }();
  return *map;
}

std::string text_of(const Program& p, const Signature& s, int step) {
  const Program::Step& t = p.steps[static_cast<std::size_t>(step)];
  if (t.input != kNoInput)
    return t.input == kGradient ? "gy" : t.input == kResult ? "result" : std::string(s.param[t.input].name);
  if (!t.op) return str(t.constant);
  std::string r = str(t.op, "(", text_of(p, s, t.operand[0]));
  for (int k = 1; k < 3; ++k)
    if (t.operand[k] >= 0) r += ", " + text_of(p, s, t.operand[k]);
  return r + ")";
}

std::uint8_t usual_forms(const OpDef& op) {
  std::string_view home = op.home;
  if (home == "_core") return function;
  if (home == "special") return function | out_;
  return op.value ? pointwise_forms : op.view ? view_forms : plain_forms;
}

}  // namespace

Registrar::Registrar(OpDef& op, const Signature& s, DTypes dtypes) {
  op.signature = &s;
  op.dtypes = dtypes;
  if (!op.forms) op.forms = usual_forms(op);
  parse_saves(op);
  read_bindings(op);
  op.next = head;
  head = &op;
}

const OpDef* first_op() { return head; }

const OpDef* find_op(std::string_view name) {
  auto it = table().find(name);
  return it == table().end() ? nullptr : it->second;
}

const OpDef& require_op(std::string_view name) {
  const OpDef* op = find_op(name);
  check(op != nullptr, ErrorKind::runtime, "[registry] no operator is called ", name, ".");
  return *op;
}

std::string to_string(const Program& p, const Signature& s) { return text_of(p, s, p.result); }

}  // namespace rl
