"""The benchmark of networks: what is measured is one network on every side, and the page says what was found."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.bench.circuits import CELLS, INPUTS, Measured, export, random_network
from cosim.bench.events import _runs, _Scatter
from cosim.bench.sides import Compiled, Peer
from cosim.errors import CosimError
from cosim.neural.arrays import Arrays, SynapsesArrays
from cosim.neural.program import program

N, INDEGREE = 200, 20


@pytest.fixture(scope="module")
def measured() -> Measured:
    return random_network(N, INDEGREE)


def test_the_network_is_what_its_name_says(measured: Measured) -> None:
    edges = measured.edges
    assert len(edges) == N * INDEGREE
    assert np.array_equal(np.bincount(edges.post), np.full(N, INDEGREE))
    assert edges.delay.min() == 10 and edges.delay.max() == 20  # 1 to 2 ms
    inhibitory = edges.pre >= 0.8 * N
    assert np.allclose(edges.parameters["w"], np.where(inhibitory, -120e-3, 15e-3) / INDEGREE, rtol=1e-12)
    assert measured.drive.shape[1] == INPUTS


def test_edges_are_drawn_once_and_can_be_asked_for_by_target(measured: Measured) -> None:
    assert measured.edges is measured.edges
    part = measured.network.projections["all"].edges(10, 12)
    assert part.post.tolist() == [10] * INDEGREE + [11] * INDEGREE
    assert np.array_equal(part.pre, measured.edges.pre[10 * INDEGREE : 12 * INDEGREE])


def test_other_simulators_get_the_same_edges_sorted_by_source(measured: Measured, tmp_path: Path) -> None:
    export(measured, tmp_path)
    load = {name: np.load(tmp_path / f"{name}.npy") for name in ("pre", "post", "delay", "w")}
    assert np.all(np.diff(load["pre"].astype(np.int64) * N + load["post"]) > 0)
    edges = measured.edges
    order = np.lexsort((edges.post, edges.pre))
    for name, column in (("post", edges.post), ("delay", edges.delay), ("w", edges.parameters["w"])):
        assert np.array_equal(load[name], column[order])
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts == {
        "n": N, "dt": 1e-4, "refractory": 2.2e-3, "tau_m": 20e-3, "tau_s": 5e-3, "V_rest": -60e-3, "V_th": -50e-3
    }  # fmt: skip


def test_in_lockstep_and_alone_the_network_is_the_same(measured: Measured) -> None:
    # the inputs are written, but always the same
    current = measured.network.populations[CELLS].parameters["I"].values[:INPUTS]
    constant = Measured(measured.network, np.tile(current, (3, 1)))
    one, other = Compiled(constant), Compiled(constant)
    stepped, whole = one.lockstep(300), other.alone(300)
    assert stepped.spikes == whole.spikes > 0.5 * N * 0.3 * 5
    a, b = one.backend.state(), other.backend.state()
    assert all(a[key].tobytes() == b[key].tobytes() for key in a)
    # and it goes on tick by tick
    assert one.lockstep(50).spikes == other.lockstep(50).spikes


def test_the_scatter_add_goes_through_the_rows_of_the_spikes(measured: Measured) -> None:
    texts = program(measured.network, switches=False)
    rows = Arrays(measured.network, texts).synapses(texts.synapses[0])
    steps, ids = np.array([3, 3, 4]), np.array([7, 150, 42], dtype=np.int32)
    begin, end = _runs(rows, steps, ids, N)
    delivered = np.concatenate([np.arange(a, b) for a, b in zip(begin, end, strict=True)])
    expected = np.concatenate([np.flatnonzero(rows.pre == source) for source in ids])
    assert np.array_equal(np.sort(delivered), np.sort(expected))
    assert [len(set(rows.delay[a:b])) for a, b in zip(begin, end, strict=True)] == [1] * len(begin)
    spiked = dict(zip(ids, steps, strict=True))
    due = [spiked[rows.pre[a]] + rows.delay[a] for a in begin]
    assert due == sorted(due)
    check_sums(rows, begin, end, delivered)


def check_sums(rows: SynapsesArrays, begin: Any, end: Any, delivered: Any) -> None:
    scatter = _Scatter(rows, N)
    assert scatter.seconds(begin, end) > 0
    sums = np.zeros(N)
    np.add.at(sums, rows.post[delivered], rows.values["w"][delivered])  # type: ignore[index]
    assert np.array_equal(scatter.sums, sums)


@pytest.mark.skipif(importlib.util.find_spec("nest") is not None, reason="for machines without NEST")
def test_a_peer_that_cannot_start_says_so(measured: Measured, tmp_path: Path) -> None:
    export(measured, tmp_path)
    with pytest.raises(CosimError, match=r"nest_peer: ModuleNotFoundError"):
        Peer("nest_peer", tmp_path)


def test_a_peer_answers_on_standard_output_alone(tmp_path: Path) -> None:
    # what a simulator prints goes to standard error
    code = (
        "from cosim.bench.peers.serve import Timed, serve\n"
        "def open_peer(folder):\n"
        "    print('a greeting')\n"
        "    return {'alone': lambda ticks: Timed(2*ticks, 0.25, 1e6)}\n"
        "serve(open_peer)\n"
    )
    asked = json.dumps({"do": "alone", "ticks": 7}) + "\n"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], input=asked, capture_output=True, text=True, check=True
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[0]["ready"] is True and answers[0]["build"] >= 0 and answers[0]["resident"] > 1e6
    # the simulator's own peak, not the one of the process that asks it
    answers[1].pop("resident")
    assert answers[1] == {"seconds": 0.25, "ticks": 7, "spikes": 14, "peak": 1e6}
    assert "a greeting" in done.stderr
