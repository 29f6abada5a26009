"""Activation checkpointing: backward computes a segment's intermediate values again instead of keeping them.

Trading compute for memory this way is due to Chen et al., "Training Deep Nets with Sublinear Memory Cost" (2016).

Two forms. The non-reentrant one replaces each value that the segment would save by a place-holder; the first one
that backward asks for makes the segment run again, and the values it saves, in the same order, fill the others.
The reentrant one is one `Function`, whose backward runs the segment and an own backward.
"""

import contextlib
import enum
import warnings
import weakref

import rushlight
from rushlight import _core
from rushlight.autograd import engine
from rushlight.autograd.function import Function
from rushlight.autograd.graph import saved_tensors_hooks
from rushlight.unsupported import refusal
from rushlight.utils._pytree import tree_leaves

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "CheckpointPolicy",
    "DefaultDeviceType",
    "GraphExecGroup",
    "SelectiveCheckpointContext",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
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
        debug (bool): let the error of a failed check also list the operators that the two runs called.
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
        if set_checkpoint_debug_enabled.override is not None:
            debug = set_checkpoint_debug_enabled.override
        return _checkpoint_by_hooks(function, args, kwargs, preserve, context_fn, determinism_check, early_stop, debug)
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


class _Override:
    """A block in which an option of every non-reentrant checkpoint is as given."""

    override = None

    def __init__(self, enabled):
        self.enabled = enabled

    def __enter__(self):
        self.previous = type(self).override
        type(self).override = self.enabled

    def __exit__(self, *exception):
        type(self).override = self.previous


class set_checkpoint_early_stop(_Override):
    """In the block, `early_stop` of every non-reentrant checkpoint is as given.

    Args:
        enable (bool): whether second runs stop once all needed values are there.
    """

    def __init__(self, enable):
        super().__init__(enable)


class set_checkpoint_debug_enabled(_Override):
    """In the block, `debug` of every non-reentrant checkpoint is as given.

    Args:
        enabled (bool): whether errors list the operators called. None: as each checkpoint says.
    """


class GraphExecGroup:
    """In the block, several backward runs through a non-reentrant checkpoint share one second run of its function.

    Each value can be used by one of them. Values that none has used are dropped at the end of the block.

    >>> from rushlight.utils.checkpoint import GraphExecGroup, checkpoint
    >>> def function(x):
    ...     print("running")
    ...     return x.exp(), x.sin()
    >>> a, b = checkpoint(function, torch.zeros(1, requires_grad=True), use_reentrant=False)
    running
    >>> with GraphExecGroup():
    ...     a.backward()
    ...     b.backward()
    running
    """

    current = None

    def __enter__(self):
        if GraphExecGroup.current is not None:
            raise RuntimeError("[GraphExecGroup] GraphExecGroup contexts cannot be nested. Leave the outer one first.")
        self.at_exit = []
        GraphExecGroup.current = self
        return self

    def __exit__(self, *exception):
        GraphExecGroup.current = None
        for function in self.at_exit:
            function()


# --- selective checkpoints, which do not exist


class CheckpointPolicy(enum.Enum):
    """What a policy of a selective checkpoint may answer about an operator."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


class SelectiveCheckpointContext:
    """What a policy of a selective checkpoint is told."""

    def __init__(self, *, is_recompute, op_output=None):
        self.is_recompute = is_recompute
        self.op_output = op_output


create_selective_checkpoint_contexts = refusal(
    "create_selective_checkpoint_contexts",
    "an operator's result cannot be put in place of its call. Checkpoint smaller functions: what is outside of them is "
    "kept.",
)


# --- random number generators of devices


class DefaultDeviceType:
    """The device whose generators are kept where no argument is on a device."""

    _device = None

    @staticmethod
    def set_device_type(device="cuda"):
        """Sets it."""
        DefaultDeviceType._device = device

    @staticmethod
    def get_device_type():
        """The device set, or else that of this machine's accelerator, or cpu."""
        if DefaultDeviceType._device is None:
            found = rushlight.accelerator.current_accelerator(True)
            return "cpu" if found is None else found.type
        return DefaultDeviceType._device


def get_device_states(*args):
    """The numbers of the devices on which the tensors among the arguments are, and their generators' states."""
    devices = [x.get_device() for x in tree_leaves(args) if _is_on_cuda(x)]
    return devices, [rushlight.cuda.get_rng_state(device) for device in devices]


def set_device_states(devices, states, *, device_type=None):
    """Sets the states that `get_device_states` returned."""
    for device, state in zip(devices, states, strict=True):
        rushlight.cuda.set_rng_state(state, device)


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


def _checkpoint_by_hooks(function, args, kwargs, preserve, context_fn, determinism_check, early_stop, debug):
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

    frame = _Frame(recompute, determinism_check == "default", early_stop, debug)
    with saved_tensors_hooks(frame.pack, frame.unpack), forward_context, frame.noting_calls():
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

    def __init__(self, recompute, check_metadata, early_stop, debug):
        self.recompute = recompute
        self.check_metadata = check_metadata
        self.early_stop = early_stop
        self.debug = debug
        self.calls = []  # with debug, a list of operators per run
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
            group, task = GraphExecGroup.current, engine.current_graph_task()
            if group is not None:
                group.at_exit.append(self.values.clear)
            elif task is not None:
                task.callbacks.append(self.values.clear)  # what a partial backward did not ask for
        return self.values.pop(slot)

    @contextlib.contextmanager
    def noting_calls(self):
        """With debug, a block whose calls of operators are listed in `calls`."""
        if not self.debug:
            yield
            return
        names = []
        self.calls.append(names)

        def note(name, arguments, results):
            names.append(name)

        _core.observe(note)
        try:
            yield
        finally:
            _core.unobserve(note)

    def calls_text(self):
        runs = zip(("forward", "the second run"), (self.calls[0], self.calls[-1]), strict=True) if self.debug else ()
        return "".join(f"\noperators of {run}: {', '.join(names)}" for run, names in runs)

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

        hooks = saved_tensors_hooks(pack, lambda tensor: tensor)
        with contextlib.suppress(_EnoughComputed), hooks, self.noting_calls():
            self.recompute()
        self.check(found)

    def check(self, found):
        if len(found) != len(self.slots):
            raise CheckpointError(
                "[checkpoint] A different number of tensors was saved during the original forward and recomputation. "
                f"Received {len(self.slots)} in forward and {len(found)} in the second run. The function must compute "
                f"the same again.{self.calls_text()}"
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
                f"forward pass. The function must compute the same again.{lines}{self.calls_text()}"
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
