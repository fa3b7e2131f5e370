"""What is written is what is read back: values, times, names, hashes."""

from __future__ import annotations

import hashlib
import json
import struct
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.errors import CosimError, UserError
from cosim.record import Recorder, RecordLayout, Result, SeriesLayout, body_series, prepare_directory, state_series


@pytest.mark.parametrize("flush_every", [1, 7, 100, 1000])
def test_every_series_comes_back_whatever_the_flushes(tmp_path: Path, writer: Any, flush_every: int) -> None:
    writer.run(tmp_path / "r", 63, flush_every)
    result = Result(tmp_path / "r")
    assert result.complete
    assert result.duration == pytest.approx(0.063, abs=1e-15)
    for one in writer.layout.series:
        trace = result.trace(one.name)
        ticks = np.arange(0, 63, one.every)
        np.testing.assert_array_equal(trace.values, [writer.row(one.name, one.shape, k) for k in ticks])
        np.testing.assert_array_equal(trace.time, (ticks + one.first) * 1e-3)


def test_spikes_come_back_in_seconds_and_by_population(tmp_path: Path, writer: Any) -> None:
    writer.run(tmp_path / "r", 50)
    result = Result(tmp_path / "r")
    expected = [(10 * k, i + k % 7) for k in range(50) for i in range(k % 4)]
    times, ids = result.spikes()
    np.testing.assert_array_equal(times, np.array([step for step, _ in expected]) * 1e-4)
    np.testing.assert_array_equal(ids, [i for _, i in expected])
    times, ids = result.spikes("MN")
    mine = [(step, i - 6) for step, i in expected if 6 <= i < 10]
    np.testing.assert_array_equal(times, np.array([step for step, _ in mine]) * 1e-4)
    np.testing.assert_array_equal(ids, [i for _, i in mine])


def test_populations_keep_sides_and_positions(tmp_path: Path, writer: Any) -> None:
    writer.run(tmp_path / "r", 1)
    found = Result(tmp_path / "r").populations
    assert list(found) == ["EX", "MN"]
    assert found["EX"].side == ("left",) * 3 + ("right",) * 3
    np.testing.assert_array_equal(found["EX"].positions["y"], np.arange(6) * 0.01)
    assert (found["MN"].first, found["MN"].n, found["MN"].side) == (6, 4, None)


def test_groups_open_in_xarray_without_a_warning(tmp_path: Path, writer: Any) -> None:
    xarray = pytest.importorskip("xarray")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        writer.run(tmp_path / "r", 20)
        store = tmp_path / "r" / "data.zarr"
        body = xarray.open_zarr(store, group="body", consolidated=False)
        assert body["link_position"].dims == ("time", "link", "xyz")
        assert body["link_orientation"].dims == ("time", "link_link_orientation", "quaternion")
        assert body["joint_angle"].attrs["units"] == "rad"
        assert float(body["joint_angle"].sel(joint="tail")[3]) == writer.row("body/joint_angle", (2,), 3)[1]
        state = xarray.open_zarr(store, group="state/MN", consolidated=False)
        assert state["v"].dims == ("time", "neuron")
        # another interval and other neurons: dimensions of its own
        assert state["w1"].dims == ("time_w1", "neuron_w1")
        assert list(state["neuron"].values) == [0, 3]
        np.testing.assert_array_equal(state["time_w1"].values, np.arange(0, 20, 5) * 1e-3)
        for group in ("spikes", "wires/motor", "network/EX"):
            xarray.open_zarr(store, group=group, consolidated=False).load()
        result = Result(tmp_path / "r")
        xarray.testing.assert_identical(result.body, body.load())
        assert result.to_xarray("spikes").sizes["spike"] == len(result.spikes()[0])


