"""Replay measured kinematics on a body: joint torques, contact forces and power, checked by inverse dynamics and
compared with measurement."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosim.cli.output import add_json, add_set, engines_quiet, print_json, shown, table
from cosim.errors import UserError

if TYPE_CHECKING:
    from cosim.replay.fit import Fitted
    from cosim.replay.study import Study

HELP = "infer torques and forces from measured kinematics"
_SHOWN = 8


def _jobs(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a number of processes, got '{text}'")
    return int(text)


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("name", metavar="NAME", help="the name of an experiment that replays kinematics, or its file")
    add_set(verb)
    verb.add_argument("--out", type=Path, metavar="DIR", help="where the result goes (default: results/NAME)")
    verb.add_argument("--force", action="store_true", help="replace an earlier result")
    verb.add_argument(
        "--fit", action="store_true", help="try what `replay.fit` varies, and say what fits the contacts best"
    )
    verb.add_argument("--no-check", action="store_true", help="no check by inverse dynamics")
    verb.add_argument("--no-bands", action="store_true", help="no variants of what is not known")
    verb.add_argument("--jobs", type=_jobs, metavar="N", help="runs at a time (default: as many as there are cores)")
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Run it."""
    import cosim
    from cosim.spec import overrides

    changes = overrides.from_arguments(given.set)
    say = partial(print, file=sys.stderr, flush=True)
    jobs = given.jobs or len(os.sched_getaffinity(0))
    with engines_quiet():
        experiment = cosim.load(given.name, changes)
        if given.fit:
            found = _fit(experiment, jobs)
        else:
            from cosim.replay import page
            from cosim.replay.study import study

            out = given.out if given.out is not None else Path("results") / experiment.spec.name
            one = study(
                experiment, out, force=given.force, checked=not given.no_check, varied=not given.no_bands, jobs=jobs,
                say=say,
            )  # fmt: skip
            written = page.write(one)
    if given.fit:
        _tell_fit(found, given.json)
    elif given.json:
        from cosim.replay.study import summary

        print_json({**summary(one), "page": str(written)})
    else:
        print("\n".join(_lines(one, written)))
    return 0


def _fit(experiment: Any, jobs: int) -> list[Fitted]:
    from cosim.replay.fit import fit
    from cosim.replay.study import check

    check(experiment)
    spec = experiment.spec
    options = spec.measure.replay
    if spec.replay is None or spec.replay.fit is None or options is None or options.contacts is None:
        raise UserError(f"{spec.name}: --fit needs `replay.fit` and a record of contacts, `measure.replay.contacts`")
    document = experiment.loaded.paths["experiment"]
    return fit(document, experiment.overrides, spec.replay.fit, options.contacts, options.shifts, jobs)


def _tell_fit(found: list[Fitted], as_json: bool) -> None:
    if as_json:
        print_json({"best": _plain(found[0]), "all": [_plain(one) for one in found]})
        return
    rows: list[tuple[str, ...]] = [("threshold", "first part", "second part", "whole", "best shift", "changes")]
    for one in found[:_SHOWN]:
        parts = [f"{a.mean_accuracy:.3f} / {a.mean_r:.3f}" for a in (one.first, one.second, one.whole)]
        best = one.whole.shifted.max(axis=0, initial=float("-inf"))
        changes = ", ".join(f"{path}={value}" for path, value in one.changes.items())
        rows.append((f"{one.threshold * 1e6:g} uN", *parts, f"{best[0]:.3f} / {best[1]:.3f}", changes))
    print("balanced accuracy / r, chosen by the first part:")
    print("\n".join(table(rows)))


def _plain(one: Fitted) -> dict[str, Any]:
    parts = {"first": one.first, "second": one.second, "whole": one.whole}
    return {
        "changes": one.changes,
        "threshold": one.threshold,
        **{name: {"balanced_accuracy": a.mean_accuracy, "r": a.mean_r} for name, a in parts.items()},
    }


def _lines(one: Study, written: Path) -> list[str]:
    """The summary for a reader."""
    from cosim.analyse.catalogue import describe
    from cosim.analyse.tables import number
    from cosim.replay.comparing import says
    from cosim.replay.page import check_lines, passed

    manifest, metrics = one.result.manifest, one.result.metrics
    lines = [f"{manifest.get('title') or manifest.get('name')}, {one.result.duration:g} s"]
    ranges = one.bands.metrics if one.bands is not None else {}
    rows = [("metric", "replay", "range of the variants", "unit")] if ranges else []
    for name, value in metrics.items():
        known = describe(name)
        label, unit = (known.title, known.unit) if known else (name, "")
        spread = (" to ".join(map(number, ranges[name])) if name in ranges else "",) if ranges else ()
        rows.append((label, number(float(value)), *spread, unit))
    lines += table(rows)
    if one.audit is not None:
        lines.append(f"check by inverse dynamics: {'passed' if passed(one) else 'FAILED'}")
        lines += table(
            [(label, value, f"at most {bound}" if bound else "") for label, value, bound in check_lines(one)]
        )
    if one.bands is not None:
        lines += [f"  note: {label} was not run: {reason}" for label, reason in one.bands.failed.items()]
    lines += [says(one.tether, one.bands), f"page: {shown(written)}"]
    return lines
