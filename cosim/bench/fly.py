"""A drawn brain of the fly's size, in closed loop with its body, on one rank and more; beside NEST without a body."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from statistics import median
from typing import Any

from cosim.bench.circuits import FLY_EDGES, FLY_NEURONS, fly_network
from cosim.bench.jobs import Job, Jobs, memory_of
from cosim.bench.sides import Say, by_round, spread

NAME = "fly_brain_synthetic"
BLOCKS = 3
NEST_TICKS, NEST_THREADS = 60, 2


def measure(ranks: Sequence[int], rounds: int, nest: bool, say: Say, name: str = NAME) -> dict[str, Any]:
    """Medians and ratios of an experiment on so many ranks.

    Returns `ranks`, a list by number of ranks (seconds a tick, parts, memory, building), `nest` where it is, and
    `ratios`. NEST has a network of the same size whose neurons fire about as much, in the open loop.
    """
    with Jobs(say) as jobs:
        made = {r: jobs.cosim((name, 0, r), "experiment", name) for r in ranks}
        other = None
        if nest:
            folder = jobs.exported(fly_network())
            gc.collect()
            other = jobs.nest(FLY_NEURONS, NEST_THREADS, folder)
            other.ticks = NEST_TICKS
        for repeat in range(rounds):
            say(f"round {repeat + 1} of {rounds}")
            for _ in range(BLOCKS):
                for job in made.values():
                    job.block("ticks")
                    job.block("parts")
            if other is not None:
                other.block("alone")
        result: dict[str, Any] = {"ranks": [_summary(job) for job in made.values()]}
        ticks = {r: by_round(job.seconds(), rounds) for r, job in made.items()}
        second = {r: job.peer.ready["tick"] for r, job in made.items()}
        ratios = {
            f"biological time / wall time, {_ranks(r)}": spread([second[r] / value for value in values])
            for r, values in ticks.items()
        }
        if other is not None:
            result["nest"] = {
                "neurons": FLY_NEURONS, "synapses": FLY_EDGES, "threads": NEST_THREADS,
                "tick": spread(other.seconds("alone")), "memory": memory_of(other), "build": other.peer.ready["build"],
                "spikes": median(one["spikes"] / one["ticks"] for one in other.blocks["alone"]),
            }  # fmt: skip
            for r, values in ticks.items():
                label = f"NEST, {NEST_THREADS} threads / cosim, {_ranks(r)}"
                theirs = other.seconds("alone")
                ratios[label] = spread([a / 1e-3 * second[r] / b for a, b in zip(theirs, values, strict=True)])
                share = sum(memory_of(made[r])["peak"]) / memory_of(other)["peak"][0]
                ratios[f"memory of cosim, {_ranks(r)} / NEST's"] = spread([share])
        return {**result, "ratios": ratios}


def _ranks(number: int) -> str:
    return "1 rank" if number == 1 else f"{number} ranks"


def _summary(job: Job) -> dict[str, Any]:
    ready, blocks = job.peer.ready, job.blocks["parts"]
    names = blocks[0]["parts"]
    return {
        "ranks": ready["ranks"], "neurons": ready["neurons"], "tick": spread(job.seconds()),
        "apart": median(job.seconds("parts")),
        # of rank 0, which has the body
        "parts": {name: median(one["by_rank"][name][0] for one in blocks) for name in names},
        "memory": memory_of(job), "build": ready["build"], "compiled": ready["compiled"],
        "spikes": median(one["spikes"] / one["ticks"] for one in job.blocks["ticks"]),
        **{name: ready[name] for name in ("epoch", "imbalance") if name in ready},
    }  # fmt: skip
