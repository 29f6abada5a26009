"""Elements by index: the batch becomes one more index where the indices differ between examples."""

import rushlight
from rushlight import _core
from rushlight.func.batched import Batched, front, is_at, lifted, wrap_dim
from rushlight.func.rules.registry import by_loop, finished, require_batch, rule

Tensor = _core.Tensor


def getitem(level, x, key):
    """x[key] for an example: numbers and slices first, then what is indexed by tensors."""
    basic, indices = _split(x, key)
    x = Batched(x.value[(slice(None), *basic)], level) if is_at(x, level) else x[basic]
    return x if indices is None else finished(_index(level, x, indices), level)


def setitem(level, x, key, value):
    """x[key] = value for an example."""
    require_batch(level, "__setitem__", x)
    mask = _whole_mask(key, value)
    if mask is not None:
        x.masked_fill_(mask.reshape(*mask.shape, *[1] * (x.ndim - mask.ndim)), value)
        return
    basic, indices = _split(x, key)
    place = Batched(x.value[(slice(None), *basic)], level)
    if not isinstance(value, Tensor):
        value = rushlight.tensor(value, dtype=x.dtype)
    if indices is None:
        while value.ndim > place.ndim and value.shape[0] == 1:
            value = value[0]
        place.copy_(value)
    else:
        place.index_put_(indices, value.to(x.dtype) if value.ndim == 0 else value)


def _whole_mask(key, value):
    """The key when it is one mask that differs between examples, to be filled with one value."""
    is_mask = type(key) is Batched and key.dtype == _core.bool
    is_one = value.ndim == 0 if isinstance(value, Tensor) else isinstance(value, (bool, int, float, complex))
    return key if is_mask and is_one else None


def _split(x, key):
    """(key without tensors, tensors by the dimension that they index then, or None when there are none)."""
    entries = _entries(key)
    named = sum(entry is not None and entry is not Ellipsis and not _is_flag(entry) for entry in entries)
    if named > x.ndim:
        raise IndexError(
            f"[index] too many indices for tensor of dimension {x.ndim}. Received {named} for {list(x.shape)}."
        )
    basic, indices, dim = [], {}, 0
    for entry in entries:
        if _is_flag(entry):  # a new dimension of size 1, of which one or no element is taken
            basic.append(None)
            indices[dim] = _core.zeros(int(entry), dtype=_core.int64)
        elif isinstance(entry, Tensor):
            basic.append(slice(None))
            indices[dim] = entry
        else:
            basic.append(entry)
        if entry is Ellipsis:
            dim += x.ndim - named
        else:
            dim += entry is None or isinstance(entry, (slice, Tensor))
    return tuple(basic), [indices.get(d) for d in range(max(indices) + 1)] if indices else None


def _entries(key):
    """The parts of a key, sequences as tensors. A mask is replaced by the places where it holds."""
    entries = []
    for entry in key if isinstance(key, tuple) else (key,):
        if isinstance(entry, (bool, list, range)) or type(entry).__module__ == "numpy":
            entry = _core.tensor_from(entry, None, False)
        if not isinstance(entry, Tensor) or entry.dtype not in (_core.bool, _core.uint8):
            entries.append(entry)
        elif type(entry) is Batched:
            raise RuntimeError(
                "[vmap] a mask that indexes must be the same for all examples: the size of the result depends on it "
                "(dynamic shape). Use torch.where(mask, a, b)."
            )
        else:
            entries.extend(_core.nonzero(entry).unbind(1) if entry.ndim else [entry.to(_core.bool)])
    return entries


def _is_flag(entry):
    """Whether it is a single truth value."""
    return isinstance(entry, Tensor) and entry.dtype == _core.bool


def _index(level, x, indices):
    """x indexed by tensors, None standing for a whole dimension; the batch in front."""
    places = [d for d, i in enumerate(indices) if i is not None]
    adjacent = places == list(range(places[0], places[-1] + 1))
    rank = max(indices[d].ndim for d in places)
    if not any(is_at(i, level) for i in indices):
        result = _core.index(x.value, [None, *indices])
        return result if adjacent else result.movedim(rank, 0)
    first = places[0] if adjacent else 0
    inner = [None if i is None else lifted(i, level, rank) for i in indices]
    if not is_at(x, level):
        return _core.index(x, inner).movedim(first, 0)
    result = _core.index(x.value, [_numbers(level, rank), *inner])
    return result.movedim(tuple(range(1, 1 + rank)), tuple(range(1 + first, 1 + first + rank)))


