"""Places that fill no grid (random designs): a metric over each axis, a dot a place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cosim.analyse.panels import OKABE_ITO
from cosim.sweep.drawing import WIDTH, Picture, axis_label, figure, metric_label, tick_texts
from cosim.sweep.statistics import Cell
from cosim.sweep.table import Table

#: plots side by side
COLUMNS = 4


def scatter(table: Table, axes: Sequence[int], cells: Sequence[Cell], metric: str, path: Path) -> Picture:
    """Means of one metric, drawn into the PNG ``path``; a cross at the lower edge where the metric was lost."""
    arms = [arm for arm in table.arms if any(cell.arm == arm for cell in cells)]
    columns = min(COLUMNS, len(axes))
    height = -(-len(axes) // columns)
    with figure(WIDTH * max(columns, 2) / COLUMNS, 2.6 * height + 0.5, path) as drawn:
        for n, k in enumerate(axes):
            plot = drawn.add_subplot(height, columns, n + 1)
            axis = table.axes[k]
            shown = axis.shown()[0] if axis.numeric else [float(i) for i in range(len(axis.values))]
            for row, arm in enumerate(arms):
                colour = OKABE_ITO[row % len(OKABE_ITO)]
                mine = [(shown[i], cell) for cell in cells if cell.arm == arm and (i := cell.place[k]) is not None]
                plot.plot([x for x, _ in mine], [cell.mean for _, cell in mine], "o", color=colour, alpha=0.6,
                          markersize=4, label=arm)  # fmt: skip
                lost = [x for x, cell in mine if cell.finished and not cell.n]
                plot.plot(lost, np.full(len(lost), 0.02), "x", color=colour, transform=plot.get_xaxis_transform(),
                          markersize=5)  # fmt: skip
            if not axis.numeric:
                plot.set_xticks(range(len(axis.values)), tick_texts(axis))
            plot.set_xlabel(axis_label(axis))
        if len(arms) > 1:
            handles, labels = drawn.axes[0].get_legend_handles_labels()
            drawn.legend(handles, labels, loc="outside lower left", ncols=min(6, len(arms)), frameon=False)
        drawn.suptitle(metric_label(metric), x=0.01, ha="left", fontweight="bold", fontsize=10)
    return Picture(path, f"{metric_label(metric)} over each axis, a dot a combination of values")
