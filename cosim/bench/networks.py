"""A tick of large networks without a body: cosim in lockstep, left alone, and other ways to step the same network.

All sides have the same neurons, edges, delays, weights and initial values. Blocks of ticks alternate between them,
round after round; ratios are taken within a round and their medians given, because on a busy machine nothing else is
worth comparing.
"""

from __future__ import annotations

import contextlib
import datetime
import gc
import importlib.metadata
import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cosim.bench.circuits import FLY_EDGES, FLY_NEURONS, Measured, export, fly_network, random_network
from cosim.bench.events import cost
from cosim.bench.page import load_average, page, wanted
from cosim.bench.sides import Block, Compiled, Inner, Peer, Side, spread
from cosim.errors import UserError
from cosim.manifest import host, versions
from cosim.neural.runtime import RuntimeBackend
from cosim.spec.units import suggest

Say = Callable[[str], None]
WARM, RATE = 100, 200  # ticks before anything counts, ticks in which rates are compared
EVENTS_FROM = 100_000  # neurons; of smaller networks it is a small difference of small numbers
PAIRS = 24  # blocks of lockstep and uninterrupted per round: short ones, most of which nothing interrupts
EVENT_TICKS = 40
REPEATS = 5
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

#: row -> what it is
ROWS = {
    "lockstep": "cosim compiled, lockstep (spikes read, 100 inputs written)",
    "alone": "cosim compiled, uninterrupted",
    "runtime": "cosim runtime backend (cython), lockstep",
    "loop": "Brian2, `net.run(1*ms)` in a loop",
    "standalone": "Brian2's own executable, uninterrupted",
    "nest": "NEST, Prepare/Run(1)/Cleanup, spikes read, 100 inputs set",
    "nest_bare": "NEST, Prepare/Run(1)/Cleanup, nothing exchanged",
    "nest_alone": "NEST, uninterrupted",
}


def run(only: Sequence[str] = (), repeats: int = REPEATS, say: Say | None = None) -> dict[str, Any]:
    """Measure the networks named in `only` (1k, 10k, 100k, fly; all if empty) in `repeats` rounds.

    Returns machine, versions, sizes, and for every network ratios, microseconds per tick and rates. Raises UserError
    for an unknown network; NEST is left out where it is not installed, which `skipped` says.
    """
    say = say or (lambda text: None)
    known = [*SIZES, FLY]
    for name in only:
        if name not in known:
            raise UserError(f"there is no network '{name}', expected {', '.join(known)}{suggest(name, known)}")
    has_nest = importlib.util.find_spec("nest") is not None
    begin = load_average()
    found: dict[str, Any] = {"machine": host(), "versions": _versions(), "repeats": repeats, "networks": {}}
    found["command"] = " ".join(
        ["cosim bench networks", *only, *([] if repeats == REPEATS else [f"--repeats {repeats}"])]
    )
    found["date"] = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    found["skipped"] = [] if has_nest else ["NEST is not installed: pip install 'cosim-neuro[bench]'"]
    for name in only or known:
        say(f"{name}: building")
        found["networks"][name] = _fly(repeats, say) if name == FLY else _random(SIZES[name], repeats, has_nest, say)
        gc.collect()
    found["load"] = [begin, load_average()]
    found["wanted"] = wanted(found["networks"])
    return found


def table(result: dict[str, Any]) -> str:
    """The result as a page in Markdown."""
    return page(result, ROWS)


def _versions() -> dict[str, str]:
    found = versions()
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        found["nest"] = importlib.metadata.version("nest-simulator")
    return found


# ---------------------------------------------------------------- the random networks


def _random(size: Size, repeats: int, has_nest: bool, say: Say) -> dict[str, Any]:
    measured = random_network(size.n, size.indegree)
    compiled = Compiled(measured)
    runtime = Inner(RuntimeBackend(measured.network, compiled.backend.steps_per_tick, target="cython"), measured)
    sides: dict[str, tuple[Side, int]] = {"runtime": (runtime.lockstep, size.runtime)}
    rates = {"lockstep": _rate(compiled.alone, measured), "runtime": _rate(runtime.lockstep, measured)}
    with _folder(measured) as folder, contextlib.ExitStack() as stack:
        say("building Brian2's executable")
        loop = Peer("brian_peer", folder, "loop")
        stack.callback(loop.close)
        standalone = Peer("brian_peer", folder, "standalone", str(WARM), str(size.standalone))
        stack.callback(standalone.close)
        sides["loop"] = (loop.side("stepped"), size.loop)
        sides["standalone"] = (standalone.side("alone"), size.standalone)
        rates["loop"] = _rate(loop.side("alone"), measured)
        if has_nest:
            say("building NEST's network")
            nest = Peer("nest_peer", folder)
            stack.callback(nest.close)
            sides["nest"] = (nest.side("stepped"), size.nest)
            sides["nest_bare"] = (nest.side("bare"), size.nest)
            sides["nest_alone"] = (nest.side("alone"), size.nest_alone)
            rates["nest"] = _rate(nest.side("alone"), measured)
        blocks = _rounds(compiled, size.lockstep, sides, repeats, say)
    rates["standalone"] = _hertz(blocks["standalone"][-1], measured)
    compiled.backend.close()
    runtime.backend.close()
    found = {"neurons": size.n, "synapses": len(measured.edges), **_result(blocks), "rates_hz": rates}
    if size.n < EVENTS_FROM:
        return found
    say("synaptic events")
    found["events"] = cost(measured, EVENT_TICKS, 2 * repeats)
    return found


