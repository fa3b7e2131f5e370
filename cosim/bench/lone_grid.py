"""One rank of many on its own, for many numbers of ranks, and the model of the cost that is fitted to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from statistics import median
from typing import Any

from cosim.bench.jobs import Job, Jobs
from cosim.bench.scaling import Observation, Shape, fit
from cosim.bench.sides import Say

RATE = 7.6  # Hz, at which the random network fires
STRONG = (1, 2, 4, 16, 64, 256, 1024)
WEAK = (4, 16, 64)
SPARSE = (1, 16)  # with a fifth of the sources
CELLS = (1, 4, 16, 64)  # without any, of so many ranks
BLOCKS, TICKS = 9, 40


def shapes(strong: int, weak: int, indegree: int) -> list[Shape]:
    """What is measured: the terms of the model differ in all of it."""
    found = [Shape(strong, indegree, r, RATE) for r in STRONG if r <= strong]
    found += [Shape(weak * r, indegree, r, RATE) for r in WEAK]
    found += [Shape(strong, max(indegree // 5, 1), r, RATE) for r in SPARSE]
    return found + [Shape(strong // r, 0, 1, RATE) for r in CELLS]


def measure(strong: int, weak: int, indegree: int, say: Say) -> dict[str, Any]:
    """Seconds a tick by part and memory (bytes) of every shape, one after another, and the fitted costs."""
    observed = []
    for shape in shapes(strong, weak, indegree):
        with Jobs(say) as jobs:
            observed.append(_observe(shape, jobs))
    plain = [{**asdict(one.shape), "parts": one.parts} for one in observed]
    return {"observed": plain, "costs": fit(observed)}


def shape_of(plain: Mapping[str, Any]) -> Shape:
    """The shape of an entry of `observed`."""
    return Shape(plain["n"], plain["indegree"], plain["ranks"], plain["rate"])


def _observe(shape: Shape, jobs: Jobs) -> Observation:
    if shape.indegree:
        words = [str(shape.n), str(shape.indegree), str(shape.ranks), str(shape.rate)]
        job = jobs.cosim(("lone", shape.n, 1), "lone", *words)
    else:
        job = jobs.cosim(("cells", shape.n, 1), "cells", str(shape.n), "1")
    job.ticks = TICKS
    for _ in range(BLOCKS):
        job.block("ticks")
    if not shape.indegree:
        return Observation(shape, {"integrating": median(job.seconds())})
    parts = {name: _middle(job, name) for name in ("integrating", "writing", "merging", "gathering")}
    return Observation(shape, {**parts, "memory": job.peer.ready["peak"][0]})


def _middle(job: Job, name: str) -> float:
    return float(median(one["parts"][name] for one in job.blocks["ticks"]))
