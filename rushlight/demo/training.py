"""Training and testing of the demo's network."""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rushlight
from rushlight.demo.digits import load_digits
from rushlight.demo.dynamic_net import DynamicNet
from rushlight.nn import functional as F
from rushlight.utils.data import DataLoader, Subset, TensorDataset, random_split
from rushlight.viz import make_dot

BATCH = 32
TEST_IMAGES = 360


@dataclass
class Report:
    """What a run of the demo found and made."""

    trained_on: int
    parameters: int
    images: Any  # of the test part, [N, 8, 8]
    labels: list[int]
    answers: list[int] = field(default_factory=list)
    depths: Counter[int] = field(default_factory=Counter)  # blocks used -> batches of the test part
    seconds: float = 0.0
    digest: str = ""
    boxes: int = 0

    @property
    def correct(self) -> int:
        return sum(label == answer for label, answer in zip(self.labels, self.answers, strict=True))

    @property
    def accuracy(self) -> float:
        return self.correct / len(self.labels)


def jitter(images: Any) -> Any:
    """Moves a batch [N, 8, 8] by up to one pixel in 3 of 10 cases, and adds noise: no two batches are the same."""
    if rushlight.rand(()).item() < 0.3:
        down, right = rushlight.randint(0, 3, (2,)).tolist()
        images = F.pad(images, (1, 1, 1, 1))[:, down : down + 8, right : right + 8]
    return images + 0.1 * rushlight.randn(images.shape)


def run(seed: int, epochs: int, out: Path, progress: bool) -> Report:
    """Trains, tests, and writes ``computation_graph.svg`` and ``digits.safetensors`` into the folder ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    rushlight.manual_seed(seed)
    images, labels = load_digits()
    dataset = TensorDataset(images, labels)
    learn, test = random_split(dataset, [len(dataset) - TEST_IMAGES, TEST_IMAGES])
    net = DynamicNet()
    report = Report(
        trained_on=len(learn),
        parameters=sum(parameter.numel() for parameter in net.parameters()),
        images=images[test.indices],
        labels=labels[test.indices].tolist(),
    )

    start = time.perf_counter()
    loss = _train(net, TensorDataset(images[learn.indices], labels[learn.indices]), epochs, progress)
    report.seconds = time.perf_counter() - start
    _test(net, test, report)

    # The graph is still there: it is the record of the last step.
    graph = make_dot(loss, params=net)
    report.boxes = len(graph.vertices)
    graph.render(out / "computation_graph.svg")
    checkpoint = out / "digits.safetensors"
    rushlight.save(net.state_dict(), checkpoint)
    report.digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    return report


def _train(net: DynamicNet, dataset: TensorDataset, epochs: int, progress: bool) -> Any:
    from tqdm import tqdm

    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True, drop_last=True)
    optimizer = rushlight.optim.Adam(net.parameters(), lr=2e-3)
    steps = epochs * len(loader)
    schedule = rushlight.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
    net.train()
    interval = 0.1 if sys.stderr.isatty() else 5.0  # a log file needs fewer lines than a screen
    bar = tqdm(total=steps, desc="training", unit="batch", disable=not progress, mininterval=interval)
    for epoch in range(1, epochs + 1):
        losses, correct = [], 0
        for images, labels in loader:
            answer = net(jitter(images))
            loss = F.cross_entropy(answer, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            correct += (answer.argmax(1) == labels).sum().item()
            bar.update()
        accuracy = correct / (len(loader) * BATCH)
        state = f"epoch {epoch}/{epochs}, loss {sum(losses) / len(losses):.3f}, accuracy {accuracy:.1%}"
        bar.set_postfix_str(state, refresh=False)
    bar.close()
    return loss


def _test(net: DynamicNet, dataset: Subset, report: Report) -> None:
    net.eval()
    with rushlight.no_grad():
        for images, _ in DataLoader(dataset, batch_size=BATCH):
            report.answers += net(images).argmax(1).tolist()
            report.depths[net.depth] += 1
