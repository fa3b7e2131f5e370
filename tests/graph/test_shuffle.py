"""Degree-preserving shuffles: what they keep, what they destroy, and that they are the same for everybody."""

from __future__ import annotations

from typing import Any

import networkx
import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.graph import shuffle
from cosim.graph.ir import Edges, NetworkIR
from cosim.graph.random import stream
from cosim.graph.shuffle import permutation, shuffle_targets
from tests.graph.helpers import network

WORM = "celegans_cook2019"


SHUFFLE = {"shuffle": "degree_preserving"}


def worm(seed: int = 1, connect: dict[str, Any] | None = None) -> NetworkIR:
    """The worm's neurons with their chemical synapses (`chem`) and gap junctions (`gap`)."""
    populations = {"n": {"model": "point", "connectome": {"name": WORM, "select": {"kind": "neuron"}}}}
    ends = {"from": "n", "to": "n"}
    chem = {"connect": {"connectome": WORM, "where": {"kind": "chemical"}, **(connect or {})}, "on_spike": "v += w"}
    gap = {"connect": {"connectome": WORM, "where": {"kind": "gap"}, **(connect or {})}}
    return network(
        seed=seed,
        populations=populations,
        projections={"chem": {**ends, **chem, "parameters": {"w": "count", "s": "sign"}}},
        continuous={"gap": {**ends, **gap, "expression": "w*v_pre", "target": "v", "parameters": {"w": "count"}}},
    )


def edges(net: NetworkIR, name: str = "chem") -> Edges:
    projection = {**net.projections, **net.continuous}[name]
    return projection.edges(0, net.populations[projection.target].n)


def degrees(found: Edges, n: int = 302) -> tuple[list[int], list[int]]:
    return np.bincount(found.pre, minlength=n).tolist(), np.bincount(found.post, minlength=n).tolist()


def pairs(found: Edges) -> set[tuple[int, int]]:
    return set(zip(found.pre.tolist(), found.post.tolist(), strict=True))


def sent(found: Edges) -> dict[int, list[tuple[float, float]]]:
    """Counts and signs by source."""
    by_source: dict[int, list[tuple[float, float]]] = {}
    for pre, w, s in zip(found.pre.tolist(), found.parameters["w"], found.parameters["s"], strict=True):
        by_source.setdefault(pre, []).append((w, s))
    return {pre: sorted(rows) for pre, rows in by_source.items()}


def test_degrees_and_what_a_neuron_sends_are_kept() -> None:
    before, after = edges(worm()), edges(worm(connect=SHUFFLE))
    assert degrees(after) == degrees(before)
    assert sent(after) == sent(before)
    assert len(pairs(after)) == len(after)  # no edge twice
    assert not (after.pre == after.post).any()
    order = after.post.astype(np.int64) * 302 + after.pre
    assert (np.diff(order) > 0).all()
    assert len(pairs(after) & pairs(before)) < 0.15 * len(before)


def test_gap_junctions_stay_symmetric() -> None:
    before, after = edges(worm(), "gap"), edges(worm(connect=SHUFFLE), "gap")
    ends = zip(after.pre.tolist(), after.post.tolist(), strict=True)
    weight = dict(zip(ends, after.parameters["w"], strict=True))
    assert len(weight) == len(after)
    assert all(weight[b, a] == w for (a, b), w in weight.items())
    assert degrees(after) == degrees(before)
    assert sorted(after.parameters["w"]) == sorted(before.parameters["w"])
    own = before.pre == before.post
    assert {a for a, b in weight if a == b} == set(before.pre[own].tolist())
    assert len(pairs(after) & pairs(before)) < 0.15 * len(before)


def test_the_seed_decides_and_nothing_else() -> None:
    """Made to fail by drawing from a generator, or by shuffling the rows that are asked for."""
    whole = edges(worm(connect=SHUFFLE))
    chem = worm(connect=SHUFFLE).projections["chem"]
    parts = [chem.edges(lo, hi) for lo, hi in ((250, 302), (0, 1), (1, 250))]
    order = (1, 2, 0)
    assert np.array_equal(np.concatenate([parts[i].pre for i in order]), whole.pre)
    assert np.array_equal(np.concatenate([parts[i].parameters["w"] for i in order]), whole.parameters["w"])
    assert pairs(edges(worm(2, SHUFFLE))) != pairs(whole)
    fixed = [pairs(edges(worm(run, {**SHUFFLE, "seed": 7}))) for run in (1, 2)]
    assert fixed[0] == fixed[1] != pairs(whole)


