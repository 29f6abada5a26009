"""SummaryWriter: what it writes, event by event and file by file, compared with what PyTorch's writes."""

import io
import socket
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorboard", reason="needs the extra tensorboard")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

import rushlight as torch
from rushlight.utils.tensorboard import FileWriter, SummaryWriter


@pytest.fixture(scope="module")
def oracle():
    found = pytest.importorskip("torch")
    import torch.utils.tensorboard  # noqa: F401

    return found


def written(folder):
    """{folder or file: events without their times, or bytes}."""
    found = defaultdict(list)
    for path in sorted(Path(folder).rglob("*")):
        if "tfevents" in path.name:
            for event in LegacyEventFileLoader(str(path)).Load():
                event.wall_time = 0
                found[str(path.parent.relative_to(folder))].append(event)
        elif path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return dict(found)


def ramp(t, *shape, dtype="float32"):
    return (t.arange(int(np.prod(shape))).reshape(shape) / int(np.prod(shape))).to(getattr(t, dtype))


def values(t):
    t.manual_seed(0)
    return t.cat([t.randn(1000), t.tensor([0.0, 1e-13, -50.0])])


def picture(t, *shape):
    return (ramp(t, *shape) * 255).to(t.uint8)


def figure():
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(1, 1), dpi=40)
    drawn.subplots().plot([1, 3, 2])
    return drawn


