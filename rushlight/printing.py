"""How a tensor is written as text.

The text is PyTorch's, character for character, so that a notebook or a doctest does not change with the
framework. Only the part of a tensor that is shown is ever converted to Python numbers.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import rushlight

__all__ = ["get_printoptions", "printoptions", "set_printoptions", "tensor_repr"]


@dataclass
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors are printed. What is left out keeps its value, except ``sci_mode``, which returns to automatic.

    Args:
      precision: digits after the decimal point (4).
      threshold: number of elements above which a tensor is summarised (1000).
      edgeitems: elements shown at both ends of a summarised dimension (3).
      linewidth: characters per line (80).
      profile: ``"default"``, ``"short"`` or ``"full"``; the other arguments override its values.
      sci_mode: True or False forces or forbids scientific notation; None decides by the values.

    Raises:
      ValueError: if ``profile`` is none of the three names.

    Example::

      >>> torch.set_printoptions(precision=2)
      >>> torch.tensor([1.12345])
      tensor([1.12])
      >>> torch.set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(
                f"[set_printoptions] profile must be one of {', '.join(map(repr, _PROFILES))}. Received {profile!r}."
            )
        for name, value in _PROFILES[profile].items():
            setattr(_options, name, value)
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in given.items():
        if value is not None:
            setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """Returns the print options in force, as keyword arguments for :func:`set_printoptions`.

    Example::

      >>> rushlight.printing.get_printoptions()["precision"]
      4
    """
    return asdict(_options)


@contextlib.contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Sets print options for the length of a ``with`` block; takes the arguments of :func:`set_printoptions`.

    Example::

      >>> with rushlight.printing.printoptions(precision=2):
      ...   print(torch.tensor([1.12345]))
      tensor([1.12])
    """
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


class _RealFormat:
    """One format for all real floating point numbers of a tensor: whole, fixed or scientific, padded to one width."""

    def __init__(self, values: list[float]):
        self.width = 1
        self.whole = True
        self.scientific = False
        shown = [v for v in values if v != 0 and math.isfinite(v)]
        if shown:
            smallest, largest = min(map(abs, shown)), max(map(abs, shown))
            self.whole = all(v == math.ceil(v) for v in shown)
            self.scientific = largest / smallest > 1000.0 or largest > 1.0e8 or (not self.whole and smallest < 1.0e-4)
            if _options.sci_mode is not None:
                self.scientific = _options.sci_mode
            # Only finite non-zero numbers decide the width: PyTorch lets inf and nan stick out.
            self.width = max(len(self._text(v)) for v in shown)

    def _text(self, value: float) -> str:
        if self.scientific:
            return f"{value:.{_options.precision}e}"
        if self.whole:
            return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"
        return f"{value:.{_options.precision}f}"

    def __call__(self, value: float) -> str:
        return self._text(value).rjust(self.width)


class _ComplexFormat:
    """Real and imaginary parts, each in its own format."""

    def __init__(self, values: list[complex]):
        self.real = _RealFormat([v.real for v in values])
        self.imag = _RealFormat([v.imag for v in values])
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, value: complex) -> str:
        imag = self.imag(value.imag).lstrip() + "j"
        sign = "" if imag[0] in "+-" else "+"
        return self.real(value.real) + sign + imag


class _IntegerFormat:
    """Integers and booleans, as Python writes them."""

    def __init__(self, values: list[int]):
        self.width = max((len(str(v)) for v in values), default=1)

    def __call__(self, value: int) -> str:
        return str(value).rjust(self.width)


def _shown(tensor: Any) -> Any:
    """The elements that a summary shows, as nested lists; a long dimension keeps only its two ends."""
    edge = _options.edgeitems
    if all(size <= 2 * edge for size in tensor.shape):
        return tensor.tolist()
    length = tensor.shape[0]
    if tensor.ndim == 1:
        return tensor[:edge].tolist() + tensor[length - edge :].tolist()
    rows = range(length) if length <= 2 * edge else [*range(edge), *range(length - edge, length)]
    return [_shown(tensor[i]) for i in rows]


def _flat(nested: Any, dims: int) -> list[Any]:
    if dims == 0:
        return [nested]
    for _ in range(dims - 1):
        nested = [item for row in nested for item in row]
    return nested


