"""Events and statistics of a running program, for handlers that store them.

>>> import datetime
>>> seen = []
>>> handle = torch.monitor.register_event_handler(seen.append)
>>> torch.monitor.log_event(torch.monitor.Event("started", datetime.datetime(2024, 1, 1), {"epoch": 3}))
>>> torch.monitor.unregister_event_handler(handle)
>>> seen[0].name, seen[0].data
('started', {'epoch': 3})
"""

import dataclasses
import datetime
import enum
import threading

__all__ = [
    "Aggregation", "Event", "EventHandlerHandle", "Stat", "TensorboardEventHandler", "data_value_t", "log_event",
    "register_event_handler", "unregister_event_handler",
]  # fmt: skip

data_value_t = int | float | bool | str


@dataclasses.dataclass
class Event:
    """Something that happened: a name, when, and numbers or text about it."""

    name: str
    timestamp: datetime.datetime
    data: dict


class Aggregation(enum.Enum):
    """What a Stat tells of the values of a window."""

    VALUE = 0
    MEAN = 1
    COUNT = 2
    SUM = 3
    MAX = 4
    MIN = 5


VALUE, MEAN, COUNT, SUM, MAX, MIN = Aggregation
_AGGREGATE = {
    VALUE: lambda values: values[-1],
    MEAN: lambda values: sum(values) / len(values),
    COUNT: len,
    SUM: sum,
    MAX: max,
    MIN: min,
}


class EventHandlerHandle:
    """What register_event_handler gives, to unregister by."""

    def __init__(self, callback):
        self.callback = callback


_handlers = []


def register_event_handler(callback):
    """Calls callback(event) for every event from now on."""
    handle = EventHandlerHandle(callback)
    _handlers.append(handle)
    return handle


def unregister_event_handler(handler):
    """Ends what register_event_handler began. Raises ValueError when it has ended already."""
    _handlers.remove(handler)


def log_event(event):
    """Tells all handlers of an event."""
    for handle in list(_handlers):
        handle.callback(event)


class Stat:
    """Statistics of values over windows of time; a full window becomes an event, told when the next value comes.

    Args:
        aggregations: what is told, as {"name.mean": ...}.
        window_size: a datetime.timedelta.
        max_samples: further values of a window are left out.

    >>> import datetime
    >>> stat = torch.monitor.Stat("loss", [torch.monitor.Aggregation.MEAN], datetime.timedelta(seconds=60))
    >>> stat.add(1.0), stat.add(3.0), stat.get()
    (None, None, {<Aggregation.MEAN: 1>: 2.0})
    """

    def __init__(self, name, aggregations, window_size, max_samples=2**63 - 1):
        if window_size <= datetime.timedelta(0):
            raise ValueError(f"[Stat] window_size must be positive. Received {window_size}.")
        self.name, self._aggregations, self._window = name, list(aggregations), window_size
        self._max_samples, self._values, self._lock = max_samples, [], threading.Lock()
        self._begin = datetime.datetime.now()

    def add(self, v):
        """Adds a value to the present window."""
        with self._lock:
            now = datetime.datetime.now()
            full = now - self._begin >= self._window
            if full:
                told, self._values, self._begin = self.get(), [], now
            if len(self._values) < self._max_samples:
                self._values.append(v)
        if full and told:
            data = {f"{self.name}.{kind.name.lower()}": value for kind, value in told.items()}
            log_event(Event("torch.monitor.Stat", now, data))

    @property
    def count(self):
        """The number of values in the present window."""
        return len(self._values)

    def get(self):
        """The statistics of the present window: {Aggregation: value}; empty without values."""
        return {kind: _AGGREGATE[kind](self._values) for kind in self._aggregations} if self._values else {}


class TensorboardEventHandler:
    """Writes the numbers of events to a torch.utils.tensorboard.SummaryWriter."""

    def __init__(self, writer):
        self._writer = writer

    def __call__(self, event):
        for name, value in event.data.items():
            self._writer.add_scalar(name, value, walltime=event.timestamp.timestamp())
