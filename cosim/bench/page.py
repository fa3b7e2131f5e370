"""The measurements of networks as a page in Markdown: machine, versions, sizes; ratios; microseconds; targets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

_LOOP = "net.run in a loop / cosim"
_NEST = "NEST stepped / cosim"
_ALONE = "lockstep / uninterrupted"
_OWN = "Brian2's executable / cosim uninterrupted"
_EVENT = "ns per synaptic event"

#: network -> ratio (or _EVENT) -> ("at most" or "at least", figure)
TARGETS: dict[str, dict[str, tuple[str, float]]] = {
    "1k": {_ALONE: ("at most", 1.2), _LOOP: ("at least", 1500), _NEST: ("at least", 12)},
    "10k": {_ALONE: ("at most", 1.05), _LOOP: ("at least", 300), _NEST: ("at least", 12)},
    "100k": {_ALONE: ("at most", 1.05), _LOOP: ("at least", 50), _NEST: ("at least", 12), _EVENT: ("at most", 8)},
    "fly": {_OWN: ("at least", 1.5)},
}
_MACHINE = "{processor}, {cores} cores, {system}; load average at the beginning and at the end: {load}"
_HOW = """\
A tick is 1 ms, ten steps of the network. Medians of {repeats} rounds in which the sides take turns, range in brackets;
all sides have the same neurons, edges, weights, delays. Ratios are taken within a round. Brian2's executable is built
with its default options. NEST has one thread. Building and filling are not timed."""
_EVENTS = """\
Queue and delivery: the same cells with all their edges, less without any, in turn; weights are so faint that both fire
alike. The scatter-add goes through the same rows in the same order of delivery and does nothing else. Rows of other
sources lie apart in memory, which is what it waits for: the one in memory order does not."""
_TITLES = {"1k": "1 000", "10k": "10 000", "100k": "100 000", "fly": "138 639"}


def page(result: Mapping[str, Any], rows: Mapping[str, str]) -> str:
    """The whole page."""
    machine, networks = result["machine"], result["networks"]
    names = list(networks)
    columns = [_TITLES[name] for name in names]
    load = ", ".join(f"{value:.2f}" for value in result["load"])
    parts = [
        "# Networks stepped tick by tick",
        f"`{result['command']}`, {result['date']}",
        _MACHINE.format(**machine, load=load),
        ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
        *result["skipped"],
        _table(["neurons", *columns], _sizes(networks)),
        _HOW.format(repeats=result["repeats"]),
        "## Ratios",
        _table(["ratio", *columns], _ratios(networks)),
        "## Microseconds per tick",
        _table(["", *columns], _microseconds(networks, rows)),
        *_section_of_events(networks),
        "## Firing rates",
        _table(["Hz", *columns], _rates(networks)),
        "## Wanted and found",
        _table(["neurons", "figure", "wanted", "found", ""], _wanted(networks)),
    ]
    return "\n\n".join(part for part in parts if part)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            f"{cell:<{w}}" if i == 0 else f"{cell:>{w}}" for i, (cell, w) in enumerate(zip(cells, widths, strict=True))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _cell(spread: Mapping[str, float] | None) -> str:
    if spread is None:
        return ""
    return f"{_number(spread['median'])} ({_number(spread['min'])} to {_number(spread['max'])})"


def _sizes(networks: Mapping[str, Any]) -> list[list[str]]:
    found = [["synapses", *(f"{one['synapses']:,}".replace(",", " ") for one in networks.values())]]
    if any("active" in one for one in networks.values()):
        found.append(["active neurons", *(str(one.get("active", "all")) for one in networks.values())])
    return found


def _ratios(networks: Mapping[str, Any]) -> list[list[str]]:
    labels = dict.fromkeys(label for one in networks.values() for label in one["ratios"])
    return [[label, *(_cell(one["ratios"].get(label)) for one in networks.values())] for label in labels]


def _microseconds(networks: Mapping[str, Any], rows: Mapping[str, str]) -> list[list[str]]:
    return [
        [text, *(_cell(one["microseconds_per_tick"].get(row)) for one in networks.values())]
        for row, text in rows.items()
        if any(row in one["microseconds_per_tick"] for one in networks.values())
    ]


def _section_of_events(networks: Mapping[str, Any]) -> list[str]:
    measured = [_TITLES[name] for name, one in networks.items() if "events" in one]
    return ["## Synaptic events", _table(["", *measured], _events(networks)), _EVENTS] if measured else []


def _events(networks: Mapping[str, Any]) -> list[list[str]]:
    found = [one["events"] for one in networks.values() if "events" in one]
    names = {
        "queue_and_delivery_ns": "queue and delivery, ns per event",
        "scatter_add_ns": "plain scatter-add of the same rows, ns per event",
        "scatter_add_in_order_ns": "plain scatter-add of all edges in memory order, ns per edge",
        "whole_tick_ns": "whole tick, ns per event",
        "events_per_tick": "events per tick",
        "edges_per_row": "edges per row",
        "rate_hz": "rate with edges, Hz",
        "rate_without_edges_hz": "rate without, Hz",
    }
    return (
        [
            [text, *(_cell(v) if isinstance(v := one[key], dict) else _number(v) for one in found)]
            for key, text in names.items()
        ]
        if found
        else []
    )


def _rates(networks: Mapping[str, Any]) -> list[list[str]]:
    names = {"lockstep": "cosim compiled", "runtime": "cosim runtime", "loop": "Brian2, runtime mode"}
    names |= {"standalone": "Brian2's executable", "nest": "NEST"}
    found = {
        name: one.get("rates_hz") or {row: n / one["neurons"] / one["seconds"] for row, n in one["spikes"].items()}
        for name, one in networks.items()
    }
    for rates in found.values():
        if "alone" in rates:
            rates["lockstep"] = rates["alone"]
    return [
        [text, *(f"{rates[row]:.4g}" if row in rates else "" for rates in found.values())]
        for row, text in names.items()
        if any(row in rates for rates in found.values())
    ]


def wanted(networks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every target of the networks that were measured: network, figure, bound, limit, found, reached."""
    found = []
    for name, one in networks.items():
        for figure, (bound, limit) in TARGETS[name].items():
            if figure == _EVENT:
                value = one["events"]["queue_and_delivery_ns"]["median"]
            elif figure in one["ratios"]:
                value = one["ratios"][figure]["median"]
            else:
                continue
            reached = value <= limit if bound == "at most" else value >= limit
            found.append(
                {"network": name, "figure": figure, "bound": bound, "limit": limit, "found": value, "reached": reached}
            )
    return found


def _wanted(networks: Mapping[str, Any]) -> list[list[str]]:
    return [
        [_TITLES[w["network"]], w["figure"], f"{w['bound']} {w['limit']:g}", f"{w['found']:.4g}",
         "reached" if w["reached"] else "not reached"]
        for w in wanted(networks)
    ]  # fmt: skip


def load_average() -> float:
    """Processes that want to run, over the last minute."""
    return os.getloadavg()[0]
