"""Body and network at the same time: the same calls on the same numbers, whatever the timing of the threads."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cosim
from cosim.body import FakeBody
from cosim.bridge.clock import Clock
from cosim.bridge.inputs import Inputs
from cosim.bridge.lockstep import Lockstep
from cosim.bridge.overlap import BodyThread
from cosim.bridge.schedule import Schedule
from cosim.bridge.wires import MotorWire, SensoryWire
from cosim.errors import SimulationError
from cosim.neural.fake import FakeBackend
from cosim.neural.toolchain import has_compiler
from cosim.record import Recorder, RecordLayout, Result, body_series, prepare_directory, wire_series
from cosim.spec.experiment import WireSpec
from tests.graph.helpers import network

RELAY = {"equations": "I_ext : 1\nv : 1\nrate : Hz\nfire : 1", "threshold": "I_ext > 0.5"}
CLOCK = Clock.of(1e-3, 5e-4, None)


class SlowBody(FakeBody):
    """Remembers which thread stepped it and what it was commanded; may take longer than the network."""

    def __init__(self, pause: float = 0.0, fail_at: int | None = None) -> None:
        super().__init__(2, rate=0.5, fail_at=fail_at)
        self.pause = pause
        self.threads: set[str] = set()
        self.commanded: list[list[float]] = []

    def step(self, tick: int) -> None:
        time.sleep(self.pause)
        self.threads.add(threading.current_thread().name)
        self.commanded.append(self.commands["activation"].tolist())
        super().step(tick)


class SlowBackend(FakeBackend):
    """A network that says it leaves Python alone; neuron i spikes while its input exceeds 1/4, or as `script` says."""

    pause = 0.0

    def advance(self) -> None:
        time.sleep(self.pause)
        super().advance()


def build(motor_delay: str, out: Path | None = None, **options: Any) -> Lockstep:
    net = network(models={"relay": RELAY}, populations={"A": {"model": "relay", "n": 1, "sides": ["l", "r"]}})

    def respond(step: int, arrays: dict[str, Any]) -> list[int]:
        found = set(np.flatnonzero(arrays["A/I_ext"] > 0.25).tolist())
        return sorted(found | ({0} if step % 7 == 0 else set()) | ({1} if step % 11 == 3 else set()))

    backend = SlowBackend({"A": (0, 2)}, ("I_ext", "v", "rate", "fire"), CLOCK.steps, respond)
    backend.releases_gil = True
    backend.pause = options.get("network_pause", 0.0)
    body = SlowBody(options.get("body_pause", 0.0), options.get("fail_at"))
    inputs = Inputs(net, backend)
    into = WireSpec.model_validate(
        {"read": {"joint_angle": "all"}, "to": "A", "encode": {"current": "x"}, "delay": "2 ms"}
    )
    outof = WireSpec.model_validate(
        {"from": "A", "decode": {"filter": {"tau": "5 ms", "gain": "2 ms"}}, "write": {"activation": "all"},
         "delay": motor_delay}
    )  # fmt: skip
    sensory = SensoryWire("in", into, net, inputs, body, CLOCK, {})
    motor = MotorWire("out", outof, net, backend, body, CLOCK, {})
    loop = Lockstep(CLOCK, net, backend, body, inputs, [sensory], [motor], [], Schedule())
    if out is not None:
        prepare_directory(out)
        series = [body_series("joint_angle", body.joints)]
        series += [wire_series(w.name, s, w.channels) for w in (sensory, motor) for s in ("sent", "delivered")]
        layout = RecordLayout(CLOCK.tick, CLOCK.dt, (), tuple(series), False)
        loop.recorder = Recorder(out, manifest={}, layout=layout, flush_every=20)
        wires = {"in": sensory, "out": motor}
        sources = [(one.name, getattr(wires[one.name.split("/")[1]], one.name.split("/")[2])) for one in series[1:]]
        loop.recorder.gather([*sources, ("body/joint_angle", body.readings["joint_angle"])])
        loop.recorder.watch(body.state)
    return loop


def lesions(loop: Lockstep) -> None:
    """A push over [20, 25), the motor wire cut at 40, the sensory one at 60."""
    torque = loop.body.external["joint_torque"]
    loop.pushes.at(20, lambda: torque.__iadd__([0.5, -0.25]))
    loop.pushes.at(25, lambda: torque.__isub__([0.5, -0.25]))
    loop.schedule.at(40, lambda: setattr(loop.motor[0], "cut", True))
    loop.schedule.at(60, lambda: setattr(loop.sensory[0], "cut", True))


def outcome(loop: Lockstep) -> dict[str, Any]:
    backend = loop.backend
    return {
        "commanded": loop.body.commanded, "seen": loop.body.seen, "tick": loop.tick,
        "body": {k: v.tolist() for k, v in loop.body.readings.items()},
        "network": {k: v.tolist() for k, v in backend.arrays.items()},
        "spikes": [part.tolist() for part in backend.spikes()],
    }  # fmt: skip


PAUSES = [{}, {"body_pause": 1e-3}, {"network_pause": 1e-3}]


@pytest.mark.parametrize("pauses", PAUSES, ids=["none slow", "body slow", "network slow"])
@pytest.mark.parametrize("delay", ["1 ms", "4 ms", ["1 ms", "3 ms"]])
def test_not_a_bit_differs(delay: Any, pauses: dict[str, float], tmp_path: Path) -> None:
    results, hashes, traces = [], [], []
    for overlap in (True, False):
        loop = build(delay, tmp_path / str(overlap), **pauses)
        loop.overlap = overlap
        lesions(loop)
        for ticks in (1, 30, 2, 67):  # the thread is handed over and taken back between runs
            loop.run(ticks)
        loop.finish()
        assert loop.body.threads == ({"cosim-body", "MainThread"} if overlap else {"MainThread"})
        hashes.append(loop.recorder.close("complete", final_state=loop.backend.state())["hashes"])
        results.append(outcome(loop))
        names = ("body/joint_angle", "wires/in/sent", "wires/in/delivered", "wires/out/sent", "wires/out/delivered")
        traces.append([Result(tmp_path / str(overlap)).trace(name).values.tobytes() for name in names])
    assert results[0] == results[1]
    assert hashes[0] == hashes[1]
    assert traces[0] == traces[1]
    assert np.ptp(np.array(results[0]["commanded"])[:, 0]) > 0.1  # something went on


def test_a_motor_delay_of_no_tick_keeps_the_body_in_the_loop() -> None:
    for delay in ("0 ms", ["0 ms", "5 ms"]):
        loop = build(delay)
        assert not loop.overlaps
        loop.run(20)
        assert loop.body.threads == {"MainThread"}


def test_a_network_that_holds_the_interpreter_is_not_overlapped() -> None:
    loop = build("1 ms")
    assert loop.overlaps
    loop.backend.releases_gil = False
    assert not loop.overlaps


def test_both_take_the_time_of_the_slower_one() -> None:
    walls = {}
    for overlap in (True, False):
        loop = build("1 ms", body_pause=4e-3, network_pause=4e-3)
        loop.overlap = overlap
        begin = time.perf_counter()
        loop.run(50)
        walls[overlap] = time.perf_counter() - begin
    assert walls[False] > 0.4  # two sleeps of 4 ms, 50 times
    assert walls[True] < 0.75 * walls[False]  # half, were it not for the hand-over


@pytest.mark.parametrize("fail_at", [0, 1, 17])
def test_a_body_that_blows_up_says_the_same(fail_at: int) -> None:
    said = []
    for overlap in (True, False):
        loop = build("2 ms", fail_at=fail_at)
        loop.overlap = overlap
        with pytest.raises(SimulationError) as caught:
            loop.run(30)
        said.append((str(caught.value), loop.tick, outcome(loop)))
        assert "cosim-body" not in {thread.name for thread in threading.enumerate()}
    assert said[0] == said[1]


def test_of_two_errors_the_network_s_comes_first_as_without_overlap() -> None:
    said = []
    for overlap in (True, False):
        loop = build("2 ms", fail_at=8)  # the look for values that are not finite is after tick 7
        loop.overlap = overlap
        loop.schedule.at(7, lambda loop=loop: loop.backend.view("A", "v").__setitem__(1, np.nan))
        with pytest.raises(SimulationError) as caught:
            loop.run(30)
        said.append((str(caught.value), loop.tick))
    assert said[0] == said[1]
    assert "v of neuron 1 of population 'A' is not finite" in said[0][0]


def test_the_thread_ends_when_the_user_interrupts() -> None:
    loop = build("1 ms")

    def stop(tick: int) -> None:
        if tick == 10:
            raise KeyboardInterrupt

    loop.on_progress = stop
    with pytest.raises(KeyboardInterrupt):
        loop.run(30)
    assert "cosim-body" not in {thread.name for thread in threading.enumerate()}


def test_the_thread_passes_errors_on_once() -> None:
    def step(tick: int) -> None:
        if tick == 1:
            raise SimulationError("as told")

    thread = BodyThread(step)
    waits: list[Callable[[], None]] = [thread.wait] * 3
    thread.start(0)
    waits[0]()
    thread.start(1)
    with pytest.raises(SimulationError, match="as told"):
        waits[1]()
    thread.start(2)
    waits[2]()
    thread.start(1)
    thread.stop()  # under way: waited for, its error dropped
    assert not thread.busy


@pytest.mark.skipif(not has_compiler(), reason="the compiled network needs a C++ compiler")
@pytest.mark.parametrize(("name", "changes"), [
    ("stretch_reflex", {"perturb.tap.at": "60 ms", "ablate": [{"silence": "MN", "fraction": 0.5, "at": "150 ms"}]}),
    ("salamander_swim", {"wires.motor.delay": "3 ms", "wires.stretch.delay": "2 ms"}),
])  # fmt: skip
def test_not_a_bit_differs_with_the_engines(name: str, changes: dict[str, Any], tmp_path: Path) -> None:
    found = []
    for overlap in (True, False):
        experiment = cosim.load(name, {**changes, "duration": "300 ms", "transient": "0 s", "measure": {}})
        with experiment.open(out=tmp_path / str(overlap), backend="compiled", overlap=overlap) as simulation:
            assert simulation.lockstep.overlaps is overlap
            simulation.run()
        result = Result(tmp_path / str(overlap))
        found.append(result.manifest["hashes"])
        assert result.spikes()[1].size > 50
    assert found[0] == found[1]
