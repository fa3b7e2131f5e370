"""Networks shared among ranks: strong and weak scaling by parts, beside NEST and Brian2's executable; the fly's brain.

All sides of a comparison hold the same network at the same time and take turns in short blocks, round after round;
ratios are taken within a round and their medians given.
"""

from __future__ import annotations

import datetime
import gc
import importlib.metadata
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cosim.bench import fly, lone_grid
from cosim.bench.circuits import random_network
from cosim.bench.jobs import Job, Jobs, memory_of, parts_of
from cosim.bench.page import load_average
from cosim.bench.sides import Say, by_round, spread
from cosim.bench.targets import wanted
from cosim.errors import UserError
from cosim.manifest import host, versions
from cosim.mpi.launcher import launcher
from cosim.neural.limits import check_machine

NAMES = ("scaling", "lone", "fly")
ROUNDS, QUICK_ROUNDS = 5, 2
BLOCKS = 4  # short blocks of every side of cosim in each round, most of which nothing interrupts
RANKS = (1, 2, 4)
THREADS = 2  # the most that peers get


@dataclass(frozen=True)
class Sizes:
    """Neurons of the network that ever more ranks share, and neurons per rank of the one that grows; sources of each
    neuron."""

    strong: int = 100_000
    weak: int = 50_000
    indegree: int = 100


