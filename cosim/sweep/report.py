"""The report of a sweep: tables, pictures and one self-contained page, all in the sweep's directory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosim.analyse import page
from cosim.analyse.reference import Reference, read_references
from cosim.errors import UserError
from cosim.record.store import replace_bytes
from cosim.sweep import sections
from cosim.sweep.columnar import write_csv, write_parquet
from cosim.sweep.export import cell_columns, comparison_columns, records, validation_columns
from cosim.sweep.figures import draw
from cosim.sweep.significance import pairs_needed, smallest_p
from cosim.sweep.statistics import Statistics, statistics
from cosim.sweep.table import REFERENCE, Table, read
from cosim.sweep.validated import Validation
from cosim.sweep.validation import validate

PAGE = "report.html"


@dataclass(frozen=True)
class Assessed:
    """A sweep with its statistics, its validation, and what a reader should be warned of."""

    found: Statistics
    references: Sequence[Reference]
    validated: Sequence[Validation]
    notes: Sequence[str]
    warnings: Sequence[str]

    @property
    def table(self) -> Table:
        return self.found.table


def assess(path: Path | str) -> Assessed:
    """Everything that the report tells. Raises UserError for what is no sweep."""
    found = statistics(read(path))
    file = found.table.path / REFERENCE
    references = read_references(file) if file.is_file() else []
    validated, notes = validate(found, references)
    return Assessed(found, references, validated, notes, _warnings(found))


def report(path: Path | str) -> Path:
    """Write ``table.csv``, ``table.parquet``, ``statistics.csv``, ``comparisons.csv``, ``validation.csv``, the pictures
    and ``report.html`` into the directory of a sweep; returns the page.

    Without pyarrow there is no parquet file, and the page says so. Raises UserError.
    """
    return write(assess(path))


def write(assessed: Assessed) -> Path:
    """Write all files of the report; see ``report``."""
    table, found = assessed.table, assessed.found
    folder = table.path
    warnings = list(assessed.warnings)
    columns = table.columns()
    try:
        rows = write_csv(columns, folder / "table.csv").read_bytes()
        try:
            write_parquet(columns, folder / "table.parquet")
        except UserError as error:
            (folder / "table.parquet").unlink(missing_ok=True)
            warnings.append(f"table.parquet was not written: {error}")
        for name, content in (
            ("statistics.csv", cell_columns(table, found.cells)),
            ("comparisons.csv", comparison_columns(table, found.comparisons)),
            ("validation.csv", validation_columns(table, assessed.validated)),
        ):
            if next(iter(content.values())):
                write_csv(content, folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
        pictures, undrawn = draw(found, assessed.validated, assessed.references, folder)
        parts = [
            *map(page.warning, warnings),
            sections.run(table),
            *(page.image(picture.path, picture.text, caption=True) for picture in pictures),
            *(page.note(text) for text in undrawn),
            *sections.comparisons(table, found.comparisons),
            *sections.validation(table, assessed.validated, assessed.notes),
            sections.cells(table, found.cells),
            *sections.failures(table),
            sections.METHODS,
            sections.reproduce(table, hashlib.sha256(rows).hexdigest()),
        ]
        replace_bytes(folder / PAGE, page.document(table.title, parts).encode())
    except OSError as error:
        raise UserError(f"{folder}: cannot write the report: {error.strerror or error}") from error
    return folder / PAGE


def summary(path: Path | str) -> dict[str, Any]:
    """What the report tells, as plain data: runs, failures, statistics, comparisons, validation. Raises UserError."""
    return plain(assess(path))


def plain(assessed: Assessed) -> dict[str, Any]:
    """The same of a sweep that was assessed already."""
    table, found = assessed.table, assessed.found
    return {
        "sweep": table.facts["name"],
        "title": table.title,
        "experiment": table.facts.get("experiment"),
        "directory": str(table.path),
        "runs": {"planned": len(table.rows), **{status.replace(" ", "_"): table.count(status)
                                                for status in ("complete", "failed", "not run")}},
        "axes": [{"path": axis.path, "values": list(axis.values)} for axis in table.axes],
        "arms": list(table.arms),
        "seeds": list(table.seeds),
        "failures": [{"reason": reason, "runs": runs} for reason, runs in table.failures().items()],
        "statistics": records(cell_columns(table, found.cells)),
        "comparisons": records(comparison_columns(table, found.comparisons)),
        "validation": records(validation_columns(table, assessed.validated)),
        "notes": [*assessed.warnings, *assessed.notes],
    }  # fmt: skip


def _warnings(found: Statistics) -> list[str]:
    table = found.table
    texts = []
    if missing := table.count("not run"):
        texts.append(f"{missing} of {len(table.rows)} runs were not run yet; they are left out of all statistics.")
    if failed := table.count("failed"):
        texts.append(f"{failed} of {len(table.rows)} runs failed (reasons below); they count as lost, not as missing.")
    seeds = len(table.seeds)
    if seeds == 1:
        texts.append("One seed: there are no standard deviations, no intervals and no tests.")
    elif found.comparisons and smallest_p(seeds) > 0.05:
        most = max(one.comparisons for one in found.comparisons)
        texts.append(
            f"With {seeds} seeds no sign-flip test can give less than p = {smallest_p(seeds):.2g}: no difference can "
            f"be significant at 0.05, however large. One comparison needs {pairs_needed(1)} seeds, the {most} of one "
            f"metric here need {pairs_needed(most)}."
        )
    return texts
