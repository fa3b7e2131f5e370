"""The table of a sweep: order, missing and failed rows, files that are equal for equal rows, the xarray view."""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest

from cosim.errors import UserError
from cosim.sweep.columnar import csv_bytes, write_csv, write_parquet
from cosim.sweep.table import read
from cosim.sweep.view import dataset
from tests.sweep.directories import DELAY, DRIVE, axis, write_sweep

PLAN: dict[str, Any] = {
    "axes": [DELAY],
    "arms": ["intact", "cut"],
    "seeds": [1, 2, 3],
    "measure": ["speed", "joint_amplitude"],
}


def made(arm: str, place: dict[str, float], seed: int) -> dict[str, object] | str | None:
    if arm == "cut" and seed == 2:
        return "joint_3 exploded\nat tick 1000"
    if place["wires.stretch.delay"] == 0.04 and seed == 3:
        return None
    lost = arm == "cut" and place["wires.stretch.delay"] == 0.02
    return {"speed": 0.1 * seed, "frequency": None if lost else 3.0, "joint_amplitude": [10.0 + seed, None], "ptcc": 1}


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    return write_sweep(tmp_path / "s", made, **PLAN)


def test_rows_stand_in_plan_order_whatever_was_run(sweep: Path) -> None:
    table = read(sweep)
    assert [row.run for row in table.rows] == [f"r{k:04d}" for k in range(18)]
    assert (table.count("complete"), table.count("failed"), table.count("not run")) == (13, 3, 2)
    assert table.places == [(0,), (1,), (2,)]
    assert table.written((1,)) == {"wires.stretch.delay": "20 ms"}
    columns = table.columns()
    assert list(columns) == [
        "run", "arm", "seed", "wires.stretch.delay", "wires.stretch.delay [s]", "status", "reason", "speed",
        "joint_amplitude[1]", "joint_amplitude[2]", "hash spikes",
    ]  # fmt: skip
    assert columns["wires.stretch.delay"][6:8] == ["20 ms", "20 ms"]
    assert columns["wires.stretch.delay [s]"][6] == 0.02
    assert columns["status"][4] == "failed"
    assert columns["reason"][4] == "joint_3 exploded at tick 1000"
    assert columns["speed"][4] is None
    assert columns["status"][14] == "not run"
    assert columns["joint_amplitude[1]"][0] == 11.0
    assert columns["joint_amplitude[2]"][0] is None


def test_without_a_list_of_metrics_all_are_columns(tmp_path: Path) -> None:
    path = write_sweep(tmp_path / "s", lambda *_: {"b": 1.0, "a[1]": 2.0, "a[2]": 3.0}, seeds=[1], measure=[])
    assert read(path).metrics == ("b", "a[1]", "a[2]")
    nothing = write_sweep(tmp_path / "t", lambda *_: None, seeds=[1], measure=["joint_amplitude"])
    assert read(nothing).metrics == ("joint_amplitude",)


def test_equal_rows_make_equal_files(sweep: Path, tmp_path: Path) -> None:
    again = write_sweep(tmp_path / "s2", made, **PLAN)
    for file in (again / "rows").iterdir():
        row = json.loads(file.read_text())
        file.write_text(json.dumps({**row, "attempts": 7, "axes": dict(reversed(row["axes"].items()))}, indent=3))
    for write, name in ((write_csv, "table.csv"), (write_parquet, "table.parquet")):
        first, second = (write(read(path).columns(), path / name) for path in (sweep, again))
        assert first.read_bytes() == second.read_bytes()
    row = json.loads((again / "rows/r0000.json").read_text())
    row["metrics"]["speed"] = math.nextafter(0.1, 1)
    (again / "rows/r0000.json").write_text(json.dumps(row))
    assert csv_bytes(read(again).columns()) != (sweep / "table.csv").read_bytes()


