"""Other shapes of the same elements: views where that is possible."""

import itertools

from rushlight import _core
from rushlight.ops.composition import FUNCTIONS, by_method, clone_for, composition
from rushlight.ops.dimension import given_sizes, wrap_dim, wrap_dims

Tensor = _core.Tensor


# --- joined and divided dimensions


@composition
def flatten(input, start_dim=0, end_dim=-1):
    """The dimensions from start_dim to end_dim as one. A view where strides allow.

    >>> torch.flatten(torch.zeros(2, 3, 4), 1).shape
    torch.Size([2, 12])
    """
    ndim = input.ndim
    if ndim == 0:
        wrap_dim("flatten", start_dim, 0), wrap_dim("flatten", end_dim, 0)
        return input.reshape(1)
    start, end = wrap_dim("flatten", start_dim, ndim), wrap_dim("flatten", end_dim, ndim)
    if start > end:
        raise RuntimeError(
            f"[flatten] flatten() has invalid args: start_dim cannot come after end_dim. Received {start_dim} and "
            f"{end_dim}."
        )
    if start == end:
        return input
    shape = input.shape
    joined = 1
    for n in shape[start : end + 1]:
        joined *= n
    return input.reshape((*shape[:start], joined, *shape[end + 1 :]))


@composition
def unflatten(input, dim, sizes):
    """Dimension dim as several, of the given sizes; one of them may be -1.

    Raises RuntimeError when sizes do not multiply up to the dimension's size.

    >>> torch.unflatten(torch.zeros(2, 6), 1, (3, -1)).shape
    torch.Size([2, 3, 2])
    """
    dim = wrap_dim("unflatten", dim, input.ndim)
    sizes = tuple(sizes) if not isinstance(sizes, int) else (sizes,)
    if not sizes:
        raise RuntimeError("[unflatten] sizes must be non-empty. Received ().")
    known = 1
    for n in sizes:
        known *= n if n != -1 else 1
    total = input.shape[dim] if input.ndim else 1
    if sizes.count(-1) > 1 or (known != total if -1 not in sizes else not known or total % known):
        raise RuntimeError(
            f"[unflatten] Provided sizes must multiply up to the size of dim {dim}. Received {sizes} for {total}."
        )
    shape = input.shape
    if -1 in sizes:
        sizes = tuple(total // known if n == -1 else n for n in sizes)
    return input.reshape((*shape[:dim], *sizes, *shape[dim + 1 :]))


@composition
def ravel(input):
    """All elements in one dimension. A view where strides allow.

    >>> torch.ravel(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return input.reshape(-1)


@composition(public=False)
def view_as(self, other):
    """self viewed with the size of other."""
    return self.view(other.shape)


@composition(public=False)
def reshape_as(self, other):
    """self reshaped to the size of other."""
    return self.reshape(other.shape)


@composition(public=False)
def expand_as(self, other):
    """self expanded to the size of other."""
    return self.expand(other.shape)


@composition
def broadcast_to(input, size):
    """input expanded to `size`: a view.

    >>> torch.broadcast_to(torch.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return input.expand(size)


@composition(method=False)
def broadcast_tensors(*tensors):
    """The tensors expanded to their common shape: views. Raises RuntimeError when there is none.

    >>> x, y = torch.broadcast_tensors(torch.zeros(3), torch.zeros(2, 1))
    >>> x.shape, y.shape
    (torch.Size([2, 3]), torch.Size([2, 3]))
    """
    tensors = given_sizes(tensors)
    shape = _core.broadcast_shapes(*(t.shape for t in tensors))
    return tuple(t if t.shape == shape else t.expand(shape) for t in tensors)


@composition
def tile(input, *repeats, dims=None):
    """input repeated dims[k] times along its k-th last dimension, counted together from the end.

    >>> torch.tile(torch.tensor([1, 2]), (2,))
    tensor([1, 2, 1, 2])
    """
    dims = tuple(given_sizes(repeats)) if dims is None else tuple(dims)
    return input.repeat((1,) * (input.ndim - len(dims)) + dims)


def _at_least(n, tensor):
    if tensor.ndim >= n:
        return tensor
    if n == 3 and tensor.ndim == 2:
        return tensor.unsqueeze(-1)
    if tensor.ndim == 1:
        return tensor[None] if n == 2 else tensor[None, :, None]
    return tensor.reshape((1,) * n)


def _each_at_least(n, tensors):
    if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)):
        return _at_least(n, tensors[0])
    return tuple(_at_least(n, t) for t in given_sizes(tensors))


