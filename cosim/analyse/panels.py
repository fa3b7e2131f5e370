"""The panels of the overview picture: each draws one aspect of a result into given axes.

Colours are those of Okabe and Ito (2008) and the maps viridis and cividis, which keep apart under colour blindness.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cosim.analyse.measures import sides_of
from cosim.record.layout import PopulationLayout
from cosim.record.result import Result, Trace

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
#: neurons drawn per population and side: more become a grey block
SHOWN = 120


def window(result: Result, transient: float, longest: float = 2.0) -> tuple[float, float]:
    """The last ``longest`` seconds of the record, without the transient where there is time left after it."""
    stop = max(result.duration, result.tick)
    begin = transient if transient < stop else 0.0
    return max(begin, stop - longest), stop


def raster(axes: Any, result: Result, start: float, stop: float) -> None:
    """Spikes of at most ``SHOWN`` neurons per population and side, head at the top; a colour a population."""
    ticks: list[tuple[float, str]] = []
    top = 0.0
    for k, name in enumerate(name for name in result.populations if name in result.spikes_of):
        population = result.population(name)
        if not population.spiking:
            continue
        times, ids = result.spikes(name)
        inside = (times >= start) & (times < stop)
        times, ids = times[inside], ids[inside]
        for side in sides_of(population, None) or [""]:
            row = rows(population, side)
            height = int(row.max(initial=-1)) + 1
            shown = row[ids] >= 0
            axes.plot(
                times[shown],
                top + row[ids[shown]],
                linestyle="none",
                marker="|",
                markersize=1.6,
                markeredgewidth=0.5,
                color=OKABE_ITO[k % len(OKABE_ITO)],
                rasterized=True,
            )
            ticks.append((top + height / 2, f"{name} {side}".strip()))
            top += height * 1.08 + 4
    axes.set_ylim(top, -4)
    axes.set_yticks([position for position, _ in ticks], [label for _, label in ticks])
    axes.tick_params(axis="y", length=0)
    axes.set_title("Spikes", loc="left")


def rows(population: PopulationLayout, side: str) -> npt.NDArray[np.int64]:
    """Row of every neuron in the raster, -1 for those not drawn: evenly chosen neurons of a side, ordered along the
    body."""
    mine = np.arange(population.n)
    if side and population.side is not None:
        mine = np.flatnonzero(np.asarray(population.side) == side)
    y = population.positions.get("y")
    if y is not None:
        mine = mine[np.argsort(y[mine], kind="stable")]
    if len(mine) > SHOWN:
        mine = mine[np.linspace(0, len(mine) - 1, SHOWN).round().astype(int)]
    found = np.full(population.n, -1, dtype=np.int64)
    found[mine] = np.arange(len(mine))
    return found


def joint_angles(axes: Any, trace: Trace, start: float, stop: float) -> None:
    """Joint angles in degrees, one line a joint from head to tail, each about a base line of its own."""
    part = _between(trace, start, stop)
    degrees = np.degrees(part.values)
    count = degrees.shape[1]
    spacing = max(1.1 * float(np.ptp(degrees, axis=0).max(initial=0.0)), 1.0)
    colours = _map("viridis", count, 0.85)
    for j in range(count):
        axes.axhline(-j * spacing, color="0.85", linewidth=0.6, zorder=0)
        axes.plot(part.time, degrees[:, j] - j * spacing, color=colours[j], linewidth=1.3)
    axes.set_yticks([-j * spacing for j in range(count)], [str(label) for label in part.labels[0]])
    axes.tick_params(axis="y", length=0)
    bar = float(f"{spacing / 2:.0e}")
    axes.plot([stop, stop], [0, bar], color="black", linewidth=2.5, clip_on=False, solid_capstyle="butt")
    axes.text(stop, bar / 2, f"  {bar:g}°", va="center", fontsize=8, clip_on=False)
    axes.set_title("Joint angles", loc="left")


def motor_series(result: Result) -> str | None:
    """The series that shows best what drives the muscles: a delivered motor wire, muscle forces, or joint torques."""
    wires = [name for name in result.series if name.startswith("wires/") and name.endswith("/delivered")]
    motor = [name for name in wires if "motor" in name] or [name for name in wires if _into_muscles(result, name)]
    for name in [*motor, "body/muscle_force", "body/joint_torque", *wires]:
        # a series that never changes (muscles at rest during a replay) shows nothing
        if name in result.series and (values := result.trace(name).values).size and np.ptp(values) > 0:
            return name
    return None


def _into_muscles(result: Result, wire: str) -> bool:
    if "body/muscle_force" not in result.series:
        return False
    return set(result.trace(wire).labels[0]) <= set(result.trace("body/muscle_force").labels[0])


def channels(figure: Any, axes: Any, trace: Trace, start: float, stop: float) -> None:
    """A series as an image: channels from top to bottom over time."""
    part = _between(trace, start, stop)
    values = part.values.reshape(len(part.time), -1)
    image = axes.imshow(
        values.T,
        aspect="auto",
        cmap="cividis",
        interpolation="nearest",
        extent=(start, stop, values.shape[1] - 0.5, -0.5),
    )
    labels = [str(label) for label in part.labels[0]]
    step = max(1, len(labels) // 12)
    axes.set_yticks(range(0, len(labels), step), labels[::step], fontsize=7)
    axes.tick_params(axis="y", length=0)
    unit = f" ({part.unit})" if part.unit not in ("", "1") else ""
    axes.set_title(f"{part.name}{unit}", loc="left")
    figure.colorbar(image, ax=axes, pad=0.01, fraction=0.03)


def path(axes: Any, result: Result, transient: float, snapshots: int = 7) -> None:
    """The body from above: the course of its centre, and its midline at moments after the transient, from light to
    dark."""
    trace = result.trace("body/link_position")
    links = [str(label) for label in trace.labels[0]]
    axis = [name for name in (result.manifest.get("geometry") or {}).get("axis") or links if name in links]
    scale, unit = _metres(trace.values)
    midline = trace.values[:, [links.index(name) for name in axis], :2] * scale
    if "body/site_position" in result.series:
        sites = result.trace("body/site_position")
        if "tail_tip" in sites.labels[0]:
            tip = sites.values[:, [sites.labels[0].index("tail_tip")], :2] * scale
            n = min(len(tip), len(midline))
            midline = np.concatenate([midline[:n], tip[:n]], axis=1)
    middle = midline.mean(axis=1)
    axes.plot(middle[:, 0], middle[:, 1], color="0.6", linewidth=0.9, zorder=1)
    colours = _map("viridis_r", snapshots, 0.95)
    first = int(np.searchsorted(trace.time, transient)) if transient < trace.time[-1] else 0
    for k, i in enumerate(np.linspace(first, len(midline) - 1, snapshots).round().astype(int)):
        axes.plot(midline[i, :, 0], midline[i, :, 1], color=colours[k], linewidth=2.2, solid_capstyle="round", zorder=2)
        axes.plot(*midline[i, 0], marker="o", markersize=4.5, color=colours[k], zorder=3)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.08)
    axes.set_xlabel(f"x ({unit})")
    axes.set_ylabel(f"y ({unit})")
    axes.set_title(f"From above, {trace.time[first]:.3g} to {trace.time[-1]:.3g} s; dot at the head", loc="left")


def rates(axes: Any, result: Result, start: float, stop: float) -> None:
    """Mean rate of each population, smoothed, over time."""
    from cosim.analyse.neural import population_rate

    for k, name in enumerate(name for name in result.populations if name in result.spikes_of):
        population = result.population(name)
        if not population.spiking or population.n == 0:
            continue
        times, ids = result.spikes(name)
        rate = population_rate(times, ids, np.zeros(population.n, dtype=np.int64), start, stop)
        axes.plot(
            start + 0.005 * (np.arange(len(rate)) + 0.5), rate[:, 0], color=OKABE_ITO[k % len(OKABE_ITO)], label=name
        )
    axes.set_ylabel("Hz")
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])  # room for the legend
    axes.set_xlim(start, stop)
    axes.set_xlabel("time (s)")
    axes.legend(frameon=False, ncols=4, fontsize=8, loc="upper right")
    axes.set_title("Population rates", loc="left")


def _between(trace: Trace, start: float, stop: float) -> Trace:
    part = trace.after(start)
    kept = part.time <= stop + 1e-9
    return Trace(part.name, part.time[kept], part.values[kept], part.dims, part.labels, part.unit)


def _metres(positions: npt.NDArray[np.float64]) -> tuple[float, str]:
    """Factor and unit in which the extent of a path reads well."""
    return (1e3, "mm") if np.ptp(positions.reshape(-1, 3), axis=0).max(initial=0.0) < 1.0 else (1.0, "m")


def _map(name: str, count: int, end: float) -> Any:
    import matplotlib as mpl

    return mpl.colormaps[name](np.linspace(0.05, end, max(count, 1)))