def run(
    names: Sequence[str] = (), ranks: Sequence[int] = (), rounds: int | None = None, *, quick: bool = False,
    sizes: Sizes | None = None, say: Say | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Measure what `names` say (NAMES), on as many ranks (RANKS, as far as there are cores).

    `quick`: cosim alone, in few rounds. Returns machine, versions, and under each name what was found (see `scaling`,
    `lone_grid.measure`, `fly.measure`). Raises UserError for an unknown name, and where there is no C++ compiler or no
    MPI. What is left out is in `skipped`.
    """
    say = say or (lambda text: None)
    names, sizes = names or NAMES, sizes or Sizes()
    ranks, skipped = _ranks(ranks)
    rounds = rounds or (QUICK_ROUNDS if quick else ROUNDS)
    _check(names)
    has_nest = importlib.util.find_spec("nest") is not None
    if quick:
        skipped.append("Brian2 and NEST are left out: --quick.")
    elif not has_nest:
        skipped.append("NEST is left out, it is not installed: pip install 'cosim-neuro[bench]'.")
    begin = load_average()
    found: dict[str, Any] = {}
    if "scaling" in names:
        found["scaling"] = scaling(sizes, ranks, rounds, not quick, has_nest and not quick, say)
        gc.collect()
    if "lone" in names:
        found["lone"] = lone_grid.measure(sizes.strong, sizes.weak, sizes.indegree, say)
    if "fly" in names:
        found["fly"] = fly.measure(ranks, rounds, has_nest and not quick, say)
    if any(one.get("has_mpi") is False for one in found.get("scaling", {}).get("peers", [])):
        skipped.append("NEST's ranks are left out: this NEST was built without MPI (its wheel is); it has threads.")
    return {
        "machine": host(),
        "versions": versions() | _more_versions(has_nest and not quick),
        "command": " ".join(["cosim bench shards", *(() if tuple(names) == NAMES else names)]),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "load": [begin, load_average()],
        "rounds": rounds,
        "ranks": list(ranks),
        "skipped": skipped,
        **found,
        "wanted": wanted(found),
    }


def _ranks(given: Sequence[int]) -> tuple[Sequence[int], list[str]]:
    """Numbers of ranks, one of them 1, and what is left out."""
    cores = len(os.sched_getaffinity(0))
    if given:
        return sorted({1, *given}), []
    chosen = [ranks for ranks in RANKS if ranks <= cores]
    left = [f"{ranks}" for ranks in RANKS if ranks > cores]
    return chosen, [f"{' and '.join(left)} ranks are left out, there are {cores} cores."] if left else []


def _check(names: Sequence[str]) -> None:
    for name in names:
        if name not in NAMES:
            raise UserError(f"no measurement '{name}', expected some of {', '.join(NAMES)}")
    check_machine()
    if launcher() is None or importlib.util.find_spec("mpi4py") is None:
        raise UserError("there is no MPI to share a network with: pip install 'cosim-neuro[mpi]'")


def _more_versions(nest: bool) -> dict[str, str]:
    names = {"mpi4py": "mpi4py", **({"nest": "nest-simulator"} if nest else {})}
    return {name: importlib.metadata.version(package) for name, package in names.items()}


def scaling(sizes: Sizes, ranks: Sequence[int], rounds: int, others: bool, nest: bool, say: Say) -> dict[str, Any]:
    """Both scalings.

    Returns `strong` and `weak`, lists of what was found on each number of ranks (see `_summary`), `peers`, a list of
    the same for other simulators, and `ratios`.
    """
    weak = {r: sizes.weak * r for r in ranks}
    shapes = sorted({(n, r) for r in ranks for n in (sizes.strong, weak[r])})
    with Jobs(say) as jobs:
        for n, r in shapes:
            for kind in ("random", "cells"):
                jobs.cosim((kind, n, r), kind, str(n), str(sizes.indegree))
        if others:
            _peers(jobs, {(n, r) for n, r in shapes if r <= THREADS}, sizes.indegree, nest)
        for repeat in range(rounds):
            say(f"round {repeat + 1} of {rounds}")
            for _ in range(BLOCKS):
                for (kind, _, _), job in jobs.made.items():
                    if kind == "random":
                        job.block("ticks")
                    if kind in ("random", "cells"):
                        job.block("parts")
            for (kind, _, _), job in jobs.made.items():
                if kind in ("nest", "brian"):
                    job.block("alone")
        made = jobs.made
        found = {
            (n, r): _summary(made["random", n, r], made["cells", n, r], n, sizes.indegree) for n, r in shapes
        }  # fmt: skip
        return {
            "strong": [found[sizes.strong, r] for r in ranks],
            "weak": [found[weak[r], r] for r in ranks],
            "peers": [
                _peer(job, kind, n, threads, sizes.indegree)
                for (kind, n, threads), job in made.items()
                if kind in ("nest", "brian")
            ],
            "ratios": _ratios(made, sizes, ranks, rounds),
        }


def _peers(jobs: Jobs, shapes: set[tuple[int, int]], indegree: int, nest: bool) -> None:
    for n in sorted({n for n, _ in shapes}):
        folder = jobs.exported(random_network(n, indegree))
        gc.collect()
        for threads in sorted(r for m, r in shapes if m == n):
            if nest:
                jobs.nest(n, threads, folder)
            jobs.brian(n, threads, folder)


def _summary(job: Job, cells: Job, n: int, indegree: int) -> dict[str, Any]:
    """Sizes, seconds a tick, its parts, spikes, memory by rank, seconds of building."""
    ready, blocks = job.peer.ready, job.blocks["parts"]
    shared = "integrating" in cells.blocks["parts"][0]["parts"]
    bare = [one["parts"]["integrating"] for one in cells.blocks["parts"]] if shared else cells.seconds("parts")
    synapses = n * indegree
    memory = memory_of(job)
    used = {name: sum(memory[name]) - sum(memory["bare"]) for name in ("peak", "resident")}
    return {
        "neurons": n, "synapses": synapses, "ranks": ready["ranks"], "tick": spread(job.seconds()),
        "parts": parts_of(bare, blocks), "build": ready["build"], "compiled": ready["compiled"], "memory": memory,
        "bytes_per_synapse": {name: value / synapses for name, value in used.items()},
        "rate_hz": _rate(job.blocks["ticks"], n), "sent": [sum(one) / len(blocks) for one in _columns(blocks)],
        **{name: ready[name] for name in ("epoch", "imbalance") if name in ready},
    }  # fmt: skip


def _columns(blocks: Sequence[dict[str, Any]]) -> list[list[float]]:
    return [list(column) for column in zip(*(one["sent"] for one in blocks), strict=True)]


def _rate(blocks: Sequence[dict[str, Any]], n: int) -> float:
    spikes, ticks = (sum(one[name] for one in blocks) for name in ("spikes", "ticks"))
    return float(spikes / n / (ticks * 1e-3))


def _peer(job: Job, kind: str, n: int, threads: int, indegree: int) -> dict[str, Any]:
    ready, memory = job.peer.ready, memory_of(job)
    return {
        "kind": kind, "neurons": n, "threads": threads, "tick": spread(job.seconds("alone")), "build": ready["build"],
        "memory": memory, "bytes_per_synapse": memory["peak"][0] / (n * indegree),
        "rate_hz": _rate(job.blocks["alone"], n), "has_mpi": ready.get("has_mpi"),
    }  # fmt: skip


def _ratios(
    made: dict[Any, Job], sizes: Sizes, ranks: Sequence[int], rounds: int
) -> dict[str, dict[str, float]]:  # fmt: skip
    """Of seconds a tick, round by round."""

    def rows(kind: str, n: int, r: int) -> list[float]:
        job = made[kind, n, r]
        return by_round(job.seconds("ticks" if kind == "random" else "alone"), rounds)

    def ratio(above: list[float], below: list[float]) -> dict[str, float]:
        return spread([a / b for a, b in zip(above, below, strict=True)])

    one, found = rows("random", sizes.strong, 1), {}
    for r in (r for r in ranks if r > 1):
        found[f"strong scaling: 1 rank / {r} ranks"] = ratio(one, rows("random", sizes.strong, r))
        alone = rows("random", sizes.weak, 1)
        found[f"weak scaling: 1 rank / {r} ranks"] = ratio(alone, rows("random", sizes.weak * r, r))
    for kind, label in (("nest", "NEST"), ("brian", "Brian2's executable")):
        for r in ranks:
            if (kind, sizes.strong, r) in made:
                words = "1 thread / cosim, 1 rank" if r == 1 else f"{r} threads / cosim, {r} ranks"
                found[f"{label}, {words}"] = ratio(rows(kind, sizes.strong, r), rows("random", sizes.strong, r))
    return found
