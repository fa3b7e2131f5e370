"""From a sweep's document to its plan's ingredients, everything checked: axes, arms, seeds, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosim import zoo
from cosim.analyse.needs import unknown
from cosim.errors import Problem, UserError
from cosim.spec import overrides
from cosim.spec.common import Located
from cosim.spec.inherit import rebase, resolve, set_values
from cosim.spec.kinds import model_of
from cosim.spec.load import Document, LoadedExperiment, load_experiment, locate, validate
from cosim.spec.overrides import COMMAND_LINE, Override
from cosim.spec.sweep import SweepSpec
from cosim.spec.units import Scope
from cosim.sweep import axes as axes_
from cosim.sweep.arms import Arm, arms, count
from cosim.sweep.axes import Axis, Point

if TYPE_CHECKING:
    from cosim.graph.ir import NetworkIR

#: runs that are planned without asking
MOST = 10**6

#: what cannot be varied -> why
_REFUSED = {
    "seed": "seeds are varied by repeat",
    "ablate": "lesions are arms: they stand under ablate",
    "cosim": "it says what the document is",
    "extends": "the experiment is named under experiment",
    "set": "values are set by their paths",
    "name": "it does not change a run",
    "title": "it does not change a run",
    "description": "it does not change a run",
    "cite": "it does not change a run",
    "reference": "it does not change a run",
    "record": "a sweep records what its metrics need",
    "checkpoint": "a run of a sweep is run again from its start",
}


@dataclass(frozen=True)
class Sweep:
    """A sweep that has been read and checked.

    `experiment` is the experiment's file, `changes` what is set in all runs, `base` the experiment with it, `network`
    its network (without edges). `points` are the places on the axes, in order.
    """

    document: Document
    experiment: Path
    changes: tuple[Override, ...]
    base: LoadedExperiment
    network: NetworkIR | None
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]

    @property
    def spec(self) -> SweepSpec:
        spec: Any = self.document.spec
        return spec  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Number of runs."""
        return len(self.points) * len(self.arms) * len(self.seeds)


def load_sweep(
    name: str | Path, given: Mapping[str, Any] | None = None, *, most: int | None = MOST, origin: str = COMMAND_LINE
) -> Sweep:
    """Load a sweep by name or path; `given` are further changes of its experiment. Nothing is run.

    Raises UserError with the problems found, with file and line: first those of the document and its experiment, then
    those of axes and arms; for more than `most` runs, before they are made.
    """
    resolved = resolve(locate(name, "sweep"), "sweep")
    set_values(resolved, model_of("sweep"), overrides.from_mapping(given or {}, origin))
    node = resolved.root.child("experiment")
    if node is None or not isinstance(node.value, str) or not node.value:
        _, found = validate(resolved, "")
        raise UserError(found)
    rebase(resolved)
    try:
        # workers get this path, and must give its documents the same names
        experiment = zoo.find("experiment", node.value, document=resolved.path).resolve()
    except UserError as error:
        raise UserError([node.problem("experiment", p.message) for p in error.problems]) from None
    changes = tuple(resolved.deferred)
    base = load_experiment(experiment, copies(changes))
    scope = _scope(base)
    document, found = validate(resolved, "", scope)
    if found or document is None:
        raise UserError(found)
    network = network_of(base)
    return _checked(Sweep(document, experiment, changes, base, network, (), (), (), ()), scope, most)


def _checked(sweep: Sweep, scope: Scope, most: int | None) -> Sweep:
    spec, document, base = sweep.spec, sweep.document, sweep.base
    problems = [_refusal(document, here, path) for here, path in _paths(document)]
    found = [problem for problem in problems if problem is not None]
    found += _metrics(document, spec, base, sweep.network)
    seeds = _seeds(spec, base)
    try:
        planned = axes_.size(spec) * count(spec, sweep.network) * len(seeds)
        if most is not None and planned > most:
            found.append(_too_many(document, planned, most))
        if found:
            raise UserError(found)
        varied, points = axes_.expand(spec, document.root, scope)
    except Located as error:
        raise UserError([*found, *(document.problem(path, message) for path, message in error.problems)]) from None
    made, more = arms(spec, document, scope, sweep.network, base.circuit)
    twice = sorted({arm.name for i, arm in enumerate(made) if arm.name in {other.name for other in made[:i]}})
    more += [document.problem(("ablate",), f"two arms are named '{name}'") for name in twice]
    if more:
        raise UserError(more)
    return replace(sweep, axes=tuple(varied), points=tuple(points), arms=tuple(made), seeds=seeds)


def _paths(document: Document) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """Every varied path with its place in the document."""
    vary = document.root.child("vary")
    if vary is None:
        return
    for here, block in enumerate(vary.value) if vary.is_list else [(None, vary)]:
        for path in block.value:
            yield (("vary", path) if here is None else ("vary", here, path)), path


def _refusal(document: Document, here: tuple[str | int, ...], path: str) -> Problem | None:
    try:
        split = overrides.split(path)
    except ValueError as error:
        return document.problem(here, str(error), key=True)
    head = str(split[0])
    if head in _REFUSED and (head != "ablate" or len(split) == 1):
        return document.problem(here, f"'{head}' cannot be varied: {_REFUSED[head]}", key=True)
    return None


def _metrics(document: Document, spec: SweepSpec, base: LoadedExperiment, network: NetworkIR | None) -> list[Problem]:
    if not base.spec.measure.chosen():
        return [document.problem(("experiment",), f"{base.spec.name} measures nothing: it needs a `measure`")]
    return [document.problem(("measure", i), message) for i, message in unknown(base.spec, network, spec.measure)]


def _too_many(document: Document, planned: int, most: int) -> Problem:
    key = "vary" if document.root.child("vary") is not None else "repeat"
    return document.problem((key,), f"{planned} runs are more than {most}: run so many with --yes")


def _seeds(spec: SweepSpec, base: LoadedExperiment) -> tuple[int, ...]:
    if isinstance(spec.repeat, list):
        return tuple(spec.repeat)
    return tuple(range(base.spec.seed, base.spec.seed + spec.repeat))


def _scope(base: LoadedExperiment) -> Scope:
    """The parameters of all three documents; those of the experiment come first."""
    found = [document.parameters for document in reversed(base.documents.values())]
    return {name: value for one in found for name, value in one.items()}


def network_of(loaded: LoadedExperiment) -> NetworkIR | None:
    """The network of an experiment with its own seed, None where it has no circuit."""
    from cosim.bridge import assemble
    from cosim.spec.check import parts_of

    parts = parts_of(loaded)
    return assemble.network_of(parts, loaded.spec.seed) if parts.circuit is not None else None


def copies(changes: Iterable[Override]) -> list[Override]:
    """Overrides that may be used up."""
    return [Override(one.path, one.value.copy(), one.written) for one in changes]
