"""The report of a sweep: files, pictures and a page that stands alone, for every shape that a sweep can have."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes

import cosim
from cosim.cli import sweep_report
from cosim.errors import UserError
from cosim.sweep.lines import series_of
from cosim.sweep.report import report, summary
from tests.sweep.directories import DELAY, DRIVE, axis, write_sweep

pytestmark = pytest.mark.filterwarnings("error")


def swim(arm: str, place: dict[str, float], seed: int) -> dict[str, Any] | str:
    """The rhythm is lost at the longest delay for odd seeds; one run of the lesion blows up."""
    delay = place.get("wires.stretch.delay", 0.0)
    if arm == "cut" and delay == 0.02 and seed == 5:
        return "joint_3 <exploded> at tick 1000"
    lost = delay == 0.04 and seed % 2 == 1
    speed = (0.35 if arm == "cut" else 0.7) * (1 - 5 * delay) + 0.01 * seed + 0.003 * seed * (arm == "cut")
    joints = [10.0 + seed, 20.0, 30.0]
    return {"frequency": None if lost else 3.0 - 20 * delay + 0.05 * seed, "speed": None if lost else speed,
            "joint_amplitude": [None] * 3 if lost else joints}  # fmt: skip


def text_of(page: Path) -> str:
    """The page without its pictures."""
    return re.sub(r'base64,[^"]*', "", page.read_text())


def row_of(html: str, *start: str) -> list[str]:
    """The cells of the first row of a table that begins with these."""
    for row in re.findall(r"<tr>(.*?)</tr>", html):
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
        if tuple(cells[: len(start)]) == start:
            return cells
    raise AssertionError(start)


def pictures(path: Path) -> list[str]:
    found = sorted(file.name for file in (path / "figures").iterdir())
    for name in found:
        data = (path / "figures" / name).read_bytes()
        width, height = (int.from_bytes(data[i : i + 4], "big") for i in (16, 20))
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert 600 < width <= 1700 and 150 < height < 2500, name
    return found


def test_two_arms_over_one_axis(tmp_path: Path) -> None:
    measure = ["frequency", "speed", "joint_amplitude"]
    path = write_sweep(tmp_path / "delay", swim, axes=[DELAY], arms=["intact", "cut"], measure=measure)
    (path / "reference.csv").write_text(
        "metric,index,value,unit,sd,source,n,arm,effect\nspeed,,0.7,BL/s,0.1,animal,12,,\nspeed,,,%,20,animal,6,cut,-45\n"
        "speed,,,%,20,animal,6,cutt,-45\n"
    )
    page = report(path)
    assert page == path / "report.html"
    assert pictures(path) == ["curves.png", "lesions_frequency.png", "lesions_speed.png", "validation.png"]
    html = text_of(page)
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert html.count("<img") == 4
    assert "30 planned: 29 complete, 1 failed, 0 not run" in html
    assert "1 of 30 runs failed" in html
    assert "joint_3 &lt;exploded&gt; at tick 1000" in html
    assert "With 5 seeds no sign-flip test can give less than p = 0.062" in html
    # speed at 0 ms: 0.7 and 0.35 + 0.003 seed: differences of -0.35 + 0.003 seed
    effect = row_of(html, "cut", "intact", "0 ms", "forward speed (BL/s)")
    assert effect[4:8] == ["5", "-0.341", "-0.346 to -0.336", "-46.7 %"]
    assert effect[10:13] == ["0.062", "0.19", "3"]
    assert row_of(html, "cut", "intact", "40 ms", "forward speed (BL/s)")[13:] == ["2/5", "2/5", "1"]
    lost = row_of(html, "intact", "40 ms", "frequency (Hz)")
    assert lost[3:7] == ["2/5", "0.4", "0.118 to 0.769", "2.35"]
    assert row_of(html, "intact", "0 ms", "forward speed (BL/s)")[3:] != lost[3:]
    assert "Virtual and real lesions" in html and "Not compared: speed: the sweep has no arm cutt" in html
    sign = row_of(html, "cut", "0 ms", "forward speed (BL/s)", "5", "-46.7 %")
    assert sign[6] == "-45.0 % ± 20 % (n = 6)" and sign[8] == "agrees" and sign[11] == "within 2 SD"
    for name in ("table.csv", "statistics.csv", "comparisons.csv", "validation.csv"):
        rows = list(csv.DictReader((path / name).read_text().splitlines()))
        assert rows and "wires.stretch.delay" in rows[0]
    assert (path / "table.parquet").exists()


def test_two_axes_are_maps(tmp_path: Path) -> None:
    path = write_sweep(tmp_path / "s", swim, axes=[DELAY, DRIVE], arms=["intact", "cut"], seeds=[1, 2])
    report(path)
    assert pictures(path) == ["map_frequency.png", "map_speed.png", "map_survival.png"]
    assert "Ranked bars of lesions are drawn for at most 3 combinations of values; there are 6." in text_of(
        path / "report.html"
    )


def test_a_third_axis_has_a_map_for_each_of_its_values(tmp_path: Path) -> None:
    third = axis("mass", ["1 g", "2 g"], [1e-3, 2e-3], "kg")
    path = write_sweep(tmp_path / "s", swim, axes=[third, DELAY, DRIVE], seeds=[2], measure=["speed"])
    report(path)
    assert pictures(path) == ["map_speed_1.png", "map_speed_2.png"]
    assert "The rhythm survived in every run that has finished." in text_of(path / "report.html")


def test_designs_that_vary_different_axes_have_their_own_pictures(tmp_path: Path) -> None:
    places = [{"wires.stretch.delay": i} for i in range(3)] + [{"drive": 0}, {"drive": 1}]
    path = write_sweep(tmp_path / "s", swim, axes=[DELAY, DRIVE], seeds=[2, 4], measure=["speed"], places=places)
    html = text_of(report(path))
    assert pictures(path) == ["curves_1.png", "curves_2.png"]
    assert row_of(html, "intact", "as written", "4 pA", "forward speed (BL/s)")[4] == "2/2"


def test_places_without_a_grid_are_dots(tmp_path: Path) -> None:
    places = [{"wires.stretch.delay": i % 3, "drive": i // 3} for i in range(5)]
    path = write_sweep(tmp_path / "s", swim, axes=[DELAY, DRIVE], seeds=[2], measure=["speed"], places=places)
    report(path)
    assert pictures(path) == ["points_speed.png"]


def test_series_of_lesions_are_curves_and_many_arms_a_matrix(tmp_path: Path) -> None:
    arms = ["intact", *(f"transect {x} mm" for x in (10, 20, 37.5)), *(f"EX {f}" for f in (0.25, 0.5, 1.0)), "cut"]
    found = series_of(arms)
    assert [(one.name, one.unit, list(one.arms)) for one in found] == [
        ("transect", "mm", [10.0, 20.0, 37.5]), ("EX", "", [0.25, 0.5, 1.0]),
    ]  # fmt: skip
    assert series_of(["intact", "EX 0.5", "EX 1", "half of EX"]) == []
    feedback = axis("feedback_strength", ["0", "1"], [0.0, 1.0], "1")
    path = write_sweep(tmp_path / "s", swim, axes=[feedback], arms=arms, seeds=[1, 2], measure=["speed"])
    report(path)
    assert pictures(path) == ["arms_speed.png", "lesions_speed.png", "series_EX.png", "series_transect.png"]


def test_three_arms_without_axes(tmp_path: Path) -> None:
    arms = ["intact", "cut", "intact+shuffled", "cut+shuffled"]
    path = write_sweep(tmp_path / "s", swim, arms=arms, measure=["speed", "joint_amplitude"], seeds=[1, 2, 3])
    html = text_of(report(path))
    assert pictures(path) == ["lesions_speed.png", "runs.png"]
    for heading in ("Lesions against intact", "Against the null control (shuffled wiring)",
                    "Lesions within shuffled wiring", "Effects beyond those within shuffled wiring"):  # fmt: skip
        assert f"<h2>{heading}</h2>" in html
    assert row_of(html, "cut", "cut+shuffled", "forward speed (BL/s)")[3] == "3"


def test_one_seed_and_one_arm(tmp_path: Path) -> None:
    path = write_sweep(tmp_path / "s", swim, seeds=[2], measure=["speed"])
    html = text_of(report(path))
    assert "One seed: there are no standard deviations, no intervals and no tests." in html
    assert row_of(html, "intact", "forward speed (BL/s)")[2:] == ["1/1", "1", "0.207 to 1", "0.72", "–", "–"]
    assert "Lesions against intact" not in html


def test_a_sweep_that_has_not_begun_and_one_that_goes_on(tmp_path: Path) -> None:
    nothing = write_sweep(tmp_path / "s", lambda *_: None, axes=[DELAY], arms=["intact", "cut"])
    html = text_of(report(nothing))
    assert "30 of 30 runs were not run yet; they are left out of all statistics." in html
    assert pictures(nothing) == []
    part = write_sweep(tmp_path / "t", lambda *a: swim(*a) if a[2] < 3 else None, axes=[DELAY], arms=["intact", "cut"])
    assert "18 of 30 runs were not run yet" in text_of(report(part))
    assert pictures(part)


def test_lesions_that_were_not_run_are_not_called_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    write = Axes.text
    monkeypatch.setattr(Axes, "text", lambda *args, **more: (told.append(args[3].strip()), write(*args, **more))[1])
    rows = {"intact": swim("intact", {}, 2), "late": None, "cut": "blew up"}
    report(write_sweep(tmp_path / "s", lambda arm, *_: rows[arm], arms=list(rows), measure=["speed"]))
    assert [text for text in told if text] == ["lost: 0 of 5 survive", "not run yet", "0/5"]  # the lost one first


def test_all_runs_of_an_arm_failed(tmp_path: Path) -> None:
    path = write_sweep(
        tmp_path / "s", lambda arm, place, seed: "blew up" if arm == "cut" else swim(arm, place, seed),
        axes=[DELAY], arms=["intact", "cut"], measure=["speed"],
    )  # fmt: skip
    html = text_of(report(path))
    assert row_of(html, "15", "blew up")[2].startswith("r0005, r0006")
    assert row_of(html, "cut", "0 ms", "forward speed (BL/s)")[3:6] == ["0/5", "0", "0 to 0.434"]


def test_the_report_repeats_to_the_byte_and_old_pictures_go(tmp_path: Path) -> None:
    path = write_sweep(tmp_path / "s", swim, axes=[DELAY], arms=["intact", "cut"], measure=["speed"])
    report(path)
    first = {file.name: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    (path / "figures" / "map_old.png").write_bytes(b"old")
    report(path)
    assert {file.name: file.read_bytes() for file in path.rglob("*") if file.is_file()} == first


def test_without_pyarrow_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_sweep(tmp_path / "s", swim, seeds=[2], measure=["speed"])
    (path / "table.parquet").write_bytes(b"old")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    html = text_of(report(path))
    assert "table.parquet was not written: pyarrow is not installed" in html
    assert not (path / "table.parquet").exists()


def test_the_summary_is_plain_data(tmp_path: Path) -> None:
    path = write_sweep(tmp_path / "s", swim, axes=[DELAY], arms=["intact", "cut"])
    (path / "reference.csv").write_text("metric,index,value,unit,sd,source\nspeed,,0.7,BL/s,,A\n")
    found = json.loads(json.dumps(summary(path), allow_nan=False))
    assert found["runs"] == {"planned": 30, "complete": 29, "failed": 1, "not_run": 0}
    assert found["failures"] == [{"reason": "joint_3 <exploded> at tick 1000", "runs": ["r0019"]}]
    assert len(found["statistics"]) == 2 * 3 * 2
    assert found["comparisons"][0]["wires.stretch.delay"] == "0 ms"
    assert found["validation"][0]["animal_sd"] is None


def test_the_surface_in_python(tmp_path: Path) -> None:
    path = write_sweep(tmp_path / "s", swim, axes=[DELAY], arms=["intact", "cut"])
    result = cosim.SweepResult(path)
    assert "29 of 30 runs" in repr(result)
    assert len(result.columns()["speed"]) == 30
    assert (len(result.cells), len(result.comparisons), result.validation) == (12, 6, [])
    pytest.importorskip("xarray")
    assert result.to_xarray()["speed"].shape == (2, 3, 5)


def test_mistakes_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not the result of a sweep"):
        report(tmp_path)
    path = write_sweep(tmp_path / "s", swim, seeds=[2])
    (path / "reference.csv").write_text("metric,index,value,unit,sd,source\nspeed,,0.7,m/s,,A\n")
    with pytest.raises(UserError, match=r"reference.csv:2:1: unit: speed is in BL/s, got m/s"):
        report(path)


def test_the_command_prints_one_object_or_where_the_page_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_sweep(tmp_path / "s", swim, axes=[DELAY], arms=["intact", "cut"], measure=["speed"])
    assert sweep_report.execute(path, json=False) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == ["A sweep: 30 runs, 29 complete, 1 failed, 0 not run", "s/report.html"]
    assert said.err.startswith("1 of 30 runs failed")
    assert sweep_report.execute(path, json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["report"] == str(path / "report.html")
    assert found["runs"]["failed"] == 1
