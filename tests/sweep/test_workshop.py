"""A network that is kept for the next run, or its edges, leaves no trace: every run has the bits that it has alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.api import Experiment
from cosim.bridge.workshop import Workshop, construction
from cosim.errors import SimulationError
from cosim.graph.build import build
from cosim.graph.remembered import Memory, remembering
from cosim.neural.toolchain import has_compiler
from cosim.record.result import Result
from cosim.spec.load import LoadedExperiment, load_experiment
from cosim.sweep.trial import trial
from tests.graph.helpers import circuit

ZOO = Path(__file__).resolve().parents[1] / "checkpoint" / "zoo"
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")


@pytest.fixture(autouse=True)
def zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise, plastic synapses, spikes by chance, delays of many lengths, lesions in mid-run."""
    monkeypatch.setenv("COSIM_ZOO", str(ZOO))


def loaded(**changes: Any) -> LoadedExperiment:
    return load_experiment("plastic_reflex", {"duration": "200 ms", **changes}, check=False)


def alone(of: LoadedExperiment, seed: int, out: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """Hashes and metrics of a run by itself, recorded on disk in full."""
    result: Result = Experiment("x", {}, of).run(seed=seed, out=out, force=True)
    return dict(result.manifest["hashes"]), dict(result.metrics)


#: what follows what, and whether the network of the run before can be used
SEQUENCE: list[tuple[dict[str, Any], int, bool]] = [
    ({}, 1, False),
    ({}, 1, True),
    ({"wires.motor.delay": "7 ms"}, 1, True),
    ({"ablate": "[{silence: MN, fraction: 0.5}]"}, 1, False),  # its circuit is not prepared for cuts in mid-run
    ({"ablate": "[]"}, 1, True),
    ({"world.gravity": "1 m/s^2"}, 1, False),
    ({"wires.spindle_static.encode.poisson": "200 Hz"}, 1, True),
    ({}, 2, False),
    ({"circuit.projections.IN_MN.gain": "0.5"}, 2, False),
]


@needs_compiler
def test_runs_of_one_worker_have_the_bits_of_runs_alone(tmp_path: Path) -> None:
    workshop, made = Workshop(), 0
    for number, (changes, seed, shared) in enumerate(SEQUENCE):
        of = loaded(**changes)
        found = trial(of, seed, workshop, "auto", [])
        assert found is not None
        made += not shared
        assert workshop.made == made, f"run {number}"
        metrics, hashes, _ = found
        wanted, measured = alone(of, seed, tmp_path / "alone")
        assert (hashes["spikes"], hashes["body"]) == (wanted["spikes"], wanted["body"]), f"run {number}"
        assert {name: np.float64(value).tobytes() for name, value in metrics.items()} == {
            name: np.float64(value).tobytes() for name, value in measured.items()
        }


@needs_compiler
def test_a_run_that_goes_wrong_leaves_nothing_behind() -> None:
    workshop = Workshop()
    before = trial(loaded(), 1, workshop, "auto", [])
    with pytest.raises(SimulationError, match="elbow"):
        trial(loaded(**{"perturb.tap.value": "-1e12 N*m"}), 1, workshop, "auto", [])
    after = trial(loaded(), 1, workshop, "auto", [])
    assert workshop.made == 1
    assert before is not None and after is not None
    assert before[:2] == after[:2]


def test_what_a_network_is_made_of() -> None:
    base = construction(loaded())
    same = [{"wires.motor.delay": "7 ms"}, {"duration": "1 s"}, {"world.gravity": "1 m/s^2"}, {"perturb": "{}"}]
    assert {construction(loaded(**changes)) for changes in same} == {base}
    other = [
        {"dt": "0.2 ms"}, {"circuit.projections.IN_MN.gain": "2"}, {"circuit.populations.MN.n": "100"},
        {"ablate": "[{cut: IN_MN}]"}, {"ablate": "[]"},
        {"drives": "{noise: {to: MN, variable: I_syn, poisson: {rate: 100 Hz, weight: 0.1 nA}}}"},
        {"drives": "{noise: {to: MN, variable: I_syn, poisson: {rate: 200 Hz, weight: 0.1 nA}}}"},
    ]  # fmt: skip
    assert len({construction(loaded(**changes)) for changes in other} | {base}) == len(other) + 1


def edges(seed: int, **changes: Any) -> dict[str, list[bytes]]:
    """All edges of a circuit, by projection."""
    document: dict[str, Any] = {
        "axis": {"length": "0.1 m", "segments": 4},
        "models": {"m": {"equations": "dv/dt = -v/(10*ms) : 1", "threshold": "v > 1"}},
        "populations": {
            "A": {"model": "m", "per_segment": 20, "sides": ["l", "r"]},
            "B": {"model": "m", "per_segment": 10, "sides": ["l", "r"]},
        },
        "projections": {
            "near": {"from": "A", "to": "B", "side": "same", "on_spike": "v += w",
                     "parameters": {"w": {"normal": [1, 0.1]}},
                     "connect": {"probability": "p", "kernel": {"gaussian": {"rostral": "10 mm", "caudal": "20 mm"}}}},
            "few": {"from": "A", "to": "A", "on_spike": "v += 1", "connect": {"indegree": 5},
                    "delay": {"uniform": ["1 ms", "3 ms"]}},
            "dealt": {"from": "B", "to": "A", "on_spike": "v += w", "parameters": {"w": "count"},
                      "connect": {"degrees": {"edges": 300, "out": {"lognormal": [1, 1]},
                                              "count": {"exponential": 3}}}},
            "mixed": {"from": "A", "to": "B", "on_spike": "v += 1",
                      "connect": {"probability": 0.2, "shuffle": "degree_preserving"}},
        },
        "parameters": {"p": 0.5, "unused": 1},
    }  # fmt: skip
    for path, value in changes.items():
        *heads, last = path.split(".")
        place = document
        for head in heads:
            place = place[head]
        place[last] = value
    spec, parameters = circuit(**document)
    network = build(spec, seed=seed, dt=1e-4, parameters=parameters, folder=Path())
    found = {}
    for name, projection in network.projections.items():
        n = network.populations[projection.target].n
        parts = [projection.edges(0, n // 3), projection.edges(n // 3, n)]
        found[name] = [
            array.tobytes() for one in parts for array in (one.pre, one.post, one.delay, *one.parameters.values())
        ]
    return found


CHANGES: list[dict[str, Any]] = [
    {},
    {"parameters.unused": 2},
    {"projections.near.gain": 2},
    {"projections.near.parameters": {"w": {"normal": [1, 0.2]}}},
    {"projections.few.delay": "1 ms"},
    {"parameters.p": 0.4},
    {"projections.few.connect": {"indegree": 4}},
    {"projections.mixed.connect": {"probability": 0.2}},
    {"projections.mixed.connect": {"probability": 0.2, "shuffle": "degree_preserving", "seed": 3}},
    {"projections.near.side": "opposite"},
    {"populations.B.per_segment": 11},
    {"axis.length": "0.2 m"},
]


def test_remembered_edges_are_those_that_would_be_drawn() -> None:
    memory = Memory(2**24)
    for seed in (1, 2, 1):
        for changes in CHANGES:
            drawn = edges(seed, **changes)
            with remembering(memory):
                assert edges(seed, **changes) == drawn
                assert edges(seed, **changes) == drawn


def test_memory_forgets_what_was_not_asked_for_longest() -> None:
    memory = Memory(100)
    array = np.zeros(10, dtype=np.int32)
    for key in (b"a", b"b"):
        memory.put(key, (array, array[:2], {}))
    assert memory.get(b"a") is not None
    memory.put(b"c", (array, array[:2], {}))
    assert [memory.get(key) is not None for key in (b"a", b"b", b"c")] == [True, False, True]
    memory.put(b"d", (np.zeros(30, dtype=np.int32), array, {}))
    assert memory.get(b"d") is None
    assert memory.get(b"c") is not None
