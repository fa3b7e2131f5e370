"""The directory of a sweep: rows are whole or not there, and survive a changed plan; one process at a time has it."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cosim.errors import UserError
from cosim.sweep import store as store_module
from cosim.sweep.load import load_sweep
from cosim.sweep.plan import Plan, plan
from cosim.sweep.store import Store, identity, read, write
from tests.sweep.documents import SWEEP
from tests.sweep.documents import write as document

pytestmark = pytest.mark.usefixtures("here")
LONGER = SWEEP.replace("[5 ms, 10 ms]", "[2 ms, 5 ms, 10 ms]")


def planned(text: str = SWEEP) -> Plan:
    return plan(load_sweep(document(Path.cwd(), text)))


def filled(found: Plan, out: str = "out", *, status: str = "complete") -> Store:
    """A store with a row for every run; the metrics tell whose it was."""
    store = Store(Path(out))
    store.prepare(found)
    for run in found.runs:
        metrics = {name: float(int(run.hash[:8], 16)) for name in found.sweep.spec.measure}
        row = {
            **identity(found, run),
            "status": status,
            "reason": None,
            "metrics": metrics,
            "hashes": {},
            "attempts": 1,
        }
        write(store.path / "rows" / f"{run.name}.json", row)
    return store


def content(store: Store) -> dict[str, Any]:
    """By hash: name, place and metric of every row."""
    rows = [json.loads(file.read_text()) for file in (store.path / "rows").glob("*.json")]
    return {row["hash"]: (row["run"], row["axes"], row["metrics"]["rate_MN"]) for row in rows}


def agree(store: Store, found: Plan) -> None:
    """Every row is that of its run, and nothing is left of the move."""
    runs = {run.hash: run for run in found.runs}
    for one, (name, axes, metric) in content(store).items():
        assert runs[one].name == name
        assert identity(found, runs[one])["axes"] == axes
        assert metric == float(int(one[:8], 16))
    assert sorted(path.name for path in store.path.iterdir()) == ["rows", "sweep.json", "timings"]


def test_a_longer_plan_takes_the_rows_over_under_their_new_names() -> None:
    store = filled(planned())
    before = content(store)
    longer = planned(LONGER)
    store.prepare(longer)
    agree(store, longer)
    assert set(content(store)) == set(before)
    assert store.finished(longer, again=False) == {run.name for run in longer.runs if run.hash in before}
    assert len(store.finished(longer, again=False)) == 32


def test_a_shorter_plan_keeps_what_it_has() -> None:
    store = filled(planned(LONGER))
    shorter = planned()
    store.prepare(shorter)
    agree(store, shorter)
    assert len(store.finished(shorter, again=False)) == 32


@pytest.mark.parametrize("step", ["mkdir", "write", "rename 1", "rename 2", "rmtree", "plan"])
def test_a_move_that_is_interrupted_anywhere_loses_no_row(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(planned())
    before = content(store)
    longer = planned(LONGER)
    with monkeypatch.context() as patch:
        interrupt(patch, step)
        with pytest.raises(InterruptedError):
            store.prepare(longer)
    store.prepare(longer)
    agree(store, longer)
    assert set(content(store)) == set(before)


def interrupt(patch: pytest.MonkeyPatch, step: str) -> None:
    """Let the move die at a step: ``prepare`` would turn an OSError into a UserError, so it is another one."""
    calls = {"write": 0, "rename": 0}
    write_, rename, rmtree = store_module.write, os.rename, store_module.shutil.rmtree

    class Dies(InterruptedError):
        pass

    def writes(file: Path, what: Any, **more: Any) -> None:
        calls["write"] += 1
        if (step == "mkdir" and calls["write"] == 1) or (step == "write" and calls["write"] == 10):
            raise Dies
        if step == "plan" and file.name == "sweep.json":
            raise Dies
        write_(file, what, **more)

    def renames(old: Path, new: Path) -> None:
        calls["rename"] += 1
        if step == f"rename {calls['rename']}":
            raise Dies
        rename(old, new)

    def removes(path: Path, **more: Any) -> None:
        if step == "rmtree" and path.name == "rows.before" and path.exists():
            raise Dies
        rmtree(path, **more)

    patch.setattr(store_module, "write", writes)
    patch.setattr(store_module.os, "rename", renames)
    patch.setattr(store_module.shutil, "rmtree", removes)
    patch.setattr(store_module, "UserError", lambda _: InterruptedError())


def test_failed_rows_count_unless_they_are_to_be_run_again() -> None:
    found = planned()
    store = filled(found, status="failed")
    assert len(store.finished(found, again=False)) == 32
    assert store.finished(found, again=True) == set()


def test_a_row_without_a_metric_that_is_asked_for_now_does_not_count() -> None:
    store = filled(planned())
    fewer = planned(SWEEP.replace("measure: [rate_MN, rate_Ia, latency]", "measure: [rate_MN]"))
    assert len(store.finished(fewer, again=False)) == 32
    more = planned(SWEEP.replace("measure: [rate_MN, rate_Ia, latency]", "measure: [rate_MN, rate_IN]"))
    assert store.finished(more, again=False) == set()


def test_half_a_file_is_no_row() -> None:
    found = planned()
    store = filled(found)
    file = store.path / "rows" / f"{found.runs[3].name}.json"
    file.write_text(file.read_text()[:50])
    assert store.row(found.runs[3]) is None
    assert len(store.finished(found, again=False)) == 31


def test_on_a_full_disk_a_row_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write(tmp_path / "row.json", {"a": 1})
    monkeypatch.setattr(os, "fsync", full)
    for name in ("row.json", "other.json"):
        with pytest.raises(OSError, match="No space left"):
            write(tmp_path / name, {"a": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["row.json"]
    assert read(tmp_path / "row.json") == {"a": 1}


def test_what_a_killed_process_left_is_cleared_away() -> None:
    found = planned()
    store = filled(found)
    left = store.path / "rows" / ".0003.json.x7f"
    left.write_text("{")
    store.prepare(found)
    assert not left.exists()
    assert len(store.finished(found, again=False)) == 32


def test_one_process_at_a_time_or_one_a_part() -> None:
    store = Store(Path("out"))
    with store.locked("tiny"), pytest.raises(UserError, match="another process works on this sweep"):
        store.locked("tiny").__enter__()
    with store.locked("tiny", "1of2"), store.locked("tiny", "2of2"):
        for part in ("", "1of2"):
            with pytest.raises(UserError, match="another process"):
                store.locked("tiny", part).__enter__()
    with store.locked("tiny"):
        pass


def test_another_sweep_is_replaced_by_force_only() -> None:
    store = filled(planned())
    other = planned(SWEEP.replace("name: tiny", "name: other"))
    with pytest.raises(UserError, match="holds the sweep tiny; choose another directory, or --force replaces it"):
        store.prepare(other)
    store.prepare(other, force=True)
    assert list((store.path / "rows").iterdir()) == []
