"""Convolution, pooling, normalisation, embedding and losses: the batch is folded into a dimension that can take it."""

from rushlight import _core
from rushlight.func.batched import Batched, front, is_at
from rushlight.func.rules.registry import by_loop, finished, rule


# --- convolution
@rule("conv1d", "conv2d", "conv3d")
def conv(level, plan, *values):
    *_, stride, padding, dilation, groups = values

    def run(x, w, b, groups):
        return plan.call([x, w, b, stride, padding, dilation, groups])

    return _convolution(level, plan, values, run, groups, int(plan.name[4]), transposed=False)


@rule("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(level, plan, *values):
    *_, stride, padding, output_padding, groups, dilation = values

    def run(x, w, b, groups):
        return plan.call([x, w, b, stride, padding, output_padding, groups, dilation])

    return _convolution(level, plan, values, run, groups, int(plan.name[14]), transposed=True)


@rule("convolution")
def convolution(level, plan, *values):
    _, weight, _, stride, padding, dilation, transposed, output_padding, groups = values

    def run(x, w, b, groups):
        return plan.call([x, w, b, stride, padding, dilation, transposed, output_padding, groups])

    return _convolution(level, plan, values, run, groups, weight.ndim - 2, transposed)


def _convolution(level, plan, values, run, groups, spatial, transposed):
    """The batch becomes samples when the examples share the weight, groups of channels when they do not."""
    input, weight, bias = values[:3]
    if input.ndim not in (spatial + 1, spatial + 2) or weight.ndim != spatial + 2:
        return by_loop(level, plan, *values)
    if input.ndim == spatial + 1:
        one = _convolution(level, plan, (input.unsqueeze(0), weight, bias), run, groups, spatial, transposed)
        return finished(one, level)[0]
    if not is_at(weight, level):
        shared = None if is_at(bias, level) else bias
        x = front(input, level)
        y = run(x.flatten(0, 1), weight, shared, groups).unflatten(0, x.shape[:2])
        return y if shared is bias else Batched(y, level) + bias.reshape(-1, *[1] * spatial)
    w = weight.value
    if groups == 1 and not is_at(input, level):
        x = input
        w = w.movedim(0, 1).flatten(1, 2) if transposed else w.flatten(0, 1)
    else:
        x = front(input, level).movedim(0, 1).flatten(1, 2)
        w = w.flatten(0, 1)
        groups *= level.size
    y = run(x, w, None, groups)
    y = y.unflatten(1, (level.size, -1)).movedim(1, 0)
    return y if bias is None else Batched(y, level) + bias.reshape(-1, *[1] * spatial)


# --- pooling
@rule(
    "max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool1d_with_indices",
    "max_pool2d_with_indices", "max_pool3d_with_indices", "adaptive_avg_pool1d", "adaptive_avg_pool2d",
    "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d",
)  # fmt: skip
def pool(level, plan, input, *rest):
    spatial = int(plan.name[plan.name.index("pool") + 4])
    return _as_samples(level, plan, input, rest, spatial + 2)


@rule("im2col", "col2im")
def patches(level, plan, input, *rest):
    return _as_samples(level, plan, input, rest, 4 if plan.name == "im2col" else 3)


def _as_samples(level, plan, input, rest, full):
    """The batch joins the samples, [N, ...] of `full` dimensions; an example without them takes their place."""
    if input.ndim == full - 1:
        return plan.call([input.value, *rest])
    if input.ndim != full:
        return by_loop(level, plan, input, *rest)
    result = plan.call([input.value.flatten(0, 1), *rest])
    size = input.value.shape[:2]
    if isinstance(result, tuple):
        return type(result)([r.unflatten(0, size) for r in result])
    return result.unflatten(0, size)


# --- normalisation
@rule("layer_norm", "rms_norm")
def over_last(level, plan, input, shape, *rest):
    if len(shape if isinstance(shape, (tuple, list)) else (shape,)) > input.ndim:
        return by_loop(level, plan, input, shape, *rest)
    *affine, eps = rest
    if not any(is_at(p, level) for p in affine):
        return plan.call([input.value, shape, *affine, eps])
    y = plan.call([input, shape, *[None] * len(affine), eps])
    return _scaled(y, *affine)


@rule("group_norm")
def group_norm(level, plan, input, groups, weight, bias, eps):
    if input.ndim < 2:
        return by_loop(level, plan, input, groups, weight, bias, eps)
    x = front(input, level)
    own = is_at(weight, level) or is_at(bias, level)
    affine = (None, None) if own else (weight, bias)
    y = plan.call([x.flatten(0, 1), groups, *affine, eps]).unflatten(0, x.shape[:2])
    return _scaled_channels(Batched(y, level), weight, bias) if own else y


@rule("batch_norm")
def batch_norm(level, plan, input, mean, var, weight, bias, training, momentum, eps):
    """Statistics are over an example alone: the batch joins the channels."""
    if training and mean is not None and not (is_at(mean, level) and is_at(var, level)):
        raise RuntimeError(
            "[vmap] batch_norm in training must have running statistics of its own for each example: they would be "
            "written in place, and these are shared. Use torch.func.replace_all_batch_norm_modules_, or pass the "
            "buffers to the mapped function."
        )
    if input.ndim < 2:
        return by_loop(level, plan, input, mean, var, weight, bias, training, momentum, eps)
    x = front(input, level).movedim(0, 1)
    statistics = [s if s is None else front(s, level).flatten(0, 1) for s in (mean, var)]
    y = plan.call([x.flatten(1, 2), *statistics, None, None, training, momentum, eps])
    return _scaled_channels(Batched(y.unflatten(1, x.shape[1:3]).movedim(1, 0), level), weight, bias)


def _scaled(y, weight, bias=None):
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _scaled_channels(y, weight, bias):
    ones = [1] * (y.ndim - 2)
    return _scaled(y, *(p if p is None else p.reshape(-1, *ones) for p in (weight, bias)))


# --- embedding and losses
@rule("embedding")
def embedding(level, plan, weight, indices, padding_idx):
    if not is_at(weight, level):
        return plan.call([weight, indices.value, padding_idx])
    if padding_idx >= 0 or weight.ndim != 2:
        return by_loop(level, plan, weight, indices, padding_idx)
    return weight[indices]


@rule("nll_loss")
def nll_loss(level, plan, input, target, weight, reduction, ignore_index):
    """-input[target], weighted; `reduction` is 0 for none, 1 for the weighted mean, 2 for the sum."""
    dim = 1 if input.ndim > 1 else 0
    counted = target != ignore_index
    safe = target.where(counted, 0)
    loss = -input.gather(dim, safe.unsqueeze(dim)).squeeze(dim)
    share = counted.to(input.dtype) if weight is None else weight[safe] * counted
    loss = (loss * share).where(counted, 0)
    if reduction == 0:
        return loss
    return loss.sum() / share.sum() if reduction == 1 else loss.sum()


@rule("cross_entropy")
def cross_entropy(level, plan, input, target, *rest):
    return _core.nll_loss(input.log_softmax(1 if input.ndim > 1 else 0), target, *rest)
