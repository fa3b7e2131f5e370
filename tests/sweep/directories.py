"""Sweep directories as a sweep leaves them, of rows that a function makes up."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Metrics = Mapping[str, Any]
#: (arm, place by path, seed) -> metrics, the reason of a failure, or None for a run that was not run
Made = Callable[[str, dict[str, float], int], Metrics | str | None]


def axis(path: str, texts: Sequence[str], si: Sequence[float | None], unit: str) -> dict[str, Any]:
    """An axis as it stands in sweep.json."""
    return {"path": path, "values": list(texts), "si": list(si), "unit": unit}


DELAY = axis("wires.stretch.delay", ["0 ms", "20 ms", "40 ms"], [0.0, 0.02, 0.04], "s")
DRIVE = axis("drive", ["4 pA", "5.7 pA"], [4e-12, 5.7e-12], "A")


def write_sweep(
    path: Path, make: Made, *, axes: Sequence[dict[str, Any]] = (), arms: Sequence[str] = ("intact",),
    seeds: Sequence[int] = (1, 2, 3, 4, 5), measure: Sequence[str] = ("frequency", "speed"),
    places: Sequence[dict[str, int]] | None = None,
) -> Path:  # fmt: skip
    """Write a sweep over the grid of the axes, or over ``places`` (path -> number of the value)."""
    grid = itertools.product(*(range(len(one["values"])) for one in axes))
    names = [one["path"] for one in axes]
    known = {one["path"]: one for one in axes}
    planned = places if places is not None else [dict(zip(names, point, strict=True)) for point in grid]
    plan = [{"axes": place, "arm": arm, "seed": seed} for place in planned for arm in arms for seed in seeds]
    for k, entry in enumerate(plan):
        entry |= {"run": f"r{k:04d}", "hash": f"{k:064x}"}
    (path / "rows").mkdir(parents=True, exist_ok=True)
    content = {
        "cosim": "0.1.0", "name": path.name, "title": "A sweep", "experiment": "swim", "axes": list(axes),
        "arms": list(arms), "seeds": list(seeds), "measure": list(measure), "plan": plan,
    }  # fmt: skip
    (path / "sweep.json").write_text(json.dumps(content))
    for entry in plan:
        made = make(entry["arm"], {p: known[p]["si"][i] for p, i in entry["axes"].items()}, entry["seed"])
        if made is None:
            continue
        failed = isinstance(made, str)
        row = {
            "run": entry["run"],
            "hash": entry["hash"],
            "axes": {p: known[p]["values"][i] for p, i in entry["axes"].items()},
            "arm": entry["arm"],
            "seed": entry["seed"],
            "status": "failed" if failed else "complete",
            "reason": made if failed else None,
            "metrics": {} if isinstance(made, str) else dict(made),
            "hashes": {"spikes": f"{entry['run']}s"},
            "attempts": 1,
        }
        (path / "rows" / f"{entry['run']}.json").write_text(json.dumps(row))
    return path
