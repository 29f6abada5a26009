"""Every example runs as a program and prints what it should."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"

EXPECTED = {
    "gradient.py": ["y      = tensor(36., grad_fn=<PowBackward0>)", "dy/dx  = tensor(24.)"],
    "mean_graph.py": [
        "e      = tensor(6., grad_fn=<MeanBackward0>)",
        "de/da  = tensor(2.)",
        "de/db  = tensor(2.)",
        "drawn in computation_graph.svg",
    ],
    "dynamic_net_broken.py": [
        "layers.1",
        "Linear(in_features=32, out_features=32, bias=True)",
        "[1, 64]",
        "[32, 32]",
    ],
    "dynamic_net.py": [
        "(0): Linear(in_features=64, out_features=32, bias=True)",
        "output: torch.Size([1, 10])",
        "every layer that ran has a gradient: True",
    ],
    "custom_function.py": [
        "y      = tensor([0.0000, 0.5000, 1.0000], grad_fn=<StraightThroughClampBackward>)",
        "dy/dx  = tensor([0., 1., 1.])",
        "gradient right: True",
        "second derivative right: True",
    ],
    "custom_layer.py": ["Quadratic(a x^2 + b x + c)", "learned: 2.00, -3.00, 0.50"],
    "gradient_clipping.py": [
        "the norm was large: True",
        "clipped to 1.000",
        "clipped again: 1.000",
        "no element beyond 0.1: True",
    ],
    "hooks.py": [
        "forward: [('Linear', (5, 4)), ('ReLU', (5, 4)), ('Linear', (5, 2))]",
        "after removal: 3",
        "clamped gradient: tensor([2., 4., 4.])",
        "kept gradient: tensor(12.)",
    ],
}
# Training programs: a short run (tests/golden holds them to their losses), and what is written.
SHORT = {
    "character_lstm.py": (["--steps", "2"], ["The Zen of Python, by Tim Peters", "lines are in the Zen"]),
    "digits_cnn.py": (["--epochs", "1"], ["test accuracy", "of 360 digits misread"]),
    "resumable.py": (["--epochs", "1"], ["29 steps, parameters "]),
    "small_gpt.py": (["--steps", "2"], ["of 1000 sums that were not in training are right"]),
    "tree_lstm.py": (["--steps", "2"], ["of 500 formulas up to depth 7 are right"]),
    "vae.py": (["--epochs", "1"], ["an image costs", "64 new ones: vae.p"]),
}


def test_every_example_is_checked():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*EXPECTED, *SHORT}


def run(name, folder, *arguments):
    """What the program prints, in an empty folder."""
    root = str(EXAMPLES.parent)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), root]).strip(os.pathsep),
    }
    result = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.multiprocess
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_example(name, tmp_path):
    output = run(name, tmp_path)
    for text in EXPECTED[name]:
        assert text in output
    if name == "mean_graph.py":
        assert (tmp_path / "computation_graph.svg").read_text().startswith("<svg")


@pytest.mark.multiprocess
@pytest.mark.parametrize("name", sorted(SHORT))
def test_training_program(name, tmp_path):
    arguments, expected = SHORT[name]
    output = run(name, tmp_path, *arguments)
    for text in expected:
        assert text in output
    assert (tmp_path / name).with_suffix(".pt").exists()
