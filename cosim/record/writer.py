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
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._done = 0
        self._progress = threading.Condition()
        #: how many jobs were submitted
        self.submitted = 0
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def submit(self, job: Job) -> None:
        """Do `job` soon. Raises the error of an earlier one."""
        self._raise()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(self._jobs,), name="cosim-record", daemon=True)
            self._thread.start()
        self.submitted += 1
        self._jobs.put(job)

    def wait(self, until: int | None = None) -> None:
        """Return when all jobs are done, or the first `until` of them. Raises the error of one of them."""
        wanted = self.submitted if until is None else until
        with self._progress:
            self._progress.wait_for(lambda: self._done >= wanted)
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

    def _run(self, jobs: queue.SimpleQueue[Job | None]) -> None:
        while (job := jobs.get()) is not None:
            try:
                if self._error is None:
                    job()
            except BaseException as error:
                self._error = error
            with self._progress:
                self._done += 1
                self._progress.notify_all()
