"""What a tick of the closed loop costs, and where; beside it the same objects stepped by ``net.run`` in a loop.

Everything is measured in one process on the same Brian2 objects, the same body and the same wires, in turn, several
times; medians are given. Between machines, and on a busy one, only the ratios are worth comparing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from cosim.bench.looped import LoopedBackend, counts
from cosim.bridge.assemble import assemble
from cosim.bridge.lockstep import Lockstep, Timings
from cosim.bridge.recording import attach
from cosim.bridge.wires import MotorWire, SensoryWire
from cosim.errors import UserError
from cosim.graph.ir import NetworkIR
from cosim.manifest import host, versions
from cosim.neural.backend import NeuralBackend
from cosim.neural.choose import choose
from cosim.spec.check import parts_of
from cosim.spec.load import LoadedExperiment, load_experiment

WARM_UP = 0.1  # s of biological time before each measurement, not counted
LOOPED_TICKS = 100  # of net.run in a loop, in each repeat; the rest is extrapolated
B = TypeVar("B", bound=NeuralBackend)
PARTS = ("network", "body", "bridge", "record")

ROWS = {
    "recorded": "cosim, recorded",
    "unrecorded": "cosim, not recorded",
    "runtime": "cosim on the Brian2 objects, not recorded",
    "looped": "net.run in a loop on the same objects",
    "alone": "network alone, one net.run",
}


@dataclass(frozen=True)
class Cost:
    """Wall seconds per biological second: in all and in the parts of the loop."""

    wall: float
    parts: dict[str, float]


def run(
    model: str = "salamander_swim",
    seconds: float = 4.0,
    repeats: int = 3,
    backend: str = "auto",
    looped_ticks: int = LOOPED_TICKS,
    say: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure an experiment that has a network. `seconds` of biological time each, `repeats` times; of ``net.run``
    in a loop only `looped_ticks`.

    The first two rows are for `backend`, the others step Brian2's objects (cython code, numpy for the backend numpy).
    Returns machine, versions, sizes, ratios,
    and for every row of ``ROWS`` medians of the wall seconds per biological second with their range. Raises UserError
    for an experiment without a network and for an unknown backend.
    """
    loaded = load_experiment(model)
    if loaded.circuit is None:
        raise UserError(f"'{model}' has no network to measure")
    shipped = choose(backend, say)
    target = "numpy" if backend == "numpy" else "auto"
    say = say or (lambda text: None)
    found: dict[str, list[Cost]] = {row: [] for row in ROWS}
    builds: list[float] = []
    facts: dict[str, Any] = {}
    for repeat in range(repeats):
        say(f"run {repeat + 1} of {repeats}")
        lockstep, running, built = _build(loaded, shipped)
        builds.append(built)
        facts = facts or {"backend": running.name, "sizes": _sizes(lockstep)}
        try:
            _measure_shipped(loaded, lockstep, seconds, found)
        finally:
            lockstep.close()
        lockstep, looped, _ = _build(loaded, partial(LoopedBackend, target=target))
        try:
            _measure_looped(lockstep, looped, seconds, looped_ticks, found)
        finally:
            lockstep.close()
    settings = {"seconds": seconds, "repeats": repeats, "looped_ticks": looped_ticks}
    return {"model": model, **facts, "settings": settings, **_result(found, builds)}


def _build(loaded: LoadedExperiment, make: Callable[[NetworkIR, int], B]) -> tuple[Lockstep, B, float]:
    """The lockstep, its backend, and the seconds that the network took (compiled code from the cache or not)."""
    made: list[tuple[B, float]] = []

    def factory(network: NetworkIR, steps: int) -> B:
        begin = time.perf_counter()
        backend = make(network, steps)
        made.append((backend, time.perf_counter() - begin))
        return backend

    lockstep = assemble(parts_of(loaded), seed=loaded.spec.seed, backend=factory)
    lockstep.overlap = False  # with network and body at the same time their parts would not add up
    return lockstep, *made[0]


def _measure_shipped(
    loaded: LoadedExperiment, lockstep: Lockstep, seconds: float, found: dict[str, list[Cost]]
) -> None:
    ticks, warm = _ticks(lockstep, seconds), _ticks(lockstep, WARM_UP)
    with tempfile.TemporaryDirectory() as folder:
        recorder = attach(loaded.spec, lockstep, Path(folder), {})
        lockstep.run(warm)
        found["recorded"].append(_cost(lockstep, ticks))
        lockstep.recorder = None
        recorder.close("complete")
    lockstep.run(warm)
    found["unrecorded"].append(_cost(lockstep, ticks))


def _measure_looped(
    lockstep: Lockstep, backend: LoopedBackend, seconds: float, looped_ticks: int, found: dict[str, list[Cost]]
) -> None:  # fmt: skip
    ticks, warm = _ticks(lockstep, seconds), _ticks(lockstep, WARM_UP)
    if lockstep.body is not None:
        lockstep.body.request({wire.sensor for wire in lockstep.sensory})
    lockstep.run(warm)
    found["runtime"].append(_cost(lockstep, ticks))
    backend.loop(True)
    found["looped"].append(_cost(lockstep, min(looped_ticks, ticks)))
    backend.loop(False)
    lockstep.run(warm)
    # what Network.run needs before its first step is not the network's speed
    start, whole = _timed(lambda: backend.uninterrupted(0)), _timed(lambda: backend.uninterrupted(ticks))
    wall = (whole - start) / (ticks * lockstep.clock.tick)
    found["alone"].append(Cost(wall, {"network": wall}))


