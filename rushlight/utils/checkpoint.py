"""Activation checkpointing: backward computes a segment's intermediate values again instead of keeping them.

Trading compute for memory this way is due to Chen et al., "Training Deep Nets with Sublinear Memory Cost" (2016).

Two forms. The non-reentrant one replaces each value that the segment would save by a place-holder; the first one
that backward asks for makes the segment run again, and the values it saves, in the same order, fill the others.
The reentrant one is one `Function`, whose backward runs the segment and an own backward.
"""

import contextlib
import warnings
import weakref

import rushlight
from rushlight.autograd import engine
from rushlight.autograd.function import Function
from rushlight.autograd.graph import saved_tensors_hooks

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "noop_context_fn",
    "set_checkpoint_early_stop",
]


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function did not compute what the first one did."""


def noop_context_fn():
    """The default `context_fn`: nothing around the forward run, nothing around the second one."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function,
    *args,
    use_reentrant=None,
    context_fn=noop_context_fn,
    determinism_check="default",
    debug=False,
    early_stop=True,
    **kwargs,
):
    """Calls `function(*args, **kwargs)` without keeping its intermediate values; backward runs it again.

    Args:
        function: must compute the same when it is called again.
        use_reentrant (bool): False (recommended) works with `autograd.grad`, keyword arguments and nesting, and stops
            the second run as soon as everything is there. True is the older form, which works with plain
            `backward()` alone. Left out it is True, with a warning.
        context_fn: returns two context managers, one for the run in forward and one for the run in backward.
        determinism_check (str): "default" compares shape, dtype and device of what the two runs save; "none" does not.
        debug (bool): accepted; the error of a failed check always tells position, shape and dtype.
        early_stop (bool): let the second run end once all needed values are there.
        preserve_rng_state (bool, default True): the second run draws the same random numbers.

    Returns:
        what `function` returns.

    Raises:
        CheckpointError: the second run saved other tensors than the first.
        ValueError: unknown keyword arguments, or options that `use_reentrant=True` does not have.

    >>> from rushlight.utils.checkpoint import checkpoint
    >>> x = torch.tensor([0.0, 1.0], requires_grad=True)
    >>> y = checkpoint(lambda x: x.exp().exp(), x, use_reentrant=False)
    >>> torch.autograd.grad(y.sum(), x)
    (tensor([ 2.7183, 41.1936]),)
    """
    if use_reentrant is None:
        warnings.warn(
            "[checkpoint] the use_reentrant parameter should be passed explicitly. use_reentrant=False is recommended; "
            "left out it is True.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if not use_reentrant:
        return _checkpoint_by_hooks(function, args, kwargs, preserve, context_fn, determinism_check, early_stop)
    if kwargs:
        raise ValueError(
            f"[checkpoint] Unexpected keyword arguments: {', '.join(kwargs)}. Bind them with functools.partial, or use "
            "use_reentrant=False."
        )
    if context_fn is not noop_context_fn or debug:
        raise ValueError("[checkpoint] context_fn and debug must be left out with use_reentrant=True.")
    return CheckpointFunction.apply(function, preserve, *args)


def checkpoint_sequential(functions, segments, input, use_reentrant=None, **kwargs):
    """Calls a sequence of functions on `input`, in segments that are checkpointed; the last segment is not.

    Args:
        functions (Sequential or list of callables): each takes the result of the one before.
        segments (int): how many; intermediate values of one segment at a time are in memory.
        input: argument of the first function.
        use_reentrant, preserve_rng_state: as in `checkpoint`.

    >>> from rushlight.utils.checkpoint import checkpoint_sequential
    >>> x = torch.ones(2, requires_grad=True)
    >>> y = checkpoint_sequential([torch.exp, torch.log, torch.sin, torch.asin], 2, x, use_reentrant=False)
    >>> torch.autograd.grad(y.sum(), x)
    (tensor([1., 1.]),)
    """
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"[checkpoint_sequential] Unexpected keyword arguments: {', '.join(kwargs)}.")
    if use_reentrant is None:
        warnings.warn(
            "[checkpoint_sequential] the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
            "recommended; left out it is True.",
            stacklevel=2,
        )
        use_reentrant = True
    functions = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(functions) // segments

    def chain(part):
        def run(x):
            for function in part:
                x = function(x)
            return x

        return run

    for start in range(0, size * (segments - 1), size) if size else ():
        part = functions[start : start + size]
        input = checkpoint(chain(part), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return chain(functions[size * (segments - 1) :])(input)


class set_checkpoint_early_stop:
    """In the block, `early_stop` of every non-reentrant checkpoint is as given.

    Args:
        enable (bool): whether second runs stop once all needed values are there.
    """

    override = None

    def __init__(self, enable):
        self.enable = enable

    def __enter__(self):
        self.previous = set_checkpoint_early_stop.override
        set_checkpoint_early_stop.override = self.enable

    def __exit__(self, *exception):
        set_checkpoint_early_stop.override = self.previous


class _Surroundings:
    """What a function's result depends on besides its arguments: random number generators and autocast."""

    def __init__(self, args, preserve_rng_state):
        self.rng = preserve_rng_state
        if self.rng:
            self.cpu = rushlight.get_rng_state()
            self.cuda = {x.device: rushlight.cuda.get_rng_state(x.device) for x in args if _is_on_cuda(x)}
        self.autocast = [(device, *_autocast_state(device)) for device in ("cpu", "cuda")]

    @contextlib.contextmanager
    def restored(self):
        """A block that runs in these surroundings and leaves the present ones as they were."""
        with contextlib.ExitStack() as stack:
            for device, enabled, dtype in self.autocast:
                if (enabled, dtype) != _autocast_state(device):
                    stack.enter_context(rushlight.amp.autocast(device, enabled=enabled, dtype=dtype))
            if not self.rng:
                yield
                return
            now, now_cuda = rushlight.get_rng_state(), {d: rushlight.cuda.get_rng_state(d) for d in self.cuda}
            _set_rng(self.cpu, self.cuda)
            try:
                yield
            finally:
                _set_rng(now, now_cuda)


def _set_rng(cpu, cuda):
    rushlight.set_rng_state(cpu)
    for device, state in cuda.items():
        rushlight.cuda.set_rng_state(state, device)


def _autocast_state(device):
    return rushlight.is_autocast_enabled(device), rushlight.get_autocast_dtype(device)


def _is_tensor(x):
    return isinstance(x, rushlight.Tensor)


def _is_on_cuda(x):
    return _is_tensor(x) and x.device.type == "cuda"


# --- the non-reentrant form ---


def _checkpoint_by_hooks(function, args, kwargs, preserve, context_fn, determinism_check, early_stop):
    if determinism_check not in ("default", "none"):
        raise ValueError(f"[checkpoint] determinism_check must be 'default' or 'none'. Received {determinism_check!r}.")
    forward_context, recompute_context = context_fn()
    if not rushlight.is_grad_enabled():
        with forward_context:
            return function(*args, **kwargs)
    if set_checkpoint_early_stop.override is not None:
        early_stop = set_checkpoint_early_stop.override
    surroundings = _Surroundings((*args, *kwargs.values()), preserve)
    arguments = _KeptArguments(args, kwargs)

    def recompute():
        args, kwargs = arguments.get()
        with surroundings.restored(), recompute_context, rushlight.enable_grad():
            function(*args, **kwargs)

    frame = _Frame(recompute, determinism_check == "default", early_stop)
    with saved_tensors_hooks(frame.pack, frame.unpack), forward_context:
        output = function(*args, **kwargs)
    frame.forward_is_over = True
    return output


class _KeptArguments:
    """The arguments of a segment. Tensors are saved as an operator saves them, so an outer checkpoint sees them."""

    def __init__(self, args, kwargs):
        flat = (*args, *kwargs.values())
        tensors = [x for x in flat if _is_tensor(x)]
        handle = rushlight.empty(0, requires_grad=True)
        self.node = _SaveOnly.apply(handle, *tensors).grad_fn
        self.places = [None if _is_tensor(x) else x for x in flat]
        self.is_tensor = [_is_tensor(x) for x in flat]
        self.names = tuple(kwargs)

    def get(self):
        saved = iter(self.node.saved_tensors)
        flat = [next(saved) if t else x for x, t in zip(self.places, self.is_tensor, strict=True)]
        count = len(flat) - len(self.names)
        return flat[:count], dict(zip(self.names, flat[count:], strict=True))


class _SaveOnly(Function):
    @staticmethod
    def forward(ctx, handle, *tensors):
        ctx.save_for_backward(*tensors)
        return rushlight.empty(0)

    @staticmethod
    def backward(ctx, grad):
        raise AssertionError("the node that only saves is part of no graph")


class _Slot:
    """The place-holder of one saved tensor."""

    __slots__ = ("__weakref__", "about")

    def __init__(self, about):
        self.about = about  # shape, dtype and device


class _EnoughComputed(BaseException):
    """Ends a second run that has filled every slot; no `except Exception` of the user's catches it."""


class _Frame:
    """One checkpointed call: the slots its forward run handed out, and the values of the second run."""

    def __init__(self, recompute, check_metadata, early_stop):
        self.recompute = recompute
        self.check_metadata = check_metadata
        self.early_stop = early_stop
        self.forward_is_over = False
        self.slots = []  # weak: a slot dies with the node that saved it
        self.values = weakref.WeakKeyDictionary()  # slot -> recomputed tensor that backward has not asked for yet

    def pack(self, tensor):
        slot = _Slot((tensor.shape, tensor.dtype, tensor.device))
        self.slots.append(weakref.ref(slot))
        return slot

    def unpack(self, slot):
        if slot not in self.values:
            self.fill_slots()
            task = engine.current_graph_task()
            if task is not None:
                task.callbacks.append(self.values.clear)  # what a partial backward did not ask for
        return self.values.pop(slot)

    def fill_slots(self):
        """Runs the segment again; the k-th tensor it saves is the value of the k-th slot."""
        if not self.forward_is_over:
            raise CheckpointError(
                "[checkpoint] backward through a checkpointed function must not start inside that function. "
                "Differentiate what is computed there outside the checkpoint."
            )
        found = []

        def pack(tensor):
            tensor = tensor.detach()
            position = len(found)
            found.append((tensor.shape, tensor.dtype, tensor.device))
            slot = self.slots[position]() if position < len(self.slots) else None
            if slot is not None:
                self.values[slot] = tensor
            if self.early_stop and len(found) == len(self.slots):
                raise _EnoughComputed
            return tensor

        with contextlib.suppress(_EnoughComputed), saved_tensors_hooks(pack, lambda tensor: tensor):
            self.recompute()
        self.check(found)

    def check(self, found):
        if len(found) != len(self.slots):
            raise CheckpointError(
                "[checkpoint] A different number of tensors was saved during the original forward and recomputation. "
                f"Received {len(self.slots)} in forward and {len(found)} in the second run. The function must compute "
                "the same again."
            )
        if not self.check_metadata:
            return
        different = [
            (position, slot.about, again)
            for position, (slot, again) in enumerate(zip((ref() for ref in self.slots), found, strict=True))
            if slot is not None and slot.about != again
        ]
        if different:
            lines = "".join(
                f"\ntensor at position {position}: {_metadata(before)} in forward, {_metadata(again)} in the second run"
                for position, before, again in different
            )
            self.values.clear()
            raise CheckpointError(
                "[checkpoint] Recomputed values for the following tensors have different metadata than during the "
                f"forward pass. The function must compute the same again.{lines}"
            )


def _metadata(about):
    shape, dtype, device = about
    return f"{str(dtype).rpartition('.')[2]}{list(shape)} on {device}"


# --- the reentrant form ---


def detach_variable(inputs):
    """The tuple with its tensors detached; each keeps its `requires_grad`."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"[detach_variable] Only tuple of tensors is supported. Received {type(inputs).__name__}.")
    return tuple(x.detach().requires_grad_(x.requires_grad) if _is_tensor(x) else x for x in inputs)


def check_backward_validity(inputs):
    """Warns when no tensor among the inputs requires grad, so that backward would do nothing."""
    if not any(_is_tensor(x) and x.requires_grad for x in inputs):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)


class CheckpointFunction(Function):
    """The reentrant checkpoint: `CheckpointFunction.apply(function, preserve_rng_state, *args)`."""

    @staticmethod
    def forward(ctx, function, preserve_rng_state, *args):
        check_backward_validity(args)
        ctx.function = function
        ctx.surroundings = _Surroundings(args, preserve_rng_state)
        ctx.save_for_backward(*(x for x in args if _is_tensor(x)))
        ctx.places = [None if _is_tensor(x) else x for x in args]
        ctx.is_tensor = [_is_tensor(x) for x in args]
        return function(*args)

    @staticmethod
    def backward(ctx, *grads):
        task = engine.current_graph_task()
        if task is None or not task.fills_all_leaves:
            raise RuntimeError(
                "[checkpoint] When use_reentrant=True, checkpoint is incompatible with .grad() or passing an `inputs` "
                "parameter to .backward(). Set use_reentrant=False, or call .backward() without `inputs`."
            )
        saved = iter(ctx.saved_tensors)
        args = tuple(next(saved) if t else x for x, t in zip(ctx.places, ctx.is_tensor, strict=True))
        args = detach_variable(args)
        with ctx.surroundings.restored(), rushlight.enable_grad():
            outputs = ctx.function(*args)
        outputs = (outputs,) if _is_tensor(outputs) else outputs
        pairs = [(y, g) for y, g in zip(outputs, grads, strict=True) if _is_tensor(y) and y.requires_grad]
        if not pairs:
            raise RuntimeError(
                "[checkpoint] none of output has requires_grad=True, this checkpoint() is not necessary. "
                "Call the function itself."
            )
        rushlight.autograd.backward([y for y, _ in pairs], [g for _, g in pairs])
        return (None, None, *(x.grad if _is_tensor(x) else None for x in args))
