"""A case for every row of the registry: its sample, grown to about a million elements, as a call to time.

The sizes of a sample grow together, so that what fits stays fitting: (3, 4) @ (4, 2) becomes (700, 900) @ (900, 450).
Where a sample does not grow by itself (a kernel's size is no image's), LARGE holds one that is written out.
"""

import functools
import math

ELEMENTS = 1 << 20
LARGE = {
    "addmm": "randn(256, 256), randn(256, 256), randn(256, 256)",
    "addbmm": "randn(128, 128), randn(8, 128, 128), randn(8, 128, 128)",
    "addmv": "randn(1024), randn(1024, 1024), randn(1024)",
    "addr": "randn(1024, 1024), randn(1024), randn(1024)",
    "arange": "0, 1048576, 1",
    "as_strided": "randn(1048576), (1024, 512), (1024, 2)",
    "baddbmm": "randn(8, 128, 128), randn(8, 128, 128), randn(8, 128, 128)",
    "batch_norm": "randn(16, 64, 32, 32), None, None, None, None, True, 0.1, 1e-5",
    "bincount": "randint(0, 1000, (1048576,))",
    "bmm": "randn(8, 128, 128), randn(8, 128, 128)",
    "bucketize": "randn(1048576), randn(1000).sort()[0]",
    "cross_entropy": "randn(1024, 1024), randint(0, 1024, (1024,))",
    "dot": "randn(1048576), randn(1048576)",
    "embedding": "randn(10000, 64), randint(0, 10000, (16384,))",
    "eye": "1024",
    "full": "(1024, 1024), 2.5",
    "gather": "randn(1024, 1024), 1, randint(0, 1024, (1024, 1024))",
    "group_norm": "randn(16, 64, 32, 32), 8",
    "index_add": "randn(1024, 1024), 0, randint(0, 1024, (1024,)), randn(1024, 1024)",
    "index_copy": "randn(1024, 1024), 0, randint(0, 1024, (1024,)), randn(1024, 1024)",
    "index_fill": "randn(1024, 1024), 0, randint(0, 1024, (512,)), 2.5",
    "index_select": "randn(1024, 1024), 0, randint(0, 1024, (1024,))",
    "layer_norm": "randn(1024, 1024), (1024,)",
    "linear": "randn(256, 256), randn(256, 256), randn(256)",
    "linspace": "0, 1, 1048576",
    "matmul": "randn(256, 256), randn(256, 256)",
    "mm": "randn(256, 256), randn(256, 256)",
    "multinomial": "positive(64, 1024), 16",
    "mv": "randn(1024, 1024), randn(1024)",
    "nll_loss": "randn(1024, 1024), randint(0, 1024, (1024,))",
    "ones": "(1024, 1024)",
    "outer": "randn(1024), randn(1024)",
    "rand": "(1024, 1024)",
    "randint": "0, 100, (1024, 1024)",
    "randn": "(1024, 1024)",
    "randperm": "1048576",
    "repeat": "randn(512, 512), (2, 2)",
    "repeat_interleave": "randn(524288), 2",
    "rms_norm": "randn(1024, 1024), (1024,)",
    "scatter": "randn(1024, 1024), 1, randint(0, 1024, (1024, 1024)), randn(1024, 1024)",
    "scatter_add": "randn(1024, 1024), 1, randint(0, 1024, (1024, 1024)), randn(1024, 1024)",
    "scatter_reduce": "randn(1024, 1024), 1, randint(0, 1024, (1024, 1024)), randn(1024, 1024), 'amax'",
    "searchsorted": "randn(1000).sort()[0], randn(1048576)",
    "take": "randn(1048576), randint(0, 1048576, (1048576,))",
    "topk": "randn(1024, 1024), 10",
    "zeros": "(1024, 1024)",
    **{f"conv{d}d": f"randn(8, 32{', 128' if d == 1 else ', 32' * d}), randn(32, 32{', 3' * d})" for d in (1, 2)},
    "conv3d": "randn(2, 16, 16, 16, 16), randn(16, 16, 3, 3, 3)",
    "conv_transpose1d": "randn(8, 32, 128), randn(32, 32, 3)",
    "conv_transpose2d": "randn(8, 32, 32, 32), randn(32, 32, 3, 3)",
    "conv_transpose3d": "randn(2, 16, 16, 16, 16), randn(16, 16, 3, 3, 3)",
    **{
        f"{kind}_pool{d}d": f"randn({size}), {argument}"
        for kind, argument in (("avg", 2), ("max", 2), ("adaptive_avg", 8), ("adaptive_max", 8))
        for d, size in ((1, "16, 64, 1024"), (2, "16, 64, 32, 32"), (3, "4, 16, 32, 32, 16"))
    },
}  # fmt: skip


