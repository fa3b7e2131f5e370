"""How much a sweep is, before it is run: runs, what they share, and the time, from one run that is tried."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cosim.bridge.workshop import Workshop
from cosim.errors import SimulationError
from cosim.neural.program import program
from cosim.record.progress import clock_text
from cosim.spec.load import load_experiment
from cosim.sweep.check import Groups
from cosim.sweep.load import Sweep, network_of
from cosim.sweep.plan import Plan, changes
from cosim.sweep.run import Options, planned
from cosim.sweep.trial import Trial, trial

#: s until a worker is ready
_START = 1.0


def estimate(name: str | Path, given: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """Everything that ``--dry-run`` tells, and as ``lines`` for a reader. Nothing is written.

    Raises UserError where the sweep cannot be run.
    """
    found, groups, store = planned(name, given, options)
    sweep = found.sweep
    there = store.hashes(again=options.failed)
    left = [run for run in found.runs if run.hash not in there]
    networks = len({groups.of(run.point, run.arm, run.seed) for run in left})
    workers = options.workers or len(os.sched_getaffinity(0))
    facts: dict[str, Any] = {
        "runs": len(found.runs),
        "there": len(found.runs) - len(left),
        "programs": _programs(sweep, groups),
        "networks": networks,
        "workers": workers,
    }
    lines = [*_size(sweep), f"there already: {facts['there']}" if there else ""]
    lines.append(f"left: {len(left)} runs of {facts['programs']} compiled programs and {networks} networks")
    if left:
        per_run, per_network = _probe(found, options)
        facts |= {"seconds_per_run": per_run, "seconds_per_network": per_network}
        facts["seconds"] = (len(left) * per_run + networks * per_network) / min(workers, len(left)) + _START
        lines.append(f"a run takes {per_run:.2f} s, making a network {per_network:.2f} s (one run was tried)")
        lines.append(f"so about {clock_text(facts['seconds'])} with {workers} workers")
    return facts | {"lines": [line for line in lines if line]}


def _size(sweep: Sweep) -> list[str]:
    sizes = f"{len(sweep.points)} points x {len(sweep.arms)} arms x {len(sweep.seeds)} seeds"
    lines = [f"{sweep.spec.name}: {sweep.size} runs: {sizes}"]
    for axis in sweep.axes:
        shown = axis.texts if len(axis.values) <= 8 else [*axis.texts[:3], "...", axis.texts[-1]]
        lines.append(f"  {axis.path}: {len(axis.values)} values, {', '.join(shown)}")
    names = [arm.name for arm in sweep.arms]
    lines.append(f"  arms: {', '.join(names if len(names) <= 8 else [*names[:4], '...', names[-1]])}")
    return lines


def _programs(sweep: Sweep, groups: Groups) -> int:
    """How many programs the points need, by what each value of an axis does by itself."""
    by_axis = []
    for number, classes in enumerate(groups.axes):
        known: dict[str, str] = {}
        for index, one in enumerate(classes):
            if one not in known:
                loaded = load_experiment(sweep.experiment, changes(sweep, {number: index}, sweep.arms[0]), check=False)
                network = network_of(loaded)
                known[one] = program(network, switches=False).digest if network is not None else ""
        by_axis.append([known[one] for one in classes])
    return len({tuple(by_axis[number][index] for number, index in point.items()) for point in sweep.points})


def _probe(found: Plan, options: Options) -> tuple[float, float]:
    """Seconds of a run, and of the construction of its network; what is compiled the first time is not counted."""
    sweep = found.sweep
    run = found.runs[0]
    arm = next(one for one in sweep.arms if one.name == run.arm)
    begin = time.perf_counter()
    loaded = load_experiment(sweep.experiment, changes(sweep, run.point, arm), check=False)
    load = time.perf_counter() - begin
    Trial(loaded, run.seed, Workshop(), options.backend, list(sweep.spec.measure)).close()
    begin = time.perf_counter()
    made = Trial(loaded, run.seed, workshop := Workshop(), options.backend, list(sweep.spec.measure))
    network = time.perf_counter() - begin
    made.close()
    begin = time.perf_counter()
    with contextlib.suppress(SimulationError):  # its row will say so; it took its time
        trial(loaded, run.seed, workshop, options.backend, list(sweep.spec.measure))
    return load + time.perf_counter() - begin, network
