"""What measurements need: with nothing else recorded, every metric has the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cosim.analyse.measures import measure
from cosim.analyse.needs import owners, reduced, spiking, unknown
from cosim.api import Experiment
from cosim.bridge.recording import attach_memory
from cosim.record.result import Result
from cosim.spec.experiment import ExperimentSpec
from cosim.spec.load import LoadedExperiment, load_experiment

#: every kind of measurement, on recordings of 3 s and 0.3 s
EXPERIMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "salamander": (
        "salamander_swim",
        {
            "duration": "3 s", "scale": "0.2",
            "measure.latency": "{channel: [body/joint_angle, wires/motor/delivered, state/MC/v], at: 2.5 s}",
        },
    ),
    "reflex": (
        "stretch_reflex",
        {
            "duration": "300 ms", "transient": "0 s", "perturb.tap.at": "100 ms",
            "measure.rates": "{active: true, of: {first: {population: MN, neurons: [0, 1]}}}",
        },
    ),
}  # fmt: skip


def recorded(loaded: LoadedExperiment, wanted: list[str] | None) -> tuple[Result, ExperimentSpec]:
    """A run that records all that the experiment says, or what is needed only."""
    with Experiment("x", {}, loaded).open() as simulation:
        lockstep = simulation.lockstep
        assert lockstep.body is not None
        spec = loaded.spec
        if wanted is not None:
            spec = reduced(spec, lockstep.network, lockstep.body.sensors, wanted)
        from cosim.manifest import describe

        recorder = attach_memory(spec, lockstep, describe(simulation.experiment, simulation))
        simulation._recorder = recorder
        simulation.run()
    return recorder.result(), spec


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_metric_by_itself_has_the_bits_that_it_has_among_all(name: str) -> None:
    experiment, changes = EXPERIMENTS[name]
    loaded = load_experiment(experiment, changes)
    result, spec = recorded(loaded, None)
    whole = measure(result, spec.measure.chosen(), spec.transient)
    with Experiment("x", {}, loaded).open() as simulation:
        populations = spiking(spec, simulation.lockstep.network)
    assert list(owners(spec.measure.chosen(), populations)) == list(whole)
    groups = [[one] for one in whole] if name == "reflex" else [[one] for one in ("speed", "cost_of_transport", "ptcc")]
    for wanted in (*groups, list(whole)):
        small, least = recorded(loaded, wanted)
        found = measure(small, least.measure.chosen(), least.transient)
        for metric in wanted:
            assert np.array(found[metric]).tobytes() == np.array(whole[metric]).tobytes(), metric
        assert set(small.series) <= set(result.series)
        assert small.manifest["hashes"]["spikes"] == result.manifest["hashes"]["spikes"]
        assert small.manifest["hashes"]["body"] == result.manifest["hashes"]["body"]


def test_nothing_is_recorded_that_is_not_needed() -> None:
    loaded = load_experiment("salamander_swim", {"duration": "3 s"}, check=False)
    with Experiment("x", {}, loaded).open() as simulation:
        network, body = simulation.lockstep.network, simulation.lockstep.body
    assert body is not None

    def kept(*wanted: str) -> tuple[Any, ...]:
        spec = reduced(loaded.spec, network, body.sensors, wanted)
        record = spec.record
        return list(spec.measure.chosen()), record.spikes, sorted(record.body.sensors), record.wires, list(record.state)

    anatomy = ["joint_angle", "link_position", "site_position"]
    assert kept("frequency") == (["swim"], "none", anatomy, False, [])
    assert kept("ptcc") == (["rhythm"], ["EX"], [], False, [])
    assert kept("rate_MN", "locked") == (["rates", "locking"], ["MN"], ["joint_angle"], False, [])
    assert kept("cost_of_transport")[2] == [*anatomy[:1], "joint_torque", "joint_velocity", *anatomy[1:]]


def test_metrics_that_are_not_measured() -> None:
    loaded = load_experiment("stretch_reflex", check=False)
    with Experiment("x", {}, loaded).open() as simulation:
        network = simulation.lockstep.network
    found = unknown(loaded.spec, network, ["latency", "rate_Mn", "speed"])
    assert found == [
        (1, "the experiment does not measure 'rate_Mn', did you mean 'rate_MN'?"),
        (2, "the experiment does not measure 'speed', it measures rate_Ia, rate_IN, rate_MN, latency"),
    ]
