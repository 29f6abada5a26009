"""What `Module` itself does: attributes, hooks, state dictionaries, copies, messages."""

import copy
import gc
import pickle
import weakref
from collections import OrderedDict

import pytest

import rushlight
from rushlight import nn


def linear_pair():
    return nn.Sequential(OrderedDict(first=nn.Linear(2, 3), act=nn.ReLU(), last=nn.Linear(3, 1)))


# -- attributes and their dictionaries -----------------------------------------------------------------------------


def test_parameter_is_an_ordinary_attribute():
    layer = nn.Linear(2, 3)
    assert layer.__dict__["weight"] is layer.weight is layer._parameters["weight"]
    assert list(layer._parameters) == ["weight", "bias"]


def test_writing_into_the_dictionaries_writes_attributes():
    layer = nn.Linear(2, 3)
    new = nn.Parameter(rushlight.zeros(3, 2))
    layer._parameters["weight"] = new
    assert layer.weight is new
    del layer._parameters["weight"]
    assert not hasattr(layer, "weight")
    layer._parameters.update(extra=new)
    assert layer.extra is new
    assert layer._parameters.pop("extra") is new
    assert not hasattr(layer, "extra")
    assert layer._parameters.pop("extra", 5) == 5
    layer._buffers["count"] = rushlight.ones(1)
    assert layer.count.item() == 1
    layer._buffers.clear()
    assert not hasattr(layer, "count")
    assert layer._parameters.setdefault("bias", None) is layer.bias
    layer._parameters |= {"another": new}
    assert layer.another is new
    assert layer._parameters.popitem() == ("another", new)
    assert not hasattr(layer, "another")


def test_replacing_a_dictionary():
    layer = nn.Linear(2, 3)
    kept = layer.bias
    layer._parameters = OrderedDict(bias=kept)
    assert not hasattr(layer, "weight")
    assert layer.bias is kept
    layer._parameters["weight"] = kept
    assert layer.weight is kept


def test_a_copy_made_by_hand_has_its_own_dictionaries():
    layer = nn.Linear(2, 3)
    replica = layer.__new__(type(layer))
    replica.__dict__ = layer.__dict__.copy()
    replica._parameters = dict(layer._parameters)
    replica._parameters["weight"] = None
    assert replica.weight is None
    assert layer.weight is not None


def test_assignments():
    layer = nn.Linear(2, 3)
    layer.bias = None
    assert layer.bias is None
    assert list(layer._parameters) == ["weight", "bias"]
    layer.bias = nn.Parameter(rushlight.ones(3))
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    with pytest.raises(TypeError, match=r"cannot assign .* as parameter 'weight'"):
        layer.weight = rushlight.ones(3, 2)
    del layer.weight
    assert "weight" not in layer._parameters
    with pytest.raises(AttributeError):
        layer.weight  # noqa: B018
    layer.weight = rushlight.ones(3, 2)  # no parameter any more: a plain attribute
    assert list(layer._parameters) == ["bias"]
    layer.child = nn.ReLU()
    assert layer._modules["child"] is layer.child
    layer.child = None
    assert "child" in layer._modules
    with pytest.raises(TypeError, match="as child module 'child'"):
        layer.child = 3
    layer.child = nn.Parameter(rushlight.ones(1))  # changes its kind
    assert "child" not in layer._modules
    assert "child" in layer._parameters
    layer.plain = 4
    layer.plain = nn.Tanh()
    assert layer._modules["plain"] is layer.plain


def test_buffers():
    module = nn.Module()
    module.register_buffer("kept", rushlight.ones(2))
    module.register_buffer("dropped", rushlight.ones(2), persistent=False)
    module.late = nn.Buffer(rushlight.zeros(1))
    module.hidden = nn.Buffer(rushlight.zeros(1), persistent=False)
    assert list(module.state_dict()) == ["kept", "late"]
    assert [name for name, _ in module.named_buffers()] == ["kept", "dropped", "late", "hidden"]
    module.kept = rushlight.zeros(3)
    assert module._buffers["kept"] is module.kept
    with pytest.raises(TypeError, match="as buffer 'kept'"):
        module.kept = 3
    del module.hidden
    assert module._non_persistent_buffers_set == {"dropped"}
    with pytest.raises(KeyError, match="already exists"):
        module.register_buffer("training", rushlight.ones(1))
    with pytest.raises(TypeError, match="to buffer 'x'"):
        module.register_buffer("x", 3)


