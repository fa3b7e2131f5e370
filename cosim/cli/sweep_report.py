"""The report of a sweep, as far as it has come: tables, statistics, validation, pictures, one page."""

from __future__ import annotations

import sys
from pathlib import Path

from cosim.cli.output import print_json, shown


def execute(directory: Path, *, json: bool) -> int:
    """Write the report into the sweep's directory and say where it is, or all that it tells as one JSON object."""
    from cosim.sweep.report import assess, plain, write

    assessed = assess(directory)
    page = write(assessed)
    table = assessed.table
    if json:
        print_json({"report": page, **plain(assessed)})
    for text in (*assessed.warnings, *assessed.notes):
        print(text, file=sys.stderr)
    if not json:
        runs = ", ".join(f"{table.count(status)} {status}" for status in ("complete", "failed", "not run"))
        print(f"{table.title}: {len(table.rows)} runs, {runs}")
        print(shown(page))
    return 0
