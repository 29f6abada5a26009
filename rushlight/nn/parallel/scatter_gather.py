"""Parts of a batch for several accelerators, and their results put together."""

from rushlight.nn.parallel.refusal import refuse

__all__ = ["gather", "scatter", "scatter_kwargs"]


def scatter(inputs, target_gpus, dim=0):
    """The parts of a batch on several accelerators.

    Raises:
        ValueError: always, since there are no accelerators.
    """
    refuse("scatter", target_gpus)


def scatter_kwargs(inputs, kwargs, target_gpus, dim=0):
    """The parts of positional and of named arguments on several accelerators.

    Raises:
        ValueError: always, since there are no accelerators.
    """
    refuse("scatter_kwargs", target_gpus)


def gather(outputs, target_device, dim=0):
    """Results of several accelerators on one.

    Raises:
        ValueError: always, since there are no accelerators.
    """
    refuse("gather", target_device)


def is_namedtuple(obj):
    """Whether an object is of a class that namedtuple made.

    >>> torch.nn.parallel.scatter_gather.is_namedtuple((1, 2))
    False
    """
    return isinstance(obj, tuple) and hasattr(obj, "_asdict") and hasattr(obj, "_fields")
