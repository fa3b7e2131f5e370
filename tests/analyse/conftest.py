"""A swimmer whose every metric is known, written through the Recorder: no network, no body engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cosim.record import (
    PopulationLayout,
    Recorder,
    RecordLayout,
    Result,
    body_series,
    prepare_directory,
    state_series,
    wire_series,
)

TICK = 1e-3
LENGTH = 0.1
AMPLITUDES = (10.8, 13.4, 13.0, 12.8, 23.2, 31.8, 28.0, 34.0)
MASSES = (0.3314e-3, 0.5139e-3, 0.6303e-3, 0.5278e-3, 0.2673e-3, 0.2091e-3, 0.1574e-3, 0.1189e-3, 0.0755e-3)
SHAPE = {
    "kind": "capsule",
    "size": [0.006, 0.003],
    "at": [0.004, 0, 0],
    "quaternion": [0, 0.5**0.5, 0, 0.5**0.5],
    "color": [0.4, 0.6, 0.4],
}


@dataclass(frozen=True)
class Swim:
    """What the swimmer does."""

    frequency: float = 3.2
    wave_number: float = 0.84
    speed: float = 0.7
    tail_beat: float = 0.15
    left_right_phase: float = 0.5
    neural_wave_number: float = 1.1
    seconds: float = 5.0
    seed: int = 1


def write_swim(path: Path, swim: Swim, status: str = "complete") -> Result:
    """Joint angles, links moving along -x in a travelling wave, one population that fires in the same rhythm."""
    joints = [f"joint_{i}" for i in range(1, 9)]
    links = [f"link_{i}" for i in range(9)]
    muscles = [f"{side}_{i}" for i in range(1, 9) for side in ("left", "right")]
    n, segments = 800, 40
    side = ["left"] * (n // 2) + ["right"] * (n // 2)
    y = np.tile(np.arange(n // 2) / (n // 2) * LENGTH, 2)
    layout = RecordLayout(
        tick=TICK,
        dt=TICK,
        populations=(PopulationLayout("EX", 0, n, side, {"y": y}), PopulationLayout("MC", n, 16, spiking=False)),
        series=(
            body_series("joint_angle", joints, unit="rad"),
            body_series("joint_velocity", joints, unit="rad/s"),
            body_series("joint_torque", joints, unit="N*m"),
            body_series("link_position", links, unit="m", width=3),
            body_series("link_orientation", links, width=4),
            state_series("MC", "v", range(16)),
            wire_series("motor", "delivered", muscles),
        ),
    )
    manifest = {
        "name": "swim",
        "seed": swim.seed,
        "geometry": {
            "length": LENGTH,
            "axis": links,
            "forward": [-1, 0, 0],
            "sites": {},
            "links": [
                {"name": name, "mass": mass, "com": [0, 0, 0], "shapes": [SHAPE]}
                for name, mass in zip(links, MASSES, strict=True)
            ],
        },
        "axis": {"length": LENGTH, "segments": segments},
        "perturb": {"tap": {"at": 2.0}},
    }
    prepare_directory(path, force=True)
    recorder = Recorder(path, manifest=manifest, layout=layout, flush_every=1000)
    angle, velocity, torque, position, turn, cell, motor = (recorder.channel(one.name) for one in layout.series)
    omega = 2 * np.pi * swim.frequency
    lag = np.linspace(0, swim.wave_number, 8)
    reach = np.radians(AMPLITUDES)
    x0 = np.linspace(0, 0.95, 9) * LENGTH
    swing = np.linspace(0.02, swim.tail_beat, 9) * LENGTH
    rng = np.random.default_rng(swim.seed)
    drift = (
        2 * np.pi * (swim.neural_wave_number * y / LENGTH + np.where(np.arange(n) < n // 2, 0, swim.left_right_phase))
    )
    for k in range(round(swim.seconds / TICK)):
        t = (k + 1) * TICK
        phase = omega * t - 2 * np.pi * lag
        dq = reach * omega * np.cos(phase)
        angle.append(reach * np.sin(phase))
        velocity.append(dq)
        torque.append(1e-6 * dq)
        lateral = swing * np.sin(omega * t - 2 * np.pi * np.linspace(0, swim.wave_number, 9))
        position.append(np.stack([x0 - swim.speed * LENGTH * t, lateral, np.zeros(9)], axis=1))
        yaw = np.gradient(lateral, x0) / 2
        turn.append(np.stack([0 * yaw, 0 * yaw, np.sin(yaw), np.cos(yaw)], axis=1))
        activity = np.maximum(0, np.cos(omega * k * TICK - drift))
        ids = np.flatnonzero(rng.random(n) < activity * 100 * TICK).astype(np.int32)
        recorder.spikes(np.full(len(ids), k), ids)
        cell.append(0.5 + 0.5 * np.sin(np.repeat(phase, 2)) * np.tile([1, -1], 8))
        motor.append(np.where(t > 2.0 + 0.0305, 1.5, 1.0) * np.ones(16))
        recorder.tick_done()
    if status != "running":
        recorder.close(status, timings={"network": 1.0, "body": 2.0, "wall": 4.0, "real_time_factor": 0.8})  # type: ignore[arg-type]
    else:
        recorder.flush()
    return Result(path)


@pytest.fixture(scope="session")
def swimmer(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A complete run of the standard swimmer."""
    return write_swim(tmp_path_factory.mktemp("runs") / "swim", Swim())


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Result]:
    """Write a swimmer: ``write(name, status=..., **what it does)``."""
    folder = tmp_path_factory.mktemp("more")

    def make(name: str, status: str = "complete", **changes: float) -> Result:
        return write_swim(folder / name, Swim(**changes), status)  # type: ignore[arg-type]

    return make
