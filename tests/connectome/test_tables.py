"""Tables that are fit for use, in every format, and tables that are not: one clear line for each."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.connectome import Connectome, load_connectome, read, store
from cosim.connectome.columns import Numbers, Texts
from cosim.errors import UserError
from tests.connectome.conftest import CELLS, DOCUMENT, EDGES, FILES, Make

h5py = pytest.importorskip("h5py")
pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def listing(connectome: Connectome) -> list[tuple[Any, ...]]:
    """Edges as (pre, post, count, sign, transmitter, kind), in their order."""
    rows = connectome.rows(np.arange(connectome.n))
    count, sign, words, kind = (rows.columns[name] for name in ("count", "sign", "transmitter", "kind"))
    assert isinstance(count, Numbers) and isinstance(sign, Numbers)
    assert isinstance(words, Texts) and isinstance(kind, Texts)
    ids = connectome.ids
    return list(
        zip(ids[rows.pre].tolist(), ids[rows.post].tolist(), count.values.tolist(), sign.values.tolist(),
            words.texts(), kind.texts(), strict=True)
    )  # fmt: skip


EXPECTED = [
    ("A", "B", 3, 1, "ach", "chemical"),
    ("A", "C", 1, 1, "ach", "chemical"),
    ("B", "C", 2, -1, "gaba", "chemical"),
    ("B", "D", 4, -1, "gaba", "gap"),
    ("C", "D", 5, 1, "ach", "chemical"),
    ("D", "D", 1, 1, "ach", "chemical"),
]


def test_csv(toy: Connectome) -> None:
    assert listing(toy) == EXPECTED
    assert toy.indptr.tolist() == [0, 0, 1, 3, 6]
    side, y = toy.nodes["side"], toy.nodes["y"]
    assert isinstance(side, Texts) and side.texts() == ["left", "left", "right", "right"]
    assert isinstance(y, Numbers) and y.values == pytest.approx([0, 1e-5, 2e-5, 3e-5])


def columns() -> tuple[list[str], list[list[str]]]:
    names, *rows = (line.split(",") for line in EDGES.splitlines())
    return names, [list(column) for column in zip(*rows, strict=True)]


def write_parquet(path: Path) -> None:
    names, (pre, post, count, transmitter, kind) = columns()
    table = {"from": pre, "to": post, "n": [int(n) for n in count], "nt": transmitter}
    arrays = {name: pyarrow.array(values) for name, values in table.items()}
    arrays["kind"] = pyarrow.array(kind).dictionary_encode()
    assert list(arrays) == names
    parquet.write_table(pyarrow.table(arrays), path)


def write_sonata(path: Path) -> None:
    """Attributes in the one group stand in another order than the edges."""
    _, (pre, post, count, transmitter, kind) = columns()
    ids = {cell: i for i, cell in enumerate("ABCD")}
    order = np.array([5, 3, 1, 0, 2, 4])
    with h5py.File(path, "w") as file:
        edges = file.create_group("edges/toy")
        edges["source_node_id"] = [ids[cell] for cell in pre]
        edges["target_node_id"] = [ids[cell] for cell in post]
        edges["edge_group_id"] = np.zeros(6, dtype=int)
        edges["edge_group_index"] = order
        place = np.argsort(order)
        group = edges.create_group("0")
        group["nsyns"] = np.array(count, dtype=int)[place]
        group["nt"] = np.array(transmitter, dtype="S")[place]
        group.create_dataset("kind", data=[kind[i] for i in place], dtype=h5py.string_dtype())


SONATA = {
    "file": "edges.h5", "pre": "source_node_id", "post": "target_node_id", "by": "index", "count": "nsyns",
    "columns": {"transmitter": "nt", "kind": "kind"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("file", "write", "table"),
    [
        ("edges.parquet", write_parquet, {}),
        ("edges.h5", write_sonata, SONATA),
        ("edges.csv.gz", lambda path: path.write_bytes(gzip.compress(EDGES.encode())), {}),
        ("edges.tsv", lambda path: path.write_text(EDGES.replace(",", "\t")), {}),
        (
            "edges.txt",
            lambda path: path.write_text(EDGES.partition("\n")[2].replace(",", " ")),
            {"delimiter": " ", "names": ["from", "to", "n", "nt", "kind"]},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_formats_hold_the_same(
    make: Make, file: str, write: Callable[[Path], object], table: dict[str, Any]
) -> None:
    folder = make(
        contents={"cells.csv": CELLS},
        files={"cells.csv": {}, file: {}},
        edges={**DOCUMENT["edges"], "file": file, **table},
    )
    write(folder / file)
    assert listing(load_connectome("toy")) == EXPECTED


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_long_csv_files_are_read_by_arrow_with_the_same_result(
    make: Make, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    quoted = EDGES.replace("B,D,4,gaba,gap", '"B",D,4,"ga\nba, ""x""",gap') + "\nA,D,2,,chemical\n"
    content = gzip.compress(quoted.encode()) if ending.endswith(".gz") else quoted
    edges, file = {**DOCUMENT["edges"], "file": f"edges{ending}"}, f"edges{ending}"
    make(contents={"cells.csv": CELLS, file: content}, edges=edges)
    slowly = load_connectome("toy")
    monkeypatch.setattr(read, "_LARGE", 1)
    monkeypatch.setattr(read, "_coded", None)  # our own reader is not asked
    monkeypatch.setattr(store, "_LOADED", {})
    quickly = load_connectome("toy")
    assert listing(quickly) == listing(slowly) and len(quickly) == 7
    assert [row[4] for row in listing(quickly) if row[:2] in (("B", "D"), ("A", "D"))] == ["", 'ga\nba, "x"']


