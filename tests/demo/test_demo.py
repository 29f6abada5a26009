"""The demo: its data, its network, a short run, and its command line."""

import hashlib
import xml.etree.ElementTree as ET
from collections import Counter

import pytest

import rushlight
from rushlight import cli
from rushlight.demo import terminal, training
from rushlight.demo.digits import load_digits
from rushlight.demo.dynamic_net import DynamicNet


def test_digits():
    images, labels = load_digits()
    assert images.shape == (1797, 8, 8) and images.dtype == rushlight.float32
    assert labels.shape == (1797,) and labels.dtype == rushlight.int64
    assert (images.min().item(), images.max().item()) == (0.0, 1.0)
    # The counts that the repository of the data set publishes for its test part.
    counts = Counter(labels.tolist())
    assert [counts[digit] for digit in range(10)] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_depth_differs_from_batch_to_batch():
    rushlight.manual_seed(0)
    net = DynamicNet()
    depths, used = set(), set()
    for _ in range(40):
        net.zero_grad()
        net(rushlight.rand(4, 8, 8)).sum().backward()
        depths.add(net.depth)
        used.add(sum(block.weight.grad is not None for block in net.blocks))
    assert depths == used == {1, 2, 3, 4}


def test_evaluation_stops_when_sure():
    rushlight.manual_seed(0)
    images = rushlight.rand(4, 8, 8)
    net = DynamicNet(sure=0.0).eval()
    net(images)
    assert net.depth == 1
    net.sure = 1.0
    net(images)
    assert net.depth == 4


def test_jitter_keeps_the_shape():
    rushlight.manual_seed(0)
    batch = rushlight.rand(4, 8, 8)
    for _ in range(20):
        assert training.jitter(batch).shape == (4, 8, 8)


def test_short_run(tmp_path, capsys):
    report = training.run(seed=0, epochs=3, out=tmp_path / "new" / "folder", progress=False)
    assert report.accuracy > 0.85
    assert len(report.answers) == len(report.labels) == 360
    assert sum(report.depths.values()) == 12
    written = tmp_path / "new" / "folder"
    assert ET.parse(written / "computation_graph.svg").getroot().tag.endswith("svg")
    assert hashlib.sha256((written / "digits.safetensors").read_bytes()).hexdigest() == report.digest
    net = DynamicNet()
    net.load_state_dict(rushlight.load(written / "digits.safetensors"))
    net.eval()
    assert net(report.images[:32]).argmax(1).tolist() == report.answers[:32]
    terminal.print_report(report, written)
    text = capsys.readouterr().out
    assert f"{report.accuracy:.1%} ({report.correct} of 360" in text
    assert report.digest[:16] in text


def test_the_same_seed_gives_the_same_bits(tmp_path):
    digests = [training.run(seed, 1, tmp_path, progress=False).digest for seed in (3, 3, 4)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.slow
def test_the_full_demo_learns_to_read(tmp_path, capfd):
    assert cli.main(["demo", "--out", str(tmp_path), "--seed", "1"]) == 0
    output, errors = capfd.readouterr()
    accuracy = float(output.split("test accuracy")[1].split("%")[0])
    assert accuracy >= 97.0
    assert "training: 100%" in errors
    assert "computation_graph.svg" in output and "digits.safetensors" in output


def test_progress_can_be_left_out(tmp_path, capfd):
    assert cli.main(["demo", "--epochs", "1", "--no-progress", "--out", str(tmp_path)]) == 0
    assert capfd.readouterr().err == ""


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"rushlight {rushlight.__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["demo", "--epochs", "0"], ["demo", "--epochs", "x"], ["dance"]], ids=repr)
def test_wrong_command_lines(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert "usage: rushlight" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cli.main(["demo", "--epochs", "1", "--out", str(tmp_path / "file" / "folder")]) == 1
    assert capsys.readouterr().err.startswith("rushlight: ")


def test_plain_shades_where_the_terminal_knows_no_others(monkeypatch):
    class Ascii:
        encoding = "ascii"

        def isatty(self):
            return False

    monkeypatch.setattr(terminal.sys, "stdout", Ascii())
    assert terminal._shades() == terminal.PLAIN_SHADES