def _rounds(
    compiled: Compiled, ticks: int, sides: dict[str, tuple[Side, int]], repeats: int, say: Say
) -> dict[str, list[Block]]:  # fmt: skip
    """Blocks of all sides; lockstep and alone have PAIRS in each round."""
    found: dict[str, list[Block]] = {"lockstep": [], "alone": [], **{name: [] for name in sides}}
    for repeat in range(repeats):
        say(f"round {repeat + 1} of {repeats}")
        for _ in range(PAIRS):
            found["lockstep"].append(compiled.lockstep(ticks))
            found["alone"].append(compiled.alone(ticks))
        for name, (side, many) in sides.items():
            found[name].append(side(many))
    return found


def _result(blocks: dict[str, list[Block]]) -> dict[str, Any]:
    rounds = len(blocks["standalone"])
    ticks = {name: [block.tick for block in measured] for name, measured in blocks.items()}
    whole = {name: _by_round(values, rounds) for name, values in ticks.items()}
    pairs = [a / b for a, b in zip(ticks["lockstep"], ticks["alone"], strict=True)]
    ratios = {"lockstep / uninterrupted": spread(pairs)}
    for name, label, below in (
        ("loop", "net.run in a loop / cosim", "lockstep"),
        ("nest", "NEST stepped / cosim", "lockstep"),
        ("nest_bare", "NEST stepped, nothing exchanged / cosim", "lockstep"),
        ("nest_alone", "NEST uninterrupted / cosim uninterrupted", "alone"),
        ("runtime", "runtime backend / compiled", "lockstep"),
        ("standalone", "Brian2's executable / cosim uninterrupted", "alone"),
    ):
        if name in whole:
            ratios[label] = spread([a / b for a, b in zip(whole[name], whole[below], strict=True)])
    microseconds = {name: spread(values, 1e6) for name, values in ticks.items()}
    return {"ratios": ratios, "microseconds_per_tick": microseconds}


def _by_round(values: list[float], rounds: int) -> list[float]:
    per = len(values) // rounds
    return [median(values[i * per : (i + 1) * per]) for i in range(rounds)]


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


def _fly(repeats: int, say: Say) -> dict[str, Any]:
    measured = fly_network()
    compiled = Compiled(measured)
    blocks: dict[str, list[Block]] = {"alone": [], "standalone": []}
    with _folder(measured) as folder:
        say("building Brian2's executable")
        standalone = Peer("brian_peer", folder, "standalone", str(WARM), str(FLY_TICKS))
        try:
            compiled.alone(WARM)
            executable = standalone.side("alone")
            for repeat in range(repeats):
                say(f"round {repeat + 1} of {repeats}")
                for name, side in (("alone", compiled.alone), ("standalone", executable)):
                    blocks[name].append(side(FLY_TICKS))
        finally:
            standalone.close()
    active = _active(compiled)
    compiled.backend.close()
    ratios = [a.tick / b.tick for a, b in zip(blocks["standalone"], blocks["alone"], strict=True)]
    return {
        "neurons": FLY_NEURONS,
        "synapses": FLY_EDGES,
        "active": active,
        "seconds": FLY_TICKS * 1e-3,
        "ratios": {"Brian2's executable / cosim uninterrupted": spread(ratios)},
        "microseconds_per_tick": {name: spread([b.tick for b in many], 1e6) for name, many in blocks.items()},
        # the first blocks of both are the same time of the same network
        "spikes": {name: many[0].spikes for name, many in blocks.items()},
    }


def _active(compiled: Compiled) -> int:
    """Neurons that spike within the ticks in which rates are taken."""
    found: set[int] = set()
    for _ in range(RATE):
        compiled.backend.advance()
        found.update(compiled.backend.spikes()[1].tolist())
    return len(found)
