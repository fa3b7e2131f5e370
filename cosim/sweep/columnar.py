"""Columns as CSV and parquet files; equal columns make equal files."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cosim.record.extras import need
from cosim.record.store import replace_bytes


def csv_bytes(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Columns as CSV: numbers with all their digits, empty for None, lines end in a line feed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(["" if x is None else repr(x) if isinstance(x, float) else x for x in row])
    return text.getvalue().encode()


def write_csv(columns: Mapping[str, Sequence[Any]], file: Path) -> Path:
    """Write columns as CSV, whole or not at all."""
    replace_bytes(file, csv_bytes(columns))
    return file


def write_parquet(columns: Mapping[str, Sequence[Any]], file: Path) -> Path:
    """Write columns as parquet, whole or not at all. UserError where pyarrow is not installed."""
    arrow, parquet = need("pyarrow", "sweep"), need("pyarrow.parquet", "sweep")
    arrays = {}
    for name, values in columns.items():
        kinds = {type(value) for value in values if value is not None}
        kind = arrow.int64() if kinds == {int} else arrow.float64() if kinds <= {float} else arrow.string()
        arrays[name] = arrow.array(values, kind)
    sink = io.BytesIO()
    parquet.write_table(arrow.table(arrays), sink, compression="zstd")
    replace_bytes(file, sink.getvalue())
    return file
