"""Connectivity rules: exact numbers, exact probabilities, independence of how the targets are split."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.errors import UserError
from cosim.graph.connect import kernel_factor
from cosim.graph.ir import Edges, NetworkIR
from cosim.graph.lesion import Lesions
from cosim.spec.circuit import ConnectSpec
from cosim.spec.common import Located
from tests.graph.helpers import network

AXIS = {"length": "0.1 m", "segments": 40}


def pair(connect: Any, *, side: str = "any", n: int = 200, seed: int = 1, **more: Any) -> NetworkIR:
    sides = {"sides": ["left", "right"]} if side != "any" else {}
    populations = {"A": {"model": "point", "n": n, **sides}, "B": {"model": "point", "n": n, **sides}}
    projection = {"from": "A", "to": "B", "side": side, "connect": connect, "on_spike": "v += 1", **more}
    return network(axis=AXIS, populations=populations, projections={"P": projection}, seed=seed)


def edges(net: NetworkIR, name: str = "P") -> Edges:
    projection = net.projections[name]
    return projection.edges(0, net.populations[projection.target].n)


RULES: list[Any] = [
    "all_to_all",
    "one_to_one",
    {"probability": 0.05},
    {"probability": 0.6},
    {"probability": "0.2 + 0.5*y_pre/(0.1 m)"},
    {"indegree": 7},
    {"degrees": {"edges": 3001, "in": {"exponential": 1}, "out": {"lognormal": [1, 2]}, "count": {"exponential": 3}}},
    {"probability": 0.5, "kernel": {"gaussian": {"rostral": "2 mm", "caudal": "5 mm"}}},
    {"probability": 0.1, "kernel": {"gaussian": {"rostral": "2 mm", "caudal": "5 mm"}}},
    {"probability": 0.5, "kernel": {"exponential": {"rostral": "2 mm", "caudal": "5 mm"}}, "where": "y_pre < 50 mm"},
]


@pytest.mark.parametrize("connect", RULES, ids=str)
def test_rows_do_not_depend_on_how_targets_are_split(connect: Any) -> None:
    # made to fail by drawing from one generator in order of construction
    net = pair(connect)
    whole = edges(net)
    parts = [net.projections["P"].edges(lo, hi) for lo, hi in ((0, 1), (1, 77), (77, 78), (78, 200))]
    assert np.array_equal(np.concatenate([p.pre for p in parts]), whole.pre)
    assert np.array_equal(np.concatenate([p.post for p in parts]), whole.post)
    order = whole.post.astype(np.int64) * 200 + whole.pre
    assert (np.diff(order) > 0).all()  # sorted by (target, source), no edge twice


def test_all_to_all_and_one_to_one_and_autapses() -> None:
    assert len(edges(pair("all_to_all"))) == 200 * 200
    one = edges(pair("one_to_one"))
    assert np.array_equal(one.pre, one.post) and len(one) == 200
    recurrent = {"from": "A", "to": "A", "on_spike": "v += 1"}
    for autapses, expected in ((False, 50 * 49), (True, 50 * 50)):
        net = network(
            populations={"A": {"model": "point", "n": 50}},
            projections={"P": {**recurrent, "connect": {"all_to_all": True, "autapses": autapses}}},
        )
        assert len(edges(net)) == expected


@pytest.mark.parametrize("p", [0.003, 0.05, 0.19, 0.21, 0.7])
def test_probability_gives_binomial_numbers(p: float) -> None:
    n = 600
    count = np.bincount(edges(pair({"probability": p}, n=n)).post, minlength=n)
    sd = math.sqrt(n * p * (1 - p))
    assert abs(count.mean() - n * p) < 4 * sd / math.sqrt(n)
    assert 0.85 < count.var() / sd**2 < 1.15


def test_indegree_draws_distinct_sources_evenly() -> None:
    found = edges(pair({"indegree": 150}, n=200))
    assert (np.bincount(found.post) == 150).all()
    outdegree = np.bincount(found.pre, minlength=200)
    assert abs(outdegree - 150).max() < 5 * math.sqrt(200 * 0.75 * 0.25)


def test_degrees_follow_what_neurons_attract_and_send() -> None:
    # ramps: known degrees; few edges, so that hardly any source is drawn twice for a target
    found = edges(pair({"degrees": {"edges": 40_000, "in": "1 + i/1000", "out": "3 - i/1000"}}, n=2000))
    assert len(found) == 40_000
    share = np.cumsum(1 + np.arange(2000) / 1000)
    assert np.array_equal(np.cumsum(np.bincount(found.post, minlength=2000)), np.rint(share * 40_000 / share[-1]))
    halves = np.bincount(found.pre // 1000)
    expected = np.array([2.5, 1.5]) * 10_000
    assert (np.abs(halves - expected) < 4 * np.sqrt(expected)).all()


def test_degrees_without_in_and_out_are_equal_or_binomial() -> None:
    found = edges(pair({"degrees": {"edges": 200 * 20}}))
    assert (np.bincount(found.post, minlength=200) == 20).all()
    assert np.bincount(found.pre, minlength=200).var() == pytest.approx(20 * 0.9, rel=0.4)


def test_degrees_join_a_neuron_to_itself_only_if_asked() -> None:
    connect: dict[str, Any] = {"degrees": {"edges": 20 * 19}}
    projection = {"from": "A", "to": "A", "on_spike": "v += 1", "connect": connect}
    populations = {"A": {"model": "point", "n": 20}}
    others = edges(network(populations=populations, projections={"P": projection}))
    assert len(others) == 20 * 19 and not (others.pre == others.post).any()
    connect |= {"degrees": {"edges": 20 * 20}, "autapses": True}
    everybody = edges(network(populations=populations, projections={"P": projection}))
    assert (everybody.pre.reshape(20, 20) == range(20)).all()


def test_an_edge_has_a_whole_number_of_synapses_for_its_parameters() -> None:
    connect = {"degrees": {"edges": 30_000, "count": {"lognormal": [3, 8], "clip": [0, 50]}}}
    found = edges(pair(connect, n=300, parameters={"w": "0.5*count*where(i_pre < 100, -1, 1)"}))
    count = found.parameters["w"] * np.where(found.pre < 100, -2, 2)
    assert (count == np.floor(count)).all() and count.min() == 1 and count.max() == 50
    sigma = math.sqrt(math.log(1 + 64 / 9))
    median = 3 * math.exp(-(sigma**2) / 2)
    above = 0.5 * math.erfc(math.log(4 / median) / sigma / math.sqrt(2))  # of a lognormal, so that ceil gives 5 or more
    assert (count >= 5).mean() == pytest.approx(above, abs=4 * math.sqrt(above / 30_000))


def test_degrees_keep_sides_apart() -> None:
    found = edges(pair({"degrees": {"edges": 2000, "in": {"uniform": [0, 1]}}}, side="opposite", n=100))
    assert len(found) == 2000 and ((found.pre < 100) != (found.post < 100)).all()
    assert (np.diff(found.post.astype(np.int64) * 200 + found.pre) > 0).all()


def test_sides_are_kept_apart() -> None:
    for side, same in (("same", True), ("opposite", False)):
        net = pair({"probability": 0.3}, side=side)
        found, a, b = edges(net), net.populations["A"], net.populations["B"]
        assert ((a.side[found.pre] == b.side[found.post]) == same).all()


@pytest.mark.parametrize("most", [0.8, 0.15])
def test_gaussian_kernel_follows_its_formula_in_both_directions(most: float) -> None:
    """Where all pairs are looked at, and where few are joined and most are skipped."""
    counted: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(8):
        net = pair(
            {"probability": most, "kernel": {"gaussian": {"rostral": "4 mm", "caudal": "8 mm"}}}, n=400, seed=seed
        )
        found, y = edges(net), net.populations["A"].y
        d = y[found.pre] - y[found.post]
        for rostral in (True, False):
            near = (d >= 0.0059) & (d < 0.0061) if rostral else (d > -0.0061) & (d <= -0.0059)
            counted[rostral].append(near.sum())
    for rostral, s in ((True, 4.0), (False, 8.0)):
        p = most * math.exp(-(6.0**2) / (2 * s * s))
        pairs = 400 - 24  # neurons 0.25 mm apart: one source 24 places away per target
        expected = p * pairs
        assert abs(np.mean(counted[rostral]) - expected) < 4 * math.sqrt(expected * (1 - p) / 8)


def test_kernel_ends_at_its_truncation() -> None:
    net = pair({"probability": 1, "kernel": {"gaussian": {"rostral": "20 mm", "caudal": "20 mm"}, "truncate": 0.5}})
    y, found = net.populations["A"].y, edges(net)
    assert np.abs(y[found.pre] - y[found.post]).max() <= 0.01
    assert len(found) > 0


def test_trapezoid_ramps_depend_on_the_target_only() -> None:
    populations = {
        "RS": {"model": "point", "pools": {"front": ["0 mm", "50 mm"], "back": ["50 mm", "100 mm"]}, "per_pool": 400},
        "EX": {"model": "point", "n": 400},
    }
    kernel = {"trapezoid": {"up": {"front": "0 mm", "back": "10 mm"}, "down": {"front": "20 mm", "back": "0 mm"}}}
    projection = {"from": "RS", "to": "EX", "connect": {"probability": 0.8, "kernel": kernel}, "on_spike": "v += 1"}
    net = network(axis=AXIS, populations=populations, projections={"P": projection})
    spec = ConnectSpec.model_validate({"probability": 0.8, "kernel": kernel}).kernel
    assert spec is not None
    rs, ex = net.populations["RS"], net.populations["EX"]
    for pool, checks in (
        (0, {0.0: 1, 0.02: 1, 0.04: 1, 0.05: 0.5, 0.055: 0.25, 0.06: 0, 0.07: 0}),
        (1, {0.03: 0, 0.045: 0, 0.05: 0.5, 0.0525: 0.75, 0.055: 1, 0.0975: 1}),
    ):
        source = np.flatnonzero(rs.pool == pool)[:1]
        for y, factor in checks.items():
            target = np.array([round(y / 0.1 * 400)])
            assert ex.y[target] == pytest.approx(y)
            assert kernel_factor(spec, rs, ex, source, target)[0] == pytest.approx(factor, abs=1e-12)
    found = edges(net)
    full = found.post[(rs.pool[found.pre] == 0) & (ex.y[found.post] < 0.04)]
    assert abs(np.bincount(full).mean() - 320) < 4 * math.sqrt(400 * 0.8 * 0.2 / 160)


def test_gain_multiplies_weights_only() -> None:
    net = pair(
        {"indegree": 3},
        parameters={"w": "2 nS", "w_slow": 3, "tau": "5 ms"},
        gain=2,
        on_spike="v += w/nS*w_slow*tau/ms",
    )
    values = edges(net).parameters
    assert set(values["w"]) == {4e-9} and set(values["w_slow"]) == {6.0} and set(values["tau"]) == {5e-3}


def test_delays_are_drawn_and_rounded_to_steps() -> None:
    net = pair({"indegree": 20}, delay={"uniform": ["1 ms", "2 ms"]})
    delay = edges(net).delay
    assert delay.min() >= 10 and delay.max() <= 20 and len(set(delay.tolist())) == 11
    assert set(edges(pair({"indegree": 20}, delay="1.5 ms")).delay) == {15}


def test_adding_a_projection_or_population_leaves_the_others_draws_alone() -> None:
    base = {"A": {"model": "point", "n": 50, "initial": {"v": {"uniform": [0, 1]}}}}
    projection = {"from": "A", "to": "A", "connect": {"probability": 0.1}, "on_spike": "v += 1"}
    small = network(populations=base, projections={"P": projection})
    large = network(
        populations={"new": {"model": "point", "n": 9}, **base}, projections={"Q": projection, "P": projection}
    )
    assert np.array_equal(small.populations["A"].initial["v"], large.populations["A"].initial["v"])
    assert np.array_equal(edges(small).pre, edges(large).pre)


def test_transection_takes_the_crossing_edges_and_no_others() -> None:
    document: dict[str, Any] = {
        "axis": AXIS,
        "populations": {"A": {"model": "point", "n": 200}},
        "projections": {"P": {"from": "A", "to": "A", "connect": {"probability": 0.1}, "on_spike": "v += 1"}},
    }
    whole, cut = edges(network(**document)), edges(network(lesions=Lesions(transect=(0.03,)), **document))
    y = network(**document).populations["A"].y
    kept = (y[whole.pre] < 0.03) == (y[whole.post] < 0.03)
    assert np.array_equal(cut.pre, whole.pre[kept]) and np.array_equal(cut.post, whole.post[kept])
    assert 0 < len(cut) < len(whole)


def test_table_gives_edges_parameters_and_delays(tmp_path: Path) -> None:
    (tmp_path / "edges.csv").write_text("pre,post,w [nS],delay [ms]\n1,0,2,1\n0,0,1,0.5\n2,1,3,2\n")
    net = network(
        folder=tmp_path,
        populations={"A": {"model": "point", "n": 3}},
        projections={
            "P": {"from": "A", "to": "A", "connect": {"table": "edges.csv"}, "on_spike": "v += w/nS", "gain": 2}
        },
    )
    found = edges(net)
    assert found.pre.tolist() == [0, 1, 2] and found.post.tolist() == [0, 0, 1]
    assert found.parameters["w"] == pytest.approx([2e-9, 4e-9, 6e-9], rel=1e-15) and found.delay.tolist() == [5, 10, 20]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pre,post\n0,9\n", "edges.csv:2:2: post 9 is no neuron, expected 0 to 2"),
        ("pre,w\n0,1\n", "edges.csv:1:1: no column 'post'"),
        ("pre,post\n0,x\n", "edges.csv:2:2: 'x' is not a number"),
        ("pre,post\n0,1,2\n", "edges.csv:2:1: expected 2 values, got 3"),
        ("pre,post,w [furlong]\n0,1,2\n", "edges.csv:1:3:"),
        ("", "edges.csv:1:1: the file is empty"),
    ],
)
def test_bad_tables_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "edges.csv").write_text(text)
    with pytest.raises(UserError) as error:
        network(
            folder=tmp_path,
            populations={"A": {"model": "point", "n": 3}},
            projections={"P": {"from": "A", "to": "A", "connect": {"table": "edges.csv"}, "on_spike": "v += 1"}},
        )
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("connect", "message"),
    [
        ({"indegree": 500}, "indegree 500 is more than the 200 sources there are"),
        ({"probability": "y_pre/(1 m) - 1"}, "negative probability"),
        ({"degrees": {"edges": 30_000, "in": "1 + i"}}, "neuron 199 would have 299 sources of the 200 there are"),
        ({"degrees": {"edges": 200, "out": "i - 1"}}, "'out' must not be negative"),
        ({"degrees": {"edges": 200, "in": 0}}, "'in' must not be negative, and not zero"),
    ],
)
def test_impossible_numbers_are_refused_with_the_place(connect: Any, message: str) -> None:
    with pytest.raises(Located) as error:
        edges(pair(connect))
    assert error.value.problems[0][0] == ("projections", "P") and message in error.value.problems[0][1]