def test_registration_checks():
    module = nn.Module()
    with pytest.raises(KeyError, match=r'contain "."'):
        module.register_parameter("a.b", None)
    with pytest.raises(KeyError, match="empty string"):
        module.register_parameter("", None)
    with pytest.raises(KeyError, match="already exists"):
        module.register_parameter("forward", None)
    with pytest.raises(TypeError, match="to parameter 'x'"):
        module.register_parameter("x", rushlight.ones(1))
    with pytest.raises(TypeError, match="is not a Module subclass"):
        module.add_module("x", 3)
    with pytest.raises(ValueError, match="non-leaf"):
        module.register_parameter("z", _non_leaf_parameter())


def _non_leaf_parameter():
    parameter = nn.Parameter(rushlight.ones(2), requires_grad=False)
    parameter.mul_(rushlight.ones(2, requires_grad=True))
    return parameter


def test_assignment_before_init():
    class Early(nn.Module):
        def __init__(self, value):
            self.value = value
            super().__init__()

    with pytest.raises(AttributeError, match=r"before Module.__init__"):
        Early(nn.Parameter(rushlight.ones(1)))
    with pytest.raises(AttributeError, match=r"before Module.__init__"):
        Early(nn.ReLU())
    assert Early(3).value == 3


def test_a_property_of_the_class_hides_the_parameter():
    class Doubled(nn.Linear):
        @property
        def weight(self):
            return self._parameters["weight"] * 2

        @weight.setter
        def weight(self, value):
            self.assigned = value

    plain = nn.Linear(2, 1)
    plain.__class__ = Doubled
    assert rushlight.equal(plain.weight, plain._parameters["weight"] * 2)
    stored = plain._parameters.pop("weight")
    plain.register_parameter("original", stored)
    plain.weight = 3
    assert plain.assigned == 3


def test_class_attributes_do_not_shadow():
    class Annotated(nn.Module):
        layer = None

        def __init__(self):
            super().__init__()
            self.layer = nn.ReLU()

    assert isinstance(Annotated().layer, nn.ReLU)


def test_missing_attribute():
    with pytest.raises(AttributeError, match="'ReLU' object has no attribute 'nothing'"):
        nn.ReLU().nothing  # noqa: B018


def test_own_getattr_may_defer_to_the_base():
    class Wrapper(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self.inner, name)

    assert Wrapper(nn.Linear(2, 3)).out_features == 3


def test_module_is_freed_at_once():
    layer = nn.Linear(2, 3)
    reference = weakref.ref(layer)
    gc.disable()
    try:
        del layer
        assert reference() is None
    finally:
        gc.enable()


def test_dir_and_constructor():
    assert {"weight", "bias", "forward"} <= set(dir(nn.Linear(1, 1)))
    with pytest.raises(TypeError, match="unexpected keyword argument 'x'"):
        nn.Module(x=1)
    with pytest.raises(NotImplementedError, match="forward"):
        nn.Module()(1)


# -- copies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_copies_are_independent_and_bound(how):
    model = linear_pair()
    model.register_buffer("count", rushlight.ones(1))
    model.tied = model.first
    other = how(model)
    assert other.tied is other.first
    assert list(other.state_dict()) == list(model.state_dict())
    assert other.first.weight is other.first._parameters["weight"]
    assert other.first.weight is not model.first.weight
    assert rushlight.equal(other.first.weight, model.first.weight)
    assert isinstance(other.first.weight, nn.Parameter)
    with rushlight.no_grad():
        other.first.weight.fill_(3)
    assert model.first.weight.ne(3).all()
    other.first._parameters["weight"] = None
    assert other.first.weight is None
    assert model.first.weight is not None


def test_shallow_copy():
    layer = nn.Linear(2, 3)
    other = copy.copy(layer)
    assert other.weight is layer.weight
    other._parameters["weight"] = None
    assert other.weight is None


def test_state_may_be_edited_by_subclasses():
    class Careful(nn.Linear):
        def __getstate__(self):
            state = self.__dict__.copy()
            state["cache"] = None
            return state

    layer = Careful(2, 2)
    layer.cache = 5
    other = copy.deepcopy(layer)
    assert other.cache is None
    assert rushlight.equal(other.weight, layer.weight)


