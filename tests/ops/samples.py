"""The sample and error lines of the rows, evaluated: arguments for Rushlight or PyTorch, with the same values."""

import builtins

import numpy

from rushlight import _core

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
          "complex128")  # fmt: skip


def generators(torch, seed=0):
    """The names that a sample line may use; `torch` is Rushlight or PyTorch. Floating point tensors are float64."""
    source = numpy.random.RandomState(seed)

    def shape(sizes):
        return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes

    def made(array, dtype=None):
        t = torch.tensor(array.tolist(), dtype=dtype or getattr(torch, str(array.dtype))).reshape(array.shape)
        return t

    def randn(*sizes, dtype=None):
        return made(numpy.asarray(source.standard_normal(shape(sizes))), dtype)

    def uniform(*sizes, low=0.0, high=1.0):
        return made(numpy.asarray(source.uniform(low, high, shape(sizes))))

    def positive(*sizes):
        return uniform(*sizes, low=0.5, high=2.0)

    def randint(low, high, size=(), dtype=None):
        return made(numpy.asarray(source.randint(low, high, size)), dtype)

    def ones(*sizes, dtype=None):
        return torch.ones(shape(sizes), dtype=dtype or torch.float64)

    def bools(*sizes):
        return made(numpy.asarray(source.randint(0, 2, shape(sizes)) == 1))

    def distinct(*sizes):
        count = int(numpy.prod(shape(sizes)))
        return made((source.permutation(count).reshape(shape(sizes)) - count / 2) / 4)

    def arguments(*args, **kwargs):
        return list(args), kwargs

    names = {f.__name__: f for f in (randn, uniform, positive, randint, ones, bools, distinct, arguments)}
    names |= {name: getattr(torch, name) for name in (*DTYPES, "complex", "inf", "nan")}
    names |= {"bool": torch.bool, "torch": torch, "float": float}
    return names


def evaluate(line, torch, seed=0):
    """(args, kwargs) of one sample line."""
    return eval(f"arguments({line})", generators(torch, seed))


def lines(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


def samples(name):
    return lines(_core.op_info(name)["samples"])


def errors(name):
    """(argument list, exception class, beginning of the message) of every error line."""
    found = []
    for line in lines(_core.op_info(name)["errors"]):
        arguments, _, rest = line.partition(" => ")
        kind, _, message = rest.partition(": ")
        found.append((arguments.strip(), getattr(builtins, kind), message.strip()))
    return found
