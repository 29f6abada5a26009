"""Connectionist temporal classification (Graves et al., 2006)."""

import math

import rushlight
from rushlight.autograd.function import Function, once_differentiable
from rushlight.nn.functional.loss import choose_reduction
from rushlight.nn.functional.padding import pad

__all__ = ["ctc_loss"]


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """-log of the probability that a sequence of frames spells the target, summed over all alignments.

    Args:
        log_probs: logarithms of class probabilities for each frame, [T, N, C] or [T, C].
        targets: class numbers, int64 or int32; [N, S], or one after the other [sum(target_lengths)].
        input_lengths: the frames of each sample, at most T: a tensor or a list, [N] or [].
        target_lengths: the labels of each sample, [N] or [].
        blank: the class that stands for no label.
        reduction: "none" gives [N] or []; "mean" divides each loss by its target's length, then takes the mean.
        zero_infinity: targets too long for their frames count for nothing, instead of infinitely much.

    The gradient is that with respect to the logits of which `log_probs` is the log-softmax, as in PyTorch; it has no
    further derivative.

    Raises:
        RuntimeError: for shapes, lengths or classes that do not fit.

    >>> log_probs = torch.full((3, 1, 2), 0.5).log()
    >>> loss = torch.nn.functional.ctc_loss(log_probs, torch.tensor([[1]]), [3], [1])
    >>> loss.exp()  # 6 of the 8 paths collapse to the target: only 101 and 000 do not
    tensor(1.3333)
    """
    reduction = choose_reduction(None, None, reduction)
    if log_probs.ndim not in (2, 3) or not log_probs.is_floating_point():
        raise RuntimeError(
            f"[ctc_loss] log_probs must be floating point [T, N, C] or [T, C]. Received {log_probs.dtype}"
            f"{list(log_probs.shape)}."
        )
    batched = log_probs.ndim == 3
    frames = log_probs if batched else log_probs.unsqueeze(1)
    length, batch, classes = frames.shape
    if not 0 <= blank < classes:
        raise RuntimeError(f"[ctc_loss] blank must be in label range, 0 to {classes - 1}. Received {blank}.")
    input_lengths = _lengths("input_lengths", input_lengths, batch)
    target_lengths = _lengths("target_lengths", target_lengths, batch)
    if batch and not 0 <= input_lengths.min().item() <= input_lengths.max().item() <= length:
        raise RuntimeError(f"[ctc_loss] input_lengths must be from 0 to {length}. Received {input_lengths.tolist()}.")
    labels = _label_rows(targets, target_lengths, classes, blank)
    loss = _CTC.apply(frames, _Lattice(labels, input_lengths, target_lengths, blank), zero_infinity)
    if reduction == "mean":
        return (loss / target_lengths.clamp(min=1).to(loss.dtype)).mean()
    if reduction == "sum":
        return loss.sum()
    return loss if batched else loss.squeeze(0)


def _lengths(name, lengths, batch):
    lengths = lengths if isinstance(lengths, rushlight.Tensor) else rushlight.tensor(lengths, dtype=rushlight.int64)
    if lengths.is_floating_point():
        raise RuntimeError(f"[ctc_loss] {name} must be integral. Received {lengths.dtype}.")
    if lengths.numel() != batch:
        raise RuntimeError(f"[ctc_loss] {name} must have size {batch}, the batch's. Received {list(lengths.shape)}.")
    return lengths.reshape(-1).long()


def _label_rows(targets, target_lengths, classes, blank):
    """The targets as rows [N, S], filled up with the blank."""
    if targets.is_floating_point():
        raise RuntimeError(f"[ctc_loss] targets must be class numbers. Received {targets.dtype}.")
    batch = target_lengths.shape[0]
    longest = int(target_lengths.max().item()) if batch else 0
    if batch and target_lengths.min().item() < 0:
        raise RuntimeError(f"[ctc_loss] target_lengths must not be negative. Received {target_lengths.tolist()}.")
    position = rushlight.arange(longest)
    inside = position < target_lengths.unsqueeze(1)
    if targets.ndim == 2:
        fits = targets.shape[0] == batch and targets.shape[1] >= longest
        rows = targets[:, :longest] if fits else None
    else:
        fits = targets.ndim < 2 and targets.numel() == int(target_lengths.sum().item())
        if fits:
            starts = target_lengths.cumsum(0) - target_lengths
            places = (starts.unsqueeze(1) + position).masked_fill(inside.logical_not(), 0)
            rows = targets.reshape(-1)[places] if targets.numel() else places
    if not fits:
        raise RuntimeError(
            "[ctc_loss] targets must be [N, S] with S at least the longest target, or [sum(target_lengths)]. "
            f"Received {list(targets.shape)} with target_lengths {target_lengths.tolist()}."
        )
    rows = rows.long().masked_fill(inside.logical_not(), blank)
    if rows.numel() and not 0 <= rows.min().item() <= rows.max().item() < classes:
        raise RuntimeError(f"[ctc_loss] targets must be from 0 to {classes - 1}. Received one outside.")
    return rows


