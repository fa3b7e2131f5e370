"""The picture that compares several results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cosim.analyse.overview import STYLE
from cosim.analyse.panels import OKABE_ITO
from cosim.record.extras import need

Groups = Mapping[str, Mapping[str, Sequence[float]]]


def comparison(groups: Groups, reference: Mapping[str, float], units: Mapping[str, str], path: Path) -> Path | None:
    """One small plot a metric, drawn into the PNG ``path``; None without metrics.

    ``groups``: group label -> metric -> values of the runs, elements of lists as name[1], name[2], ... A single
    number: every
    run a dot, the mean of a group a bar, the reference a dashed line. A list: the mean of a group as a line over the
    elements with its standard deviation as error bars, the reference dashed.
    """
    mpl = need("matplotlib", "report")
    figures = need("matplotlib.figure", "report")
    names = list(dict.fromkeys(name.partition("[")[0] for metrics in groups.values() for name in metrics))
    if not names:
        return None
    columns = min(4, len(names))
    height = -(-len(names) // columns)
    with mpl.rc_context(STYLE):
        size = (3.6 * columns, 0.6 + max(1.2 + 0.3 * len(groups), 2.0) * height)
        figure = figures.Figure(figsize=size, layout="constrained")
        for k, name in enumerate(names):
            axes = figure.add_subplot(height, columns, k + 1)
            elements = list(dict.fromkeys(key for m in groups.values() for key in m if key.startswith(f"{name}[")))
            if elements:
                _profile(axes, groups, elements, reference)
                unit = units.get(elements[0])
            else:
                _dots(axes, groups, name, reference.get(name))
                axes.set_yticks(range(len(groups)), list(groups) if k % columns == 0 else [""] * len(groups))
                unit = units.get(name)
            axes.set_title(f"{name} ({unit})" if unit else name, loc="left")
        if len(groups) > 1:
            handles = [
                figure.axes[0].plot([], [], color=_colour(i), linewidth=2.5, label=label)[0]
                for i, label in enumerate(groups)
            ]
            figure.legend(handles=handles, loc="outside lower left", ncols=min(4, len(groups)), frameon=False)
        figure.savefig(path)
    return path


def _dots(axes: Any, groups: Groups, name: str, wanted: float | None) -> None:
    everything: list[float] = [] if wanted is None else [wanted]
    for row, metrics in enumerate(groups.values()):
        values = _finite(metrics.get(name, ()))
        everything.extend(values.tolist())
        axes.plot(values, np.full(len(values), row), "o", color=_colour(row), alpha=0.6, markersize=5)
        if len(values):
            axes.plot([values.mean()] * 2, [row - 0.3, row + 0.3], color=_colour(row), linewidth=2.5)
    if wanted is not None:
        axes.axvline(wanted, color="black", linestyle="--", linewidth=1)
    if everything:
        # at least 2 % of the value wide, so that equal runs look equal
        low, high = min(everything), max(everything)
        margin = max(0.08 * (high - low), 0.01 * max(abs(low), abs(high)), 1e-12)
        axes.set_xlim(low - margin, high + margin)
    axes.locator_params(axis="x", nbins=4)
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.set_ylim(len(groups) - 0.5, -0.5)


def _profile(axes: Any, groups: Groups, elements: Sequence[str], reference: Mapping[str, float]) -> None:
    x = np.arange(1, len(elements) + 1)
    for row, metrics in enumerate(groups.values()):
        values = [_finite(metrics.get(name, ())) for name in elements]
        mean = [one.mean() if len(one) else np.nan for one in values]
        sd = [one.std(ddof=1) if len(one) > 1 else 0.0 for one in values]
        axes.errorbar(x, mean, sd, color=_colour(row), linewidth=1.5, marker="o", markersize=3, capsize=2)
    wanted = [reference.get(name, np.nan) for name in elements]
    axes.plot(x, wanted, color="black", linestyle="--", linewidth=1, marker="s", markersize=3, zorder=5)
    axes.set_xticks(x)


def _finite(values: Sequence[float]) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    kept: npt.NDArray[np.float64] = array[np.isfinite(array)]
    return kept


def _colour(row: int) -> str:
    return OKABE_ITO[row % len(OKABE_ITO)]
