"""What a replay costs per biological second, beside flygym on the same movement, step and machine, in turns.

flygym needs a Python of its own (3.12 or later): the variable COSIM_FLYGYM names it, e.g.
``python3.12 -m venv ~/flygym && ~/flygym/bin/pip install flygym==2.1.1`` and COSIM_FLYGYM=~/flygym/bin/python.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import cosim
from cosim.bench.markdown import table
from cosim.bridge.lockstep import Lockstep

EXPERIMENT, SECONDS, STEP, TICK = "fly_walking_spotlight", 1.0, 1e-4, 1e-3
VARIABLE = "COSIM_FLYGYM"
READ = ("joint_angle", "joint_velocity", "joint_torque", "link_position", "foot_force")


def run(repeats: int | None, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure in rounds. Without flygym, cosim alone: `skipped` says why."""
    rounds = repeats or 5
    peer, skipped = _peer()
    if skipped:
        say(f"flygym: {skipped}")
    own: list[dict[str, float]] = []
    other: list[float] = []
    try:
        for k in range(rounds):
            say(f"round {k + 1} of {rounds}")
            own.append(_own())
            if peer is not None:
                other.append(float(_ask(peer)["seconds"]) / SECONDS)
    finally:
        if peer is not None:
            peer.communicate()
    seconds = [one["wall"] / SECONDS for one in own]
    found: dict[str, Any] = {
        "experiment": EXPERIMENT, "step": STEP, "tick": TICK, "rounds": rounds, "cosim": seconds,
        "parts": {name: min(one[name] for one in own) / SECONDS for name in ("body", "bridge")},
        "flygym": other or None, "skipped": skipped,
    }  # fmt: skip
    if other:
        found["ratio"] = min(seconds) / min(other)
        found["ratio_median"] = statistics.median(a / b for a, b in zip(seconds, other, strict=True))
    return found


def _own() -> dict[str, float]:
    """One replay, building not counted: seconds in all and by part of the loop."""
    tick = f"{TICK} s"
    changes = {"tick": tick, "body_dt": f"{STEP} s", "duration": f"{SECONDS} s", "record.body.every": tick}
    with cosim.load(EXPERIMENT, changes).open() as running:
        lockstep: Lockstep = running.lockstep
        assert lockstep.body is not None
        lockstep.body.request(READ)
        begin = perf_counter()
        running.step(running.ticks)
        wall = perf_counter() - begin
        return {"wall": wall, "body": lockstep.timings.body, "bridge": lockstep.timings.bridge}


def _peer() -> tuple[subprocess.Popen[str] | None, str]:
    """flygym's process, ready; or None and why there is none."""
    python = os.environ.get(VARIABLE)
    if not python:
        return None, f"not measured: set {VARIABLE} to a Python (3.12 or later) that has flygym"
    script = Path(__file__).parent / "peers" / "flygym_peer.py"
    command = [os.path.expanduser(python), str(script), str(STEP), str(round(TICK / STEP)), str(SECONDS)]
    environment = {**os.environ, "PYTHONPATH": ""}
    try:
        peer = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
    except OSError as error:
        return None, f"not measured: {python} cannot be started ({error.strerror or error})"
    assert peer.stdout is not None
    line = peer.stdout.readline()
    if not line:
        reason = peer.communicate()[1].strip().splitlines() or ["it ended"]
        return None, f"not measured: {python}: {reason[-1]}"
    print(f"flygym {json.loads(line)}", file=sys.stderr)
    return peer, ""


def _ask(peer: subprocess.Popen[str]) -> dict[str, Any]:
    assert peer.stdin is not None and peer.stdout is not None
    peer.stdin.write("\n")
    peer.stdin.flush()
    answer: dict[str, Any] = json.loads(peer.stdout.readline())
    return answer


def page(result: Mapping[str, Any]) -> str:
    """The measurement as a table."""
    rows = [["cosim", *_numbers(result["cosim"])]]
    if result["flygym"]:
        rows.append(["flygym", *_numbers(result["flygym"])])
    step, tick = result["step"] * 1e3, result["tick"] * 1e3
    title = (
        f"Replay of {result['experiment']}: {step:g} ms a step, read out every {tick:g} ms; seconds per biological "
        f"second, {result['rounds']} rounds in turns"
    )
    if result["flygym"]:
        fastest, median = result["ratio"], result["ratio_median"]
        last = f"cosim / flygym: {fastest:.2f} (fastest), {median:.2f} (median of the rounds)"
    else:
        last = f"flygym: {result['skipped']}"
    return "\n".join([title, "", table(["", "fastest", "median"], rows), "", last])


def _numbers(seconds: list[float]) -> list[str]:
    return [f"{min(seconds):.2f}", f"{statistics.median(seconds):.2f}"]
