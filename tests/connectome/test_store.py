"""Large data sets are read once and mapped afterwards; a process touches the rows of its own targets."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.connectome import Connectome, load_connectome, store
from cosim.connectome.columns import Numbers, Texts
from tests.connectome.conftest import EDGES, Make


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Connectome]:
    """Load the toy as another process would: nothing in memory, and six edges are many."""
    monkeypatch.setattr(store, "_WORTH_KEEPING", 6)
    monkeypatch.setattr(store, "_WORTH_WAITING", 1)

    def load() -> Connectome:
        store._LOADED.clear()
        return load_connectome("toy")

    return load


def same(a: Connectome, b: Connectome) -> bool:
    arrays = [(a.ids, b.ids), (a.indptr, b.indptr), (a.pre, b.pre)]
    for one, other in ((a.nodes, b.nodes), (a.edges, b.edges)):
        assert list(one) == list(other)
        for name in one:
            x, y = one[name], other[name]
            if isinstance(x, Numbers) and isinstance(y, Numbers):
                assert x.dim == y.dim
                arrays.append((x.values, y.values))
            else:
                assert isinstance(x, Texts) and isinstance(y, Texts)
                assert x.words == y.words
                arrays.append((x.codes, y.codes))
    return all(np.array_equal(x, y) for x, y in arrays) and a.key == b.key and dict(a.hashes) == dict(b.hashes)


def prepared(here: Path) -> Path:
    (found,) = (path for path in (here / "data/toy/.prepared").iterdir() if path.is_dir())
    return found


def test_what_was_prepared_is_mapped(
    make: Make, here: Path, kept: Callable[[], Connectome], monkeypatch: pytest.MonkeyPatch
) -> None:
    make()
    read = load_connectome("toy")
    first = kept()
    assert isinstance(first.pre, np.memmap) and same(first, read)
    monkeypatch.setattr(store, "prepare", None)  # nothing is read again
    assert same(kept(), read)


@pytest.mark.parametrize("file", ["head.json", "pre.npy", "edges.count.npy"])
def test_damaged_arrays_are_made_again(make: Make, here: Path, kept: Callable[[], Connectome], file: str) -> None:
    make()
    read = kept()
    damaged = prepared(here) / file
    whole = damaged.read_bytes()
    damaged.unlink()  # what is mapped stays as it was
    damaged.write_bytes(whole[:20])
    again = kept()
    assert same(again, read) and isinstance(again.pre, np.memmap)
    assert damaged.read_bytes() == whole


def test_tables_that_changed_are_read_anew(make: Make, kept: Callable[[], Connectome]) -> None:
    make()
    assert kept().synapses() == 16
    make(contents={"edges.csv": EDGES.replace("A,B,3", "A,B,9")}, files={"cells.csv": {}, "edges.csv": {}})
    assert kept().synapses() == 22


def test_a_data_folder_that_cannot_be_written_is_done_without(
    make: Make, here: Path, kept: Callable[[], Connectome], monkeypatch: pytest.MonkeyPatch
) -> None:
    make()
    read = kept()
    shutil.rmtree(here / "data")
    (here / "data").write_text("a file, where a folder should be")
    again = kept()
    assert same(again, read) and not isinstance(again.pre, np.memmap)


def _load(name: str, queue: Any) -> None:
    store._WORTH_KEEPING, store._WORTH_WAITING = 6, 1
    queue.put((load_connectome(name).synapses(), isinstance(load_connectome(name).pre, np.memmap)))


def test_processes_that_come_together_find_one_answer(make: Make, here: Path) -> None:
    make()
    context = get_context("fork")
    queue = context.Queue()
    workers = [context.Process(target=_load, args=("toy", queue)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert [queue.get(timeout=60) for _ in workers] == [(16, True)] * 4
    for worker in workers:
        worker.join()
    assert prepared(here).is_dir()


class _Watched(np.ndarray[Any, Any]):
    """An array that notes which of its rows are asked for."""

    asked: list[Any]

    def __getitem__(self, rows: Any) -> Any:
        self.asked.append(rows)
        return np.asarray(self)[rows]


def test_a_range_of_targets_touches_its_own_rows_alone() -> None:
    """Made to fail by selecting from all edges with a mask."""
    worm = load_connectome("celegans_cook2019")
    asked: list[Any] = []

    def watched(array: np.ndarray[Any, Any]) -> _Watched:
        view = array.view(_Watched)
        view.asked = asked
        return view

    edges = {
        name: replace(column, values=watched(column.values))
        if isinstance(column, Numbers)
        else replace(column, codes=watched(column.codes))
        for name, column in worm.edges.items()
    }
    spied = replace(worm, pre=watched(worm.pre), edges=edges)
    lo, hi = int(worm.indptr[100]), int(worm.indptr[150])
    rows = spied.rows(np.arange(100, 150))
    assert asked == [slice(lo, hi)] * (1 + len(edges))
    assert np.array_equal(rows.pre, worm.pre[lo:hi])
    asked.clear()
    scattered = np.array([3, 100, 149, 396])
    rows = spied.rows(scattered)
    expected = np.concatenate([np.arange(worm.indptr[j], worm.indptr[j + 1]) for j in scattered])
    assert all(np.array_equal(one, expected) for one in asked) and len(asked) == 1 + len(edges)
    assert set(rows.post.tolist()) <= set(scattered.tolist())
