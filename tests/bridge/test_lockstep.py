"""The loop with fakes on both sides: when exactly things arrive."""

from typing import Any

import numpy as np
import pytest

from cosim.body import FakeBody
from cosim.bridge.clock import Clock
from cosim.bridge.inputs import Inputs
from cosim.bridge.lockstep import Lockstep
from cosim.bridge.schedule import Schedule, schedule_ablations, schedule_perturbations
from cosim.bridge.wires import MotorWire, SensoryWire
from cosim.errors import SimulationError
from cosim.neural.fake import FakeBackend
from cosim.spec.common import Located
from cosim.spec.experiment import ExperimentSpec, WireSpec
from tests.graph.helpers import network

RELAY = {"equations": "I_ext : 1\nv : 1\nrate : Hz\nfire : 1", "threshold": "I_ext > 0.5"}
CLOCK = Clock.of(1e-3, 5e-4, None)


class Rig:
    """One population `A` of two neurons, one per joint of a fake body; spikes are scripted or follow I_ext > 0.5."""

    def __init__(
        self, sensory: dict[str, Any] | None = None, motor: dict[str, Any] | None = None, **options: Any
    ) -> None:
        self.network = network(
            models={"relay": RELAY}, populations={"A": {"model": "relay", "n": 1, "sides": ["l", "r"], "tags": ["all"]}}
        )
        script: dict[int, list[int]] = options.get("script", {})

        def respond(step: int, arrays: dict[str, Any]) -> list[int]:
            if script:
                return script.get(step, [])
            self.steps_on += [step] if arrays["A/I_ext"][0] > 0.5 else []
            return np.flatnonzero(arrays["A/I_ext"] > 0.5).tolist()

        self.steps_on: list[int] = []
        self.backend = FakeBackend({"A": (0, 2)}, ("I_ext", "v", "rate", "fire"), CLOCK.steps, respond)
        self.body = FakeBody(2, rate=1.0)
        self.inputs = Inputs(self.network, self.backend)
        self.schedule = Schedule()
        sensory_wires = [self._sensory(sensory)] if sensory is not None else []
        motor_wires = [self._motor(motor)] if motor is not None else []
        self.loop = Lockstep(
            CLOCK, self.network, self.backend, self.body, self.inputs, sensory_wires, motor_wires, [], self.schedule
        )
        self.angles: list[list[float]] = []
        self.commands: list[list[float]] = []
        self.inputs_seen: list[list[float]] = []

    def _sensory(self, raw: dict[str, Any]) -> SensoryWire:
        spec = WireSpec.model_validate({"read": {"joint_angle": "all"}, "to": "A", "encode": {"current": "x"}, **raw})
        return SensoryWire("in", spec, self.network, self.inputs, self.body, CLOCK, {})

    def _motor(self, raw: dict[str, Any]) -> MotorWire:
        spec = WireSpec.model_validate(
            {"from": "A", "decode": {"rate": {"window": "1 ms", "gain": "1 ms"}}, "write": {"activation": "all"}, **raw}
        )
        return MotorWire("out", spec, self.network, self.backend, self.body, CLOCK, {})

    def run(self, ticks: int) -> "Rig":
        for _ in range(ticks):
            self.loop.run(1)
            self.angles.append(self.body.readings["joint_angle"].tolist())
            self.commands.append(self.body.commands["activation"].tolist())
            self.inputs_seen.append(self.backend.arrays["A/I_ext"].tolist())
        return self


def first(rows: list[list[float]], channel: int = 0) -> int:
    return int(np.flatnonzero(np.array(rows)[:, channel])[0])


@pytest.mark.parametrize("delay", [0, 1, 3, 10])
def test_a_spike_in_tick_k_moves_the_body_in_tick_k_plus_1_plus_delay(delay: int) -> None:
    rig = Rig(motor={"delay": f"{delay} ms"}, script={2 * 4: [0]}).run(20)  # in tick 4
    assert first(rig.commands) == 4 + 1 + delay
    assert first(rig.angles) == 4 + 1 + delay  # the body moves under it in the same tick
    assert np.array(rig.commands)[:, 0].tolist().count(1.0) == 1  # a window of one tick: one tick long


