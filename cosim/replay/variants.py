"""The same replay with other values of what is not known: one run a variant, several at a time."""

from __future__ import annotations

import itertools
import multiprocessing
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.errors import CosimError
from cosim.record.result import Result

F64 = NDArray[np.float64]
Changes = dict[str, Any]


@dataclass(frozen=True)
class Curves:
    """What a replay infers: `time` (n,) in s; `foot` (n, feet) the vertical force on each foot in N, `torque`
    (n, joints) in N m, `power` (n,) the sum of all joints in W, `path` (n, 3) of the centre of mass in m."""

    time: F64
    feet: tuple[str, ...]
    foot: F64
    joints: tuple[str, ...]
    torque: F64
    power: F64
    path: F64
    metrics: Mapping[str, Any]


def curves_of(result: Result) -> Curves:
    """From a recorded replay. Raises UserError where a sensor is missing."""
    foot, torque, power, path = (
        result.trace(f"body/{name}") for name in ("foot_force", "joint_torque", "joint_power", "com_position")
    )
    return Curves(
        time=foot.time, feet=tuple(map(str, foot.labels[0])), foot=foot.values[:, :, 2].astype(np.float64),
        joints=tuple(map(str, torque.labels[0])), torque=torque.values.astype(np.float64),
        power=power.values.astype(np.float64).sum(axis=1), path=path.values[:, 0].astype(np.float64),
        metrics=result.metrics,
    )  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """A variant that could not be run, and why."""

    reason: str


def one_at_a_time(vary: Mapping[str, Sequence[Any]]) -> list[Changes]:
    """Each path with each of its values, everything else as it is."""
    return [{path: value} for path, values in vary.items() for value in values]


def combinations(vary: Mapping[str, Sequence[Any]]) -> list[Changes]:
    """Every combination of the values of all paths."""
    return [dict(zip(vary, values, strict=True)) for values in itertools.product(*vary.values())]


def check_variants(document: Path, base: Changes, variants: Sequence[Changes]) -> None:
    """Raise UserError for a path or value that the documents do not take, before anything runs."""
    from cosim.spec.load import load_experiment

    for changes in variants:
        load_experiment(document, {**base, **changes}, check=False, origin="replay")


def run_variants(
    document: Path, base: Changes, variants: Sequence[Changes], jobs: int
) -> list[Curves | Failure]:  # fmt: skip
    """Run the experiment once for each variant's changes over `base`, in as many processes as there are `jobs`."""
    tasks = [(str(document), {**base, **changes}) for changes in variants]
    if jobs < 2 or len(tasks) < 2:
        return [_run(task) for task in tasks]
    # a fresh interpreter each: an engine's state must not come along with a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=context) as pool:
        return list(pool.map(_run, tasks))


def _run(task: tuple[str, Changes]) -> Curves | Failure:
    from cosim.api import load

    document, changes = task
    with tempfile.TemporaryDirectory(prefix="cosim-") as folder:
        try:
            return curves_of(load(document, changes).run(out=Path(folder) / "run"))
        except CosimError as error:
            return Failure(str(error))
