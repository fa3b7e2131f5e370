"""The zarr library reads what we write without it, and finds in it what it would have written itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from cosim.errors import CosimError
from cosim.record.store import Store, decode, encode


def opened(tmp_path: Path) -> tuple[Store, Any]:
    store = Store(tmp_path / "s.zarr")
    store.create()
    return store, lambda: zarr.open_group(store.path, mode="r", zarr_format=3)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
def test_numbers(tmp_path: Path, dtype: str) -> None:
    store, read = opened(tmp_path)
    values = np.array([0, 1, -3, 2**20], dtype=dtype) / np.array(8 if dtype[0] == "f" else 1, dtype=dtype)
    store.column("a/b/c", values.astype(dtype), "x", {"units": "m"})
    array = read()["a/b/c"]
    assert array.dtype == dtype and array[:].tolist() == values.tolist()
    assert array.metadata.dimension_names == ("x",) and dict(array.attrs) == {"units": "m"}


def test_texts(tmp_path: Path) -> None:
    store, read = opened(tmp_path)
    texts = ["left", "", "µm", "a longer one with \n and \0", "右"] * 500
    store.column("labels", texts, "label")
    store.column("none", [], "label")
    assert read()["labels"][:].tolist() == texts
    assert read()["none"].shape == (0,)


def test_groups_come_with_what_lies_in_them_and_keep_their_attributes(tmp_path: Path) -> None:
    store, read = opened(tmp_path)
    store.group("network", {"populations": [{"name": "A", "n": 3}]})
    store.column("network/A/y", np.zeros(3), "neuron")
    store.array("state/A/v", (0, 2), (10, 2), "float64", ("time", "neuron"))
    store.array("state/A/nothing", (0, 0), (10, 0), "float64", ("time", "neuron"))
    root = read()
    assert dict(root["network"].attrs) == {"populations": [{"name": "A", "n": 3}]}
    assert sorted(name for name, _ in root.members(max_depth=None)) == [
        "network", "network/A", "network/A/y", "state", "state/A", "state/A/nothing", "state/A/v"
    ]  # fmt: skip
    assert root["state/A/v"].shape == (0, 2) and np.isnan(root["state/A/v"].fill_value)


def test_a_document_is_the_one_that_the_library_writes(tmp_path: Path) -> None:
    store, read = opened(tmp_path)
    store.array("x", (0, 3), (7, 3), "float32", ("time", "label"), {"units": "V"})
    codec = zarr.codecs.BloscCodec(typesize=4, cname="zstd", clevel=1, shuffle="shuffle")
    zarr.open_group(store.path, mode="r+").create_array(
        "y", shape=(0, 3), chunks=(7, 3), dtype="float32", fill_value=np.nan, dimension_names=("time", "label"),
        attributes={"units": "V"}, serializer=zarr.codecs.BytesCodec(endian="little"), compressors=codec,
    )  # fmt: skip
    ours, theirs = (json.loads((store.path / name / "zarr.json").read_text(encoding="utf-8")) for name in "xy")
    assert theirs.pop("storage_transformers") == []  # may be left out
    assert ours == theirs and sorted(read()) == ["x", "y"]


def test_a_store_that_was_there_is_gone(tmp_path: Path) -> None:
    store, read = opened(tmp_path)
    store.column("old", np.zeros(2), "x")
    Store(store.path).create()
    assert list(read().members()) == []


def test_a_chunk_comes_back(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 1000).astype("<f4")
    assert np.array_equal(decode(encode(values), "float32"), values)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CosimError, match="cannot write the record"):
        Store(tmp_path / "file" / "s.zarr").create()
