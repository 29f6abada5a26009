"""Functions of single elements that leave zero alone: they need only the values."""

import numbers

import rushlight
from rushlight.sparse.coo import CooTensor, coo, empty_coo, keys_of, places_of
from rushlight.sparse.tensor import implements, is_sparse, refuse, to_layout, write

# f(a + b) = f(a) + f(b): values of equal coordinates may stay apart.
_ADDITIVE = ("neg", "negative", "positive", "conj", "conj_physical", "real", "imag", "deg2rad", "rad2deg")
_OTHERS = (
    "abs", "absolute", "angle", "arcsin", "arcsinh", "arctan", "arctanh", "asin", "asinh", "atan", "atanh", "ceil",
    "erf", "erfinv", "expm1", "floor", "frac", "isinf", "isnan", "isneginf", "isposinf", "log1p", "nan_to_num", "relu",
    "round", "sgn", "sign", "signbit", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc", "fix",
)  # fmt: skip


def _of_values(name, additive):
    def function(input, *args, **kwargs):
        tensor = input if additive or not isinstance(input, CooTensor) else input.coalesce()
        return tensor._like(getattr(rushlight, name)(tensor._elements, *args, **kwargs))

    function.__name__ = name
    return implements(name)(function)


for _name in _ADDITIVE:
    _of_values(_name, True)
for _name in _OTHERS:
    _of_values(_name, False)


@implements()
def pow(input, exponent):
    """Every element to the power of a number above zero."""
    if not is_sparse(input) or not isinstance(exponent, numbers.Number):
        refuse("pow")
    if not exponent > 0:
        raise RuntimeError(f"[pow] the exponent of a sparse tensor must be above zero. Received {exponent}.")
    tensor = input.coalesce() if isinstance(input, CooTensor) else input
    return tensor._like(tensor._elements**exponent)


# --- sums and products of two tensors


def _check_same_size(op, a, b):
    if a.shape != b.shape:
        raise RuntimeError(
            f"[{op}] the tensors must have the same size. Received {tuple(a.shape)} and {tuple(b.shape)}: "
            "sparse tensors do not broadcast."
        )


def _is_number(value):
    return isinstance(value, numbers.Number) or (
        isinstance(value, rushlight.Tensor) and value.ndim == 0 and not is_sparse(value)
    )


def _scaled(values, alpha):
    return values if alpha == 1 else values * alpha


@implements()
def add(input, other, *, alpha=1):
    """Of two sparse tensors a sparse one; of a strided and a sparse tensor a strided one."""
    if is_sparse(input) and is_sparse(other):
        _check_same_size("add", input, other)
        return to_layout(_sparse_sum(input._as_coo(), other._as_coo(), alpha), input.layout)
    if is_sparse(other) and isinstance(input, rushlight.Tensor):
        _check_same_size("add", input, other)
        return _scattered(input, other, alpha, in_place=False)
    if is_sparse(input) and not isinstance(input, CooTensor) and not _is_number(other):
        return _scattered(other if alpha == 1 else other * alpha, input, 1, in_place=False)
    raise RuntimeError("[add] add(sparse, dense) is not supported. Use add(dense, sparse) instead.")


def _sparse_sum(a, b, alpha):
    if a.sparse_dim() != b.sparse_dim():
        raise RuntimeError(
            f"[add] expected tensors with as many sparse dimensions. Received {a.sparse_dim()} and {b.sparse_dim()}."
        )
    if a._places is b._places or (a._places.shape == b._places.shape and rushlight.equal(a._places, b._places)):
        return coo(a._places, a._elements + _scaled(b._elements, alpha), a.shape, a._coalesced or b._coalesced)
    dtype = rushlight.promote_types(a.dtype, b.dtype)
    elements = rushlight.cat([a._elements.to(dtype), _scaled(b._elements, alpha).to(dtype)])
    result = coo(rushlight.cat([a._places, b._places], 1), elements, a.shape)
    return result.coalesce() if a._coalesced and b._coalesced else result


def _scattered(dense, sparse, alpha, in_place):
    """dense + alpha * sparse."""
    tensor = sparse._as_coo()
    elements = _scaled(tensor._elements, alpha)
    if in_place:
        elements = elements.to(dense.dtype)
    else:
        dtype = rushlight.promote_types(dense.dtype, elements.dtype)
        dense, elements = dense.to(dtype), elements.to(dtype)
    if tensor.sparse_dim() == 1 and elements.dtype != rushlight.bool:
        put = dense.index_add_ if in_place else dense.index_add
        return put(0, tensor._places[0], elements)
    put = dense.index_put_ if in_place else dense.index_put
    return put(tuple(tensor._places.unbind(0)), elements, accumulate=True)


