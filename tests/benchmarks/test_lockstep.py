"""The benchmark compares like with like: both ways of stepping give the same spikes; and it says what it measured."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.bench import lockstep, models
from cosim.bench.looped import LoopedBackend, counts
from cosim.bench.page import wanted
from cosim.bench.sides import Peer
from cosim.cli import main
from cosim.errors import UserError
from cosim.neural.choose import choose
from cosim.neural.toolchain import has_compiler
from tests.graph.helpers import network
from tests.neural.helpers import play, same_state, start
from tests.neural.test_lesions_running import noisy, volleys

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")


def looped(steps_per_tick: int) -> LoopedBackend:
    return LoopedBackend(network(**noisy()), steps_per_tick, target="numpy")


@pytest.mark.parametrize("steps_per_tick", [1, 7])
def test_a_loop_of_net_run_gives_the_same_bits(steps_per_tick: int) -> None:
    # and may begin and end in mid-run: fails if the network's own time is not the clock's
    ticks = 210 // steps_per_tick
    switches = ticks // 3, ticks // 3 + 10, ticks // 2, ticks // 2 + 10
    _, reference = start(steps_per_tick=steps_per_tick, **noisy())
    backend = looped(steps_per_tick)
    fire, fire_too = volleys(reference, 0, ticks), volleys(backend, 0, ticks)

    def switch(tick: int) -> None:
        fire_too(tick)
        if tick in switches:
            backend.loop(not backend.looped)

    expected, found = play(reference, ticks, fire), play(backend, ticks, switch)
    assert len(expected) > 100 and np.array_equal(expected, found)
    assert same_state(reference, backend)


def test_one_long_run_gives_the_same_bits() -> None:
    _, reference = start(**noisy())
    backend = looped(1)
    play(reference, 150)
    play(backend, 50)
    backend.uninterrupted(100)
    assert same_state(reference, backend)


def test_counts_are_those_of_the_network() -> None:
    net = network(**noisy())
    edges = sum(len(p.edges(0, 40)) for p in net.projections.values())
    assert counts(net) == {"neurons": 120, "synapses": edges}


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[models.Loop]:
    loop = models.Loop(models.load("stretch_reflex"), choose("compiled"), tmp_path / "loop")
    yield loop
    loop.close()


@needs_compiler
def test_the_parts_add_up_to_the_whole(loop: models.Loop) -> None:
    for overlap in (False, True):
        cost = loop.block(300, overlap=overlap)
        parts = {part: cost[part] for part in models.PARTS}
        assert min(parts.values()) > 0
        assert max(parts.values()) < cost["wall"]
    # one after the other they fill the tick, or one is not counted
    cost = loop.block(300)
    assert 0.8 * cost["wall"] < sum(cost[part] for part in models.PARTS) <= cost["wall"] * (1 + 1e-9)


@needs_compiler
def test_brian2_s_executable_does_the_same_work(loop: models.Loop, tmp_path: Path) -> None:
    # other noise, and nothing in flight: the same numbers only roughly; fails where state or inputs are lost
    (tmp_path / "peer").mkdir()
    np.savez(tmp_path / "peer/state.npz", **loop.backend.snapshot())
    peer = Peer("model_peer", tmp_path / "peer", "stretch_reflex", "100", "2000")
    try:
        found = peer.side("alone")(2000)
    finally:
        peer.close()
    expected = models._alone(loop, 2000)
    assert expected.spikes > 1000
    assert found.spikes == pytest.approx(expected.spikes, rel=0.15)
    assert 0 < found.seconds < 60


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return lockstep.run(["1k", "stretch_reflex"], 1, quick=True)


@needs_compiler
def test_the_page_says_machine_versions_and_sizes_first_and_then_ratios(result: dict[str, Any]) -> None:
    text = lockstep.table(result)
    order = [
        "`cosim bench lockstep 1k stretch_reflex --repeats 1 --quick`", result["machine"]["processor"], "pybullet 3.",
        "| synapses ", "## Ratios", "(bridge + record) / (network + body)", "## Microseconds per tick", "| bridge ",
        "## Wanted and found",
    ]  # fmt: skip
    at = [text.index(part) for part in order]
    assert at == sorted(at)
    assert "| neurons " in text and "`stretch_reflex`" in text


@needs_compiler
def test_ratios_are_those_of_the_rows(result: dict[str, Any]) -> None:
    one = result["measured"]["1k"]
    micro = {row: spread["median"] for row, spread in one["microseconds_per_tick"].items()}
    assert micro["network"] == micro["alone"] > 0
    low, high = (one["ratios"]["lockstep / uninterrupted"][key] for key in ("min", "max"))
    assert low <= micro["lockstep"] / micro["alone"] <= high
    two = result["measured"]["stretch_reflex"]
    assert two["ratios"]["biological time / wall time"]["median"] == pytest.approx(
        1e3 / two["microseconds_per_tick"]["lockstep"]["median"], rel=1e-9
    )
    assert {w["name"] for w in result["wanted"]} == {"1k", "stretch_reflex"}


def test_body_and_network_move_at_once_only_with_a_motor_delay() -> None:
    swim, reflex = models.load("salamander_swim"), models.load("stretch_reflex")
    assert swim.spec.wires["motor"].delay == [0.0]
    assert models._delayed("salamander_swim", swim).spec.wires["motor"].delay == [pytest.approx(2e-3)]
    assert models._delayed("stretch_reflex", reflex) is reflex


def test_targets_are_reached_on_their_side_of_the_bound() -> None:
    def found(lockstep: float, loop: float) -> list[bool]:
        ratios = {"lockstep / uninterrupted": {"median": lockstep}, "net.run in a loop / cosim": {"median": loop}}
        return [one["reached"] for one in wanted({"1k": {"ratios": ratios}})]

    assert found(1.2, 1500.0) == [True, True]
    assert found(1.21, 1499.0) == [False, False]


@needs_compiler
def test_what_cannot_be_measured_is_refused_before_anything_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="no experiment '1m'"):
        lockstep.run(["1k", "1m"])
    with pytest.raises(UserError, match="'salamander_replay' has no network to measure"):
        lockstep.run(["1k", "salamander_replay"])
    assert main(["bench", "lockstep", "1k", "--repeats", "0"]) == 2
    assert "--repeats" in "".join(capsys.readouterr())
