"""Files are written whole or not at all."""

import os
import subprocess
import sys

import pytest

from rushlight import atomic_file
from rushlight.atomic_file import open_atomic

KILLED = """
import os, signal, sys
from rushlight.atomic_file import open_atomic
with open_atomic(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(params=["unnamed", "named"])
def either(request, monkeypatch):
    """With the files without a name that Linux has, and without."""
    if request.param == "named":
        monkeypatch.setattr(atomic_file, "_open_unnamed", lambda folder: None)


@pytest.mark.usefixtures("either")
def test_the_file_appears_at_the_end(tmp_path):
    path = tmp_path / "file"
    for content in (b"first", b"second"):
        before = path.read_bytes() if path.exists() else None
        with open_atomic(path) as file:
            file.write(content)
            assert (path.read_bytes() if path.exists() else None) == before
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["file"]
    (tmp_path / "ordinary").touch()
    assert path.stat().st_mode == (tmp_path / "ordinary").stat().st_mode


@pytest.mark.usefixtures("either")
def test_an_error_leaves_what_was_there(tmp_path):
    (tmp_path / "file").write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt), open_atomic(tmp_path / "file") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == ["file"] and (tmp_path / "file").read_bytes() == b"before"


@pytest.mark.usefixtures("either")
def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), open_atomic(tmp_path / "none" / "file"):
        pass


def test_a_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with open_atomic(tmp_path / "link") as file:
        file.write(b"content")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_bytes() == b"content"


def test_a_device_is_not_replaced():
    with open_atomic(os.devnull) as file:
        file.write(b"content")
    assert not os.path.isfile(os.devnull)


@pytest.mark.multiprocess
def test_a_killed_process_leaves_nothing(tmp_path):
    if (handle := atomic_file._open_unnamed(str(tmp_path))) is None:
        pytest.skip("this system has no files without a name; one under another name is left")
    os.close(handle)
    (tmp_path / "file").write_bytes(b"before")
    result = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "file")], check=False)
    assert result.returncode == -9
    assert os.listdir(tmp_path) == ["file"] and (tmp_path / "file").read_bytes() == b"before"
