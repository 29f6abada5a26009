"""Operators written by the user: `Function`, and the context `ctx` that its two halves share.

What this module asks of the core:

* `_core.FunctionContext` is the C++ base of `ctx`, which is also the backward node. It must be a plain base
  class (subclasses add `__dict__`), its `name()` is the name of its Python class, and it has the methods that
  `FunctionCtx` documents.
* `_core.apply_function(cls, ctx, forward, args)` fills `ctx.needs_input_grad`, calls `forward(ctx, *args)` with
  recording off, and attaches `ctx` to the tensors that come out, unless no input asks for a gradient.
* In backward the core calls `ctx.apply(*grads)`, one gradient per output (None or zeros for a missing one, by
  `ctx.materialize_grads`), with recording on only under `create_graph`. It returns a tuple with one gradient or
  None per argument of `apply`.
"""

import functools
import warnings

import rushlight
from rushlight import _core

__all__ = ["FunctionCtx", "BackwardCFunction", "Function", "InplaceFunction", "NestedIOFunction", "once_differentiable"]


class FunctionCtx(_core.FunctionContext):
    """The first argument of a `Function`'s `forward` (or `setup_context`) and of its `backward`.

    Any attribute may be set on it. Tensors that backward needs go through `save_for_backward`, so that a later
    in-place change is noticed and no reference cycle keeps them alive.

    * `save_for_backward(*tensors)`: keeps inputs and outputs for backward; None is allowed. Call it once.
    * `saved_tensors`: the tuple of what was saved.
    * `needs_input_grad`: a tuple of bool, one per argument of `apply`.
    * `mark_dirty(*tensors)`: names the inputs that forward changed in place; each must be returned.
    * `mark_non_differentiable(*tensors)`: names the outputs that have no gradient.
    * `set_materialize_grads(value)`: with False, a missing gradient reaches backward as None, not as zeros.

    >>> class Scale(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x, factor):
    ...         ctx.factor = factor
    ...         return x * factor
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         return grad * ctx.factor, None
    >>> x = torch.ones(2, requires_grad=True)
    >>> Scale.apply(x, 3.0).sum().backward()
    >>> x.grad
    tensor([3., 3.])
    """

    def save_for_forward(self, *tensors):
        """Keeps tensors for `jvp`."""
        self.saved_for_forward = tensors

    def mark_shared_storage(self, *pairs):
        """Accepted and ignored: which storage two tensors share is always known."""
        warnings.warn("mark_shared_storage is not needed and does nothing.", FutureWarning, stacklevel=2)


class BackwardCFunction(FunctionCtx):
    """The backward node of a `Function` subclass; each subclass has its own, named `<Subclass>Backward`."""

    _forward_cls = None  # the Function subclass

    def apply(self, *grads):
        """Runs the subclass's `backward`; returns a tuple of one gradient or None per argument of `apply`."""
        result = self._forward_cls.backward(self, *grads)
        if not isinstance(result, tuple):
            result = (result,)
        expected = len(self.needs_input_grad)
        if len(result) > expected and all(grad is None for grad in result[expected:]):
            result = result[:expected]
        if len(result) != expected:
            raise RuntimeError(
                f"[{self._forward_cls.__name__}.backward] function {type(self).__name__} returned an incorrect number "
                f"of gradients (expected {expected}, got {len(result)}). Return one per argument of forward, None "
                "where there is no gradient."
            )
        for index, grad in enumerate(result):
            if grad is not None and not isinstance(grad, rushlight.Tensor):
                raise TypeError(
                    f"[{self._forward_cls.__name__}.backward] gradient {index} must be a Tensor or None. "
                    f"Received {type(grad).__name__}."
                )
        return result


