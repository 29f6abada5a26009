"""On which device the storages of a file arrive: `map_location`, and the devices that others register."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight

Restore = Callable[[Any, str], Any]

_packages: list[tuple[int, Callable[[Any], str | None], Callable[[Any, str], Any]]] = []


def register_package(
    priority: int, tagger: Callable[[Any], str | None], deserializer: Callable[[Any, str], Any]
) -> None:
    """Adds a kind of device to `save` and `load`.

    Args:
        priority: lower ones are asked first.
        tagger: gives the location of a storage, such as "cpu", or None where it knows none.
        deserializer: moves a storage to a location, or gives None where it knows none.
    """
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda package: package[0])


def location_tag(storage: Any) -> str:
    """The location of a storage, as files call it. Raises RuntimeError for one that nobody knows."""
    for _, tagger, _ in _packages:
        location = tagger(storage)
        if location:
            return location
    raise RuntimeError(f"[save] the location of a storage must be known. Received {type(storage).__name__}.")


def default_restore_location(storage: Any, location: str) -> Any:
    """The storage at a location. Raises RuntimeError where there is no such device."""
    for _, _, deserializer in _packages:
        result = deserializer(storage, location)
        if result is not None:
            return result
    raise RuntimeError(
        f"[load] the file's storages must go to a device of this machine. Received {str(location)[:40]!r}, and this "
        'build has the CPU alone. Use torch.load(..., map_location="cpu").'
    )


def _cpu_tag(storage: Any) -> str | None:
    return "cpu" if storage.device.type == "cpu" else None


def _to_cpu(storage: Any, location: str) -> Any:
    return storage if location == "cpu" else None


register_package(10, _cpu_tag, _to_cpu)


def restore_function(map_location: Any) -> Restore:
    """What `load` does with every storage and its location in the file."""
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        return lambda storage, location: default_restore_location(storage, map_location.get(location, location))
    if isinstance(map_location, (str, bytes, rushlight.device)):
        target = map_location.decode() if isinstance(map_location, bytes) else str(map_location)
        if target.partition(":")[0] == "cpu":
            target = "cpu"
        return lambda storage, location: default_restore_location(storage, target)
    if not callable(map_location):
        raise TypeError(
            "[load] map_location must be a device, its name, a dict from locations to locations, or a function. "
            f"Received {type(map_location).__name__}."
        )

    def restore(storage: Any, location: str) -> Any:
        result = map_location(storage, location)
        return default_restore_location(storage, location) if result is None else result

    return restore


def _no_such_device(name: str) -> Callable[[Any], int]:
    def validate(location: Any) -> int:
        raise RuntimeError(
            f"[load] Attempting to deserialize object on a {name} device, but this build has none. Received "
            f'{location!r}. Use torch.load(..., map_location="cpu").'
        )

    validate.__doc__ = f"Raises RuntimeError: this build has no {name} devices."
    return validate


validate_cuda_device = _no_such_device("CUDA")
validate_hpu_device = _no_such_device("HPU")


def normalize_storage_type(storage_type: Any) -> Any:
    """The class by which files know a class of storages."""
    return getattr(rushlight, storage_type.__name__)


def storage_to_tensor_type(storage: Any) -> Any:
    """The legacy tensor class that belongs to a storage: FloatTensor to FloatStorage.

    >>> torch.serialization.storage_to_tensor_type(torch.ones(2).storage()) is torch.FloatTensor
    True
    """
    name = storage.type() if hasattr(storage, "type") else type(storage).__name__
    return getattr(rushlight, name.removeprefix("torch.").replace("Storage", "Tensor"))


class StorageType:
    """A storage class that a file names, as far as it matters: its dtype.

    >>> torch.serialization.StorageType("FloatStorage").dtype
    torch.float32
    """

    def __init__(self, name: str) -> None:
        self._dtype = rushlight.storage.CLASSES[name]

    @property
    def dtype(self) -> Any:
        """The dtype of the elements."""
        return self._dtype

    def __str__(self) -> str:
        return f"StorageType(dtype={self.dtype})"
