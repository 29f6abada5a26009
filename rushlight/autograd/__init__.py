"""Automatic differentiation: gradients of what was computed, from the recorded calls.

`backward` adds gradients into the leaves' `.grad`; `grad` returns them. Both walk the graph that calls on tensors
with `requires_grad=True` have left behind, in reverse order, on the calling thread.
"""

import warnings

import rushlight
from rushlight.autograd import engine, graph
from rushlight.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from rushlight.autograd.function import Function, NestedIOFunction
from rushlight.autograd.grad_mode import (
    _unsafe_preserve_version_counter,  # noqa: F401 (programs import it from here)
    enable_grad,
    enforce_grad_layout_policy,
    inference_mode,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from rushlight.autograd.gradcheck import gradcheck, gradgradcheck
from rushlight.autograd.variable import Variable

__all__ = [
    "Function",
    "NestedIOFunction",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "enforce_grad_layout_policy",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
]


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Adds the gradient of `tensors` into the `.grad` of the leaves they were computed from.

    Args:
        tensors (Tensor or sequence of Tensor): what is differentiated.
        grad_tensors (Tensor or sequence of Tensor or None): the vector of the vector-Jacobian product, one per
            tensor and of its shape; may be left out for tensors of one element.
        retain_graph (bool): keep what backward needs, so that it can be run again. Default: `create_graph`.
        create_graph (bool): record the backward itself, for derivatives of higher order.
        grad_variables: deprecated name of `grad_tensors`.
        inputs (Tensor, GradientEdge or sequence of them): accumulate into these alone.

    Raises:
        RuntimeError: a tensor has no graph, a gradient is missing or has the wrong shape, or the graph's saved
            values are gone after an earlier backward.

    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError("[backward] `grad_tensors` and its old name `grad_variables` were both given. Drop one.")
        grad_tensors = grad_variables
    tensors = _as_tuple(tensors)
    if inputs is None:
        inputs = ()
    else:
        inputs = _edges("backward", inputs)
        if not inputs:
            raise RuntimeError("[backward] `inputs` argument to `backward()` cannot be empty.")
    tensors, grads = _values_of(tensors, _as_grads(grad_tensors, len(tensors)))
    grads = _first_grads("backward", tensors, grads)
    if retain_graph is None:
        retain_graph = create_graph
    engine.run_backward(tensors, grads, retain_graph, create_graph, inputs, True, True)


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    only_inputs=True,
    allow_unused=None,
    is_grads_batched=False,
    materialize_grads=False,
):
    """Returns the gradients of `outputs` with respect to `inputs`; no `.grad` is touched.

    Args:
        outputs (Tensor or sequence of Tensor): what is differentiated.
        inputs (Tensor, GradientEdge or sequence of them): with respect to what; leaves or results.
        grad_outputs (Tensor or sequence of Tensor or None): the vector of the vector-Jacobian product, one per
            output and of its shape; may be left out for outputs of one element.
        retain_graph (bool): keep what backward needs, so that it can be run again. Default: `create_graph`.
        create_graph (bool): record the backward itself, for derivatives of higher order.
        only_inputs (bool): deprecated; must be True.
        allow_unused (bool): None instead of an error for an input that the outputs do not depend on.
            Default: `materialize_grads`.
        is_grads_batched (bool): `grad_outputs` carry a leading batch dimension B; so do the results.
        materialize_grads (bool): zeros instead of None for unused inputs.

    Returns:
        tuple of Tensor or None, one per input.

    Raises:
        RuntimeError: as `backward`; an input does not require grad, or was not used.
        ValueError: `materialize_grads` with `allow_unused=False`.

    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> dx, = torch.autograd.grad(x ** 3, x, create_graph=True)
    >>> dx
    tensor(27., grad_fn=<MulBackward0>)
    >>> torch.autograd.grad(dx, x)
    (tensor(18.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "[grad] Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True).", FutureWarning, stacklevel=2
        )
    outputs = _as_tuple(outputs)
    edges = _edges("grad", inputs)
    outputs, grad_outputs = _values_of(outputs, _as_grads(grad_outputs, len(outputs)))
    if retain_graph is None:
        retain_graph = create_graph
    if is_grads_batched:
        grads = _batched(outputs, edges, grad_outputs, retain_graph, create_graph)
    else:
        grad_outputs = _first_grads("grad", outputs, grad_outputs)
        grads = engine.run_backward(outputs, grad_outputs, retain_graph, create_graph, edges, True, False)
    grads = _at_places(inputs, grads)

    if materialize_grads:
        given = (inputs,) if isinstance(inputs, rushlight.Tensor) else tuple(inputs)
        if any(g is None and not isinstance(x, rushlight.Tensor) for g, x in zip(grads, given, strict=True)):
            raise RuntimeError("[grad] materialize_grads cannot be used when the given input is a GradientEdge.")
        batch = next((len(g) for g in grad_outputs if g is not None), 0) if is_grads_batched else None
        return tuple(
            g if g is not None else rushlight.zeros_like(x) if batch is None else x.new_zeros((batch, *x.shape))
            for g, x in zip(grads, given, strict=True)
        )
    if not allow_unused and any(g is None for g in grads):
        index = next(i for i, g in enumerate(grads) if g is None)
        raise RuntimeError(
            "[grad] One of the differentiated Tensors appears to not have been used in the graph. Set "
            f"allow_unused=True if this is the desired behavior. Received None for input {index}."
        )
    return grads


def _batched(outputs, edges, grad_outputs, retain_graph, create_graph):
    """One backward per row of the leading dimension; the rows' gradients are stacked."""
    sizes = {g.shape[0] if g.ndim else None for g in grad_outputs if g is not None}
    if len(sizes) != 1 or None in sizes:
        raise RuntimeError(
            "[grad] with is_grads_batched=True every grad_output must have the same leading batch dimension. "
            f"Received {', '.join(str(None if g is None else list(g.shape)) for g in grad_outputs)}."
        )
    batch = sizes.pop()
    rows = []
    for row in range(batch):
        keep = retain_graph or row + 1 < batch
        grads = _first_grads("grad", outputs, tuple(None if g is None else g[row] for g in grad_outputs))
        rows.append(engine.run_backward(outputs, grads, keep, create_graph, edges, True, False))
    if not rows:
        raise RuntimeError("[grad] with is_grads_batched=True the batch must not be empty. Received size 0.")
    return tuple(None if column[0] is None else rushlight.stack(column) for column in zip(*rows, strict=True))