def test_what_arrow_refuses_gets_its_line(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_LARGE", 1)
    make(contents={"cells.csv": CELLS, "edges.csv": EDGES + "A,D\n"})
    with pytest.raises(UserError, match=r"edges.csv:8:1: expected 5 values, got 2$"):
        load_connectome("toy")


def test_signed_counts_and_rows_without_counts(make: Make) -> None:
    edges = {"file": "edges.csv", "pre": "a", "post": "b", "by": "index"}
    make(contents={"cells.csv": CELLS, "edges.csv": "a,b,w\n3,0,-7\n0,1,2\n"}, sign=None,
         edges={**edges, "signed_count": "w"})  # fmt: skip
    signed = load_connectome("toy").edges
    assert {name: column.values.tolist() for name, column in signed.items() if isinstance(column, Numbers)} == {
        "count": [7, 2], "sign": [-1, 1],
    }  # fmt: skip
    make(contents={"cells.csv": CELLS, "edges.csv": "a,b\n3,0\n0,1\n"}, sign=None, edges=edges)
    bare = load_connectome("toy")
    assert bare.synapses() == 2 and list(bare.edges) == ["count"]


def test_several_tables_and_mirrored_rows(make: Make) -> None:
    chemical = {"file": "a.csv", "pre": "pre", "post": "post", "count": "n", "kind": "chemical"}
    gap = {"file": "b.csv", "pre": "one", "post": "two", "count": "n", "kind": "gap", "mirrored": True}
    make(contents={"cells.csv": CELLS, "a.csv": "pre,post,n\nA,B,2\n", "b.csv": "one,two,n\nC,A,3\nD,D,1\n"},
         edges=[chemical, gap], sign=None)  # fmt: skip
    found = load_connectome("toy")
    rows = found.rows(np.arange(4))
    kind = rows.columns["kind"]
    assert isinstance(kind, Texts)
    ends = ["".join(pair) for pair in zip(found.ids[rows.pre], found.ids[rows.post], strict=True)]
    assert dict(zip(ends, kind.texts(), strict=True)) == {"CA": "gap", "AB": "chemical", "AC": "gap", "DD": "gap"}


def changed(file: str, old: str, new: str) -> dict[str, str | bytes]:
    text = {"cells.csv": CELLS, "edges.csv": EDGES}
    assert old in text[file]
    return {**FILES, file: text[file].replace(old, new, 1)}


UNLIKE = "0" * 64
SHA256 = hashlib.sha256(CELLS.encode()).hexdigest()
BAD: dict[str, tuple[dict[str, str | bytes], dict[str, Any], str]] = {
    "missing column": (
        changed("edges.csv", "from,to,n,", "from,to,syn,"), {},
        "edges.csv:1:1: no column 'n' among 'from', 'to', 'syn', 'nt', 'kind', did you mean 'nt'?",
    ),
    "column twice": (
        changed("edges.csv", "nt,kind", "n,kind"), {}, "edges.csv:1:1: the column 'n' is there 2 times",
    ),
    "id twice": (
        changed("cells.csv", "C,inter", "A,inter"), {}, "cells.csv:4:1: the id 'A' is there twice (first in line 2)",
    ),
    "no id": (changed("cells.csv", "C,inter", ",inter"), {}, "cells.csv:4:1: a cell without an id"),
    "no cells": ({**FILES, "cells.csv": CELLS.splitlines()[0]}, {}, "cells.csv: the table has no cells"),
    "negative count": (changed("edges.csv", "B,C,2", "B,C,-2"), {}, "edges.csv:4:1: n -2 is a negative count"),
    "no count": (changed("edges.csv", "B,C,2", "B,C,"), {}, "edges.csv:4:1: n: there is no number"),
    "infinite count": (changed("edges.csv", "B,C,2", "B,C,inf"), {}, "edges.csv:4:1: n inf is no count"),
    "count of words": (changed("edges.csv", "B,C,2", "B,C,two"), {}, "edges.csv:4:1: n: 'two' is not a number"),
    "no such cell": (changed("edges.csv", "C,D,5", "X,D,5"), {}, "edges.csv:5:1: 'X' is no cell of cells.csv"),
    "row cut off": (
        changed("edges.csv", "B,D,4,gaba,gap\n", "B,D"), {}, "edges.csv:7:1: expected 5 values, got 2",
    ),
    "no such row": (
        {**FILES, "edges.csv": "from,to,n,nt,kind\n0,4,1,ach,gap\n"}, {"edges": {**DOCUMENT["edges"], "by": "index"}},
        "edges.csv:2:1: to 4 is no row of the table of cells, expected 0 to 3",
    ),
    "words for numbers": (changed("cells.csv", "R,20", "R,up"), {}, "cells.csv:4:1: y: 'up' is not a number"),
    "no sign": (
        changed("edges.csv", "gaba", "glut"), {"sign": {"column": "transmitter", "values": {"gaba": -1, "ach": 1}}},
        "dataset.yaml:26:1: sign: no sign for the transmitter 'glut': name it under values, or give otherwise",
    ),
    "empty file": ({**FILES, "edges.csv": ""}, {}, "edges.csv:1:1: the file is empty, expected a header"),
    "wrong sha256": (
        dict(FILES), {"files": {"cells.csv": {"sha256": UNLIKE}, "edges.csv": {}}},
        f"cells.csv: expected SHA-256 {UNLIKE}, got {SHA256}: the file is damaged or another version",
    ),
    "wrong size": (
        dict(FILES), {"files": {"cells.csv": {"bytes": 100}, "edges.csv": {}}},
        "cells.csv: expected 100 bytes, got 74: the file is cut off, or another version",
    ),
    "too few cells": (
        dict(FILES), {"expect": {"nodes": 5}},
        "dataset.yaml:35:10: expect.nodes: expected 5 cells, the tables have 4",
    ),
    "too many connections": (
        dict(FILES), {"expect": [{"edges": 4, "where": {"kind": "chemical"}}]},
        "dataset.yaml:35:10: expect.0.edges: expected 4 connections where kind: chemical, the tables have 5",
    ),
    "synapses": (
        dict(FILES), {"expect": [{"synapses": 17}]},
        "dataset.yaml:35:13: expect.0.synapses: expected 17 synapses, the tables have 16",
    ),
    "connected": (
        dict(FILES), {"expect": [{"connected": 3}]},
        "dataset.yaml:35:14: expect.0.connected: expected 3 cells with a connection, the tables have 4",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("contents", "changes", "message"), BAD.values(), ids=BAD.keys())
def test_bad_tables_give_one_clear_line(
    make: Make, here: Path, contents: dict[str, str | bytes], changes: dict[str, Any], message: str
) -> None:
    make(contents=contents, **changes)
    with pytest.raises(UserError) as caught:
        load_connectome("toy")
    assert str(caught.value).replace(f"{here}/", "") == f"zoo/connectomes/toy/{message}"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("edges.parquet", b"PAR1 and then nothing", "cannot be read as parquet (damaged or cut off?)"),
        ("edges.h5", b"no HDF5", "cannot be read as a SONATA file (damaged or cut off?)"),
        # without the time in it: the processes of pytest-xdist must find the same tests
        ("edges.csv.gz", gzip.compress(EDGES.encode(), mtime=0)[:-20], "cannot be read as CSV (damaged or cut off?)"),
        ("edges.csv", "from,to\n\udcff".encode("utf-8", "surrogateescape"), "cannot be read as CSV"),
    ],
)
def test_damaged_files(make: Make, file: str, content: bytes, message: str) -> None:
    make(contents={"cells.csv": CELLS, file: content}, edges={**DOCUMENT["edges"], "file": file})
    with pytest.raises(UserError, match=r"^\S*zoo/connectomes/toy/edges\S+: ") as caught:
        load_connectome("toy")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_what_a_sonata_file_lacks(make: Make) -> None:
    folder = make(contents={"cells.csv": CELLS}, files={"cells.csv": {}, "edges.h5": {}},
                  edges={**SONATA, "population": "fly"})  # fmt: skip
    write_sonata(folder / "edges.h5")
    with pytest.raises(UserError, match="no population 'fly' of edges; there are: toy$"):
        load_connectome("toy")
    make(contents={}, files={"cells.csv": {}, "edges.h5": {}}, edges={**SONATA, "count": "nsyn"})
    with pytest.raises(UserError, match="no column 'nsyn' among .*, did you mean 'nsyns'"):
        load_connectome("toy")


def test_a_reader_that_is_not_installed_is_named(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    make(contents={"cells.csv": CELLS, "edges.parquet": "x"}, edges={**DOCUMENT["edges"], "file": "edges.parquet"})
    with pytest.raises(UserError, match=r"pip install 'cosim-neuro\[connectome\]'"):
        load_connectome("toy")
