"""The file of a checkpoint: what is read is what was written, or nothing; two are kept."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.checkpoint import file as checkpoint_file
from cosim.checkpoint.file import DamagedError, read, write
from cosim.checkpoint.keep import Keeper, listed, newest
from cosim.checkpoint.match import check
from cosim.errors import CosimError, UserError

META = {"tick": 40, "wall": 0.1, "seed": 2**62}
ARRAYS = {
    "network/v": np.arange(12.0).reshape(3, 4),
    "network/alive": np.array([True, False]),
    "network/none": np.empty((0, 3), dtype=np.int32),
    "body/engine": np.frombuffer(b"\x00\xff\x10", dtype=np.uint8),
    "record/ticks": np.array(40),
    "wires/w/ring": np.array([np.nan, -0.0, np.inf, 5e-324]),
    "turned": np.arange(6, dtype=">i2").reshape(2, 3).T,
}


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    assert write(path, META, ARRAYS) == path.stat().st_size
    found = read(path)
    assert (found.tick, found.meta) == (40, META)
    assert list(found.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].dtype == array.dtype.newbyteorder("<")
        assert found.arrays[name].tobytes() == array.astype(array.dtype.newbyteorder("<")).tobytes()
    assert set(found.part("network")) == {"v", "alive", "none"}
    assert list(tmp_path.iterdir()) == [path]  # nothing beside it


def test_any_wrong_byte_and_any_lost_end_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    write(path, META, ARRAYS)
    right, chance = path.read_bytes(), random.Random(0)
    places = [0, 19, len(right) - 1, *(chance.randrange(len(right)) for _ in range(60))]
    for at in places:
        wrong = bytearray(right)
        wrong[at] ^= 1 << chance.randrange(8)
        path.write_bytes(wrong)
        with pytest.raises(DamagedError, match=r"a\.checkpoint (is damaged|is no checkpoint)"):
            read(path)
    for size in (0, 10, 30, len(right) - 33, len(right) - 1):
        path.write_bytes(right[:size])
        with pytest.raises(DamagedError, match=r"a\.checkpoint"):
            read(path)
    path.unlink()
    with pytest.raises(DamagedError, match="cannot be read: No such file"):
        read(path)


def test_a_write_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.checkpoint"
    write(path, META, ARRAYS)
    before = path.read_bytes()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint_file.os, "fsync", full)
    with pytest.raises(CosimError, match="cannot write the checkpoint: No space left on device"):
        write(path, {"tick": 41}, ARRAYS)
    assert path.read_bytes() == before


def test_the_last_two_are_kept_and_what_a_killed_writer_left_goes(tmp_path: Path) -> None:
    with Keeper(tmp_path) as keeper:
        (keeper.folder / "000000005.checkpoint.partial").write_bytes(b"half")
        for tick in (0, 10, 9000, 1_000_000_000):  # the last has a digit more than the names are wide
            keeper.save({"tick": tick}, ARRAYS)
    assert [int(file.stem) for file in listed(tmp_path)] == [1_000_000_000, 9000]
    assert sorted(file.name for file in keeper.folder.iterdir()) == [
        "000009000.checkpoint", "1000000000.checkpoint", "lock"]  # fmt: skip


def test_the_newest_whole_and_acceptable_one(tmp_path: Path) -> None:
    said: list[str] = []
    with Keeper(tmp_path) as keeper:
        for tick in (10, 20):
            keeper.save({"tick": tick}, ARRAYS)

    def accept(checkpoint: Any) -> None:
        if checkpoint.tick == 20:
            raise DamagedError("20 will not do")

    assert newest(tmp_path, said.append).tick == 20
    assert said == []
    assert newest(tmp_path, said.append, accept).tick == 10
    assert said == ["20 will not do; the checkpoint before it is used"]


def test_only_one_process_keeps(tmp_path: Path) -> None:
    with Keeper(tmp_path), pytest.raises(UserError, match="still goes on in another process"):
        Keeper(tmp_path)
    Keeper(tmp_path).close()


NOW: dict[str, Any] = {
    "content_hash": "a" * 64,
    "connectomes": {"worm": {"edges.csv": "c" * 64}},
    "seed": 1,
    "versions": {"cosim": "1", "brian2": "2", "numpy": "3"},
}


HASHES = "(content hash bbbbbbbbbbbb in the checkpoint, aaaaaaaaaaaa now)"
REASONS: list[tuple[dict[str, Any], str]] = [
    ({"content_hash": "b" * 64}, f"its documents are not those of the run {HASHES}"),
    ({"connectomes": {"worm": {"edges.csv": "d" * 64}}}, "the data of worm are not those of the run"),
    ({"seed": 2}, "its seed is 2, that of the run 1"),
    ({"versions": {**NOW["versions"], "brian2": "2.1"}}, "it was made with brian2 2.1, here is 2"),
    ({"versions": {**NOW["versions"], "pybullet": "4"}}, "it was made with pybullet 4, here is none"),
]


@pytest.mark.parametrize(("change", "reason"), REASONS)
def test_what_does_not_match_is_said(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(UserError) as caught:
        check("x.checkpoint", {**NOW, **change}, NOW)
    assert str(caught.value) == f"x.checkpoint cannot be resumed here: {reason}"


def test_every_reason_is_said() -> None:
    check("x", NOW, NOW)
    with pytest.raises(UserError, match="its seed is 3, that of the run 1; it was made with cosim 0, here is 1"):
        check("x", {**NOW, "seed": 3, "versions": {**NOW["versions"], "cosim": "0"}}, NOW)
