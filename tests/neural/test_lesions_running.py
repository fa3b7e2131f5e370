"""Lesions at a time: from that tick on the network is, to the bit, the one that never had what was cut."""

from typing import Any

import numpy as np
import pytest

from cosim.graph.lesion import Lesions
from cosim.graph.source import pairs
from cosim.neural.common import ArrayBackend
from tests.neural.helpers import COUNTER, both, fire_at, play, same_state, start, trace

#: a noisy recurrent network; weights with rounding errors on purpose
NOISY = {
    "equations": "dv/dt = (I + g - v)/tau + sigma*sqrt(2/tau)*xi : 1 (unless refractory)\ndg/dt = -g/(5*ms) : 1\nI : 1",
    "threshold": "v > 1", "reset": "v = 0", "refractory": "2 ms", "method": "euler",
    "parameters": {"tau": "10 ms", "sigma": 0.4, "I": 0.9},
}  # fmt: skip
CUT = 200


def noisy(**more: Any) -> dict[str, Any]:
    """Sources S drive A and B, which drive each other; everybody lies along an axis of 10 mm."""
    random = {
        "on_spike": "g += w*int(not_refractory)",
        "parameters": {"w": {"normal": [0.11, 0.03]}},
        "connect": {"probability": 0.3},
        "delay": {"uniform": ["0.1 ms", "3 ms"]},
    }
    populations = {name: {"model": "noisy", "n": 40} for name in "AB"}
    populations["S"] = {"model": "spike_source", "n": 40}
    ends = {"A_B": "AB", "B_A": "BA", "S_A": "SA", "S_B": "SB"}
    projections = {name: {"from": a, "to": b, **random} for name, (a, b) in ends.items()}
    return {
        "axis": {"length": "10 mm"},
        "models": {"noisy": NOISY},
        "populations": populations,
        "projections": projections,
        **more,
    }


def volleys(backend: ArrayBackend, begin: int, end: int) -> Any:
    """Random source spikes in steps [begin, end)."""
    draws = np.random.default_rng(3).integers(0, 40, 2000)
    return fire_at(backend, "S", {k: [int(draws[k]), int(draws[-k - 1])] for k in range(begin, end)})


@pytest.mark.compiled
def test_a_projection_cut_in_mid_run_equals_one_never_had(target: str) -> None:
    # its sources are silent until the cut, so both networks have the same past; they fire all the time after it
    document = noisy()
    _, cut = start(target=target, lesions=Lesions(cut_later=frozenset({"S_A"})), **document)
    _, without = start(target=target, lesions=Lesions(cut=frozenset({"S_A"})), **document)
    _, intact = start(target=target, lesions=Lesions(cut_later=frozenset({"S_A"})), **document)
    spikes = []
    for backend in (cut, without, intact):
        fire = volleys(backend, CUT, 500)

        def every(tick: int, backend: ArrayBackend = backend, fire: Any = fire) -> None:
            if tick == CUT and backend is cut:
                backend.cut("S_A")
            fire(tick)

        spikes.append(play(backend, 500, every))
    assert np.array_equal(spikes[0], spikes[1]) and same_state(cut, without)
    assert not np.array_equal(spikes[0], spikes[2])  # the projection mattered


def test_spikes_on_their_way_when_the_cut_comes_do_not_arrive() -> None:
    rule = {"from": "A", "to": "T", "on_spike": "g += 1", "connect": "one_to_one", "delay": "1 ms"}
    _, backend = start(
        models={"counter": COUNTER}, lesions=Lesions(cut_later=frozenset({"P"})), projections={"P": rule},
        populations={"A": {"model": "spike_source", "n": 1}, "T": {"model": "counter", "n": 1}},
    )  # fmt: skip
    fire = fire_at(backend, "A", {k: [0] for k in range(5)})

    def every(tick: int) -> None:
        fire(tick)
        if tick == 12:
            backend.cut("P")

    # sent in steps 0 to 4, due in steps 10 to 14, cut before step 12
    assert trace(backend, "T", "g", 30, every)[-1, 0] == 2


def test_a_transection_in_mid_run_equals_one_from_the_start(target: str) -> None:
    # until the cut everybody is silent (the drive comes with it), after it everybody fires
    position = 5e-3
    document = noisy()
    _, late = start(target=target, lesions=Lesions(transect_later=True), **document)
    _, early = start(target=target, lesions=Lesions(transect=(position,)), **document)
    _, never = start(target=target, lesions=Lesions(transect_later=True), **document)
    spikes = []
    for backend in (late, early, never):
        fire = volleys(backend, CUT, 500)
        for name in "AB":
            backend.view(name, "I")[:] = -20.0

        def every(tick: int, backend: ArrayBackend = backend, fire: Any = fire) -> None:
            if tick == CUT:
                for name in "AB":
                    backend.view(name, "I")[:] = 0.9
                if backend is late:
                    backend.transect(position)
            fire(tick)

        spikes.append(play(backend, 500, every))
    assert (spikes[0][:, 0] >= CUT).all()
    assert np.array_equal(spikes[0], spikes[1]) and same_state(late, early)
    assert not np.array_equal(spikes[0], spikes[2])


