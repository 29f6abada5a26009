"""Models from repositories with a hubconf.py, and files from the network.

A hubconf.py is a program, and load() runs it: use repositories that you trust.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile

import rushlight
from rushlight.atomic_file import open_atomic

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

_HASH = re.compile(r"-([a-f0-9]*)\.")
_chosen = []


def get_dir():
    """Where downloads are kept: set_dir()'s folder, $TORCH_HOME/hub, or ~/.cache/torch/hub."""
    if _chosen:
        return _chosen[-1]
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.join(os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))), "hub")


def set_dir(d):
    """Sets the folder where downloads are kept."""
    _chosen[:] = [os.path.expanduser(d)]


def download_url_to_file(url, dst, hash_prefix=None, progress=True):
    """Downloads a file; dst appears whole or not at all.

    Raises RuntimeError when its SHA-256 does not begin with hash_prefix.
    """
    digest = hashlib.sha256()
    request = urllib.request.Request(url, headers={"User-Agent": "rushlight.hub"})
    with _opened(request, dst) as source, open_atomic(dst) as file, _bar(source, progress) as advance:
        while chunk := source.read(1 << 16):
            digest.update(chunk)
            file.write(chunk)
            advance(len(chunk))
        if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
            raise RuntimeError(
                f"[download_url_to_file] the hash must begin with {hash_prefix}. Received "
                f"{digest.hexdigest()} of {url}."
            )


def _opened(request, dst):
    """What the network answers. Its errors tell the address, and what to do without a network."""
    cure = f"Check the address and the network, or put the file at {dst}."
    try:
        return urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        message = f"[download_url_to_file] {request.full_url} must be there. Received: {error.reason}. {cure}"
        raise urllib.error.HTTPError(error.url, error.code, message, error.headers, error.fp) from None
    except urllib.error.URLError as error:
        raise urllib.error.URLError(
            f"[download_url_to_file] {request.full_url} must be reachable. Received: {error.reason}. {cure}"
        ) from error


@contextlib.contextmanager
def _bar(source, progress):
    """A function to be told of received bytes."""
    if not progress:
        yield lambda n: None
        return
    from tqdm import tqdm

    total = int(source.headers.get("Content-Length") or 0) or None
    with tqdm(total=total, unit="B", unit_scale=True, unit_divisor=1024) as bar:
        yield bar.update


def load_state_dict_from_url(
    url, model_dir=None, map_location=None, progress=True, check_hash=False, file_name=None, weights_only=False
):
    """What a file on the network holds; it is downloaded once, to model_dir or get_dir()/checkpoints.

    check_hash: the file's name ends in "-" and the beginning of its SHA-256, which must be right.
    """
    folder = model_dir or os.path.join(get_dir(), "checkpoints")
    os.makedirs(folder, exist_ok=True)
    name = file_name or os.path.basename(urllib.parse.urlparse(url).path)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        found = _HASH.search(name) if check_hash else None
        download_url_to_file(url, path, found[1] if found else None, progress)
    return rushlight.load(path, map_location=map_location, weights_only=weights_only)


def _repository(github, force_reload):
    """The folder of "owner/name[:branch]", downloaded from GitHub unless it is there."""
    match = re.fullmatch(r"([\w.-]+)/([\w.-]+)(?::([\w./-]+))?", github)
    if not match:
        raise ValueError(f"[hub] the repository must be given as 'owner/name:branch'. Received {github!r}.")
    owner, name, branch = match[1], match[2], match[3] or "main"
    folder = os.path.join(get_dir(), f"{owner}_{name}_{branch.replace('/', '_')}")
    if os.path.isdir(folder) and not force_reload:
        return folder
    os.makedirs(get_dir(), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=get_dir()) as scratch:
        packed = os.path.join(scratch, "repository.zip")
        download_url_to_file(f"https://github.com/{owner}/{name}/zipball/{branch}", packed, progress=False)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(os.path.join(scratch, "content"))
        (top,) = os.listdir(os.path.join(scratch, "content"))
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(os.path.join(scratch, "content", top), folder)
    return folder


def _entry_points(folder):
    """The module hubconf.py of a folder. Raises RuntimeError when a package that it needs is missing."""
    path = os.path.join(folder, "hubconf.py")
    spec = importlib.util.spec_from_file_location("hubconf", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    missing = [p for p in getattr(module, "dependencies", ()) if importlib.util.find_spec(p) is None]
    if missing:
        raise RuntimeError(f"[hub] {path} needs packages that are not installed: {', '.join(missing)}.")
    return module


def _function(module, name):
    if not isinstance(name, str):
        raise ValueError(f"[hub] the function must be given by its name, a str. Received {type(name).__name__}.")
    found = getattr(module, name, None)
    if not callable(found):
        raise RuntimeError(f"[hub] Cannot find callable {name} in hubconf. list() tells what there is.")
    return found


def list(github, force_reload=False, skip_validation=False, trust_repo="check", verbose=True):
    """The names that load() accepts for a repository."""
    module = _entry_points(_repository(github, force_reload))
    return [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]


def help(github, model, force_reload=False, skip_validation=False, trust_repo="check"):
    """The docstring of one of a repository's functions."""
    return _function(_entry_points(_repository(github, force_reload)), model).__doc__


def load(
    repo_or_dir,
    model,
    *args,
    source="github",
    trust_repo="check",
    force_reload=False,
    verbose=True,
    skip_validation=False,
    **kwargs,
):
    """What the function `model` of a repository's hubconf.py gives for the arguments.

    repo_or_dir: "owner/name:branch", or with source="local" a folder. Raises ValueError for another source.
    """
    if source not in ("github", "local"):
        raise ValueError(f'[hub.load] source must be "github" or "local". Received {source!r}.')
    folder = _repository(repo_or_dir, force_reload) if source == "github" else os.path.expanduser(repo_or_dir)
    return _function(_entry_points(folder), model)(*args, **kwargs)
