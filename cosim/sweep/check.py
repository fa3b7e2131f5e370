"""What can be wrong with a sweep beyond its document: every value and every lesion is tried on the experiment."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from cosim.bridge.workshop import construction
from cosim.errors import Problem, UserError
from cosim.spec.load import LoadedExperiment, load_experiment
from cosim.sweep.arms import Arm
from cosim.sweep.axes import Point
from cosim.sweep.load import Sweep
from cosim.sweep.plan import changes
from cosim.sweep.task import texts_of

#: values of an axis that are tried one by one; of more, the first, the last, the least and the greatest
TRIED = 64


@dataclass(frozen=True)
class Groups:
    """Which runs are built alike. `axes`: by axis, what each of its values does to the network (equal texts: the same);
    `arms`: the same by name. `texts`: SHA-256 of all documents that were read, by name."""

    axes: tuple[tuple[str, ...], ...]
    arms: dict[str, str]
    texts: dict[str, str]

    def of(self, point: Point, arm: str, seed: int) -> tuple[Any, ...]:
        """Equal for runs that have one network construction in common."""
        return (self.arms[arm], tuple(self.axes[number][index] for number, index in point.items()), seed)


def check(sweep: Sweep) -> Groups:
    """Try every value of every axis, and all lesions, on the experiment as it is otherwise.

    Raises UserError with all problems, with the lines of the sweep's document.
    """
    found: list[Problem] = []
    base = construction(sweep.base)
    read = texts_of(sweep.base)
    intact = sweep.arms[0]
    axes = []
    for number, axis in enumerate(sweep.axes):
        texts = {}
        for index in _tried(axis.si, len(axis.values)):
            loaded = _try(sweep, {number: index}, intact, found)
            texts[index] = construction(loaded) if loaded is not None else base
            read |= texts_of(loaded) if loaded is not None else {}
        axes.append(_filled(texts, len(axis.values)))
    _try_arms(sweep, found)
    if found:
        raise UserError(found)
    return Groups(tuple(axes), {arm.name: _lesions(arm) for arm in sweep.arms}, read)


def _tried(si: list[float] | None, n: int) -> list[int]:
    if n <= TRIED or si is None:
        return list(range(n))
    return sorted({0, n - 1, si.index(min(si)), si.index(max(si))})


def _filled(texts: dict[int, str], n: int) -> tuple[str, ...]:
    """Values that were not tried: each its own where the tried ones differ."""
    different = len(set(texts.values())) > 1
    some = next(iter(texts.values()))
    return tuple(texts.get(index, str(index) if different else some) for index in range(n))


def _try(sweep: Sweep, point: Point, arm: Arm, found: list[Problem]) -> LoadedExperiment | None:
    """Load a variant with all checks; problems are added to those found, each once."""
    try:
        return load_experiment(sweep.experiment, changes(sweep, point, arm), origin="")
    except UserError as error:
        found += [problem for problem in error.problems if problem not in found]
        return None


def _try_arms(sweep: Sweep, found: list[Problem]) -> None:
    """All lesions at once (they do not depend on each other), then what the controls change."""
    lesions = [(arm.name, node) for arm in sweep.arms if not arm.changes for node in arm.ablations]
    if lesions:
        more: list[Problem] = []
        _try(sweep, {}, Arm("all", tuple(node for _, node in lesions)), more)
        own = len(sweep.base.spec.ablate)
        # an arm of a series is named by its entry and a value
        names = {f"ablate.{own + i}": f"ablate.{name.partition(' ')[0]}" for i, (name, _) in enumerate(lesions)}
        found += dict.fromkeys(_renamed(problem, names) for problem in more)
    controls = [arm for arm in sweep.arms if arm.changes]
    if controls:
        _try(sweep, {}, replace(controls[0], ablations=()), found)


def _renamed(problem: Problem, names: dict[str, str]) -> Problem:
    """A problem with the name of its arm instead of a number that nobody wrote."""
    head, _, rest = problem.path.partition(".")
    number, _, rest = rest.partition(".")
    name = names.get(f"{head}.{number}")
    return replace(problem, path=".".join(filter(None, (name, rest)))) if name is not None else problem


def _lesions(arm: Arm) -> str:
    """What an arm does to the network's arrays: silenced neurons are there, and only do not fire."""
    edges = [node.plain() for node in arm.ablations if node.child("silence") is None]
    return json.dumps([edges, [[one.path, one.value.plain()] for one in arm.changes]])
