"""torch._foreach_*: an operator for every tensor of a list. Results are tuples; in-place forms return the list.

An operand beside the list is one number or 0-d tensor for all, or a list with one for each.

>>> torch._foreach_add([torch.zeros(1), torch.ones(2)], 1.0)
(tensor([1.]), tensor([2., 2.]))
"""

import rushlight

UNARY = (
    "abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "frac", "lgamma",
    "log", "log10", "log1p", "log2", "neg", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "tan", "tanh", "trunc",
)  # fmt: skip
BINARY = ("add", "sub", "mul", "div", "clamp_max", "clamp_min", "maximum", "minimum", "pow")
TERNARY = ("addcdiv", "addcmul")


def _each(name, operand, count):
    """The operand of every tensor. Raises RuntimeError when a list is of another length."""
    if not isinstance(operand, (list, tuple)):
        return [operand] * count
    if len(operand) != count:
        raise RuntimeError(
            f"[{name}] Tensor lists must have the same number of tensors, got {count} and {len(operand)}."
        )
    return operand


def _apply(name, function, tensors, *operands, **options):
    if not len(tensors):
        raise RuntimeError(f"[{name}] Tensor list must have at least one tensor. Received none.")
    columns = [_each(name, operand, len(tensors)) for operand in operands]
    return tuple(function(*row, **options) for row in zip(tensors, *columns, strict=True))


def _unary(name, function):
    def call(self):
        return _apply(name, function, self)

    return call


def _binary(name, function):
    if name.rstrip("_").endswith(("add", "sub")):

        def call(self, other, *, alpha=1):
            return _apply(name, function, self, other, alpha=alpha)
    else:

        def call(self, other):
            return _apply(name, function, self, _number_as_tensor(name, other, self))

    return call


def _number_as_tensor(name, other, tensors):
    """maximum and minimum take tensors: a number becomes the bound that clamp knows."""
    if "imum" not in name or isinstance(other, rushlight.Tensor):
        return other
    numbers = _each(name, other, len(tensors))
    return [n if isinstance(n, rushlight.Tensor) else t.new_tensor(n) for n, t in zip(numbers, tensors, strict=True)]


def _ternary(name, function):
    def call(self, tensor1, tensor2, value=1):
        values = value.tolist() if isinstance(value, rushlight.Tensor) and value.ndim else value
        values = _each(name, values, len(self))
        rows = zip(self, _each(name, tensor1, len(self)), _each(name, tensor2, len(self)), values, strict=True)
        return tuple(function(a, b, c, value=v) for a, b, c, v in rows)

    return call


def _lerp(name, function):
    def call(self, tensors1, weight):
        return _apply(name, function, self, tensors1, weight)

    return call


def _in_place(out_of_place):
    def call(self, *args, **kwargs):
        out_of_place(self, *args, **kwargs)
        return self

    return call


def _pow(self, exponent):
    """A list to a power, or a number to the powers of a list."""
    if isinstance(self, (int, float, complex)):
        return tuple(rushlight.pow(self, t) for t in exponent)
    return _apply("_foreach_pow", rushlight.pow, self, exponent)


def _norm(self, ord=2, dtype=None):
    """The norm of every tensor."""
    return tuple(rushlight.linalg.vector_norm(t, ord, dtype=dtype) for t in self)


def _copy_(self, src, non_blocking=False):
    """Copies every tensor of src into its place."""
    _apply("_foreach_copy_", rushlight.Tensor.copy_, self, src)
    return self


def _zero_(self):
    """Sets all tensors to zero."""
    _apply("_foreach_zero_", rushlight.Tensor.zero_, self)
    return self


def _writing(name):
    """The in-place form of an operator; of those that have none, the result copied into the first argument."""
    plain = getattr(rushlight, name)
    return getattr(rushlight.Tensor, name + "_", lambda first, *rest: first.copy_(plain(first, *rest)))


FUNCTIONS = {
    "_foreach_norm": _norm,
    "_foreach_max": lambda self: _apply("_foreach_max", rushlight.max, self),
    "_foreach_clone": lambda self: _apply("_foreach_clone", rushlight.clone, self),
    "_foreach_mm": lambda self, mat2: _apply("_foreach_mm", rushlight.mm, self, mat2),
    "_foreach_copy_": _copy_,
    "_foreach_zero_": _zero_,
}
for _names, _make in ((UNARY, _unary), (BINARY, _binary), (TERNARY, _ternary), (("lerp",), _lerp)):
    for _name in _names:
        FUNCTIONS[f"_foreach_{_name}"] = _make(f"_foreach_{_name}", getattr(rushlight, _name))
        FUNCTIONS[f"_foreach_{_name}_"] = _in_place(_make(f"_foreach_{_name}_", _writing(_name)))
FUNCTIONS["_foreach_pow"] = _pow
for _name, _function in FUNCTIONS.items():
    _function.__name__ = _function.__qualname__ = _name
    _function.__doc__ = _function.__doc__ or f"{_name.removeprefix('_foreach_')}() of every tensor of a list."
globals().update(FUNCTIONS)
