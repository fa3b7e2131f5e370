"""Workers as ranks of MPI: one a rank, or one a group of ranks that share a run.

MPI only tells the ranks where rank 0 listens; who does what goes over lines (cosim.sweep.messages), because a rank that
waits in MPI burns its core, and because the master is then the same as on one machine. Rank 0 is a worker like the
others; its master is a thread that sleeps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cosim.errors import UserError
from cosim.mpi.world import World, use
from cosim.sweep.master import Count, Master
from cosim.sweep.messages import Line, Message, Server, call, pair
from cosim.sweep.plan import Plan
from cosim.sweep.progress import Progress
from cosim.sweep.run import Options, Outcome, Prepared, locked, mastered, outcome, planned, prepared, stopped
from cosim.sweep.worker import Receive, serve

#: s between looks whether all are done
_NAP = 0.05


class RankWorker:
    """A worker on a rank, or the first of a group."""

    killed = True

    def __init__(self, line: Line) -> None:
        self.line = line

    def ended(self) -> str:
        """Where one rank ends, all do: this is only seen for a moment."""
        return "a rank was lost"


class _Thread:
    """The master in a thread; what it raises is raised again by `join`."""

    def __init__(self, master: Master, workers: list[RankWorker]) -> None:
        self._master, self._workers = master, workers
        self._error: BaseException | None = None
        self.count = Count()
        self._thread = threading.Thread(target=self._run, name="cosim-sweep-master", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.count = self._master.run(self._workers)
        except BaseException as error:
            self._error = error

    def join(self) -> Count:
        """Wait for its end."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self.count


def ranked(shared: World, name: str | Path, given: Mapping[str, Any], options: Options) -> Outcome | None:
    """Run a sweep with all ranks, which call this together; the outcome on rank 0.

    Raises UserError on all ranks where the sweep cannot be run.
    """
    with ExitStack() as held:
        ready: list[Prepared] = []

        def find() -> int:
            found, groups, store = planned(name, given, options)
            size = _size(found, options, shared.size)
            held.enter_context(locked(found, store, options))
            ready.append(prepared(found, groups, store, options))
            return size

        size = shared.from_root(find, lambda found: found)
        begin = time.perf_counter()
        group = _Group(shared, size)
        server = Server() if shared.root else None
        address = shared.comm.bcast(server.address if server is not None else None, root=0)
        done = None
        if server is not None:
            done = _root(shared, ready[0], server, group)
        elif group.member:
            group.serve(call(address) if group.leads else None)
        _together(shared)
        return outcome(ready[0], done, time.perf_counter() - begin) if done is not None else None


def _size(found: Plan, options: Options, ranks: int) -> int:
    """Ranks per run. Raises UserError for what ranks cannot do together."""
    spec = found.sweep.spec
    size = options.ranks_per_run or spec.ranks_per_run
    if size > ranks:
        raise UserError(f"{size} ranks per run are wanted, and {ranks} were started")
    if size > 1 and spec.keep == "runs":
        raise UserError("keep: runs goes with one rank per run")
    return size


def _root(shared: World, ready: Prepared, server: Server, group: _Group) -> Count:
    lines = server.accept(group.count - 1)
    own, there = pair()
    with Progress(len(ready.tasks)) as progress:
        master = mastered(ready, progress, None)
        thread = _Thread(master, [RankWorker(line) for line in (own, *lines)])
        shared.alarm.emergency = lambda failure: progress.say(stopped(ready, master.count))
        try:
            group.serve(Line(there))
            return thread.join()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(stopped(ready, master.count)) from None


class _Group:
    """Ranks that share runs: `size` neighbours; what is left over helps nobody."""

    def __init__(self, shared: World, size: int) -> None:
        from mpi4py import MPI

        self.count = shared.size // size
        number = shared.rank // size
        #: whether this rank is of a group, and whether it is its first
        self.member = number < self.count
        comm = shared.comm.Split(number if self.member else MPI.UNDEFINED, shared.rank)
        self.leads = self.member and comm.Get_rank() == 0
        self._comm = comm
        self._world = World(comm) if self.member and size > 1 else None
        if self._world is not None:
            self._world.collective = True

    def serve(self, line: Line | None) -> None:
        """Be a worker, or help one."""
        with use(self._world):
            whole = serve(line, self._receive(line), grouped=self._world is not None)
        if self._world is not None:
            if not whole:
                self._comm.bcast(None, root=0)
            self._world.alarm.done()

    def _receive(self, line: Line | None) -> Receive:
        if self._world is None:
            assert line is not None
            return line.receive
        comm: Any = self._comm

        def receive() -> Message | None:
            found: Message | None = comm.bcast(line.receive() if line is not None else None, root=0)
            return found

        return receive


def _together(shared: World) -> None:
    """Wait for all ranks without burning a core."""
    request = shared.comm.Ibarrier()
    while not request.Test():
        time.sleep(_NAP)