@composition(method=False)
def atleast_1d(*tensors):
    """Each tensor with at least one dimension.

    >>> torch.atleast_1d(torch.tensor(2.0))
    tensor([2.])
    """
    return _each_at_least(1, tensors)


@composition(method=False)
def atleast_2d(*tensors):
    """Each tensor with at least two dimensions, new ones in front.

    >>> torch.atleast_2d(torch.tensor([1, 2]))
    tensor([[1, 2]])
    """
    return _each_at_least(2, tensors)


@composition(method=False)
def atleast_3d(*tensors):
    """Each tensor with at least three dimensions: [N] becomes [1, N, 1], [M, N] becomes [M, N, 1].

    >>> torch.atleast_3d(torch.tensor([1, 2])).shape
    torch.Size([1, 2, 1])
    """
    return _each_at_least(3, tensors)


# --- another order of dimensions or elements


@composition(aliases=("moveaxis",))
def movedim(input, source, destination):
    """The dimensions `source` moved to the places `destination`; the others keep their order. A view.

    >>> torch.movedim(torch.zeros(2, 3, 4), 0, -1).shape
    torch.Size([3, 4, 2])
    """
    ndim = input.ndim
    source, destination = wrap_dims("movedim", source, ndim), wrap_dims("movedim", destination, ndim)
    if len(source) != len(destination):
        raise RuntimeError(
            "[movedim] Invalid source or destination dims: both must have the same number of elements. "
            f"Received {source} and {destination}."
        )
    if ndim == 0:
        return _core.alias(input)
    order = [d for d in range(ndim) if d not in source]
    for place, d in sorted(zip(destination, source, strict=True)):
        order.insert(place, d)
    return input.permute(order)


