"""Values that are still to come.

>>> future = torch.fork(lambda a, b: a + b, 2, 3)
>>> torch.wait(future)
5
"""

import concurrent.futures
import threading

__all__ = ["Future", "collect_all", "wait_all"]


class Future:
    """A value that some thread will set, once.

    >>> future = torch.futures.Future()
    >>> doubled = future.then(lambda f: f.value() * 2)
    >>> future.set_result(21)
    >>> doubled.wait()
    42
    """

    def __init__(self, *, devices=None):
        self._inner = concurrent.futures.Future()

    def done(self):
        """Whether the value, or an exception, is set."""
        return self._inner.done()

    def wait(self):
        """The value, as soon as there is one. Raises the exception that was set in its place."""
        return self._inner.result()

    def value(self):
        """The value. Raises RuntimeError before there is one."""
        if not self.done():
            raise RuntimeError("[Future] value() must be asked after the future is done. Use wait().")
        return self._inner.result()

    def set_result(self, result):
        """Sets the value. Raises RuntimeError when one is set."""
        try:
            self._inner.set_result(result)
        except concurrent.futures.InvalidStateError:
            raise RuntimeError("[Future] a future must be completed once. Received a second result.") from None

    def set_exception(self, result):
        """Sets an exception in the value's place. Raises AssertionError for what is none."""
        if not isinstance(result, Exception):
            raise AssertionError(f"[Future] {result!r} is of type {type(result).__name__}, not an Exception.")
        self._inner.set_exception(result)

    def add_done_callback(self, callback):
        """Calls callback(self) when the value is set, at once if it is."""
        self._inner.add_done_callback(lambda _: callback(self))

    def then(self, callback):
        """A future of callback(self), which is called when this one is done."""
        following = Future()

        def run(_):
            _complete(following, callback, self)

        self._inner.add_done_callback(run)
        return following


def _complete(future, function, *args, **kwargs):
    """Sets the future to what the call gives or raises."""
    try:
        future.set_result(function(*args, **kwargs))
    except Exception as error:
        future.set_exception(error)


def collect_all(futures):
    """A future of the list of futures, done when all of them are."""
    futures, all_done, lock = list(futures), Future(), threading.Lock()
    waiting = len(futures)
    if not waiting:
        all_done.set_result(futures)

    def one_done(_):
        nonlocal waiting
        with lock:
            waiting -= 1
            last = not waiting
        if last:
            all_done.set_result(futures)

    for future in futures:
        future.add_done_callback(one_done)
    return all_done


def wait_all(futures):
    """The values of all futures, as a list."""
    return [future.wait() for future in collect_all(futures).wait()]


def fork(func, *args, **kwargs):
    """A future of func(*args, **kwargs), which runs on a thread of its own."""
    future = Future()
    threading.Thread(target=_complete, args=(future, func, *args), kwargs=kwargs, daemon=True).start()
    return future


def wait(future):
    """The value of a future: see Future.wait."""
    return future.wait()
