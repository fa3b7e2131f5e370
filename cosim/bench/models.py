"""A tick of an experiment by its parts, and beside it the same network and body by themselves and stepped otherwise.

Everything is recorded as the experiment says. Blocks of one second of biological time (so that each has its share of
writing to the disk) alternate between the sides; ratios are taken between neighbours.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cosim.bench.looped import LoopedBackend, counts
from cosim.bench.sides import Block, Peer, Say, by_round, ratio, spread
from cosim.bridge.assemble import assemble
from cosim.bridge.lockstep import Timings
from cosim.bridge.recording import attach
from cosim.errors import UserError
from cosim.neural.backend import NeuralBackend
from cosim.neural.choose import Factory
from cosim.neural.compiled import CompiledBackend
from cosim.spec.check import parts_of
from cosim.spec.load import LoadedExperiment, load_experiment

PARTS = ("network", "body", "bridge", "record")
WARM_UP = 0.2  # s of biological time before anything counts
BLOCKS = 3  # blocks of cosim's own sides in each round
RUNTIME, LOOPED = 0.3, 0.02  # blocks of the runtime backend and of net.run in a loop, s of biological time
AT_ONCE = 2  # ticks of motor delay where the experiment has none and body and network move at the same time

Cost = dict[str, float]  # seconds per tick: "wall" and the parts


class Loop:
    """An experiment in lockstep, recorded in a folder."""

    def __init__(self, loaded: LoadedExperiment, make: Factory, folder: Path) -> None:
        self.lockstep = assemble(parts_of(loaded), seed=loaded.spec.seed, backend=make)
        folder.mkdir()
        self._recorder = attach(loaded.spec, self.lockstep, folder, {})
        self.lockstep.overlap = False
        self.lockstep.run(self.ticks(WARM_UP))

    @property
    def backend(self) -> NeuralBackend:
        assert self.lockstep.backend is not None
        return self.lockstep.backend

    def ticks(self, seconds: float) -> int:
        """Biological time in ticks."""
        return max(round(seconds / self.lockstep.clock.tick), 1)

    def block(self, ticks: int, *, overlap: bool = False) -> Cost:
        """Some ticks of the loop; `overlap`: body and network at the same time."""
        lockstep = self.lockstep
        lockstep.overlap = overlap
        lockstep.timings = timings = Timings()
        wall = _seconds(lambda: lockstep.run(ticks))
        return {"wall": wall / ticks, **{part: getattr(timings, part) / ticks for part in PARTS}}

    def body(self, ticks: int) -> Cost:
        """The body alone, commanded as it is now."""
        body, tick = self.lockstep.body, self.lockstep.tick
        assert body is not None
        begin = time.perf_counter()
        for k in range(ticks):
            body.step(tick + k)
        return {"wall": (time.perf_counter() - begin) / ticks}

    def close(self) -> None:
        """End the record, release everything."""
        self.lockstep.recorder = None
        self._recorder.close("complete")
        self.lockstep.close()


def load(name: str) -> LoadedExperiment:
    """An experiment by name. Raises UserError if there is none, or it has no network."""
    loaded = load_experiment(name)
    if loaded.circuit is None:
        raise UserError(f"'{name}' has no network to measure")
    return loaded


def measure(name: str, loaded: LoadedExperiment, rounds: int, others: bool, say: Say) -> dict[str, Any]:
    """Measure an experiment in some rounds; `others`: also what is not cosim's compiled backend.

    Returns sizes, ratios, microseconds per tick and rates.
    """
    say(f"{name}: building")
    found: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory(prefix="cosim-bench-") as scratch, contextlib.ExitStack() as stack:

        def opened(what: str, loaded: LoadedExperiment, make: Factory) -> Loop:
            loop = Loop(loaded, make, Path(scratch) / what)
            stack.callback(loop.close)
            return loop

        whole, apart = (opened(what, loaded, _compiled) for what in ("whole", "apart"))
        ahead = None
        if whole.lockstep.body is not None:
            ahead = opened("ahead", _delayed(name, loaded), _compiled)
        facts = _sizes(whole, ahead)
        rates: dict[str, Block] = {}
        peers = _Others(opened, stack, loaded, apart, Path(scratch), say) if others else None
        second = whole.ticks(1.0)
        for repeat in range(rounds):
            say(f"round {repeat + 1} of {rounds}")
            for _ in range(BLOCKS):
                _add(found, lockstep=whole.block(second))
                if ahead is not None:
                    _add(found, body_alone=apart.body(second), in_turn=ahead.block(second))
                    _add(found, at_once=ahead.block(second, overlap=True))
                rates["alone"] = _alone(apart, second)
                _add(found, alone={"wall": rates["alone"].tick})
            if peers is not None:
                peers.round(found, rates)
    neurons, tick = facts["neurons"], whole.lockstep.clock.tick
    hertz = {row: block.spikes / neurons / (block.ticks * tick) for row, block in rates.items()}
    return {**facts, **_result(found, rounds, tick), "rates_hz": hertz}


class _Others:
    """The sides that are not cosim's compiled backend."""

    def __init__(
        self, opened: Callable[[str, LoadedExperiment, Factory], Loop], stack: contextlib.ExitStack,
        loaded: LoadedExperiment, apart: Loop, scratch: Path, say: Say,
    ) -> None:  # fmt: skip
        say("building Brian2's objects")
        self._loop = opened("looped", loaded, LoopedBackend)
        folder = scratch / "executable"
        folder.mkdir()
        np.savez(folder / "state.npz", **apart.backend.snapshot())  # type: ignore[arg-type]
        say("building Brian2's executable")
        self._second = apart.ticks(1.0)
        path = str(loaded.paths["experiment"])
        peer = Peer("model_peer", folder, path, str(apart.ticks(WARM_UP)), str(self._second))
        stack.callback(peer.close)
        self._standalone = peer.side("alone")

    def round(self, found: dict[str, list[Cost]], rates: dict[str, Block]) -> None:
        """One block of each."""
        loop, backend = self._loop, self._loop.backend
        assert isinstance(backend, LoopedBackend)
        _add(found, runtime=loop.block(loop.ticks(RUNTIME)))
        backend.loop(True)
        _add(found, loop=loop.block(loop.ticks(LOOPED)))
        backend.loop(False)
        rates["standalone"] = self._standalone(self._second)
        _add(found, standalone={"wall": rates["standalone"].tick})


