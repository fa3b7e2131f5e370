"""The measurements as a page in Markdown: machine, versions, sizes; ratios; microseconds per tick; targets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from cosim.bench.markdown import cell as _cell
from cosim.bench.markdown import made
from cosim.bench.markdown import number as _number
from cosim.bench.markdown import table as _table

_COST = "(bridge + record) / (network + body)"
_AT_ONCE = "at once / the larger of network and body"
_ALONE = "lockstep / uninterrupted"
_LOOP = "net.run in a loop / cosim"
_NEST = "NEST stepped / cosim"
_OWN = "Brian2's executable / cosim uninterrupted"
_EVENT = "ns per synaptic event"
_MODEL = {_COST: ("at most", 0.1), _AT_ONCE: ("at most", 1.1)}

#: name -> ratio (or _EVENT) -> ("at most" or "at least", figure)
TARGETS: dict[str, dict[str, tuple[str, float]]] = {
    "1k": {_ALONE: ("at most", 1.2), _LOOP: ("at least", 1500), _NEST: ("at least", 12)},
    "10k": {_ALONE: ("at most", 1.05), _LOOP: ("at least", 300), _NEST: ("at least", 12)},
    "100k": {_ALONE: ("at most", 1.05), _LOOP: ("at least", 50), _NEST: ("at least", 12), _EVENT: ("at most", 8)},
    "fly": {_OWN: ("at least", 1.5)},
    "salamander_swim": _MODEL,
    "stretch_reflex": _MODEL,
}
#: in the order of the table; what is not in a result is left out
_RATIOS = (
    _COST, _ALONE, _AT_ONCE, "cosim / floor", _LOOP, "runtime backend / compiled", _NEST,
    "NEST stepped, nothing exchanged / cosim", "NEST uninterrupted / cosim uninterrupted", _OWN,
    "biological time / wall time",
)  # fmt: skip
#: row -> what it is
ROWS = {
    "lockstep": "**cosim: a tick**",
    "network": "network",
    "body": "body",
    "bridge": "bridge",
    "record": "record",
    "at_once": "cosim, body and network at once",
    "floor": "**floor: Brian2's executable + body alone**",
    "standalone": "Brian2's own executable, uninterrupted",
    "body_alone": "the body alone",
    "alone": "cosim's network, uninterrupted",
    "runtime": "cosim on the runtime backend (cython)",
    "loop": "by hand: `net.run` of a tick in a loop",
    "nest": "NEST: Prepare/Run/Cleanup, spikes read, 100 inputs set",
    "nest_bare": "NEST: Prepare/Run/Cleanup, nothing exchanged",
    "nest_alone": "NEST, uninterrupted",
}
_SIZES = {
    "neurons": "neurons", "synapses": "synapses", "active": "active neurons", "joints": "joints", "links": "links",
    "tick_ms": "tick, ms", "network_steps": "network steps a tick", "body_steps": "body steps a tick",
    "motor_delay_ms": "motor delay of the row *at once*, ms",
}  # fmt: skip
_HOW = """\
Medians of {rounds} rounds in which the sides take turns, range in brackets; ratios are taken within a round. Building
and filling are not timed."""
_NETWORKS = """\
Networks have no body and no record: in each tick the spikes are read and 100 inputs written, which is what the bridge
costs here. All sides have the same neurons, edges, weights and delays. Brian2's executable is built with its default
options. NEST has one thread."""
_MODELS = """\
Experiments are recorded as they say, in blocks of a second of biological time. The floor is the least that two programs
which know nothing of each other could take: the same Brian2 objects as Brian2's own executable (state and inputs of a
moment of the closed loop, not touched any more) and the body alone. `net.run` in a loop has cosim's body, wires and
record around it. *At once*, the body moves in a thread while the network integrates; it needs motor delays of a tick
or more. NEST has none of these models' equations."""
_EVENTS = """\
Queue and delivery: the same cells with all their edges, less without any, in turn; weights are so faint that both fire
alike. The scatter-add goes through the same rows in the same order of delivery and does nothing else. Rows of other
sources lie apart in memory, which is what it waits for: the one in memory order does not."""
_TITLES = {"1k": "1 000", "10k": "10 000", "100k": "100 000", "fly": "138 639"}


