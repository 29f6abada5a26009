"""The softmax over many classes, the rare ones in clusters."""

from collections import namedtuple

import rushlight
from rushlight.nn import functional as F
from rushlight.nn.modules.container import ModuleList, Sequential
from rushlight.nn.modules.linear import Linear
from rushlight.nn.modules.module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-softmax over many classes and its loss, fast because frequent classes come first (Grave et al., 2017).

    The head decides between the classes below `cutoffs[0]` and one entry for each cluster of rarer classes; a cluster
    is a projection to in_features / div_value ** (its number) features and a linear layer.

    Shapes: input [N, in_features] or [in_features], target [N] or [] with classes in [0, n_classes).

    Args:
        cutoffs: where the clusters begin, increasing, each in [1, n_classes - 1].
        div_value: how much smaller each cluster's projection is than the one before it.
        head_bias: whether the head has a bias.

    Raises:
        ValueError: if the cutoffs are not as said.
        RuntimeError: if shapes of input and target do not fit, or a target is out of range.

    >>> model = torch.nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs=[5, 10])
    >>> output, loss = model(torch.randn(3, 16), torch.tensor([0, 7, 19]))
    >>> output.shape, loss.shape
    (torch.Size([3]), torch.Size([]))
    """

    def __init__(self, in_features, n_classes, cutoffs, div_value=4.0, head_bias=False, device=None, dtype=None):
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("[AdaptiveLogSoftmaxWithLoss] cutoffs should be a sequence of length larger than 0.")
        increasing = cutoffs == sorted(set(cutoffs)) and all(int(c) == c for c in cutoffs)
        if not increasing or cutoffs[0] <= 0 or cutoffs[-1] > n_classes - 1:
            raise ValueError(
                "[AdaptiveLogSoftmaxWithLoss] cutoffs should be a sequence of unique, positive integers in increasing "
                f"order, each between 1 and n_classes - 1 = {n_classes - 1}. Received {cutoffs}."
            )
        options = {"device": device, "dtype": dtype}
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **options)
        self.tail = ModuleList()
        for number, (low, high) in enumerate(self._clusters(), 1):
            width = int(in_features // div_value**number)
            self.tail.append(
                Sequential(
                    Linear(in_features, width, bias=False, **options), Linear(width, high - low, bias=False, **options)
                )
            )

    def _clusters(self):
        return zip(self.cutoffs, self.cutoffs[1:], strict=False)

    def reset_parameters(self):
        """Draw the parameters afresh."""
        for layer in (self.head, *(layer for cluster in self.tail for layer in cluster)):
            layer.reset_parameters()

    def forward(self, input, target):
        """The named tuple (output, loss): the log-probability of each target [N], and minus their mean."""
        self._check(input, target)
        if target.ndim == 0:
            output, loss = self(input.unsqueeze(0), target.unsqueeze(0))
            return _ASMoutput(output.squeeze(0), loss)
        in_head = target
        within = None
        for number, (low, high) in enumerate(self._clusters()):
            rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if len(rows):
                in_head = in_head.index_fill(0, rows, self.shortlist_size + number)
                logs = F.log_softmax(self.tail[number](input[rows]), dim=1)
                chosen = logs.gather(1, (target[rows] - low).unsqueeze(1)).squeeze(1)
                within = chosen.new_zeros(len(target)) if within is None else within
                within = within.index_add(0, rows, chosen)
        output = F.log_softmax(self.head(input), dim=1).gather(1, in_head.unsqueeze(1)).squeeze(1)
        if within is not None:
            output = output + within
        return _ASMoutput(output, -output.mean())

    def _check(self, input, target):
        if target.ndim > 1:
            raise RuntimeError(
                "[AdaptiveLogSoftmaxWithLoss] 0D or 1D target tensor expected, multi-target not supported. Received "
                f"{target.ndim} dimensions."
            )
        if input.ndim != target.ndim + 1 or input.shape[:-1] != target.shape:
            raise RuntimeError(
                "[AdaptiveLogSoftmaxWithLoss] Input and target should have the same size in the batch dimension. "
                f"Received {tuple(input.shape)} and {tuple(target.shape)}."
            )
        if target.numel():
            low, high = int(target.min()), int(target.max())
            if low < 0 or high >= self.n_classes:
                raise RuntimeError(
                    f"[AdaptiveLogSoftmaxWithLoss] Target values should be in [0, {self.n_classes - 1}]. Received "
                    f"values in [{low}, {high}]."
                )

    def log_prob(self, input):
        """The log-probabilities of all classes: [N, in_features] -> [N, n_classes].

        >>> model = torch.nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs=[5, 10])
        >>> model.log_prob(torch.randn(3, 16)).shape
        torch.Size([3, 20])
        """
        head = F.log_softmax(self.head(input), dim=1)
        parts = [head[:, : self.shortlist_size]]
        for number, cluster in enumerate(self.tail):
            of_cluster = head[:, self.shortlist_size + number].unsqueeze(1)
            parts.append(F.log_softmax(cluster(input), dim=1) + of_cluster)
        return rushlight.cat(parts, dim=1)

    def predict(self, input):
        """The most probable class of each row: [N, in_features] -> [N].

        >>> model = torch.nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs=[5, 10])
        >>> model.predict(torch.randn(3, 16)).shape
        torch.Size([3])
        """
        best = self.head(input).argmax(dim=1)
        rare = (best >= self.shortlist_size).nonzero().squeeze(1)  # no class of a cluster beats the whole cluster
        if not len(rare):
            return best
        return best.index_copy(0, rare, self.log_prob(input[rare]).argmax(dim=1))
