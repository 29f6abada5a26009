"""Reductions with several forms, statistics and differences."""

import builtins

import rushlight
from rushlight import _core, return_types
from rushlight.ops.composition import composition, everywhere, write_out
from rushlight.ops.dimension import wrap_dim, wrap_dims

Tensor = _core.Tensor


# --- extrema


def _extremum(name, whole, along, between, named):
    """The function with the three forms of torch.max and torch.min."""

    def extremum(input, dim=None, keepdim=False, *, other=None, out=None):
        if isinstance(dim, Tensor):
            other, dim = dim, None
        if other is not None:
            return between(input, other, out=out)
        if dim is None:
            if input.numel() == 0:
                raise RuntimeError(
                    f"[{name}] Expected reduction dim to be specified for input.numel() == 0. "
                    f"Received shape {tuple(input.shape)}. Specify the reduction dim with the 'dim' argument."
                )
            result = whole(input)
            return result if out is None else write_out(name, result, out)
        result = named(along(input, dim, keepdim))
        return result if out is None else write_out(name, result, out)

    extremum.__name__ = extremum.__qualname__ = name
    return extremum


max = _extremum("max", _core.amax, _core.max_dim, _core.maximum, return_types.max)
max.__doc__ = """The largest element; with dim (values, indices) along it; with a second tensor the larger of both.

NaN wins. Equal elements share the gradient of max(input); max(input, dim) gives it to the first.

>>> torch.max(torch.tensor([[1.0, 3.0], [5.0, 2.0]]), dim=1)
torch.return_types.max(
values=tensor([3., 5.]),
indices=tensor([1, 0]))
"""
min = _extremum("min", _core.amin, _core.min_dim, _core.minimum, return_types.min)
min.__doc__ = """The smallest element; with dim (values, indices) along it; with a second tensor the smaller of both.

NaN wins. Equal elements share the gradient of min(input); min(input, dim) gives it to the first.

>>> torch.min(torch.tensor([4, 2, 3]))
tensor(2)
"""
composition(max)
composition(min)


@composition
def aminmax(input, *, dim=None, keepdim=False, out=None):
    """(min, max) of all elements or along dim; out=, two tensors, must have input's dtype.

    >>> torch.aminmax(torch.tensor([1.0, -3.0, 5.0]))
    torch.return_types.aminmax(
    min=tensor(-3.),
    max=tensor(5.))
    """
    if dim is None:
        if input.numel() == 0:
            raise RuntimeError("[aminmax] cannot compute aminmax over an empty dimension. Received no elements.")
        low, high = _core.amin(input), _core.amax(input)
        if keepdim:
            low, high = (x.reshape((1,) * input.ndim) for x in (low, high))
    else:
        low, high = _core.amin(input, dim, keepdim), _core.amax(input, dim, keepdim)
    result = return_types.aminmax((low, high))
    if out is None:
        return result
    for x in out:
        if x.dtype != input.dtype:
            raise RuntimeError(f"[aminmax] out must have input's dtype, {input.dtype}. Received {x.dtype}.")
    return write_out("aminmax", result, out)


# --- variance


def _variance(row):
    """torch.var's forms: (input, unbiased), (input, dim, unbiased, keepdim), (input, dim, *, correction, keepdim)."""
    name = row.__name__

    def variance(input, dim=None, unbiased=None, keepdim=False, *, correction=1):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        if unbiased is not None:
            correction = int(unbiased)
        return row(input, dim, correction=correction, keepdim=keepdim)

    def variance_out(input, dim=None, unbiased=None, keepdim=False, *, correction=1, out=None):
        result = variance(input, dim, unbiased, keepdim, correction=correction)
        return result if out is None else write_out(name, result, out)

    def pair(input, dim=None, unbiased=None, keepdim=False, *, correction=1, out=None):
        return tuple(variance_out(input, dim, unbiased, keepdim, correction=correction, out=out))

    made = pair if name.endswith("_mean") else variance_out
    made.__name__ = made.__qualname__ = name
    return made