BOXES = [[2.0, 3.0, 12.0, 20.0], [0.0, 0.0, 5.0, 5.0]]
LAYOUT = {"Taiwan": {"twse": ["Multiline", ["twse/0050", "twse/2330"]]}, "USA": {"dow": ["Margin", ["a", "b", "c"]]}}
DTYPES = (
    "float16", "bfloat16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool", "complex64",
    "complex128",
)  # fmt: skip
CALLS = {
    "scalar": lambda w, t: [w.add_scalar("a", x, 3) for x in (1, 2.5, t.tensor(0.1), t.ones(1, 1), np.float32(2))],
    "scalar at a tensor's step": lambda w, t: w.add_scalar("a", 1, t.tensor(7)),
    "scalar of bfloat16": lambda w, t: w.add_scalar("a", t.tensor(0.1).to(t.bfloat16)),
    "scalar new style": lambda w, t: w.add_scalar("a/b", 0.1, 1, new_style=True),
    "scalar in double": lambda w, t: w.add_scalar("a/b", 0.1, 1, new_style=True, double_precision=True),
    "scalars": lambda w, t: [w.add_scalars("a/b", {"x": i, "y": t.tensor(2.0 * i)}, i) for i in range(3)],
    "histogram": lambda w, t: w.add_histogram("h", values(t), 2),
    "histogram of ints": lambda w, t: w.add_histogram("h", t.arange(10)),
    "histogram of a number": lambda w, t: w.add_histogram("h", 3.0),
    "histogram of zeros": lambda w, t: w.add_histogram("h", t.zeros(5)),
    "histogram in 7 bins": lambda w, t: w.add_histogram("h", values(t), bins=7),
    "histogram auto": lambda w, t: w.add_histogram("h", values(t), bins="auto"),
    "histogram limits": lambda w, t: w.add_histogram("h", values(t), bins=[-1.0, 0.0, 0.5, 9.0]),
    "histogram merged": lambda w, t: w.add_histogram("h", values(t), max_bins=15),
    "histogram merged evenly": lambda w, t: w.add_histogram("h", values(t), bins=12, max_bins=4),
    "histogram merged unevenly": lambda w, t: w.add_histogram("h", values(t), bins=13, max_bins=4),
    "histogram raw": lambda w, t: w.add_histogram_raw("h", 0, 2, 3, 4.0, 5.0, [1, 2], [2, 1], 9),
    "image": lambda w, t: w.add_image("i", ramp(t, 3, 8, 9), 1),
    "image of bytes": lambda w, t: w.add_image("i", picture(t, 8, 9, 3), dataformats="HWC"),
    "image grey": lambda w, t: w.add_image("i", ramp(t, 8, 9), dataformats="HW"),
    "image turned": lambda w, t: w.add_image("i", ramp(t, 8, 9), dataformats="wh"),
    "image of one channel": lambda w, t: w.add_image("i", ramp(t, 1, 8, 9)),
    "image of two channels": lambda w, t: w.add_image("i", ramp(t, 2, 8, 9)),
    "image of four channels": lambda w, t: w.add_image("i", ramp(t, 4, 8, 9)),
    "image clipped": lambda w, t: w.add_image("i", 3 * ramp(t, 3, 8, 9) - 1),
    "images": lambda w, t: w.add_images("i", ramp(t, 11, 3, 4, 5)),
    "images grey": lambda w, t: w.add_images("i", picture(t, 5, 4, 5, 1), dataformats="NHWC"),
    "boxes": lambda w, t: w.add_image_with_boxes("i", ramp(t, 3, 24, 32), t.tensor(BOXES), labels=["cat", "dog"]),
    "boxes larger": lambda w, t: w.add_image_with_boxes("i", ramp(t, 3, 24, 32), t.tensor(BOXES), rescale=2),
    "figure": lambda w, t: w.add_figure("f", figure()),
    "figures": lambda w, t: w.add_figure("f", [figure(), figure()]),
    "audio": lambda w, t: w.add_audio("s", ramp(t, 1, 4000), 1, sample_rate=8000),
    "text": lambda w, t: w.add_text("t", "**bold** ä", 4),
    "pr curve": lambda w, t: w.add_pr_curve("p", (ramp(t, 90) > 0.4).int(), ramp(t, 90) ** 2, 1),
    "pr curve weighted": lambda w, t: w.add_pr_curve(
        "p", np.arange(9) % 2, np.arange(9) / 9, num_thresholds=500, weights=np.arange(9) / 3
    ),
    "pr curve raw": lambda w, t: w.add_pr_curve_raw(
        "p", *np.arange(30.0).reshape(6, 5), num_thresholds=5, global_step=2
    ),
    "custom scalars": lambda w, t: w.add_custom_scalars(LAYOUT),
    "multiline chart": lambda w, t: w.add_custom_scalars_multilinechart(["a", "b"], "c", "d"),
    "margin chart": lambda w, t: w.add_custom_scalars_marginchart(["a", "b", "c"]),
    "mesh": lambda w, t: w.add_mesh(
        "m", ramp(t, 1, 4, 3), ramp(t, 1, 4, 3), t.tensor([[[0, 1, 2]]]), {"lights": [1], "camera": {"cls": "x"}}, 1
    ),
    "points": lambda w, t: w.add_mesh("m", ramp(t, 2, 4, 3)),
    "hparams": lambda w, t: w.add_hparams(
        {"lr": 0.1, "n": 3, "name": "x", "flag": True, "none": None, "tensor": t.ones(1)}, {"m": 0.5}, run_name="r"
    ),
    "hparams of domains": lambda w, t: w.add_hparams(
        {"lr": 0.1, "name": "x"}, {"m": t.tensor(1.0)}, {"lr": [0.1, 1.0], "name": ["x", "y"]}, "r", 5
    ),
    "embedding": lambda w, t: w.add_embedding(ramp(t, 5, 3), list("abcde"), ramp(t, 5, 3, 4, 4), 2, "a/b%"),
    "embeddings": lambda w, t: [w.add_embedding(ramp(t, 4, 2), tag=tag) for tag in "xy"],
    "embedding of columns": lambda w, t: w.add_embedding(
        np.eye(2), [[1, "x"], [2, "y"]], picture(t, 2, 1, 3, 3) * 0, metadata_header=["n", "s"]
    ),
    **{
        f"tensor of {dtype}": lambda w, t, dtype=dtype: w.add_tensor("x", ramp(t, 2, 3, dtype=dtype) * 3, 1)
        for dtype in DTYPES
    },
}  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_same_events(call, oracle, tmp_path):
    with SummaryWriter(tmp_path / "ours") as ours:
        call(ours, torch)
    with oracle.utils.tensorboard.SummaryWriter(tmp_path / "theirs") as theirs:
        call(theirs, oracle)
    assert written(tmp_path / "ours") == written(tmp_path / "theirs")


