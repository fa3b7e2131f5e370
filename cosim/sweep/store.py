"""The directory of a sweep: the plan, and one file a finished run, each whole or not there.

    sweep.json          the plan, see cosim.sweep.plan
    reference.csv       what was measured on the animal, copied from where the experiment names it
    rows/<run>.json     what came of a run; nothing in it depends on time, place or order
    timings/<run>.json  how long it took, and where
    runs/<hash>/        its record, by the run's hash, where the sweep keeps records
    *.lock              held by the processes that work on the sweep, or on a part of it

A row carries its run's hash. Where the plan has changed, rows move to the runs that have their hash now; a row whose
hash is not that of its run is of an earlier plan and does not count.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cosim.analyse.reference import reference_of
from cosim.errors import UserError
from cosim.sweep.plan import Plan, Run
from cosim.sweep.table import PLAN, REFERENCE, ROWS
from cosim.sweep.task import Row, Task

TIMINGS = "timings"
RUNS = "runs"
#: rows on their way to other names, and the rows before; both only exist while a changed plan is taken over
_NEXT, _BEFORE = "rows.next", "rows.before"

#: file systems without locks
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class Store:
    """The directory of a sweep at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self, plan: Plan, *, force: bool = False) -> None:
        """Make the directory ready for a plan: what is there goes on, with `force` it is deleted.

        Raises UserError for a directory that holds something else, or another sweep, and for a reference file that
        cannot be read.
        """
        content = plan.as_json()
        reference = reference_of(plan.sweep.base)
        try:
            there = self._there(content["name"], force)
            if there and force:
                self._clear()
            for name in (ROWS, TIMINGS):
                (self.path / name).mkdir(parents=True, exist_ok=True)
                for part in (self.path / name).glob(".*"):  # of a process that was killed while it wrote
                    part.unlink(missing_ok=True)
            if there and not force:
                self._move(plan)
            write(self.path / PLAN, content)
            (self.path / REFERENCE).unlink(missing_ok=True)
            if reference is not None:
                shutil.copyfile(reference, self.path / REFERENCE)
        except OSError as error:
            raise UserError(f"{self.path}: cannot be used for a sweep: {error.strerror or error}") from error

    def agrees(self, plan: Plan) -> bool:
        """Whether the directory has been prepared for exactly this plan."""
        wanted: dict[str, Any] = json.loads(json.dumps(plan.as_json()))
        return read(self.path / PLAN) == wanted

    def _there(self, name: str, force: bool) -> bool:
        """Whether there is a sweep; UserError where there is anything else, or (without `force`) another sweep."""
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path}: is a file, a directory is needed")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return False
        content = read(self.path / PLAN)
        if content is None and not all(one.suffix in (".lock", ".log", ".slurm") for one in self.path.iterdir()):
            raise UserError(f"{self.path}: the directory is not empty and holds no sweep; it is left alone")
        if content is not None and content.get("name") != name and not force:
            other = content.get("name")
            raise UserError(f"{self.path}: holds the sweep {other}; choose another directory, or --force replaces it")
        return content is not None

    def _clear(self) -> None:
        for name in (ROWS, _NEXT, _BEFORE, TIMINGS, RUNS):
            shutil.rmtree(self.path / name, ignore_errors=True)

    def _move(self, plan: Plan) -> None:
        """Give the rows of an earlier plan the names that their runs have now. Interrupted, it is done again."""
        folders = [self.path / name for name in (_BEFORE, _NEXT, ROWS)]
        wanted = {run.name: run.hash for run in plan.runs}
        if not any(folder.exists() for folder in folders[:2]) and all(
            wanted.get(file.stem) == (read(file) or {}).get("hash") for file in folders[2].glob("*.json")
        ):
            return
        found = [row for folder in folders for file in folder.glob("*.json") if (row := read(file)) is not None]
        by_hash = {row.get("hash"): row for row in found}
        shutil.rmtree(self.path / _NEXT, ignore_errors=True)
        (self.path / _NEXT).mkdir()
        for run in plan.runs:
            if run.hash in by_hash:
                write(self.path / _NEXT / f"{run.name}.json", {**by_hash[run.hash], **identity(plan, run)})
        if (self.path / ROWS).exists():
            shutil.rmtree(self.path / _BEFORE, ignore_errors=True)
            os.rename(self.path / ROWS, self.path / _BEFORE)
        os.rename(self.path / _NEXT, self.path / ROWS)
        shutil.rmtree(self.path / _BEFORE)
        # timings are named as the runs were
        shutil.rmtree(self.path / TIMINGS)
        (self.path / TIMINGS).mkdir()

    def row(self, run: Run) -> Row | None:
        """The row of a run, None where it has none that counts."""
        found = read(self.path / ROWS / f"{run.name}.json")
        return found if found is not None and found.get("hash") == run.hash else None

    def hashes(self, *, again: bool) -> set[str]:
        """The hashes of all runs that have a row, without failed ones if they are to be run `again`."""
        rows = (read(file) for file in (self.path / ROWS).glob("*.json"))
        return {row["hash"] for row in rows if row is not None and not (again and row["status"] != "complete")}

    def finished(self, plan: Plan, *, again: bool) -> set[str]:
        """The runs that have a row with all metrics that are asked for; failed ones count unless they are to be run
        `again`."""
        wanted = plan.sweep.spec.measure
        names = {file.stem for file in (self.path / ROWS).glob("*.json")}
        return {
            run.name
            for run in plan.runs
            if run.name in names and (row := self.row(run)) is not None and _counts(row, wanted, again)
        }

    @contextlib.contextmanager
    def locked(self, name: str, part: str = "", *, force: bool = False) -> Iterator[None]:
        """Keep others from working on the sweep of that name, or on the same part of it.

        Raises UserError where somebody does, and where the directory is not for this sweep.
        """
        self._there(name, force)
        with contextlib.ExitStack() as held:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                for file in ("sweep.lock", f"part.{part}.lock") if part else ("sweep.lock",):
                    lock = held.enter_context(open(self.path / file, "w", encoding="ascii"))
                    shared = part and file == "sweep.lock"
                    fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(f"{self.path}: another process works on this sweep") from None
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise UserError(f"{self.path}: cannot be used for a sweep: {error.strerror or error}") from error
            yield

    def give_up(self, task: Task, reason: str) -> None:
        """Write the row of a run that could not be done. Raises OSError."""
        row = {**task.identity, "status": "failed", "reason": reason, "metrics": {}, "hashes": {}}
        write(self.path / ROWS / f"{row['run']}.json", row | {"attempts": task.attempt})


def _counts(row: Row, wanted: list[str], again: bool) -> bool:
    if row.get("status") != "complete":
        return not again
    there = {name.partition("[")[0] for name in row.get("metrics") or {}}
    return there.issuperset(wanted)


def identity(plan: Plan, run: Run) -> Row:
    """What a row says of its run."""
    axes = plan.sweep.axes
    return {
        "run": run.name,
        "hash": run.hash,
        "axes": {axes[number].path: axes[number].texts[index] for number, index in run.point.items()},
        "arm": run.arm,
        "seed": run.seed,
    }


def write(file: Path, content: Mapping[str, Any], *, durable: bool = True) -> None:
    """Write JSON: a reader sees the whole file or none; where it is `durable`, after a power failure too. Several may
    write the same file.

    Raises OSError, e.g. of a full disk, and leaves nothing then.
    """
    data = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=None).encode()
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with open(handle, "wb") as part:
            part.write(data)
            if durable:
                part.flush()
                os.fsync(part.fileno())
        os.replace(name, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def read(file: Path) -> dict[str, Any] | None:
    """A JSON object, None where there is none that is whole."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
