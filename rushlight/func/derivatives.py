"""Derivatives as functions of functions, over the one tape.

Each transform differentiates fresh aliases of its arguments, so that nested transforms do not confuse one another: a
gradient flows through an alias to an outer transform, but a transform sees the paths through its own aliases alone.
Under vmap the aliases have a batch, whether or not the arguments had one; so the gradient is one for each example.
"""

import functools

import rushlight
from rushlight import _core
from rushlight.func.batched import Batched, innermost, levels_of, over, running, wrapped
from rushlight.func.vectorize import vmap
from rushlight.utils import _pytree as pytree

Tensor = _core.Tensor


def grad(func, argnums=0, has_aux=False):
    """Returns the function that computes the gradient of `func`, which returns a 0-d tensor.

    Args:
        func: takes tensors or nested containers of them.
        argnums (int or tuple of int): with respect to which arguments.
        has_aux (bool): `func` returns (value, aux); the result is (gradient, aux).

    Returns:
        A function. Its result has the structure of the argument, for a tuple of argnums a tuple of them; zeros where
        the value does not depend on it.

    Raises:
        RuntimeError: the value is no 0-d tensor, or argnums do not fit the arguments.

    >>> torch.func.grad(torch.func.grad(torch.sin))(torch.tensor(1.0))
    tensor(-0.8415)
    """

    @functools.wraps(func)
    def gradient(*args, **kwargs):
        found = _value_and_gradient(func, argnums, has_aux, args, kwargs)
        return (found[1], found[2]) if has_aux else found[1]

    return gradient


def grad_and_value(func, argnums=0, has_aux=False):
    """As `grad`, but the function returns (gradient, value), or (gradient, (value, aux)).

    >>> torch.func.grad_and_value(lambda x: x ** 2)(torch.tensor(3.0))
    (tensor(6.), tensor(9.))
    """

    @functools.wraps(func)
    def gradient(*args, **kwargs):
        value, gradient, aux = _value_and_gradient(func, argnums, has_aux, args, kwargs)
        return gradient, ((value, aux) if has_aux else value)

    return gradient


def vjp(func, *primals, has_aux=False):
    """`func(*primals)` and the function that maps a cotangent v of the output to v^T J.

    Args:
        func: takes and returns tensors or nested containers of them.
        has_aux (bool): `func` returns (output, aux).

    Returns:
        (output, vjp_fn), with has_aux (output, vjp_fn, aux). `vjp_fn(cotangents)` takes the structure of the output
        and returns a tuple with one entry per primal. It may be called any number of times: what it needs is kept as
        long as it lives, whatever retain_graph says.

    Raises:
        RuntimeError: the cotangents have not the structure or the shapes of the output.

    >>> output, vjp_fn = torch.func.vjp(torch.sin, torch.tensor([0.0, 1.0]))
    >>> vjp_fn(torch.ones(2))
    (tensor([1.0000, 0.5403]),)
    """
    record, aux = _recorded("vjp", func, primals, {}, has_aux)
    outputs, spec = pytree.tree_flatten(record.output)

    def vjp_fn(cotangents, retain_graph=True, create_graph=None):
        leaves, given_spec = pytree.tree_flatten(cotangents)
        if given_spec != spec:
            raise RuntimeError(
                f"[vjp] Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {given_spec}, primal output: {spec}."
            )
        create = _core.is_grad_enabled() and (record.outer or any(x.requires_grad for x in leaves))
        grads = pulled_back(outputs, record.leaves, leaves, create if create_graph is None else create_graph)
        return record.like_inputs(grads)

    output = record.released(record.output)
    return (output, vjp_fn, record.released(aux)) if has_aux else (output, vjp_fn)


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """`func(*primals)` and its derivative J t in the direction of the tangents.

    There are no forward-mode formulas: the reverse pass v -> v^T J is linear in v, so that a second reverse pass
    through it gives t -> J t. It costs about three evaluations of `func`.

    Args:
        primals, tangents (tuple): of one structure, tensor by tensor of one shape.
        strict (bool): an output that does not depend on the primals is an error instead of zeros.
        has_aux (bool): `func` returns (output, aux).

    Returns:
        (output, J t), with has_aux (output, J t, aux).

    Raises:
        RuntimeError: primals or tangents are no tuples or do not match; or `strict` and independent.

    >>> torch.func.jvp(torch.sin, (torch.tensor(0.0),), (torch.tensor(2.0),))
    (tensor(0.), tensor(2.))
    """
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, tuple) or not value:
            raise RuntimeError(
                f"[jvp] jvp(f, primals, tangents): Expected {name} to be a non-empty tuple, one entry per argument of "
                f"f. Received {type(value).__name__}."
            )
    record, aux = _recorded("jvp", func, primals, {}, has_aux)
    push = _Pushforward(record, strict)
    directions = _matching("jvp", primals, tangents)
    pushed = push(directions)
    output = record.released(record.output)
    return (output, pushed, record.released(aux)) if has_aux else (output, pushed)


