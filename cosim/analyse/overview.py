"""The overview picture of one result, with a panel for everything that was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cosim.analyse import panels
from cosim.analyse.tables import Line
from cosim.record.extras import need
from cosim.record.result import Result

STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "savefig.dpi": 150,
    "figure.dpi": 100,
}


def overview(result: Result, lines: Sequence[Line], transient: float, path: Path) -> Path:
    """Draw spikes, joint angles, motor output, the path from above and the table of metrics into the PNG ``path``.

    Panels for what was not recorded are left out.
    """
    mpl = need("matplotlib", "report")
    figures = need("matplotlib.figure", "report")
    series = set(result.series)
    start, stop = panels.window(result, transient)
    spikes = any(one.spiking and name in result.spikes_of for name, one in result.populations.items())
    motor = panels.motor_series(result)
    left = [("raster", 2.2)] * spikes
    left += [("joints", 1.6)] * ("body/joint_angle" in series) + [("motor", 1.3)] * (motor is not None)
    right = [("path", 1.1)] * ("body/link_position" in series) + [("rates", 0.9)] * spikes + [("table", 1.5)]
    with mpl.rc_context(STYLE):
        figure = figures.Figure(figsize=(15, 9.5), layout="constrained")
        columns = figure.add_gridspec(1, 2, width_ratios=[1.25, 1])
        axes: dict[str, Any] = {}
        for column, names in enumerate((left, right)):
            if names:
                inner = columns[column].subgridspec(len(names), 1, height_ratios=[height for _, height in names])
                axes.update({name: figure.add_subplot(inner[i]) for i, (name, _) in enumerate(names)})
        if "raster" in axes:
            panels.raster(axes["raster"], result, start, stop)
        if "joints" in axes:
            panels.joint_angles(axes["joints"], result.trace("body/joint_angle"), start, stop)
        if "motor" in axes and motor is not None:
            panels.channels(figure, axes["motor"], result.trace(motor), start, stop)
        timed = [axes[name] for name, _ in left]
        for one in timed:
            one.set_xlim(start, stop)
            one.label_outer(remove_inner_ticks=False) if one is not timed[-1] else one.set_xlabel("time (s)")
        if "path" in axes:
            panels.path(axes["path"], result, transient)
        if "rates" in axes:
            panels.rates(axes["rates"], result, start, stop)
        _table(axes["table"], lines)
        figure.suptitle(_title(result), fontsize=13, fontweight="bold", x=0.01, ha="left")
        figure.savefig(path)
    return path


def _title(result: Result) -> str:
    manifest = result.manifest
    name = str(manifest.get("title") or manifest.get("name") or result.path.name)
    seed = f", seed {manifest['seed']}" if "seed" in manifest else ""
    state = "" if result.complete else f"  [INCOMPLETE: {result.status}]"
    return f"{name}{seed}, {result.duration:g} s{state}"


def _table(axes: Any, lines: Sequence[Line]) -> None:
    axes.axis("off")
    axes.set_title("Metrics", loc="left")
    if not lines:
        axes.text(0, 0.9, "nothing was measured", va="top", color="0.4")
        return
    head = ("", "measured", "reference", "error")
    rows = [(f"{line.title} ({line.unit})" if line.unit else line.title, line.measured, line.reference, line.error)
            for line in lines]  # fmt: skip
    y = 1.0
    step = min(0.1, 1.0 / (len(rows) + 1))
    # a long list of values needs the width of its column: it is set smaller
    for i, row in enumerate((head, *rows)):
        for x, text, align in zip((0.0, 0.62, 0.84, 1.0), row, ("left", "right", "right", "right"), strict=True):
            axes.text(
                x,
                y,
                text,
                ha=align,
                va="top",
                fontsize=8.5,
                transform=axes.transAxes,
                weight="bold" if i == 0 else None,
            )
        y -= step
        axes.plot([0, 1], [y + 0.2 * step] * 2, color="0.85", linewidth=0.6, transform=axes.transAxes, clip_on=False)