def test_a_transection_cuts_gap_junctions_too() -> None:
    cell = {"equations": "dv/dt = I_gap/(10*ms) : 1\nI_gap : 1", "method": "euler", "initial": {"v": "i"}}
    gap = {"from": "A", "to": "A", "connect": "all_to_all", "expression": "v_pre - v_post", "target": "I_gap"}
    document = {
        "axis": {"length": "4 mm"}, "models": {"cell": cell}, "populations": {"A": {"model": "cell", "n": 4}},
        "continuous": {"gap": gap},
    }  # fmt: skip
    _, early = start(lesions=Lesions(transect=(2e-3,)), **document)
    _, late = start(lesions=Lesions(transect_later=True), **document)
    late.transect(2e-3)
    for backend in (early, late):
        play(backend, 200)
    # neurons 0, 1 relax to 0.5 and 2, 3 to 2.5: nothing flows between the halves
    v = early.view("A", "v")
    assert v[:2].sum() == pytest.approx(1, rel=1e-12) and v[2:].sum() == pytest.approx(5, rel=1e-12)
    assert same_state(early, late)


def test_silenced_neurons_stop_at_once_and_the_others_go_on_alike(target: str) -> None:
    document = noisy()
    document["projections"] = {}
    _, intact = start(target=target, **document)
    _, lesioned = start(target=target, **document)
    ids = np.array([3, 17, 39])

    def every(tick: int) -> None:
        if tick == CUT:
            lesioned.silence("B", ids)

    whole, rest = play(intact, 500), play(lesioned, 500, every)
    gone = np.isin(whole[:, 1], 40 + ids) & (whole[:, 0] >= CUT)
    assert gone.sum() > 3
    assert np.array_equal(rest, whole[~gone])
    others = np.setdiff1d(np.arange(40), ids)
    assert lesioned.view("B", "v")[others].tobytes() == intact.view("B", "v")[others].tobytes()


def test_cutting_marked_edges_follows_the_projections_own_edge_list() -> None:
    # the object holds its edges by (source, target), among those of another projection; the list is by (target, source)
    rule = {"to": "T", "on_spike": "g += w", "connect": "all_to_all"}
    populations = {
        "A": {"model": "spike_source", "n": 3},
        "B": {"model": "spike_source", "n": 3},
        "T": {"model": "counter", "n": 3},
    }
    projections = {
        "P": {"from": "A", **rule, "parameters": {"w": "10^i_pre*2^(4*i_post)"}},
        "Q": {"from": "B", **rule, "parameters": {"w": "0.5 + 0*i_pre"}},
    }
    for chosen in range(9):
        net, backend = start(
            models={"counter": COUNTER},
            lesions=Lesions(transect_later=True),
            populations=populations,
            projections=projections,
        )
        edges = net.projections["P"].edges(0, 3)
        marked = np.arange(9) == chosen
        backend.cut("P", marked)
        a, b = (fire_at(backend, s, {0: [0, 1, 2]}) for s in "AB")
        play(backend, 1, both(a, b))
        expected = np.bincount(edges.post[~marked], edges.parameters["w"][~marked], 3) + 1.5
        assert backend.view("T", "g").tolist() == expected.tolist()


def between_the_same(**lesions: Any) -> tuple[Any, ArrayBackend]:
    """Two projections with one rule between the same two populations, and a third from elsewhere."""
    rule = {"to": "T", "on_spike": "g += w", "connect": {"probability": 0.5}, "delay": {"uniform": ["0.1 ms", "1 ms"]}}
    return start(
        models={"counter": COUNTER},
        lesions=Lesions(**lesions),
        populations={
            "B": {"model": "spike_source", "n": 8},
            "A": {"model": "spike_source", "n": 12},
            "T": {"model": "counter", "n": 15},
        },
        projections={
            "P": {"from": "A", **rule, "parameters": {"w": "10^(i_pre/4)"}},
            "Q": {"from": "B", **rule, "parameters": {"w": "0.5 + 0*i_pre"}},
            "R": {"from": "A", **rule, "parameters": {"w": "1e-4*2^i_pre"}},
        },
    )


@pytest.mark.parametrize("chosen", ["P", "R"])
def test_of_two_projections_between_the_same_populations_the_named_one_is_cut(chosen: str) -> None:
    # edges of both lie mixed in one object: by source and delay
    net, backend = between_the_same(cut_later=frozenset({chosen}))
    backend.cut(chosen)
    a, b = (fire_at(backend, s, {0: list(range(n))}) for s, n in (("A", 12), ("B", 8)))
    play(backend, 15, both(a, b))
    expected = np.zeros(15)
    for name in {"P", "Q", "R"} - {chosen}:
        edges = net.projections[name].edges(0, 15)
        expected += np.bincount(edges.post, edges.parameters["w"], 15)
    assert backend.view("T", "g") == pytest.approx(expected, rel=1e-12)


def test_a_lesion_in_mid_run_draws_only_what_it_cannot_tell_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def spy(*args: Any, name: str, **more: Any) -> Any:
        drawn.append(name)
        return pairs(*args, name=name, **more)

    monkeypatch.setattr("cosim.graph.source.pairs", spy)
    _, backend = between_the_same(transect_later=True)
    drawn.clear()
    backend.transect(1e-3)
    backend.cut("Q")
    assert drawn == []
    backend.cut("P")
    assert sorted(drawn) == ["P", "R"]
