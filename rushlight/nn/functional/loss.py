"""Loss functions.

`reduction` is "none" (one value per element or sample), "mean" or "sum"; `size_average` and `reduce` are its older
names: either one set to False gives "sum" or "none".
"""

import math
import warnings

import rushlight
from rushlight import _core
from rushlight.nn.functional.activation import log_softmax, logsigmoid
from rushlight.nn.functional.distance import pairwise_distance
from rushlight.ops.composition import everywhere

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy",
    "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "margin_ranking_loss", "mse_loss",
    "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss", "poisson_nll_loss",
    "smooth_l1_loss", "soft_margin_loss", "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip

_REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}


def legacy_reduction(size_average, reduce):
    """The name of the reduction that the two older arguments ask for."""
    size_average = True if size_average is None else size_average
    reduce = True if reduce is None else reduce
    name = "none" if not reduce else "mean" if size_average else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{name}' instead.", stacklevel=3
    )
    return name


def choose_reduction(size_average, reduce, reduction):
    if size_average is not None or reduce is not None:
        return legacy_reduction(size_average, reduce)
    if reduction not in _REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def _reduced(loss, reduction):
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def _warn_of_broadcast(input, target):
    if input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). "
            "This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


def _elementwise(loss, weight, reduction):
    """The reduction of losses that know a weight per element: their mean is the weighted one."""
    if weight is None:
        return _reduced(loss, reduction)
    if weight.shape != loss.shape:
        raise ValueError(
            f"[loss] weight must have the shape of input. Received {list(weight.shape)} for {list(loss.shape)}."
        )
    loss = loss * weight
    return loss.sum() / weight.sum() if reduction == "mean" else _reduced(loss, reduction)


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """(input - target)², reduced.

    Args:
        input, target: the same shape, floating point.
        weight: one factor per element.

    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    _warn_of_broadcast(input, target)
    difference = input - target
    if not difference.is_floating_point():
        raise NotImplementedError(
            f"[mse_loss] the inputs must be floating point. Received {input.dtype} and {target.dtype}. Use .float()."
        )
    return _elementwise(difference.square(), weight, reduction)


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """|input - target|, reduced.

    >>> torch.nn.functional.l1_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(1.)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    _warn_of_broadcast(input, target)
    return _elementwise((input - target).abs(), weight, reduction)


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """Half the squared difference over `beta` where it is below `beta`, the difference less `beta / 2` elsewhere.

    >>> torch.nn.functional.smooth_l1_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(0.7500)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    _warn_of_broadcast(input, target)
    if beta < 0:
        raise RuntimeError(f"[smooth_l1_loss] beta must not be negative. Received {beta}.")
    distance = (input - target).abs()
    if beta > 0:
        distance = rushlight.where(distance < beta, 0.5 / beta * distance.square(), distance - 0.5 * beta)
    return _reduced(distance, reduction)


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Half the squared difference where it is at most `delta`, `delta * (difference - delta / 2)` elsewhere.

    >>> torch.nn.functional.huber_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]), delta=0.5)
    tensor(0.4375)
    """
    reduction = choose_reduction(None, None, reduction)
    _warn_of_broadcast(input, target)
    if delta <= 0:
        raise RuntimeError(f"[huber_loss] delta must be greater than 0. Received {delta}.")
    distance = (input - target).abs()
    loss = rushlight.where(distance <= delta, 0.5 * distance.square(), delta * (distance - 0.5 * delta))
    return _elementwise(loss, weight, reduction)


def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """The negative of the log probability of the class that is right.

    Args:
        input: log probabilities, [N, C], [C] or [N, C, d1, ...].
        target: class numbers, int64 [N], [] or [N, d1, ...].
        weight: one factor per class, [C]; the mean is the weighted one.
        ignore_index: targets with this number count for nothing.

    >>> log_probability = torch.tensor([[0.5, 0.5], [0.1, 0.9]]).log()
    >>> torch.nn.functional.nll_loss(log_probability, torch.tensor([0, 1]), reduction="none")
    tensor([0.6931, 0.1054])
    """
    code = _REDUCTIONS[choose_reduction(size_average, reduce, reduction)]
    return _core.nll_loss(input, target, weight, code, ignore_index)


