"""Outlines of bodies in known poses, and a film that can be read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.errors import UserError
from cosim.record import Recorder, RecordLayout, Result, body_series, prepare_directory
from cosim.record.silhouette import Outline, hull, outlines, plane, rotate
from cosim.record.video import Film, video

HALF = 0.5**0.5
ABOUT_Z = (0.0, 0.0, HALF, HALF)


def write(path: Path, shapes: list[dict[str, Any]], *, orientation: bool = True, ticks: int = 100) -> Result:
    """A link that moves along x at 1 m/s, turned by 90 degrees about z, and one that stays."""
    prepare_directory(path, force=True)
    series = [body_series("link_position", ["a", "b"], width=3), body_series("joint_angle", ["j"])]
    if orientation:
        series.append(body_series("link_orientation", ["a", "b"], width=4))
    links = [{"name": "a", "mass": 1, "com": [0, 0, 0], "shapes": shapes}, {"name": "b", "shapes": []}]
    manifest = {"geometry": {"length": 1.0, "axis": ["a", "b"], "links": links}}
    layout = RecordLayout(1e-2, 1e-3, series=tuple(series), spikes=False)
    recorder = Recorder(path, manifest=manifest, layout=layout, flush_every=50)
    for k in range(ticks):
        recorder.channel("body/link_position").append([[(k + 1) * 1e-2, 0, 0], [0.5, 0.2, 0]])
        recorder.channel("body/joint_angle").append([np.sin(0.2 * k)])
        if orientation:
            recorder.channel("body/link_orientation").append([ABOUT_Z, (0, 0, 0, 1)])
        recorder.tick_done()
    recorder.close("complete")
    return Result(path)


def test_rotate_turns_x_into_y_about_z() -> None:
    np.testing.assert_allclose(rotate(ABOUT_Z, [1.0, 0, 2.0]), [0, 1, 2], atol=1e-15)


def test_a_capsule_is_placed_by_its_link_and_its_own_frame(tmp_path: Path) -> None:
    # its own z along the link's x (a turn of 90 degrees about y), its centre 0.1 m ahead in the link
    capsule = {"kind": "capsule", "size": [0.2, 0.03], "at": [0.1, 0, 0], "quaternion": [0, HALF, 0, HALF]}
    found = outlines(write(tmp_path / "r", [capsule]), np.array([0.2, 0.7]))
    one = next(o for o in found if o.radius == 0.03)
    np.testing.assert_allclose(one.points[0], [[0.2, 0, 0], [0.2, 0.2, 0]], atol=1e-12)
    np.testing.assert_allclose(one.points[1], [[0.7, 0, 0], [0.7, 0.2, 0]], atol=1e-12)
    # the link without a shape hangs on it as a line
    line = next(o for o in found if o.radius != 0.03)
    np.testing.assert_allclose(line.points[0], [[0.2, 0, 0], [0.5, 0.2, 0]], atol=1e-12)


def test_without_orientations_the_links_are_a_line(tmp_path: Path) -> None:
    (line,) = outlines(write(tmp_path / "r", [], orientation=False), np.array([0.5]))
    np.testing.assert_allclose(line.points[0], [[0.5, 0, 0], [0.5, 0.2, 0]], atol=1e-12)
    assert line.radius == pytest.approx(0.025, abs=1e-12)


def test_boxes_become_their_hull() -> None:
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5], [1, 0.5], [0, 0]])
    assert hull(square) == [(0, 0), (1, 0), (1, 1), (0, 1)]
    assert hull(np.array([[1.0, 1], [1, 1]])) == [(1, 1)]


@pytest.mark.parametrize(("moving", "expected"), [((0, 1), (0, 1)), ((0, 2), (0, 2)), ((1, 2), (1, 2)), ((0,), (0, 1))])
def test_the_view_is_the_plane_of_motion(moving: tuple[int, ...], expected: tuple[int, int]) -> None:
    points = np.zeros((50, 1, 3))
    points[:, 0, list(moving)] = np.linspace(0, 1, 50)[:, None]
    assert plane([Outline(points, 0.1, (0, 0, 0))]) == expected


def test_a_disc_is_drawn_where_it_is(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    ball = {"kind": "sphere", "size": [0.1], "color": [1, 0, 0]}
    film = Film(write(tmp_path / "r", [ball]), np.array([0.2, 0.4]), (320, 180))
    for frame in film.frames():
        picture = np.frombuffer(frame, np.uint8).reshape(180, 320, 3).astype(int)
        red = (picture[:144, :, 0] > 200) & (picture[:144, :, 1] < 60)
        # area of the disc in pixels, from the film's own scale (drawn at twice the size)
        assert red.sum() == pytest.approx(np.pi * (0.1 * film._scale / 2) ** 2, rel=0.1)


def test_a_film_has_the_frames_of_its_duration(tmp_path: Path) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    result = write(tmp_path / "r", [{"kind": "box", "size": [0.1, 0.1, 0.1]}])
    path = video(result.path, size=(320, 180))
    assert path == result.path / "video.mp4"
    frames, seconds = ffmpeg.count_frames_and_secs(str(path))
    # from 0.01 s to 1.00 s at 25 frames a second
    assert frames == 25
    assert seconds == pytest.approx(1.0, abs=0.05)
    slow = video(result.path, tmp_path / "slow.mp4", speed=0.5, size=(320, 180))
    assert ffmpeg.count_frames_and_secs(str(slow))[0] == 50


def test_without_the_package_the_message_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = write(tmp_path / "r", [])
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match=r"imageio_ffmpeg is not installed.*cosim-neuro\[video\]"):
        video(result.path)


def test_a_video_that_cannot_be_written_is_the_users_problem(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    result = write(tmp_path / "r", [], ticks=10)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write the video"):
        video(result.path, tmp_path / "file" / "video.mp4")
    with pytest.raises(UserError, match="cannot write the video"):
        video(result.path, tmp_path)
    with pytest.raises(UserError, match="above 0"):
        video(result.path, speed=0.0)


def test_a_result_without_positions_has_no_film(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    prepare_directory(tmp_path / "r")
    Recorder(tmp_path / "r", manifest={}, layout=RecordLayout(1e-3, 1e-3), flush_every=1).close("complete")
    with pytest.raises(UserError, match="body/link_position was not recorded"):
        video(tmp_path / "r")
    result = write(tmp_path / "s", [], ticks=0)
    with pytest.raises(UserError, match="no moment of the body was recorded"):
        video(result.path)
