"""Weight and spectral normalisation by hooks against PyTorch's."""

import copy
import warnings

import pytest

import rushlight
from rushlight import nn
from tests.nn.oracle import assert_same, compare_states, from_torch, randn, torch

pytestmark = pytest.mark.oracle
LAYERS = [("Linear", (3, 4), (5, 3)), ("Conv1d", (2, 3, 2), (1, 2, 4)), ("ConvTranspose2d", (2, 3, 2), (1, 2, 3, 3))]


def pair(name, args, kind, **kwargs):
    torch.manual_seed(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        theirs = getattr(torch.nn.utils, kind)(getattr(torch.nn, name)(*args), **kwargs)
        rushlight.manual_seed(2)
        ours = getattr(nn.utils, kind)(getattr(nn, name)(*args), **kwargs)
    return ours, theirs


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.parametrize(("name", "args", "shape"), LAYERS)
def test_hooks(name, args, shape, kind, dim):
    ours, theirs = pair(name, args, kind, dim=dim)
    assert repr(ours) == repr(theirs)
    compare_states(ours, theirs)
    x = randn(*shape)
    for train in (True, True, False):
        ours.train(train)
        theirs.train(train)
        received, expected = ours(from_torch(x)), theirs(x)
        assert_same(received, expected, 1e-4, 1e-5)
    (received**2).sum().backward()
    (expected**2).sum().backward()
    compare_states(ours, theirs, 1e-4, 1e-5)
    for (key, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert_same(a.grad, b.grad, 1e-3, 1e-4, key)
    getattr(nn.utils, f"remove_{kind}")(ours)
    getattr(torch.nn.utils, f"remove_{kind}")(theirs)
    compare_states(ours, theirs, 1e-4, 1e-5)
    assert isinstance(ours.weight, nn.Parameter)
    assert not ours._forward_pre_hooks
    assert not ours._state_dict_hooks


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
def test_errors(kind):
    ours, theirs = pair("Linear", (2, 3), kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        for module, package in ((ours, nn), (theirs, torch.nn)):
            with pytest.raises(RuntimeError, match=f"Cannot register two {kind} hooks on the same parameter weight"):
                getattr(package.utils, kind)(module)
            with pytest.raises(ValueError, match=f"{kind} of 'bias' not found in"):
                getattr(package.utils, f"remove_{kind}")(module, "bias")
            with pytest.raises(ValueError, match="must be initialized" if package is nn else "uninitialized"):
                getattr(package.utils, kind)(package.LazyLinear(2))
    with pytest.raises(ValueError, match="n_power_iterations to be positive"):
        nn.utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)


def test_spectral_norm_can_be_copied_and_loaded():
    ours, _ = pair("Linear", (2, 3), "spectral_norm")
    other = copy.deepcopy(ours)
    other(rushlight.ones(1, 2))
    assert not rushlight.equal(other.weight_u, ours.weight_u)
    other.load_state_dict(ours.state_dict())
    assert rushlight.equal(other.weight_u, ours.weight_u)
