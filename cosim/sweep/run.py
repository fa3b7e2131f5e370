"""A sweep from its document to its rows."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from cosim.errors import UserError
from cosim.sweep.check import Groups, check
from cosim.sweep.load import MOST, load_sweep
from cosim.sweep.local import pool
from cosim.sweep.master import Count, Master
from cosim.sweep.plan import Changes, Plan, Run, plan
from cosim.sweep.progress import Progress
from cosim.sweep.store import Store, identity
from cosim.sweep.task import Job, Task

RESULTS = Path("results")


@dataclass(frozen=True)
class Options:
    """How a sweep is run. `part` (i, n): only the ith of n parts of its runs, from 1."""

    out: Path | None = None
    backend: str = "auto"
    workers: int | None = None
    ranks_per_run: int | None = None
    force: bool = False
    failed: bool = False
    unlimited: bool = False
    retries: int = 3
    part: tuple[int, int] | None = None


@dataclass(frozen=True)
class Prepared:
    """A sweep that can start: what is left of it as tasks with their groups; `there` rows were found."""

    plan: Plan
    store: Store
    job: Job
    tasks: list[tuple[Hashable, Task]]
    there: int
    options: Options


@dataclass(frozen=True)
class Outcome:
    """What came of it: runs in all, those done now (and how many of them failed), and the seconds that took."""

    path: Path
    runs: int
    there: int
    done: int
    failed: int
    seconds: float


def planned(name: str | Path, given: Mapping[str, Any], options: Options) -> tuple[Plan, Groups, Store]:
    """Load and check. Raises UserError with every problem; nothing has been written then."""
    sweep = load_sweep(name, given, most=None if options.unlimited else MOST)
    groups = check(sweep)
    return plan(sweep), groups, Store(options.out or RESULTS / sweep.spec.name)


def prepared(found: Plan, groups: Groups, store: Store, options: Options) -> Prepared:
    """Make the directory ready, and find out what is left to do. The store must be locked. Raises UserError."""
    if options.part is None:
        store.prepare(found, force=options.force)
    elif not store.agrees(found):
        raise UserError(f"{store.path}: was not prepared for this plan: cosim sweep ... --slurm array does that")
    done = store.finished(found, again=options.failed)
    mine = part(found, groups, options.part)
    changes = Changes(found.sweep)
    tasks: list[tuple[Hashable, Task]] = [
        (groups.of(run.point, run.arm, run.seed), Task(identity(found, run), changes.of(run)))
        for run in mine
        if run.name not in done
    ]
    sweep = found.sweep
    job = Job(
        str(sweep.experiment), str(store.path.resolve()), options.backend, list(sweep.spec.measure),
        sweep.spec.keep == "runs", groups.texts,
    )  # fmt: skip
    return Prepared(found, store, job, tasks, len(mine) - len(tasks), options)


def part(found: Plan, groups: Groups, wanted: tuple[int, int] | None) -> list[Run]:
    """The runs of a part: groups that are constructed alike stay together as far as parts can be of equal size."""
    if wanted is None:
        return list(found.runs)
    order: dict[Hashable, list[Run]] = {}
    for run in found.runs:
        order.setdefault(groups.of(run.point, run.arm, run.seed), []).append(run)
    runs = [run for group in order.values() for run in group]
    i, n = wanted
    return runs[len(runs) * (i - 1) // n : len(runs) * i // n]


def locally(name: str | Path, given: Mapping[str, Any], options: Options) -> Outcome:
    """Run a sweep with processes of this machine. Raises UserError, and CosimError where it cannot go on."""
    found, groups, store = planned(name, given, options)
    with locked(found, store, options):
        return _local(prepared(found, groups, store, options))


def locked(found: Plan, store: Store, options: Options) -> AbstractContextManager[None]:
    """Keep others from working on it meanwhile."""
    name = "of".join(map(str, options.part)) if options.part is not None else ""
    return store.locked(found.sweep.spec.name, name, force=options.force)


def _local(ready: Prepared) -> Outcome:
    cores = len(os.sched_getaffinity(0))
    count = min(ready.options.workers or cores, len(ready.tasks))
    begin = time.perf_counter()
    done = Count()
    if count:
        with terminated(), Progress(len(ready.tasks)) as progress, pool() as workers:
            master = mastered(ready, progress, workers.start)
            try:
                done = master.run([workers.start() for _ in range(count)])
            except KeyboardInterrupt:
                raise KeyboardInterrupt(stopped(ready, master.count)) from None
    return outcome(ready, done, time.perf_counter() - begin)


def mastered(ready: Prepared, progress: Progress, another: Callable[[], Any] | None) -> Master:
    """The master of what is left."""
    return Master(
        ready.job, ready.tasks, retries=ready.options.retries, give_up=ready.store.give_up, another=another,
        progress=progress.update, say=progress.say,
    )  # fmt: skip


def outcome(ready: Prepared, done: Count, seconds: float) -> Outcome:
    """What came of it."""
    return Outcome(ready.store.path, len(ready.plan.runs), ready.there, done.done, done.failed, seconds)


def stopped(ready: Prepared, count: Count) -> str:
    """What a user is told who stops a sweep."""
    done = ready.there + count.done
    return f"stopped; {done} of {ready.there + len(ready.tasks)} runs are done, and the same command goes on"


@contextmanager
def terminated() -> Iterator[None]:
    """The end of the wall time (SIGTERM) is like Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
