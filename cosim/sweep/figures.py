"""The pictures of a sweep: which are drawn follows from its axes and arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from cosim.analyse.catalogue import describe
from cosim.analyse.comparison import comparison
from cosim.analyse.reference import Reference, of_a_run
from cosim.analyse.tables import flat_reference
from cosim.sweep.bars import PLACES, bars
from cosim.sweep.drawing import Block, Picture, blocks, file_name, metric_label, place_label
from cosim.sweep.heatmaps import Rows, difference_fields, heatmap, matrix, mean_fields
from cosim.sweep.lines import axis_curves, lines, series_curves, series_of
from cosim.sweep.matched import side_by_side
from cosim.sweep.scatter import scatter
from cosim.sweep.statistics import Cell, Comparison, Statistics
from cosim.sweep.table import Place, Table
from cosim.sweep.validated import Validation

FOLDER = "figures"
#: curves in one plot; heat maps of one metric, beyond which only tables tell
CURVES, MAPS = 7, 6
SURVIVAL = "rate of survival of the rhythm"


def draw(
    found: Statistics, validated: Sequence[Validation], references: Sequence[Reference], folder: Path
) -> tuple[list[Picture], list[str]]:
    """Draw all pictures into ``folder``/figures, in place of those that are there; and notes on what is not drawn."""
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    for old in target.glob("*.png"):
        old.unlink()
    pictures: list[Picture] = []
    notes: list[str] = []
    if any(cell.finished for cell in found.cells):
        drawer = _Drawer(found, validated, target)
        if found.survival and not drawer.lost:
            notes.append("The rhythm survived in every run that has finished.")
        several = blocks(found.table)
        for number, block in enumerate(several):
            drawer.block(block, f"_{number + 1}" if len(several) > 1 else "", pictures, notes)
            if not block.axes:
                pictures += _dots(found.table, block.places[0], references, target / f"runs{number or ''}.png")
        beside = side_by_side(found.table, validated, target / "validation.png")
        pictures += [beside] if beside is not None else []
    return pictures, notes


class _Drawer:
    """Draws the places of one block after the other."""

    def __init__(self, found: Statistics, validated: Sequence[Validation], folder: Path) -> None:
        self.found, self.table, self.folder = found, found.table, folder
        self.metrics = [name for name in self.table.metrics if "[" not in name]
        intact = [one for one in validated if not one.reference.arm and not one.reference.effect]
        self.measured = _once([one for one in intact if one.kind in ("value", "curve")])
        self.lost = any(cell.n < cell.finished for cell in found.survival)

    def block(self, block: Block, tag: str, pictures: list[Picture], notes: list[str]) -> None:
        """The pictures of a block, by the number of its axes."""
        here = frozenset(block.places)
        cells = [cell for cell in self.found.cells if cell.place in here and cell.metric in self.metrics]
        if not self.metrics:
            return
        if len(block.axes) == 1:
            pictures += self._one_axis(block.axes[0], cells, tag)
        elif len(block.axes) > 1 and block.grid:
            pictures += self._grid(block, tag, notes)
        elif len(block.axes) > 1:
            pictures += [scatter(self.table, block.axes, [cell for cell in cells if cell.metric == metric], metric,
                                 self._path("points", metric, tag)) for metric in self.metrics]  # fmt: skip
        pictures += self._lesions(block, cells, tag, notes)

    def _one_axis(self, k: int, cells: Sequence[Cell], tag: str) -> list[Picture]:
        curves = axis_curves(self.table, k, cells)
        if len(curves) <= CURVES:
            path = self._path("curves", "", tag)
            title = place_label(self.table, cells[0].place, (k,))
            return [lines(curves, self.metrics, self.table.axes[k], path, title=title, measured=self.measured)]
        return [matrix(self.table, k, [cell for cell in cells if cell.metric == metric], metric_label(metric),
                       self._path("arms", metric, tag)) for metric in self.metrics]  # fmt: skip

    def _grid(self, block: Block, tag: str, notes: list[str]) -> list[Picture]:
        """Heat maps over the two axes with the most values, for every combination of the others."""
        table = self.table
        counts = {k: len({place[k] for place in block.places}) for k in block.axes}
        wide = sorted(sorted(counts, key=lambda k: -counts[k])[:2], key=lambda k: (-counts[k], k))
        pair = (wide[0], wide[1])

        def rest(place: Place) -> tuple[int, ...]:
            return tuple(-1 if i is None or k in pair else i for k, i in enumerate(place))

        groups = [list(group) for _, group in groupby(sorted(block.places, key=rest), key=rest)]
        if len(groups) > MAPS:
            notes.append(f"The axes beside {' and '.join(table.axes[k].path for k in pair)} have {len(groups)} "
                         f"combinations; heat maps show the first {MAPS}, the tables all.")  # fmt: skip
        pictures = []
        for number, places in enumerate(groups[:MAPS]):
            more = f"{tag}_{number + 1}" if len(groups) > 1 else tag
            if self.lost:
                fields = mean_fields(table.arms, _at(self.found.survival, places), rate=True)
                pictures.append(heatmap(table, pair, places, [(fields, False)], SURVIVAL, (0.0, 1.0),
                                        self._path("map", "survival", more)))  # fmt: skip
            for metric in self.metrics:
                cells = [cell for cell in _at(self.found.cells, places) if cell.metric == metric]
                effects = [one for one in self._effects(places) if one.metric == metric]
                fields = mean_fields(table.arms, cells, rate=False)
                rows: list[Rows] = [(fields, False)]
                rows += [(difference_fields([field.title for field in fields], effects), True)] if effects else []
                pictures.append(heatmap(table, pair, places, rows, metric_label(metric), None,
                                        self._path("map", metric, more)))  # fmt: skip
        return pictures

    def _lesions(self, block: Block, cells: Sequence[Cell], tag: str, notes: list[str]) -> list[Picture]:
        """Ranked bars, and curves over series of lesions, where there are few enough places."""
        effects = self._effects(block.places)
        if not effects:
            return []
        pictures = []
        series = series_of(self.table.arms)
        if len(block.places) <= PLACES:
            for metric in self.metrics:
                mine = [one for one in effects if one.metric == metric]
                pictures.append(bars(self.table, metric, block.places, mine, self._path("lesions", metric, tag)))
        else:
            notes.append(f"Ranked bars of lesions are drawn for at most {PLACES} combinations of values; "
                         f"there are {len(block.places)}.")  # fmt: skip
        if len(block.places) <= CURVES:
            for one in series:
                curves = series_curves(self.table, one, cells)
                over = f"{one.name} ({one.unit})" if one.unit else one.name
                path = self._path("series", one.name, tag)
                pictures.append(lines(curves, self.metrics, over, path, measured=self._levels()))
        return pictures

    def _effects(self, places: Sequence[Place]) -> list[Comparison]:
        here = frozenset(places)
        return [one for one in self.found.comparisons if one.contrast.kind == "effect" and one.place in here]

    def _levels(self) -> list[Validation]:
        return [one for one in self.measured if one.kind == "value"]

    def _path(self, kind: str, name: str, tag: str) -> Path:
        return self.folder / f"{file_name('_'.join(filter(None, (kind, name))))}{tag}.png"


def _at(cells: Sequence[Cell], places: Sequence[Place]) -> list[Cell]:
    wanted = frozenset(places)
    return [cell for cell in cells if cell.place in wanted]


def _once(rows: Sequence[Validation]) -> list[Validation]:
    """One row a reference: the animal's values do not depend on the place."""
    return list({(row.reference.metric, row.reference.axis): row for row in rows}.values())


def _dots(table: Table, place: Place, references: Sequence[Reference], path: Path) -> list[Picture]:
    """Every run a dot, an arm a row; lists as profiles."""
    groups: dict[str, Mapping[str, Sequence[float]]] = {}
    for arm in table.arms:
        rows = [row for row in table.rows if row.arm == arm and row.place == place]
        groups[arm] = {name: [row.metrics[name] for row in rows if name in row.metrics] for name in table.metrics}
    names = [name.partition("[")[0] for name in table.metrics]
    units = {name: known.unit for name, base in zip(table.metrics, names, strict=True) if (known := describe(base))}
    animal = {name: one for name, one in of_a_run(references).items() if name in names}
    drawn = comparison(groups, flat_reference(animal), units, path)
    return [Picture(drawn, "Every run a dot, the mean of an arm a bar, the animal dashed")] if drawn is not None else []
