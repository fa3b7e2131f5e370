"""What happens once, at a tick: lesions and pushes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cosim.body.ports import BodyLike
from cosim.bridge.clock import Clock
from cosim.bridge.outgoing import Outgoing
from cosim.bridge.wires import SensoryWire
from cosim.graph.ir import NetworkIR
from cosim.graph.lesion import select
from cosim.neural.backend import NeuralBackend
from cosim.spec.common import Located
from cosim.spec.experiment import AblateSpec, ExperimentSpec, PerturbSpec, Select
from cosim.spec.units import Dim, Scope, UnitError, dim_text, kind_text, suggest

Path = tuple[str | int, ...]
FORCE: Dim = (1, 1, -2, 0, 0, 0, 0)
TORQUE: Dim = (2, 1, -2, 0, 0, 0, 0)


@dataclass
class Schedule:
    """Actions by tick, run in the order in which they were added."""

    actions: dict[int, list[Callable[[], None]]] = field(default_factory=dict)
    next_tick: int = -1

    def at(self, tick: int, action: Callable[[], None]) -> None:
        """Do `action` at the start of a tick."""
        self.actions.setdefault(tick, []).append(action)
        self.next_tick = min(self.actions)

    def run(self, tick: int) -> None:
        """Run what is due; cheap when nothing is."""
        if tick != self.next_tick:
            return
        for action in self.actions.pop(tick):
            action()
        self.next_tick = min(self.actions, default=-1)

    def resume(self, tick: int, *, replay: bool) -> None:
        """Go on at the start of `tick`: what was due before it is done now, or (`replay` false) dropped."""
        for earlier in sorted(t for t in self.actions if t < tick):
            actions = self.actions.pop(earlier)
            for action in actions if replay else ():
                action()
        self.next_tick = min(self.actions, default=-1)


def silenced(ablation: AblateSpec) -> Select:
    """The selection of a `silence` ablation; its name is a population or a tag."""
    where = ablation.where.model_dump() if ablation.where is not None else {}
    return Select.model_construct(**where, population=ablation.silence, tag=None, fraction=ablation.fraction)


def schedule_ablations(
    schedule: Schedule, spec: ExperimentSpec, network: NetworkIR, backend: NeuralBackend, clock: Clock,
    sensory: dict[str, SensoryWire], motor: dict[str, Outgoing], circuit_projections: set[str],
) -> list[tuple[Path, str]]:  # fmt: skip
    """Enter all lesions into the schedule; returns the problems (paths in the experiment document)."""
    problems: list[tuple[Path, str]] = []
    for i, ablation in enumerate(spec.ablate):
        here: Path = ("ablate", i)
        try:
            tick = clock.ticks(ablation.at or 0.0, "the time")
        except UnitError as error:
            problems.append(((*here, "at"), str(error)))
            continue
        if ablation.silence is not None:
            wanted = silenced(ablation)
            if wanted.population not in network.populations:
                tags = {t for p in network.populations.values() for t in p.tags}
                if wanted.population not in tags:
                    known = [*network.populations, *tags]
                    hint = suggest(str(wanted.population), known)
                    problems.append(((*here, "silence"), f"no population or tag '{wanted.population}'{hint}"))
                    continue
                wanted = wanted.model_copy(update={"population": None, "tag": wanted.population})
            try:
                chosen = select(network, wanted)
            except UnitError as error:
                problems.append(((*here, "where"), str(error)))
                continue
            for name, ids in chosen.items():
                readers = [w for w in motor.values() if w.population == name]
                schedule.at(tick, _silence(backend, name, ids, readers))
        elif ablation.cut is not None and ablation.cut.startswith("wires."):
            wire = ablation.cut.removeprefix("wires.")
            wires: dict[str, SensoryWire | Outgoing] = {**sensory, **motor}
            if wire not in wires:
                problems.append(((*here, "cut"), f"no wire '{wire}'{suggest(wire, wires)}"))
                continue
            schedule.at(tick, _cut_wire(wires[wire]))
        elif ablation.cut is not None:
            if ablation.cut not in circuit_projections:
                known = [*circuit_projections, *(f"wires.{w}" for w in (*sensory, *motor))]
                problems.append(((*here, "cut"), f"no projection '{ablation.cut}'{suggest(ablation.cut, known)}"))
            elif tick > 0:
                schedule.at(tick, _cut_projection(backend, ablation.cut))
        elif tick > 0:
            assert ablation.transect is not None
            schedule.at(tick, _transect(backend, ablation.transect))
    return problems


def _silence(backend: NeuralBackend, name: str, ids: NDArray[np.int64], readers: list[Outgoing]) -> Callable[[], None]:
    def action() -> None:
        backend.silence(name, ids)
        for wire in readers:
            wire.silence(ids)

    return action


def _cut_wire(wire: SensoryWire | Outgoing) -> Callable[[], None]:
    def action() -> None:
        wire.cut = True

    return action


def _cut_projection(backend: NeuralBackend, name: str) -> Callable[[], None]:
    return lambda: backend.cut(name)


def _transect(backend: NeuralBackend, position: float) -> Callable[[], None]:
    return lambda: backend.transect(position)


def schedule_perturbations(
    schedule: Schedule, spec: ExperimentSpec, body: BodyLike, clock: Clock, scope: Scope
) -> list[tuple[Path, str]]:
    """Enter all pushes into the schedule; returns the problems (paths in the experiment document)."""
    problems: list[tuple[Path, str]] = []
    for name, push in spec.perturb.items():
        here: Path = ("perturb", name)
        try:
            _perturb(schedule, push, body, clock, scope)
        except Located as error:
            problems += [((*here, *path), message) for path, message in error.problems]
    return problems


def _perturb(schedule: Schedule, push: PerturbSpec, body: BodyLike, clock: Clock, scope: Scope) -> None:
    torque = push.kind == "torque"
    known, wanted, key = (body.joints, push.joint, "joint") if torque else (body.links, push.link, "link")
    if wanted not in known:
        raise Located([((key,), f"the body has no {key} '{wanted}'{suggest(str(wanted), known)}")])
    try:
        start = clock.ticks(push.at, "the time")
        stop = start + max(clock.ticks(push.length, "the length"), 1)
        values = [e.evaluate(scope) for e in push.value]
    except UnitError as error:
        raise Located([((), str(error))]) from None
    dim = TORQUE if torque else FORCE
    for i, value in enumerate(values):
        if value.dim != dim and value.value != 0:
            raise Located([(("value", i), f"expected {dim_text(dim)}, got {kind_text(value.dim)}")])
    target = body.external["joint_torque" if torque else "link_force"]
    row = known.index(wanted)
    amount = float(values[0].value) if torque else np.array([float(v.value) for v in values])

    def add(sign: float) -> Callable[[], None]:
        def action() -> None:
            target[row] += sign * amount

        return action

    schedule.at(start, add(1.0))
    schedule.at(stop, add(-1.0))