# What is wrong with each: the classes are PyTorch's.
MISTAKES = {
    "a vector": lambda w, t: w.add_scalar("a", t.ones(2)),
    "a list": lambda w, t: w.add_scalar("a", [1.0]),
    "a word": lambda w, t: w.add_scalar("a", "word"),
    "nothing": lambda w, t: w.add_histogram("h", t.ones(0)),
    "outside of the bins": lambda w, t: w.add_histogram("h", t.full((3,), float("nan"))),
    "limits and counts": lambda w, t: w.add_histogram_raw("h", 0, 1, 1, 1, 1, [1, 2], [1]),
    "a letter twice": lambda w, t: w.add_image("i", t.ones(3, 4, 4), dataformats="CHH"),
    "too few letters": lambda w, t: w.add_image("i", t.ones(3, 4, 4), dataformats="HW"),
    "other letters": lambda w, t: w.add_image("i", t.ones(3, 4, 4), dataformats="XYZ"),
    "five channels": lambda w, t: w.add_image("i", t.ones(5, 4, 4)),
    "a batch of five channels": lambda w, t: w.add_images("i", t.ones(2, 5, 4, 4)),
    "boxes of three": lambda w, t: w.add_image_with_boxes("i", t.ones(3, 4, 4), t.ones(1, 3)),
    "two sounds": lambda w, t: w.add_audio("s", t.ones(2, 9)),
    "no text": lambda w, t: w.add_text("t", 3),
    "no tensor": lambda w, t: w.add_tensor("t", 3),
    "two tags": lambda w, t: w.add_custom_scalars_marginchart(["a", "b"]),
    "a mesh without batch": lambda w, t: w.add_mesh("m", t.ones(4, 3)),
    "hparams no dict": lambda w, t: w.add_hparams([], {}),
    "hparams of lists": lambda w, t: w.add_hparams({"a": [1]}, {}),
    "hparams of domains": lambda w, t: w.add_hparams({"a": 1}, {}, {"a": ["x"]}),
    "metrics of vectors": lambda w, t: w.add_hparams({"a": 1}, {"m": t.ones(2)}),
    "labels of the points": lambda w, t: w.add_embedding(t.ones(3, 2), metadata=["a"]),
    "pictures of the points": lambda w, t: w.add_embedding(t.ones(3, 2), label_img=t.ones(2, 3, 4, 4)),
    "columns": lambda w, t: w.add_embedding(t.ones(1, 2), metadata=[["a", "b"]], metadata_header=["x"]),
    "points": lambda w, t: w.add_embedding(t.ones(3)),
    "curve": lambda w, t: w.add_pr_curve("p", t.ones(3), t.ones(4)),
}


@pytest.mark.oracle
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_mistakes(mistake, oracle, tmp_path):
    theirs = oracle.utils.tensorboard.SummaryWriter(tmp_path / "theirs")
    with theirs, pytest.raises(Exception) as expected:
        mistake(theirs, oracle)
    with SummaryWriter(tmp_path / "ours") as ours, pytest.raises(expected.type):
        mistake(ours, torch)
    assert [len(events) for events in written(tmp_path / "ours").values()] == [1]  # nothing but the file's head


def test_reading_back(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        for step in range(5):
            writer.add_scalar("loss", 1 / (step + 1), step, walltime=100.0 + step)
    log = EventAccumulator(str(tmp_path)).Reload()
    assert [(s.step, s.wall_time, s.value) for s in log.Scalars("loss")] == [
        (step, 100.0 + step, pytest.approx(1 / (step + 1))) for step in range(5)
    ]


def test_video_is_a_gif(tmp_path):
    from PIL import Image

    frames = torch.zeros(3, 5, 3, 8, 6)
    frames[1, :, 0] = torch.linspace(0, 1, 5)[:, None, None]
    with SummaryWriter(tmp_path) as writer:
        writer.add_video("v", frames, 1, fps=10)
        writer.add_video("grey", torch.ones(1, 2, 1, 4, 4, dtype=torch.uint8))
    image = written(tmp_path)["."][1].summary.value[0].image
    assert (image.height, image.width, image.colorspace) == (8, 24, 3)  # four places for three videos
    gif = Image.open(io.BytesIO(image.encoded_image_string))
    assert (gif.format, gif.n_frames, gif.size, gif.info["duration"]) == ("GIF", 5, (24, 8), 100)
    gif.seek(4)
    assert gif.convert("RGB").getpixel((8, 2)) == (255, 0, 0)
    assert gif.convert("RGB").getpixel((2, 2)) == (0, 0, 0)
    for wrong, fps in ((frames[0], 4), (frames[:, :0], 4), (frames, 0)):
        with pytest.raises(ValueError, match="add_video"), SummaryWriter(tmp_path / "wrong") as writer:
            writer.add_video("v", wrong, fps=fps)


@pytest.mark.oracle
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8])
def test_places_of_videos(count, oracle):
    from torch.utils.tensorboard._utils import _prepare_video

    from rushlight.utils.tensorboard.pictures import to_frames

    videos = np.random.default_rng(0).random((count, 2, 3, 4, 5), np.float32)
    np.testing.assert_array_equal(to_frames(videos), _prepare_video(videos))