@composition
def fliplr(input):
    """The second dimension reversed. Raises RuntimeError below 2-d.

    >>> torch.fliplr(torch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    if input.ndim < 2:
        raise RuntimeError(f"[fliplr] Input must be >= 2-d. Received {input.ndim}-d. Use flip().")
    return input.flip(1)


@composition
def flipud(input):
    """The first dimension reversed. Raises RuntimeError for a 0-d tensor.

    >>> torch.flipud(torch.tensor([1, 2]))
    tensor([2, 1])
    """
    if input.ndim < 1:
        raise RuntimeError("[flipud] Input must be >= 1-d. Received 0-d.")
    return input.flip(0)


@composition
def rot90(input, k=1, dims=(0, 1)):
    """input turned k times by 90 degrees from the first of dims towards the second.

    >>> torch.rot90(torch.tensor([[0, 1], [2, 3]]))
    tensor([[1, 3],
            [0, 2]])
    """
    if len(dims) != 2:
        raise RuntimeError(f"[rot90] expected total rotation dims == 2. Received {tuple(dims)}.")
    if input.ndim < 2:
        raise RuntimeError(f"[rot90] expected total dims >= 2. Received {input.ndim}.")
    a, b = dims
    if a % input.ndim == b % input.ndim:
        raise RuntimeError(f"[rot90] expected rotation dims to be different. Received {tuple(dims)}.")
    wrap_dims("rot90", dims, input.ndim)
    k %= 4
    if k == 0:
        return input.clone()
    if k == 2:
        return input.flip(a, b)
    return (input.flip(b) if k == 1 else input.flip(a)).transpose(a, b)


FUNCTIONS["resolve_conj"], FUNCTIONS["resolve_neg"] = by_method("resolve_conj"), by_method("resolve_neg")


# --- pieces


def _pieces(input, sizes, dim):
    start, pieces = 0, []
    for size in sizes:
        pieces.append(_core.narrow(input, dim, start, size))
        start += size
    return tuple(pieces)


def _split(name, input, size, dim):
    if input.ndim == 0:
        raise RuntimeError(f"[{name}] expects at least a 1-dimensional tensor. Received a 0-d one.")
    if not isinstance(size, int):
        return split_with_sizes(input, size, dim)
    n = input.shape[dim]
    if size < 0 or (size == 0 and n):
        raise RuntimeError(
            f"[{name}] expects split_size be non-negative, and zero only for dimensions of size 0. Received {size}."
        )
    if n == 0:
        return (_core.narrow(input, dim, 0, 0),)
    return tuple([_core.narrow(input, dim, at, min(size, n - at)) for at in range(0, n, size)])


@composition(method=False)
def split(tensor, split_size_or_sections, dim=0):
    """Views of `split_size` along dim, the last may be smaller; or of the given sizes, which must add up.

    >>> torch.split(torch.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    return _split("split", tensor, split_size_or_sections, dim)


def _split_method(self, split_size, dim=0):
    """Views of `split_size` along dim, or of the given sizes."""
    return _split("split", self, split_size, dim)


Tensor.split = _split_method


@composition(aliases=("unsafe_split_with_sizes",))
def split_with_sizes(input, split_sizes, dim=0):
    """Views of the given sizes along dim. Raises RuntimeError unless the sizes add up.

    >>> torch.split_with_sizes(torch.arange(5), [4, 1])
    (tensor([0, 1, 2, 3]), tensor([4]))
    """
    if input.ndim == 0:
        raise RuntimeError("[split_with_sizes] expects at least a 1-dimensional tensor. Received a 0-d one.")
    n = input.shape[dim]
    if sum(split_sizes) != n or any(size < 0 for size in split_sizes):
        raise RuntimeError(
            f"[split_with_sizes] split_sizes must be non-negative and sum exactly to {n} "
            f"(input tensor's size at dimension {dim}). Received {list(split_sizes)}."
        )
    return _pieces(input, split_sizes, dim)


@composition
def unsafe_split(input, split_size, dim=0):
    """As split(); kept for programs that name it."""
    return _split("unsafe_split", input, split_size, dim)


@composition(aliases=("unsafe_chunk",))
def chunk(input, chunks, dim=0):
    """At most `chunks` views of equal size along dim; the last may be smaller.

    >>> torch.chunk(torch.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if input.ndim == 0:
        raise RuntimeError("[chunk] chunk expects at least a 1-dimensional tensor. Received a 0-d one.")
    if chunks <= 0:
        raise RuntimeError(f"[chunk] chunk expects `chunks` to be greater than 0. Received {chunks}.")
    n = input.shape[dim]
    if n == 0:
        return _pieces(input, [0] * chunks, dim)
    return _split("chunk", input, -(-n // chunks), dim)


def _sections(name, input, indices_or_sections, dim, even=False):
    """The pieces that tensor_split and its relatives describe."""
    n = input.shape[dim]
    given = indices_or_sections
    if isinstance(given, Tensor):
        if given.dtype != _core.int64 or given.ndim > 1:
            raise RuntimeError(
                f"[{name}] tensor_indices_or_sections must be a 0-d or 1-d int64 tensor. "
                f"Received {given.dtype} of {given.ndim} dimensions."
            )
        given = given.tolist()
    if isinstance(given, int):
        if given <= 0:
            raise RuntimeError(f"[{name}] number of sections must be larger than 0. Received {given}.")
        if even and n % given:
            raise RuntimeError(
                f"[{name}] attempted to split along dimension {dim}, but the size of the dimension {n} "
                f"is not divisible by the split_size {given}!"
            )
        size, larger = divmod(n, given)
        return _pieces(input, [size + (k < larger) for k in range(given)], dim)
    bounds = [0, *given, n]
    return tuple([_core.slice(input, dim, a, b, 1) for a, b in itertools.pairwise(bounds)])


@composition
def tensor_split(input, indices_or_sections, dim=0):
    """Views along dim: as many of nearly equal size as the number says, or cut before the given indices.

    >>> torch.tensor_split(torch.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> torch.tensor_split(torch.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    if input.ndim == 0:
        raise RuntimeError("[tensor_split] tensor_split expected at least a 1-dimensional tensor. Received a 0-d one.")
    return _sections("tensor_split", input, indices_or_sections, dim)


def _directed_split(name, input, indices_or_sections, dim, at_least):
    if input.ndim < at_least:
        raise RuntimeError(
            f"[{name}] torch.{name} requires a tensor with at least {at_least} dimension(s). Received {input.ndim}."
        )
    return _sections(name, input, indices_or_sections, dim, even=True)


@composition
def hsplit(input, indices_or_sections):
    """Views along columns (the first dimension of a 1-d tensor). The number of them must divide the size.

    >>> torch.hsplit(torch.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    return _directed_split("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1, 1)


@composition
def vsplit(input, indices_or_sections):
    """Views along rows. The number of them must divide the size.

    >>> torch.vsplit(torch.tensor([[1, 2], [3, 4]]), 2)
    (tensor([[1, 2]]), tensor([[3, 4]]))
    """
    return _directed_split("vsplit", input, indices_or_sections, 0, 2)


@composition
def dsplit(input, indices_or_sections):
    """Views along the third dimension. The number of them must divide the size.

    >>> torch.dsplit(torch.tensor([[[1, 2]]]), 2)
    (tensor([[[1]]]), tensor([[[2]]]))
    """
    return _directed_split("dsplit", input, indices_or_sections, 2, 3)


@composition
def unbind(input, dim=0):
    """The slices along dim, without it: views.

    >>> torch.unbind(torch.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    if input.ndim == 0:
        raise IndexError("[unbind] Dimension specified as 0 but tensor has no dimensions. Received a 0-d tensor.")
    n = input.shape[wrap_dim("unbind", dim, input.ndim)]
    return tuple([_core.select(input, dim, k) for k in range(n)])


@composition(out=True)
def narrow_copy(input, dim, start, length, *, out=None):
    """A copy of input.narrow(dim, start, length).

    >>> torch.narrow_copy(torch.arange(5), 0, 1, 2)
    tensor([1, 2])
    """
    if input.ndim == 0:
        raise RuntimeError("[narrow_copy] narrow() cannot be applied to a 0-dim tensor. Received a 0-d tensor.")
    if dim >= input.ndim:  # PyTorch's class here; below the range narrow raises IndexError, as PyTorch does
        raise RuntimeError(f"[narrow_copy] dim must be in [{-input.ndim}, {input.ndim - 1}]. Received {dim}.")
    return input.narrow(dim, start, length).clone()


# --- diagonals, and writing into a part of a copy


@composition(out=True)
def diag(input, diagonal=0, *, out=None):
    """The matrix with input [N] on a diagonal, or that diagonal of a matrix [M, N].

    >>> torch.diag(torch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise RuntimeError(f"[diag] diag(): Supports 1D or 2D tensors. Got {input.ndim}D.")
    return input.diagonal(diagonal).clone()


@composition
def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """Matrices in the dimensions dim1 and dim2 of the result with the rows of input [*, N] on a diagonal.

    >>> torch.diag_embed(torch.tensor([[1, 2]]))
    tensor([[[1, 0],
             [0, 2]]])
    """
    ndim = input.ndim + 1
    first, second = wrap_dim("diag_embed", dim1, ndim), wrap_dim("diag_embed", dim2, ndim)
    if first == second:
        raise RuntimeError(f"[diag_embed] diagonal dimensions cannot be identical. Received {dim1} and {dim2}.")
    n = input.shape[-1] + abs(offset)
    sizes = list(input.shape[:-1])
    for d in sorted((first, second)):
        sizes.insert(d, n)
    made = input.new_zeros(sizes)
    made.diagonal(offset, first, second).copy_(input)
    return made


@composition
def diagflat(input, offset=0):
    """The matrix with all elements of input on a diagonal.

    >>> torch.diagflat(torch.tensor([[1, 2]]))
    tensor([[1, 0],
            [0, 2]])
    """
    return diag_embed(input.reshape(-1), offset)


def _written(name, input, part, src):
    """A copy of input in which the view that part(copy) gives holds src."""
    if part(input).shape != src.shape:
        raise RuntimeError(
            f"[{name}] expected src to have a size equal to the slice of self. "
            f"Received {tuple(src.shape)} for {tuple(part(input).shape)}."
        )
    made = clone_for(input, src)
    part(made).copy_(src)
    return made


@composition
def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """A copy of input with src on a diagonal.

    >>> torch.diagonal_scatter(torch.zeros(2, 2), torch.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _written("diagonal_scatter", input, lambda x: x.diagonal(offset, dim1, dim2), src)


@composition
def select_scatter(input, src, dim, index):
    """A copy of input with src at input.select(dim, index).

    >>> torch.select_scatter(torch.zeros(2, 2), torch.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    return _written("select_scatter", input, lambda x: x.select(dim, index), src)


@composition(out=True)
def slice_scatter(input, src, dim=0, start=None, end=None, step=1, *, out=None):
    """A copy of input with src at its elements start, start + step, ... below end along dim.

    >>> torch.slice_scatter(torch.zeros(3), torch.ones(2), start=1)
    tensor([0., 1., 1.])
    """
    return _written("slice_scatter", input, lambda x: _core.slice(x, dim, start, end, step), src)


@composition(public=False)
def fill_diagonal_(input, fill_value, wrap=False):
    """Writes fill_value on the main diagonal in place; wrap continues it below a tall matrix, one row left out each
    time.

    All dimensions of a tensor of more than two must be equal. Raises RuntimeError otherwise.

    >>> torch.zeros(2, 2).fill_diagonal_(5)
    tensor([[5., 0.],
            [0., 5.]])
    """
    if input.ndim < 2:
        raise RuntimeError(f"[fill_diagonal_] dimensions must larger than 1. Received {input.ndim}.")
    if input.ndim > 2 and len(set(input.shape)) > 1:
        raise RuntimeError(
            f"[fill_diagonal_] all dimensions of input must be of equal length. Received {tuple(input.shape)}."
        )
    step = sum(input.stride())
    steps = [(0, min(input.shape))]
    rows, columns = input.shape[0], input.shape[1]
    if wrap and input.ndim == 2:
        steps = [(top, min(rows - top, columns)) for top in range(0, rows, columns + 1)]
    for top, n in steps:
        input.as_strided((n,), (step,), input.storage_offset() + top * input.stride(0)).fill_(fill_value)
    return input


@composition(method=False)
def block_diag(*tensors):
    """The matrix with the given matrices (rows, numbers) on its diagonal and zeros elsewhere.

    >>> torch.block_diag(torch.tensor([[1, 2]]), torch.tensor(3))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    tensors = given_sizes(tensors)
    for t in tensors:
        if t.ndim > 2:
            raise RuntimeError(f"[block_diag] Input tensors must have 2 or fewer dimensions. Received {t.ndim}.")
    blocks = [_at_least(2, t) for t in tensors]
    if not blocks:
        return _core.empty(1, 0)
    width, left, rows = sum(b.shape[1] for b in blocks), 0, []
    for b in blocks:
        rows.append(_core.constant_pad_nd(b, (left, width - left - b.shape[1])))
        left += b.shape[1]
    return _core.cat(rows)


# --- grids and combinations


@composition(method=False)
def meshgrid(*tensors, indexing=None):
    """One n-d grid for each of the n 1-d tensors: its values along its own dimension. Views.

    indexing "xy" gives the first two dimensions the sizes of the second and the first tensor.

    >>> x, y = torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4]), indexing="ij")
    >>> x
    tensor([[1, 1],
            [2, 2]])
    """
    tensors = list(given_sizes(tensors))
    if not tensors:
        raise RuntimeError("[meshgrid] meshgrid expects a non-empty TensorList. Received none.")
    for t in tensors:
        if t.ndim > 1:
            raise RuntimeError(f"[meshgrid] Expected 0D or 1D tensors in the list. Received {t.ndim}D.")
        if t.dtype != tensors[0].dtype:
            raise RuntimeError(
                "[meshgrid] meshgrid expects all tensors to have the same dtype. "
                f"Received {tensors[0].dtype} and {t.dtype}."
            )
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'[meshgrid] indexing must be one of "xy" or "ij". Received {indexing!r}.')
    swap = indexing == "xy" and len(tensors) > 1
    if swap:
        tensors[:2] = tensors[1::-1]
    shape = [t.numel() for t in tensors]
    grids = [t.reshape([-1 if d == k else 1 for d in range(len(shape))]).expand(shape) for k, t in enumerate(tensors)]
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


@composition(method=False)
def cartesian_prod(*tensors):
    """All combinations of one element of each 1-d tensor: [product of sizes, number of tensors].

    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    tensors = given_sizes(tensors)
    for t in tensors:
        if t.ndim != 1:
            raise RuntimeError(f"[cartesian_prod] Expect a 1D vector. Received shape {tuple(t.shape)}.")
    if len(tensors) == 1:
        return tensors[0]
    return _core.stack([g.reshape(-1) for g in meshgrid(*tensors, indexing="ij")], 1)


@composition(method=False)
def combinations(input, r=2, with_replacement=False):
    """All choices of r elements of input [N], in order: [number of choices, r].

    >>> torch.combinations(torch.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if input.ndim != 1:
        raise RuntimeError(f"[combinations] Expect a 1D vector. Received shape {tuple(input.shape)}.")
    if r < 0:
        raise RuntimeError(f"[combinations] Expect a non-negative number. Received {r}.")
    if r == 0:
        return _core.empty(0, dtype=input.dtype)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = list(itertools.chain.from_iterable(choose(range(input.shape[0]), r)))
    return input.index_select(0, _core.tensor_from(places, _core.int64, True)).reshape(-1, r)


@composition(method=False)
def vander(x, N=None, increasing=False):
    """The Vandermonde matrix of x [n]: [n, N], its columns the powers N - 1 ... 0 of x, or 0 ... N - 1.

    >>> torch.vander(torch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    if x.ndim != 1:
        raise RuntimeError(f"[vander] x must be a one-dimensional tensor. Received {tuple(x.shape)}.")
    n = x.shape[0] if N is None else N
    if n < 0:
        raise RuntimeError(f"[vander] N must be non-negative. Received {n}.")
    dtype = x.dtype if x.is_floating_point() or x.is_complex() else _core.int64
    ones = _core.ones((x.shape[0], min(n, 1)), dtype=dtype)
    powers = x.to(dtype).unsqueeze(1).expand(x.shape[0], max(n - 1, 0)).cumprod(1)
    made = _core.cat([ones, powers], 1)
    return made if increasing else made.flip(1)


def _triangle(keep, row, col, offset, dtype, device, name):
    if row < 0 or col < 0:
        raise RuntimeError(f"[{name}] row and col must be non-negative. Received {row} and {col}.")
    if device is not None:
        _core.check_device(device)
    places = _core.nonzero(keep(_core.ones((row, col), dtype=_core.bool), offset)).t().contiguous()
    return places.to(dtype or _core.int64)


@composition(method=False)
def tril_indices(row, col, offset=0, *, dtype=_core.int64, device="cpu", layout=None):
    """The places of the lower triangle of a row x col matrix: [2, number], the row numbers first.

    >>> torch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _triangle(_core.tril, row, col, offset, dtype, device, "tril_indices")


@composition(method=False)
def triu_indices(row, col, offset=0, *, dtype=_core.int64, device="cpu", layout=None):
    """The places of the upper triangle of a row x col matrix: [2, number], the row numbers first.

    >>> torch.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return _triangle(_core.triu, row, col, offset, dtype, device, "triu_indices")


# --- copies instead of views


def _copying(name, view):
    def copy(input, *args, out=None, **kwargs):
        result = view(input, *args, **kwargs)
        copies = tuple(r.clone() for r in result) if isinstance(result, tuple) else result.clone()
        if out is None:
            return copies
        if isinstance(copies, tuple):
            for target, value in zip(out, copies, strict=True):
                target.resize_(value.shape).copy_(value)
            return None
        return out.resize_(copies.shape).copy_(copies)

    copy.__name__ = copy.__qualname__ = name
    copy.__doc__ = f"A copy of what {name.removesuffix('_copy')}() would show as a view."
    return copy


def _part(name):
    """A part of a sparse tensor, by the name of its method."""

    def part(input):
        if input.layout is _core.strided:
            raise RuntimeError(f"[{name}_copy] the tensor must be sparse. Received a strided one. Use to_sparse().")
        return getattr(input, name)()

    return part


_SPARSE_PARTS = ("ccol_indices", "col_indices", "crow_indices", "indices", "row_indices", "values")
_VIEWS = {
    **{name: _part(name) for name in _SPARSE_PARTS},
    "alias": _core.alias,
    "as_strided": _core.as_strided,
    "detach": by_method("detach"),
    "diagonal": _core.diagonal,
    "expand": lambda input, size, *, implicit=False: _core.expand(input, size),
    "permute": _core.permute,
    "select": _core.select,
    "slice": lambda input, dim=0, start=None, end=None, step=1: _core.slice(input, dim, start, end, step),
    "split": split,
    "split_with_sizes": split_with_sizes,
    "squeeze": _core.squeeze,
    "t": _core.t,
    "transpose": _core.transpose,
    "unbind": unbind,
    "unfold": _core.unfold,
    "unsqueeze": _core.unsqueeze,
    "view": lambda input, size: input.view(size),
    "view_as_complex": _core.view_as_complex,
    "view_as_real": _core.view_as_real,
}
for _name, _view in _VIEWS.items():
    FUNCTIONS[f"{_name}_copy"] = _copying(f"{_name}_copy", _view)
for _name in ("detach", "detach_"):
    FUNCTIONS[_name] = by_method(_name)