def _compiled(network: Any, steps_per_tick: int) -> CompiledBackend:
    return CompiledBackend(network, steps_per_tick)


def _add(found: dict[str, list[Cost]], **costs: Cost) -> None:
    for row, cost in costs.items():
        found.setdefault(row, []).append(cost)


def _seconds(action: Callable[[], None]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def _alone(loop: Loop, ticks: int) -> Block:
    backend = loop.backend
    assert isinstance(backend, CompiledBackend)
    seconds = _seconds(lambda: backend.uninterrupted(ticks))
    return Block(seconds, ticks, len(backend.spikes()[1]))


def _delayed(name: str, loaded: LoadedExperiment) -> LoadedExperiment:
    """The experiment with motor delays that let body and network move at the same time."""
    tick = loaded.spec.tick
    motor = {wire: min(spec.delay) for wire, spec in loaded.spec.wires.items() if not spec.sensory}
    longer = {f"wires.{wire}.delay": f"{AT_ONCE * tick * 1e3:g} ms" for wire, least in motor.items() if least < tick}
    return load_experiment(name, longer) if longer else loaded


def _sizes(loop: Loop, ahead: Loop | None) -> dict[str, Any]:
    lockstep = loop.lockstep
    assert lockstep.network is not None
    body, clock = lockstep.body, lockstep.clock
    found: dict[str, Any] = {**counts(lockstep.network), "tick_ms": clock.tick * 1e3, "network_steps": clock.steps}
    if body is not None and ahead is not None:
        found |= {"joints": len(body.joints), "links": len(body.links), "body_steps": clock.substeps}
        shortest = min((wire.shortest_delay for wire in ahead.lockstep.motor), default=0)
        found["motor_delay_ms"] = shortest * clock.tick * 1e3
    return found


def _result(found: dict[str, list[Cost]], rounds: int, tick: float) -> dict[str, Any]:
    walls = {row: [cost["wall"] for cost in costs] for row, costs in found.items()}
    parts = {part: [cost[part] for cost in found["lockstep"]] for part in PARTS}
    ratios = {
        "(bridge + record) / (network + body)": spread(
            [(c["bridge"] + c["record"]) / (c["network"] + c["body"]) for c in found["lockstep"]]
        ),
        "biological time / wall time": spread([tick / wall for wall in walls["lockstep"]]),
    }
    if "at_once" in found:
        pairs = zip(found["at_once"], found["in_turn"], strict=True)
        ratios["at once / the larger of network and body"] = spread(
            [both["wall"] / max(turn["network"], turn["body"]) for both, turn in pairs]
        )
    middle = {row: by_round(values, rounds) for row, values in walls.items()}
    if "standalone" in found:
        body = middle.get("body_alone", [0.0] * rounds)
        middle["floor"] = walls["floor"] = [a + b for a, b in zip(middle["standalone"], body, strict=True)]
        ratios |= {
            "cosim / floor": ratio(middle, "lockstep", "floor"),
            "net.run in a loop / cosim": ratio(middle, "loop", "lockstep"),
            "runtime backend / compiled": ratio(middle, "runtime", "lockstep"),
            "Brian2's executable / cosim uninterrupted": ratio(middle, "standalone", "alone"),
        }
    micro = {row: spread(values, 1e6) for row, values in (walls | parts).items() if row != "in_turn"}
    return {"ratios": ratios, "microseconds_per_tick": micro}
