"""A module that splits its batch among accelerators; without any it calls what it wraps."""

from rushlight.nn.modules.module import Module
from rushlight.nn.parallel.parallel_apply import parallel_apply
from rushlight.nn.parallel.replicate import replicate
from rushlight.nn.parallel.scatter_gather import gather, scatter

__all__ = ["DataParallel", "data_parallel"]


class DataParallel(Module):
    """Wraps `module` and, as there are no accelerators in this build, passes its arguments on.

    Args:
        module: what is called; it keeps its parameters, under the prefix `module.` in the state_dict.
        device_ids, output_device, dim: accepted, as PyTorch accepts them where it finds no accelerator.

    >>> model = torch.nn.DataParallel(torch.nn.Linear(2, 1))
    >>> list(model.state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module = module
        self.device_ids = []
        self.dim = dim

    def forward(self, *inputs, **kwargs):
        return self.module(*inputs, **kwargs)

    def replicate(self, module, device_ids):
        """See `torch.nn.parallel.replicate`."""
        return replicate(module, device_ids)

    def scatter(self, inputs, kwargs, device_ids):
        """See `torch.nn.parallel.scatter`."""
        return scatter((inputs, kwargs), device_ids, self.dim)

    def parallel_apply(self, replicas, inputs, kwargs):
        """See `torch.nn.parallel.parallel_apply`."""
        return parallel_apply(replicas, inputs, kwargs)

    def gather(self, outputs, output_device):
        """See `torch.nn.parallel.gather`."""
        return gather(outputs, output_device, self.dim)


def data_parallel(module, inputs, device_ids=None, output_device=None, dim=0, module_kwargs=None):
    """`module(*inputs)` as `DataParallel` computes it.

    Raises:
        ValueError: if accelerators are named.

    >>> torch.nn.parallel.data_parallel(torch.nn.ReLU(), torch.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    """
    if device_ids or output_device is not None:
        raise ValueError(
            f"[data_parallel] device_ids must be empty: there are no accelerators in this build. Received {device_ids}."
        )
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*inputs, **(module_kwargs or {}))