def __getattr__(name):
    if name in ("forward_ad", "functional", "profiler"):
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _as_tuple(tensors):
    return (tensors,) if isinstance(tensors, rushlight.Tensor) else tuple(tensors)


def _as_grads(grads, count):
    """A tuple of `count` gradients, None where none was given."""
    if grads is None:
        return (None,) * count
    grads = _as_tuple(grads)
    for g in grads:
        if g is not None and not isinstance(g, rushlight.Tensor):
            raise TypeError(f"[backward] gradients can be either Tensors or None, but got {type(g).__name__}")
    if len(grads) != count:
        raise RuntimeError(
            f"[backward] one gradient per differentiated tensor is needed. Received {len(grads)} for {count}."
        )
    return grads


def _edges(op, inputs):
    """The engine's form of `inputs`: tensors, and (node, output number) for a GradientEdge."""
    if isinstance(inputs, (rushlight.Tensor, graph.GradientEdge)):
        inputs = (inputs,)
    edges = []
    for x in inputs:
        if isinstance(x, graph.GradientEdge):
            edges.append((x.node, x.output_nr))
            continue
        if not isinstance(x, rushlight.Tensor):
            raise TypeError(f"[{op}] inputs must be tensors or gradient edges. Received {type(x).__name__}.")
        if not x.requires_grad:
            raise RuntimeError(
                f"[{op}] One of the differentiated Tensors does not require grad. Received input {len(edges)} with "
                "requires_grad=False. Call .requires_grad_() on it before the forward computation."
            )
        edges.append(x._elements if _is_sparse(x) else x)
    return tuple(edges)


def _is_sparse(x):
    return isinstance(x, rushlight.Tensor) and x.layout is not rushlight.strided


def _values_of(tensors, grads):
    """Sparse tensors replaced by their values, and gradients of sparse tensors by what they hold at their places."""
    if not any(map(_is_sparse, tensors)):
        return tensors, grads
    grads = tuple(
        g.sparse_mask(x)._elements if _is_sparse(x) and g is not None else g
        for x, g in zip(tensors, grads, strict=True)
    )
    return tuple(x._elements if _is_sparse(x) else x for x in tensors), grads


def _at_places(inputs, grads):
    """The gradients of sparse tensors, at their places."""
    inputs = (inputs,) if isinstance(inputs, (rushlight.Tensor, graph.GradientEdge)) else inputs
    return tuple(x._like(g) if _is_sparse(x) and g is not None else g for x, g in zip(inputs, grads, strict=True))


def _first_grads(op, tensors, grads):
    """Checks the gradients that backward starts with; a None that is left over means a one."""
    for index, (tensor, g) in enumerate(zip(tensors, grads, strict=True)):
        if not isinstance(tensor, rushlight.Tensor):
            raise TypeError(f"[{op}] element {index} of tensors must be a Tensor. Received {type(tensor).__name__}.")
        if not tensor.requires_grad:
            raise RuntimeError(
                f"[{op}] element {index} of tensors does not require grad and does not have a grad_fn. Compute it "
                "from tensors with requires_grad=True, outside no_grad()."
            )
        if g is None:
            if tensor.numel() != 1:
                raise RuntimeError(
                    f"[{op}] grad can be implicitly created only for scalar outputs. Received "
                    f"{_described(tensor)}. Reduce it with .sum(), or give its gradient."
                )
            if not tensor.dtype.is_floating_point:
                raise RuntimeError(
                    f"[{op}] grad can be implicitly created only for real scalar outputs but got {tensor.dtype}"
                )
        elif g.shape != tensor.shape:
            raise RuntimeError(
                f"[{op}] Mismatch in shape: grad_output[{index}] has a shape of {g.shape} and output[{index}] has a "
                f"shape of {tensor.shape}."
            )
        elif g.dtype.is_complex != tensor.dtype.is_complex:
            raise RuntimeError(
                f"[{op}] For complex Tensors, both grad_output and output are required to have the same dtype. "
                f"Mismatch in dtype: grad_output[{index}] has a dtype of {g.dtype} and output[{index}] has a dtype of "
                f"{tensor.dtype}."
            )
    return grads


def _described(tensor):
    return f"{str(tensor.dtype).rpartition('.')[2]}{list(tensor.shape)}"
