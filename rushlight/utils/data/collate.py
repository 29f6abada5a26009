"""How a list of samples becomes a batch."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
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


def collate(batch: list, *, collate_fn_map: dict | None = None) -> Any:
    """Puts samples together as :func:`default_collate` does, with a function per type of sample.

    Args:
      batch: the samples.
      collate_fn_map: type, or tuple of types -> ``function(batch, *, collate_fn_map)``.

    Example::

      >>> from rushlight.utils.data._utils.collate import collate, default_collate_fn_map
      >>> def keep(batch, *, collate_fn_map=None):
      ...   return batch
      >>> collate([(1, None), (2, None)], collate_fn_map={**default_collate_fn_map, type(None): keep})
      [tensor([1, 2]), (None, None)]
    """
    first, functions = batch[0], collate_fn_map or {}
    kind = type(first) if type(first) in functions else next((k for k in functions if isinstance(first, k)), None)
    if kind is not None:
        return functions[kind](batch, collate_fn_map=collate_fn_map)
    if numpys := _numpy_kind(first):
        function = collate_numpy_array_fn if numpys == "array" else collate_numpy_scalar_fn
        return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        columns = {key: collate([s[key] for s in batch], collate_fn_map=collate_fn_map) for key in first}
        return _rebuilt_mapping(first, columns)
    if isinstance(first, Sequence):
        return _collate_sequences(batch, collate_fn_map)
    raise TypeError(
        "[default_collate] samples must be tensors, NumPy arrays, numbers, strings, mappings or sequences. "
        f"Received {type(first).__name__}. Give the DataLoader a collate_fn of your own."
    )


def _collate_sequences(batch: list, functions: dict | None) -> Any:
    first = batch[0]
    lengths = {len(sample) for sample in batch}
    if len(lengths) > 1:
        raise RuntimeError(
            f"[default_collate] sequences of one batch must have one length. Received lengths {sorted(lengths)}. "
            "Pad them, or give the DataLoader a collate_fn of your own."
        )
    columns = [collate(column, collate_fn_map=functions) for column in zip(*batch, strict=True)]
    if isinstance(first, tuple):
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    return _rebuilt_sequence(first, columns)


_empty: Callable | None = None


def place_batches(empty: Callable | None) -> None:
    """Lets batches be written where ``empty(shape, dtype)`` says: a worker process writes them into shared memory."""
    global _empty
    _empty = empty


def room(count: int, sample: Any) -> Any:
    """Where `count` samples like a tensor [...] are to be put together, [count, ...]; None if that does not matter."""
    if _empty is None or sample.requires_grad or type(sample) is not rushlight.Tensor:
        return None
    return _empty((count, *sample.shape), sample.dtype)


def collate_tensor_fn(batch: list, *, collate_fn_map: dict | None = None) -> Any:
    """Stacks tensors [...] to [N, ...]."""
    first = batch[0]
    out = room(len(batch), first) if all(x.dtype is first.dtype and not x.requires_grad for x in batch) else None
    return rushlight.stack(list(batch), 0, out=out)


def collate_numpy_array_fn(batch: list, *, collate_fn_map: dict | None = None) -> Any:
    """Makes a tensor [N, ...] of arrays [...]."""
    if _holds_text(batch[0]):
        raise TypeError(f"[default_collate] arrays must hold numbers. Received dtype {batch[0].dtype}.")
    return collate([rushlight.as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: list, *, collate_fn_map: dict | None = None) -> Any:
    """Makes a tensor [N] of NumPy's numbers."""
    return rushlight.as_tensor(sys.modules["numpy"].stack(batch))


def collate_float_fn(batch: list, *, collate_fn_map: dict | None = None) -> Any:
    """Makes a float64 tensor [N] of floats."""
    return rushlight.tensor(batch, dtype=rushlight.float64)


def collate_int_fn(batch: list, *, collate_fn_map: dict | None = None) -> Any:
    """Makes an int64 tensor [N] of ints, a bool tensor [N] of bools."""
    return rushlight.tensor(batch)


def collate_str_fn(batch: list, *, collate_fn_map: dict | None = None) -> Any:
    """Leaves strings as they are."""
    return batch


# NumPy's types are looked for where none of these fits: it need not be loaded.
default_collate_fn_map: dict = {
    rushlight.Tensor: collate_tensor_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


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
    return collate(batch, collate_fn_map=default_collate_fn_map)
