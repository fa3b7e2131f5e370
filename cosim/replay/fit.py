"""Fit what is not known to the first part of a record of contacts, and score it on the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.analyse.stances import Agreement, Stances, binned, compare, read_stances
from cosim.errors import UserError
from cosim.replay.variants import Changes, Curves, Failure, check_variants, combinations, run_variants
from cosim.spec.replay import FitSpec


@dataclass(frozen=True)
class Fitted:
    """One combination: its changes and threshold (N), and how it agrees with the record before (`first`) and after
    (`second`) the end of the part that it was chosen by, and over the whole of it."""

    changes: Changes
    threshold: float
    first: Agreement
    second: Agreement
    whole: Agreement

    @property
    def score(self) -> float:
        """What is maximised, on the first part."""
        return float(np.nan_to_num(self.first.mean_accuracy + self.first.mean_r, nan=-np.inf))


def fit(document: Path, base: Changes, spec: FitSpec, record: str, shifts: int, jobs: int) -> list[Fitted]:
    """All combinations, the best of the first part first. Raises UserError where none could be run."""
    changes = combinations(spec.vary)
    check_variants(document, base, changes)
    curves = run_variants(document, base, changes, jobs)
    stances = read_stances(Path(record))
    found = [
        one
        for change, curve in zip(changes, curves, strict=True)
        if isinstance(curve, Curves)
        for one in _thresholds(change, curve, spec, stances, shifts)
    ]
    if not found:
        reason = next((one.reason for one in curves if isinstance(one, Failure)), "there is nothing to vary")
        raise UserError(f"replay.fit: no combination could be run: {reason}")
    return sorted(found, key=lambda one: -one.score)


def _thresholds(
    changes: Changes, curves: Curves, spec: FitSpec, stances: Stances, shifts: int
) -> Sequence[Fitted]:  # fmt: skip
    end = float(curves.time[-1])
    parts = [stances.between(*part) for part in ((0.0, spec.until), (spec.until, end), (0.0, end))]
    if min(len(part.time) for part in parts) < 2:
        raise UserError(f"replay.fit.until: {spec.until:g} s leaves no frames of the record on one side")
    legs = [curves.feet.index(leg) for leg in stances.legs]
    forces = [binned(curves.time, curves.foot[:, legs], part.time, part.dt) for part in parts]
    return [
        Fitted(
            changes, threshold, *(compare(f, p, threshold, shifts) for f, p in zip(forces, parts, strict=True))
        )
        for threshold in spec.thresholds
    ]  # fmt: skip
