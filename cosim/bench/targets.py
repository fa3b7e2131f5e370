"""What is wanted of shared networks, beside what was found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Target = tuple[str, str, float, float]  # figure, bound, limit, found


def wanted(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Every target of what was measured: figure, bound, limit, found, reached."""
    return [
        {"figure": figure, "bound": bound, "limit": limit, "found": value,
         "reached": value <= limit if bound == "at most" else value >= limit}
        for figure, bound, limit, value in (*_scaling(found.get("scaling")), *_fly(found.get("fly")))
    ]  # fmt: skip


def _scaling(found: dict[str, Any] | None) -> Iterator[Target]:
    if found is None:
        return
    by_ranks = {one["ranks"]: one for one in found["strong"]}
    if 2 not in by_ranks:
        return
    one, two = by_ranks[1], by_ranks[2]
    ratio = found["ratios"]["strong scaling: 1 rank / 2 ranks"]["median"]
    yield "1 rank / 2 ranks, strong scaling", "at least", 1.75, ratio
    parts = two["parts"]
    share = sum(parts[name] for name in ("exchange", "merging", "waiting")) / parts["apart"]
    yield "exchange, merging and waiting, share of a tick on 2 ranks", "at most", 0.07, share
    peaks = max(two["memory"]["peak"]) / one["memory"]["peak"][0]
    yield "peak memory of a rank, 2 ranks / 1 rank", "at most", 0.6, peaks


def _fly(found: dict[str, Any] | None) -> Iterator[Target]:
    if found is None:
        return
    for one in found["ranks"]:
        words = "1 rank" if one["ranks"] == 1 else f"{one['ranks']} ranks"
        yield f"fly: seconds of building, {words}", "at most", 30.0, one["build"]
    ratios = found["ratios"]
    for label, bound, limit in (
        ("biological time / wall time, 2 ranks", "at least", 1.0),
        ("NEST, 2 threads / cosim, 2 ranks", "at least", 10.0),
        ("memory of cosim, 2 ranks / NEST's", "at most", 0.2),
    ):
        if label in ratios:
            yield f"fly: {label}", bound, limit, ratios[label]["median"]