@implements()
def add_(input, other, *, alpha=1):
    """In place; of a strided tensor, only the elements at the sparse tensor's places are touched."""
    if is_sparse(input):
        return write(input, add(input, other, alpha=alpha))
    _check_same_size("add_", input, other)
    if not rushlight.can_cast(other.dtype, input.dtype):
        raise RuntimeError(f"[add_] result type {other.dtype} can't be cast to the desired output type {input.dtype}.")
    return _scattered(input, other, alpha, in_place=True)


@implements("sub", "subtract")
def sub(input, other, *, alpha=1):
    """As add, with the other tensor's negative."""
    return add(input, other, alpha=-alpha)


@implements("sub_", "subtract_")
def sub_(input, other, *, alpha=1):
    """As add_, with the other tensor's negative."""
    return add_(input, other, alpha=-alpha)


@implements("mul", "multiply")
def mul(input, other):
    """With a number, a strided tensor that broadcasts to the sparse one's size, or a sparse tensor of the same size:
    sparse."""
    if not is_sparse(input):
        input, other = other, input
    if _is_number(other):
        return input._like(input._elements * other)
    if is_sparse(other):
        _check_same_size("mul", input, other)
        return to_layout(_sparse_product(input._as_coo(), other._as_coo()), input.layout)
    tensor = input._as_coo()
    at_places = other.expand(tensor.shape)[tuple(tensor._places.unbind(0))]
    return input._like(tensor._elements * at_places)


def _sparse_product(a, b):
    if a._places is b._places and a._coalesced:
        return a._like(a._elements * b._elements)
    if a.sparse_dim() != b.sparse_dim():
        raise RuntimeError(
            f"[mul] expected tensors with as many sparse dimensions. Received {a.sparse_dim()} and {b.sparse_dim()}."
        )
    a, b = a.coalesce(), b.coalesce()
    sparse_size = a.shape[: a.sparse_dim()]
    if not (a._nnz() and b._nnz()):
        return empty_coo(a.shape, len(sparse_size), rushlight.promote_types(a.dtype, b.dtype))
    at, both = look_up(keys_of(a), keys_of(b))
    places = places_of(keys_of(b)[both], sparse_size)
    return coo(places, a._elements[at[both]] * b._elements[both], a.shape, True)


def look_up(sorted_keys, keys):
    """(where each of keys stands in sorted_keys, which is not empty; whether it is there at all)."""
    at = rushlight.searchsorted(sorted_keys, keys).clamp(max=len(sorted_keys) - 1)
    return at, sorted_keys[at] == keys


@implements("div", "divide", "true_divide")
def div(input, other, *, rounding_mode=None):
    """By a number or a 0-d tensor."""
    if is_sparse(other) or not _is_number(other):
        raise RuntimeError(
            "[div] Sparse division requires a scalar or zero-dim dense tensor divisor (got shape "
            f"{list(other.shape)} for divisor). Multiply by the inverse, or call .to_dense() first."
        )
    tensor = input.coalesce() if rounding_mode and isinstance(input, CooTensor) else input
    return tensor._like(rushlight.div(tensor._elements, other, rounding_mode=rounding_mode))


@implements("floor_divide")
def _floor_divide(input, other):
    return div(input, other, rounding_mode="floor")


@implements("trunc_divide")
def _trunc_divide(input, other):
    return div(input, other, rounding_mode="trunc")


# --- what is no arithmetic


@implements()
def zero_(input):
    """Drops all values."""
    empty = empty_coo(input.shape, input.sparse_dim(), input.dtype)
    return write(input, empty)


@implements("zeros_like", "empty_like")
def zeros_like(input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None):
    """A sparse tensor of the same size without values."""
    dtype = dtype or input.dtype
    if layout is rushlight.strided:
        return rushlight.zeros(input.shape, dtype=dtype, requires_grad=requires_grad)
    made = to_layout(empty_coo(input.shape, input.sparse_dim(), dtype), layout or input.layout)
    return made.requires_grad_(requires_grad)


@implements("copy_", "copy")
def copy_(input, other, non_blocking=False):
    """Makes a sparse tensor hold what another one does, or a strided one its elements."""
    _check_same_size("copy_", input, other)
    return write(input, other)


@implements()
def to_dtype(input, dtype):
    """The values converted."""
    return input.to(dtype)
