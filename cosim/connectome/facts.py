"""What there is to know about a data set: sizes, degrees, classes, and what is expected beside what is there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.connectome.columns import Column, Numbers, Texts
from cosim.connectome.data import Connectome
from cosim.connectome.prepare import counted
from cosim.spec.units import unit_text

QUANTILES = (0, 5, 25, 50, 75, 95, 100)


def facts(connectome: Connectome) -> dict[str, Any]:
    """Everything, as plain data. Degrees count connections of all kinds, synapses are sums of counts."""
    onto, out = connectome.degrees()
    count = connectome.edges["count"]
    assert isinstance(count, Numbers)
    return {
        "cells": connectome.n,
        "connected": int((onto + out > 0).sum()),
        "connections": len(connectome),
        "synapses": connectome.synapses(),
        "indegree": _spread(onto),
        "outdegree": _spread(out),
        "count": _spread(count.values),
        "cell_columns": {name: _column(column) for name, column in connectome.nodes.items()},
        "connection_columns": {
            name: _column(column, count.values) for name, column in connectome.edges.items() if name != "count"
        },
        "expected": [
            {"what": key, "where": dict(expect.where), "expected": wanted, "found": found}
            for expect in connectome.spec.expect
            for key, (wanted, found) in counted(connectome, expect).items()
        ],
    }


def _spread(values: NDArray[Any]) -> dict[str, float]:
    """Mean and quantiles; values that have them as whole numbers stay so."""
    if not len(values):
        return {}
    found = np.percentile(values, QUANTILES, method="inverted_cdf")
    return {"mean": float(np.mean(values)), **{f"{q}%": float(v) for q, v in zip(QUANTILES, found, strict=True)}}


def _column(column: Column, counts: NDArray[Any] | None = None) -> dict[str, Any]:
    """Words with how often they are there (and the synapses of these connections), or the range of numbers."""
    if isinstance(column, Texts):
        rows = np.bincount(column.codes, minlength=len(column.words))
        order = sorted(range(len(column.words)), key=lambda code: (-rows[code], column.words[code]))
        words: dict[str, Any] = {column.words[code]: int(rows[code]) for code in order if rows[code]}
        if counts is None:
            return {"words": words}
        synapses = np.bincount(column.codes, weights=counts, minlength=len(column.words))
        return {"words": words, "synapses": {column.words[c]: float(synapses[c]) for c in order if rows[c]}}
    known = column.values[np.isfinite(column.values)]
    if not len(known):
        return {"known": 0}
    low, high = float(known.min()), float(known.max())
    return {"known": len(known), "low": low, "high": high, "unit": unit_text(column.dim)}