class Sample:
    """One line of samples for one framework: `arguments(line)` gives (args, kwargs) with the sizes grown."""

    def __init__(self, torch, line, grow=True):
        import numpy

        self.torch, self.source = torch, numpy.random.RandomState(0)
        self.factor, self.shapes = None, []
        if grow:
            self.arguments(line)  # a first time at the sizes that stand there
            largest = max(self.shapes, key=math.prod, default=())
            dims = sum(s > 1 for s in largest)
            self.factor = (ELEMENTS / math.prod(largest)) ** (1 / dims) if dims and 0 not in largest else None

    def size(self, sizes):
        shape = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
        self.shapes.append(shape)
        if self.factor is not None:
            shape = tuple(s if s <= 1 else max(2, round(s * self.factor)) for s in shape)
        if math.prod(shape) > 16 * ELEMENTS:
            raise ValueError(f"another argument grew too large: {shape}")
        return shape

    def made(self, array, dtype=None):
        array = array.astype("float32") if array.dtype.kind == "f" else array
        t = self.torch.from_numpy(array.copy())
        return t if dtype is None else t.to(dtype)

    def arguments(self, line):
        source, made, size, torch = self.source, self.made, self.size, self.torch

        def randn(*sizes, dtype=None):
            return made(source.standard_normal(size(sizes)), dtype)

        def uniform(*sizes, low=0.0, high=1.0):
            return made(source.uniform(low, high, size(sizes)))

        names = {
            "randn": randn,
            "uniform": uniform,
            "positive": functools.partial(uniform, low=0.5, high=2.0),
            "randint": lambda low, high, sizes=(), dtype=None: made(source.randint(low, high, size((sizes,))), dtype),
            "ones": lambda *sizes, dtype=None: torch.ones(size(sizes), dtype=dtype),
            "bools": lambda *sizes: made(source.randint(0, 2, size(sizes)) == 1),
            "distinct": lambda *sizes: made(source.permutation(torch.empty(size(sizes)).numel())
                                            .reshape(size(sizes)) / 4.0),
            "arguments": lambda *args, **kwargs: (args, kwargs),
            "bool": torch.bool,
            "torch": torch,
        }  # fmt: skip
        names |= {n: getattr(torch, n) for n in ("float32", "float64", "int64", "complex64", "inf", "nan", "complex")}
        return eval(f"arguments({line})", names)


def function_of(torch, info):
    """The row's public function, or None."""
    place = torch
    for part in filter(None, info["home"].split(".")):
        place = getattr(place, part, None)
    return getattr(place, info["name"], None) or getattr(torch.Tensor, info["name"], None)


def build(name, torch):
    """A call of the row at full size; None where it cannot be made."""
    from rushlight import _core

    info = _core.op_info(name)
    function = function_of(torch, info)
    if info["home"] == "_core" or function is None:
        return None
    lines = [LARGE[name]] if name in LARGE else [line for line in info["samples"].splitlines() if line.strip()]
    for line in lines:
        try:
            args, kwargs = Sample(torch, line, grow=name not in LARGE).arguments(line)
            function(*args, **kwargs)
        except (RuntimeError, TypeError, ValueError, IndexError, NameError, AttributeError):
            continue  # this sample does not grow: perhaps the next one does
        return lambda: function(*args, **kwargs)
    return None


def cases():
    """name -> (description, build, None), as in benchmarks.cases."""
    from rushlight import _core

    return {
        f"row:{name}": (name, functools.partial(build, name), None)
        for name in sorted(_core.op_names())
        if _core.op_info(name)["home"] != "_core"
    }
