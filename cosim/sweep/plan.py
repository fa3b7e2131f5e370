"""The plan of a sweep: every run with its place, and the hash of all that decides it.

Runs are ordered by point, then by arm, then by seed; a run's name is its number in that order. A run's hash is over the
experiment (with its circuit and body, the data files that they name and the versions of what computes it), the values
on the axes, the arm and the seed: a run with the same hash gives the same row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cosim import __version__
from cosim.manifest import versions
from cosim.spec.load import LoadedExperiment, load_experiment
from cosim.spec.overrides import Override, split
from cosim.spec.yamlmarks import Node, dotted
from cosim.sweep.arms import Arm
from cosim.sweep.axes import Point
from cosim.sweep.files import data_hashes
from cosim.sweep.load import Sweep, copies, network_of

#: packages whose version decides the bits of a run
_DECIDE = ("cosim", "brian2", "pybullet", "numpy")


@dataclass(frozen=True)
class Run:
    """A planned run: its name, its place on the axes, the names of its arm, its seed, its hash."""

    name: str
    point: Point
    arm: str
    seed: int
    hash: str


@dataclass(frozen=True)
class Plan:
    """All runs of a sweep."""

    sweep: Sweep
    runs: tuple[Run, ...]

    def as_json(self) -> dict[str, Any]:
        """What ``sweep.json`` holds."""
        sweep, spec = self.sweep, self.sweep.spec
        paths = [axis.path for axis in sweep.axes]
        return {
            "cosim": __version__,
            "name": spec.name,
            "title": spec.title,
            "experiment": sweep.base.spec.name,
            "axes": [
                {"path": one.path, "values": one.texts, "si": one.si or [None] * len(one.values), "unit": one.unit}
                for one in sweep.axes
            ],
            "arms": [arm.name for arm in sweep.arms],
            "seeds": list(sweep.seeds),
            "measure": list(spec.measure),
            "plan": [
                {
                    "run": run.name,
                    "axes": {paths[number]: index for number, index in run.point.items()},
                    "arm": run.arm,
                    "seed": run.seed,
                    "hash": run.hash,
                }
                for run in self.runs
            ],
        }


def plan(sweep: Sweep) -> Plan:
    """All runs of a sweep, in order."""
    base = _digest([sweep.base.content_hash, data_hashes(sweep.base, sweep.network), _versions(), sweep.spec.keep])
    values = [_values(sweep, number) for number in range(len(sweep.axes))]
    arms = [(arm.name, _digest(_described(arm))) for arm in sweep.arms]
    width = max(4, len(str(sweep.size - 1)))
    runs: list[Run] = []
    for point in sweep.points:
        here = [values[number][index] for number, index in point.items()]
        for arm, arm_hash in arms:
            for seed in sweep.seeds:
                content = _digest([base, here, arm_hash, seed])
                runs.append(Run(f"{len(runs):0{width}d}", point, arm, seed, content))
    return Plan(sweep, tuple(runs))


def _values(sweep: Sweep, number: int) -> list[str]:
    """The hash of each value on an axis; where values may name documents and files, with what these say."""
    axis = sweep.axes[number]
    found: list[Any] = [[axis.path, node.plain()] for node in axis.values.values()]
    if axis.si is None:
        for index, content in enumerate(found):
            loaded = load_experiment(sweep.experiment, changes(sweep, {number: index}, sweep.arms[0]), check=False)
            content += [loaded.content_hash, data_hashes(loaded, network_of(loaded))]
    return [_digest(content) for content in found]


def _described(arm: Arm) -> list[Any]:
    return [[node.plain() for node in arm.ablations], _plain(arm.changes)]


def _versions() -> dict[str, str]:
    found = versions()
    return {name: found[name] for name in _DECIDE if name in found}


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:32]


def changes(sweep: Sweep, point: Point, arm: Arm) -> list[Override]:
    """What makes a variant of the experiment: what is set in all runs, the arm, the values on the axes; they are to be
    used once."""
    found = copies(sweep.changes)
    if arm.ablations:
        found.append(_ablations(sweep.base, arm))
    found += copies(arm.changes)
    axes = [(sweep.axes[number], index) for number, index in point.items()]
    found += [Override(split(axis.path), list(axis.values.values())[index].copy()) for axis, index in axes]
    return found


def _ablations(base: LoadedExperiment, arm: Arm) -> Override:
    """The experiment's own ablations and those of the arm."""
    own = base.experiment.root.child("ablate")
    there = [node.copy() for node in own.value] if own is not None and own.is_list else []
    first = arm.ablations[0]
    return Override(
        ("ablate",), Node([*there, *(node.copy() for node in arm.ablations)], first.file, first.line, first.column)
    )


class Changes:
    """The same as plain data: lists of [path, value], as a worker is told them."""

    def __init__(self, sweep: Sweep) -> None:
        self._common = _plain(sweep.changes)
        self._arms = {}
        for arm in sweep.arms:
            lesions = [_ablations(sweep.base, arm)] if arm.ablations else []
            self._arms[arm.name] = _plain([*lesions, *arm.changes])
        self._values = [[[axis.path, node.plain()] for node in axis.values.values()] for axis in sweep.axes]

    def of(self, run: Run) -> list[list[Any]]:
        """The changes of a run."""
        values = [self._values[number][index] for number, index in run.point.items()]
        return [*self._common, *self._arms[run.arm], *values]


def _plain(found: Iterable[Override]) -> list[list[Any]]:
    return [[dotted(one.path), one.value.plain()] for one in found]