def cross_entropy(
    input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0
):
    """The cross entropy between logits and the classes, or the class probabilities, that are right.

    Args:
        input: logits, [N, C], [C] or [N, C, d1, ...].
        target: class numbers, int64 [N], [] or [N, d1, ...]; or probabilities with the shape of `input`.
        weight: one factor per class, [C].
        ignore_index: class numbers that count for nothing.
        label_smoothing: the share of the target that is spread over all classes, in [0, 1] (Szegedy et al., 2015).

    >>> torch.nn.functional.cross_entropy(torch.zeros(2, 4), torch.tensor([0, 3]))
    tensor(1.3863)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"[cross_entropy] label_smoothing must be between 0.0 and 1.0. Received {label_smoothing}.")
    if label_smoothing == 0.0 and target.ndim < input.ndim:
        return _core.cross_entropy(input, target, weight, _REDUCTIONS[reduction], ignore_index)
    if input.ndim == 0:
        raise RuntimeError("[cross_entropy] input must have a dimension of classes. Received a 0-d tensor.")
    class_dim = 0 if input.ndim == 1 else 1
    log_probability = log_softmax(input, class_dim)
    if target.shape == input.shape and (target.is_floating_point() or input.ndim > 1):
        return _soft_cross_entropy(log_probability, target, weight, reduction, label_smoothing, class_dim)
    loss = nll_loss(log_probability, target, weight, ignore_index=ignore_index, reduction=reduction)
    if label_smoothing == 0.0:
        return loss

    # the part of the target that is spread evenly
    weighted = log_probability
    if weight is not None:
        weighted = log_probability * weight.reshape([-1] + [1] * (input.ndim - class_dim - 1))
    ignored = target == ignore_index
    spread = -weighted.sum(class_dim).masked_fill(ignored, 0.0)
    if reduction == "sum":
        spread = spread.sum()
    elif reduction == "mean":
        if weight is None:
            spread = spread.sum() / ignored.logical_not().sum()
        else:
            spread = spread.sum() / weight[target.masked_fill(ignored, 0)].masked_fill(ignored, 0.0).sum()
    return (1 - label_smoothing) * loss + label_smoothing / input.shape[class_dim] * spread


def _soft_cross_entropy(log_probability, target, weight, reduction, label_smoothing, class_dim):
    if not target.is_floating_point():
        raise RuntimeError(
            "[cross_entropy] class probabilities must be floating point. "
            f"Received target of dtype {target.dtype} with the shape of input. Class numbers have no class dimension."
        )
    classes = log_probability.shape[class_dim]
    if label_smoothing > 0.0:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    loss = -(log_probability * target)
    if weight is not None:
        loss = loss * weight.reshape([-1] + [1] * (log_probability.ndim - class_dim - 1))
    if reduction == "none":
        return loss.sum(class_dim)
    return loss.sum() if reduction == "sum" else loss.sum() / (log_probability.numel() // classes)


def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """-(target * log(input) + (1 - target) * log(1 - input)), reduced; logarithms are kept above -100.

    Args:
        input: probabilities, any shape.
        target: the same shape.
        weight: factors that broadcast to it.

    Raises:
        RuntimeError: if an element of `input` is not in [0, 1].

    >>> torch.nn.functional.binary_cross_entropy(torch.tensor([0.5, 0.5]), torch.tensor([0.0, 1.0]))
    tensor(0.6931)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    if input.shape != target.shape:
        raise ValueError(
            "[binary_cross_entropy] target must have the shape of input. "
            f"Received input {list(input.shape)}, target {list(target.shape)}. "
            "Please ensure they have the same size."
        )
    smallest = 1e-12  # of the denominator of the derivative, (input - target) / (input * (1 - input))
    with rushlight.no_grad():
        inside = input * (1 - input) >= smallest
        all_inside = everywhere(inside)
        if not all_inside and not everywhere((input >= 0) & (input <= 1)):
            raise RuntimeError(
                "[binary_cross_entropy] all elements of input should be between 0 and 1. "
                f"Received values from {input.min().item()} to {input.max().item()}. "
                "Use binary_cross_entropy_with_logits for logits."
            )
    if all_inside:
        loss = -(target * input.log() + (1 - target) * (-input).log1p())
    else:
        # where the derivative leaves the numbers, the loss is a straight line of the largest slope allowed
        safe = rushlight.where(inside, input, 0.5)
        edge = input.detach()
        log_input = rushlight.where(inside, safe.log(), edge.log().clamp(min=-100))
        log_rest = rushlight.where(inside, (-safe).log1p(), (-edge).log1p().clamp(min=-100))
        slope = ((edge - target.detach()) / smallest).masked_fill(inside, 0.0)
        loss = -(target * log_input + (1 - target) * log_rest) + slope * (input - edge)
    return _reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """`binary_cross_entropy` of `sigmoid(input)`, computed without overflow.

    Args:
        input: logits, any shape.
        target: the same shape.
        weight: factors that broadcast to it.
        pos_weight: factors of the positive part, that broadcast to it.

    >>> torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor([0.0, 100.0]), torch.tensor([0.0, 1.0]))
    tensor(0.3466)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    if input.shape != target.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    log_sigmoid = logsigmoid(input)
    if pos_weight is not None:
        log_sigmoid = log_sigmoid * ((pos_weight - 1) * target + 1)
    loss = (1 - target) * input - log_sigmoid
    return _reduced(loss if weight is None else loss * weight, reduction)


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """The Kullback-Leibler divergence, target * (log(target) - input), reduced.

    Args:
        input: log probabilities.
        target: probabilities, or their logarithms if `log_target`.
        reduction: "batchmean" divides the sum by the size of the first dimension, which is the definition.

    >>> p = torch.tensor([[0.5, 0.5]])
    >>> torch.nn.functional.kl_div(torch.tensor([[0.25, 0.75]]).log(), p, reduction="batchmean")
    tensor(0.1438)
    """
    batch_mean = reduction == "batchmean"
    if size_average is not None or reduce is not None:
        batch_mean, reduction = False, legacy_reduction(size_average, reduce)
    elif not batch_mean:
        choose_reduction(None, None, reduction)
        if reduction == "mean":
            warnings.warn(
                "reduction: 'mean' divides the total loss by both the batch size and the support size."
                "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
                "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
                stacklevel=2,
            )
    loss = target.exp() * (target - input) if log_target else rushlight.xlogy(target, target) - target * input
    if batch_mean:
        return loss.sum() / input.shape[0] if input.ndim else loss.sum()
    return _reduced(loss, reduction)


def poisson_nll_loss(
    input, target, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction="mean"
):
    """The negative log likelihood of counts `target` under a Poisson distribution.

    Args:
        input: the logarithm of the expectation, or the expectation if not `log_input`.
        full: add Stirling's approximation of log(target!) for targets above one.
        eps: added to the expectation before its logarithm is taken.

    >>> torch.nn.functional.poisson_nll_loss(torch.tensor([0.0]), torch.tensor([2.0]))
    tensor(1.)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return _reduced(loss, reduction)


