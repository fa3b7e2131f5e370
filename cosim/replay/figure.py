"""The picture of a replay: contacts beside the record, forces, torques, power, path; bands for what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.analyse.overview import STYLE
from cosim.analyse.panels import OKABE_ITO
from cosim.record.extras import need
from cosim.replay.comparing import Bands, Legs
from cosim.replay.variants import Curves

F64 = NDArray[np.float64]
#: width of the mean that curves are drawn with, s
_SMOOTH = 5e-3


def picture(own: Curves, bands: Bands | None, legs: Legs | None, title: str, path: Path) -> Path:
    """Draw into the PNG `path`. Units: uN, uN mm, nW, mm, s."""
    mpl = need("matplotlib", "report")
    figures = need("matplotlib.figure", "report")
    with mpl.rc_context(STYLE):
        figure = figures.Figure(figsize=(15, 10), layout="constrained")
        left, right = figure.add_gridspec(1, 2, width_ratios=[1.3, 1])
        rows = len(own.feet)
        column = left.subgridspec(rows + 1, 1, height_ratios=[0.9, *[1] * rows])
        if legs is not None:
            _gait(figure.add_subplot(column[0]), legs)
        for k, foot in enumerate(own.feet):
            axes = figure.add_subplot(column[k + 1])
            _foot(axes, own, bands, legs, foot)
            axes.set_xlim(own.time[0], own.time[-1])
            if k < rows - 1:
                axes.set_xticklabels([])
        axes.set_xlabel("time (s); grey: the leg was down in the record")
        column = right.subgridspec(3, 1, height_ratios=[2.2, 0.8, 0.9])
        _torques(figure.add_subplot(column[0]), own, bands)
        _power(figure.add_subplot(column[1]), own, bands)
        _path(figure.add_subplot(column[2]), own, bands)
        figure.suptitle(title, fontsize=13, fontweight="bold", x=0.01, ha="left")
        figure.savefig(path)
    return path


def _mean(own: Curves, values: F64) -> F64:
    """A running mean over `_SMOOTH`, as many samples as before."""
    n = max(round(_SMOOTH / float(np.mean(np.diff(own.time)))), 1)
    padded = np.pad(values, (n // 2, n - 1 - n // 2), mode="edge")
    return np.convolve(padded, np.full(n, 1 / n), mode="valid")


def _gait(axes: Any, legs: Legs) -> None:
    """Two lines a leg: down in the record, down in the replay."""
    simulated = legs.simulated
    for k, _ in enumerate(legs.measured.legs):
        for stances, y, colour in ((legs.measured, k - 0.2, "0.35"), (simulated, k + 0.2, OKABE_ITO[0])):
            spans = [(t, stances.dt) for t, down in zip(stances.time, stances.down[:, k], strict=True) if down]
            axes.broken_barh(spans, (y - 0.17, 0.34), color=colour, linewidth=0)
    axes.set_yticks(range(len(legs.measured.legs)), legs.measured.legs, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(legs.measured.time[0], legs.measured.time[-1] + legs.measured.dt)
    agreement = legs.agreement
    best = agreement.shifted.max(axis=0, initial=-np.inf)
    axes.set_title(
        f"Legs down in the record (grey) and the replay (blue): balanced accuracy {agreement.mean_accuracy:.2f} "
        f"(best shift {best[0]:.2f}), r {agreement.mean_r:.2f} ({best[1]:.2f})",
        loc="left", fontsize=9,
    )  # fmt: skip


def _band(
    axes: Any, own: Curves, bands: Bands | None, name: str, column: int | None, scale: float, colour: str
) -> None:
    def curve(one: Curves) -> F64:
        values = getattr(one, name)
        return _mean(own, (values if column is None else values[:, column]) * scale)

    if bands is not None:
        axes.fill_between(own.time, curve(bands.low), curve(bands.high), color=colour, alpha=0.25, linewidth=0)
    axes.plot(own.time, curve(own), color=colour, linewidth=1.1)


def _foot(axes: Any, own: Curves, bands: Bands | None, legs: Legs | None, foot: str) -> None:
    if legs is not None and foot in legs.measured.legs:
        down = legs.measured.down[:, legs.measured.legs.index(foot)]
        for t in legs.measured.time[down]:
            axes.axvspan(t, t + legs.measured.dt, color="0.9", linewidth=0)
    _band(axes, own, bands, "foot", own.feet.index(foot), 1e6, OKABE_ITO[0])
    axes.set_ylabel(f"{foot} (µN)")
    axes.set_ylim(bottom=0)


def _torques(axes: Any, own: Curves, bands: Bands | None) -> None:
    """The joints with the largest torques, each about a base line of its own."""
    rms = np.sqrt((own.torque**2).mean(axis=0))
    chosen = np.argsort(rms)[::-1][:12]
    spacing = 2.2e9 * float(np.abs(own.torque[:, chosen]).max(initial=1e-12)) * 0.6
    shown = Curves(own.time, own.feet, own.foot, own.joints, own.torque, own.power, own.path, {})
    for k, joint in enumerate(chosen):
        colour = OKABE_ITO[k % 6]
        offset = -k * spacing

        def curve(one: Curves, joint: int = int(joint), offset: float = offset) -> F64:
            return _mean(shown, one.torque[:, joint] * 1e9) + offset

        axes.axhline(offset, color="0.85", linewidth=0.6, zorder=0)
        if bands is not None:
            axes.fill_between(own.time, curve(bands.low), curve(bands.high), color=colour, alpha=0.25, linewidth=0)
        axes.plot(own.time, curve(own), color=colour, linewidth=1)
    axes.set_yticks([-k * spacing for k in range(len(chosen))], [own.joints[j].removeprefix("joint_") for j in chosen])
    axes.set_xlim(own.time[0], own.time[-1])
    axes.set_title(f"Joint torques, the {len(chosen)} largest (distance of the lines {spacing:.1f} µN mm)", loc="left")


def _power(axes: Any, own: Curves, bands: Bands | None) -> None:
    _band(axes, own, bands, "power", None, 1e9, OKABE_ITO[1])
    axes.axhline(0, color="0.7", linewidth=0.6)
    axes.set_xlim(own.time[0], own.time[-1])
    # a landing at the start would hide all the rest
    low, high = np.percentile(_mean(own, own.power * 1e9), (0.5, 99.5))
    axes.set_ylim(low - 0.8 * (high - low), high + 0.8 * (high - low))
    axes.set_xlabel("time (s)")
    axes.set_title("Power of all joints (nW)" + (", bands: see the table of variants" if bands else ""), loc="left")


def _path(axes: Any, own: Curves, bands: Bands | None) -> None:
    """Height and way along x and y."""
    for k, (label, colour) in enumerate(zip("xyz", OKABE_ITO, strict=False)):
        start = own.path[0, k]
        if bands is not None:
            axes.fill_between(
                own.time, (bands.low.path[:, k] - start) * 1e3, (bands.high.path[:, k] - start) * 1e3, color=colour,
                alpha=0.25, linewidth=0,
            )  # fmt: skip
        axes.plot(own.time, (own.path[:, k] - start) * 1e3, color=colour, label=label)
    axes.set_xlim(own.time[0], own.time[-1])
    axes.set_xlabel("time (s)")
    axes.legend(frameon=False, ncols=3, fontsize=8)
    axes.set_title("Way of the centre of mass (mm)", loc="left")
