"""A touch spreads over the worm's connectome to the command neurons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def tap(out: Path, **more: Any) -> dict[str, float]:
    """What a tap gives: amplitudes (V) and latencies (s) of the pairs of command neurons."""
    metrics = cosim.load("celegans_tap", more).run(out=out).metrics
    return {name: float(value) for name, value in metrics.items()}


def test_a_tap_is_a_touch_to_the_front_until_its_receptors_are_gone(tmp_path: Path) -> None:
    """AVD (backward) and PVC (forward) compete, as in the lesions of Wicks & Rankin 1995: an intact animal draws back,
    one without ALM and AVM moves forward, one without PLM draws back more."""
    intact = tap(tmp_path / "intact")
    no_front = tap(tmp_path / "front", ablate=[{"silence": "neurons", "where": {"select": {"class": ["ALM", "AVM"]}}}])
    no_tail = tap(tmp_path / "tail", ablate=[{"silence": "neurons", "where": {"select": {"class": "PLM"}}}])
    backward = {name: one["amplitude_AVD"] / one["amplitude_PVC"]
                for name, one in {"intact": intact, "no_front": no_front, "no_tail": no_tail}.items()}  # fmt: skip
    assert backward["no_front"] < 0.7 and backward["intact"] > 1.4 and backward["no_tail"] > 1.8 * backward["intact"]
    # one contact away within a few milliseconds, AVB, which no receptor touches directly by a gap junction, last
    assert intact["latency_AVD"] < intact["latency_PVC"] < intact["latency_AVA"] < intact["latency_AVB"] < 4e-3


def test_without_gap_junctions_a_tap_reaches_nobody_at_once(tmp_path: Path) -> None:
    cut = tap(tmp_path / "cut", ablate=[{"cut": "gap"}, {"cut": "gap_conductance"}])
    assert all(abs(cut[f"amplitude_{name}"]) < 0.15e-3 for name in ("AVD", "AVA", "AVE", "PVC", "AVB"))
    assert all(cut[f"latency_{name}"] > 50e-3 for name in ("AVD", "AVA", "AVE", "PVC", "AVB"))
