"""The master of a sweep: deals runs to workers, notices workers that die, and keeps count."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cosim.errors import CosimError
from cosim.sweep.messages import Line, Message
from cosim.sweep.queue import Queue
from cosim.sweep.task import Job, Task

#: s between looks at the clock
_BEAT = 0.5


class Worker(Protocol):
    """A worker as the master sees it."""

    line: Line
    #: whether a signal ended it
    killed: bool

    def ended(self) -> str:
        """Why it ended, once its line has."""
        ...


@dataclass
class _State:
    """What a worker is doing: a task with its group and number of attempts, or nothing."""

    worker: Worker
    ready: bool = False
    task: Task | None = None
    group: Hashable = None


@dataclass
class Count:
    """Runs that are done, and those of them that failed."""

    done: int = 0
    failed: int = 0


class Master:
    """Deals out `tasks` with their groups until all have rows.

    ``retries`` is how often a run is tried again that lost its worker or met with trouble; then `give_up` writes its
    row. ``another`` makes a new worker in place of one that died, where that is possible. `progress` is called whenever
    something has happened, and now and then, `say` with what workers say.
    """

    def __init__(
        self, job: Job, tasks: Iterable[tuple[Hashable, Task]], *, retries: int, give_up: Callable[[Task, str], None],
        another: Callable[[], Worker] | None, progress: Callable[[Count], None], say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._job, self._retries, self._give_up, self._another = job, retries, give_up, another
        self._progress, self._say = progress, say
        self._queue = Queue(tasks)
        self._selector = selectors.DefaultSelector()
        self._states: dict[int, _State] = {}
        self._unborn = 0
        self.count = Count()

    def run(self, workers: Sequence[Worker]) -> Count:
        """Until nothing is left. Raises CosimError where the sweep cannot go on."""
        for worker in workers:
            self._employ(worker)
        try:
            while self._states:
                for key, _ in self._selector.select(_BEAT):
                    if key.fd in self._states:  # or it has just been let go
                        self._hear(self._states[key.fd])
                self._progress(self.count)
        finally:
            for state in list(self._states.values()):
                self._drop(state)
            self._selector.close()
        if len(self._queue):
            raise CosimError("all workers were lost")
        return self.count

    def _employ(self, worker: Worker) -> None:
        self._states[worker.line.fileno()] = _State(worker)
        self._selector.register(worker.line.fileno(), selectors.EVENT_READ)
        worker.line.send({"job": self._job.as_json()})

    def _hear(self, state: _State) -> None:
        messages, there = state.worker.line.pending()
        for message in messages:
            self._answer(state, message)
        if not there:
            self._lost(state)
        self._deal()

    def _answer(self, state: _State, message: Message) -> None:
        if "say" in message:
            self._say(message["say"])
        elif "stop" in message:
            raise CosimError(message["stop"])
        elif "ready" in message:
            state.ready = True
        elif "done" in message:
            state.task = None
            self._finished(failed=message["status"] != "complete")
        elif "trouble" in message:
            self._again(state, message["reason"])

    def _finished(self, *, failed: bool) -> None:
        self.count.done += 1
        self.count.failed += failed

    def _deal(self) -> None:
        """Give everybody who waits something to do; when all is done, let all go."""
        for number, state in self._states.items():
            if state.ready and state.task is None and (found := self._queue.take(number)) is not None:
                state.group, state.task = found
                state.worker.line.send({"task": state.task.as_json()})
        # as long as somebody is at work, a run may come back
        if not len(self._queue) and all(state.task is None for state in self._states.values()):
            for state in list(self._states.values()):
                state.worker.line.send({"end": True})
                self._drop(state)

    def _drop(self, state: _State) -> None:
        number = state.worker.line.fileno()
        self._selector.unregister(number)
        del self._states[number]
        state.worker.line.close()

    def _again(self, state: _State, reason: str) -> None:
        """The worker's run is tried again, or given up."""
        task, state.task = state.task, None
        if task is None:
            return
        if task.attempt <= self._retries:
            self._queue.give_back(state.group, Task(task.identity, task.changes, task.attempt + 1))
            return
        attempts = "1 attempt" if task.attempt == 1 else f"{task.attempt} attempts"
        self._give_up(task, f"{reason} ({attempts})")
        self._finished(failed=True)

    def _lost(self, state: _State) -> None:
        reason = state.worker.ended()
        self._drop(state)
        if not state.ready:
            self._unborn += 1
            if self._unborn > self._retries or not state.worker.killed:
                raise CosimError(f"a worker could not start: {reason}")
        self._again(state, reason)
        if self._another is not None and len(self._queue):
            self._employ(self._another())
