"""Tables of figures in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_MACHINE = "{processor}, {cores} cores, {system}; load average at the beginning and at the end: {load}"


def made(result: Mapping[str, Any]) -> list[str]:
    """How a result came about, a paragraph each: the command and its date, the machine, the versions, and what is left
    out."""
    load = ", ".join(f"{value:.2f}" for value in result["load"])
    return [
        f"`{result['command']}`, {result['date']}",
        _MACHINE.format(**result["machine"], load=load),
        ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
        *result["skipped"],
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is of words and whose others are of numbers."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            f"{cell:<{w}}" if i == 0 else f"{cell:>{w}}" for i, (cell, w) in enumerate(zip(cells, widths, strict=True))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])


def number(value: float) -> str:
    """Three digits, and all of a number of thousands."""
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def cell(spread: Mapping[str, float] | None) -> str:
    """Median and range; of a single value, that."""
    if spread is None:
        return ""
    if spread["min"] == spread["max"]:
        return number(spread["median"])
    return f"{number(spread['median'])} ({number(spread['min'])} to {number(spread['max'])})"
