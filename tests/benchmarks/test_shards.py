"""The benchmark of shared networks: its numbers add up, and the model of the cost counts what networks have."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.bench import lone_grid, shards
from cosim.bench.circuits import random_network
from cosim.bench.jobs import PARTS, parts_of
from cosim.bench.lone import LoneRank
from cosim.bench.scaling import DELAYS, TERMS, Card, Observation, Shape, cost, fit, predict
from cosim.bench.shards_page import page
from cosim.bench.sides import Peer
from cosim.bench.targets import wanted
from cosim.cli import main
from cosim.errors import CosimError, UserError
from cosim.mpi.launcher import start_of
from cosim.neural.toolchain import has_compiler
from tests.mpi.helpers import needs_mpi

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")
SIZES = shards.Sizes(strong=600, weak=300, indegree=20)


# ---------------------------------------------------------------- the model


@pytest.mark.parametrize("ranks", [1, 4, 32])
def test_the_model_counts_what_a_network_has(ranks: int) -> None:
    n, indegree = 4000, 30
    edges = random_network(n, indegree).edges
    shape = Shape(n, indegree, ranks, 10.0)
    assert len(edges) / ranks == pytest.approx(shape.synapses)
    each = shape.spikes / n  # spikes that a neuron has in a tick; means over the ranks
    assert len(edges) / ranks * each == pytest.approx(shape.events)
    reached = np.unique(edges.pre.astype(np.int64) * ranks + edges.post // (n // ranks))
    assert len(reached) / n == pytest.approx(shape.fan, rel=0.01)
    assert len(reached) / ranks == pytest.approx(shape.sources, rel=0.01)
    assert len(reached) / ranks * each == pytest.approx(shape.arrived, rel=0.01)
    rows = np.unique((edges.pre.astype(np.int64) * ranks + edges.post // (n // ranks)) * 100 + edges.delay)
    assert len(rows) / ranks * each == pytest.approx(shape.rows, rel=0.01)


def test_delays_are_those_of_the_network() -> None:
    delay = random_network(4000, 30).edges.delay
    assert np.bincount(delay)[10:] / len(delay) == pytest.approx(DELAYS, abs=0.005)


def shapes() -> list[Shape]:
    return [
        Shape(n, k, r, rate)
        for n, k, r, rate in [
            (1000, 100, 1, 8), (1000, 100, 4, 8), (1000, 10, 1, 8), (4000, 100, 16, 8), (20000, 100, 64, 8),
            (1000, 50, 2, 20), (500, 0, 1, 8), (100, 0, 1, 8), (20000, 100, 512, 8), (3000, 30, 8, 5),
        ]
    ]  # fmt: skip


def test_costs_are_found_again() -> None:
    # fails if two terms are always alike in what is measured
    true = {part: {name: 0.5 + k for k, name in enumerate(terms)} for part, terms in TERMS.items()}
    found = fit([Observation(s, {part: cost(true, part, s) for part in TERMS}) for s in shapes()])
    for part, terms in true.items():
        assert found[part] == pytest.approx(terms, rel=1e-6), part


def test_no_cost_is_negative() -> None:
    # the more neurons, the less: nothing but a constant can be said
    found = fit([Observation(s, {"integrating": 1.0 / s.neurons}) for s in shapes()])
    assert min(found["integrating"].values()) == 0.0


def test_predictions_add_up_and_one_rank_exchanges_nothing() -> None:
    costs = {part: dict.fromkeys(terms, 1e-8) for part, terms in TERMS.items()}
    for ranks in (1, 64, 1024):
        found = predict(costs, Shape(100_000, 100, ranks, 8.0), Card())
        total = found.pop("total")
        assert total == pytest.approx(sum(found.values()))
        assert (found["exchange"] > 0) == (ranks > 1)
    assert found["waiting"] > 0


def test_exchanges_take_latencies_and_bytes() -> None:
    shape = Shape(100_000, 100, 64, 7.6)
    # 62 spikes of room and 2 words, to 63 others
    assert shape.volume == 63 * 64 * 8
    slow, thin = Card(latency=1e-3, bandwidth=1e18), Card(latency=0.0, bandwidth=1e6)
    assert slow.rounds(shape) == pytest.approx(6e-3)
    assert slow.pairs(shape) == pytest.approx(63e-3)
    assert thin.pairs(shape) == pytest.approx(shape.volume / 1e6)
    assert Card(0.0, 1e6, ranks=8).pairs(shape) == pytest.approx(8 * shape.volume / 1e6)


# ---------------------------------------------------------------- what is measured


def test_parts_of_a_tick_add_up() -> None:
    blocks = [
        {"seconds": 10.0 * k, "ticks": 2,
         "parts": {"integrating": 3.0, "exchanging": 0.25, "merging": 0.5, "waiting": 0.2, "gathering": 0.1}}
        for k in (1, 2, 3)
    ]  # fmt: skip
    found = parts_of([2.0, 1.0, 3.0], blocks)
    assert found["apart"] == 10.0
    assert found["integration"] == 2.0 and found["delivery"] == 1.5 and found["merging"] == 0.5
    assert sum(found[part] for part in PARTS) == pytest.approx(10.0)
    alone = parts_of([2.0], [{"seconds": 9.0, "ticks": 3, "parts": {}}])
    assert alone["delivery"] == 1.0 and alone["rest"] == alone["exchange"] == 0.0


@needs_compiler
@needs_mpi
def test_what_reaches_a_lone_rank_is_what_the_model_says() -> None:
    ranks, ticks = 8, 200
    shape = Shape(4000, 20, ranks, 40.0)
    rank = LoneRank(4000, 20, ranks, 40.0)
    spikes = sum(rank.advance() for _ in range(ticks))
    rank.close()
    expected = shape.arrived * ticks
    assert abs(rank.arrived - expected) < 5 * np.sqrt(expected) + 0.01 * expected
    assert 0 < spikes < 4000 / ranks * ticks
    assert rank.sent == pytest.approx(spikes * shape.fan, rel=0.05)
    assert min(rank.seconds.values()) > 0


@needs_compiler
@needs_mpi
def test_a_rank_that_cannot_start_says_why(tmp_path: Path) -> None:
    for launch in ((), start_of(2)):
        with pytest.raises(CosimError, match="no experiment 'nothing'"):
            Peer("rank_peer", tmp_path, "experiment", "nothing", launch=launch)


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        for name, ranks in (("STRONG", (1, 4, 16)), ("WEAK", (4,)), ("SPARSE", (1,)), ("CELLS", (1, 4))):
            patch.setattr(lone_grid, name, ranks)
        return shards.run(["scaling", "lone"], [2], 1, quick=True, sizes=SIZES)


@needs_compiler
@needs_mpi
def test_both_scalings_are_measured_on_the_same_ranks(result: dict[str, Any]) -> None:
    strong, weak = result["scaling"]["strong"], result["scaling"]["weak"]
    assert [one["ranks"] for one in strong] == [one["ranks"] for one in weak] == [1, 2]
    assert [one["neurons"] for one in strong] == [600, 600] and [one["neurons"] for one in weak] == [300, 600]
    for one in (*strong, *weak):
        parts = one["parts"]
        assert sum(parts[name] for name in PARTS) == pytest.approx(parts["apart"])
        assert one["synapses"] == 20 * one["neurons"]
        assert len(one["memory"]["peak"]) == one["ranks"] and min(one["memory"]["peak"]) > 2e7
    alone, shared = strong
    assert alone["rate_hz"] == shared["rate_hz"] > 0  # bit for bit, and blocks are alike
    assert alone["parts"]["exchange"] == 0 < shared["parts"]["exchange"]
    assert shared["epoch"] == 10 and min(shared["sent"]) > 0


@needs_compiler
@needs_mpi
def test_the_page_says_what_was_left_out_and_what_is_wanted(result: dict[str, Any]) -> None:
    text = page(result)
    order = [
        "`cosim bench shards scaling lone`", result["machine"]["processor"], "mpi4py", "--quick", "## Ratios",
        "strong scaling: 1 rank / 2 ranks", "| integration ", "## One rank of many", "| total ", "## Wanted and found",
    ]  # fmt: skip
    at = [text.index(part) for part in order]
    assert at == sorted(at)
    assert len(result["wanted"]) == 3
    observed = result["lone"]["observed"]
    assert [one["ranks"] for one in observed] == [1, 4, 16, 4, 1, 1, 1] and len(result["lone"]["costs"]) == len(TERMS)


def test_targets_of_the_fly() -> None:
    ratios = {
        "biological time / wall time, 2 ranks": {"median": 1.1},
        "NEST, 2 threads / cosim, 2 ranks": {"median": 9.0},
        "memory of cosim, 2 ranks / NEST's": {"median": 0.21},
    }
    found = wanted({"fly": {"ranks": [{"ranks": 2, "build": 31.0}], "ratios": ratios}})
    assert [one["reached"] for one in found] == [False, True, False, False]


@needs_compiler
@needs_mpi
def test_what_cannot_be_measured_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match="no measurement 'nothing', expected some of scaling, lone, fly"):
        shards.run(["nothing"])
    assert main(["bench", "shards", "--ranks", "2,x"]) == 2
    assert main(["bench", "lockstep", "1k", "--ranks", "2"]) == 2
    told = "".join(capsys.readouterr())
    assert "expected numbers such as 1,2, got '2,x'" in told and "'lockstep' has none" in told
    monkeypatch.setattr(shards, "launcher", lambda: None)
    with pytest.raises(UserError, match=r"pip install 'cosim-neuro\[mpi\]'"):
        shards.run(["scaling"])
