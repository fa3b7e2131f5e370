"""The rhythm of the fly's nerve cord by input, and the cells that it needs (Pugliese et al. 2025)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import cosim
from cosim.neural.toolchain import has_compiler

pytestmark = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")


def core(out: Path, **more: Any) -> dict[str, float]:
    metrics = cosim.load("vnc_core", more).run(out=out).metrics
    return {name: float(value) for name, value in metrics.items()}


@pytest.mark.parametrize(("drive", "published"), [(220, 15.9), (260, 16.7), (300, 17.1), (340, 17.3)])
def test_frequency_by_input(drive: int, published: float, tmp_path: Path) -> None:
    found = core(tmp_path / "run", input=drive)
    assert found["oscillation_frequency"] == pytest.approx(published, rel=0.05)
    assert found["oscillating"] > 0.95


@pytest.mark.parametrize(("cell", "seen"), [("E1", "E2"), ("E2", "E1"), ("I1", "E1")])
def test_without_one_of_its_cells_there_is_no_rhythm(cell: str, seen: str, tmp_path: Path) -> None:
    watch = {"record.state": {seen: {"R": {"every": "1 ms"}}}, "measure.oscillation.population": seen}
    assert core(tmp_path / "run", ablate=[{"silence": cell}], **watch)["oscillating"] == 0


def test_a_cell_silenced_in_mid_run_stops_what_it_drives(tmp_path: Path) -> None:
    result = cosim.load("vnc_core", {"ablate": [{"silence": "DNg100", "at": "1.5 s"}]}).run(out=tmp_path / "run")
    trace = result.trace("state/E1/R")
    before, after = trace.after(1.0).values[:400], trace.after(2.0).values
    assert before.max(axis=0).min() > 1 and after.max() < 1e-6
