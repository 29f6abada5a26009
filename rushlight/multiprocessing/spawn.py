"""A function in several processes, whose failures are told to the one that started them."""

import multiprocessing
import multiprocessing.connection
import signal
import time
import traceback


class ProcessException(Exception):
    """A process ended badly."""

    def __init__(self, msg, error_index, pid):
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """A process raised: the message holds its traceback."""


class ProcessExitedException(ProcessException):
    """A process ended by itself or by a signal."""

    def __init__(self, msg, error_index, error_pid, exit_code, signal_name=None):
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)


def _run(function, index, args, failure):
    try:
        function(index, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        failure.send(traceback.format_exc())
        raise SystemExit(1) from None
    finally:
        failure.close()


class ProcessContext:
    """Started processes, to be joined."""

    def __init__(self, processes, failures):
        self.processes, self._failures = processes, failures
        self._running = dict(enumerate(processes))

    def pids(self):
        """The processes' numbers."""
        return [process.pid for process in self.processes]

    def join(self, timeout=None, grace_period=None):
        """Waits for the processes; True when all have ended well, False when the time is up first.

        Raises ProcessRaisedException or ProcessExitedException for the first that ends badly; the others are ended.
        """
        if not self._running:
            return True
        ready = multiprocessing.connection.wait([p.sentinel for p in self._running.values()], timeout)
        ended = [k for k, p in self._running.items() if p.sentinel in ready]
        for k in ended:
            self._running.pop(k).join()
        bad = next((k for k in ended if self.processes[k].exitcode != 0), None)
        if bad is None:
            return not self._running
        self._end_others(grace_period)
        raise self._error(bad)

    def _end_others(self, grace_period):
        deadline = time.monotonic() + (grace_period or 0)
        for process in self._running.values():
            process.join(max(0.0, deadline - time.monotonic()) if grace_period else 0)
            if process.is_alive():
                process.terminate()
        for process in self._running.values():
            process.join()
        self._running.clear()

    def _error(self, k):
        process = self.processes[k]
        if self._failures[k].poll():
            text = f"\n\n-- Process {k} terminated with the following error:\n{self._failures[k].recv()}"
            return ProcessRaisedException(text, k, process.pid)
        code = process.exitcode
        if code < 0:
            name = signal.Signals(-code).name
            return ProcessExitedException(f"process {k} terminated with signal {name}", k, process.pid, code, name)
        return ProcessExitedException(f"process {k} terminated with exit code {code}", k, process.pid, code)


SpawnContext = ProcessContext


def start_processes(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Runs fn(k, *args) in processes k = 0 ... nprocs - 1; waits for them, or returns their ProcessContext."""
    context = multiprocessing.get_context(start_method)
    processes, failures = [], []
    for k in range(nprocs):
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(fn, k, args, send), daemon=daemon)
        process.start()
        send.close()
        processes.append(process)
        failures.append(receive)
    started = ProcessContext(processes, failures)
    if not join:
        return started
    while not started.join():
        pass
    return None


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Runs fn(k, *args) in nprocs fresh processes: see start_processes."""
    return start_processes(fn, args, nprocs, join, daemon, start_method)
