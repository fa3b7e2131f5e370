"""Opening what is not a result, or asking for what is not there, ends in one clear line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cosim.errors import UserError
from cosim.record import Result, prepare_directory, update_manifest


def test_a_directory_that_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such result directory"):
        Result(tmp_path / "nothing")
    with pytest.raises(UserError, match=r"not a cosim result \(it has no manifest.json\)"):
        Result(tmp_path)
    (tmp_path / "manifest.json").write_text("{broken")
    with pytest.raises(UserError, match="cannot be read as JSON"):
        Result(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(UserError, match="expected a JSON object"):
        Result(tmp_path)
    (tmp_path / "manifest.json").write_text('{"cosim": "result/1"}')
    with pytest.raises(UserError, match=r"no readable data\.zarr"):
        Result(tmp_path)


def test_names_that_were_not_recorded(tmp_path: Path, writer: Any) -> None:
    writer.run(tmp_path / "r", 1)
    result = Result(tmp_path / "r")
    with pytest.raises(UserError, match="body/speed was not recorded; there are body/joint_angle, body/link_position"):
        result.trace("body/speed")
    with pytest.raises(UserError, match="no population IN; there are EX, MN"):
        result.spikes("IN")
    with pytest.raises(UserError, match="nothing was recorded in skin; there are body, state/MN, wires/motor"):
        result.to_xarray("skin")


def test_a_fresh_directory_is_made_and_an_old_result_kept(tmp_path: Path, writer: Any) -> None:
    path = prepare_directory(tmp_path / "a" / "b")
    assert path.is_dir()
    prepare_directory(path)
    writer.run(path, 1)
    with pytest.raises(UserError, match="holds a result already"):
        prepare_directory(path)
    prepare_directory(path, force=True)
    assert list(path.iterdir()) == []


def test_foreign_content_is_never_deleted(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="is no cosim result"):
        prepare_directory(tmp_path, force=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(UserError, match="is a file"):
        prepare_directory(tmp_path / "thesis.tex", force=True)
    with pytest.raises(UserError, match="cannot be used for a result"):
        prepare_directory(tmp_path / "thesis.tex" / "run")


def test_metrics_can_be_added_later(tmp_path: Path, writer: Any) -> None:
    writer.run(tmp_path / "r", 1)
    result = Result(tmp_path / "r")
    assert result.metrics == {}
    result.save_metrics({"frequency": 3.1})
    assert Result(tmp_path / "r").metrics == {"frequency": 3.1}
    update_manifest(tmp_path / "r", note="kept")
    assert Result(tmp_path / "r").manifest["note"] == "kept"
    assert Result(tmp_path / "r").metrics == {"frequency": 3.1}


def test_a_trace_after_a_time_begins_with_the_sample_at_that_time(tmp_path: Path, writer: Any) -> None:
    writer.run(tmp_path / "r", 30)
    trace = Result(tmp_path / "r").trace("body/joint_angle")
    assert trace.dt == pytest.approx(1e-3, rel=1e-12)
    assert trace.after(0.010).time[0] == 0.010
    assert len(trace.after(0.010).values) == 21
