"""Floating point operations of the recorded calls: matrix products and convolutions, forward and backward."""

import functools
from collections import defaultdict
from math import prod

from rushlight import _core
from rushlight.utils._pytree import tree_map
from rushlight.utils.module_tracker import ModuleTracker

__all__ = ["FlopCounterMode", "register_flop_formula"]

flop_registry = {}  # an operator's name -> formula(*arguments, out_val=results)


def _shape(x):
    return x.shape if isinstance(x, _core.Tensor) else x


def shape_wrapper(formula):
    """A formula of shapes, `formula(*shapes, out_shape=...)`, as one of tensors."""

    @functools.wraps(formula)
    def of_tensors(*args, out_val=None):
        return formula(*tree_map(_shape, args), out_shape=tree_map(_shape, out_val))

    return of_tensors


def _name_of(target):
    name = target if isinstance(target, str) else getattr(target, "__name__", None)
    if name not in _core.op_names():
        raise ValueError(
            "[register_flop_formula] targets must be operators of the core, or their names. "
            f"Received {target!r}. torch._core.op_names() lists them."
        )
    return name


def register_flop_formula(targets, get_raw=False):
    """Decorator: the function says how many floating point operations a call of the operator takes.

    Args:
        targets: an operator such as `torch.dot`, its name, or a list of these. An operator that is a composition
            of others is counted by its parts and cannot be a target.
        get_raw (bool): the function is given tensors, and the result as `out_val`. Default: their shapes, and the
            result's shape as `out_shape`.

    Raises:
        ValueError: a target is no operator.
        RuntimeError: an operator has a formula already.

    >>> from rushlight.utils.flop_counter import FlopCounterMode, register_flop_formula
    >>> @register_flop_formula("cumsum")
    ... def cumsum_flop(shape, *args, out_shape=None):
    ...     return shape.numel()
    >>> with FlopCounterMode(display=False) as counter:
    ...     _ = torch.ones(8).cumsum(0)
    >>> counter.get_total_flops()
    8
    """

    def register(formula):
        formula = formula if get_raw else shape_wrapper(formula)
        for target in targets if isinstance(targets, (list, tuple)) else [targets]:
            name = _name_of(target)
            if name in flop_registry:
                raise RuntimeError(
                    f"[register_flop_formula] an operator has one formula: duplicate registrations for {name}. "
                    "Give yours as FlopCounterMode(custom_mapping=...)."
                )
            flop_registry[name] = formula
        return formula

    return register


# A multiplication and an addition count as two. As in PyTorch, products with a vector on the right count nothing.
@register_flop_formula(["mm", "bmm", "matmul"])
def matmul_flop(a, b, *, out_shape):
    return 2 * a[-1] * prod(out_shape) if len(b) > 1 else 0


@register_flop_formula(["addmm", "addbmm", "baddbmm"])
def addmm_flop(input, a, b, *args, out_shape):
    return 2 * prod(a) * b[-1]


@register_flop_formula("linear")
def linear_flop(input, weight, bias, *, out_shape):
    return 2 * prod(input) * prod(weight[:-1])


def conv_flop_count(x_shape, w_shape, out_shape, transposed=False):
    """Operations of a convolution: each element of the smaller map (of a transposed one, the input) meets the weight.

    Shapes: x [N, C, *], w [O, C / groups, *kernel], out [N, O, *]; the bias is not counted.
    """
    positions = (x_shape if transposed else out_shape)[2:]
    return 2 * x_shape[0] * prod(w_shape) * prod(positions)


@register_flop_formula("convolution")
def conv_flop(x, w, bias, stride, padding, dilation, transposed, *args, out_shape):
    batch, out = _with_batch(x, w), _with_batch(out_shape, w)
    return conv_flop_count(batch, w, out, transposed)


@register_flop_formula("convolution_backward_input")
def conv_backward_input_flop(gradient, w, size, stride, padding, dilation, transposed, *args, out_shape):
    return conv_flop_count(_with_batch(gradient, w), w, _with_batch(out_shape, w), not transposed)


@register_flop_formula("convolution_backward_weight")
def conv_backward_weight_flop(gradient, x, w, stride, padding, dilation, transposed, *args, out_shape):
    gradient, x = _with_batch(gradient, w), _with_batch(x, w)
    slid, over = (x, gradient) if transposed else (gradient, x)
    return 2 * over[1] * prod(slid) * prod(w[2:])


def _with_batch(shape, w):
    return shape if len(shape) == len(w) else (1, *shape)