class Function:
    """An operator with its own derivative: subclass it, write `forward` and `backward`, call `apply`.

    Two styles: `forward(ctx, *args)` does the work and fills `ctx`; or `forward(*args)` does the work alone and
    `setup_context(ctx, inputs, output)` fills `ctx`. Both are static methods and run unrecorded. `backward(ctx,
    *grad_outputs)` takes one gradient per output and returns one per argument of forward; it is recorded under
    `create_graph=True`, so it has derivatives of its own if it is written in differentiable calls.

    Raises:
        NotImplementedError: forward or backward is missing when it is needed.
        RuntimeError: backward returned the wrong number of gradients.

    >>> class Exp(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(x):
    ...         return x.exp()
    ...     @staticmethod
    ...     def setup_context(ctx, inputs, output):
    ...         ctx.save_for_backward(output)
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         y, = ctx.saved_tensors
    ...         return grad * y
    >>> x = torch.zeros(2, requires_grad=True)
    >>> Exp.apply(x).sum().backward()
    >>> x.grad
    tensor([1., 1.])
    """

    generate_vmap_rule = False
    _takes_batches = False  # in the library: leading dimensions of the one tensor among the arguments are a batch
    _backward_cls = BackwardCFunction
    _signature = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        own = vars(cls)
        if "vjp" in own and "backward" not in own:
            cls.backward = own["vjp"]
        elif "vjp" in own and own["vjp"] is not own["backward"]:
            raise RuntimeError(f"[{cls.__name__}] implement either backward or vjp, which are two names of one thing.")
        cls._signature = None
        cls._backward_cls = type(cls.__name__ + "Backward", (BackwardCFunction,), {"_forward_cls": cls})

    def __init__(self, *args, **kwargs):
        warnings.warn(
            f"{type(self)} should not be instantiated. Its methods are static: call {type(self).__name__}.apply(...).",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args, **kwargs):
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is not supported. Make forward and backward "
            f"static methods that take ctx first, and call {type(self).__name__}.apply(...)."
        )

    @staticmethod
    def forward(*args, **kwargs):
        """Computes the output or tuple of outputs: `forward(ctx, *args)`, or `forward(*args)` with `setup_context`."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Fills `ctx` from the tuple of arguments and the result of a `forward(*args)` that takes no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        """Returns the gradient of each argument of forward, given that of each output."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx, *grad_inputs):
        """Forward-mode derivative. It may be defined; forward mode is made of two reverse passes and never calls it."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info, in_dims, *args):
        """Rule for `torch.func.vmap`; returns the output and its out_dims.

        `info` has the batch_size and the randomness of the map, `in_dims` each argument's mapped dimension or None.
        """
        raise NotImplementedError(
            "You must implement the vmap staticmethod (or set generate_vmap_rule=True) for your custom "
            "autograd.Function to use it with vmap."
        )

    @classmethod
    def apply(cls, *args, **kwargs):
        """Calls the operator: runs `forward` and records it if an input asks for a gradient."""
        run = cls._forward_then_setup
        if cls.setup_context is not Function.setup_context:
            args = cls._bind(*args, **kwargs)
        else:
            run = cls.forward
            if kwargs:
                args = cls._bind(None, *args, **kwargs)[1:]
        result = _core.apply_function(cls, cls._backward_cls(), run, args)
        if result is NotImplemented:  # an argument has a hidden batch
            from rushlight.func.custom_function import apply_mapped

            return apply_mapped(cls, args)
        return result

    @classmethod
    def _bind(cls, *args, **kwargs):
        """The arguments of forward in order; with its defaults where `setup_context` will see all of them."""
        if cls._signature is None:
            import inspect  # slow to import, and few programs come here

            cls._signature = inspect.signature(cls.forward)
        if not kwargs and len(args) == len(cls._signature.parameters):
            return args
        bound = cls._signature.bind(*args, **kwargs)
        if bound.kwargs or cls.setup_context is not Function.setup_context:
            bound.apply_defaults()
        return bound.args

    @classmethod
    def _forward_then_setup(cls, ctx, *args):
        output = cls.forward(*args)
        cls.setup_context(ctx, args, output)
        return output


class InplaceFunction(Function):
    """A `Function` that may change its input in place; kept because programs derive from it."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """A base for functions with nested inputs in the old style, which no longer run: see `Function`.

    The name is kept because programs ask for it. A `Function` may take and return nested containers itself.
    """


def once_differentiable(backward):
    """Marks a `backward` whose calls are not recorded: differentiating its result raises a RuntimeError.

    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     @torch.autograd.function.once_differentiable
    ...     def backward(ctx, grad):
    ...         return 2 * grad * ctx.saved_tensors[0]
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> torch.autograd.grad(Square.apply(x), x)
    (tensor(6.),)
    """

    @functools.wraps(backward)
    def run_once(ctx, *grads):
        with rushlight.autograd.no_grad():
            outputs = backward(ctx, *grads)
        recording = _core.is_grad_enabled() and any(
            isinstance(grad, rushlight.Tensor) and grad.requires_grad for grad in grads
        )
        if not recording:
            return outputs
        single = not isinstance(outputs, tuple)
        outputs = (outputs,) if single else outputs
        outputs = tuple(None if grad is None else _NotTwice.apply(grad.detach().requires_grad_()) for grad in outputs)
        return outputs[0] if single else outputs

    return run_once


class _NotTwice(Function):
    """The identity, with an error as its derivative."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")
