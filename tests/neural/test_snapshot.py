"""A network restored from a snapshot goes on, to the bit, like the one that was not interrupted."""

from typing import Any

import numpy as np
import pytest

from cosim.errors import UserError
from tests.neural.helpers import play, same_state, start

NOISY = {
    "equations": "dv/dt = (I - v)/tau + sigma*sqrt(2/tau)*xi + g/tau : 1 (unless refractory)\n"
    "dg/dt = -g/(5*ms) : 1\nI : 1",
    "threshold": "v > 1", "reset": "v = 0", "refractory": "2 ms", "method": "euler",
    "parameters": {"tau": "10 ms", "sigma": 0.4, "I": 0.9},
}  # fmt: skip
STDP = {
    "equations": "dapre/dt = -apre/(20*ms) : 1 (event-driven)\ndapost/dt = -apost/(20*ms) : 1 (event-driven)\nw : 1",
    "on_spike": "g += w\napre += 0.01\nw = clip(w + apost, 0, 1)",
    "on_post": "apost -= 0.012\nw = clip(w + apre, 0, 1)",
    "initial": {"w": 0.12},
}
TICKS = 60


def document(seed: int = 1) -> dict[str, Any]:
    """Two noisy populations: plastic synapses with delays from 0 to 3 ms one way, one delay for all the other way."""
    random = {"connect": {"probability": 0.3}, "delay": {"uniform": ["0 ms", "3 ms"]}}
    back = {"connect": {"probability": 0.3}, "delay": "1.5 ms", "on_spike": "g += w", "parameters": {"w": 0.1}}
    return {
        "models": {"noisy": NOISY},
        "populations": {"A": {"model": "noisy", "n": 40}, "B": {"model": "noisy", "n": 40}},
        "projections": {"A_B": {"from": "A", "to": "B", **random, **STDP}, "B_A": {"from": "B", "to": "A", **back}},
        "seed": seed,
    }


def test_a_restored_network_goes_on_like_the_one_that_was_not_stopped(target: str) -> None:
    # fails without the events in flight, without lastspike, lastupdate, apre, or with the spikes of the last tick lost
    _, whole = start(target=target, steps_per_tick=10, **document())
    play(whole, TICKS)
    saved, spikes = whole.snapshot(), [part.copy() for part in whole.spikes()]
    assert len(saved["flight/id"]) > 3  # or the test would not see them lost
    expected = play(whole, TICKS)
    _, other = start(target=target, steps_per_tick=10, **document())
    other.restore(saved)
    assert all(np.array_equal(a, b) for a, b in zip(other.spikes(), spikes, strict=True))
    assert np.array_equal(play(other, TICKS), expected)
    assert same_state(whole, other)
    after, again = whole.snapshot(), other.snapshot()
    assert after.keys() == again.keys()
    assert all(after[key].tobytes() == again[key].tobytes() for key in after)


def test_spikes_in_flight_are_the_spikes_of_as_many_steps_as_the_longest_delay(target: str) -> None:
    net, backend = start(target=target, steps_per_tick=7, **document())
    assert len(backend.snapshot()["flight/id"]) == 0
    longest = int(net.projections["A_B"].edges(0, 40).delay.max())
    assert longest == 30
    spikes = play(backend, TICKS)
    saved = backend.snapshot()
    recent = spikes[spikes[:, 0] >= 7 * TICKS - longest]
    assert np.array_equal(np.stack([saved["flight/step"], saved["flight/id"]], axis=1), recent)
    assert len(recent) > np.sum(spikes[:, 0] >= 7 * (TICKS - 1)) > 0  # more than the last tick


def test_without_delays_nothing_is_in_flight(target: str) -> None:
    plain = document()
    for projection in plain["projections"].values():
        projection["delay"] = "0 ms"
    _, backend = start(target=target, steps_per_tick=10, **plain)
    assert len(play(backend, TICKS)) > 0
    assert len(backend.snapshot()["flight/id"]) == 0


def test_a_snapshot_is_a_copy_and_views_outlive_a_restore(target: str) -> None:
    _, backend = start(target=target, **document())
    v = backend.view("A", "v")
    saved = backend.snapshot()
    before = v.copy()
    play(backend, 20)
    assert not np.array_equal(v, before)
    backend.restore(saved)
    assert np.array_equal(v, before)


def test_a_snapshot_of_another_network_is_refused(target: str) -> None:
    _, backend = start(target=target, **document())
    saved = backend.snapshot()
    with pytest.raises(UserError, match="no 'n_noisy/v'"):
        backend.restore({k: v for k, v in saved.items() if k != "n_noisy/v"})
    with pytest.raises(UserError, match="which this network does not"):
        backend.restore({**saved, "n_noisy/u": saved["n_noisy/v"]})
    with pytest.raises(UserError, match="needs"):
        backend.restore({**saved, "n_noisy/v": saved["n_noisy/v"][:-1]})


WRONG = {
    "too old": ([569, 570], [1, 1]),
    "of a step to come": ([599, 600], [1, 1]),
    "not in order": ([599, 599], [2, 1]),
    "twice": ([599, 599], [1, 1]),
    "of no neuron": ([599], [80]),
}


@pytest.mark.parametrize(("step", "neuron"), WRONG.values(), ids=list(WRONG))
def test_spikes_that_the_network_cannot_have_in_flight_are_refused(step: list[int], neuron: list[int]) -> None:
    _, backend = start(steps_per_tick=10, **document())
    play(backend, TICKS)
    saved = backend.snapshot()
    assert saved["clock/step"][0] == 600
    right = {"flight/step": np.array([570, 599]), "flight/id": np.array([79, 0], dtype=np.int32)}
    backend.restore({**saved, **right})
    wrong = {"flight/step": np.array(step), "flight/id": np.array(neuron, dtype=np.int32)}
    with pytest.raises(UserError, match="spikes in flight do not fit"):
        backend.restore({**saved, **wrong})
