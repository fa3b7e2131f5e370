"""What a sweep costs: beside the way in which lesion studies are published, over workers, and on top of its runs.

Sides take turns, round after round, and ratios are taken within a round: between machines, and on a busy one, only
these are worth comparing.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cosim.bench.page import load_average
from cosim.bench.sides import Say, spread
from cosim.bench.sweep_page import wanted
from cosim.bridge.workshop import Workshop
from cosim.errors import CosimError, UserError
from cosim.graph.ir import NetworkIR
from cosim.manifest import host, versions
from cosim.neural.limits import check_machine
from cosim.sweep.load import Sweep, load_sweep, network_of
from cosim.sweep.local import THREADS
from cosim.sweep.run import Options, locally
from cosim.sweep.store import read
from cosim.sweep.trial import trial

NAMES = ("published", "efficiency")
ROUNDS = 3
#: what is measured: a sweep of `brain.yaml`, and one of the salamander
LESIONS, SWIM = (Path(__file__).parent / "sweeps" / name for name in ("lesions.yaml", "swim.yaml"))
#: parts of a run that are the simulation itself
_SIMULATION = ("network", "body", "bridge")
_PARTS = ("load", "build", "record", "measure")
_SKIPPED = "The published way is left out: joblib is not installed (pip install 'cosim-neuro[bench]')."


def run(names: Sequence[str] = (), rounds: int | None = None, *, say: Say | None = None) -> dict[str, Any]:
    """Measure what `names` say (NAMES). Raises UserError for an unknown name.

    ``published``: 50 runs with a lesion each, beside joblib over processes that build a Brian2 network each; left out,
    which `skipped` says, where joblib is not installed. ``efficiency``: 64 runs by one worker, and by two.
    """
    say = say or (lambda text: None)
    wrong = [name for name in names if name not in NAMES]
    if wrong:
        raise UserError(f"'{wrong[0]}' cannot be measured; there are {', '.join(NAMES)}")
    names, rounds = names or NAMES, rounds or ROUNDS
    check_machine()
    has_joblib = importlib.util.find_spec("joblib") is not None
    begin = load_average()
    measured: dict[str, Any] = {}
    if "published" in names and has_joblib:
        measured["published"] = published(rounds, say)
    if "efficiency" in names:
        measured["efficiency"] = efficiency(rounds, say)
    found = {
        "machine": host(),
        "versions": versions() | ({"joblib": importlib.metadata.version("joblib")} if has_joblib else {}),
        "command": " ".join(["cosim bench sweep", *(() if tuple(names) == NAMES else names), f"--repeats {rounds}"]),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "load": [begin, load_average()],
        "rounds": rounds,
        "skipped": [_SKIPPED] if "published" in names and not has_joblib else [],
        **measured,
    }
    return found | {"wanted": wanted(found)}


# ---------------------------------------------------------------- beside the published way


def published(rounds: int, say: Say, document: Path = LESIONS) -> dict[str, Any]:
    """Wall seconds of both ways on as many workers as there are cores, their ratio, and the rates that they find."""
    workers = len(os.sched_getaffinity(0))
    sweep = load_sweep(document)
    network = network_of(sweep.base)
    assert network is not None
    rows: dict[str, list[float]] = {"cosim": [], "published": []}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        edges = _write(sweep, network, folder)
        _once(sweep, say)
        rates: dict[str, Any] = {}
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}: {sweep.size} runs by cosim, then by joblib and Brian2")
            seconds, rates["cosim"] = _cosim(document, folder / f"cosim{number}", workers)
            rows["cosim"].append(seconds)
            seconds, rates["published"] = _joblib(folder, workers)
            rows["published"].append(seconds)
    return {
        "workers": workers,
        "duration": sweep.base.spec.duration,
        "runs": sweep.size,
        "neurons": sum(one.n for one in network.populations.values() if one.name not in sweep.base.spec.drives),
        "edges": edges,
        "seconds": {name: spread(values) for name, values in rows.items()},
        "ratio": spread([b / a for a, b in zip(rows["cosim"], rows["published"], strict=True)]),
        "rates": rates,
    }


def _write(sweep: Sweep, network: NetworkIR, folder: Path) -> int:
    """The same network and lesions for the other side: edges by global number, weights in V; how many they are."""
    parts = []
    for projection in network.projections.values():
        if projection.name in sweep.base.spec.drives:
            continue
        source, target = (network.populations[name] for name in (projection.source, projection.target))
        edges = projection.edges(0, target.n)
        parts.append((edges.pre + source.first, edges.post + target.first, edges.parameters["w"]))
    pre, post, w = (np.concatenate([part[i] for part in parts]) for i in range(3))
    np.savez(folder / "edges.npz", pre=pre, post=post, w=w)
    sensory, feeding, motor = (network.populations[name] for name in ("sensory", "feeding", "motor"))
    trials = []
    for arm in sweep.arms:
        numbers = [i for node in arm.ablations for i in node.plain()["where"]["neurons"]]
        trials.append([feeding.first + i for i in numbers])
    facts = {
        "n": network.n,
        "seconds": sweep.base.spec.duration,
        "driven": list(range(sensory.first, sensory.last)),
        "trials": trials,
        "measured": {one.name: [one.first, one.last] for one in (feeding, motor)},
    }
    (folder / "trials.json").write_text(json.dumps(facts), encoding="utf-8")
    return len(pre)


def _cosim(document: Path, out: Path, workers: int) -> tuple[float, dict[str, float]]:
    """Wall seconds of a whole sweep, from its document, and mean rates."""
    begin = time.perf_counter()
    done = locally(document, {}, Options(out=out, workers=workers))
    seconds = time.perf_counter() - begin
    if done.failed:
        raise CosimError(f"{done.failed} runs of the sweep failed: {out}")
    rows = [read(file) or {} for file in sorted((out / "rows").glob("*.json"))]
    return seconds, _means([row["metrics"] for row in rows])


def _joblib(folder: Path, workers: int) -> tuple[float, dict[str, float]]:
    command = [sys.executable, "-m", "cosim.bench.published", str(folder), str(workers)]
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command, env={**os.environ, **THREADS, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise CosimError(f"the published way failed: {lines[-1]}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return found["seconds"], {f"rate_{name}": value for name, value in _means(found["rates"]).items()}


def _means(found: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


# ---------------------------------------------------------------- over workers, and on top of the runs


def efficiency(rounds: int, say: Say, document: Path = SWIM) -> dict[str, Any]:
    """Parallel efficiency of two workers, and what a run costs on top of its simulation, by parts (shares of it)."""
    sweep = load_sweep(document)
    ratios, serial, parallel = [], [], []
    over: dict[str, list[float]] = {name: [] for name in ("all", *_PARTS)}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _once(sweep, say)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}: {sweep.size} runs by one worker, then by two")
            one, _ = _cosim(document, folder / f"one{number}", 1)
            two, _ = _cosim(document, folder / f"two{number}", 2)
            serial.append(one)
            parallel.append(two)
            ratios.append(one / (2 * two))
            for name, share in overhead(folder / f"one{number}").items():
                over[name].append(share)
    return {
        "experiment": sweep.base.spec.name,
        "duration": sweep.base.spec.duration,
        "runs": sweep.size,
        "seconds": {"one worker": spread(serial), "two workers": spread(parallel)},
        "efficiency": spread(ratios),
        "overhead": {name: spread(values) for name, values in over.items()},
    }


def overhead(out: Path) -> dict[str, float]:
    """What the runs of a sweep cost on top of their simulation, in all and by parts, as shares of it."""
    found = [(read(file) or {})["seconds"] for file in (out / "timings").glob("*.json")]
    total = {name: sum(one.get(name, 0.0) for one in found) for name in {key for one in found for key in one}}
    simulation = sum(total[name] for name in _SIMULATION)
    shares = {name: total[name] / simulation for name in _PARTS}
    return {"all": (total["whole"] - simulation) / simulation, **shares}


def _once(sweep: Sweep, say: Say) -> None:
    """What is compiled the first time is compiled before the clock starts."""
    say(f"the network of '{sweep.base.spec.name}' is compiled where it is not yet")
    trial(sweep.base, sweep.seeds[0], Workshop(), "auto", list(sweep.spec.measure), say)
