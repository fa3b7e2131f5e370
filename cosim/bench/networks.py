"""A tick of large networks without a body: cosim in lockstep, left alone, and other ways to step the same network.

All sides have the same neurons, edges, delays, weights and initial values. Blocks of ticks alternate between them,
round after round; ratios are taken within a round and their medians given, because on a busy machine nothing else is
worth comparing.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosim.bench.circuits import FLY_EDGES, FLY_NEURONS, STEPS, Measured, export, fly_network, random_network
from cosim.bench.events import cost
from cosim.bench.sides import Block, Compiled, Inner, Peer, Say, Side, by_round, ratio, spread
from cosim.neural.runtime import RuntimeBackend

WARM, RATE = 100, 200  # ticks before anything counts, ticks in which rates are compared
EVENTS_FROM = 100_000  # neurons; of smaller networks it is a small difference of small numbers
PAIRS = 24  # blocks of lockstep and uninterrupted per round: short ones, most of which nothing interrupts
EVENT_TICKS = 40
FLY = "fly"


@dataclass(frozen=True)
class Size:
    """A random network, and the ticks of one block of each side."""

    n: int
    indegree: int
    lockstep: int
    runtime: int
    loop: int
    nest: int
    nest_alone: int
    standalone: int


SIZES = {
    "1k": Size(1_000, 50, 250, 200, 12, 100, 500, 2000),
    "10k": Size(10_000, 100, 40, 60, 10, 40, 100, 500),
    "100k": Size(100_000, 100, 10, 20, 6, 12, 12, 200),
}
FLY_TICKS = 300


def measure(name: str, rounds: int, others: bool, nest: bool, say: Say) -> dict[str, Any]:
    """Measure a network of SIZES, or the fly, in some rounds.

    `others`: also what is not cosim's compiled backend; `nest`: NEST, too. Returns sizes, ratios, microseconds per tick
    and rates.
    """
    say(f"{name}: building")
    return _fly(rounds, say) if name == FLY else _random(SIZES[name], rounds, others, nest, say)


# ---------------------------------------------------------------- the random networks


def _random(size: Size, rounds: int, others: bool, nest: bool, say: Say) -> dict[str, Any]:
    measured = random_network(size.n, size.indegree)
    compiled = Compiled(measured)
    rates = {"alone": _rate(compiled.alone, measured)}
    sides: dict[str, tuple[Side, int]] = {}
    with _folder(measured) as folder, contextlib.ExitStack() as stack:
        stack.callback(compiled.backend.close)
        if others:
            sides |= _brian(size, measured, folder, stack, rates, say)
        if others and nest:
            sides |= _nest(size, measured, folder, stack, rates, say)
        blocks = _rounds(compiled, size.lockstep, sides, rounds, say)
    if "standalone" in blocks:
        rates["standalone"] = _hertz(blocks["standalone"][-1], measured)
    found = {
        "neurons": size.n, "synapses": len(measured.edges), "tick_ms": 1.0, "network_steps": STEPS,
        **_result(blocks, rounds), "rates_hz": rates,
    }  # fmt: skip
    if others and size.n >= EVENTS_FROM:
        say("synaptic events")
        found["events"] = cost(measured, EVENT_TICKS, 2 * rounds)
    return found


def _brian(
    size: Size, measured: Measured, folder: Path, stack: contextlib.ExitStack, rates: dict[str, float], say: Say
) -> dict[str, tuple[Side, int]]:
    say("building Brian2's objects and its executable")
    runtime = Inner(RuntimeBackend(measured.network, STEPS, target="cython"), measured)
    stack.callback(runtime.backend.close)
    loop = Peer("brian_peer", folder, "loop")
    stack.callback(loop.close)
    standalone = Peer("brian_peer", folder, "standalone", str(WARM), str(size.standalone))
    stack.callback(standalone.close)
    rates["runtime"] = _rate(runtime.lockstep, measured)
    rates["loop"] = _rate(loop.side("alone"), measured)
    return {
        "runtime": (runtime.lockstep, size.runtime),
        "loop": (loop.side("stepped"), size.loop),
        "standalone": (standalone.side("alone"), size.standalone),
    }


def _nest(
    size: Size, measured: Measured, folder: Path, stack: contextlib.ExitStack, rates: dict[str, float], say: Say
) -> dict[str, tuple[Side, int]]:
    say("building NEST's network")
    nest = Peer("nest_peer", folder)
    stack.callback(nest.close)
    rates["nest"] = _rate(nest.side("alone"), measured)
    return {
        "nest": (nest.side("stepped"), size.nest),
        "nest_bare": (nest.side("bare"), size.nest),
        "nest_alone": (nest.side("alone"), size.nest_alone),
    }


def _rounds(
    compiled: Compiled, ticks: int, sides: dict[str, tuple[Side, int]], rounds: int, say: Say
) -> dict[str, list[Block]]:  # fmt: skip
    """Blocks of all sides; lockstep and alone have PAIRS in each round."""
    found: dict[str, list[Block]] = {"lockstep": [], "alone": [], **{name: [] for name in sides}}
    for repeat in range(rounds):
        say(f"round {repeat + 1} of {rounds}")
        for _ in range(PAIRS):
            found["lockstep"].append(compiled.lockstep(ticks))
            found["alone"].append(compiled.alone(ticks))
        for name, (side, many) in sides.items():
            found[name].append(side(many))
    return found


def _result(blocks: dict[str, list[Block]], rounds: int) -> dict[str, Any]:
    ticks = {name: [block.tick for block in measured] for name, measured in blocks.items()}
    whole = {name: by_round(values, rounds) for name, values in ticks.items()}
    ratios = {"lockstep / uninterrupted": ratio(ticks, "lockstep", "alone")}
    for name, label, below in (
        ("loop", "net.run in a loop / cosim", "lockstep"),
        ("nest", "NEST stepped / cosim", "lockstep"),
        ("nest_bare", "NEST stepped, nothing exchanged / cosim", "lockstep"),
        ("nest_alone", "NEST uninterrupted / cosim uninterrupted", "alone"),
        ("runtime", "runtime backend / compiled", "lockstep"),
        ("standalone", "Brian2's executable / cosim uninterrupted", "alone"),
    ):
        if name in whole:
            ratios[label] = ratio(whole, name, below)
    if "standalone" in whole:
        ratios["cosim / floor"] = ratio(whole, "lockstep", "standalone")
        ticks["floor"] = ticks["standalone"]
    # nothing else is in a tick: what the same ticks cost in one call is the network's
    ticks["network"] = ticks["alone"]
    ticks["bridge"] = [a - b for a, b in zip(ticks["lockstep"], ticks["alone"], strict=True)]
    return {"ratios": ratios, "microseconds_per_tick": {name: spread(values, 1e6) for name, values in ticks.items()}}


def _rate(side: Side, measured: Measured) -> float:
    side(WARM)
    return _hertz(side(RATE), measured)


def _hertz(block: Block, measured: Measured) -> float:
    return block.spikes / measured.network.n / (block.ticks * 1e-3)


@contextlib.contextmanager
def _folder(measured: Measured) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cosim-bench-") as folder:
        export(measured, Path(folder))
        yield Path(folder)


# ---------------------------------------------------------------- the fly's size


def _fly(rounds: int, say: Say) -> dict[str, Any]:
    measured = fly_network()
    compiled = Compiled(measured)
    blocks: dict[str, list[Block]] = {"alone": [], "standalone": []}
    with _folder(measured) as folder:
        say("building Brian2's executable")
        standalone = Peer("brian_peer", folder, "standalone", str(WARM), str(FLY_TICKS))
        try:
            compiled.alone(WARM)
            executable = standalone.side("alone")
            for repeat in range(rounds):
                say(f"round {repeat + 1} of {rounds}")
                for name, side in (("alone", compiled.alone), ("standalone", executable)):
                    blocks[name].append(side(FLY_TICKS))
        finally:
            standalone.close()
    active = _active(compiled)
    compiled.backend.close()
    ticks = {name: [block.tick for block in many] for name, many in blocks.items()}
    return {
        "neurons": FLY_NEURONS, "synapses": FLY_EDGES, "active": active, "tick_ms": 1.0, "network_steps": STEPS,
        "ratios": {"Brian2's executable / cosim uninterrupted": ratio(ticks, "standalone", "alone")},
        "microseconds_per_tick": {name: spread(values, 1e6) for name, values in ticks.items()},
        # the first blocks of both are the same time of the same network
        "rates_hz": {name: _hertz(many[0], measured) for name, many in blocks.items()},
    }  # fmt: skip


def _active(compiled: Compiled) -> int:
    """Neurons that spike within the ticks in which rates are taken."""
    found: set[int] = set()
    for _ in range(RATE):
        compiled.backend.advance()
        found.update(compiled.backend.spikes()[1].tolist())
    return len(found)
