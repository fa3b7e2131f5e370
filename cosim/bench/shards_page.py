"""The measurements of shared networks as a page in Markdown: machine and versions; ratios; parts; memory; targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cosim.bench.jobs import PARTS
from cosim.bench.markdown import cell, made, number, table
from cosim.bench.scaling_page import section as section_of_lone

_HOW = """\
Medians of {rounds} rounds in which the sides take turns, range in brackets; ratios are taken within a round. All sides
have the same neurons, edges, weights and delays, all are left alone (no input is written). Brian2's executable and
NEST have threads where cosim has ranks."""
_PARTS = """\
Seconds per biological second; means over the ranks, medians over the blocks. The parts are measured while all ranks
wait for each other before an exchange, so that *waiting* (for the slowest rank) is a part by itself. Integration is the
same cells without edges; delivery is the rest of the work and the merging of what arrived. On one process nothing is
exchanged."""
_FLY = """\
Rank 0, which has the body. The body moves in a thread while the network integrates, so the parts do not add up. NEST
has a network of the same size whose neurons fire about as much, no body, and nothing is exchanged with it."""
_ROWS = {
    "integration": "integration", "delivery": "delivery", "exchange": "exchange", "waiting": "waiting",
    "gathering": "gathering for rank 0", "rest": "rest",
}  # fmt: skip
_FLY_ROWS = {
    "network": "network", "integrating": "of it integration and delivery", "exchanging": "of it exchange",
    "merging": "of it merging", "waiting": "of it waiting", "gathering": "of it gathering", "body": "body",
    "bridge": "bridge", "record": "record",
}  # fmt: skip


def page(result: Mapping[str, Any]) -> str:
    """The whole page."""
    ratios = {**result.get("scaling", {}).get("ratios", {}), **result.get("fly", {}).get("ratios", {})}
    parts = [
        "# A network on several ranks",
        *made(result),
        _HOW.format(rounds=result["rounds"]),
        *(["## Ratios", table(["ratio", ""], [[name, cell(one)] for name, one in ratios.items()])] if ratios else []),
        *(_scaling(result["scaling"]) if "scaling" in result else []),
        *(_fly(result["fly"]) if "fly" in result else []),
        *(section_of_lone(result["lone"]) if "lone" in result else []),
        *_targets(result["wanted"]),
    ]
    return "\n\n".join(parts)


def _head(one: Mapping[str, Any]) -> str:
    return "1 process" if one["ranks"] == 1 else f"{one['ranks']} ranks"


def _big(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ")


def _megabytes(values: Sequence[float]) -> str:
    return ", ".join(_big(value / 1e6) for value in values)


def _built(one: Mapping[str, Any]) -> str:
    return number(one["build"]) + (" (with compiling)" if one.get("compiled") else "")


def _scaling(found: Mapping[str, Any]) -> list[str]:
    pages = []
    for name, title in (("strong", "Strong scaling: one network"), ("weak", "Weak scaling: as much on every rank")):
        columns = found[name]
        head = ["", *map(_head, columns)]
        parts, per_synapse = ([one[key] for one in columns] for key in ("parts", "bytes_per_synapse"))
        rows = [
            ["neurons", *(_big(one["neurons"]) for one in columns)],
            ["synapses", *(_big(one["synapses"]) for one in columns)],
            ["**whole**", *(cell(_second(one["tick"])) for one in columns)],
            *([text, *(number(part[row] * 1e3) for part in parts)] for row, text in _ROWS.items()),
            ["sum of the parts", *(number(sum(part[row] for row in PARTS) * 1e3) for part in parts)],
            ["of delivery, merging", *(number(part["merging"] * 1e3) for part in parts)],
            ["imbalance of the partition, %", *(_percent(one.get("imbalance")) for one in columns)],
            ["spikes that a rank sends to others, per exchange", *(_sent(one["sent"]) for one in columns)],
            ["rate, Hz", *(number(one["rate_hz"]) for one in columns)],
            ["peak memory by rank, MB", *(_megabytes(one["memory"]["peak"]) for one in columns)],
            ["memory by rank once built, MB", *(_megabytes(one["memory"]["resident"]) for one in columns)],
            ["bytes per synapse at the peak, all ranks", *(number(one["peak"]) for one in per_synapse)],
            ["once built", *(number(one["resident"]) for one in per_synapse)],
            ["building, s", *map(_built, columns)],
        ]
        pages += [f"## {title}", table(head, rows)]
    pages.insert(2, _PARTS)
    if found["peers"]:
        names = {"nest": "NEST", "brian": "Brian2's executable"}
        rows = [
            [f"{names[one['kind']]}, {one['threads']} {'thread' if one['threads'] == 1 else 'threads'}",
             _big(one["neurons"]), cell(_second(one["tick"])), _megabytes(one["memory"]["peak"]),
             number(one["bytes_per_synapse"]), number(one["build"]), number(one["rate_hz"])]
            for one in sorted(found["peers"], key=lambda one: (one["kind"], one["neurons"], one["threads"]))
        ]  # fmt: skip
        head = ["", "neurons", "s per biological second", "peak MB", "bytes per synapse", "building, s", "rate, Hz"]
        pages += ["## Others", table(head, rows)]
    return pages


def _second(tick: Mapping[str, float]) -> dict[str, float]:
    """Of ticks of 1 ms, s per biological second."""
    return {name: value * 1e3 for name, value in tick.items()}


def _percent(value: float | None) -> str:
    return "" if value is None else number(100 * value) if value > 1e-4 else "0"


def _sent(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.0f}" for value in values) if any(values) else ""


def _fly(found: Mapping[str, Any]) -> list[str]:
    columns, nest = found["ranks"], found.get("nest")
    extra = [f"NEST, {nest['threads']} threads"] if nest else []

    def row(text: str, cells: Sequence[str], last: str = "") -> list[str]:
        return [text, *cells, *([last] if nest else [])]

    last = nest or {"tick": {}, "memory": {"peak": [0.0]}, "build": 0.0, "spikes": 0.0, "neurons": 0}
    rows = [
        row("neurons", [_big(one["neurons"]) for one in columns], _big(last["neurons"])),
        row("**whole**", [cell(_second(one["tick"])) for one in columns], cell(_second(last["tick"])) if nest else ""),
        *(
            row(text, [number(one["parts"][name] * 1e3) if name in one["parts"] else "" for one in columns])
            for name, text in _FLY_ROWS.items()
        ),
        row("spikes per tick", [number(one["spikes"]) for one in columns], number(last["spikes"])),
        row("epoch, steps", [str(one.get("epoch", "")) for one in columns]),
        row("peak memory by rank, MB", [_megabytes(one["memory"]["peak"]) for one in columns],
            _megabytes(last["memory"]["peak"])),
        row("memory by rank once built, MB", [_megabytes(one["memory"]["resident"]) for one in columns]),
        row("building, s", [_built(one) for one in columns], number(last["build"])),
    ]  # fmt: skip
    return ["## The fly's brain, drawn, and a body", table(["", *map(_head, columns), *extra], rows), _FLY]


def _targets(found: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        [one["figure"], f"{one['bound']} {one['limit']:g}", f"{one['found']:.4g}",
         "reached" if one["reached"] else "not reached"]
        for one in found
    ]  # fmt: skip
    return ["## Wanted and found", table(["figure", "wanted", "found", ""], rows)] if rows else []
