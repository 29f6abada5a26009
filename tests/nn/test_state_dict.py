"""Scenarios of saving, loading and hooks, run in both packages: what is logged, returned or raised is the same."""

import copy
import pickle
import warnings
from collections import OrderedDict

import pytest

import rushlight
from tests.nn.oracle import torch

pytestmark = pytest.mark.oracle


def model(t):
    t.manual_seed(0)
    inner = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.BatchNorm1d(2))
    return t.nn.ModuleDict({"inner": inner, "scale": t.nn.PReLU(), "none": t.nn.Linear(2, 1, bias=False)})


def changed(t, **changes):
    """The model's state with entries replaced; None takes one out."""
    state = model(t).state_dict()
    for key, value in changes.items():
        key = key.replace("__", ".")
        if value is None:
            del state[key]
        else:
            state[key] = value
    return state


def load(t, state, **options):
    m = model(t)
    result = m.load_state_dict(state, **options)
    return [result, result.missing_keys, result.unexpected_keys, {k: v.tolist() for k, v in m.state_dict().items()}]


def missing_and_unexpected(t):
    return load(t, changed(t, inner__0__weight=None, scale__weight=None, other=t.ones(1), inner__2__x=t.ones(1)))


def size_mismatches(t):
    return load(t, changed(t, inner__0__weight=t.ones(3, 2), none__weight=t.ones(1), inner__1__running_mean=None))


def size_mismatch_is_an_error_without_strict(t):
    return load(t, changed(t, inner__0__weight=t.ones(3, 2), extra=t.ones(1)), strict=False)


def not_strict(t):
    return load(t, changed(t, inner__0__weight=None, other=t.ones(1)), strict=False)


def no_dictionary(t):
    return model(t).load_state_dict([("a", t.ones(1))])


def no_tensor(t):
    return str(type(load(t, changed(t, scale__weight=[0.5]))))


def scalar_saved_as_vector(t):
    m = t.nn.Module()
    m.register_buffer("count", t.tensor(3.0))
    m.load_state_dict({"count": t.tensor([5.0])})
    return m.count.tolist()


def other_dtypes_are_cast(t):
    m = t.nn.Linear(1, 1)
    m.load_state_dict({"weight": t.ones(1, 1, dtype=t.float64), "bias": t.ones(1, dtype=t.int64)})
    return str(m.weight.dtype), m.bias.tolist()


def assign(t):
    m = t.nn.Sequential(t.nn.Linear(1, 1), t.nn.BatchNorm1d(1))
    m[0].weight.requires_grad_(False)
    state = {key: value.double() if value.is_floating_point() else value for key, value in m.state_dict().items()}
    state["0.bias"] = t.nn.Parameter(state["0.bias"], requires_grad=False)
    before = m[0].bias
    m.load_state_dict(state, assign=True)
    return [
        m[0].weight.requires_grad, m[0].bias.requires_grad, m[0].bias is state["0.bias"], m[0].bias is before,
        str(m[1].running_mean.dtype), m[1].running_mean is state["1.running_mean"], type(m[0].weight).__name__,
    ]  # fmt: skip


def assign_of_other_shapes(t):
    return t.nn.Linear(1, 1).load_state_dict({"weight": t.ones(2, 1), "bias": t.ones(1)}, assign=True)


def failing_copy(t):
    m = t.nn.Linear(1, 1)
    return m.load_state_dict({"weight": t.ones(1, 1).expand(1, 1), "bias": t.ones(2)[:1]})


def prefixes(t):
    m = model(t)
    state = m.state_dict(prefix="net.", keep_vars=True)
    into = m.state_dict(destination=OrderedDict(first=1), prefix="p.")
    return [
        list(state), state["net.inner.0.weight"] is m.inner[0].weight, dict(state._metadata), list(into),
        hasattr(into, "_metadata"), m.state_dict()["scale.weight"].requires_grad,
    ]  # fmt: skip


def members_that_are_not_saved(t):
    m = t.nn.Module()
    m.register_buffer("kept", t.ones(1))
    m.register_buffer("forgotten", t.ones(1), persistent=False)
    m.register_buffer("nothing", None)
    m.register_parameter("absent", None)
    m.later = t.nn.Buffer(t.zeros(1), persistent=False)
    m.child = None
    first = list(m.state_dict())
    m.nothing = t.ones(1)
    return first, list(m.state_dict()), [n for n, _ in m.named_buffers()]


