"""The way into the core's backward engine, and what is attached to one run of it.

The engine runs on the calling thread. A hook may start another backward, so runs form a stack.
"""

from rushlight import _core

__all__ = ["GraphTask", "current_graph_task", "queue_callback", "run_backward"]

# Arguments are checked by the callers in this package. Returns the gradients of `inputs`.
run_backward = _core.run_backward


class GraphTask:
    """One run of the engine, and the callables that wait for its end. Made when it is first asked for.

    `fills_all_leaves`: gradients go into the `.grad` of every leaf, as plain `backward()` does.
    """

    __slots__ = ("__weakref__", "callbacks", "fills_all_leaves")

    def __init__(self, fills_all_leaves):
        self.callbacks = []
        self.fills_all_leaves = fills_all_leaves

    def finish(self):
        """Called by the core when the run is over."""
        for callback in self.callbacks:  # a callback may add another: the loop sees it
            callback()


def current_graph_task():
    """Returns the innermost backward that is running in this thread, or None."""
    return _core.current_graph_task(GraphTask)


def queue_callback(callback):
    """Has `callback()` called when the backward that is running now is over; for use inside hooks.

    Raises:
        RuntimeError: no backward is running.
    """
    task = current_graph_task()
    if task is None:
        raise RuntimeError("[queue_callback] Final callbacks can only be installed during backward pass.")
    task.callbacks.append(callback)
