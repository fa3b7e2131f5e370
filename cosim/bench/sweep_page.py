"""What a sweep costs, as a page in Markdown: machine and versions; lesions; efficiency; targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cosim.bench.markdown import cell, made, number, table

_HOW = """\
{rounds} in which the sides take turns; ratios are taken within a round. What is compiled the first time is compiled
before; whatever else a sweep does, from its document to its last row, is timed."""
_PUBLISHED = """\
The published way (Shiu et al. 2024): joblib over processes, where every run makes its own Brian2 network. Both sides
have the same neurons, edges, weights, delays and lesions; the noise is another. Brian2's code is compiled before; in a
process that makes one network after the other it would be compiled for each, which is left out of this comparison."""
_SERIAL, _OVERHEAD = "one worker / (2 x two workers)", "on top of the simulation, share of it"
_RATIO = "joblib and Brian2 / cosim"
_PARTS = {
    "all": "on top of the simulation, % of it", "load": "of it reading the documents", "build": "of it the network",
    "record": "of it the record", "measure": "of it metrics",
}  # fmt: skip


def wanted(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every target of what was measured: figure, bound, limit, found, reached."""
    return [
        {"figure": figure, "bound": bound, "limit": limit, "found": value,
         "reached": value <= limit if bound == "at most" else value >= limit}
        for figure, bound, limit, value in _targets(found)
    ]  # fmt: skip


def _targets(found: Mapping[str, Any]) -> Iterator[tuple[str, str, float, float]]:
    if "published" in found:
        yield _RATIO, "at least", 5.0, found["published"]["ratio"]["median"]
    if "efficiency" in found:
        yield _SERIAL, "at least", 0.9, found["efficiency"]["efficiency"]["median"]
        yield _OVERHEAD, "at most", 0.1, found["efficiency"]["overhead"]["all"]["median"]


def page(result: Mapping[str, Any]) -> str:
    """The whole page."""
    rows = [
        [one["figure"], f"{one['bound']} {one['limit']:g}", f"{one['found']:.3g}",
         "reached" if one["reached"] else "not reached"]
        for one in result["wanted"]
    ]  # fmt: skip
    rounds = result["rounds"]
    parts = [
        "# What a sweep costs",
        *made(result),
        _HOW.format(rounds="One round" if rounds == 1 else f"Medians and ranges of {rounds} rounds"),
        *(_published(result["published"]) if "published" in result else []),
        *(_efficiency(result["efficiency"]) if "efficiency" in result else []),
        *(["## Wanted and found", table(["figure", "wanted", "found", ""], rows)] if rows else []),
    ]
    return "\n\n".join(parts)


def _published(found: Mapping[str, Any]) -> list[str]:
    seconds, rates = found["seconds"], found["rates"]
    rows = [
        ["wall seconds", cell(seconds["cosim"]), cell(seconds["published"])],
        *(
            [f"{name.replace('_', ' of ')}, Hz", *(number(rates[side][name]) for side in ("cosim", "published"))]
            for name in rates["cosim"]
        ),
        [f"**{_RATIO}**", cell(found["ratio"]), ""],
    ]
    network = f"{_big(found['neurons'])} neurons with {_big(found['edges'])} connections"
    title = f"## {found['runs']} lesions of {network}, {found['duration']:g} s each, {found['workers']} workers"
    return [title, _PUBLISHED, table(["", "cosim", "joblib and Brian2"], rows)]


def _efficiency(found: Mapping[str, Any]) -> list[str]:
    over = found["overhead"]
    rows = [
        *([f"wall seconds, {name}", cell(value)] for name, value in found["seconds"].items()),
        [f"**{_SERIAL}**", cell(found["efficiency"])],
        *([text, cell({k: 100 * v for k, v in over[name].items()})] for name, text in _PARTS.items()),
    ]
    return [f"## {found['runs']} runs of {found['experiment']}, {found['duration']:g} s each", table(["", ""], rows)]


def _big(value: int) -> str:
    return f"{value:,}".replace(",", " ")