def _ticks(lockstep: Lockstep, seconds: float) -> int:
    return max(round(seconds / lockstep.clock.tick), 1)


def _timed(action: Callable[[], None]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def _cost(lockstep: Lockstep, ticks: int) -> Cost:
    lockstep.timings = timings = Timings()
    wall = _timed(lambda: lockstep.run(ticks))
    biological = ticks * lockstep.clock.tick
    return Cost(wall / biological, {part: getattr(timings, part) / biological for part in PARTS})


def _sizes(lockstep: Lockstep) -> dict[str, Any]:
    assert lockstep.network is not None
    body = lockstep.body
    wires: list[SensoryWire | MotorWire] = [*lockstep.sensory, *lockstep.motor]
    return {
        **counts(lockstep.network),
        "joints": len(body.joints) if body is not None else 0,
        "links": len(body.links) if body is not None else 0,
        "wire channels": sum(len(wire.channels) for wire in wires),
        "tick (ms)": lockstep.clock.tick * 1e3,
        "network steps a tick": lockstep.clock.steps,
        "body steps a tick": lockstep.clock.substeps,
    }


def _result(found: dict[str, list[Cost]], builds: list[float]) -> dict[str, Any]:
    costs = {}
    for row, measured in found.items():
        walls = [cost.wall for cost in measured]
        parts = {part: median(cost.parts[part] for cost in measured) for part in measured[0].parts}
        costs[row] = {"wall": median(walls), "wall_min": min(walls), "wall_max": max(walls), **parts}

    def ratio(above: str, below: str, part: str = "wall", other: str = "wall") -> float:
        # within a repeat, one after the other: a machine that slows down meanwhile spoils it least
        first, second = found[above], found[below]
        return median(_part(a, part) / _part(b, other) for a, b in zip(first, second, strict=True))

    return {
        "machine": host(),
        "versions": versions(),
        "ratios": {
            "net.run in a loop / cosim": ratio("looped", "unrecorded"),
            "net.run in a loop / cosim on the same objects": ratio("looped", "runtime"),
            "cosim's network part / network alone": ratio("unrecorded", "alone", "network"),
            "the same on Brian2's objects / network alone": ratio("runtime", "alone", "network"),
            "cosim recorded / not recorded": ratio("recorded", "unrecorded"),
            "bridge / whole (recorded)": ratio("recorded", "recorded", "bridge"),
            "recording / whole (recorded)": ratio("recorded", "recorded", "record"),
            "biological / wall time (recorded)": 1.0 / costs["recorded"]["wall"],
        },
        "wall_seconds_per_second": costs,
        "network_build_seconds": {"first": builds[0], "again": min(builds)},
    }


def _part(cost: Cost, part: str) -> float:
    return cost.wall if part == "wall" else cost.parts[part]


def table(result: dict[str, Any]) -> str:
    """The result for people: machine, versions, sizes; ratios; seconds per biological second."""
    machine, settings = result["machine"], result["settings"]
    lines = [
        f"{result['model']}, backend {result['backend']}",
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}",
        ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
        ", ".join(f"{value:g} {name}" for name, value in result["sizes"].items()),
        "",
    ]
    width = max(len(name) for name in (*result["ratios"], *ROWS.values()))
    lines += [f"{name:<{width}} {value:9.3g}" for name, value in result["ratios"].items()]
    lines += ["", f"{'wall seconds per biological second':<{width}}" + "".join(f"{c:>9}" for c in ("wall", *PARTS))]
    for row, cost in result["wall_seconds_per_second"].items():
        cells = [f"{cost[c]:9.3f}" if c in cost else f"{'':>9}" for c in ("wall", *PARTS)]
        spread = f"   ({cost['wall_min']:.3f} to {cost['wall_max']:.3f})"
        lines.append(f"{ROWS[row]:<{width}}" + "".join(cells) + spread)
    build = result["network_build_seconds"]
    how = f"medians of {settings['repeats']} runs of {settings['seconds']:g} s, in turn (range of the whole)"
    lines += ["", f"{how}; net.run in a loop: {settings['looped_ticks']} ticks, extrapolated"]
    again = f"{build['first']:.2f} s the first time, {build['again']:.2f} s again in the process"
    lines.append(f"build of the network: {again}")
    return "\n".join(lines)


def measure() -> dict[str, Any]:
    """run() with its defaults, as one flat table of names and values."""
    result = run()
    flat: dict[str, Any] = {
        "model": result["model"],
        "machine": f"{result['machine']['processor']}, {result['machine']['cores']} cores",
        "versions": ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
        "backend": result["backend"],
        **result["sizes"],
        **result["ratios"],
    }
    for row, cost in result["wall_seconds_per_second"].items():
        flat |= {f"{ROWS[row]}: {part} (s/s)": value for part, value in cost.items()}
    return flat | {f"network build, {when} (s)": value for when, value in result["network_build_seconds"].items()}
