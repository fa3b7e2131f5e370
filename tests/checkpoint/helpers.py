"""Runs to interrupt, and what must be equal afterwards."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import zarr

ROOT = Path(__file__).parents[2]
#: name of the experiment, changes, time between checkpoints
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "reflex": ("stretch_reflex", {"duration": "1 s", "checkpoint": "37 ms"}),
    "swimmer": ("salamander_swim", {"duration": "500 ms", "transient": "100 ms", "checkpoint": "29 ms"}),
    # touches the ground; delays, lesions and pushes in mid-run
    "crawler": (
        "salamander_swim",
        {
            "duration": "300 ms",
            "transient": "100 ms",
            "checkpoint": {"every": "23 ms"},
            "world.ground": {"plane": {"height": "-5 mm", "friction": 0.4}},
            "wires.stretch.delay": "13 ms",
            "wires.motor.delay": "7 ms",
            "ablate": [
                {"silence": "MC", "where": {"side": "left"}, "fraction": 0.2, "at": "90 ms"},
                {"cut": "wires.stretch", "at": "190 ms"},
                {"cut": "EX_EX", "at": "240 ms"},
            ],
            "perturb": {
                "kick": {"kind": "force", "link": "head", "at": "60 ms", "for": "100 ms", "value": [0, "1 mN", 0]},
                "twist": {"kind": "torque", "joint": "joint_3", "at": "200 ms", "for": "50 ms", "value": "1e-6 N*m"},
            },
        },
    ),
}


def environment() -> dict[str, str]:
    """For another Python that finds the checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cosim", *arguments]


def hashes(path: Path) -> dict[str, Any]:
    manifest = json.loads((path / "manifest.json").read_text())
    return {"status": manifest["status"], "ticks": manifest["ticks"], **(manifest.get("hashes") or {})}


def store(path: Path) -> dict[str, bytes]:
    """Every array of a record."""
    root = zarr.open_group(path / "data.zarr", mode="r")
    return {name: array[...].tobytes() for name, array in root.members(max_depth=None) if isinstance(array, zarr.Array)}


def cut_off(result: Path, target: Path, tick: int) -> Path:
    """A copy of a finished result as it would be had the process been killed with this checkpoint as its last."""
    shutil.copytree(result, target)
    for file in (target / "checkpoints").glob("*.checkpoint"):
        if int(file.stem) != tick:
            file.unlink()
    manifest = json.loads((target / "manifest.json").read_text())
    for key in ("hashes", "ended", "ticks", "end", "metrics", "timings"):
        manifest.pop(key, None)
    (target / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))
    return target
