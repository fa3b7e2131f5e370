"""The fitted model as tables: what was measured beside what it says, its coefficients, and many ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cosim.bench.lone_grid import shape_of
from cosim.bench.markdown import number, table
from cosim.bench.scaling import TERMS, Card, Costs, Shape, cost, predict

RANKS = (1, 2, 4, 16, 64, 256, 1024)
_ALONE = """\
One rank of as many, by itself on a core: spikes of all others reach it at random (`cosim/bench/lone.py`). Microseconds
a tick, measured / fitted; merging and gathering are those of rank 0."""
_COSTS = "Fitted: nanoseconds, and bytes, for each unit of a term (a tick has ten steps)."
_MANY = """\
Predicted, microseconds a tick of rank 0 with {latency:g} us for a message and {bandwidth:g} GB/s, {sharing}. Bytes are
what a rank sends in an exchange: as messages of equal size, and the spikes in them."""
_ROWS = ("integration", "delivery", "merging", "writing", "exchange", "waiting", "gathering", "total")


def section(found: Mapping[str, Any], card: Card | None = None) -> list[str]:
    """Everything."""
    observed, costs = found["observed"], found["costs"]
    largest = max(one["n"] for one in observed if one["ranks"] == 1)
    first = shape_of(next(one for one in observed if one["n"] == largest))
    weak = shape_of(max(observed, key=lambda one: one["n"]))
    return [
        "## One rank of many", _ALONE, _observed(observed, costs), _COSTS, _coefficients(costs),
        *_predictions(costs, first, "One network on ever more ranks", lambda r: replace(first, ranks=r), card),
        *_predictions(
            costs, replace(first, n=int(weak.neurons)), f"{_big(weak.neurons)} neurons on every rank",
            lambda r: replace(weak, n=int(weak.neurons) * r, ranks=r), card,
        ),
    ]  # fmt: skip


def _big(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ")


def _observed(observed: Sequence[Mapping[str, Any]], costs: Costs) -> str:
    def pair(one: Mapping[str, Any], part: str, factor: float) -> str:
        if part not in one["parts"]:
            return ""
        return f"{number(one['parts'][part] * factor)} / {number(cost(costs, part, shape_of(one)) * factor)}"

    rows = [
        [_big(one["n"]), str(one["ranks"]), str(one["indegree"]), _big(shape_of(one).events), _big(shape_of(one).rows),
         *(pair(one, part, 1e-6 if part == "memory" else 1e6) for part in TERMS)]
        for one in observed
    ]  # fmt: skip
    return table(["neurons", "ranks", "sources", "events", "rows", *(_title(part) for part in TERMS)], rows)


def _title(part: str) -> str:
    return "peak MB" if part == "memory" else part


def _coefficients(costs: Costs) -> str:
    names = list(dict.fromkeys(name for terms in TERMS.values() for name in terms))
    rows = []
    for part, terms in costs.items():
        unit, factor = ("bytes", 1.0) if part == "memory" else ("ns", 1e9)
        cells = (number(terms[name] * factor) if name in terms else "" for name in names)
        rows.append([f"{part}, {unit}", *cells])
    return table(["", *names], rows)


def _predictions(costs: Costs, one: Shape, title: str, shape: Any, card: Card | None) -> Iterator[str]:
    card = card or Card()
    columns = [shape(r) for r in RANKS]
    parts = [predict(costs, column, card) for column in columns]
    alone = predict(costs, replace(one, ranks=1), card)["total"]
    rows = [[name, *(number(part[name] * 1e6) for part in parts)] for name in _ROWS]
    grows = columns[-1].n > columns[0].n
    rows += [
        ["exchange, one rank after another", *(number(card.pairs(column) * 1e6) for column in columns)],
        ["bytes", *(_big(column.volume) for column in columns)],
        ["of it spikes", *(_big(column.spike_volume) for column in columns)],
        ["memory of a rank, MB", *(_big(cost(costs, "memory", column) / 1e6) for column in columns)],
        ["efficiency" if grows else "times as fast as 1 rank", *(number(alone / part["total"]) for part in parts)],
        ["without gathering", *(number(alone / (part["total"] - part["gathering"])) for part in parts)],
    ]
    sharing = "a card for every rank" if card.ranks == 1 else f"shared by {card.ranks} ranks"
    yield f"### {title}"
    yield _MANY.format(latency=card.latency * 1e6, bandwidth=card.bandwidth / 1e9, sharing=sharing)
    yield table(["ranks", *(f"{column.ranks:,}".replace(",", " ") for column in columns)], rows)
