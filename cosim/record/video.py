"""A film of the recorded body, MP4, with a strip of the motor activity; needs the extra ``video``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cosim.errors import UserError
from cosim.record.extras import need
from cosim.record.result import Result, Trace
from cosim.record.silhouette import Array, Outline, hull, outlines, plane

_BACKGROUND = (246, 248, 250)
_GRID = (219, 226, 232)
_TRAIL = (150, 160, 170)
_INK = (40, 44, 48)
#: share of the picture's height that the strip takes
_STRIP = 0.2
#: seconds that the strip shows
_STRIP_SECONDS = 3.0
#: shapes are drawn at this many times the size and averaged, which smooths their edges
_SUPERSAMPLING = 2
#: anchors of the map cividis (Nunez et al. 2018), from low to high
_MAP = np.array([[0, 34, 78], [53, 69, 107], [102, 105, 112], [148, 142, 119], [200, 184, 102], [254, 232, 56]])


def video(
    path: Path | str,
    out: Path | str | None = None,
    *,
    fps: int = 25,
    speed: float = 1.0,
    size: tuple[int, int] = (960, 540),
) -> Path:
    """Film the result ``path`` into ``out`` (default: video.mp4 in the result); returns the file.

    ``speed`` 0.5 is slow motion at half of the real speed; ``size`` in pixels (even numbers). The camera follows the
    body over a grid of half a body length, from above, or from the side where the body moves in a vertical plane.
    Raises UserError where a package is missing, no positions were recorded or the file cannot be written.
    """
    if not (speed > 0 and fps > 0):
        raise UserError("a video needs a speed and a frame rate above 0")
    writer = need("imageio_ffmpeg", "video")
    need("PIL.Image", "video")
    result = Result(path)
    trace = result.trace("body/link_position")
    if not len(trace.time):
        raise UserError(f"{result.path}: no moment of the body was recorded")
    times = np.arange(trace.time[0], trace.time[-1] + 1e-9, speed / fps)
    target = Path(out) if out is not None else result.path / "video.mp4"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stream = writer.write_frames(str(target), size, fps=fps, codec="libx264", quality=7, macro_block_size=2)
        stream.send(None)
        try:
            for frame in Film(result, times, size).frames():
                stream.send(frame)
        finally:
            stream.close()
    except (OSError, RuntimeError) as error:
        raise UserError(f"{target}: cannot write the video: {str(error).strip().splitlines()[0]}") from error
    return target


@dataclass(frozen=True)
class Strip:
    """A series as colours (n, channels, 3) at ``time`` (n,)."""

    name: str
    time: Array
    colours: npt.NDArray[np.uint8]


class Film:
    """The frames of a film: bytes of (height, width, 3) each."""

    def __init__(self, result: Result, times: Array, size: tuple[int, int]) -> None:
        self.times = times
        self.size = size
        self.outlines: list[Outline] = outlines(result, times)
        self.axes = plane(self.outlines)
        self.strip = _strip(result)
        self._height = round(size[1] * (1 - _STRIP)) if self.strip is not None else size[1]
        centre = np.mean([one.points.mean(axis=1) for one in self.outlines], axis=0)[:, self.axes]
        self._trail = centre
        self._camera = _smooth(centre, max(1, round(1.0 / max(times[1] - times[0], 1e-9))) if len(times) > 1 else 1)
        geometry: dict[str, Any] = result.manifest.get("geometry") or {}
        everything = np.concatenate([one.points[:, :, self.axes] for one in self.outlines], axis=1)
        extent = float(np.ptp(everything, axis=1).max()) + 2 * max(one.radius for one in self.outlines)
        self._unit = float(geometry.get("length") or 0) or extent or 1.0
        reach = float(np.abs(everything - self._camera[:, None]).max()) + max(one.radius for one in self.outlines)
        self._scale = min(size[0] / (2.8 * self._unit), 0.5 * self._height / (1.1 * reach)) * _SUPERSAMPLING
        self._label = "" if result.complete else "  INCOMPLETE"

    def frames(self) -> Iterator[bytes]:
        """All frames in order."""
        image, draw = need("PIL.Image", "video"), need("PIL.ImageDraw", "video")
        width, height = self.size[0] * _SUPERSAMPLING, self._height * _SUPERSAMPLING
        for i, t in enumerate(self.times):
            canvas = image.new("RGB", (width, height), _BACKGROUND)
            pen = draw.Draw(canvas)
            self._ground(pen, i, width, height)
            for one in self.outlines:
                self._draw(pen, one, i, width, height)
            picture = image.new("RGB", self.size, _BACKGROUND)
            picture.paste(canvas.reduce(_SUPERSAMPLING), (0, 0))
            if self.strip is not None:
                picture.paste(image.fromarray(self._activity(t)), (0, self._height))
            pen = draw.Draw(picture)
            pen.text((12, 10), f"{t:6.2f} s{self._label}", fill=_INK)
            if self.strip is not None:
                pen.text((12, self._height - 16), f"{self.strip.name}, last {_STRIP_SECONDS:g} s", fill=_INK)
            yield picture.tobytes()

    def _pixels(self, points: Array, i: int, width: int, height: int) -> Array:
        moved = (points - self._camera[i]) * self._scale
        return np.stack([0.5 * width + moved[..., 0], 0.5 * height - moved[..., 1]], axis=-1)

    def _ground(self, pen: Any, i: int, width: int, height: int) -> None:
        step = 0.5 * self._unit
        half = np.array([width, height]) / (2 * self._scale)
        low, high = self._camera[i] - half, self._camera[i] + half
        for axis in (0, 1):
            for k in range(int(np.ceil(low[axis] / step)), int(np.floor(high[axis] / step)) + 1):
                ends = np.array([low, high])
                ends[:, axis] = k * step
                pen.line([tuple(p) for p in self._pixels(ends, i, width, height)], fill=_GRID, width=_SUPERSAMPLING)
        trail = self._pixels(self._trail[: i + 1], i, width, height)
        if len(trail) > 1:
            pen.line([tuple(p) for p in trail], fill=_TRAIL, width=_SUPERSAMPLING)

    def _draw(self, pen: Any, one: Outline, i: int, width: int, height: int) -> None:
        points = self._pixels(one.points[i][:, self.axes], i, width, height)
        radius = max(one.radius * self._scale, 1.0)
        color = tuple(round(255 * c) for c in one.color)
        if len(points) > 2:
            pen.polygon(hull(points), fill=color, outline=_INK)
            return
        if len(points) == 2:
            pen.line([tuple(p) for p in points], fill=color, width=max(1, round(2 * radius)))
        for x, y in points:
            pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=color)

    def _activity(self, t: float) -> npt.NDArray[np.uint8]:
        """The last seconds of the strip as an image (height, width, 3); now is at the right."""
        assert self.strip is not None  # only called with a strip
        time, colours = self.strip.time, self.strip.colours
        width, height = self.size[0], self.size[1] - self._height
        wanted = t - _STRIP_SECONDS * (1 - (np.arange(width) + 1) / width)
        column = np.searchsorted(time, wanted, side="right") - 1
        row = np.arange(height) * colours.shape[1] // height
        picture = colours[np.maximum(column, 0)[None, :], row[:, None]]
        picture[:, column < 0] = _BACKGROUND
        picture[0] = _INK
        return np.ascontiguousarray(picture)


def _strip(result: Result) -> Strip | None:
    """What drives the body; None where nothing of it was recorded."""
    wires = [name for name in result.series if name.startswith("wires/") and name.endswith("/delivered")]
    choice = [name for name in wires if "motor" in name] + ["body/muscle_force", "body/joint_angle"]
    for name in choice:
        if name in result.series:
            trace: Trace = result.trace(name)
            if trace.values.size and np.ptp(trace.values) > 0:
                return Strip(name, trace.time, _colours(trace.values.reshape(len(trace.time), -1)))
    return None


def _colours(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    level = np.nan_to_num((values - low) / (high - low) if high > low else 0 * values) * 255
    steps = np.linspace(0, 1, 256)
    table = np.stack([np.interp(steps, np.linspace(0, 1, len(_MAP)), _MAP[:, c]) for c in range(3)], axis=1)
    return table.round().astype(np.uint8)[level.astype(np.uint8)]


def _smooth(track: Array, n: int) -> Array:
    """Moving average over n samples, the ends held."""
    if n < 2:
        return track
    padded = np.concatenate([np.repeat(track[:1], n, axis=0), track, np.repeat(track[-1:], n, axis=0)])
    kernel = np.ones(n) / n
    return np.stack([np.convolve(padded[:, c], kernel, mode="same")[n:-n] for c in range(track.shape[1])], axis=1)