def linearize(func, *primals):
    """`func(*primals)` and the linear function t -> J t, which does not evaluate `func` again.

    Raises:
        RuntimeError: the tangents do not match the primals.

    >>> output, jvp_fn = torch.func.linearize(torch.sin, torch.tensor(0.0))
    >>> jvp_fn(torch.tensor(2.0))
    tensor(2.)
    """
    record, _ = _recorded("linearize", func, primals, {}, False)
    push = _Pushforward(record, strict=False)

    def jvp_fn(*tangents):
        return push(_matching("linearize", primals, tangents))

    return record.released(record.output), jvp_fn


def jacrev(func, argnums=0, *, has_aux=False, chunk_size=None, _preallocate_and_copy=False):
    """Returns the function that computes the Jacobian of `func` by one reverse pass per entry of the output.

    Args:
        argnums (int or tuple of int): with respect to which arguments.
        has_aux (bool): `func` returns (output, aux); the result is (Jacobian, aux).
        chunk_size (int): accepted: one pass at a time needs the least memory.

    Returns:
        A function. For an output and an argument that are tensors, it gives a tensor [*output.shape, *input.shape];
        otherwise the structure of the output, with that of the argument in place of each tensor.

    >>> torch.func.jacrev(lambda x: x ** 2)(torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"[jacrev] `chunk_size` should be greater than 0. Received {chunk_size}.")

    @functools.wraps(func)
    def jacobian(*args, **kwargs):
        partial, chosen, single = _with_respect_to("jacrev", func, argnums, args)
        record, aux = _recorded("jacrev", partial, chosen, kwargs, has_aux)
        outputs, spec = pytree.tree_flatten(record.output)
        create = record.outer and _core.is_grad_enabled()
        columns = [_rows(y, record.leaves, create) for y in outputs]
        result = pytree.tree_unflatten([record.like_inputs(column, single) for column in columns], spec)
        return (result, record.released(aux)) if has_aux else result

    return jacobian


def _rows(y, inputs, create):
    """The Jacobian of one output with respect to every input."""
    count = y.numel()
    units = rushlight.eye(count, dtype=y.dtype, device=y.device)
    rows = [pulled_back([y], inputs, [units[k].reshape(y.shape)], create) for k in range(count)]
    if not rows:
        return [x.new_zeros((*y.shape, *x.shape)) for x in inputs]
    return [
        rushlight.stack(column).reshape(*y.shape, *x.shape)
        for column, x in zip(zip(*rows, strict=True), inputs, strict=True)
    ]


def jacfwd(func, argnums=0, has_aux=False, *, randomness="error"):
    """As `jacrev`, for more outputs than inputs: `func` runs once, on a batch with one example per input entry.

    Args:
        randomness (str): as in `vmap`.
        the rest: as in `jacrev`.

    >>> torch.func.jacfwd(lambda x: x ** 2)(torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def jacobian(*args, **kwargs):
        partial, chosen, single = _with_respect_to("jacfwd", func, argnums, args)
        leaves, spec = pytree.tree_flatten(chosen)
        kept = []

        def push(*tangents):
            call = functools.partial(partial, **kwargs)
            _, pushed, *aux = jvp(call, chosen, pytree.tree_unflatten(tangents, spec), has_aux=has_aux)
            kept.extend(pytree.tree_map(_first_example, part) for part in aux)
            return pushed

        pushed = vmap(push, randomness=randomness)(*_units(leaves))
        flat, out_spec = pytree.tree_flatten(pushed)
        columns = [_split_columns(y, leaves) for y in flat]
        columns = [pytree.tree_unflatten(column, spec) for column in columns]
        result = pytree.tree_unflatten([column[0] if single else column for column in columns], out_spec)
        return (result, kept[0]) if has_aux else result

    return jacobian


def _first_example(x):
    """What is the same for all examples, taken out of the map that is running."""
    return x.value[0] if type(x) is Batched and x.level is running.levels[-1] else x


def _units(leaves):
    """For each tensor its part of every unit vector of their joint space: [N, *shape]."""
    total = sum(x.numel() for x in leaves)
    units, start = [], 0
    for x in leaves:
        part = rushlight.eye(total, dtype=x.dtype, device=x.device)[:, start : start + x.numel()]
        units.append(part.reshape(total, *x.shape))
        start += x.numel()
    return units


def _split_columns(pushed, leaves):
    """[N, *y.shape] -> for each input the Jacobian [*y.shape, *x.shape]."""
    columns, start = [], 0
    for x in leaves:
        part = pushed[start : start + x.numel()].movedim(0, -1)
        columns.append(part.reshape(*pushed.shape[1:], *x.shape))
        start += x.numel()
    return columns


def hessian(func, argnums=0):
    """Returns the function that computes the Hessian of `func`: jacfwd of jacrev.

    >>> torch.func.hessian(lambda x: (x ** 3).sum())(torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


# --- one evaluation, recorded from fresh aliases of its arguments
class _Record:
    def __init__(self, leaves, spec, tracked):
        self.leaves = leaves  # the aliases
        self.spec = spec
        self.tracked = tracked  # whether the arguments themselves have a history
        self.recording = _core.is_grad_enabled()  # outside the transform
        self.output = None

    @functools.cached_property
    def outer(self):
        """Whether what is computed from the output has a history outside this transform."""
        outputs = [y for y in pytree.tree_leaves(self.output) if isinstance(y, Tensor)]
        return self.recording and (self.tracked or self._reaches_others(outputs))

    def _reaches_others(self, tensors):
        return _core.depends_on_others([innermost(y) for y in tensors], [innermost(x) for x in self.leaves])

    def released(self, tree):
        """The results as the caller sees them: without the history that is this transform's alone."""

        def release(y):
            if not isinstance(y, Tensor) or not y.requires_grad:
                return y
            return y if self.recording and (self.tracked or self._reaches_others([y])) else y.detach()

        return pytree.tree_map(release, tree)

    def like_inputs(self, leaves, single=None):
        """Results in the structure of the arguments; of a single one alone."""
        tree = pytree.tree_unflatten(leaves, self.spec)
        return tree[0] if single else tree


def _recorded(op, func, args, kwargs, has_aux):
    """(the record of func(*args), aux)."""
    leaves, spec = pytree.tree_flatten(args)
    for x in leaves:
        if not isinstance(x, Tensor):
            raise ValueError(
                f"[{op}] Thing passed to transform API must be Tensor, got {type(x).__name__}. Bind other arguments "
                "with functools.partial."
            )
    record = _Record([_alias(x) for x in leaves], spec, any(x.requires_grad for x in leaves))
    with rushlight.enable_grad():
        output = func(*pytree.tree_unflatten(record.leaves, spec), **kwargs)
    aux = None
    if has_aux:
        if not isinstance(output, tuple) or len(output) != 2:
            raise RuntimeError(
                f"[{op}] output of function f should be a tuple: (output, aux) if has_aux is True. Received "
                f"{type(output).__name__}."
            )
        output, aux = output
    for y in pytree.tree_leaves(output):
        if not isinstance(y, Tensor):
            raise RuntimeError(
                f"[{op}] Expected f to be a function that returns only tensors, got an output of type "
                f"{type(y).__name__}. Return other things through has_aux."
            )
    record.output = output
    return record, aux


def _alias(x):
    """A tensor of the same values to differentiate with respect to, with a batch at every running level."""
    x = over(x, running.levels)
    inner = innermost(x)
    tracked = inner.requires_grad and _core.is_grad_enabled()
    return wrapped(inner.view_as(inner) if tracked else inner.detach().requires_grad_(), levels_of(x))


def pulled_back(outputs, inputs, cotangents, create_graph):
    """v^T J for every input, with zeros where nothing depends on it.

    A cotangent may have a batch at a level that the graph does not know, of a vmap over the pullback alone: then there
    is one reverse pass per example.
    """
    known = levels_of(inputs[0]) if inputs else []
    new = {level.depth: level for v in cotangents for level in levels_of(v) if level not in known}
    if new:
        level = new[max(new)]
        rows = [
            pulled_back(outputs, inputs, [_at(v, level, k) for v in cotangents], create_graph)
            for k in range(level.size)
        ]
        return [Batched(rushlight.stack(column), level) for column in zip(*rows, strict=True)]
    for y, v in zip(outputs, cotangents, strict=True):
        if v.shape != y.shape:
            raise RuntimeError(
                f"[vjp] Mismatch in shape: a cotangent must have the shape of its output, {list(y.shape)}. Received "
                f"{list(v.shape)}."
            )
    levels = known[::-1]
    with rushlight.enable_grad():  # what is expanded belongs to the graph
        pairs = [
            (innermost(over(y, levels)), innermost(over(v, levels)))
            for y, v in zip(outputs, cotangents, strict=True)
            if y.requires_grad
        ]
    return _engine(pairs, inputs, create_graph)


def _at(v, level, k):
    return v.value[k] if type(v) is Batched and v.level is level else v


def _engine(pairs, inputs, create_graph):
    """One run of the engine over (output, cotangent) pairs without wrappers."""
    grads = [None] * len(inputs)
    if pairs and inputs:
        grads = _core.run_backward(
            *map(tuple, zip(*pairs, strict=True)), True, create_graph, tuple(map(innermost, inputs)), True, False
        )
    return [
        wrapped(rushlight.zeros_like(innermost(x)) if g is None else g, levels_of(x))
        for x, g in zip(inputs, grads, strict=True)
    ]


class _Pushforward:
    """t -> J t of a record, by a reverse pass through the reverse pass, which is recorded once."""

    def __init__(self, record, strict):
        self.record = record
        self.outputs, self.spec = pytree.tree_flatten(record.output)
        self.levels = running.levels[:]
        with rushlight.enable_grad():
            outputs = [over(y, self.levels) for y in self.outputs]
            self.probes = [
                wrapped(rushlight.zeros_like(innermost(y)).requires_grad_(), levels_of(y)) if y.requires_grad else None
                for y in outputs
            ]
            pairs = [(innermost(y), innermost(p)) for y, p in zip(outputs, self.probes, strict=True) if p is not None]
            self.reverse = _engine(pairs, record.leaves, True)
        if strict and any(p is None for p in self.probes):
            raise RuntimeError(
                "[jvp] jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is "
                "not allowed with strict=True."
            )

    def __call__(self, tangents):
        used = [p for p in self.probes if p is not None]
        record = self.record
        create = _core.is_grad_enabled() and (record.outer or any(t.requires_grad for t in tangents))
        pushed = iter(pulled_back(self.reverse, used, tangents, create) if used else ())
        found = [
            rushlight.zeros_like(y) if p is None else next(pushed)
            for y, p in zip(self.outputs, self.probes, strict=True)
        ]
        return pytree.tree_unflatten(found, self.spec)


# --- arguments
def _value_and_gradient(func, argnums, has_aux, args, kwargs):
    partial, chosen, single = _with_respect_to("grad", func, argnums, args)
    record, aux = _recorded("grad", partial, chosen, kwargs, has_aux)
    value = record.output
    if not isinstance(value, Tensor):
        raise RuntimeError(
            "[grad] Expected f(*args) to return a single tensor, was a container. Use has_aux=True for further results."
        )
    if value.ndim:
        raise RuntimeError(
            f"[grad] Expected f(*args) to return a scalar tensor, got tensor with {value.ndim} dims. Reduce it with "
            "sum() or mean(), or use jacrev."
        )
    grads = pulled_back([value], record.leaves, [rushlight.ones_like(value.detach())], record.outer)
    return record.released(value), record.like_inputs(grads, single), record.released(aux)


def _with_respect_to(op, func, argnums, args):
    """func as a function of the chosen arguments, these, and whether there is but one."""
    numbers = (argnums,) if isinstance(argnums, int) else argnums
    if not isinstance(numbers, tuple) or not numbers or not all(isinstance(n, int) for n in numbers):
        raise RuntimeError(f"[{op}] argnums must be int or a non-empty tuple of int. Received {argnums!r}.")
    for n in numbers:
        if not -len(args) <= n < len(args):
            raise RuntimeError(
                f"[{op}] Got argnum={n}, but only {len(args)} positional inputs. Count positional arguments from 0."
            )
    numbers = tuple(n % len(args) for n in numbers)
    if len(set(numbers)) != len(numbers):
        raise RuntimeError(f"[{op}] argnums elements must be unique. Received {argnums!r}.")

    def partial(*chosen, **kwargs):
        full = list(args)
        for n, x in zip(numbers, chosen, strict=True):
            full[n] = x
        return func(*full, **kwargs)

    return partial, tuple(args[n] for n in numbers), isinstance(argnums, int)


def _matching(op, primals, tangents):
    """The tangents as a list, checked against the primals."""
    leaves, spec = pytree.tree_flatten(primals)
    given, given_spec = pytree.tree_flatten(tangents)
    if given_spec != spec:
        raise RuntimeError(
            f"[{op}] Expected primals and tangents to have the same python structure. For example, if primals is a "
            f"tuple of 3 tensors, tangents also must be. Received {given_spec} for {spec}."
        )
    for x, t in zip(leaves, given, strict=True):
        if not isinstance(t, Tensor) or t.shape != x.shape:
            raise RuntimeError(
                f"[{op}] a tangent must have the shape of its primal, {list(x.shape)}. Received "
                f"{list(t.shape) if isinstance(t, Tensor) else type(t).__name__}."
            )
    return given
