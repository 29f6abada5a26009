"""How a list of samples becomes a batch."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import rushlight


def _numpy_kind(value: Any) -> str | None:
    """Tells "array" and "scalar" from None; never imports NumPy: without it loaded, no value can be NumPy's."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.ndarray):
        return "array"
    return "scalar" if isinstance(value, numpy.generic) and not isinstance(value, (str, bytes)) else None


def _holds_text(array: Any) -> bool:
    return re.search("[SaUO]", array.dtype.str) is not None


def _rebuilt_mapping(source: Mapping, items: dict) -> Any:
    try:
        if isinstance(source, MutableMapping):
            # A shallow copy keeps what the mapping carries besides its items, such as a default factory.
            clone = copy.copy(source)
            clone.update(items)
            return clone
        return type(source)(items)
    except TypeError:
        return items


def _rebuilt_sequence(source: Sequence, items: list) -> Any:
    try:
        if isinstance(source, MutableSequence):
            clone = copy.copy(source)
            for i, item in enumerate(items):
                clone[i] = item
            return clone
        return type(source)(items)
    except TypeError:
        return items


def default_convert(data: Any) -> Any:
    """Turns NumPy arrays and scalars into tensors, inside mappings and sequences too; leaves all else as it is.

    Example::

      >>> torch.utils.data.default_convert({"a": 1, "b": [torch.tensor(2)]})
      {'a': 1, 'b': [tensor(2)]}
    """
    if isinstance(data, rushlight.Tensor):
        return data
    if kind := _numpy_kind(data):
        return data if kind == "array" and _holds_text(data) else rushlight.as_tensor(data)
    if isinstance(data, Mapping):
        return _rebuilt_mapping(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _rebuilt_sequence(data, [default_convert(value) for value in data])
    return data


def default_collate(batch: list) -> Any:
    """Puts samples together along a new first dimension.

    Tensors and NumPy arrays ``[...]`` become one tensor ``[N, ...]``; floats become float64, ints int64 and
    bools bool ``[N]``; strings stay lists; mappings, tuples and sequences are collated member by member.

    Raises:
      TypeError: if a sample holds anything else.
      RuntimeError: if sequences, or the shapes of tensors, differ within the batch.

    Example::

      >>> torch.utils.data.default_collate([("a", 1.0), ("b", 2.0)])
      [('a', 'b'), tensor([1., 2.], dtype=torch.float64)]
      >>> torch.utils.data.default_collate([torch.tensor([1, 2]), torch.tensor([3, 4])])
      tensor([[1, 2],
              [3, 4]])
    """
    first = batch[0]
    if isinstance(first, rushlight.Tensor):
        return rushlight.stack(list(batch), 0)
    if kind := _numpy_kind(first):
        if kind == "array" and _holds_text(first):
            raise TypeError(f"[default_collate] arrays must hold numbers. Received dtype {first.dtype}.")
        return rushlight.as_tensor(sys.modules["numpy"].stack(batch))
    if isinstance(first, float):
        return rushlight.tensor(batch, dtype=rushlight.float64)
    if isinstance(first, int):
        return rushlight.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _rebuilt_mapping(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        return _collate_sequences(batch)
    raise TypeError(
        "[default_collate] samples must be tensors, NumPy arrays, numbers, strings, mappings or sequences. "
        f"Received {type(first).__name__}. Give the DataLoader a collate_fn of your own."
    )


def _collate_sequences(batch: list) -> Any:
    first = batch[0]
    lengths = {len(sample) for sample in batch}
    if len(lengths) > 1:
        raise RuntimeError(
            f"[default_collate] sequences of one batch must have one length. Received lengths {sorted(lengths)}. "
            "Pad them, or give the DataLoader a collate_fn of your own."
        )
    columns = [default_collate(column) for column in zip(*batch, strict=True)]
    if isinstance(first, tuple):
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    return _rebuilt_sequence(first, columns)