def _lines(nested: Any, shape: tuple[int, ...], indent: int, summarize: bool, form: Any) -> str:
    if not shape:
        return form(nested)
    edge = _options.edgeitems
    cut = summarize and shape[0] > 2 * edge
    if len(shape) > 1:
        rows = [_lines(row, shape[1:], indent + 1, summarize, form) for row in nested]
        if cut:
            rows.insert(edge, "...")
        return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(rows) + "]"
    items = [form(value) for value in nested]
    if cut:
        items.insert(edge, " ...")
    per_line = max(1, (_options.linewidth - indent) // (form.width + 2))
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _contents(tensor: Any, indent: int) -> str:
    plain = tensor.detach()
    summarize = plain.numel() > _options.threshold
    if summarize and _options.edgeitems == 0 and plain.ndim > 0:
        return "[...]"
    nested = _shown(plain) if summarize else plain.tolist()
    dtype = plain.dtype
    kind = _ComplexFormat if dtype.is_complex else _RealFormat if dtype.is_floating_point else _IntegerFormat
    form = kind(_flat(nested, plain.ndim))
    return _lines(nested, tuple(plain.shape), indent, summarize, form)


def _dtype_is_obvious(dtype: Any) -> bool:
    default = rushlight.get_default_dtype()
    default_complex = rushlight.complex128 if default == rushlight.float64 else rushlight.complex64
    return dtype in (default, default_complex, rushlight.int64, rushlight.bool)


def tensor_repr(tensor: Any) -> str:
    """Returns the text of a tensor: what ``repr`` and ``print`` show. Any shape, dtype and device.

    Example::

      >>> torch.tensor([[1.0, 2.5], [float("nan"), -3.0]])
      tensor([[ 1.0000,  2.5000],
              [    nan, -3.0000]])
      >>> torch.arange(2000)
      tensor([   0,    1,    2,  ..., 1997, 1998, 1999])
      >>> torch.ones(2, requires_grad=True) + 1
      tensor([2., 2.], grad_fn=<AddBackward0>)
    """
    kind = type(tensor).__name__
    prefix = "tensor(" if kind in ("Tensor", "Parameter") else f"{kind}("
    indent = len(prefix)
    size = f"size={tuple(tensor.shape)}"
    dtype = f"dtype={tensor.dtype}"
    suffixes = []
    if tensor.device.type != "cpu":
        suffixes.append(f"device='{tensor.device}'")
    if tensor.device.type == "meta":
        contents = "..."
        suffixes.append(size)
        if tensor.dtype != rushlight.get_default_dtype():
            suffixes.append(dtype)
    elif tensor.numel() == 0:
        contents = "[]"
        if tensor.ndim != 1:
            suffixes.append(size)
        # No element tells int64 from float32 here, so only the default dtype goes without saying.
        if tensor.dtype != rushlight.get_default_dtype():
            suffixes.append(dtype)
    else:
        contents = _contents(tensor, indent)
        if _options.edgeitems == 0:
            suffixes.append(size)
        if not _dtype_is_obvious(tensor.dtype):
            suffixes.append(dtype)
    suffixes += _history(tensor)
    return _join(prefix + contents, suffixes, indent)


def sparse_repr(tensor: Any, parts: dict[str, Any]) -> str:
    """Returns the text of a sparse tensor, whose index and value tensors are `parts`.

    Example::

      >>> torch.sparse_coo_tensor([[1]], [2.0], (3,))
      tensor(indices=tensor([[1]]),
             values=tensor([2.]),
             size=(3,), nnz=1, layout=torch.sparse_coo)
    """
    indent = len("tensor(")
    texts = []
    for name, part in parts.items():
        contents = _contents(part, indent + len(f"{name}=tensor(")) if part.numel() else f"[], size={tuple(part.shape)}"
        texts.append(f"{name}=tensor({contents})")
    suffixes = [f"size={tuple(tensor.shape)}", f"nnz={tensor._nnz()}"]
    if not _dtype_is_obvious(tensor.dtype):
        suffixes.append(f"dtype={tensor.dtype}")
    suffixes.append(f"layout={tensor.layout}")
    suffixes += _history(tensor)
    text = "tensor(" + (",\n" + " " * indent).join(texts)
    if tensor.is_sparse:  # its suffixes begin a line of their own
        text += ",\n" + " " * indent + suffixes.pop(0)
    return _join(text, suffixes, indent)


def _history(tensor: Any) -> list[str]:
    if tensor.grad_fn is not None:
        return [f"grad_fn=<{tensor.grad_fn.name().rsplit('::', 1)[-1]}>"]
    return ["requires_grad=True"] if tensor.requires_grad else []


def _join(text: str, suffixes: list[str], indent: int) -> str:
    """Appends the suffixes, each on a new line where the current one would grow too long."""
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"
