"""The recorded graph as Python sees it: nodes, edges, and hooks on saved values and on several gradients at once."""

import threading
import weakref
from typing import NamedTuple

import rushlight
from rushlight import _core
from rushlight.autograd import engine
from rushlight.utils.hooks import RemovableHandle

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "region_activation_memory_budget",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
    "set_override_stale_capture_stream",
    "set_warn_on_accumulate_grad_stream_mismatch",
]


class _NodeMeta(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, (_core.Node, _core.FunctionContext))


class Node(metaclass=_NodeMeta):
    """A recorded call: `tensor.grad_fn` is one, and so is the `ctx` of a `Function`.

    * `name()`: the name of the backward formula, such as `MulBackward0`.
    * `next_functions`: a tuple of (node or None, output number), one per input of the call.
    * `metadata`: a dict for the user.
    * `register_hook(fn)`: `fn(grad_inputs, grad_outputs)` runs after the node; it may return new grad_inputs.
    * `register_prehook(fn)`: `fn(grad_outputs)` runs before the node; it may return new grad_outputs.

    >>> x = torch.ones(2, requires_grad=True)
    >>> y = (x * 2).exp()
    >>> y.grad_fn.name(), isinstance(y.grad_fn, torch.autograd.graph.Node)
    ('ExpBackward0', True)
    >>> y.grad_fn.next_functions[0][0].name()
    'MulBackward0'
    """


class GradientEdge(NamedTuple):
    """Where a tensor's gradient enters the graph; stands for the tensor in `grad` and `backward`'s `inputs`."""

    node: Node
    output_nr: int
    ownership_token: object = None


def get_gradient_edge(tensor):
    """Returns the `GradientEdge` of a tensor that requires grad: an output of its `grad_fn`, or a leaf's accumulator.

    Holding the edge does not hold the tensor's values.

    Raises:
        RuntimeError: the tensor does not require grad.

    >>> x = torch.ones(2, requires_grad=True)
    >>> y = x.exp()
    >>> torch.autograd.graph.get_gradient_edge(y).node is y.grad_fn
    True
    """
    if not tensor.requires_grad:
        raise RuntimeError(
            "[get_gradient_edge] It is not possible to get the gradient edge of a Tensor that does not require "
            "gradients. Call .requires_grad_() on it first."
        )
    if tensor.grad_fn is None:
        with rushlight.autograd.enable_grad():
            return GradientEdge(tensor.view_as(tensor).grad_fn.next_functions[0][0], 0)
    return GradientEdge(tensor.grad_fn, tensor.output_nr)


class saved_tensors_hooks:
    """Inside the block, what calls save for backward goes through two functions.

    Args:
        pack_hook: `pack_hook(tensor)` is called when a tensor is saved; what it returns is kept instead.
        unpack_hook: `unpack_hook(kept)` is called when backward needs the tensor, and returns it.

    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> with torch.autograd.graph.saved_tensors_hooks(lambda t: t * 10, lambda t: t / 10):
    ...     y = x * x
    >>> y.sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self, pack_hook, unpack_hook):
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self):
        if _refusal.message is not None:
            raise RuntimeError(_refusal.message)
        _core.push_saved_tensors_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exception):
        _core.pop_saved_tensors_hooks()


class _Refusal(threading.local):
    message = None


_refusal = _Refusal()


class disable_saved_tensors_hooks:
    """Inside the block, entering `saved_tensors_hooks` raises a RuntimeError with the given message.

    Args:
        error_message (str): what the error says.
    """

    def __init__(self, error_message):
        self.error_message = error_message

    def __enter__(self):
        self.previous = _refusal.message
        _refusal.message = self.error_message

    def __exit__(self, *exception):
        _refusal.message = self.previous


class save_on_cpu(saved_tensors_hooks):
    """Inside the block, saved tensors wait for backward in the CPU's memory.

    Args:
        pin_memory (bool): use pinned memory, which copies faster to and from a CUDA device.
        device_type (str): the device whose memory is to be spared.

    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.autograd.graph.save_on_cpu():
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(self, pin_memory=False, device_type="cuda"):
        def pack(tensor):
            if not pin_memory:
                return tensor.device, tensor.cpu()
            pinned = rushlight.empty(tensor.size(), dtype=tensor.dtype, pin_memory=True)
            pinned.copy_(tensor)
            return tensor.device, pinned

        def unpack(packed):
            device, tensor = packed
            return tensor.to(device, non_blocking=pin_memory)

        super().__init__(pack, unpack)


