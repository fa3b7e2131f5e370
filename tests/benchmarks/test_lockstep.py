"""The benchmark compares like with like: both ways of stepping give the same spikes; and it says what it measured."""

from typing import Any

import numpy as np
import pytest

from cosim.bench import lockstep
from cosim.bench.looped import LoopedBackend, counts
from cosim.errors import UserError
from tests.graph.helpers import network
from tests.neural.helpers import play, same_state, start
from tests.neural.test_lesions_running import noisy, volleys


def looped(steps_per_tick: int) -> LoopedBackend:
    return LoopedBackend(network(**noisy()), steps_per_tick, target="numpy")


@pytest.mark.parametrize("steps_per_tick", [1, 7])
def test_a_loop_of_net_run_gives_the_same_bits(steps_per_tick: int) -> None:
    # and may begin and end in mid-run: fails if the network's own time is not the clock's
    ticks = 210 // steps_per_tick
    begin, end = ticks // 2, ticks // 2 + 10
    _, reference = start(steps_per_tick=steps_per_tick, **noisy())
    backend = looped(steps_per_tick)
    fire, fire_too = volleys(reference, 0, ticks), volleys(backend, 0, ticks)

    def switch(tick: int) -> None:
        fire_too(tick)
        if tick in (begin, end):
            backend.loop(tick == begin)

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


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return lockstep.run("stretch_reflex", seconds=0.1, repeats=1, backend="numpy", looped_ticks=10)


def test_the_parts_add_up_to_the_whole(result: dict[str, Any]) -> None:
    for row in ("recorded", "unrecorded", "runtime", "looped"):
        cost = result["wall_seconds_per_second"][row]
        parts = sum(cost[part] for part in lockstep.PARTS)
        assert cost["wall_min"] <= cost["wall"] <= cost["wall_max"]
        assert 0.8 * cost["wall"] < parts <= cost["wall"] * (1 + 1e-9)
    recorded, unrecorded = (result["wall_seconds_per_second"][row]["record"] for row in ("recorded", "unrecorded"))
    assert unrecorded < 0.1 * recorded  # a look at the clock


def test_net_run_in_a_loop_is_far_slower(result: dict[str, Any]) -> None:
    # it collects garbage and prepares every object once a tick; a few neurons in numpy code take a fraction of that
    assert result["ratios"]["net.run in a loop / cosim on the same objects"] > 5


def test_the_table_says_machine_versions_and_sizes_first_and_then_ratios(result: dict[str, Any]) -> None:
    lines = lockstep.table(result).splitlines()
    assert lines[0] == "stretch_reflex, backend runtime (numpy)"
    assert lines[1].startswith(result["machine"]["processor"])
    assert "brian2 2.9" in lines[2] and "pybullet" in lines[2]
    assert f"{result['sizes']['synapses']} synapses" in lines[3]
    assert lines[5].startswith("net.run in a loop / cosim ")
    assert sum(line.startswith(tuple(lockstep.ROWS.values())) for line in lines) >= len(lockstep.ROWS)


def test_without_a_network_there_is_nothing_to_measure() -> None:
    with pytest.raises(UserError, match="no network"):
        lockstep.run("salamander_replay")
