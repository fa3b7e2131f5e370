"""Reports: what a reader must find in them, and that they stand alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cosim.analyse.measures import measure
from cosim.analyse.report import assess, report
from cosim.analyse.tables import flat, group_labels, lines, number, summarise
from cosim.errors import UserError
from cosim.record import PopulationLayout, Recorder, RecordLayout, Result, prepare_directory, update_manifest

REFERENCE = "metric,index,value,unit,sd,source\nfrequency,,3.17,Hz,0.2,animal\nspeed,,0.714,BL/s,,animal\n" + "".join(
    f"joint_amplitude,{i},{a},deg,,animal\n" for i, a in enumerate((10.8, 13.4, 13.0, 12.8, 23.2, 31.8, 28.0, 34.0), 1)
)


def measured(result: Result, **overrides: object) -> Result:
    result.save_metrics(measure(result, {"swim": {}, "rates": {}}, 1.0))
    update_manifest(result.path, overrides=overrides, transient=1.0)
    (result.path / "reference.csv").write_text(REFERENCE)
    return Result(result.path)


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def test_one_result_has_a_picture_and_a_page_that_stands_alone(write: Callable[..., Result]) -> None:
    result = measured(write("one"))
    page = report([result.path])
    assert page == result.path / "report.html"
    width, height = png_size(result.path / "overview.png")
    assert width >= 2000
    assert height >= 1200
    html = page.read_text()
    assert "data:image/png;base64," in html
    assert not re.search(r'(src|href)="(?!data:)', html)
    row = re.search(r"<tr><td>frequency</td>.*?</tr>", html)
    assert row is not None
    for cell in ("Hz", "3.2", "3.17 ± 0.2", "+0.9 %", "0.03", "animal"):
        assert f">{cell}</td>" in row.group()
    summary = re.search(r"<tr><td>joint amplitude, 8 values</td>.*?</tr>", html)
    assert summary is not None
    assert ">1.000</td>" in summary.group()
    assert 'class="warning"' not in html
    assert "real_time_factor" in html


def test_a_killed_run_is_reported_with_a_warning(write: Callable[..., Result]) -> None:
    result = write("killed_report", status="running", seconds=3.0)
    update_manifest(result.path, measure={"swim": None}, transient=1.0)
    html = report([result.path]).read_text()
    assert "Incomplete: still running, or killed. Everything below rests on the first 3 s." in html
    assert ">3.2</td>" in html


def test_a_failed_run_says_why(write: Callable[..., Result]) -> None:
    result = write("failed_report", status="failed", seconds=1.0)
    update_manifest(result.path, message="joint_3 <exploded> at tick 1000", measure={"swim": {"joints": ["x"]}})
    warnings = assess(Result(result.path)).warnings
    assert warnings[0].endswith("Message: joint_3 <exploded> at tick 1000")
    assert warnings[1].startswith("Not measured: body/joint_angle has no x")
    html = report([result.path]).read_text()
    assert "joint_3 &lt;exploded&gt; at tick 1000" in html


def test_a_reference_that_does_not_fit_is_a_warning(write: Callable[..., Result]) -> None:
    result = measured(write("misfit"))
    (result.path / "reference.csv").write_text(REFERENCE.rsplit("\n", 2)[0] + "\n")
    (warning,) = assess(Result(result.path)).warnings
    assert warning == ("Not compared with the reference: joint_amplitude: measured 8 values, the reference has 7")
    (result.path / "reference.csv").unlink()
    update_manifest(result.path, reference="swim.csv")
    (warning,) = assess(Result(result.path)).warnings
    assert warning == "The reference swim.csv is not there; the metrics stand alone."


def test_a_network_without_a_body_and_an_empty_run_are_drawn(tmp_path: Path) -> None:
    for name, ticks in (("network", 50), ("empty", 0)):
        prepare_directory(tmp_path / name)
        layout = RecordLayout(1e-3, 1e-3, (PopulationLayout("A", 0, 3), PopulationLayout("G", 3, 0)))
        recorder = Recorder(tmp_path / name, manifest={"name": name}, layout=layout, flush_every=10)
        for k in range(ticks):
            recorder.spikes(np.array([k]), np.array([k % 3], dtype=np.int32))
            recorder.tick_done()
        recorder.close("complete")
        page = report([tmp_path / name])
        assert "Nothing was measured." in page.read_text()


def test_several_results_are_grouped_by_what_differs(write: Callable[..., Result], tmp_path: Path) -> None:
    runs = [
        measured(write(f"many_{i}", seed=i, speed=speed, seconds=3.0), w=w, delay="20 ms")
        for i, (w, speed) in enumerate([(0, 0.6), (0, 0.7), (1, 0.8)])
    ]
    page = report([run.path for run in runs], tmp_path / "out")
    html = page.read_text()
    assert png_size(tmp_path / "out" / "comparison.png")[0] > 1000
    assert ">w=0 (n = 2)</th>" in html
    assert ">w=1 (n = 1)</th>" in html
    assert "delay" not in re.sub(r"base64,[^\"]*", "", html)
    row = re.search(r"<tr><td>speed</td>.*?</tr>", html)
    assert row is not None
    # 0.6 and 0.7: mean 0.65, SD 0.0707; RMSE against 0.714: sqrt((0.114^2 + 0.014^2)/2) = 0.0812
    assert "0.65 ± 0.0707 [-9.0 %; RMSE 0.0812]" in row.group()
    assert "0.8 [+12.0 %; RMSE 0.086]" in row.group()
    profile = re.search(r"<tr><td>joint_amplitude, mean of the runs</td>.*?</tr>", html)
    assert profile is not None
    assert profile.group().count("r = 1.000; RMSE 0.000") == 2


def test_mistakes_of_the_user(tmp_path: Path, swimmer: Result) -> None:
    with pytest.raises(UserError, match="no result directory was given"):
        report([])
    with pytest.raises(UserError, match="no such result directory"):
        report([tmp_path / "none"])
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write the report"):
        report([swimmer.path], tmp_path / "file")


def test_without_matplotlib_the_message_names_the_extra(swimmer: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(UserError, match=r"matplotlib is not installed.*cosim-neuro\[report\]"):
        report([swimmer.path])


def test_labels_of_groups() -> None:
    base = {"name": "swim", "overrides": {"w": 1, "seed": 3}}
    assert group_labels([base, {"name": "swim", "overrides": {"w": 1, "seed": 4}}]) == ["swim", "swim"]
    assert group_labels([base, {"name": "swim", "overrides": {}}]) == ["w=1", "w as written"]
    assert group_labels([base, {"name": "walk", "overrides": {"w": 1}}]) == ["swim", "walk"]


def test_numbers_in_tables() -> None:
    assert [number(x) for x in (3.17159, 0.0001234, 12345.6, float("nan"))] == ["3.17", "0.000123", "12346", "–"]
    assert flat({"a": 1.0, "b": [2.0, 3.0]}) == {"a": 1.0, "b[1]": 2.0, "b[2]": 3.0}
    assert str(summarise([1.0, 3.0, float("nan")])) == "2 ± 1.41"
    assert str(summarise([])) == "–"
    assert [line.name for line in lines({"b": [2.0, 3.0]}, {})] == ["b[1]", "b[2]"]