def _numbers(level, rank):
    """The number of the example, as an index that broadcasts with those of an example."""
    return _core.arange(0, level.size).reshape(level.size, *[1] * rank)


@rule("index")
def index(level, plan, input, indices):
    for i in indices:
        if i is not None and i.dtype in (_core.bool, _core.uint8):
            return getitem(level, input, tuple(slice(None) if i is None else i for i in indices))
    return _index(level, input, indices)


@rule("index_put")
def index_put(level, plan, input, indices, values, accumulate):
    if len(indices) == 1 and not accumulate and (mask := _whole_mask(indices[0], values)) is not None:
        return input.masked_fill(mask.reshape(*mask.shape, *[1] * (input.ndim - mask.ndim)), values)
    if any(i is not None and i.dtype in (_core.bool, _core.uint8) for i in indices):
        _, indices = _split(input, tuple(slice(None) if i is None else i for i in indices))
    x, inner, values = _put_arguments(level, input, indices, values)
    return _core.index_put(x, inner, values, accumulate)


def _put_arguments(level, input, indices, values):
    places = [d for d, i in enumerate(indices) if i is not None]
    adjacent = places == list(range(places[0], places[-1] + 1))
    rank = max(indices[d].ndim for d in places)
    x = front(input, level)
    result_rank = input.ndim - len(places) + rank
    if adjacent and not any(is_at(i, level) for i in indices):
        return x, [None, *indices], lifted(values, level, result_rank)
    first = places[0] if adjacent else 0
    inner = [_numbers(level, rank), *(None if i is None else lifted(i, level, rank) for i in indices)]
    if first:  # what the tensors index comes right behind the batch
        shape = _core.broadcast_shapes(*(i.shape for i in indices if i is not None))
        rest = [n for d, n in enumerate(input.shape) if d not in places]
        values = values.expand(*rest[:first], *shape, *rest[first:])
        values = values.movedim(tuple(range(first, first + rank)), tuple(range(rank)))
    return x, inner, lifted(values, level, result_rank)


@rule("index_select")
def index_select(level, plan, input, dim, index):
    dim = wrap_dim("index_select", dim, input.ndim)
    if not is_at(index, level):
        x = input.value.unsqueeze(1) if input.ndim == 0 else input.value
        result = _core.index_select(x, dim + 1, index)
        return result.squeeze(1) if input.ndim == 0 else result
    if input.ndim == 0:
        return front(input, level)
    return _index(level, input, [*[None] * dim, index.reshape(-1)])


@rule("index_add", "index_copy", "index_fill")
def index_write(level, plan, input, dim, index, source, *alpha):
    if is_at(index, level) or input.ndim == 0 or (plan.name == "index_fill" and isinstance(source, Tensor)):
        return by_loop(level, plan, input, dim, index, source, *alpha)
    source = front(source, level) if isinstance(source, Tensor) else source
    return plan.call([front(input, level), wrap_dim(plan.name, dim, input.ndim) + 1, index, source, *alpha])


@rule("gather", "scatter", "scatter_add", "scatter_reduce", "scatter_value")
def along_index(level, plan, input, dim, index, *rest):
    """The index has the rank of the input, and so does what is scattered."""
    dim = wrap_dim(plan.name, dim, input.ndim) + 1
    flat = [front(x, level) if isinstance(x, Tensor) else x for x in (input, index, *rest)]
    if input.ndim == 0 or index.ndim == 0:
        flat = [x.unsqueeze(1) if isinstance(x, Tensor) and x.ndim == 1 else x for x in flat]
    result = plan.call([flat[0], dim, flat[1], *flat[2:]])
    wanted = index.ndim if plan.name == "gather" else input.ndim
    return result.squeeze(1) if wanted == 0 else result


@rule("take")
def take(level, plan, input, index):
    flat = input.reshape(-1)
    return flat[index]
