"""A record that is taken up again where it was left, and the sums that make that possible."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.errors import CosimError
from cosim.record import (
    PopulationLayout,
    Recorder,
    RecordLayout,
    Result,
    body_series,
    prepare_directory,
    state_series,
    verify,
)
from cosim.record.digest import BLOCK, Chain

LAYOUT = RecordLayout(
    1e-3,
    5e-4,
    (PopulationLayout("A", 0, 5),),
    (
        body_series("joint_angle", ["p", "q"], unit="rad"),
        body_series("contact_force", [], unit="N", width=3),
        state_series("A", "v", [0, 3], every=3),
    ),
)


def feed(recorder: Recorder, first: int, last: int) -> None:
    """Ticks [first, last)."""
    for k in range(first, last):
        ids = np.flatnonzero(np.sin(np.arange(5) * (k + 1)) > 0.3).astype(np.int32)
        recorder.spikes(np.full(len(ids), 2 * k), ids)
        recorder.channel("body/joint_angle").append(np.array([k, -k / 3]))
        recorder.channel("body/contact_force").append(np.empty((0, 3)))
        if k % 3 == 0:
            recorder.channel("state/A/v").append(np.array([k, np.cos(k)]))
        recorder.body_sum.extend(np.array([[k, 1.0 / (k + 1)]]))
        recorder.tick_done()


def open_at(path: Path, flush_every: int = 20, **options: Any) -> Recorder:
    return Recorder(path, manifest={"name": "x"}, layout=LAYOUT, flush_every=flush_every, **options)


def contents(path: Path) -> dict[str, bytes]:
    result = Result(path)
    steps, ids = result.spikes()
    found = {"steps": np.asarray(steps).tobytes(), "ids": np.asarray(ids).tobytes()}
    for name in ("body/joint_angle", "body/contact_force", "state/A/v"):
        trace = result.trace(name)
        found[name] = np.asarray(trace.time).tobytes() + trace.values.tobytes()
    return found


@pytest.mark.parametrize("left", [0, 1, 19, 20, 21, 60, 77])
@pytest.mark.parametrize("further", [0, 1, 20, 45])
def test_taken_up_and_never_left_are_equal(left: int, further: int, tmp_path: Path) -> None:
    whole = open_at(prepare_directory(tmp_path / "whole"))
    feed(whole, 0, 130)
    wanted = whole.close("complete", final_state={"A/v": np.ones(3)})["hashes"]

    first = open_at(prepare_directory(tmp_path / "cut"))
    feed(first, 0, left)
    position = {key: array.copy() for key, array in first.position().items()}
    feed(first, left, left + further)
    first.flush()  # and here the process is killed
    verify(tmp_path / "cut", position)
    second = open_at(tmp_path / "cut", resume=position)
    assert Result(tmp_path / "cut").manifest["status"] == "running"
    feed(second, left, 130)
    manifest = second.close("complete", final_state={"A/v": np.ones(3)})
    assert manifest["hashes"] == wanted
    assert manifest["ticks"] == 130
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_what_came_later_is_gone_as_soon_as_it_is_taken_up(tmp_path: Path) -> None:
    first = open_at(prepare_directory(tmp_path / "r"))
    feed(first, 0, 33)
    position = first.position()
    feed(first, 33, 100)
    first.flush()
    open_at(tmp_path / "r", resume=position)
    assert len(Result(tmp_path / "r").trace("body/joint_angle").values) == 33
    chunks = (tmp_path / "r" / "data.zarr" / "body" / "joint_angle" / "c").iterdir()
    assert sorted(chunk.name for chunk in chunks) == ["0", "1"]


def test_a_store_that_lacks_something_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    first = open_at(prepare_directory(tmp_path / "r"))
    feed(first, 0, 50)
    position = first.position()
    first.flush()
    chunk = tmp_path / "r" / "data.zarr" / "body" / "joint_angle" / "c" / "2" / "0"
    right = chunk.read_bytes()
    for wrong in (b"", right[: len(right) // 2]):
        chunk.write_bytes(wrong)
        with pytest.raises(CosimError, match="joint_angle"):
            verify(tmp_path / "r", position)
        with pytest.raises(CosimError, match="joint_angle"):
            open_at(tmp_path / "r", resume=position)
    chunk.write_bytes(right)
    verify(tmp_path / "r", position)
    chunk.unlink()
    with pytest.raises(CosimError, match="joint_angle"):
        verify(tmp_path / "r", position)


def chained(data: bytes) -> str:
    """The definition, written down once more."""
    link = b""
    while len(data) >= BLOCK:
        link, data = hashlib.sha256(link + data[:BLOCK]).digest(), data[BLOCK:]
    return hashlib.sha256(link + data).hexdigest()


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 77])
def test_a_chain_is_what_the_documentation_says_however_it_was_cut(size: int) -> None:
    rng = np.random.default_rng(size)
    data = rng.bytes(size)
    for _ in range(5):
        bounds = np.sort(rng.integers(0, size + 1, 7))
        chain = Chain()
        for a, b in zip([0, *bounds], [*bounds, size], strict=True):
            chain.update(data[a:b])
            if rng.random() < 0.5:  # taken up by another
                position, chain = chain.position(), Chain()
                chain.resume(position)
        assert chain.hexdigest() == chained(data)
    if size < BLOCK:
        assert chained(data) == hashlib.sha256(data).hexdigest()