class allow_mutation_on_saved_tensors:
    """Not offered: it raises NotImplementedError, as saved tensors are never copied behind the user's back."""

    def __init__(self):
        raise NotImplementedError(
            "[allow_mutation_on_saved_tensors] saved tensors must not change before backward. "
            "Clone the tensor before the in-place operation."
        )


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Calls `fn` once per backward, when the gradients of several tensors are known.

    Args:
        tensors (sequence of Tensor): all require grad.
        fn: with mode "all", `fn(grads)` gets one gradient per tensor, None for those that backward did not reach;
            it runs as soon as all are there, or at the end of the backward that reached only some.
            With mode "any", `fn(grad)` gets the first gradient.
        mode (str): "all" or "any".

    Returns:
        a handle with `remove()`.

    >>> a, b = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    >>> handle = torch.autograd.graph.register_multi_grad_hook((a, b), print)
    >>> (2 * a + 3 * b).sum().backward()
    [tensor([2.]), tensor([3.])]
    >>> handle.remove()
    """
    if mode not in ("all", "any"):
        raise ValueError(f"[register_multi_grad_hook] mode must be 'all' or 'any'. Received {mode!r}.")
    tensors = tuple(tensors)
    runs = weakref.WeakKeyDictionary()  # a backward under way -> its gradients so far, or None once fn was called

    def call_at_the_end(task):
        grads = runs.pop(task)
        if grads is not None and mode == "all":
            fn(grads)

    def make_hook(index):
        def hook(grad):
            task = engine.current_graph_task()
            if task not in runs:
                runs[task] = [None] * len(tensors)
                task.callbacks.append(lambda: call_at_the_end(task))
            grads = runs[task]
            if grads is None:
                return
            grads[index] = grad
            if mode == "all" and any(g is None for g in grads):
                return
            runs[task] = None
            fn(grads if mode == "all" else grad)

        return hook

    return _MultiHandle(tuple(tensor.register_hook(make_hook(index)) for index, tensor in enumerate(tensors)))


class _MultiHandle(RemovableHandle):
    def __init__(self, handles):
        self.handles = handles

    def remove(self):
        for handle in self.handles:
            handle.remove()

    def __getstate__(self):
        return self.handles

    def __setstate__(self, state):
        self.handles = state


def increment_version(tensor):
    """Notes a write to a tensor, or to each of several, that was made behind autograd's back (through its address).

    >>> x = torch.zeros(2)
    >>> torch.autograd.graph.increment_version(x)
    >>> x._version
    1
    """
    for t in (tensor,) if isinstance(tensor, rushlight.Tensor) else tensor:
        if not t.is_inference():  # those count no writes
            _core.set_version_(t, t._version + 1)


def region_activation_memory_budget(budget):
    """Raises RuntimeError: it belongs to compiled regions, of which there are none."""
    raise RuntimeError(
        "[region_activation_memory_budget] must be used inside a compiled region, and there is none. Use "
        f"torch.utils.checkpoint to recompute activations. Received {budget}."
    )


def set_warn_on_accumulate_grad_stream_mismatch(enabled):
    """Accepted: there is one stream, so none can differ."""


def set_override_stale_capture_stream(enabled):
    """Accepted: there is one stream, so none can be stale."""