var, std = _variance(_core.var), _variance(_core.std)
var_mean, std_mean = _variance(_core.var_mean), _variance(_core.std_mean)
var.__doc__ = """The variance of all elements or along dim: the squared distances from the mean over n - correction.

unbiased: correction 1 or 0.

>>> torch.var(torch.tensor([1.0, 2.0, 3.0, 4.0]))
tensor(1.6667)
"""
std.__doc__ = """The standard deviation of all elements or along dim, see `var`.

>>> torch.std(torch.tensor([1.0, 2.0, 3.0, 4.0]), unbiased=False)
tensor(1.1180)
"""
var_mean.__doc__ = """(variance, mean) of all elements or along dim, see `var`.

>>> torch.var_mean(torch.tensor([1.0, 3.0]))
(tensor(2.), tensor(2.))
"""
std_mean.__doc__ = """(standard deviation, mean) of all elements or along dim, see `var`.

>>> torch.std_mean(torch.tensor([1.0, 3.0]), correction=0)
(tensor(1.), tensor(2.))
"""
composition(var)
composition(std)
composition(method=False)(var_mean)
composition(method=False)(std_mean)


@composition(out=True)
def cov(input, *, correction=1, fweights=None, aweights=None):
    """The covariance matrix of the variables in the rows of input [variables, observations]: [variables, variables].

    fweights: how often each observation counts, integers; aweights: how much, floating point. A 1-d input is one
    variable.

    >>> torch.cov(torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise RuntimeError(f"[cov] expected input to have two or fewer dimensions. Received {input.ndim}.")
    if input.dtype == _core.bool:
        raise RuntimeError("[cov] bool dtype is not supported for input. Received bool. Use .float().")
    rows = input.reshape(1, -1) if input.ndim < 2 else input
    n = rows.shape[1]
    weight = None
    if fweights is not None:
        weight = _checked_weights("fweights", fweights, n, whole=True)
    if aweights is not None:
        a = _checked_weights("aweights", aweights, n, whole=False)
        weight = a if weight is None else weight * a
    total = n if weight is None else weight.sum()
    if weight is not None and n and bool(total == 0):
        raise RuntimeError("[cov] weights sum to zero, can't be normalized. Received weights of sum 0.")
    mean = (rows if weight is None else rows * weight).sum(1) / total
    if aweights is None or correction == 0:
        norm = total - correction
    else:
        norm = total - correction * (weight * aweights).sum() / total
    norm = norm.clamp(min=0) if isinstance(norm, Tensor) else norm if norm > 0 else 0
    centred = rows - mean.unsqueeze(1)
    weighted = centred if weight is None else centred * weight
    return _core.matmul(centred, weighted.conj().t()).div(norm).squeeze()


def _checked_weights(name, weights, n, whole):
    fits = not (weights.is_floating_point() or weights.is_complex()) if whole else weights.is_floating_point()
    if weights.ndim > 1 or weights.numel() != n or not fits:
        raise RuntimeError(
            f"[cov] expected {name} to have one or fewer dimensions, {n} elements and "
            f"{'an integral' if whole else 'a floating point'} dtype. "
            f"Received {weights.dtype}{list(weights.shape)}."
        )
    if not everywhere(~(weights < 0)):
        raise RuntimeError(f"[cov] {name} cannot be negative. Received the least {weights.min().item()}.")
    return weights


@composition
def corrcoef(input):
    """The matrix of correlation coefficients of the rows of input [variables, observations].

    >>> torch.corrcoef(torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise RuntimeError(f"[corrcoef] expected input to have two or fewer dimensions. Received {input.ndim}.")
    c = cov(input)
    if c.ndim == 0:
        return c / c
    deviation = c.diagonal().sqrt()
    c = c / deviation.unsqueeze(1) / deviation.unsqueeze(0)
    if c.is_complex():
        return _core.complex(c.real.clamp(-1, 1), c.imag.clamp(-1, 1))
    return c.clamp(-1, 1)


# --- norms


@composition(out=True)
def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """The p-norm over all elements or the dimensions dim: a number, inf, -inf, "fro" (2), or "nuc", the sum of
    singular values.

    >>> torch.norm(torch.tensor([[3.0], [4.0]]))
    tensor(5.)
    """
    if p == "nuc":
        axes = tuple(builtins.range(input.ndim)) if dim is None else dim
        return rushlight.linalg.matrix_norm(input, "nuc", axes, keepdim, dtype=dtype)
    if isinstance(p, str):
        if p != "fro":
            raise RuntimeError(f"[norm] only valid string values are 'fro' and 'nuc'. Received {p!r}.")
        p = 2
    if not (input.is_floating_point() or input.is_complex()) and dtype is None:
        raise RuntimeError(
            f"[norm] linalg.vector_norm: Expected a floating point or complex tensor as input. Received {input.dtype}. "
            "Use .float()."
        )
    return _core.vector_norm(input, 2 if p is None else p, dim, keepdim, dtype=dtype)


@composition(inplace=True, out=True)
def renorm(input, p, dim, maxnorm, *, out=None):
    """input with each slice along dim whose p-norm exceeds maxnorm scaled down to it.

    >>> torch.renorm(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    if p <= 0:
        raise RuntimeError(f"[renorm] non-positive-norm not supported. Received p {p}.")
    if maxnorm < 0:
        raise RuntimeError(f"[renorm] expected maxnorm to be >= 0. Received {maxnorm}.")
    if input.ndim < 2:
        raise RuntimeError(f"[renorm] input needs at least 2 dimensions. Received {input.ndim}.")
    dim = wrap_dim("renorm", dim, input.ndim)
    size = _core.vector_norm(input, p, [d for d in range(input.ndim) if d != dim], True)
    return input * _core.where(size > maxnorm, maxnorm / (size + 1e-7), 1.0).to(input.dtype)


# --- sums


@composition(out=True)
def nansum(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """The sum of the elements that are not NaN. Raises RuntimeError for complex input.

    >>> torch.nansum(torch.tensor([1.0, float("nan"), 3.0]))
    tensor(4.)
    """
    if input.is_complex():
        raise RuntimeError(f"[nansum] nansum does not support complex inputs. Received {input.dtype}.")
    if input.is_floating_point():
        input = _core.where(_core.isnan(input), 0, input)
    return _core.sum(input, dim, keepdim, dtype=dtype)


@composition(out=True)
def nanmean(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """The mean of the elements that are not NaN. Raises RuntimeError for integers.

    >>> torch.nanmean(torch.tensor([1.0, float("nan"), 3.0]))
    tensor(2.)
    """
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            f"[nanmean] expected input to have floating point or complex dtype. Received {input.dtype}. Use .float()."
        )
    count = _core.sum(~_core.isnan(input.detach()), dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / count


@composition
def trace(input):
    """The sum of the main diagonal of a matrix.

    >>> torch.trace(torch.tensor([[1, 2], [3, 4]]))
    tensor(5)
    """
    if input.ndim != 2:
        raise RuntimeError(f"[trace] trace: expected a matrix. Received a tensor of {input.ndim} dimensions.")
    return input.diagonal().sum()


# --- quantiles and histograms

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(name, input, q, dim, keepdim, interpolation, ignore_nan):
    if not isinstance(q, Tensor):
        q = _core.tensor_from(float(q), input.dtype if input.is_floating_point() else None, True)
    if not input.is_floating_point() or input.dtype not in (_core.float32, _core.float64):
        raise RuntimeError(f"[{name}] input tensor must be either float or double dtype. Received {input.dtype}.")
    if q.dtype != input.dtype or q.ndim > 1:
        raise RuntimeError(
            f"[{name}] q tensor must be same dtype as the input tensor and a scalar or 1D. "
            f"Received {q.dtype} of {q.ndim} dimensions."
        )
    if input.numel() == 0:
        raise RuntimeError(f"[{name}] input tensor must be non-empty. Received shape {tuple(input.shape)}.")
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(f"[{name}] interpolation must be one of {_INTERPOLATIONS}. Received {interpolation!r}.")
    if not everywhere((q >= 0) & (q <= 1)):
        raise RuntimeError(f"[{name}] q values must be in the range [0, 1]. Received {q.tolist()}.")
    ndim = input.ndim
    if dim is None:
        data = input.reshape(-1)
        kept = (1,) * ndim
    else:
        dim = wrap_dim(name, dim, ndim)
        data = input.movedim(dim, -1) if ndim else input.reshape(1)
        kept = tuple(input.shape[:dim]) + (1,) + tuple(input.shape[dim + 1 :]) if ndim else ()
    data = _core.sort(data)[0]
    n = data.shape[-1]
    missing = _core.isnan(data.detach())
    points = q.reshape(-1)
    if ignore_nan:  # the ranks among what is there; 0 when nothing is
        last = (n - 1 - missing.sum(-1, keepdim=True)).clamp(min=0)
        rank = points * last
    else:
        rank = (points * (n - 1)).expand((*data.shape[:-1], points.numel()))
        rank = _core.where(missing.any(-1, keepdim=True), n - 1, rank)  # NaN is last
    if interpolation == "lower":
        result = data.gather(-1, rank.floor().to(_core.int64))
    elif interpolation == "higher":
        result = data.gather(-1, rank.ceil().to(_core.int64))
    elif interpolation == "nearest":
        result = data.gather(-1, rank.round().to(_core.int64))
    else:
        below = rank.floor()
        low, high = data.gather(-1, below.to(_core.int64)), data.gather(-1, rank.ceil().to(_core.int64))
        fraction = rank - below if interpolation == "linear" else _core.full_like(rank, 0.5)
        result = _core.lerp(low, high, fraction)
    # The points come first; those of a single number are no dimension.
    result = result.movedim(-1, 0)
    if keepdim:
        result = result.reshape((points.numel(), *kept))
    return result.squeeze(0) if q.ndim == 0 else result


@composition(out=True)
def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear", out=None):
    """The q-quantiles (numbers in [0, 1], a float or a 1-d tensor) of all elements or along dim; several come first.

    interpolation between the two nearest elements: "linear", "lower", "higher", "midpoint" or "nearest".

    >>> torch.quantile(torch.tensor([0.0, 1.0, 2.0, 3.0]), 0.4)
    tensor(1.2000)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@composition(out=True)
def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear", out=None):
    """quantile() of the elements that are not NaN.

    >>> torch.nanquantile(torch.tensor([float("nan"), 1.0, 2.0]), 0.5)
    tensor(1.5000)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


def _edges(name, data, bins, limits):
    """The bin edges along one dimension of data [n]."""
    if isinstance(bins, Tensor):
        if bins.ndim != 1 or bins.numel() < 1:
            raise RuntimeError(f"[{name}] bins tensor should have one dimension. Received {tuple(bins.shape)}.")
        return bins.contiguous()
    if bins <= 0:
        raise RuntimeError(f"[{name}] bins must be > 0. Received {bins}.")
    if limits is not None:
        low, high = map(float, limits)
    elif data.numel():
        low, high = data.min().item(), data.max().item()
    else:
        low, high = 0.0, 1.0
    if not (abs(low) < float("inf") and abs(high) < float("inf") and low <= high):
        raise RuntimeError(f"[{name}] range of [{low}, {high}] is not finite or not increasing. Give another range.")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return _core.linspace(low, high, bins + 1, dtype=data.dtype)


def _histogram(name, points, edges, weight, density):
    """The histogram of points [n, d] in the d-dimensional grid of edges."""
    shape = [e.numel() - 1 for e in edges]
    place = _core.zeros(points.shape[0], dtype=_core.int64)
    inside = _core.ones(points.shape[0], dtype=_core.bool)
    for k, e in enumerate(edges):
        column = points.select(1, k).contiguous()
        at = (_core.searchsorted(e, column, right=True) - 1).clamp(0, shape[k] - 1)  # the last bin is closed
        inside = inside & (column >= e[0]) & (column <= e[-1])
        place = place * shape[k] + at
    if weight is None:
        weight = _core.ones(points.shape[0], dtype=points.dtype)
    total = 1
    for n in shape:
        total *= n
    hist = _core.zeros(total, dtype=points.dtype).index_add(0, place[inside], weight.reshape(-1)[inside])
    hist = hist.reshape(shape)
    if density:
        volume = hist.sum()
        for k, e in enumerate(edges):
            widths = e[1:] - e[:-1]
            hist = hist / widths.reshape([-1 if d == k else 1 for d in range(len(shape))])
        hist = hist / volume
    return hist


@composition(out=True)
def histogram(input, bins, *, range=None, weight=None, density=False, out=None):
    """(hist, bin_edges): how many elements of input fall into each bin; the last bin is closed, what is outside is
    left out.

    bins: their number (over `range`, by default the data's) or their edges. weight: of each element. density:
    integral 1.

    >>> torch.histogram(torch.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0)).hist
    tensor([0., 2., 1., 0.])
    """
    _check_histogram("histogram", input, weight)
    flat = input.reshape(-1)
    edges = _edges("histogram", flat, bins, range)
    if edges.dtype != input.dtype:
        raise RuntimeError(
            f"[histogram] input tensor and bins tensors should have the same dtype. Received {input.dtype} and "
            f"{edges.dtype}."
        )
    return return_types.histogram((_histogram("histogram", flat.unsqueeze(1), [edges], weight, density), edges))


def _check_histogram(name, input, weight):
    if not input.is_floating_point():
        raise RuntimeError(f"[{name}] not implemented for {input.dtype}: input must be floating point. Use .float().")
    if weight is not None and weight.dtype != input.dtype:
        raise RuntimeError(
            f"[{name}] if weight tensor is provided it should have the same dtype as input. Received {weight.dtype}."
        )


@composition(method=False)
def histogramdd(input, bins, *, range=None, weight=None, density=False):
    """(hist, bin_edges) of the points input [N, D] (leading dimensions are flattened) in D dimensions.

    bins: a number for all, a number for each, or D tensors of edges; range: D pairs in one list.

    >>> torch.histogramdd(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), bins=[2, 2]).hist
    tensor([[0., 1.],
            [1., 0.]])
    """
    _check_histogram("histogramdd", input, weight)
    if input.ndim < 2:
        raise RuntimeError(f"[histogramdd] input tensor should have at least 2 dimensions. Received {input.ndim}.")
    points = input.reshape(-1, input.shape[-1])
    dims = points.shape[1]
    bins = [bins] * dims if isinstance(bins, int) else list(bins)
    if len(bins) != dims or (range is not None and len(range) != 2 * dims):
        raise RuntimeError(
            f"[histogramdd] bins must be given for each of the {dims} dimensions, and range as {2 * dims} numbers. "
            f"Received {len(bins)} bins and range {range}."
        )
    limits = [None] * dims if range is None else list(zip(range[::2], range[1::2], strict=True))
    columns = points.detach().unbind(1) if dims else ()
    edges = tuple(_edges("histogramdd", c, b, r) for c, b, r in zip(columns, bins, limits, strict=True))
    return return_types.histogramdd((_histogram("histogramdd", points, edges, weight, density), edges))


# --- differences and integrals


@composition(out=True)
def diff(input, n=1, dim=-1, prepend=None, append=None, *, out=None):
    """The n-th difference of neighbours along dim, of prepend, input and append joined. bool: where neighbours differ.
    n = 0: input alone.

    >>> torch.diff(torch.tensor([1, 3, 2]))
    tensor([ 2, -1])
    """
    if input.ndim == 0:
        raise RuntimeError("[diff] diff expects input to be at least one-dimensional. Received a 0-d tensor.")
    if n < 0:
        raise RuntimeError(f"[diff] order must be non-negative. Received {n}.")
    if n == 0:
        return input.clone()
    parts = [x for x in (prepend, input, append) if x is not None]
    x = _core.cat(parts, dim) if len(parts) > 1 else input
    size = x.shape[dim]
    if n > size:
        return x.narrow(dim, 0, 0).clone()
    for length in builtins.range(size - 1, size - n - 1, -1):
        later, earlier = x.narrow(dim, 1, length), x.narrow(dim, 0, length)
        x = later ^ earlier if x.dtype == _core.bool else later - earlier
    return x


@composition(method=False)
def gradient(input, *, spacing=1, dim=None, edge_order=1):
    """The estimated derivative of input along each of dim (all by default): second order inside, of edge_order at the
    ends.

    spacing: the distance of samples, one for each dim, or their coordinates as 1-d tensors. Source: Fornberg,
    "Generation of
    finite difference formulas on arbitrarily spaced grids", Math. Comp. 51, 1988.

    >>> torch.gradient(torch.tensor([1.0, 4.0, 9.0]))
    (tensor([3., 4., 5.]),)
    """
    if edge_order not in (1, 2):
        raise RuntimeError(
            f"[gradient] torch.gradient only supports edge_order=1 and edge_order=2. Received {edge_order}."
        )
    dims = wrap_dims("gradient", builtins.range(input.ndim) if dim is None else dim, input.ndim)
    if spacing is None or isinstance(spacing, (int, float, complex)):
        spacing = [1 if spacing is None else spacing] * len(dims)
    elif isinstance(spacing, Tensor):
        spacing = [spacing] * len(dims) if spacing.ndim == 0 else [spacing]
    if len(spacing) != len(dims):
        raise RuntimeError(
            "[gradient] torch.gradient expected spacing to be unspecified, a scalar or a list of one for each dim. "
            f"Received {len(spacing)} for {len(dims)} dims."
        )
    for d in dims:
        if input.shape[d] <= edge_order:
            raise RuntimeError(
                "[gradient] torch.gradient expected each dimension size to be at least edge_order+1. "
                f"Received {input.shape[d]} at dim {d}."
            )
    if not (input.is_floating_point() or input.is_complex()):
        input = input.to(_core.get_default_dtype())
    return tuple(_derivative(input, h, d, edge_order) for h, d in zip(spacing, dims, strict=True))


def _derivative(x, spacing, d, edge_order):
    n = x.shape[d]
    if isinstance(spacing, Tensor) and spacing.ndim:
        if spacing.ndim != 1 or spacing.numel() != n:
            raise RuntimeError(
                f"[gradient] torch.gradient expected each tensor to be 1-d with the size of its dim, {n}. "
                f"Received {tuple(spacing.shape)}."
            )
        h = (spacing[1:] - spacing[:-1]).reshape([-1 if k == d else 1 for k in builtins.range(x.ndim)])
    else:
        h = spacing

    def at(start, count):
        return x.narrow(d, start, count)

    def step(start, count=1):
        return h.narrow(d, start, count) if isinstance(h, Tensor) and h.ndim else h

    slope = (at(1, n - 1) - at(0, n - 1)) / step(0, n - 1)
    first, last = slope.narrow(d, 0, 1), slope.narrow(d, n - 2, 1)
    inner = []
    if n > 2:  # the slopes on both sides, each weighted by the other's distance
        a, b = step(0, n - 2), step(1, n - 2)
        inner = [(slope.narrow(d, 0, n - 2) * b + slope.narrow(d, 1, n - 2) * a) / (a + b)]
    if edge_order == 2:  # a parabola through the outer three
        a, b = step(0), step(1)
        first = first - (slope.narrow(d, 1, 1) - first) * a / (a + b)
        a, b = step(n - 3), step(n - 2)
        last = last + (last - slope.narrow(d, n - 3, 1)) * b / (a + b)
    return _core.cat([first, *inner, last], d)


def _areas(name, y, x, dx, dim):
    """The areas of the trapezoids between neighbours along dim, and that dimension."""
    if y.ndim == 0:
        raise IndexError(f"[{name}] Dimension specified as {dim} but y has no dimensions. Received a 0-d tensor.")
    dim = wrap_dim(name, dim, y.ndim)
    n = y.shape[dim]
    if x is None:
        width = dx
    else:
        if x.ndim == 1:
            if x.shape[0] != n:
                raise RuntimeError(
                    f"[{name}] There must be one `x` value for each sample point. Received {x.shape[0]} for {n}."
                )
            x = x.reshape([-1] + [1] * (y.ndim - 1 - dim))
            axis = 0
        else:
            axis = dim - y.ndim
        size = x.shape[axis]
        width = x.narrow(axis, 1, size - 1) - x.narrow(axis, 0, size - 1) if size else x
    m = 0 if n == 0 else n - 1
    return (y.narrow(dim, builtins.min(1, n), m) + y.narrow(dim, 0, m)) * width / 2.0, dim


@composition(method=False, aliases=("trapz",))
def trapezoid(y, x=None, *, dx=1, dim=-1):
    """The integral of the samples y along dim by the trapezoidal rule, at the places x or at the distance dx.

    >>> torch.trapezoid(torch.tensor([1, 5, 10]))
    tensor(10.5000)
    """
    areas, dim = _areas("trapezoid", y, x, dx, dim)
    return areas.sum(dim)


@composition(method=False)
def cumulative_trapezoid(y, x=None, *, dx=1, dim=-1):
    """The integrals up to each sample but the first, see `trapezoid`.

    >>> torch.cumulative_trapezoid(torch.tensor([1, 5, 10]))
    tensor([ 3.0000, 10.5000])
    """
    areas, dim = _areas("cumulative_trapezoid", y, x, dx, dim)
    return areas.cumsum(dim)
