"""`assert_close`: equality of tensors, numbers and containers of them within tolerances, with a telling error."""

import cmath
import numbers
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import rushlight

__all__ = ["assert_allclose", "assert_close", "default_tolerances"]

# name of the dtype: (relative, absolute) tolerance; dtypes that are not listed must be equal
_TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
_TOLERANCES_OF_ALLCLOSE = {"float16": (1e-3, 1e-3), "float32": (1e-4, 1e-5), "float64": (1e-5, 1e-8)}


def default_tolerances(*dtypes, table=_TOLERANCES):
    """Returns (rtol, atol): the widest of the given dtypes' default tolerances.

    >>> from rushlight.testing.comparison import default_tolerances
    >>> default_tolerances(torch.float32, torch.float64)
    (1.3e-06, 1e-05)
    """
    pairs = [table.get(str(dtype).rpartition(".")[2], (0.0, 0.0)) for dtype in dtypes]
    return max(rtol for rtol, _ in pairs), max(atol for _, atol in pairs)


def assert_close(
    actual,
    expected,
    *,
    allow_subclasses=True,
    rtol=None,
    atol=None,
    equal_nan=False,
    check_device=True,
    check_dtype=True,
    check_layout=True,
    check_stride=False,
    msg=None,
):
    """Raises an AssertionError unless |actual - expected| <= atol + rtol * |expected| in every element.

    Args:
        actual, expected: tensors, NumPy arrays, numbers, bool, None, or sequences and mappings of these.
        allow_subclasses (bool): the two may differ in type if one's is a subclass of the other's.
        rtol, atol (float): both or neither. Default by dtype: float16 1e-3, 1e-5; bfloat16 1.6e-2, 1e-5; float32 and
            complex64 1.3e-6, 1e-5; float64 and complex128 1e-7, 1e-7; all others 0, 0. Of two dtypes the wider.
        equal_nan (bool): NaN equals NaN.
        check_device, check_dtype, check_layout, check_stride (bool): these must be equal too.
        msg (str or callable): replaces the error's text, or makes a new one from it.

    Raises:
        AssertionError: something differs.
        ValueError: only one of rtol and atol is given.
        TypeError: the two cannot be compared.

    >>> torch.testing.assert_close(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.5]))
    Traceback (most recent call last):
    AssertionError: Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 1 / 2 (50.0%)
    Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)
    Greatest relative difference: 0.20000000298023224 at index (1,) (up to 1.3e-06 allowed)
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    rules = _Rules(allow_subclasses, rtol, atol, equal_nan, check_device, check_dtype, check_layout, check_stride)
    problem = _difference(actual, expected, rules, "")
    if problem is None:
        return
    if msg is not None:
        problem = msg(problem) if callable(msg) else msg
    raise AssertionError(problem)


def assert_allclose(actual, expected, rtol=None, atol=None, equal_nan=True, msg=""):
    """Deprecated: `assert_close` without the check of dtype, with NaN equal to NaN and with other tolerances."""
    warnings.warn("assert_allclose() is deprecated. Use assert_close() instead.", FutureWarning, stacklevel=2)
    actual = actual if isinstance(actual, rushlight.Tensor) else rushlight.as_tensor(actual)
    expected = expected if isinstance(expected, rushlight.Tensor) else rushlight.as_tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        rtol, atol = default_tolerances(actual.dtype, expected.dtype, table=_TOLERANCES_OF_ALLCLOSE)
    assert_close(
        actual,
        expected,
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_device=True,
        check_dtype=False,
        msg=msg or None,
    )


class _Rules(NamedTuple):
    allow_subclasses: bool
    rtol: float
    atol: float
    equal_nan: bool
    check_device: bool
    check_dtype: bool
    check_layout: bool
    check_stride: bool

    def tolerances(self, *dtypes):
        return default_tolerances(*dtypes) if self.rtol is None else (self.rtol, self.atol)


def _difference(actual, expected, rules, place):
    """What differs, as a text, or None. `place` is the path into the containers: [1]['weight']."""
    problem = _difference_here(actual, expected, rules, place)
    if problem is None or isinstance(problem, _Nested):
        return problem
    return _Nested(f"{problem}\n\nThe failure occurred for item {place}" if place else problem)


class _Nested(str):
    """A problem that already names its place."""


def _difference_here(actual, expected, rules, place):
    if actual is None or expected is None:
        return None if actual is expected else f"None mismatch: {actual} is not {expected}"
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        missing, extra = (sorted(map(repr, a.keys() - b.keys())) for a, b in ((expected, actual), (actual, expected)))
        if missing or extra:
            return (
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: [{', '.join(missing)}]\n"
                f"Additional keys in the actual mapping: [{', '.join(extra)}]"
            )
        return _first(((repr(key), actual[key], expected[key]) for key in expected), rules, place)
    if _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
        return _first(((i, a, e) for i, (a, e) in enumerate(zip(actual, expected, strict=True))), rules, place)
    x, y = (_plain_number(z) for z in (actual, expected))
    if isinstance(x, bool) and isinstance(y, bool):
        return None if x is y else f"Booleans mismatch: {x} is not {y}"
    if isinstance(x, numbers.Number) and isinstance(y, numbers.Number):
        return _number_difference(x, y, rules)
    kinds = _kind(actual), _kind(expected)
    related = issubclass(kinds[0], kinds[1]) or issubclass(kinds[1], kinds[0])
    if related if rules.allow_subclasses else kinds[0] is kinds[1]:
        if isinstance(actual, rushlight.Tensor):
            return _tensor_difference(actual.detach(), expected.detach(), rules)
        if _is_numeric_array(actual) and _is_numeric_array(expected):
            return _tensor_difference(rushlight.as_tensor(actual), rushlight.as_tensor(expected), rules)
    raise TypeError(
        f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
        + (f"\n\nThe failure occurred for item {place}" if place else "")
    )


def _plain_number(x):
    """A number of NumPy's as Python's."""
    return x.item() if type(x).__module__ == "numpy" and not hasattr(x, "__setitem__") else x


def _kind(x):
    """The class; the layouts of sparse tensors count as one."""
    return rushlight.Tensor if getattr(x, "is_sparse", False) or getattr(x, "is_sparse_csr", False) else type(x)


def _is_numeric_array(x):
    return type(x).__module__ == "numpy" and x.dtype.kind in "biufc"


def _is_sequence(x):
    return isinstance(x, Sequence) and not isinstance(x, str)


def _first(items, rules, place):
    for key, actual, expected in items:
        problem = _difference(actual, expected, rules, f"{place}[{key}]")
        if problem is not None:
            return problem
    return None


def _number_difference(actual, expected, rules):
    if rules.check_dtype and type(actual) is not type(expected):
        return f"The (d)types do not match: {type(actual)} != {type(expected)}."
    dtypes = [_NUMBER_DTYPES.get(type(x), "float64") for x in (actual, expected)]
    rtol, atol = rules.tolerances(*dtypes)
    absolute = abs(actual - expected)
    both_nan = cmath.isnan(actual) and cmath.isnan(expected)
    if (
        actual == expected
        or (both_nan and rules.equal_nan)
        or (cmath.isfinite(actual) and cmath.isfinite(expected) and absolute <= atol + rtol * abs(expected))
    ):
        return None
    return _number_text(actual, expected, rtol, atol)


def _number_text(actual, expected, rtol, atol):
    absolute = abs(actual - expected)
    relative = absolute / abs(expected) if expected else float("inf")
    return (
        f"Scalars are not {_verb(rtol, atol)}!\n\nExpected {expected} but got {actual}.\n"
        f"Absolute difference: {absolute}{_allowed(rtol, atol, atol)}\n"
        f"Relative difference: {relative}{_allowed(rtol, atol, rtol)}"
    )


_NUMBER_DTYPES = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}


def _tensor_difference(actual, expected, rules):
    checks = [("shape", True), ("device", rules.check_device), ("dtype", rules.check_dtype)]
    checks.append(("layout", rules.check_layout))
    for name, wanted in checks:
        a, e = getattr(actual, name), getattr(expected, name)
        if wanted and a != e:
            return f"The values for attribute '{name}' do not match: {a} != {e}."
    if rules.check_stride and actual.stride() != expected.stride():
        return f"The values for attribute 'stride()' do not match: {actual.stride()} != {expected.stride()}."
    rtol, atol = rules.tolerances(actual.dtype, expected.dtype)
    if actual.device != expected.device:
        actual, expected = actual.cpu(), expected.cpu()
    if actual.layout != expected.layout:
        actual, expected = (x if x.layout == rushlight.strided else x.to_dense() for x in (actual, expected))
    if actual.layout != rushlight.strided:
        return _sparse_difference(actual, expected, rules)
    return _dense_difference(actual, expected, rules, rtol, atol)


def _sparse_difference(actual, expected, rules):
    name, indices = _SPARSE_PARTS[str(actual.layout).rpartition(".")[2]]
    counts = [x._nnz() for x in (actual, expected)]
    if counts[0] != counts[1]:
        return f"The number of specified values in sparse {name} tensors does not match: {counts[0]} != {counts[1]}"
    for part in indices:
        pair = [getattr(x, part)() for x in (actual, expected)]
        problem = _dense_difference(*pair, rules, 0.0, 0.0, f"Sparse {name} {part.removeprefix('_')}")
        if problem is not None:
            return problem
    values = [x._values() if name == "COO" else x.values() for x in (actual, expected)]
    tolerances = rules.tolerances(actual.dtype, expected.dtype)
    return _dense_difference(*values, rules, *tolerances, f"Sparse {name} values")


_SPARSE_PARTS = {
    "sparse_coo": ("COO", ["_indices"]),
    "sparse_csr": ("CSR", ["crow_indices", "col_indices"]),
    "sparse_csc": ("CSC", ["ccol_indices", "row_indices"]),
}


def _dense_difference(actual, expected, rules, rtol, atol, what="Tensor-likes"):
    if actual.dtype != expected.dtype:
        dtype = rushlight.promote_types(actual.dtype, expected.dtype)
        actual, expected = actual.to(dtype), expected.to(dtype)
    close = rushlight.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=rules.equal_nan)
    if bool(close.all()):
        return None

    if actual.ndim == 0:
        return _number_text(actual.item(), expected.item(), rtol, atol)
    if not (actual.dtype.is_floating_point or actual.dtype.is_complex):
        actual, expected = actual.to(rushlight.int64), expected.to(rushlight.int64)  # uint8 would wrap around
    # What is close counts as no difference: inf - inf, NaN - NaN and 0 / 0 are not numbers.
    absolute = (actual - expected).abs().masked_fill(close, 0)
    relative = (absolute / expected.abs()).masked_fill(close, 0)
    count, total = int((~close).sum()), close.numel()
    return (
        f"{what} are not {_verb(rtol, atol)}!\n\n"
        f"Mismatched elements: {count} / {total} ({count / total:.1%})\n"
        f"Greatest absolute difference: {_greatest(absolute)}{_allowed(rtol, atol, atol)}\n"
        f"Greatest relative difference: {_greatest(relative)}{_allowed(rtol, atol, rtol)}"
    )


def _greatest(values):
    flat = values.reshape(-1)
    position = int(flat.argmax())
    index, rest = [], position
    for size in reversed(values.shape):
        rest, i = divmod(rest, size)
        index.append(i)
    return f"{flat[position].item()} at index {tuple(reversed(index))}"


def _verb(rtol, atol):
    return "close" if rtol or atol else "equal"


def _allowed(rtol, atol, tolerance):
    return f" (up to {tolerance} allowed)" if rtol or atol else ""