def test_parameter_copies():
    p = nn.Parameter(rushlight.ones(2), requires_grad=False)
    for q in (copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert isinstance(q, nn.Parameter)
        assert not q.requires_grad
        assert rushlight.equal(p, q)
    assert isinstance(copy.deepcopy(nn.Buffer(rushlight.ones(1), persistent=False)), nn.Buffer)


# -- hooks ---------------------------------------------------------------------------------------------------------


def test_forward_hooks():
    layer, seen = nn.Identity(), []
    layer.register_forward_pre_hook(lambda m, args: seen.append("pre"))
    layer.register_forward_pre_hook(lambda m, args: seen.append("first") or args[0] + 1, prepend=True)
    layer.register_forward_hook(lambda m, args, out: seen.append("post") or out * 10)
    handle = layer.register_forward_hook(lambda m, args, kw, out: seen.append(kw), with_kwargs=True)
    assert layer(1) == 20
    assert seen == ["first", "pre", "post", {}]
    handle.remove()
    seen.clear()
    layer(1)
    assert seen == ["first", "pre", "post"]


def test_kwargs_hooks():
    layer = nn.Identity()
    layer.register_forward_pre_hook(lambda m, args, kw: ((), {"input": kw["input"] + 1}), with_kwargs=True)
    assert layer(input=1) == 2
    layer.register_forward_pre_hook(lambda m, args, kw: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="args, kwargs"):
        layer(input=1)


def test_always_called_hooks():
    class Failing(nn.Module):
        def forward(self, x):
            raise KeyError("own")

    seen, layer = [], Failing()
    layer.register_forward_hook(lambda m, args, out: seen.append("never"))
    layer.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    with pytest.raises(KeyError, match="own"):
        layer(1)
    assert seen == [None]


def test_global_hooks():
    from rushlight.nn.modules import module as M

    seen = []
    with (
        M.register_module_forward_pre_hook(lambda m, args: seen.append(type(m).__name__)),
        M.register_module_forward_hook(lambda m, args, out: seen.append(out)),
        M.register_module_parameter_registration_hook(lambda m, name, p: seen.append(name)),
        M.register_module_module_registration_hook(lambda m, name, c: seen.append(name)),
        M.register_module_buffer_registration_hook(lambda m, name, b: seen.append(name)),
    ):
        nn.Identity()(5)
        nn.Sequential(nn.Linear(1, 1)).register_buffer("b", None)
    assert seen == ["Identity", 5, "weight", "bias", "0", "b"]
    nn.Identity()(6)
    assert 6 not in seen


def test_full_backward_hooks():
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_pre_hook(lambda m, grad_out: (grad_out[0] * 2,))
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    layer.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
    x = rushlight.ones(1, 2, requires_grad=True)
    layer(x).sum().backward()
    (grad_in,), (grad_out,) = seen[0]
    assert grad_out.tolist() == [[2.0]]
    assert rushlight.allclose(grad_in, layer.weight * 2)
    assert rushlight.allclose(x.grad, layer.weight * 20)
    assert layer.bias.grad.tolist() == [2.0]


def test_a_module_has_backward_hooks_of_one_form():
    layer = nn.Linear(1, 1)
    handle = layer.register_full_backward_hook(lambda *given: None)
    with pytest.raises(RuntimeError, match="both regular backward hooks and full backward hooks"):
        layer.register_backward_hook(lambda *given: None)
    handle.remove()
    layer.register_backward_hook(lambda *given: None)
    with pytest.raises(RuntimeError, match="Register all with register_full_backward_hook"):
        layer.register_full_backward_hook(lambda *given: None)


def test_a_hook_after_loading_returns_nothing():
    layer = nn.Linear(1, 1)
    layer.register_load_state_dict_post_hook(lambda module, keys: keys)
    with pytest.raises(AssertionError, match="must return None"):
        layer.load_state_dict(layer.state_dict())


def test_full_backward_hook_without_gradient_of_the_input():
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    layer(rushlight.ones(1, 2)).sum().backward()
    assert seen[0][0] == (None,)
    assert seen[0][1][0].tolist() == [[1.0]]


def test_full_backward_hook_with_several_outputs():
    class Both(nn.Module):
        def forward(self, a, n, b):
            return a * n, {"unused": 1}, b * 3

    layer, seen = Both(), []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    a, b = rushlight.ones(2, requires_grad=True), rushlight.ones(2, requires_grad=True)
    y, _, z = layer(a, 2, b)
    (y + z).sum().backward()
    (ga, gn, gb), (gy, g1, gz) = seen[0]
    assert ga.tolist() == [2.0, 2.0]
    assert gb.tolist() == [3.0, 3.0]
    assert gn is None
    assert g1 is None
    assert gy.tolist() == gz.tolist() == [1.0, 1.0]
    assert b.grad.tolist() == [3.0, 3.0]


# -- state dictionaries --------------------------------------------------------------------------------------------


def test_state_dict_shares_memory():
    layer = nn.Linear(2, 1)
    state = layer.state_dict()
    assert not state["weight"].requires_grad
    state["weight"].zero_()
    assert layer.weight.eq(0).all()
    assert layer.state_dict(keep_vars=True)["weight"] is layer.weight
    assert list(layer.state_dict(prefix="x.")) == ["x.weight", "x.bias"]


def test_load_state_dict_messages():
    model, state = linear_pair(), linear_pair().state_dict()
    assert repr(model.load_state_dict(state)) == "<All keys matched successfully>"
    del state["first.bias"]
    state["extra"] = rushlight.ones(1)
    state["first.deep.er"] = rushlight.ones(1)
    state["last.weight"] = rushlight.ones(2, 2)
    with pytest.raises(RuntimeError) as error:
        model.load_state_dict(state)
    text = str(error.value)
    assert text.startswith("Error(s) in loading state_dict for Sequential:\n\t")
    assert 'Missing key(s) in state_dict: "first.bias". ' in text
    assert 'Unexpected key(s) in state_dict: "extra", "first.deep.er". ' in text
    assert "size mismatch for last.weight: copying a param with shape torch.Size([2, 2]) from checkpoint" in text
    del state["last.weight"]
    result = model.load_state_dict(state, strict=False)
    assert result.missing_keys == ["first.bias", "last.weight"]
    assert sorted(result.unexpected_keys) == ["extra", "first.deep.er"]
    with pytest.raises(TypeError, match="dict-like"):
        model.load_state_dict(3)


def test_load_state_dict_assign():
    layer = nn.Linear(2, 1)
    state = {"weight": rushlight.ones(1, 2, dtype=rushlight.float64), "bias": nn.Parameter(rushlight.ones(1))}
    layer.load_state_dict(state, assign=True)
    assert layer.weight.dtype == rushlight.float64
    assert isinstance(layer.weight, nn.Parameter)
    assert layer.bias is state["bias"]


def test_state_dict_hooks():
    model, seen = linear_pair(), []
    model.register_state_dict_pre_hook(lambda m, prefix, keep: seen.append(prefix))
    model.register_state_dict_post_hook(lambda m, state, prefix, meta: state.update(extra=1))
    assert model.state_dict()["extra"] == 1
    model.register_load_state_dict_pre_hook(lambda m, state, *rest: state.pop("extra"))
    model.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    state = model.state_dict()
    del state["first.bias"]
    model.load_state_dict(state)
    assert seen == ["", ""]


def test_extra_state():
    class Counting(nn.Module):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    one, two = nn.Sequential(Counting()), nn.Sequential(Counting())
    one[0].count = 3
    two.load_state_dict(one.state_dict())
    assert two[0].count == 3
    with pytest.raises(RuntimeError, match="_extra_state"):
        two.load_state_dict({})


# -- the rest ------------------------------------------------------------------------------------------------------


def test_iterators_name_shared_members_once():
    shared = nn.Linear(1, 1)
    model = nn.Sequential(shared, shared)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert len(list(model.named_parameters(remove_duplicate=False))) == 4
    assert [name for name, _ in model.named_modules()] == ["", "0"]
    assert [name for name, _ in model.named_modules(remove_duplicate=False)] == ["", "0", "1"]
    assert len(list(model.children())) == 1
    assert [name for name, _ in model.named_parameters(prefix="x", recurse=True)] == ["x.0.weight", "x.0.bias"]
    assert list(model.parameters(recurse=False)) == []


def test_members_by_path():
    model = nn.Sequential(nn.ModuleDict({"a": nn.Linear(1, 1)}))
    assert model.get_submodule("0.a") is model[0]["a"]
    assert model.get_submodule("") is model
    assert model.get_parameter("0.a.weight") is model[0]["a"].weight
    model.set_submodule("0.a", nn.ReLU())
    assert isinstance(model[0]["a"], nn.ReLU)
    for path in ("0.b", "1", "0.a.inplace"):
        with pytest.raises(AttributeError):
            model.get_submodule(path)
    with pytest.raises(AttributeError, match=r"not an nn.Parameter"):
        model.get_parameter("0.a.inplace")
    model.register_buffer("b", rushlight.ones(1))
    assert model.get_buffer("b") is model.b
    with pytest.raises(AttributeError, match="not a buffer"):
        model.get_buffer("training")


def test_casts_keep_identity():
    model = linear_pair()
    model.register_buffer("count", rushlight.zeros(1, dtype=rushlight.int64))
    model.first.weight.grad = rushlight.ones(3, 2)
    before = list(model.parameters())
    assert model.double() is model
    assert all(a is b for a, b in zip(before, model.parameters(), strict=True))
    assert {p.dtype for p in model.parameters()} == {rushlight.float64}
    assert model.first.weight.grad.dtype == rushlight.float64
    assert model.count.dtype == rushlight.int64
    assert model.half().first.weight.dtype == rushlight.float16
    assert model.bfloat16().first.weight.dtype == rushlight.bfloat16
    assert model.to(rushlight.float64).first.bias.dtype == rushlight.float64
    assert model.to("cpu", rushlight.float32).first.bias.dtype == rushlight.float32
    assert model.to(rushlight.ones(1, dtype=rushlight.float64)).first.bias.dtype == rushlight.float64
    assert model.cpu().float().first.bias.dtype == rushlight.float32
    with pytest.raises(TypeError, match="floating point or complex"):
        model.to(rushlight.int64)


def test_modes_and_gradients():
    model = linear_pair().eval()
    assert not any(m.training for m in model.modules())
    with pytest.raises(ValueError, match="boolean"):
        model.train(1)
    assert not any(p.requires_grad for p in model.requires_grad_(False).parameters())
    model.requires_grad_()
    model(rushlight.ones(1, 2)).sum().backward()
    model.zero_grad(set_to_none=False)
    assert all(p.grad.eq(0).all() for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    assert model.share_memory() is model


def test_an_operators_error_names_the_layer():
    class Failing(nn.Linear):
        def forward(self, input):
            raise ValueError("[linear] the last dimension of input must be in_features. Received float32[1, 4].", 7)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Sequential(nn.ReLU(), Failing(2, 3))])

        def forward(self, x):
            return self.layers[0](x)

    with pytest.raises(ValueError, match="Received") as error:
        Net()(rushlight.ones(1, 4))
    assert error.value.args == (
        "[linear] the last dimension of input must be in_features. Received float32[1, 4]. "
        "(in layers.0.1, a Failing(in_features=2, out_features=3, bias=True))",
        7,
    )
    with pytest.raises(ValueError, match=r"4\]\. \(in Failing\(in_features=2"):
        Failing(2, 3)(rushlight.ones(1, 4))


def test_own_errors_are_left_alone():
    class Failing(nn.Module):
        def forward(self, input):
            raise ValueError("own words")

    with pytest.raises(ValueError) as error:
        nn.Sequential(Failing())(1)
    assert str(error.value) == "own words"


def test_repr_of_nested_modules():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(1, 2), nn.Linear(1, 2), nn.ReLU()])

        def extra_repr(self):
            return "scale=2\nshift=3"

    assert repr(Block()) == (
        "Block(\n  scale=2\n  shift=3\n  (layers): ModuleList(\n"
        "    (0-1): 2 x Linear(in_features=1, out_features=2, bias=True)\n    (2): ReLU()\n  )\n)"
    )


def test_functions_without_a_module_base_call():
    assert nn.Linear(1, 1)._call_impl(rushlight.ones(1, 1)).shape == (1, 1)
