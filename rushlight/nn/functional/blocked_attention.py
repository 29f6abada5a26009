"""Attention of a query that is scaled already, block of queries by block of queries.

A block sees all of its keys at once, so that its softmax is a plain one; backward computes it again. So memory is
linear in the lengths of query and key, and the scores of a block stay in the caches.
"""

import contextlib
import math

import rushlight
from rushlight.autograd.function import Function
from rushlight.nn.functional.activation import softmax
from rushlight.nn.functional.dropout import dropout
from rushlight.random import fork_rng, get_rng_state, set_rng_state

_SCORES_AT_ONCE = 1 << 19  # 2 MiB of float32
_FEWEST_ROWS = 16  # fewer make slow products


def attention(query, key, value, mask, dropout_p, causal):
    """The weighted values [..., L, V] for query [..., L, E], key [..., S, E], value [..., S, V], mask [..., L, S]."""
    length, width, keys = query.shape[-2], query.shape[-1], key.shape[-2]
    if max(query.numel() * keys, key.numel() * length) <= _SCORES_AT_ONCE * width:
        return attend(query, key, value, _causal_mask(0, length, keys) if causal else mask, dropout_p)[0]
    of_masks = () if mask is None else mask.shape[:-2]
    batch = rushlight.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2], of_masks)
    query, key, value = (t.expand(*batch, *t.shape[-2:]).reshape(-1, *t.shape[-2:]) for t in (query, key, value))
    which = None  # the mask of each sample
    if mask is not None:
        which = rushlight.arange(math.prod(of_masks)).reshape(of_masks).expand(batch).reshape(-1)
        mask = mask.reshape(-1, *mask.shape[-2:])
    result = _ByBlocks.apply(query, key, value, mask, which, dropout_p, causal)
    return result.reshape(*batch, length, -1)


def attend(query, key, value, mask, dropout_p):
    """The weighted values and the weights."""
    scores = query @ key.transpose(-2, -1)
    blind = None
    if mask is not None:
        if mask.dtype == rushlight.bool:
            hidden = mask.logical_not()
            scores = scores.masked_fill(hidden, -math.inf)
        else:
            hidden = mask.detach() == -math.inf
            scores = scores + mask
        blind = hidden.all(-1, keepdim=True)
    if blind is None or not bool(blind.any()):
        weights = softmax(scores, -1)
    else:  # a query that sees nothing gives zeros, not nan
        weights = softmax(scores.masked_fill(blind, 0.0), -1).masked_fill(blind, 0.0)
    if dropout_p > 0.0:
        weights = dropout(weights, dropout_p)
    return weights @ value, weights


def _causal_mask(first, length, keys):
    """The bool mask of the queries from the first on: each sees the keys up to its own place."""
    return rushlight.ones((length, keys), dtype=rushlight.bool).tril(first)


class _ByBlocks(Function):
    """query, key and value have one dimension of samples; `which` names the mask of each sample in mask [M, L, S]."""

    @staticmethod
    def forward(ctx, query, key, value, mask, which, dropout_p, causal):
        ctx.save_for_backward(query, key, value, mask)
        ctx.options = which, dropout_p, causal
        ctx.random_state = get_rng_state() if dropout_p > 0.0 else None
        return _by_blocks(query, key, value, mask, *ctx.options)

    @staticmethod
    def backward(ctx, grad):
        inputs, needed = ctx.saved_tensors, ctx.needs_input_grad[:4]
        further = rushlight.is_grad_enabled()
        with _repeating(ctx.random_state), rushlight.enable_grad():
            if further:  # whoever differentiates twice pays with memory
                wanted = [t for t, need in zip(inputs, needed, strict=True) if need]
                result = _by_blocks(*inputs, *ctx.options)
                found = iter(rushlight.autograd.grad(result, wanted, grad, create_graph=True))
                grads = [next(found) if need else None for need in needed]
            else:
                grads = _gradients(inputs, needed, grad, *ctx.options)
        return (*grads, None, None, None)


@contextlib.contextmanager
def _repeating(random_state):
    """Inside, the random numbers are those that followed the state."""
    if random_state is None:
        yield
        return
    with fork_rng():
        set_rng_state(random_state)
        yield


def _by_blocks(query, key, value, mask, which, dropout_p, causal):
    result = query.new_empty((*query.shape[:-1], value.shape[-1]))
    for block in _blocks(query, key, which, causal):
        parts = block.queries(query), block.keys(key), block.keys(value), block.mask(mask)
        block.queries(result).copy_(attend(*parts, dropout_p)[0])
    return result


def _gradients(inputs, needed, grad, which, dropout_p, causal):
    """The gradients of query, key, value and mask, or None where not needed."""
    query, key, value, mask = inputs
    grads = [rushlight.zeros_like(t) if need else None for t, need in zip(inputs, needed, strict=True)]
    for block in _blocks(query, key, which, causal):
        parts = block.queries(query), block.keys(key), block.keys(value), block.mask(mask)
        parts = [None if t is None else t.detach() for t in parts]
        wanted = [t.requires_grad_() for t, need in zip(parts, needed, strict=True) if need]
        result = attend(*parts, dropout_p)[0]
        found = iter(rushlight.autograd.grad(result, wanted, block.queries(grad)))
        with rushlight.no_grad():
            block.add(grads, found)
    return grads


def _blocks(query, key, which, causal):
    """Blocks of rows, of as many samples as make _SCORES_AT_ONCE scores."""
    samples, length, _ = query.shape
    keys = key.shape[1]
    together = max(1, _SCORES_AT_ONCE // (length * keys))
    rows = length if together > 1 else min(length, max(_FEWEST_ROWS, _SCORES_AT_ONCE // keys))
    for sample in range(0, samples, together):
        for row in range(0, length, rows):
            yield _Block(slice(sample, sample + together), slice(row, min(row + rows, length)), keys, which, causal)


class _Block:
    """Some rows of some samples, and the keys that they see."""

    def __init__(self, samples, rows, keys, which, causal):
        self.samples, self.rows = samples, rows
        self.seen = slice(0, min(keys, rows.stop) if causal else keys)
        self.which = None if which is None else which[samples]
        self.causal = causal

    def queries(self, t):
        return t[self.samples, self.rows]

    def keys(self, t):
        return t[self.samples, self.seen]

    def _all_masks(self, masks):
        """The rows and columns of all masks; a dimension of size 1 broadcasts."""
        rows = slice(None) if masks.shape[1] == 1 else self.rows
        return masks[:, rows, slice(None) if masks.shape[2] == 1 else self.seen]

    def mask(self, masks):
        if self.causal:
            return _causal_mask(self.rows.start, self.rows.stop - self.rows.start, self.seen.stop)
        if masks is None:
            return None
        part = self._all_masks(masks)
        return part if len(masks) == 1 else part.index_select(0, self.which)

    def add(self, totals, grads):
        """Adds the block's gradients to those of the whole, which are None where there is none."""
        for part_of, total in zip((self.queries, self.keys, self.keys), totals[:3], strict=True):
            if total is not None:
                part_of(total).add_(next(grads))
        masks = totals[3]
        if masks is not None and len(masks) == 1:
            self._all_masks(masks).add_(next(grads))
        elif masks is not None:
            self._all_masks(masks).index_add_(0, self.which, next(grads))