def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """The negative log likelihood of `target` under Gaussians with mean `input` and variance `var`.

    Args:
        var: positive; the shape of `input`, or with one dimension 1, or without the last one; or one number.
        full: add the constant log(2π) / 2.
        eps: the smallest variance that is used.

    >>> torch.nn.functional.gaussian_nll_loss(torch.zeros(2), torch.ones(2), torch.ones(2))
    tensor(0.5000)
    """
    reduction = choose_reduction(None, None, reduction)
    if not isinstance(var, rushlight.Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * rushlight.ones_like(input)
    elif not everywhere(~(var < 0)):
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif var.ndim != input.ndim or [v for n, v in zip(input.shape, var.shape, strict=True) if n != v] != [1]:
            raise ValueError(
                "[gaussian_nll_loss] var must have the shape of input, with one dimension of size 1 at most, or "
                f"without the last one. Received input {list(input.shape)}, var {list(var.shape)}: "
                "var is of incorrect size."
            )
    with rushlight.no_grad():
        bounded = var.clamp(min=eps)
    var = var + (bounded - var).detach()  # the value is bounded; the gradient passes as if it were not
    loss = 0.5 * (var.log() + (input - target).square() / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduced(loss, reduction)


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """`input` where target is 1, max(0, margin - input) where it is -1.

    >>> torch.nn.functional.hinge_embedding_loss(torch.tensor([2.0, 0.5]), torch.tensor([1.0, -1.0]))
    tensor(1.2500)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    far = (margin - input).clamp(min=0).masked_fill(target == 1, 0)
    near = input.masked_fill(target == -1, 0)
    return _reduced(far + near, reduction)


def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, -target * (input1 - input2) + margin), reduced; target 1 wants `input1` larger, -1 smaller.

    >>> torch.nn.functional.margin_ranking_loss(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([1.0]))
    tensor(2.)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "[margin_ranking_loss] the arguments must have the same number of dimensions. "
            f"Received {list(input1.shape)}, {list(input2.shape)}, {list(target.shape)}."
        )
    return _reduced((-target * (input1 - input2) + margin).clamp(min=0), reduction)


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target * input)), reduced; targets are 1 and -1.

    >>> torch.nn.functional.soft_margin_loss(torch.zeros(2), torch.ones(2))
    tensor(0.6931)
    """
    return _reduced(-logsigmoid(target * input), choose_reduction(size_average, reduce, reduction))


def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 - cos where target is 1, max(0, cos - margin) where it is -1.

    Args:
        input1, input2: [N, D] or [D].
        target: [N] or [].

    >>> x = torch.tensor([[1.0, 0.0]])
    >>> torch.nn.functional.cosine_embedding_loss(x, -x, torch.tensor([1.0]))
    tensor(2.)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    if target.ndim not in (0, 1) or input1.ndim != target.ndim + 1 or input2.ndim != target.ndim + 1:
        raise RuntimeError(
            "[cosine_embedding_loss] inputs must be [N, D] with target [N], or [D] with target []. "
            f"Received {list(input1.shape)}, {list(input2.shape)}, {list(target.shape)}."
        )
    tiny = 1e-12  # keeps the square roots away from zero
    product = (input1 * input2).sum(-1)
    cosine = product / ((input1.square().sum(-1) + tiny) * (input2.square().sum(-1) + tiny)).sqrt()
    zeros = rushlight.zeros_like(cosine)
    loss = rushlight.where(target == 1, 1 - cosine, zeros) + rushlight.where(
        target == -1, (cosine - margin).clamp(min=0), zeros
    )
    return _reduced(loss, reduction)


def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
    """sum over wrong classes of max(0, margin - input[right] + input[wrong])**p, over the number of classes.

    Args:
        input: [N, C] or [C].
        target: class numbers, [N] or [].
        p: 1 or 2.
        weight: one factor per class, [C].

    >>> torch.nn.functional.multi_margin_loss(torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([3]))
    tensor(0.3250)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    rows, classes = (input.reshape(1, -1) if input.ndim < 2 else input), target.reshape(-1, 1)
    if rows.shape[0] != classes.shape[0]:
        raise RuntimeError(
            "[multi_margin_loss] there must be one target per row of input. "
            f"Received input {list(input.shape)}, target {list(target.shape)}."
        )
    excess = (margin - rows.gather(1, classes) + rows).clamp(min=0)
    if p == 2:
        excess = excess.square()
    if weight is not None:
        excess = excess * weight[classes]
    right = rushlight.zeros_like(rows, dtype=rushlight.bool).scatter(1, classes, True)
    loss = excess.masked_fill(right, 0).sum(1) / rows.shape[1]
    return _reduced(loss if target.ndim else loss.squeeze(0), reduction)


def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """sum over right and wrong classes of max(0, 1 - input[right] + input[wrong]), over the number of classes.

    Args:
        input: [N, C] or [C].
        target: the same shape; the class numbers that are right, ended by -1.

    >>> scores = torch.tensor([[0.1, 0.2, 0.4, 0.8]])
    >>> torch.nn.functional.multilabel_margin_loss(scores, torch.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise RuntimeError(
            "[multilabel_margin_loss] target must have the shape of input. "
            f"Received input {list(input.shape)}, target {list(target.shape)}."
        )
    rows, classes = (t.reshape(-1, t.shape[-1] if t.ndim else 1) for t in (input, target))
    listed = (classes < 0).cumsum(1) == 0
    chosen = classes.masked_fill(listed.logical_not(), 0)
    right = rushlight.zeros_like(rows).scatter_add(1, chosen, listed.to(rows.dtype)) > 0
    excess = (1 - rows.gather(1, chosen).unsqueeze(2) + rows.unsqueeze(1)).clamp(min=0)
    counts = listed.unsqueeze(2) & right.logical_not().unsqueeze(1)
    loss = excess.masked_fill(counts.logical_not(), 0).sum((1, 2)) / rows.shape[1]
    return _reduced(loss if input.ndim > 1 else loss.squeeze(0), reduction)


def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """The mean over the classes of `binary_cross_entropy_with_logits`.

    Args:
        input, target: [..., C].
        weight: one factor per class, [C].

    >>> torch.nn.functional.multilabel_soft_margin_loss(torch.zeros(1, 2), torch.ones(1, 2))
    tensor(0.6931)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return _reduced((loss if weight is None else loss * weight).mean(-1), reduction)


def triplet_margin_loss(
    anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, size_average=None, reduce=None, reduction="mean"
):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) with the p-norm distance, reduced.

    Args:
        anchor, positive, negative: [N, D] or [D].
        swap: use d(positive, negative) where it is smaller (Balntas et al., 2016).

    >>> torch.nn.functional.triplet_margin_loss(torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(1, 2), margin=2.0)
    tensor(2.)
    """
    reduction = choose_reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "[triplet_margin_loss] the inputs must have the same number of dimensions. "
            f"Received {anchor.ndim}D, {positive.ndim}D and {negative.ndim}D."
        )
    return _triplet(anchor, positive, negative, lambda a, b: pairwise_distance(a, b, p, eps), margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"
):
    """`triplet_margin_loss` with a distance of one's own, `pairwise_distance` by default.

    >>> x, y = torch.zeros(1, 2), torch.ones(1, 2)
    >>> torch.nn.functional.triplet_margin_with_distance_loss(x, x, y, distance_function=lambda a, b: (a - b).sum(-1))
    tensor(3.)
    """
    reduction = choose_reduction(None, None, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    return _triplet(anchor, positive, negative, distance_function or pairwise_distance, margin, swap, reduction)


def _triplet(anchor, positive, negative, distance, margin, swap, reduction):
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = rushlight.minimum(far, distance(positive, negative))
    return _reduced((margin + near - far).clamp(min=0), reduction)
