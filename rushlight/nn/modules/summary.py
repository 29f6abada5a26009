"""A table of a module's layers: output shapes, parameters, multiply-adds."""

import contextlib
import inspect

import rushlight
from rushlight.nn.parameter import is_lazy

_HEADINGS = ("Layer", "Output shape", "Parameters", "Multiply-adds")


class Layer:
    """One line of the table.

    Attributes:
        name: the path of the module; empty for the whole.
        module: the module.
        output_shape: of its last call; None where it was not called.
        parameters: elements of its own parameters and of those below it, each parameter counted once.
        multiply_adds: in all its calls, with those below it.
    """

    def __init__(self, name, module):
        self.name = name
        self.module = module
        self.output_shape = None
        self.multiply_adds = 0

    @property
    def parameters(self):
        return sum(p.numel() for p in self.module.parameters() if not is_lazy(p))

    @property
    def depth(self):
        return self.name.count(".") + 1 if self.name else 0


class Summary:
    """The layers of a module, outermost first; printed as a table."""

    def __init__(self, layers, called):
        self.layers = layers
        self._called = called
        parameters = [p for p in layers[0].module.parameters() if not is_lazy(p)]
        self.parameters = sum(p.numel() for p in parameters)
        self.trainable_parameters = sum(p.numel() for p in parameters if p.requires_grad)
        self.multiply_adds = layers[0].multiply_adds

    def __repr__(self):
        keep = [0, 1, 2, 3] if self._called else [0, 2]
        rows = [_HEADINGS, *(_cells(layer) for layer in self.layers)]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            "  ".join(row[i].ljust(widths[i]) if i < 2 else row[i].rjust(widths[i]) for i in keep).rstrip()
            for row in rows
        ]
        rule = "-" * max(map(len, lines))
        frozen = self.parameters - self.trainable_parameters
        totals = [f"Parameters: {self.parameters:,} ({self.trainable_parameters:,} trainable, {frozen:,} frozen)"]
        if self._called:
            totals.append(f"Multiply-adds: {self.multiply_adds:,}")
        return "\n".join([lines[0], rule, *lines[1:], rule, *totals])


def _cells(layer):
    name = layer.name.rpartition(".")[2]
    label = "  " * layer.depth + (f"{name}: " if name else "") + type(layer.module).__name__
    shape = "-" if layer.output_shape is None else layer.output_shape
    return label, shape, f"{layer.parameters:,}", f"{layer.multiply_adds:,}"


def summarize(module, inputs, kwargs, depth):
    """What `Module.summary` returns."""
    layers = {id(child): Layer(name, child) for name, child in module.named_modules()}
    called = bool(inputs or kwargs)
    if called:
        _run(module, layers, inputs, kwargs)
    shown = [layer for layer in layers.values() if depth is None or layer.depth <= depth]
    return Summary(shown, called)


def _run(module, layers, inputs, kwargs):
    """One forward in evaluation mode, during which each module's line is filled in."""
    open_layers = []  # the calls under way, outermost first

    def enter(child, args):
        open_layers.append(layers[id(child)])

    def leave(child, args, kwargs, output):
        layer = open_layers[-1]
        layer.output_shape = _shape_of(output)
        given = inspect.signature(child.forward).bind(*args, **kwargs).arguments
        own = _multiply_adds(child, list(given.values()), output)
        for each in {id(line): line for line in open_layers}.values():  # a module may be called within itself
            each.multiply_adds += own

    def close(child, args, output):
        open_layers.pop()

    modes = [(child, child.training) for child in module.modules()]
    with contextlib.ExitStack() as stack:
        stack.enter_context(rushlight.no_grad())
        for child, _ in modes:
            child.training = False
            stack.enter_context(child.register_forward_pre_hook(enter))
            stack.enter_context(child.register_forward_hook(leave, with_kwargs=True))
            stack.enter_context(child.register_forward_hook(close, always_call=True))
        try:
            module(*inputs, **kwargs)
        finally:
            for child, mode in modes:
                child.training = mode


def _shape_of(output):
    if isinstance(output, rushlight.Tensor):
        return str(list(output.shape))
    if isinstance(output, dict):
        return "{" + ", ".join(f"{key}: {_shape_of(value)}" for key, value in output.items()) + "}"
    if isinstance(output, (tuple, list)):
        return "(" + ", ".join(_shape_of(value) for value in output) + ")"
    return type(output).__name__


def _multiply_adds(module, args, output):
    """Of the matrix products and convolutions in one call of a layer, without those of layers below it."""
    from rushlight.nn import modules

    if isinstance(module, modules.Linear):
        return output.numel() * module.in_features
    if isinstance(module, modules.Bilinear):
        return output.numel() * module.in1_features * (module.in2_features + 1)
    if isinstance(module, modules.conv._ConvNd):
        per_value = module.weight[0].numel()  # of the output; of the input where the convolution is transposed
        return (args[0] if module.transposed else output).numel() * per_value
    if isinstance(module, modules.rnn.RNNBase):
        matrices = sum(p.numel() for p in module.parameters() if p.ndim == 2)
        data = args[0].data if hasattr(args[0], "batch_sizes") else args[0]
        return matrices * (data.numel() // max(data.shape[-1], 1))
    if isinstance(module, modules.rnn.RNNCellBase):
        return (module.weight_ih.numel() + module.weight_hh.numel()) * (args[0].numel() // max(args[0].shape[-1], 1))
    if isinstance(module, modules.MultiheadAttention):
        return _of_attention(module, *args[:3])
    return 0


def _of_attention(module, query, key, value):
    """The projections, the products of queries with keys, and the weighted sums of values."""
    size = module.embed_dim
    queries, keys = query.numel() // size, key.numel() // module.kdim
    batch = 1 if query.ndim == 2 else query.shape[0 if module.batch_first else 1]
    products = 2 * batch * (queries // batch) * (keys // batch) * size
    return 2 * queries * size * size + keys * (module.kdim + module.vdim) * size + products
