"""The reader of a sweep's directory."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosim.sweep.report import Assessed, assess, plain, write
from cosim.sweep.statistics import Cell, Comparison
from cosim.sweep.table import Table, read
from cosim.sweep.validated import Validation

if TYPE_CHECKING:
    import xarray


class SweepResult:
    """A sweep's table, statistics and validation; a sweep that still goes on can be read, too.

    Raises UserError if ``path`` is not the result of a sweep.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.table: Table = read(path)

    def __repr__(self) -> str:
        return f"SweepResult({str(self.path)!r}, {self.table.count('complete')} of {len(self.table.rows)} runs)"

    def columns(self) -> dict[str, list[Any]]:
        """The table by columns, a row a planned run: ``pandas.DataFrame(result.columns())``."""
        return self.table.columns()

    def to_xarray(self) -> xarray.Dataset:
        """The metrics over arm, axes and seed (``cosim.sweep.view``)."""
        from cosim.sweep.view import dataset

        return dataset(self.table)

    @cached_property
    def _assessed(self) -> Assessed:
        return assess(self.path)

    @property
    def cells(self) -> list[Cell]:
        """Mean, SD, interval and rate of survival of every metric in every arm at every combination of values."""
        return list(self._assessed.found.cells)

    @property
    def comparisons(self) -> list[Comparison]:
        """Differences between arms, paired by seed."""
        return list(self._assessed.found.comparisons)

    @property
    def validation(self) -> list[Validation]:
        """Simulation beside what was measured on the animal (``reference.csv``)."""
        return list(self._assessed.validated)

    def report(self) -> Path:
        """Write tables, pictures and the page (``cosim.sweep.report``); returns the page."""
        return write(self._assessed)

    def summary(self) -> dict[str, Any]:
        """What the report tells, as plain data."""
        return plain(self._assessed)
