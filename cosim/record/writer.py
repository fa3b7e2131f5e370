"""A thread that writes while the run goes on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Job = Callable[[], None]


class Writer:
    """Does jobs one after the other, in the order in which they were submitted, in a thread of its own.

    The first error ends it: later jobs are dropped, so that nothing is ever written that builds on what was not, and
    ``submit`` and ``wait`` raise it from then on.
    """

    def __init__(self) -> None:
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def submit(self, job: Job) -> None:
        """Do `job` soon. Raises the error of an earlier one."""
        self._raise()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(self._jobs,), name="cosim-record", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def wait(self) -> None:
        """Return when all jobs are done. Raises the error of one of them."""
        self._jobs.join()
        self._raise()

    def close(self) -> None:
        """Wait, and end the thread; another ``submit`` starts a new one."""
        try:
            self.wait()
        finally:
            if self._thread is not None:
                self._jobs.put(None)
                self._thread.join()
                self._thread = None

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self, jobs: queue.Queue[Job | None]) -> None:
        while True:
            job = jobs.get()
            try:
                if job is None:
                    return
                if self._error is None:
                    job()
            except BaseException as error:
                self._error = error
            finally:
                jobs.task_done()