def shared_parameters(t):
    a = t.nn.Linear(1, 1)
    m = t.nn.Sequential(a, a)
    m[1].weight = a.weight
    return list(m.state_dict()), len(list(m.parameters())), len(list(m.named_parameters(remove_duplicate=False)))


def saving_hooks(t):
    m, log = model(t), []
    m.register_state_dict_pre_hook(lambda module, prefix, keep: log.append(("pre", prefix, keep)))
    m.inner.register_state_dict_pre_hook(lambda module, prefix, keep: log.append(("inner pre", prefix, keep)))
    m.register_state_dict_post_hook(lambda module, state, prefix, meta: log.append((len(state), prefix, dict(meta))))
    handle = m.inner.register_state_dict_post_hook(lambda module, state, prefix, meta: state.update(x=1))
    m._register_state_dict_hook(lambda module, state, prefix, meta: OrderedDict(list(state.items())[:2]))
    first = list(m.state_dict(prefix="q."))
    handle.remove()
    return first, list(m.state_dict()), log


def saving_hook_that_returns(t):
    m = t.nn.Linear(1, 1)
    m.register_state_dict_post_hook(lambda *args: {})
    return m.state_dict()


def post_hook_registered_as_private(t):
    m = t.nn.Linear(1, 1)
    hook = lambda *args: None  # noqa: E731
    m.register_state_dict_post_hook(hook)
    try:
        m._register_state_dict_hook(hook)
    except RuntimeError:
        return "refused"


def loading_hooks(t):
    m, log = model(t), []

    def before(module, state, prefix, meta, strict, missing, unexpected, errors):
        log.append((type(module).__name__, prefix, meta.get("version"), strict))
        state.pop(prefix + "old", None)

    def private(state, prefix, meta, strict, missing, unexpected, errors):
        log.append(("private", prefix, sorted(state)))
        if prefix + "renamed" in state:
            state[prefix + "weight"] = state.pop(prefix + "renamed")

    def after(module, keys):
        log.append((type(module).__name__, list(keys.missing_keys), list(keys.unexpected_keys)))
        keys.missing_keys.clear()

    m.inner.register_load_state_dict_pre_hook(before)
    m.scale._register_load_state_dict_pre_hook(private)
    m.none._register_load_state_dict_pre_hook(before, with_module=True)
    m.register_load_state_dict_post_hook(after)
    m.inner.register_load_state_dict_post_hook(lambda module, keys: log.append("inner"))
    state = changed(t, scale__weight=None, inner__0__bias=None)
    state["scale.renamed"] = t.tensor([7.0])
    state["inner.old"] = t.ones(1)
    result = m.load_state_dict(state)
    return log, result, m.scale.weight.tolist(), "inner.old" in state


def loading_hook_that_returns(t):
    m = t.nn.Linear(1, 1)
    m.register_load_state_dict_post_hook(lambda module, keys: 3)
    try:
        m.load_state_dict(m.state_dict())
    except (RuntimeError, AssertionError):
        return "refused"


def extra_state(t):
    class Counting(t.nn.Module):
        count = 1

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"] + 1

    m = t.nn.Sequential(Counting(), t.nn.Linear(1, 1))
    m.load_state_dict(m.state_dict())
    outcomes = [list(m.state_dict()), m[0].count]
    for state in ({"1.weight": t.ones(1, 1), "1.bias": t.ones(1)}, {**m.state_dict(), "1._extra_state": 3}):
        try:
            m.load_state_dict(state)
        except RuntimeError as error:
            outcomes.append(str(error))
    return outcomes


def own_saving(t):
    class Renaming(t.nn.Linear):
        def _save_to_state_dict(self, destination, prefix, keep_vars):
            destination[prefix + "w"] = self.weight.detach()

        def _load_from_state_dict(self, state_dict, prefix, *args):
            if prefix + "w" in state_dict:
                state_dict[prefix + "weight"] = state_dict.pop(prefix + "w")
                state_dict[prefix + "bias"] = t.zeros(1)
            super()._load_from_state_dict(state_dict, prefix, *args)

    m = t.nn.Sequential(Renaming(1, 1))
    return list(m.state_dict()), str(m.load_state_dict(m.state_dict())), m[0].bias.tolist()


