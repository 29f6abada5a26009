"""rearrange against PyTorch's."""

import pytest

import rushlight
from rushlight.func import rearrange

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]  # PyTorch warns about itself

PATTERNS = [
    ("a b c -> c (a b)", {}),
    ("a (b1 b2) c -> b1 a b2 c", {"b1": 3}),
    ("a ... -> ... a", {}),
    ("(a b) ... -> a b ...", {"a": 2}),
    ("a b c -> a b c ()", {}),
    ("a b c -> a 1 b c", {}),
    ("... -> (...)", {}),
    ("a ... c -> a (...) c", {}),
    ("a ... -> (... a)", {}),
    ("a b ... -> b (a ...)", {}),
    ("... a b c -> a b c ...", {}),
]
WRONG = [
    "a b c -> a c",
    "a b c",
    "a _ c -> a _ c",
    "a a b -> a b a",
    "a b -> b a",
    "a (b d) c -> a b d c",
    "a (b c -> a",
]


@pytest.mark.parametrize(("pattern", "lengths"), PATTERNS)
def test_as_pytorch_does(pattern, lengths):
    ours = rearrange(rushlight.arange(24).reshape(2, 3, 4), pattern, **lengths)
    theirs = torch.func.rearrange(torch.arange(24).reshape(2, 3, 4), pattern, **lengths)
    assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("pattern", WRONG)
def test_wrong_patterns(pattern):
    with pytest.raises(ValueError, match=r"\[rearrange\]"):
        rearrange(rushlight.zeros(2, 3, 4), pattern)


def test_the_rest():
    x = rushlight.arange(6).reshape(2, 3)
    assert rearrange([x, x], "n a b -> (n a) b").shape == (4, 3)
    assert rearrange(x, "(a 1) b -> b a").tolist() == x.T.tolist()
    for lengths, message in (({"z": 1}, "Identifiers not found"), ({"a": 5}, "must multiply to")):
        with pytest.raises(ValueError, match=message):
            rearrange(x, "a b -> b a", **lengths)
    assert rushlight.vmap(lambda x: rearrange(x, "(a b) -> b a", a=1))(x).shape == (2, 3, 1)
