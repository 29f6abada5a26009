"""Sequences of different lengths in one tensor: padded, or packed step by step.

A packed sequence holds, for each time step, the elements of the sequences that are that long, longest first.
"""

from collections import namedtuple

import rushlight

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpad_sequence",
    "unpack_sequence",
]


class PackedSequence(
    namedtuple(
        "PackedSequence", ["data", "batch_sizes", "sorted_indices", "unsorted_indices"], defaults=(None, None, None)
    )
):
    """What `pack_padded_sequence` returns: `data` [sum of lengths, ...] and the number of sequences at each step.

    `sorted_indices` says where the sequences came from, `unsorted_indices` undoes it.

    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4, 5])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
    """

    __slots__ = ()

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            raise ValueError("[PackedSequence] batch_sizes must be given. Use pack_padded_sequence to make one.")
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    @property
    def is_cuda(self):
        """Whether the data is on a GPU."""
        return self.data.is_cuda

    def is_pinned(self):
        """Whether the data is in page-locked memory."""
        return self.data.is_pinned()


def _by_method(name):
    def cast(self, *args, **kwargs):
        data = getattr(self.data, name)(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    cast.__name__ = cast.__qualname__ = name
    cast.__doc__ = f"The same with `data.{name}()`."
    return cast


for _name in ("byte", "char", "cpu", "cuda", "double", "float", "half", "int", "long", "pin_memory", "short", "to"):
    setattr(PackedSequence, _name, _by_method(_name))


def invert_permutation(permutation):
    """The permutation that undoes `permutation`.

    >>> torch.nn.utils.rnn.invert_permutation(torch.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else permutation.argsort()


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """Pack padded sequences.

    Args:
        input: [T, N, ...], or [N, T, ...] if `batch_first`.
        lengths: [N], a list or an int64 tensor; each from 1 to T.
        enforce_sorted: the lengths must be descending already.

    Raises:
        RuntimeError: if a length is out of range or, with `enforce_sorted`, larger than the one before.

    >>> padded = torch.tensor([[1, 2, 3], [4, 5, 0]])
    >>> torch.nn.utils.rnn.pack_padded_sequence(padded, [3, 2], batch_first=True).data
    tensor([1, 4, 2, 5, 3])
    """
    lengths = rushlight.as_tensor(lengths, dtype=rushlight.int64)
    if batch_first:
        input = input.transpose(0, 1)
    sorted_indices = None
    if not enforce_sorted:
        sorted_indices = lengths.argsort(descending=True, stable=True)
        lengths = lengths[sorted_indices]
        input = input.index_select(1, sorted_indices)
    sizes = lengths.tolist()
    if len(sizes) != input.shape[1]:
        raise RuntimeError(
            "[pack_padded_sequence] lengths must have one entry per sequence. "
            f"Received {len(sizes)} for input with a batch of {input.shape[1]}."
        )
    if not sizes or min(sizes) <= 0:
        raise RuntimeError(
            "[pack_padded_sequence] Length of all samples has to be greater than 0. "
            f"Received {min(sizes, default='no lengths')}."
        )
    if sizes != sorted(sizes, reverse=True):
        raise RuntimeError(
            "[pack_padded_sequence] `lengths` array must be sorted in decreasing order when `enforce_sorted` is True. "
            "You can pass `enforce_sorted=False` to pack_padded_sequence."
        )
    if sizes[0] > input.shape[0]:
        raise RuntimeError(
            "[pack_padded_sequence] a length must not exceed the steps of input. "
            f"Received {sizes[0]} for {input.shape[0]} steps."
        )
    steps = rushlight.arange(sizes[0])
    batch_sizes = (lengths.unsqueeze(0) > steps.unsqueeze(1)).sum(1)
    data = rushlight.cat([input[t, :n] for t, n in enumerate(batch_sizes.tolist())])
    return PackedSequence(data, batch_sizes, sorted_indices)


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """Undo `pack_padded_sequence`: the padded tensor and the lengths, an int64 tensor.

    Args:
        total_length: how many steps to pad to.

    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4, 5])])
    >>> torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2, 3],
            [4, 5, 0]]), tensor([3, 2]))
    """
    data, batch_sizes, _, unsorted_indices = sequence
    sizes = batch_sizes.tolist()
    steps = len(sizes)
    if total_length is not None and total_length < steps:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {steps}"
        )
    shape = (total_length or steps, sizes[0], *data.shape[1:])
    at_step = rushlight.arange(steps).repeat_interleave(batch_sizes)
    in_batch = rushlight.cat([rushlight.arange(n) for n in sizes])
    padded = rushlight.full(shape, padding_value, dtype=data.dtype, device=data.device)
    padded = padded.index_put((at_step, in_batch), data)
    lengths = (batch_sizes.unsqueeze(1) > rushlight.arange(sizes[0]).unsqueeze(0)).sum(0)
    if unsorted_indices is not None:
        padded, lengths = padded.index_select(1, unsorted_indices), lengths[unsorted_indices]
    return (padded.transpose(0, 1) if batch_first else padded), lengths


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """Sequences [T_i, ...] as one tensor [T, N, ...], or [N, T, ...] if `batch_first`, with T the largest length.

    >>> torch.nn.utils.rnn.pad_sequence([torch.tensor([1, 2]), torch.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if padding_side not in ("left", "right"):
        raise ValueError(f"[pad_sequence] padding_side must be 'left' or 'right'. Received {padding_side!r}.")
    if not isinstance(sequences, (list, tuple)):
        if not hasattr(sequences, "__iter__"):
            raise RuntimeError(f"[pad_sequence] sequences must be iterable. Received {type(sequences).__name__}.")
        sequences = list(sequences)
    if not sequences:
        raise RuntimeError("[pad_sequence] there must be at least one sequence. Received none.")
    longest = max(len(s) for s in sequences)
    rows = []
    for s in sequences:
        rest = rushlight.full((longest - len(s), *s.shape[1:]), padding_value, dtype=s.dtype, device=s.device)
        rows.append(rushlight.cat([s, rest] if padding_side == "right" else [rest, s]))
    return rushlight.stack(rows, 0 if batch_first else 1)


def unpad_sequence(padded_sequences, lengths, batch_first=False):
    """The sequences of a padded tensor as a list.

    >>> torch.nn.utils.rnn.unpad_sequence(torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [row[:length] for row, length in zip(padded_sequences, lengths.tolist(), strict=True)]


def pack_sequence(sequences, enforce_sorted=True):
    """Pack a list of sequences [T_i, ...].

    >>> torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = [len(s) for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences):
    """The sequences of a packed one as a list.

    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])])
    >>> torch.nn.utils.rnn.unpack_sequence(packed)
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