@pytest.mark.parametrize("delay", [0, 1, 3, 10])
def test_what_the_body_does_in_tick_k_reaches_the_network_in_tick_k_plus_delay(delay: int) -> None:
    rig = Rig(sensory={"delay": f"{delay} ms"})
    rig.schedule.at(5, lambda: rig.body.external["joint_torque"].__setitem__(0, 1.0))
    rig.run(20)
    assert first(rig.angles) == 5
    assert first(rig.inputs_seen) == 5 + delay
    assert rig.steps_on[0] == 2 * (5 + delay)  # from the first network step of that tick


@pytest.mark.parametrize(("sensory", "motor"), [(0, 0), (2, 0), (0, 3), (4, 5)])
def test_the_whole_loop_takes_both_delays_and_one_tick(sensory: int, motor: int) -> None:
    rig = Rig(sensory={"delay": f"{sensory} ms"}, motor={"delay": f"{motor} ms"})
    rig.schedule.at(5, lambda: rig.body.external["joint_torque"].__setitem__(0, 1.0))
    rig.run(30)
    assert first(rig.commands) == 5 + sensory + 1 + motor


def test_channels_have_their_own_delays() -> None:
    rig = Rig(motor={"delay": ["2 ms", "7 ms"]}, script={0: [0, 1]}).run(12)
    assert (first(rig.commands, 0), first(rig.commands, 1)) == (3, 8)


def test_soft_start_and_expression_and_clip() -> None:
    script = {2 * k: [0] for k in range(20)}
    rig = Rig(motor={"soft_start": "10 ms", "expression": "2*x - x_opposite", "clip": [-0.5, 1.5]}, script=script).run(
        20
    )
    expected = [0.0] + [min(2 * min(k / 10, 1.0), 1.5) for k in range(1, 20)]
    assert np.allclose(np.array(rig.commands)[:, 0], expected, rtol=1e-14)
    assert np.allclose(np.array(rig.commands)[:, 1], [0.0] + [max(-min(k / 10, 1.0), -0.5) for k in range(1, 20)])


def test_spike_encoder_fires_once_per_crossing() -> None:
    rig = Rig(sensory={"encode": {"spikes": {"threshold": "0.5"}}})
    seen = []
    wires = rig.loop.sensory
    push = [0, 1, 1, 0, 1, 1, 0.4, 0.6]
    for torque in push:
        rig.body.external["joint_torque"][0] = torque
        rig.backend.arrays["A/fire"][:] = 0
        rig.loop.run(1)
        seen.append(rig.backend.arrays["A/fire"].tolist())
    assert [row[0] for row in seen] == [0, 1, 0, 0, 1, 0, 0, 1]
    assert len(wires) == 1


def test_cut_wires_deliver_nothing_from_their_tick_on() -> None:
    rig = Rig(sensory={}, motor={})
    spec = ExperimentSpec.model_validate(
        {"cosim": "experiment/1", "name": "t", "circuit": "c", "body": "b", "duration": "1 s",
         "ablate": [{"cut": "wires.in", "at": "8 ms"}], "wires": {}}
    )  # fmt: skip
    found = schedule_ablations(
        rig.schedule,
        spec,
        rig.network,
        rig.backend,
        CLOCK,
        {"in": rig.loop.sensory[0]},
        {"out": rig.loop.motor[0]},
        set(),
    )
    assert found == []
    rig.schedule.at(5, lambda: rig.body.external["joint_torque"].__setitem__(0, 1.0))
    rig.run(12)
    assert [row[0] > 0 for row in rig.inputs_seen] == [5 <= k < 8 for k in range(12)]