class FlopCounterMode:
    """Counts, in its block, the floating point operations of matrix products and convolutions, by module.

    The counts come from the calls of operators as they are made, forward and backward: attention, recurrent layers
    and other compositions count by the products in them. Of the block's thread only.

    Args:
        mods: not needed; accepted for older programs.
        depth (int): levels of modules in the printed table. None: all.
        display (bool): print the table at the end of the block.
        custom_mapping (dict): from operators to formulas, as for `register_flop_formula`; they come before its own.

    >>> from rushlight.utils.flop_counter import FlopCounterMode
    >>> net = torch.nn.Sequential(torch.nn.Linear(10, 20), torch.nn.ReLU(), torch.nn.Linear(20, 5))
    >>> with FlopCounterMode() as counter:
    ...     _ = net(torch.randn(8, 10))
    Module           FLOP    % Total
    -------------  ------  ---------
    Sequential       4800    100.00%
     - linear        4800    100.00%
     Sequential.0    3200     66.67%
      - linear       3200     66.67%
     Sequential.2    1600     33.33%
      - linear       1600     33.33%
    >>> counter.get_total_flops()
    4800
    """

    def __init__(self, mods=None, depth=2, display=True, custom_mapping=None):
        if mods is not None:
            import warnings

            warnings.warn("[FlopCounterMode] mods argument is not needed anymore: leave it out.", stacklevel=2)
        self.depth = depth
        self.display = display
        self.flop_counts = defaultdict(lambda: defaultdict(int))
        self.flop_registry = dict(flop_registry)
        for target, formula in (custom_mapping or {}).items():
            raw = getattr(formula, "_get_raw", False)
            self.flop_registry[_name_of(target)] = formula if raw else shape_wrapper(formula)
        self.mod_tracker = ModuleTracker()
        self._handler = None

    def __enter__(self):
        if self._handler is not None:
            raise RuntimeError("[FlopCounterMode] a counter must not be entered twice. Make a second one.")
        self.flop_counts.clear()
        self.mod_tracker.__enter__()
        self._handler = self._count  # a bound method is made anew each time; this one is found again
        _core.observe(self._handler)
        return self

    def __exit__(self, *exception):
        _core.unobserve(self._handler)
        self._handler = None
        self.mod_tracker.__exit__(*exception)
        if self.display:
            print(self.get_table(self.depth))

    def _count(self, name, arguments, results):
        formula = self.flop_registry.get(name)
        if formula is None:
            return
        count = formula(*arguments, out_val=results[0] if len(results) == 1 else results)
        for parent in self.mod_tracker.parents:
            self.flop_counts[parent][name] += count

    def get_total_flops(self):
        """All operations counted in the block."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self):
        """{module: {operator: operations}}; "Global" holds all of them."""
        return {module: dict(counts) for module, counts in self.flop_counts.items()}

    def get_table(self, depth=None):
        """The counts as a text: a line per module down to `depth` levels, and per operator in it."""
        depth = self.depth if depth is None else depth
        total = self.get_total_flops()
        unit = max(0, min(4, (len(str(total)) - 2) // 3))  # up to 1000 of a unit, so that small parts stay visible

        def line(label, count):
            share = f"{count / total:.2%}" if total else "0%"
            number = f"{count / 1000**unit:.3f}{' KMBT'[unit]}" if unit else str(count)
            return label, number, share

        def block(module, indent):
            counts = self.flop_counts[module]
            yield line(" " * indent + module, sum(counts.values()))
            for name, count in counts.items():
                yield line(" " * indent + " - " + name, count)

        modules = [name for name in sorted(self.flop_counts) if name != "Global"]
        modules = [name for name in modules if depth is None or name.count(".") < depth]
        whole = any(sum(self.flop_counts[name].values()) >= total for name in modules)  # nothing happened outside it
        lines = [] if whole or not total else list(block("Global", 0))
        for name in modules:
            lines += block(name, name.count(".") + bool(lines and not whole))
        return _table(("Module", "FLOP", "% Total"), lines or [("Global", "0", "0%")])


def _table(header, lines):
    widths = [max(len(row[k]) for row in lines) for k in range(3)]
    widths = [max(width, len(title) + 2 * (k > 0)) for k, (width, title) in enumerate(zip(widths, header, strict=True))]
    rule = tuple("-" * width for width in widths)
    rows = [f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}" for row in [header, rule, *lines]]
    return "\n".join(row.rstrip() for row in rows)
