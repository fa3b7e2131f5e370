"""A record in memory gives what the same run recorded on disk gives: series, spikes, hashes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cosim.api import Experiment
from cosim.bridge.recording import attach_memory
from cosim.errors import UserError
from cosim.record.memory import MemoryResult
from cosim.record.result import Result
from cosim.spec.load import LoadedExperiment, load_experiment

#: every kind of series, some of them every few ticks, spikes of some populations
CHANGES = {
    "duration": "100 ms", "transient": "0 s", "perturb.tap.at": "20 ms", "record.spikes": "[MN, Ia]",
    "record.state": "{MN: {v: {neurons: [3, 1], every: 2 ms}, I_syn: {}}}", "record.body.every": "3 ms",
}  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Result]:
    """The same run on disk and in memory."""
    loaded = load_experiment("stretch_reflex", CHANGES)
    path = tmp_path_factory.mktemp("memory") / "run"
    return Experiment("x", {}, loaded).run(out=path), in_memory(loaded)


def in_memory(loaded: LoadedExperiment) -> MemoryResult:
    with Experiment("x", {}, loaded).open() as simulation:
        recorder = attach_memory(loaded.spec, simulation.lockstep, {"name": "x"})
        simulation._recorder = recorder
        simulation.run()
    return recorder.result()


def test_hashes_and_facts(both: tuple[Result, Result]) -> None:
    disk, memory = both
    assert memory.manifest["hashes"] == disk.manifest["hashes"]
    assert (memory.status, memory.duration, memory.tick, memory.network_dt) == (
        disk.status, disk.duration, disk.tick, disk.network_dt,
    )  # fmt: skip
    assert memory.spikes_of == disk.spikes_of
    assert sorted(memory.series) == sorted(disk.series)
    assert list(memory.populations) == list(disk.populations)
    for name, one in memory.populations.items():
        other = disk.populations[name]
        assert replace(one, positions={}, side=None) == replace(other, positions={}, side=None)
        assert list(one.side or ()) == list(other.side or ())
        assert {k: v.tobytes() for k, v in one.positions.items()} == {
            k: v.tobytes() for k, v in other.positions.items()
        }


def test_every_series_to_the_bit(both: tuple[Result, Result]) -> None:
    disk, memory = both
    for name in disk.series:
        one, other = memory.trace(name), disk.trace(name)
        assert one.values.dtype == other.values.dtype
        assert one.values.tobytes() == other.values.tobytes(), name
        assert one.time.tobytes() == other.time.tobytes(), name
        assert (one.dims, one.labels, one.unit) == (other.dims, other.labels, other.unit)


@pytest.mark.parametrize("population", [None, "MN", "Ia"])
def test_spikes_to_the_bit(both: tuple[Result, Result], population: str | None) -> None:
    times, wanted = (result.spikes(population) for result in both)
    assert len(times[0]) > 0
    assert [array.tobytes() for array in times] == [array.tobytes() for array in wanted]
    assert times[1].dtype == np.int64


def test_what_was_not_recorded_is_told(both: tuple[Result, Result]) -> None:
    for result in both:
        with pytest.raises(UserError, match="the spikes of IN were not recorded"):
            result.spikes("IN")
        with pytest.raises(UserError, match="body/nothing was not recorded"):
            result.trace("body/nothing")