def test_lesions_and_pushes_that_name_nothing_are_all_reported() -> None:
    rig = Rig(sensory={}, motor={})
    spec = ExperimentSpec.model_validate(
        {"cosim": "experiment/1", "name": "t", "circuit": "c", "body": "b", "duration": "1 s",
         "ablate": [{"silence": "B"}, {"cut": "wires.inn"}, {"cut": "P"}, {"silence": "A", "where": {"side": "left"}}],
         "perturb": {"p": {"at": "1 ms", "for": "1 ms", "kind": "torque", "joint": "joint_7", "value": "1 N*m"},
                     "q": {"at": "1 ms", "for": "1 ms", "kind": "torque", "joint": "joint_1", "value": "1 N"}}}
    )  # fmt: skip
    found = schedule_ablations(
        rig.schedule,
        spec,
        rig.network,
        rig.backend,
        CLOCK,
        {"in": rig.loop.sensory[0]},
        {"out": rig.loop.motor[0]},
        set(),
    )
    found += schedule_perturbations(rig.schedule, spec, rig.body, CLOCK, {})
    assert [path for path, _ in found] == [
        ("ablate", 0, "silence"), ("ablate", 1, "cut"), ("ablate", 2, "cut"), ("ablate", 3, "where"),
        ("perturb", "p", "joint"), ("perturb", "q", "value", 0),
    ]  # fmt: skip
    assert "no wire 'inn', did you mean 'in'?" in found[1][1]


def test_a_push_acts_over_its_half_open_interval() -> None:
    rig = Rig()
    spec = ExperimentSpec.model_validate(
        {"cosim": "experiment/1", "name": "t", "circuit": "c", "body": "b", "duration": "1 s",
         "perturb": {"p": {"at": "3 ms", "for": "4 ms", "kind": "torque", "joint": "joint_1", "value": "2 N*m"}}}
    )  # fmt: skip
    assert schedule_perturbations(rig.schedule, spec, rig.body, CLOCK, {}) == []
    rig.run(10)
    assert np.array(rig.angles)[:, 1].tolist() == [0, 0, 0, 2, 2, 2, 2, 0, 0, 0]


def test_nan_in_the_network_names_tick_variable_population_and_neuron() -> None:
    rig = Rig()
    rig.schedule.at(3, lambda: rig.backend.arrays["A/v"].__setitem__(1, np.nan))
    with pytest.raises(
        SimulationError, match=r"by tick 8 \(t = 0.008 s\): v of neuron 1 of population 'A' is not finite"
    ):
        rig.run(20)


@pytest.mark.parametrize(
    ("kind", "raw", "path", "message"),
    [
        ("sensory", {"read": {"joint_angel": "all"}}, ("read", "joint_angel"), "did you mean 'joint_angle'?"),
        ("sensory", {"read": {"joint_angle": ["joint_9"]}}, ("read", "joint_angle", 0), "did you mean 'joint_"),
        ("sensory", {"to": "B"}, ("to",), "no population 'B'"),
        ("sensory", {"encode": {"current": "x*2 mV"}}, ("encode", "current"), "expected a number without a unit"),
        ("sensory", {"encode": {"current": "y_0 + x"}}, ("encode", "current"), "unknown name or unit 'y_0'"),
        ("sensory", {"variable": "I_axt"}, ("variable",), "did you mean 'I_ext'?"),
        ("sensory", {"read": {"link_position": "all"}}, ("to",), "3 channels do not fit population 'A'"),
        ("sensory", {"delay": "0.5 ms"}, ("delay",), "not a whole number of ticks"),
        ("sensory", {"delay": ["1 ms", "2 ms", "3 ms"]}, ("delay",), "3 delays for 2 channels"),
        ("motor", {"write": {"torque": "all"}}, ("write", "torque"), "the body has no actuator 'torque'"),
        ("motor", {"decode": {"state": "w"}}, ("decode", "state"), "no variable 'w'"),
        ("motor", {"decode": {"rate": {"window": "1 ms", "gain": 1}}}, ("decode",), "expected a number without a unit"),
        ("motor", {"expression": "x + 1 mV"}, ("expression",), "units do not agree"),
        ("motor", {"parameters": {"g": [1, 2, 3]}}, ("parameters", "g"), "3 values for 2 channels"),
    ],
)
def test_wiring_mistakes_name_the_place(kind: str, raw: dict[str, Any], path: tuple[Any, ...], message: str) -> None:
    with pytest.raises(Located) as error:
        Rig(sensory=raw if kind == "sensory" else None, motor=raw if kind == "motor" else None)
    assert error.value.problems[0][0] == path and message in error.value.problems[0][1]
