"""A TreeLSTM (Tai et al., 2015) learns to evaluate formulas of logic: every formula is a tree, and a graph, of its own.

It sees whole formulas and their truth, never the truth of a part.
"""

import argparse
import random
from pathlib import Path

from tqdm import tqdm

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F

LEAVES = ("false", "true")
OPERATORS = {"and": lambda a, b: a and b, "or": lambda a, b: a or b, "xor": lambda a, b: a != b}
BATCH = 16


def random_formula(depth):
    """A leaf, or (operator, formula, formula) of at most that depth."""
    if depth == 0 or random.random() < 0.2:
        return random.choice(LEAVES)
    return random.choice(list(OPERATORS)), random_formula(depth - 1), random_formula(depth - 1)


def evaluate(formula):
    if formula in LEAVES:
        return formula == "true"
    name, left, right = formula
    return OPERATORS[name](evaluate(left), evaluate(right))


def spell(formula):
    if formula in LEAVES:
        return formula
    name, left, right = formula
    return f"({spell(left)} {name} {spell(right)})"


class TreeLSTM(nn.Module):
    """A formula to the score of its being true, []. Each node has a state (hidden, cell), made of its children's."""

    def __init__(self, width=32):
        super().__init__()
        self.leaves = nn.ParameterDict({name: torch.randn(2, width) for name in LEAVES})
        self.gates = nn.ModuleDict({name: nn.Linear(2 * width, 5 * width) for name in OPERATORS})
        self.head = nn.Linear(width, 1)

    def state(self, formula):
        if formula in LEAVES:
            return self.leaves[formula].unbind()
        name, left, right = formula
        (left_hidden, left_cell), (right_hidden, right_cell) = self.state(left), self.state(right)
        gates = self.gates[name](torch.cat([left_hidden, right_hidden]))
        new, into, out, keep_left, keep_right = gates.chunk(5)
        cell = into.sigmoid() * new.tanh() + keep_left.sigmoid() * left_cell + keep_right.sigmoid() * right_cell
        return out.sigmoid() * cell.tanh(), cell

    def forward(self, formula):
        hidden, _ = self.state(formula)
        return self.head(hidden).squeeze()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the trained network")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)

    torch.manual_seed(options.seed)
    random.seed(options.seed)
    net = TreeLSTM()
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    losses = []
    bar = tqdm(range(options.steps), unit="step")
    for _ in bar:
        formulas = [random_formula(depth=4) for _ in range(BATCH)]
        truth = torch.tensor([float(evaluate(formula)) for formula in formulas])
        loss = F.binary_cross_entropy_with_logits(torch.stack([net(formula) for formula in formulas]), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        bar.set_postfix_str(f"loss {losses[-1]:.3f}", refresh=False)

    formulas = [random_formula(depth=7) for _ in range(500)]
    with torch.no_grad():
        answers = [net(formula).item() > 0 for formula in formulas]
    right = [answer == evaluate(formula) for formula, answer in zip(formulas, answers, strict=True)]
    shown = min((formula for formula in formulas if len(spell(formula)) > 60), key=lambda formula: len(spell(formula)))
    print(f"{spell(shown)} is {str(answers[formulas.index(shown)]).lower()}")
    print(f"{sum(right) / len(right):.1%} of {len(right)} formulas up to depth 7 are right; it learned from depth 4")
    torch.save(net.state_dict(), options.out / "tree_lstm.pt")
    return losses


if __name__ == "__main__":
    main()