def test_it_mixes_as_well_as_swaps_one_by_one() -> None:
    """Pairs joined in both directions, and edges that are where they were: as many as after networkx's edge swaps, and
    as after six times the rounds."""
    before = edges(worm())
    keep = before.pre != before.post
    pre, post = before.pre[keep], before.post[keep]
    graph = networkx.DiGraph(zip(pre.tolist(), post.tolist(), strict=True))

    def counted(found: set[tuple[int, int]]) -> tuple[int, int]:
        return sum((b, a) in found for a, b in found), len(found & set(graph.edges))

    def ours(seed: int, rounds: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
        monkeypatch.setattr(shuffle, "ROUNDS", rounds)
        new = shuffle_targets(pre, post, stream(seed, "test"), same=True)
        return counted(set(zip(pre.tolist(), new.tolist(), strict=True)))

    def theirs(seed: int) -> tuple[int, int]:
        swapped = networkx.directed_edge_swap(graph.copy(), nswap=5 * len(pre), max_tries=10**6, seed=seed)
        return counted(set(swapped.edges))

    with pytest.MonkeyPatch.context() as patch:
        found = {
            "ours": [ours(seed, shuffle.ROUNDS, patch) for seed in range(20)],
            "long": [ours(100 + seed, 60, patch) for seed in range(20)],
        }
    found["theirs"] = [theirs(seed) for seed in range(5)]
    mean = {name: np.mean(rows, axis=0) for name, rows in found.items()}
    error = {name: np.std(rows, axis=0, ddof=1) / np.sqrt(len(rows)) for name, rows in found.items()}
    for other in ("long", "theirs"):
        assert (np.abs(mean["ours"] - mean[other]) < 4 * np.hypot(error["ours"], error[other])).all(), (mean, error)


def fan(connect: dict[str, Any], **more: Any) -> Edges:
    populations = {
        "A": {"model": "point", "n": 30, "sides": ["left", "right"]},
        "B": {"model": "point", "n": 40, "sides": ["left", "right"]},
    }
    projection = {"from": "A", "to": "B", "connect": connect, "on_spike": "v += 1", **more}
    net = network(populations=populations, projections={"P": projection})
    return net.projections["P"].edges(0, 80)


@pytest.mark.parametrize("rule", [{"probability": 0.1}, {"indegree": 5}, {"probability": "0.2*(1 + side_pre)"}])
@pytest.mark.parametrize("side", ["any", "same", "opposite"])
def test_any_rule_may_be_shuffled_and_keeps_its_sides(rule: dict[str, Any], side: str) -> None:
    before, after = fan(rule, side=side), fan({**rule, **SHUFFLE}, side=side)
    assert degrees(after, 80) == degrees(before, 80)
    assert pairs(after) != pairs(before) and len(pairs(after)) == len(before)
    if side != "any":
        assert ((after.pre // 30 == after.post // 40) == (side == "same")).all()


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_edges(n: int) -> None:
    pre, post = np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32)[::-1].copy()
    after = shuffle_targets(pre, post, stream(1, "few"), same=False)
    assert sorted(after) == sorted(post)


def test_where_nothing_can_be_swapped_all_stays() -> None:
    pre, post = (ends.astype(np.int32) for ends in np.divmod(np.arange(12), 4))
    assert np.array_equal(shuffle_targets(pre, post, stream(1, "full"), same=False), post)


def test_permutations_are_permutations_and_uniform() -> None:
    counts: dict[tuple[int, ...], int] = {}
    for turn in range(6000):
        order: NDArray[np.int64] = permutation(np.uint64(5), turn, 3)
        counts[tuple(order.tolist())] = counts.get(tuple(order.tolist()), 0) + 1
    assert len(counts) == 6
    chi2 = sum((c - 1000) ** 2 / 1000 for c in counts.values())
    assert chi2 < 20.5  # 5 degrees of freedom, p = 0.001


def test_a_seed_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="seed goes with shuffle"):
        fan({"indegree": 2, "seed": 1})