class _Lattice:
    """The states of each sample: blank, label, blank, label, ..., blank, [N, 2 S + 1]."""

    def __init__(self, labels, input_lengths, target_lengths, blank):
        batch, longest = labels.shape
        states = rushlight.full((batch, 2 * longest + 1), blank, dtype=rushlight.int64)
        states[:, 1::2] = labels
        self.states = states
        # a label may follow the previous one without a blank in between if the two differ
        skips = rushlight.zeros(states.shape, dtype=rushlight.bool)
        skips[:, 3::2] = labels[:, 1:] != labels[:, :-1]
        position = rushlight.arange(states.shape[1])
        self.skips = skips
        self.starts = position < 2
        ends = 2 * target_lengths.unsqueeze(1)
        self.ends = (position == ends) | (position == ends - 1)
        self.inside = position <= ends
        self.input_lengths = input_lengths
        self.target_lengths = target_lengths


_NEVER = -math.inf


def _step(scores, skips):
    """Each state's score after a frame is left: from the state itself, the one before, or the one before that."""
    before = pad(scores, (2, 0), value=_NEVER)
    moved = rushlight.logaddexp(scores, before[:, 1:-1])
    return rushlight.logaddexp(moved, before[:, :-2].masked_fill(skips.logical_not(), _NEVER))


def _forward_scores(emissions, lattice):
    """log of the probability of the frames up to t that end in a state, [T, N, 2 S + 1]."""
    allowed = lattice.starts & lattice.inside
    scores = [emissions[0].masked_fill(allowed.logical_not(), _NEVER)]
    for emission in emissions[1:].unbind(0):
        scores.append(_step(scores[-1], lattice.skips) + emission)
    return rushlight.stack(scores)


def _backward_scores(emissions, lattice):
    """log of the probability of the frames from t on that begin in a state."""
    length = emissions.shape[0]
    skips = pad(lattice.skips, (0, 2))[:, 2:].flip(1)  # seen from the state that is left
    last = (lattice.input_lengths - 1).unsqueeze(1)
    score = rushlight.full_like(emissions[0], _NEVER)
    scores = []
    for t in range(length - 1, -1, -1):
        moved = _step(score.flip(1), skips).flip(1)
        begun = rushlight.where(lattice.ends & (last == t), 0.0, moved)
        score = begun + emissions[t]
        scores.append(score)
    return rushlight.stack(scores[::-1])


class _CTC(Function):
    @staticmethod
    def forward(ctx, log_probs, lattice, zero_infinity):
        length, batch, _ = log_probs.shape
        index = lattice.states.unsqueeze(0).expand(length, -1, -1)
        emissions = log_probs.gather(2, index)
        if length:
            alpha = _forward_scores(emissions, lattice)
            last = (lattice.input_lengths - 1).clamp(min=0).reshape(1, -1, 1).expand(1, -1, alpha.shape[2])
            final = alpha.gather(0, last).squeeze(0).masked_fill(lattice.ends.logical_not(), _NEVER)
            loss = -final.logsumexp(1)
        else:
            alpha, loss = emissions, log_probs.new_zeros(batch)
        # without frames, only the empty target can be spelled
        nothing = rushlight.where(lattice.target_lengths == 0, 0.0, math.inf).to(loss.dtype)
        loss = rushlight.where(lattice.input_lengths == 0, nothing, loss)
        ctx.save_for_backward(log_probs, emissions, alpha, loss)
        ctx.lattice, ctx.zero_infinity = lattice, zero_infinity
        return loss.masked_fill(loss == math.inf, 0.0) if zero_infinity else loss

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        log_probs, emissions, alpha, loss = ctx.saved_tensors
        lattice = ctx.lattice
        if log_probs.shape[0] == 0:
            return rushlight.zeros_like(log_probs), None, None
        beta = _backward_scores(emissions, lattice)
        # the probability of being in each state, given that the target is spelled
        visited = (alpha != _NEVER) & (beta != _NEVER)
        state = rushlight.where(visited, alpha + beta - emissions + loss.unsqueeze(1), _NEVER).exp()
        index = lattice.states.unsqueeze(0).expand_as(state)
        posterior = rushlight.zeros_like(log_probs).scatter_add_(2, index, state)
        result = log_probs.exp() - posterior
        impossible = (loss == math.inf).reshape(1, -1, 1)
        result = result.masked_fill(impossible, 0.0 if ctx.zero_infinity else math.nan)
        frame = rushlight.arange(log_probs.shape[0]).reshape(-1, 1, 1)
        over = frame >= lattice.input_lengths.reshape(1, -1, 1)
        return (result * grad.reshape(1, -1, 1)).masked_fill(over, 0.0), None, None