def test_csv_and_parquet_hold_what_the_columns_hold(sweep: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = read(sweep).columns()
    rows = list(csv.reader((write_csv(columns, sweep / "table.csv")).read_text().splitlines()))
    assert rows[0] == list(columns)
    for name, texts in zip(rows[0], zip(*rows[1:], strict=True), strict=True):
        kind = type(columns[name][0])
        assert [kind(text) if text else None for text in texts] == [None if x == "" else x for x in columns[name]]
    back = parquet.read_table(write_parquet(columns, sweep / "table.parquet"))
    assert back.to_pydict() == columns
    assert [str(back.schema.field(name).type) for name in ("seed", "reason", "joint_amplitude[2]")] == [
        "int64", "string", "double",
    ]  # fmt: skip


def test_without_pyarrow_the_message_names_the_extra(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"pyarrow is not installed.*cosim-neuro\[sweep\]"):
        write_parquet(read(sweep).columns(), sweep / "table.parquet")
    assert not (sweep / "table.parquet").exists()


def test_a_grid_in_xarray(sweep: Path) -> None:
    pytest.importorskip("xarray")
    view = dataset(read(sweep))
    assert dict(view.sizes) == {"arm": 2, "wires.stretch.delay": 3, "seed": 3}
    assert view["wires.stretch.delay"].attrs["units"] == "s"
    assert view["speed"].attrs["units"] == "BL/s"
    assert float(view["speed"].sel({"arm": "intact", "wires.stretch.delay": 0.02, "seed": 3})) == pytest.approx(0.3)
    assert str(view["status"].sel(arm="cut", seed=2).values[0]) == "failed"
    assert bool(view["speed"].sel(arm="cut", seed=2).isnull().all())
    assert list(view["wires.stretch.delay as written"].values) == ["0 ms", "20 ms", "40 ms"]


def test_scattered_places_in_xarray(tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    path = write_sweep(
        tmp_path / "s", lambda arm, place, seed: {"speed": float(len(place))}, axes=[DELAY, DRIVE], seeds=[1],
        measure=["speed"], places=[{"wires.stretch.delay": 2, "drive": 0}, {"drive": 1}],
    )  # fmt: skip
    view = dataset(read(path))
    assert dict(view.sizes) == {"arm": 1, "point": 2, "seed": 1}
    assert view["speed"].values.ravel().tolist() == [2.0, 1.0]
    assert view["drive"].values.tolist() == [4e-12, 5.7e-12]
    assert view["wires.stretch.delay as written"].values.tolist() == ["40 ms", ""]


def test_values_are_shown_in_the_unit_in_which_they_are_written(tmp_path: Path) -> None:
    axes = [DELAY, axis("k", ["0.5", "1e-3"], [0.5, 1e-3], "1"), axis("w", ["1 ms", "1 s"], [1e-3, 1.0], "s"),
            axis("circuit", ["a", "b"], [None, None], "")]  # fmt: skip
    table = read(write_sweep(tmp_path / "s", lambda *_: None, axes=axes, seeds=[1]))
    assert [one.shown() for one in table.axes[:3]] == [
        ([0.0, 20.0, 40.0], "ms"), ([0.5, 1e-3], ""), ([1e-3, 1.0], "s"),
    ]  # fmt: skip
    assert [one.numeric for one in table.axes] == [True, True, True, False]
    assert "circuit" in table.columns() and "circuit []" not in table.columns()


def test_directories_that_hold_no_sweep(sweep: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none: no such directory"):
        read(tmp_path / "none")
    with pytest.raises(UserError, match=r"not the result of a sweep \(it has no sweep.json\)"):
        read(tmp_path)
    plan = json.loads((sweep / "sweep.json").read_text())
    for broken, message in (
        ({k: v for k, v in plan.items() if k != "axes"}, r"sweep.json: not a plan of a sweep: no entry 'axes'"),
        ({**plan, "plan": [{**plan["plan"][0], "axes": {"wires.stretch.delay": 3}}]}, "has no value number 3"),
    ):
        (sweep / "sweep.json").write_text(json.dumps(broken))
        with pytest.raises(UserError, match=message):
            read(sweep)
    (sweep / "sweep.json").write_text("{")
    with pytest.raises(UserError, match=r"sweep.json: cannot be read as JSON"):
        read(sweep)


def test_rows_that_the_sweep_would_make_again_do_not_count(sweep: Path) -> None:
    """Of an earlier plan, without a metric that is asked for now, torn by a crash of the machine."""
    file = sweep / "rows/r0000.json"
    whole = json.loads(file.read_text())
    for broken in (
        json.dumps({**whole, "hash": "another"}),
        json.dumps({**whole, "metrics": {"speed": 1.0}}),
        json.dumps(whole)[:-1],
        "[]",
    ):
        file.write_text(broken)
        assert read(sweep).rows[0].status == "not run"
    file.write_text(json.dumps({**whole, "metrics": {"speed": 1.0, "joint_amplitude[1]": 1.0}}))
    assert read(sweep).rows[0].status == "complete"
