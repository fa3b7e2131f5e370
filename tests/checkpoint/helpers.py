"""Runs to interrupt, how they are interrupted, and what must be equal afterwards."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import zarr

import cosim
from cosim.checkpoint.keep import Keeper, listed

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
#: name of the experiment, changes, time between checkpoints
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "reflex": ("stretch_reflex", {"duration": "300 ms", "transient": "100 ms", "checkpoint": "11 ms"}),
    "plastic": (str(HERE / "zoo" / "run" / "plastic_reflex.yaml"), {"checkpoint": "9 ms"}),
    "swimmer": ("salamander_swim", {"duration": "300 ms", "transient": "100 ms", "checkpoint": "17 ms"}),
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


def uninterrupted(model: str, path: Path, backend: str = "compiled") -> Path:
    """A run that nothing interrupts, with all its checkpoints."""
    name, changes = MODELS[model]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "kept", 1000)
        cosim.load(name, changes).run(out=path, backend=backend)
    return path


def restored(whole: Path, scratch: Path, count: int, backend: str = "compiled") -> None:
    """Restore a run at so many random ticks, each in a process of its own: all become the run that was not interrupted.

    Raises AssertionError.
    """
    ticks = random.Random(f"{whole.name} {backend}").sample([int(file.stem) for file in listed(whole)], count)
    copies = [cut_off(whole, scratch / f"{backend}-{tick}", tick) for tick in ticks]
    goes_on = [sys.executable, str(HERE / "goes_on.py"), backend, *map(str, copies)]
    done = subprocess.run(goes_on, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("going on at") == count
    wanted, arrays = hashes(whole), store(whole)
    assert wanted["status"] == "complete"
    for copy, tick in zip(copies, ticks, strict=True):
        assert hashes(copy) == wanted, copy.name
        assert store(copy) == arrays, copy.name
        (resumed,) = json.loads((copy / "manifest.json").read_text())["resumed"]
        assert resumed["time"] == pytest.approx(tick * 1e-3, rel=1e-12)
        shutil.rmtree(copy)


# -- SIGKILL (the reflex, two seconds of it) ---------------------------------------------------------------------------


def status(path: Path) -> Any:
    return json.loads((path / "manifest.json").read_text())["status"]


def begin(path: Path) -> subprocess.Popen[str]:
    """Start the run, or go on with it, in another process."""
    go_on = ["--resume", str(path)] if (path / "manifest.json").exists() else [
        "stretch_reflex", "--checkpoint", "10 ms", "--out", str(path)]  # fmt: skip
    return subprocess.Popen(
        command("run", *go_on, "--no-report"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def newest(path: Path) -> int:
    """The tick of the newest checkpoint, or -1."""
    return max((int(file.stem) for file in listed(path)), default=-1)


def kill(path: Path, ticks: int, pause: float) -> None:
    """Begin or go on, and SIGKILL `pause` seconds after the first checkpoint that is so many ticks further."""
    begun = newest(path)
    process = begin(path)
    while process.poll() is None and newest(path) < begun + ticks:
        time.sleep(1e-3)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def killed(scratch: Path, times: int) -> list[int]:
    """Kill a run of 2 000 ticks so many times at random and let it end: it becomes the one that was not interrupted.

    Returns the tick of the newest checkpoint after each kill. Raises AssertionError.
    """
    path, chance, reached = scratch / "killed", random.Random(3), []
    for _ in range(times):
        kill(path, chance.randrange(1, 1600 // times), chance.uniform(0.0, 0.01))
        assert status(path) == "running"
        reached.append(newest(path))
    last = begin(path)
    said, _ = last.communicate()
    assert last.returncode == 0, said
    assert f"going on at {reached[-1] * 1e-3:g} s" in said
    cosim.load("stretch_reflex", {"checkpoint": "10 ms"}).run(out=scratch / "whole")
    assert hashes(path) == hashes(scratch / "whole")
    assert store(path) == store(scratch / "whole")
    assert len(json.loads((path / "manifest.json").read_text())["resumed"]) >= times
    assert len(listed(path)) == 2
    return reached
