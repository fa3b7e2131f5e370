"""How the neurons of a network are dealt to ranks, for ``cosim show NAME --ranks K``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cosim.cli.output import table
from cosim.errors import UserError

if TYPE_CHECKING:
    from cosim.graph.ir import NetworkIR


def content_of(network: NetworkIR, ranks: int) -> dict[str, Any]:
    """The partition as plain data. Raises UserError where the network cannot be shared among so many."""
    from cosim.mpi.partition import partition

    if ranks < 1:
        raise UserError(f"--ranks: expected at least 1, got {ranks}")
    found = partition(network, ranks)
    return {
        "ranks": [
            {
                "rank": rank,
                "neurons": int(found.neurons[rank]),
                "synapses": round(float(found.synapses[rank])),
                "work": float(found.work[rank]),
                "parts": {name: list(bounds) for name, bounds in found.part(rank).items()},
            }
            for rank in range(ranks)
        ],
        "imbalance": found.imbalance,
    }


def lines(content: dict[str, Any]) -> list[str]:
    """The partition for a reader: a line per rank, and which neurons of each population it has."""
    found = [
        f"shared among {len(content['ranks'])} ranks (the busiest has {content['imbalance']:.1%} more than the mean)"
    ]
    rows = [("rank", "neurons", "synapses", "work")]
    mean = sum(one["work"] for one in content["ranks"]) / len(content["ranks"])
    for one in content["ranks"]:
        share = f"{one['work'] / mean:.3f}" if mean else "-"
        rows.append((str(one["rank"]), str(one["neurons"]), f"about {one['synapses']}", share))
    found += table(rows)
    if len(content["ranks"]) > 8:
        return found
    names = list(content["ranks"][0]["parts"])
    found.append("neurons of each population by rank")
    return found + table(
        [
            (
                name,
                *(f"{lo}-{hi - 1}" if hi > lo else "-" for lo, hi in (one["parts"][name] for one in content["ranks"])),
            )
            for name in names
        ]
    )