def test_without_xarray_the_message_names_the_extra(
    tmp_path: Path, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.run(tmp_path / "r", 1)
    monkeypatch.setitem(__import__("sys").modules, "xarray", None)
    with pytest.raises(UserError, match=r"cosim-neuro\[xarray\]"):
        Result(tmp_path / "r").to_xarray("body")


def test_float32_is_stored_as_float32(tmp_path: Path) -> None:
    prepare_directory(tmp_path / "r")
    layout = RecordLayout(1e-3, 1e-3, series=(state_series("A", "v", [0], dtype="float32"),), spikes=False)
    recorder = Recorder(tmp_path / "r", manifest={}, layout=layout, flush_every=10)
    recorder.channel("state/A/v").append([0.1])
    recorder.tick_done()
    recorder.close("complete")
    trace = Result(tmp_path / "r").state("A", "v")
    assert trace.values.dtype == np.float32
    assert trace.values[0, 0] == np.float32(0.1)


def test_a_sensor_that_nothing_carries_is_an_empty_series(tmp_path: Path) -> None:
    prepare_directory(tmp_path / "r")
    layout = RecordLayout(1e-3, 1e-3, series=(body_series("muscle_force", [], unit="N"),), spikes=False)
    recorder = Recorder(tmp_path / "r", manifest={}, layout=layout, flush_every=2)
    for _ in range(5):
        recorder.channel("body/muscle_force").append(np.empty(0))
        recorder.tick_done()
    recorder.close("complete")
    assert Result(tmp_path / "r").trace("body/muscle_force").values.shape == (5, 0)


def test_hashes_follow_the_documented_bytes(tmp_path: Path, writer: Any) -> None:
    final = {"MN/v": np.array([1.0, 2.0]), "EX/v": np.array([[3.0]])}
    hashes = writer.run(tmp_path / "r", 33, final_state=final)["hashes"]
    spikes = b"".join(struct.pack("<qi", 10 * k, i + k % 7) for k in range(33) for i in range(k % 4))
    assert hashes["spikes"] == hashlib.sha256(spikes).hexdigest()
    body = b"".join(struct.pack("<3d", k, 0.5 * k, -1.0) for k in range(33))
    assert hashes["body"] == hashlib.sha256(body).hexdigest()
    total = b""
    for name, shape, every in (("state/MN/v", (2,), 1), ("state/MN/w1", (1,), 5)):
        rows = b"".join(writer.row(name, shape, k).tobytes() for k in range(0, 33, every))
        total += name.encode() + b"\0" + hashlib.sha256(rows).digest()
    total += b"EX/v\0" + struct.pack("<qd", 1, 3.0) + b"MN/v\0" + struct.pack("<q2d", 2, 1.0, 2.0)
    assert hashes["state"] == hashlib.sha256(total).hexdigest()


def test_hashes_do_not_depend_on_the_flushes(tmp_path: Path, writer: Any) -> None:
    all_hashes = [writer.run(tmp_path / "r", 45, flush_every)["hashes"] for flush_every in (1, 13, 20, 1000)]
    assert all(hashes == all_hashes[0] for hashes in all_hashes)


def test_one_spike_more_changes_the_hash_of_the_spikes_alone(tmp_path: Path, writer: Any) -> None:
    plain = writer.run(tmp_path / "a", 20)["hashes"]
    recorder = writer.open(tmp_path / "b")
    for k in range(20):
        writer.tick(recorder, k)
    recorder.spikes(np.array([199]), np.array([0], dtype=np.int32))
    other = recorder.close("complete")["hashes"]
    assert other["spikes"] != plain["spikes"]
    assert (other["state"], other["body"]) == (plain["state"], plain["body"])


def test_more_spikes_than_a_chunk_holds(tmp_path: Path) -> None:
    prepare_directory(tmp_path / "r")
    recorder = Recorder(tmp_path / "r", manifest={}, layout=RecordLayout(1e-3, 1e-3), flush_every=10)
    ids = np.arange(100_000, dtype=np.int32)
    for k in range(4):
        recorder.spikes(np.full(len(ids), k), ids)
        recorder.tick_done()
    recorder.close("complete")
    times, found = Result(tmp_path / "r").spikes()
    np.testing.assert_array_equal(found, np.tile(ids, 4))
    np.testing.assert_array_equal(times, np.repeat(np.arange(4), 100_000) * 1e-3)


def test_what_is_stored_of_the_spikes_does_not_change_their_hash(tmp_path: Path, writer: Any) -> None:
    found = {}
    for name, spikes in (("all", True), ("none", False), ("MN", ("MN",))):
        recorder = writer.open(tmp_path / name, layout=replace(writer.layout, spikes=spikes))
        for k in range(40):
            writer.tick(recorder, k)
        found[name] = recorder.close("complete")["hashes"]["spikes"]
    assert found["none"] == found["MN"] == found["all"]
    with pytest.raises(UserError, match="no spikes were recorded"):
        Result(tmp_path / "none").spikes()
    some, whole = Result(tmp_path / "MN"), Result(tmp_path / "all")
    np.testing.assert_array_equal(some.spikes("MN"), whole.spikes("MN"))
    assert len(some.spikes()[0]) == len(some.spikes("MN")[0])
    with pytest.raises(UserError, match="the spikes of EX were not recorded; there are MN"):
        some.spikes("EX")


def test_spikes_of_an_unknown_population_cannot_be_asked_for(tmp_path: Path, writer: Any) -> None:
    with pytest.raises(CosimError, match="spikes of IN are to be recorded; the populations are EX, MN"):
        writer.open(tmp_path / "r", layout=replace(writer.layout, spikes=("IN",)))


def test_an_exception_marks_the_run_as_failed_with_its_message(tmp_path: Path, writer: Any) -> None:
    with pytest.raises(ValueError, match="blew up"), writer.open(tmp_path / "r") as recorder:
        writer.tick(recorder, 0)
        raise ValueError("joint neck blew up at tick 1")
    result = Result(tmp_path / "r")
    assert (result.status, result.manifest["message"]) == ("failed", "joint neck blew up at tick 1")
    assert len(result.trace("body/joint_angle").values) == 1


def test_an_interrupt_is_told_apart(tmp_path: Path, writer: Any) -> None:
    with pytest.raises(KeyboardInterrupt), writer.open(tmp_path / "r"):
        raise KeyboardInterrupt
    assert Result(tmp_path / "r").status == "interrupted"


def test_the_manifest_says_running_until_the_end(tmp_path: Path, writer: Any) -> None:
    recorder = writer.open(tmp_path / "r", seed=4)
    assert Result(tmp_path / "r").status == "running"
    assert not Result(tmp_path / "r").complete
    recorder.close("complete", metrics={"speed": float("nan"), "joint_amplitude": [np.float64(1.5), np.nan]})
    text = json.loads((tmp_path / "r" / "manifest.json").read_text())
    assert (text["status"], text["seed"], text["metrics"]["speed"]) == ("complete", 4, None)
    metrics = Result(tmp_path / "r").metrics
    assert np.isnan(metrics["speed"])
    np.testing.assert_array_equal(metrics["joint_amplitude"], [1.5, np.nan])


def test_layout_mistakes_are_refused() -> None:
    with pytest.raises(CosimError, match="needs a group"):
        SeriesLayout("joint_angle")
    with pytest.raises(CosimError, match="every 0 ticks"):
        SeriesLayout("body/joint_angle", every=0)


def test_a_series_declared_twice_is_refused(tmp_path: Path) -> None:
    one = body_series("joint_angle", ["a"])
    with pytest.raises(CosimError, match="declared twice"):
        Recorder(tmp_path, manifest={}, layout=RecordLayout(1e-3, 1e-3, series=(one, one)), flush_every=1)


def test_an_unknown_channel_is_refused_with_the_known_ones(tmp_path: Path, writer: Any) -> None:
    with pytest.raises(CosimError, match="body/joint_angel is not in the record's layout: body/joint_angle"):
        writer.open(tmp_path / "r").channel("body/joint_angel")