def test_files_and_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with SummaryWriter(comment="_x", filename_suffix=".end") as writer:
        assert writer.get_logdir().startswith("runs/") and writer.get_logdir().endswith(f"_{socket.gethostname()}_x")
        (file,) = Path(writer.get_logdir()).iterdir()
        assert file.name.endswith(".end")
        writer.add_scalar("a", 1)
        writer.flush()
        assert len(written(tmp_path)[writer.get_logdir()]) == 2


@pytest.mark.oracle
def test_purge_step(oracle, tmp_path):
    for module, name in ((torch, "ours"), (oracle, "theirs")):
        with module.utils.tensorboard.SummaryWriter(tmp_path / name, purge_step=7) as writer:
            writer.add_scalar("a", 1, 7)
    assert written(tmp_path / "ours") == written(tmp_path / "theirs")


def test_writing_after_close(tmp_path):
    writer = SummaryWriter(tmp_path)
    writer.close()
    writer.close()
    writer.flush()
    writer.add_scalar("a", 1)
    writer.close()
    assert sum(event.HasField("summary") for event in written(tmp_path)["."]) == 1


def test_file_writer(tmp_path):
    from tensorboard.compat.proto.summary_pb2 import Summary

    writer = FileWriter(tmp_path)
    assert writer.get_logdir() == str(tmp_path)
    writer.add_summary(Summary(value=[Summary.Value(tag="a", simple_value=1)]), 3, 5.0)
    writer.close()
    writer.reopen()
    writer.close()
    assert [event.step for event in written(tmp_path)["."]].count(3) == 1


def test_warnings_and_errors(tmp_path, monkeypatch):
    with SummaryWriter(tmp_path) as writer:
        with pytest.warns(UserWarning, match="amplitudes beyond -1 to 1 are clipped"):
            writer.add_audio("s", torch.full((1, 9), 2.0))
        with pytest.warns(UserWarning, match="labels are left out"):
            writer.add_image_with_boxes("i", torch.ones(3, 9, 9), torch.tensor(BOXES), labels="one")
        writer.add_embedding(torch.eye(2))
        with pytest.warns(UserWarning, match="is written over"):
            writer.add_embedding(torch.eye(2))
        (tmp_path / "00001").mkdir()
        (tmp_path / "00001" / "x").write_text("")
        with pytest.raises(NotADirectoryError, match="must be a folder"):
            writer.add_embedding(torch.eye(2), global_step=1, tag="x")
        with pytest.raises(ValueError, match="2GB"):
            writer.add_tensor("x", torch.zeros(1).expand(1 << 29))
        monkeypatch.delitem(torch.utils.tensorboard.summary._TENSOR_FIELDS, torch.int8)
        with pytest.raises(ValueError, match=r"unsupported tensor dtype torch\.int8"):
            writer.add_tensor("x", torch.zeros(1, dtype=torch.int8))


def test_missing_packages(tmp_path, monkeypatch):
    import sys

    with SummaryWriter(tmp_path) as writer:
        for name in ("onnx", "matplotlib", "PIL"):
            for module in [m for m in sys.modules if m.split(".")[0] == name]:
                monkeypatch.delitem(sys.modules, module)
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ImportError, match=r"pip install pillow.*rushlight\[tensorboard\]"):
            writer.add_image("i", torch.ones(3, 2, 2))
        with pytest.raises(ImportError, match="pip install matplotlib"):
            writer.add_figure("f", None)
        with pytest.raises(ImportError, match="pip install onnx"):
            writer.add_onnx_graph("model.onnx")


def test_without_tensorboard():
    import subprocess
    import sys

    program = (
        "import sys\nsys.modules['tensorboard'] = None\nimport rushlight\n"
        "try:\n  import rushlight.utils.tensorboard\nexcept ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install rushlight[tensorboard]" in done.stdout
