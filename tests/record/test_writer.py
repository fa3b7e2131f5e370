"""The thread that writes: in order, and nothing after an error."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cosim.record.store as store
from cosim.errors import CosimError
from cosim.record import Recorder, RecordLayout, Result, body_series, prepare_directory
from cosim.record.writer import Writer


def test_jobs_are_done_in_order_in_another_thread() -> None:
    before = set(threading.enumerate())
    writer, done = Writer(), []
    for i in range(50):
        writer.submit(lambda i=i: done.append((i, threading.current_thread().name)))
    writer.wait()
    assert done == [(i, "cosim-record") for i in range(50)]
    writer.close()
    assert set(threading.enumerate()) == before


def test_after_an_error_nothing_more_is_done_and_everybody_is_told() -> None:
    before = set(threading.enumerate())
    writer, done = Writer(), []

    def fail() -> None:
        raise CosimError("the disk is full")

    writer.submit(lambda: time.sleep(0.05))
    writer.submit(fail)
    writer.submit(lambda: done.append(1))
    for call in (writer.wait, lambda: writer.submit(lambda: done.append(2)), writer.close):
        with pytest.raises(CosimError, match="the disk is full"):
            call()
    assert done == []
    assert set(threading.enumerate()) == before


LAYOUT = RecordLayout(1e-3, 1e-3, series=(body_series("joint_angle", ["a"]),), spikes=False)


def test_the_loop_does_not_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(prepare_directory(tmp_path / "r"), manifest={}, layout=LAYOUT, flush_every=10)
    angle = recorder.channel("body/joint_angle")
    held, replace = threading.Event(), store.os.replace

    def slowly(*names: Any) -> None:
        assert held.wait(10.0)  # a disk that does not answer
        replace(*names)

    monkeypatch.setattr(store.os, "replace", slowly)
    for k in range(10):
        angle.append(np.array([k]))
        recorder.tick_done()
    for k in range(10, 15):  # goes on, and writes into the buffer that is still to be written
        angle.append(np.array([k]))
    assert len(Result(tmp_path / "r").trace("body/joint_angle").values) == 0
    held.set()
    recorder.close("complete")
    assert Result(tmp_path / "r").trace("body/joint_angle").values[:, 0].tolist() == list(range(15))


def test_a_disk_that_fails_is_told_at_the_next_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(prepare_directory(tmp_path / "r"), manifest={}, layout=LAYOUT, flush_every=1)
    angle = recorder.channel("body/joint_angle")
    angle.append(np.array([1.0]))
    recorder.flush()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "replace", full)
    with pytest.raises(CosimError, match="cannot write the record: No space left on device"):
        for _ in range(2):
            angle.append(np.array([2.0]))
            recorder.tick_done()
    monkeypatch.undo()
    assert Result(tmp_path / "r").trace("body/joint_angle").values[:, 0].tolist() == [1.0]
