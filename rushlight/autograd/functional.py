"""Products with Jacobians and Hessians of a function of tensors.

All of them run in reverse mode. For outputs y = f(x), the reverse pass v -> v^T J is linear in v, so a second
reverse pass through it, with respect to v, gives u -> J u.
"""

import rushlight

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """Returns `func(*inputs)` and the vector-Jacobian product v^T J.

    Args:
        func: takes the inputs, returns a Tensor or a tuple of Tensor.
        inputs (Tensor or tuple of Tensor): where.
        v (Tensor or tuple of Tensor): one per output, of its shape; may be left out for one output of one element.
        create_graph (bool): the results can be differentiated further.
        strict (bool): an output that does not depend on an input is an error instead of zeros.

    Returns:
        (outputs, product): the product has the structure of `inputs`.

    Raises:
        TypeError: inputs, outputs or v are not tensors.
        RuntimeError: v has the wrong length or shape; or `strict` and independent.

    >>> torch.autograd.functional.vjp(lambda x: x ** 2, torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with rushlight.enable_grad():
        inputs, one_input = _prepared("vjp", inputs, create_graph)
        outputs, one_output = _called("vjp", func, inputs, strict)
        v = _direction("vjp", v, outputs, one_output, "the user-provided function returns a single Tensor")
    with rushlight.set_grad_enabled(create_graph or rushlight.is_grad_enabled()):
        grads = _gradients(outputs, inputs, v, create_graph, strict, "output")
    return _finished(outputs, one_output, create_graph), _finished(grads, one_input, create_graph)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """Returns `func(*inputs)` and the Jacobian-vector product J v, by two reverse passes.

    Args:
        v (Tensor or tuple of Tensor): one per input, of its shape; may be left out for one input of one element.
        the rest: as in `vjp`.

    Returns:
        (outputs, product): the product has the structure of the outputs.

    >>> torch.autograd.functional.jvp(lambda x: x ** 2, torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with rushlight.enable_grad():
        inputs, one_input = _prepared("jvp", inputs, create_graph)
        v = _direction("jvp", v, inputs, one_input, "the input to the user-provided function is a single Tensor")
        outputs, one_output = _called("jvp", func, inputs, strict)
        probes = tuple(rushlight.zeros_like(y, requires_grad=True) for y in outputs)
        backward = _gradients(outputs, inputs, probes, True, strict, "output")
    with rushlight.set_grad_enabled(create_graph or rushlight.is_grad_enabled()):
        product = _gradients(backward, probes, v, create_graph, strict, "gradient")
    return _finished(outputs, one_output, create_graph), _finished(product, one_output, create_graph)


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """Returns the Jacobian of `func`, one reverse pass per output entry.

    Args:
        func, inputs, create_graph, strict: as in `vjp`.
        vectorize (bool): accepted; the result is the same.
        strategy (str): "reverse-mode" or "forward-mode"; accepted, the result is the same.

    Returns:
        A Tensor of shape [*output.shape, *input.shape]; for a tuple of inputs a tuple of them, for a tuple of outputs
        a tuple of those.

    >>> torch.autograd.functional.jacobian(lambda x: x ** 2, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    _check_strategy(strategy)
    with rushlight.enable_grad():
        inputs, one_input = _prepared("jacobian", inputs, create_graph)
        outputs, one_output = _called("jacobian", func, inputs, strict)
        rows = [[] for _ in outputs]
        for y, rows_of_y in zip(outputs, rows, strict=True):
            for entry in range(y.numel()):
                unit = rushlight.zeros(y.numel(), dtype=y.dtype, device=y.device)
                unit[entry] = 1
                rows_of_y.append(
                    _gradients((y,), inputs, (unit.reshape(y.shape),), create_graph, strict, "output", retain=True)
                )
        result = tuple(
            tuple(
                rushlight.stack([row[i] for row in rows_of_y]).reshape(*y.shape, *x.shape)
                if rows_of_y
                else rushlight.zeros(*y.shape, *x.shape, dtype=x.dtype, device=x.device)
                for i, x in enumerate(inputs)
            )
            for y, rows_of_y in zip(outputs, rows, strict=True)
        )
    result = tuple(_finished(row, one_input, create_graph) for row in result)
    return result[0] if one_output else result


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """Returns the Hessian of a scalar function: the Jacobian of its gradient.

    Args:
        func: takes the inputs, returns a Tensor of one element.
        the rest: as in `jacobian`.

    Returns:
        A Tensor of shape [*input.shape, *input.shape]; for a tuple of inputs a tuple of tuples of
        [*input_i.shape, *input_j.shape].

    >>> torch.autograd.functional.hessian(lambda x: (x ** 3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    _check_strategy(outer_jacobian_strategy)
    one_input = isinstance(inputs, rushlight.Tensor)

    def gradient(*xs):
        return _gradient_of_scalar("hessian", func, xs, strict)[1]

    result = jacobian(gradient, inputs, create_graph, strict)
    return result[0] if one_input else result


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """Returns `func(*inputs)` and the product v^T H with the Hessian of a scalar function.

    Args:
        func: takes the inputs, returns a Tensor of one element.
        v (Tensor or tuple of Tensor): one per input, of its shape; may be left out for one input of one element.
        the rest: as in `vjp`.

    Returns:
        (output, product): the product has the structure of `inputs`.

    >>> torch.autograd.functional.vhp(lambda x: (x ** 3).sum(), torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """Returns `func(*inputs)` and the product H v; the same as `vhp`, as a Hessian is symmetric.

    >>> torch.autograd.functional.hvp(lambda x: (x ** 3).sum(), torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _hessian_product(op, func, inputs, v, create_graph, strict):
    with rushlight.enable_grad():
        inputs, one_input = _prepared(op, inputs, create_graph)
        v = _direction(op, v, inputs, one_input, "the input to the user-provided function is a single Tensor")
        outputs, gradient = _gradient_of_scalar(op, func, inputs, strict)
    with rushlight.set_grad_enabled(create_graph or rushlight.is_grad_enabled()):
        product = _gradients(gradient, inputs, v, create_graph, strict, "gradient")
    return _finished(outputs, True, create_graph), _finished(product, one_input, create_graph)


def _gradient_of_scalar(op, func, inputs, strict):
    """The output of a scalar function and its gradient, recorded."""
    outputs, one_output = _called(op, func, inputs, strict)
    if not one_output:
        raise RuntimeError(f"[{op}] The function given to {op} should return a single Tensor. Received a tuple.")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"[{op}] The Tensor returned by the function given to {op} should contain a single element. Received "
            f"shape {list(outputs[0].shape)}."
        )
    one = (rushlight.ones_like(outputs[0]),)
    return outputs, _gradients(outputs, inputs, one, True, strict, "output")


def _prepared(op, inputs, create_graph):
    """The inputs as a tuple of tensors that require grad, and whether there was but one.

    With create_graph they stay connected to the user's tensors, otherwise they are new leaves.
    """
    inputs, single = _as_tuple(op, inputs, "inputs")
    if create_graph:
        return tuple(x.view_as(x) if x.requires_grad else x.detach().requires_grad_() for x in inputs), single
    return tuple(x.detach().requires_grad_() for x in inputs), single


def _called(op, func, inputs, strict):
    outputs, single = _as_tuple(op, func(*inputs), "outputs of the user-provided function")
    for index, y in enumerate(outputs):
        if strict and not y.requires_grad:
            raise RuntimeError(
                f"[{op}] Output {index} of the user-provided function does not require gradients. The outputs must be "
                "computed in a differentiable manner from the input when running in strict mode."
            )
    return outputs, single


def _gradients(outputs, inputs, v, create_graph, strict, what, retain=None):
    """v^T J with zeros where nothing depends; in strict mode that is an error."""
    pairs = [(y, g) for y, g in zip(outputs, v, strict=True) if y.requires_grad]
    grads = (None,) * len(inputs)
    if pairs:
        grads = rushlight.autograd.grad(
            [y for y, _ in pairs],
            inputs,
            [g for _, g in pairs],
            retain_graph=retain,
            create_graph=create_graph,
            allow_unused=True,
        )
    for index, g in enumerate(grads):
        if strict and (g is None or (create_graph and not g.requires_grad)):
            raise RuntimeError(
                f"The {what if g is None else 'gradient'} of the user-provided function is independent of input "
                f"{index}. This is not allowed in strict mode."
            )
    return tuple(rushlight.zeros_like(x) if g is None else g for x, g in zip(inputs, grads, strict=True))


def _direction(op, v, like, single, condition):
    """The vector of a product as a tuple of tensors that match `like`; a one where it may be left out."""
    if v is None:
        if not single or like[0].numel() != 1:
            raise RuntimeError(f"[{op}] The vector v can only be None if {condition} with a single element.")
        return (rushlight.ones_like(like[0]),)
    v, _ = _as_tuple(op, v, "v")
    if len(v) != len(like):
        raise RuntimeError(f"[{op}] v is a tuple of invalid length: should be {len(like)} but got {len(v)}.")
    for index, (given, wanted) in enumerate(zip(v, like, strict=True)):
        if given.shape != wanted.shape:
            entry = "" if single else f"Entry {index} in "
            raise RuntimeError(f"[{op}] {entry}v has invalid size: should be {wanted.shape} but got {given.shape}.")
    return v


def _as_tuple(op, tensors, what):
    single = isinstance(tensors, rushlight.Tensor)
    result = (tensors,) if single else tensors
    if not isinstance(result, (tuple, list)) or not all(isinstance(x, rushlight.Tensor) for x in result):
        raise TypeError(
            f"[{op}] The {what} given to {op} must be either a Tensor or a tuple of Tensors. Received "
            f"{type(tensors).__name__}."
        )
    return tuple(result), single


def _finished(tensors, single, create_graph):
    if not create_graph:
        tensors = tuple(x.detach() for x in tensors)
    return tensors[0] if single else tensors


def _check_strategy(strategy):
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(f'Expected strategy to be either "forward-mode" or "reverse-mode". Received {strategy!r}.')
