"""A small layout that has every kind of array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.record import (
    PopulationLayout,
    Recorder,
    RecordLayout,
    body_series,
    prepare_directory,
    state_series,
    wire_series,
)

LAYOUT = RecordLayout(
    tick=1e-3,
    dt=1e-4,
    populations=(
        PopulationLayout("EX", 0, 6, ["left"] * 3 + ["right"] * 3, {"y": np.arange(6) * 0.01}),
        PopulationLayout("MN", 6, 4),
    ),
    series=(
        body_series("joint_angle", ["neck", "tail"], unit="rad"),
        body_series("link_position", ["head", "trunk", "tail"], unit="m", width=3),
        body_series("link_orientation", ["head"], width=4),
        state_series("MN", "v", [0, 3], unit="V"),
        state_series("MN", "w1", [1], unit="A", every=5),
        wire_series("motor", "sent", ["left", "right"]),
        wire_series("motor", "delivered", ["left", "right"]),
    ),
)


class Writer:
    """Writes a run whose every number follows from its tick."""

    layout = LAYOUT

    def open(self, path: Path, flush_every: int = 100, layout: RecordLayout = LAYOUT, **manifest: Any) -> Recorder:
        prepare_directory(path, force=True)
        return Recorder(path, manifest={"name": "test", **manifest}, layout=layout, flush_every=flush_every)

    def tick(self, recorder: Recorder, k: int) -> None:
        """Tick k: k % 4 spikes, the rows of all series, the body's state."""
        ids = np.arange(k % 4, dtype=np.int32) + k % 7
        recorder.spikes(np.full(len(ids), 10 * k, dtype=np.int64), ids)
        for one in recorder.layout.series:
            if k % one.every == 0:
                recorder.channel(one.name).append(self.row(one.name, one.shape, k))
        recorder.body_sum.extend(np.array([[k, 0.5 * k, -1.0]]))
        recorder.tick_done()

    def row(self, name: str, shape: tuple[int, ...], k: int) -> np.ndarray:
        """What the series ``name`` records at tick k."""
        return k + len(name) * 0.25 + np.arange(int(np.prod(shape))).reshape(shape) * 1e-3

    def run(self, path: Path, ticks: int, flush_every: int = 100, **close: Any) -> dict[str, Any]:
        """A whole run; returns the manifest."""
        recorder = self.open(path, flush_every)
        for k in range(ticks):
            self.tick(recorder, k)
        return recorder.close(**{"status": "complete", **close})


@pytest.fixture
def writer() -> Writer:
    return Writer()
