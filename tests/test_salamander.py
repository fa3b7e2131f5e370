"""The shipped salamander swims as its README says; runs repeat to the bit, also side by side."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cosim

ANIMAL_AMPLITUDES = [10.8, 13.4, 13.0, 12.8, 23.2, 31.8, 28.0, 34.0]  # deg, Karakasiliotis et al.


@pytest.fixture(scope="module")
def swim(tmp_path_factory: pytest.TempPathFactory) -> cosim.Result:
    """The experiment as shipped: its declared seed, 10 s after a transient of 2 s."""
    return cosim.load("salamander_swim").run(out=tmp_path_factory.mktemp("swim") / "run")


def test_it_swims_like_the_animal(swim: cosim.Result) -> None:
    m = swim.metrics
    assert m["frequency"] == pytest.approx(3.17, rel=0.05)
    assert m["wave_number"] == pytest.approx(0.84, rel=0.10)  # positive: from head to tail
    assert m["speed"] == pytest.approx(0.714, rel=0.10)
    assert 0.16 <= m["tail_beat"] <= 0.22
    assert m["joint_amplitude"] == pytest.approx(ANIMAL_AMPLITUDES, rel=0.10)
    assert m["locked"] == 1.0


def test_it_moves_forward_and_stays_afloat(swim: cosim.Result) -> None:
    position = swim.trace("body/link_position").after(2.0)
    head = position.values[:, list(position.labels[0]).index("head")]
    tail = position.values[:, list(position.labels[0]).index("tail_4")]
    moved = head[-1, :2] - head[0, :2]
    facing = (head - tail)[:, :2].mean(axis=0)
    assert moved @ facing > 0
    assert np.abs(position.values[:, :, 2]).max() < 0.01


def test_neurons_fire_at_the_published_rates(swim: cosim.Result) -> None:
    for population, rate in (("EX", 41.0), ("MN", 57.0), ("RS", 26.0)):
        assert swim.metrics[f"rate_{population}"] == pytest.approx(rate, rel=0.10)
    assert swim.metrics["left_right_phase"] == pytest.approx(0.5, abs=0.03)


def test_record_holds_what_the_experiment_asks_for(swim: cosim.Result) -> None:
    assert swim.complete and swim.manifest["ticks"] == 12000
    dataset = swim.to_xarray("body")
    assert dataset["joint_angle"].dims == ("time", "joint") and dataset.sizes["time"] == 6000
    sent, delivered = swim.wire("motor", "sent"), swim.wire("motor", "delivered")
    assert np.array_equal(sent.values, delivered.values)  # its delay is 0
    assert swim.state("MC", "v").values.shape == (6000, 80)


def test_feedback_raises_the_frequency(tmp_path: Path) -> None:
    found = []
    for strength in (0, 1, 3):
        experiment = cosim.load("salamander_swim", {"feedback_strength": strength, "duration": "6 s"})
        found.append(experiment.run(out=tmp_path / str(strength)).metrics["frequency"])
    assert found[0] + 0.5 < found[1] < found[2] - 0.5


RUN = """
import sys, json, cosim
result = cosim.load("salamander_swim", {"duration": "1 s", "transient": "0 s"}).run(out=sys.argv[1])
print(json.dumps(result.manifest["hashes"]))
"""


def test_two_processes_at_once_give_the_same_bits(tmp_path: Path) -> None:
    # fails with any draw that depends on time, process or order, or a physics client that shares state
    env = {**os.environ, "PYTHONHASHSEED": "random"}
    running = [
        subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path / name)], stdout=subprocess.PIPE, env=env, text=True)
        for name in ("a", "b")
    ]
    first, second = (json.loads(p.communicate()[0].splitlines()[-1]) for p in running)
    assert first == second
    assert len(set(first.values())) == 3
