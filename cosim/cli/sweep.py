"""Run a sweep: many runs of one experiment, with processes of this machine or with the ranks of mpirun.

The same command goes on where it was stopped: runs that have a row are not run again. `cosim sweep report DIR` writes
tables, statistics and pictures of what there is.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosim.cli.output import add_json, add_set, engines_quiet, print_json, shown, table
from cosim.errors import SimulationError, UserError
from cosim.mpi.world import rank_by_launcher, world

if TYPE_CHECKING:
    from cosim.sweep.run import Options, Outcome

HELP = "run an experiment many times: values, lesions and seeds varied"


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got '{text}'")
    return int(text)


def _retries(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number, got '{text}'")
    return int(text)


def _part(text: str) -> tuple[int, int]:
    i, _, n = text.partition("/")
    if not (i.isdecimal() and n.isdecimal() and 1 <= int(i) <= int(n)):
        raise argparse.ArgumentTypeError(f"expected a part such as 3/16, got '{text}'")
    return int(i), int(n)


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("name", metavar="NAME", help="the name of a sweep, or its file; or `report`")
    verb.add_argument("directory", metavar="DIR", nargs="?", type=Path, help="of `report`: the directory of a sweep")
    add_set(verb)
    verb.add_argument("--out", type=Path, metavar="DIR", help="where the result goes (default: results/NAME)")
    verb.add_argument("--dry-run", action="store_true", help="tell how many runs it is, and how long it will take")
    verb.add_argument("--workers", type=_positive, metavar="N", help="processes (default: one a core)")
    verb.add_argument("--ranks-per-run", type=_positive, metavar="K", help="under mpirun: ranks that share a run")
    verb.add_argument("--retries", type=_retries, default=3, metavar="N", help="of a run whose worker died (3)")
    verb.add_argument("--failed", action="store_true", help="run again what has failed")
    verb.add_argument("--force", action="store_true", help="delete what is there, and start anew")
    verb.add_argument("--yes", action="store_true", help="run more than a million runs")
    verb.add_argument(
        "--slurm", choices=("array", "mpi"), nargs="?", const="mpi",
        help="write a batch script (one MPI job, or an array of jobs) and submit nothing",
    )  # fmt: skip
    verb.add_argument(
        "--part", type=_part, metavar="I/N", help="only the Ith of N parts of the runs, as a job of an array"
    )
    verb.add_argument(
        "--backend", choices=("auto", "compiled", "runtime", "numpy"), default="auto", help="as of `cosim run`"
    )
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Run it, or what else is asked for."""
    alone = given.name == "report" or given.dry_run or given.slurm
    if alone and rank_by_launcher() > 0:
        return 0
    if given.name == "report":
        return _report(given)
    if given.directory is not None:
        raise UserError(f"one sweep at a time: what is '{given.directory}'?")
    from cosim.sweep.local import THREADS

    for name, value in THREADS.items():
        os.environ.setdefault(name, value)
    if given.dry_run or given.slurm:
        return _told(given)
    with engines_quiet():
        outcome = _run(given)
    if outcome is None:
        return 0
    if given.json:
        print_json(_plain(outcome))
    else:
        print("\n".join(_lines(outcome)))
    if outcome.done and outcome.failed == outcome.runs:
        raise SimulationError(f"every run failed; the reasons stand in {shown(outcome.path / 'rows')}")
    return 0


def _report(given: argparse.Namespace) -> int:
    from cosim.cli import sweep_report

    if given.directory is None:
        raise UserError("cosim sweep report: of which directory?")
    return sweep_report.execute(given.directory, json=given.json)


def _options(given: argparse.Namespace) -> Options:
    from cosim.sweep.run import Options

    return Options(
        given.out, given.backend, given.workers, given.ranks_per_run, given.force, given.failed, given.yes,
        given.retries, given.part,
    )  # fmt: skip


def _run(given: argparse.Namespace) -> Outcome | None:
    from cosim.spec import overrides

    changes = overrides.from_arguments(given.set)
    options = _options(given)
    shared = world()
    if shared is None:
        from cosim.sweep.run import locally

        if options.ranks_per_run is not None and options.ranks_per_run > 1:
            raise UserError(f"--ranks-per-run {options.ranks_per_run}: start it with mpirun")
        return locally(given.name, changes, options)
    from cosim.mpi.ending import listen
    from cosim.sweep.ranks import ranked

    if options.workers is not None:
        raise UserError("--workers: under mpirun every rank is a worker")
    listen(shared)
    found = ranked(shared, given.name, changes, options)
    shared.alarm.done()
    return found


def _told(given: argparse.Namespace) -> int:
    from cosim.spec import overrides

    changes = overrides.from_arguments(given.set)
    with engines_quiet():
        if given.slurm:
            from cosim.sweep.slurm import script

            found: dict[str, Any] = {"script": script(given.name, changes, _options(given), given.slurm)}
        else:
            from cosim.sweep.estimate import estimate

            found = estimate(given.name, changes, _options(given))
    lines = found.pop("lines", None)
    if given.json:
        print_json(found)
    else:
        print("\n".join(lines) if lines is not None else shown(found["script"]))
    return 0


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "result": str(outcome.path),
        "runs": outcome.runs,
        "there": outcome.there,
        "done": outcome.done,
        "failed": outcome.failed,
        "seconds": outcome.seconds,
    }


def _lines(outcome: Outcome) -> list[str]:
    rows = [("runs", str(outcome.runs))]
    if outcome.there:
        rows.append(("there already", str(outcome.there)))
    rows.append(("run now", f"{outcome.done} in {outcome.seconds:.1f} s"))
    if outcome.failed:
        rows.append(("failed", f"{outcome.failed} (the reason is in the row; --failed runs them again)"))
    return [
        *table(rows, indent=""),
        f"result: {shown(outcome.path)}",
        f"        cosim sweep report {shown(outcome.path)}",
    ]