def page(result: Mapping[str, Any]) -> str:
    """The whole page."""
    measured = result["measured"]
    columns = [_title(name) for name in measured]
    parts = [
        "# What a tick costs",
        *made(result),
        _table(["", *columns], _sizes(measured)),
        _HOW.format(rounds=result["rounds"]),
        *([_NETWORKS] if any(name in _TITLES for name in measured) else []),
        *([_MODELS] if any(name not in _TITLES for name in measured) else []),
        "## Ratios",
        _table(["ratio", *columns], _ratios(measured)),
        "## Microseconds per tick",
        _table(["", *columns], _microseconds(measured)),
        *_section_of_events(measured),
        *_section_of_rates(measured),
        *_section_of_targets(measured),
    ]
    return "\n\n".join(part for part in parts if part)


def _title(name: str) -> str:
    return _TITLES.get(name, f"`{name}`")


def _sizes(measured: Mapping[str, Any]) -> list[list[str]]:
    def cell(one: Mapping[str, Any], key: str) -> str:
        if key == "active" and key not in one:
            return "all"
        value = one.get(key, "")
        return f"{value:,}".replace(",", " ") if isinstance(value, int) else f"{value:g}" if value else value

    return [
        [text, *(cell(one, key) for one in measured.values())]
        for key, text in _SIZES.items()
        if any(key in one for one in measured.values())
    ]


def _ratios(measured: Mapping[str, Any]) -> list[list[str]]:
    return [
        [label, *(_cell(one["ratios"].get(label)) for one in measured.values())]
        for label in _RATIOS
        if any(label in one["ratios"] for one in measured.values())
    ]


def _microseconds(measured: Mapping[str, Any]) -> list[list[str]]:
    return [
        [text, *(_cell(one["microseconds_per_tick"].get(row)) for one in measured.values())]
        for row, text in ROWS.items()
        if any(row in one["microseconds_per_tick"] for one in measured.values())
    ]


def _section_of_events(measured: Mapping[str, Any]) -> list[str]:
    chosen = [_title(name) for name, one in measured.items() if "events" in one]
    return ["## Synaptic events", _table(["", *chosen], _events(measured)), _EVENTS] if chosen else []


def _events(measured: Mapping[str, Any]) -> list[list[str]]:
    found = [one["events"] for one in measured.values() if "events" in one]
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


def _section_of_rates(measured: Mapping[str, Any]) -> list[str]:
    names = {
        "alone": "cosim compiled", "runtime": "cosim runtime", "loop": "Brian2, runtime mode",
        "standalone": "Brian2's executable", "nest": "NEST",
    }  # fmt: skip
    rates = [one["rates_hz"] for one in measured.values()]
    rows = [
        [text, *(f"{one[row]:.4g}" if row in one else "" for one in rates)]
        for row, text in names.items()
        if any(row in one for one in rates)
    ]
    return ["## Firing rates", _table(["Hz", *map(_title, measured)], rows)]


def wanted(measured: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every target of what was measured: name, figure, bound, limit, found, reached."""
    found = []
    for name, one in measured.items():
        for figure, (bound, limit) in TARGETS.get(name, {}).items():
            if figure == _EVENT and "events" in one:
                value = one["events"]["queue_and_delivery_ns"]["median"]
            elif figure in one["ratios"]:
                value = one["ratios"][figure]["median"]
            else:
                continue
            reached = value <= limit if bound == "at most" else value >= limit
            found.append(
                {"name": name, "figure": figure, "bound": bound, "limit": limit, "found": value, "reached": reached}
            )
    return found


def _section_of_targets(measured: Mapping[str, Any]) -> list[str]:
    rows = [
        [_title(w["name"]), w["figure"], f"{w['bound']} {w['limit']:g}", f"{w['found']:.4g}",
         "reached" if w["reached"] else "not reached"]
        for w in wanted(measured)
    ]  # fmt: skip
    return ["## Wanted and found", _table(["", "figure", "wanted", "found", ""], rows)] if rows else []


def load_average() -> float:
    """Processes that want to run, over the last minute."""
    return os.getloadavg()[0]
