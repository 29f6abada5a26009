"""The steps of data parallelism: copies of a module, parts of a batch, results put together."""

__all__ = ["gather", "parallel_apply", "replicate", "scatter"]


def _refuse(op, devices):
    raise ValueError(
        f"[{op}] Expected a non cpu device, and this build has none. Received {devices}. Call the module itself."
    )


def replicate(network, devices, detach=False):
    """Copies of a module on several accelerators.

    Raises:
        ValueError: always, since there are no accelerators.
    """
    _refuse("replicate", devices)


def scatter(inputs, target_gpus, dim=0):
    """The parts of a batch on several accelerators.

    Raises:
        ValueError: always, since there are no accelerators.
    """
    _refuse("scatter", target_gpus)


def gather(outputs, target_device, dim=0):
    """Results of several accelerators on one.

    Raises:
        ValueError: always, since there are no accelerators.
    """
    _refuse("gather", target_device)


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
