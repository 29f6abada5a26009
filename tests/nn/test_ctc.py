"""Connectionist temporal classification against PyTorch's, and by counting paths."""

import itertools
import math

import pytest

import rushlight
from rushlight.nn import functional as F
from tests.nn.oracle import compare_call, torch

CASES = {
    "padded": ([[1, 2, 2, 3], [1, 1, 4, 0], [2, 3, 0, 0]], [10, 8, 3], [4, 2, 1]),
    "concatenated": ([1, 2, 2, 3, 1, 1, 2], [10, 9, 10], [4, 3, 0]),
    "too long": ([[1, 1, 1, 1], [1, 2, 3, 4], [1, 1, 2, 2]], [4, 10, 5], [4, 4, 4]),
    "no frames": ([[1], [2], [0]], [0, 10, 0], [1, 1, 0]),
    "no labels": ([], [10, 1, 5], [0, 0, 0]),
}


def log_probabilities(*shape):
    torch.manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64).log_softmax(-1).requires_grad_()


@pytest.mark.oracle
@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("case", CASES)
def test_against_pytorch(case, reduction, zero_infinity):
    targets, input_lengths, target_lengths = CASES[case]
    inputs = [log_probabilities(10, 3, 5), torch.tensor(targets, dtype=torch.int64), input_lengths, target_lengths]
    compare_call(
        F.ctc_loss, torch.nn.functional.ctc_loss, inputs, {"reduction": reduction, "zero_infinity": zero_infinity}
    )


@pytest.mark.oracle
def test_one_sample_another_blank_and_lengths_as_tensors():
    inputs = [log_probabilities(6, 4), torch.tensor([0, 1, 1]), torch.tensor(6), torch.tensor(3)]
    compare_call(F.ctc_loss, torch.nn.functional.ctc_loss, inputs, {"blank": 3})


def test_the_loss_is_the_sum_over_all_paths():
    log_probs = rushlight.randn(5, 1, 3, dtype=rushlight.float64).log_softmax(2)
    target, total = [1, 2], 0.0
    for path in itertools.product(range(3), repeat=5):
        collapsed = [label for label, _ in itertools.groupby(path) if label]
        if collapsed == target:
            total += math.exp(sum(log_probs[t, 0, label].item() for t, label in enumerate(path)))
    loss = F.ctc_loss(log_probs, rushlight.tensor([target]), [5], [2], reduction="sum")
    assert math.isclose(loss.item(), -math.log(total), rel_tol=1e-9)


def test_a_net_learns_to_spell():
    rushlight.manual_seed(0)
    frames, targets = rushlight.randn(12, 2, 8), rushlight.tensor([[1, 2, 3], [3, 3, 1]])
    net = rushlight.nn.Linear(8, 4)
    optimizer = rushlight.optim.Adam(net.parameters(), lr=0.1)
    criterion = rushlight.nn.CTCLoss()
    for _ in range(100):
        optimizer.zero_grad()
        loss = criterion(net(frames).log_softmax(2), targets, [12, 12], [3, 3])
        loss.backward()
        optimizer.step()
    best = net(frames).argmax(2).t().tolist()
    assert [[label for label, _ in itertools.groupby(path) if label] for path in best] == targets.tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"log_probs": rushlight.zeros(5)}, "log_probs must be floating point"),
        ({"blank": 3}, "blank must be in label range"),
        ({"input_lengths": [6, 5]}, "input_lengths must be from 0 to 5"),
        ({"target_lengths": [2]}, "target_lengths must have size 2"),
        ({"target_lengths": [3, 1]}, "targets must be"),
        ({"targets": rushlight.tensor([[1, 7], [1, 1]])}, "targets must be from 0 to 2"),
    ],
)
def test_errors(change, message):
    arguments = {
        "log_probs": rushlight.zeros(5, 2, 3),
        "targets": rushlight.tensor([[1, 2], [1, 1]]),
        "input_lengths": [5, 5],
        "target_lengths": [2, 2],
    }
    with pytest.raises(RuntimeError, match=message):
        F.ctc_loss(**{**arguments, **change})