def hooked(t):
    """A module with hooks of many kinds that can be pickled and write into a log of the module's."""
    m = t.nn.Sequential(t.nn.Linear(1, 1))
    m.log = []
    m.register_forward_hook(note_forward)
    m.register_load_state_dict_pre_hook(note_load)
    m.register_full_backward_hook(note_backward)
    return m


def note_forward(module, args, output):
    module.log.append("forward")


def note_load(module, *args):
    module.log.append("load")


def note_backward(module, grad_input, grad_output):
    module.log.append(("backward", len(grad_input)))


def copies_have_hooks_of_their_own(t):
    outcomes = []
    for how in (copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))):
        first = hooked(t)
        second = how(first)
        second(t.ones(1, 1, requires_grad=True)).sum().backward()
        second.load_state_dict(first.state_dict())
        outcomes.append((first.log, second.log, str(second)))
    return outcomes


def call_hooks(t):
    m, log = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.ReLU()), []

    def note(name):
        return lambda module, *args: log.append((name, type(module).__name__, len(args)))

    hooks = t.nn.modules.module
    handles = [
        hooks.register_module_forward_pre_hook(note("global pre")),
        hooks.register_module_forward_hook(note("global"), with_kwargs=True),
        hooks.register_module_full_backward_pre_hook(note("global backward pre")),
        hooks.register_module_full_backward_hook(note("global backward")),
        m.register_forward_pre_hook(note("pre"), with_kwargs=True),
        m.register_forward_hook(note("second")),
        m.register_forward_hook(note("first"), prepend=True, with_kwargs=True, always_call=True),
        m[0].register_full_backward_pre_hook(note("backward pre")),
        m[0].register_full_backward_hook(note("backward")),
        m[0].register_full_backward_hook(note("backward first"), prepend=True),
        hooks.register_module_parameter_registration_hook(note("parameter")),
        hooks.register_module_buffer_registration_hook(note("buffer")),
        hooks.register_module_module_registration_hook(note("module")),
    ]
    try:
        m(t.ones(1, 2, requires_grad=True)).sum().backward()
        m.append(t.nn.BatchNorm1d(2))
        try:
            m(t.ones(1, 3))
        except RuntimeError:
            log.append("raised")
    finally:
        for handle in handles:
            handle.remove()
    before = len(log)
    m.eval()(t.ones(1, 2))
    return log, len(log) - before


def replaced_values(t):
    m = t.nn.Linear(1, 1, bias=False)
    m.weight.data.fill_(2.0)
    m.register_forward_pre_hook(lambda module, args: args[0] + 1)
    m.register_forward_hook(lambda module, args, output: output * 10)
    m.register_full_backward_pre_hook(lambda module, grads: (grads[0] * 3,))
    m.register_full_backward_hook(lambda module, gi, go: (gi[0] + 100,))
    x = t.ones(1, 1, requires_grad=True)
    y = m(x)
    y.sum().backward()
    return y.tolist(), x.grad.tolist(), m.weight.grad.tolist()


SCENARIOS = [
    missing_and_unexpected, size_mismatches, size_mismatch_is_an_error_without_strict, not_strict, no_dictionary,
    no_tensor, scalar_saved_as_vector, other_dtypes_are_cast, assign, assign_of_other_shapes, failing_copy, prefixes,
    members_that_are_not_saved, shared_parameters, saving_hooks, saving_hook_that_returns,
    post_hook_registered_as_private, loading_hooks, loading_hook_that_returns, extra_state, own_saving,
    copies_have_hooks_of_their_own, call_hooks, replaced_values,
]  # fmt: skip


def outcome(scenario, package):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return repr(scenario(package)).replace(package.__name__, "torch")
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        return type(error).__name__ + ": " + str(error).replace(package.__name__, "torch")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario(scenario):
    assert outcome(scenario, rushlight) == outcome(scenario, torch)
