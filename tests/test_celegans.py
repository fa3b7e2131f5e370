"""A touch spreads over the worm's connectome to the command neurons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cosim
from cosim.neural.toolchain import has_compiler

pytestmark = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")

SHORT = {"duration": "1.35 s", "transient": "1 s", "drives.touch.pulse.at": "1.05 s"}


def responses(name: str, out: Path, **more: str) -> dict[str, float]:
    """Depolarisation (V) of every recorded cell, from just before the touch to the end of its 300 ms."""
    result = cosim.load(name, {**SHORT, **{path.replace("__", "."): text for path, text in more.items()}}).run(out=out)
    trace, cells = result.trace("state/neurons/v"), result.population("neurons").cell
    assert cells is not None
    before, after = np.searchsorted(trace.time, [1.049, 1.349])
    change = trace.values[after] - trace.values[before]
    return {cells[int(label)]: float(value) for label, value in zip(trace.labels[0], change, strict=True)}


def test_the_front_reaches_avd_and_the_tail_pvc(tmp_path: Path) -> None:
    """As in Chalfie et al. 1985, where AVD is needed for the one withdrawal and PVC for the other."""
    front, tail = responses("celegans_touch", tmp_path / "front"), responses("celegans_touch_tail", tmp_path / "tail")
    command = ["AVAL", "AVAR", "AVDL", "AVDR", "AVEL", "AVER", "AVBL", "AVBR", "PVCL", "PVCR"]
    assert all(found[cell] > 0 for found in (front, tail) for cell in command)
    assert {max(command, key=front.__getitem__)} == {"AVDL"}
    assert sorted(command, key=tail.__getitem__)[-2:] == ["PVCL", "PVCR"]
    assert front["AVDL"] > 3 * tail["AVDL"]
    assert tail["PVCR"] > front["PVCR"]
    # contacts carry it: without any, nothing arrives
    deaf = responses("celegans_touch", tmp_path / "deaf", circuit__gap="0", circuit__chemical="0")
    assert deaf["AVM"] == pytest.approx(10e-12 / 10e-12 * (1 - np.exp(-0.299 / 0.1)), rel=0.02)
    assert all(abs(deaf[cell]) < 1e-9 for cell in command)
    # and most of what reaches AVD comes through gap junctions
    chemical = responses("celegans_touch", tmp_path / "chemical", circuit__gap="0")
    assert chemical["AVDL"] < 0.5 * front["AVDL"]
