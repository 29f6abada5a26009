"""Several modules called with an input each."""

__all__ = ["parallel_apply"]


def parallel_apply(modules, inputs, kwargs_tup=None, devices=None):
    """Each module called with its inputs, one after another, since all are on the processor; the list of results.

    Args:
        modules: as many as inputs.
        inputs: for each module a tuple of arguments, or one argument.
        kwargs_tup: for each module a dictionary.
        devices: one for each module; None for where it is.

    Raises:
        AssertionError: if the numbers differ.
        ValueError: if a device other than the processor is named.

    >>> from rushlight.nn.parallel import parallel_apply
    >>> parallel_apply([torch.nn.ReLU(), torch.nn.Identity()], [torch.tensor(-1.0), torch.tensor(-1.0)])
    [tensor(0.), tensor(-1.)]
    """
    if len(modules) != len(inputs):
        raise AssertionError(f"The number of modules {len(modules)} is not equal to the number of inputs {len(inputs)}")
    kwargs_tup = ({},) * len(modules) if kwargs_tup is None else kwargs_tup
    devices = [None] * len(modules) if devices is None else devices
    for what, values in (("keyword arguments", kwargs_tup), ("devices", devices)):
        if len(values) != len(modules):
            raise AssertionError(
                f"The number of modules {len(modules)} is not equal to the number of {what} {len(values)}"
            )
    if any(device is not None and str(device) != "cpu" for device in devices):
        raise ValueError(f"[parallel_apply] devices must be the cpu. Received {devices}. Leave them out.")
    return [
        module(*(args if isinstance(args, (tuple, list)) else (args,)), **(kwargs or {}))
        for module, args, kwargs in zip(modules, inputs, kwargs_tup, strict=True)
    ]
