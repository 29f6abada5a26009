"""The loader that reads a data set in some order and makes batches of it."""

from __future__ import annotations

import itertools
import math
import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from rushlight.utils.data.collate import default_collate, default_convert
from rushlight.utils.data.datapipes.datapipe import IterDataPipe
from rushlight.utils.data.dataset import IterableDataset
from rushlight.utils.data.fetch import Recipe
from rushlight.utils.data.iteration import InlineIterator, LoaderIterator, Progress, WorkerIterator
from rushlight.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler, resumable
from rushlight.utils.data.threads import ThreadPool
from rushlight.utils.data.worker import Crew
from rushlight.utils.data.worker_info import WorkerInfo, get_worker_info

__all__ = ["DataLoader", "WorkerInfo", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)


class _Endless:
    """Stands for the order of a data set that has none of its own."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class DataLoader(Generic[T_co]):
    """Reads a data set in batches. For one seed, the order is PyTorch's.

    Worker processes put batches together in shared memory, into which the program's tensors look; the memory is used
    again when they die. With workers, random numbers belong to the batch: rushlight's, ``random``'s and NumPy's
    generators are seeded for each one from the pass (its base seed and number) and the place of its first sample. So
    results do not depend on how many workers there are, and a pass that was interrupted can be resumed
    (:meth:`state_dict`) with other workers.

    Args:
      dataset: a data set read by index (``__getitem__`` and ``__len__``), or an :class:`IterableDataset`.
      batch_size: samples per batch; None hands out single samples.
      shuffle: True draws a new order in every pass.
      sampler: the order, instead of ``shuffle``: an iterable of indices.
      batch_sampler: an iterable of lists of indices, instead of all four of the others.
      num_workers: how many read; 0: the program itself does.
      collate_fn: makes a batch of a list of samples; :func:`default_collate` if None.
      pin_memory: has no effect without an accelerator, and warns.
      drop_last: True leaves out a last batch that is smaller.
      timeout: seconds to wait for a batch of the workers; 0 waits for ever.
      worker_init_fn: called in every worker with its number.
      multiprocessing_context: how processes are started: "fork", "spawn", "forkserver", or a context.
      generator: source of random numbers; None is the default generator.
      prefetch_factor: batches that each worker makes ahead; None is 2.
      persistent_workers: True keeps the workers from one pass to the next.
      pin_memory_device: ignored.
      in_order: False hands out whichever batch is ready.
      workers: "process", or "thread": threads need no pickling and share the data set, and the interpreter's lock.
        What draws from ``random`` and ``numpy.random`` must do so through these modules.
      on_error: "skip" leaves out samples that cannot be read, one by one, lists them in ``skipped`` (sample, cause)
        and warns at the end of the pass; "raise" raises.
      keyed: whether random numbers belong to the batch; None: with workers. False: they are drawn as PyTorch's
        workers draw them, each from its own ``base_seed + id``, or without workers from the program's streams.

    Raises:
      ValueError: if arguments contradict one another.
      RuntimeError: while iterating, if a worker dies, is stopped, or exceeds ``timeout``; it says in which sample.
        What a data set raises in a worker is raised again with its class and the worker's traceback.

    Example::

      >>> loader = torch.utils.data.DataLoader([1.0, 2.0, 3.0], batch_size=2)
      >>> len(loader), next(iter(loader))
      (2, tensor([1., 2.], dtype=torch.float64))
      >>> class Noise(torch.utils.data.Dataset):
      ...   def __len__(self):
      ...     return 4
      ...   def __getitem__(self, index):
      ...     return torch.rand(1)
      >>> def read(**options):
      ...   torch.manual_seed(0)
      ...   return torch.cat(list(torch.utils.data.DataLoader(Noise(), 2, **options)))
      >>> torch.equal(read(num_workers=1), read(num_workers=2, workers="thread"))
      True
    """

    _loaded: dict | None = None
    _progress: Progress | None = None
    _iterator: WorkerIterator | None = None
    _epoch = 0  # number of the next pass
    _FIXED = frozenset({"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"})

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable | None = None,
        batch_sampler: Iterable | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
        workers: str = "process",
        on_error: str = "raise",
        keyed: bool | None = None,
    ):
        iterable = isinstance(dataset, IterableDataset)
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers, workers)
        if on_error not in ("raise", "skip"):
            raise ValueError(f"[DataLoader] on_error must be 'raise' or 'skip'. Received {on_error!r}.")
        _check_order(
            iterable, batch_size, shuffle and not isinstance(dataset, IterDataPipe), sampler, batch_sampler, drop_last
        )

        if isinstance(dataset, IterDataPipe) and shuffle is not None:
            from rushlight.utils.data.graph_settings import apply_shuffle_settings

            dataset, shuffle = apply_shuffle_settings(dataset, shuffle), None
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.workers = workers
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.on_error = on_error
        self.keyed = num_workers > 0 if keyed is None else keyed
        self.skipped: list = []
        self.generator = generator
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None:
            if iterable:
                sampler = _Endless()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.persistent_workers = persistent_workers
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self._resumable = resumable(self._index_sampler)
        self._built = True
        self.check_worker_number_rationality()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._FIXED and self.__dict__.get("_built"):
            raise ValueError(f"[DataLoader] {name} is fixed once the loader is made. Make a new DataLoader instead.")
        super().__setattr__(name, value)

    def __iter__(self) -> LoaderIterator:
        if self.num_workers == 0:
            if self.timeout:
                raise AssertionError(f"[DataLoader] timeout needs workers. Received {self.timeout}. Leave it out.")
            return InlineIterator(self)
        if not self.persistent_workers:
            return WorkerIterator(self)
        if self._iterator is None or self._iterator.broken:
            self._iterator = WorkerIterator(self)
        else:
            self._iterator.start()
        return self._iterator

    def _begin_pass(self, base_seed: int | None) -> Progress:
        state, self._loaded = self._loaded, None
        if state is None or not state["under_way"]:
            seed = state["base_seed"] if state and self.persistent_workers else base_seed
            self._progress = Progress(self, self._epoch, seed, None)
        else:
            self._progress = Progress(self, state["epoch"], state["base_seed"], state)
        self._epoch = self._progress.epoch + 1
        return self._progress

    def _make_pool(self, crew: Crew) -> Any:
        if self.workers == "thread":
            return ThreadPool(crew)
        # Processes are needed where they are asked for: their modules are loaded then.
        from rushlight.utils.data.processes import ProcessPool

        return ProcessPool(crew, self.multiprocessing_context)

    def _recipe(self) -> Recipe:
        return Recipe(
            dataset=self.dataset,
            collate_fn=self.collate_fn,
            batch_size=self.batch_size,
            batched=self._auto_collation,
            drop_last=self.drop_last,
            skip_errors=self.on_error == "skip",
            keyed=self.keyed,
        )

    def state_dict(self) -> dict:
        """Where the latest pass stands, and all that decides how it goes on: plain numbers, lists and tensors.

        Batches that were read ahead and not handed out do not count. A loader that loads the state goes on at the next
        batch, with any number of workers (an :class:`IterableDataset`: with the same number), with the same bits.
        A data set whose samples come in a stream is asked for its own ``state_dict()``, in its worker.

        Example::

          >>> loader = torch.utils.data.DataLoader(range(6), batch_size=2, shuffle=True)
          >>> batches = iter(loader)
          >>> first, state = next(batches), loader.state_dict()
          >>> rest = [batch.tolist() for batch in batches]
          >>> resumed = torch.utils.data.DataLoader(range(6), batch_size=2, shuffle=True)
          >>> resumed.load_state_dict(state)
          >>> [batch.tolist() for batch in resumed] == rest
          True
        """
        if self._loaded is not None:
            return self._loaded
        if self._progress is not None:
            state = self._progress.state_dict()
        else:
            state = {"under_way": False, "epoch": -1, "base_seed": None, "streams": None}
            state["sampler"] = None if isinstance(self.dataset, IterableDataset) else self._resumable.state_dict()
        state["generator"] = None if self.generator is None else self.generator.get_state()
        return state

    def load_state_dict(self, state_dict: dict) -> None:
        """Lets the next pass go on where the state was taken: see :meth:`state_dict`.

        A stream without a ``state_dict()`` is read again up to there, with a warning.

        Raises:
          ValueError: if the state is no loader's, or a stream's with another number of workers.
        """
        if not isinstance(state_dict, dict) or not {"under_way", "epoch", "base_seed"} <= state_dict.keys():
            raise ValueError(
                f"[DataLoader] a state must be what state_dict() of a DataLoader returned. Received "
                f"{sorted(map(str, state_dict)) if isinstance(state_dict, dict) else type(state_dict).__name__}."
            )
        if state_dict["under_way"]:
            self._check_streams(state_dict["streams"])
        if self.generator is not None and state_dict["generator"] is not None:
            self.generator.set_state(state_dict["generator"])
        if state_dict["sampler"] is not None:
            self._resumable.load_state_dict(state_dict["sampler"])
        self._loaded = dict(state_dict)
        self._epoch = state_dict["epoch"] + 1

    def _check_streams(self, streams: list | None) -> None:
        if (streams is not None) != isinstance(self.dataset, IterableDataset):
            raise ValueError("[DataLoader] the state belongs to another kind of data set. Load it with that one.")
        if streams is None:
            return
        if len(streams) != max(1, self.num_workers):
            raise ValueError(
                f"[DataLoader] an IterableDataset goes on with as many workers as it was read with, {len(streams)}. "
                f"Received num_workers={self.num_workers}."
            )
        again = sum(stream["read"] for stream in streams if stream and stream["state"] is None)
        if again:
            warnings.warn(
                f"[DataLoader] the data set has no state_dict(): its first {again} samples are read again. "
                "Give it state_dict() and load_state_dict() to go on at once.",
                stacklevel=3,
            )

    @property
    def multiprocessing_context(self) -> Any:
        """The context that worker processes are started in, or None for multiprocessing's default."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if self.num_workers == 0 or self.workers != "process":
                raise ValueError(
                    "[DataLoader] multiprocessing_context needs worker processes. Leave it out, or set num_workers."
                )
            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise ValueError(
                        f"[DataLoader] multiprocessing_context must be one of {methods}. Received {context!r}."
                    )
                context = multiprocessing.get_context(context)
            elif not isinstance(context, multiprocessing.context.BaseContext):
                raise TypeError(
                    "[DataLoader] multiprocessing_context must be a context or the name of a start method. "
                    f"Received {type(context).__name__}."
                )
        self._context = context

    def check_worker_number_rationality(self) -> None:
        """Warns if there are more workers than cores that this process may use."""
        cores = len(os.sched_getaffinity(0))
        if self.num_workers > cores:
            warnings.warn(
                f"[DataLoader] {self.num_workers} workers have {cores} cores between them, and may be slow. "
                f"Use num_workers={cores} or fewer.",
                stacklevel=3,
            )

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)  # type: ignore[arg-type]
        count = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else math.ceil(count / self.batch_size)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Iterable:
        """What one step reads: lists of indices, or single indices where there is no batch."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent: bool, workers: str
) -> None:
    if num_workers < 0:
        raise ValueError(f"[DataLoader] num_workers must not be negative. Received {num_workers}. Use 0.")
    if timeout < 0:
        raise ValueError(f"[DataLoader] timeout must not be negative. Received {timeout}. Use 0 to wait for ever.")
    if workers not in ("process", "thread"):
        raise ValueError(f"[DataLoader] workers must be 'process' or 'thread'. Received {workers!r}.")
    if num_workers > 0:
        if prefetch_factor is not None and prefetch_factor <= 0:
            raise ValueError(f"[DataLoader] prefetch_factor must be positive. Received {prefetch_factor}.")
        return
    for name, given in (
        ("prefetch_factor", prefetch_factor is not None),
        ("persistent_workers", persistent),
    ):
        if given:
            raise ValueError(f"[DataLoader] {name} needs workers. Received num_workers=0. Leave {name} out.")


def _check_order(
    iterable: bool, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if iterable:
        for name, given in (
            ("shuffle", bool(shuffle)),
            ("sampler", sampler is not None),
            ("batch_sampler", batch_sampler is not None),
        ):
            if given:
                raise ValueError(
                    f"[DataLoader] an IterableDataset decides its own order. Received {name}. "
                    f"Leave {name} out and shuffle inside the data set."
                )
    if sampler is not None and shuffle:
        raise ValueError("[DataLoader] sampler and shuffle exclude one another. Received both. Leave one out.")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError(
            "[DataLoader] batch_sampler decides batches and order alone. "
            "Leave out batch_size, shuffle, sampler and drop_last."
        )
    if batch_sampler is None and batch_size is None and drop_last:
        raise ValueError("[DataLoader] batch_size=None makes no batches, so none can be dropped. Leave drop_last out.")
