"""A replay beside measurement: contacts leg by leg, the records of other animals, and speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.analyse.options import ReplayOptions
from cosim.analyse.replay import contacts, stance_forces, window
from cosim.analyse.stances import Agreement, Stances, compare, read_stances
from cosim.bridge.inputs import read_columns
from cosim.errors import Problem, UserError
from cosim.record.result import Result
from cosim.replay.variants import Curves, Failure

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Legs:
    """Contacts of a replay and what was measured of the same animal in the same frames."""

    measured: Stances
    force: F64
    threshold: float
    agreement: Agreement

    @property
    def simulated(self) -> Stances:
        """The replay as a record."""
        one = self.measured
        return Stances(one.time, one.dt, one.legs, self.force > self.threshold)


@dataclass(frozen=True)
class Other:
    """Another animal's record: it walked with its own rhythm, so only duty and steps can be set beside it. `accuracy`
    is that of the replay against the best of its stretches of the same length: what a foreign record can reach."""

    name: str
    duty: F64
    steps: F64
    accuracy: float


def legs_of(result: Result, options: ReplayOptions, transient: float) -> Legs | None:
    """None where there is no record of contacts to compare with."""
    if options.contacts is None:
        return None
    begin, end = window(result, options, transient)
    measured = read_stances(Path(options.contacts)).between(begin, end)
    return Legs(
        measured, stance_forces(result, measured), options.threshold, contacts(result, options, begin, end)
    )  # fmt: skip


def others_of(legs: Legs, files: Sequence[str]) -> list[Other]:
    """The records of other animals. Raises UserError for legs that the first record does not have."""
    found = []
    n = len(legs.measured.time)
    for file in files:
        record = read_stances(Path(file))
        if record.legs != legs.measured.legs:
            raise UserError(f"{file}: the legs are {', '.join(record.legs)}, expected {', '.join(legs.measured.legs)}")
        stretches = [
            Stances(record.time[k : k + n], record.dt, record.legs, record.down[k : k + n])
            for k in range(0, len(record.time) - n + 1, max(n // 30, 1))
        ]
        best = max((compare(legs.force, one, legs.threshold, 0).mean_accuracy for one in stretches), default=np.nan)
        found.append(Other(Path(file).stem, record.duty, record.steps, float(best)))
    return found


def read_speeds(path: Path) -> Mapping[str, tuple[float, float]]:
    """Mean and standard deviation (m/s) of speed by animal. Raises UserError."""
    names, dims, table = read_columns(path)
    if names[:3] != ["fly", "mean", "sd"] or dims[1] != (1, 0, -1, 0, 0, 0, 0):
        raise UserError(Problem(str(path), 1, 1, "", "expected the columns fly, mean [mm/s], sd [mm/s]"))
    return {f"fly {row[0]:g}": (float(row[1]), float(row[2])) for row in table}


@dataclass(frozen=True)
class Bands:
    """How far a replay's curves go apart where what is not known is changed: lowest and highest of all variants and of
    the replay itself, as `Curves`; `failed` says which variants did not run, and why."""

    low: Curves
    high: Curves
    metrics: Mapping[str, tuple[float, float]]
    failed: Mapping[str, str]


def bands_of(own: Curves, variants: Mapping[str, Curves | Failure]) -> Bands:
    """The envelope of the replay and its variants."""
    good = [own, *(one for one in variants.values() if isinstance(one, Curves))]

    def envelope(reduce: np.ufunc) -> Curves:
        arrays = {
            name: np.asarray(reduce.reduce([getattr(one, name) for one in good]))
            for name in ("foot", "torque", "power", "path")
        }
        return Curves(own.time, own.feet, arrays["foot"], own.joints, arrays["torque"], arrays["power"],
                      arrays["path"], {})  # fmt: skip

    numbers = {
        name: [float(one.metrics[name]) for one in good if np.isfinite(one.metrics.get(name, np.nan))]
        for name, value in own.metrics.items()
        if not isinstance(value, list)
    }
    failed = {name: one.reason for name, one in variants.items() if isinstance(one, Failure)}
    return Bands(
        envelope(np.minimum), envelope(np.maximum),
        {name: (min(values), max(values)) for name, values in numbers.items() if values}, failed,
    )  # fmt: skip


def says(tether: str, bands: Bands | None) -> str:
    """In words: what a replay of this kind can and cannot tell."""
    if tether == "vertical":
        return (
            "The thorax moves freely up and down, so the mean vertical force is the weight; how the legs share it, and "
            "all horizontal forces, which the tether takes up, are inferred under the assumptions listed here."
        )
    if tether == "none":
        return (
            "The body is free, so the mean vertical force is the weight. Forces with which legs work against each "
            "other through the body do not move it and rest on the stiffness of the joints: compare the bands."
        )
    text = (
        "The thorax is fixed, so the size of the contact forces, and of the joint torques that balance them, is not "
        "identifiable: it follows from the height at which the thorax is fixed and from the stiffness of joints and "
        "ground, not from the movement. This replay tells when legs carry load; it claims nothing about how much."
    )
    if bands is not None and "vertical_force_over_weight" in bands.metrics:
        low, high = bands.metrics["vertical_force_over_weight"]
        text += f" Over the variants the mean vertical force goes from {low:.2g} to {high:.2g} times the weight."
    return text
