"""How a network is dealt to ranks, and that this depends on nothing but the network and their number."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cosim.cli.main import main
from cosim.errors import UserError
from cosim.mpi.partition import partition
from tests.graph.helpers import network

CELL = {"equations": "dv/dt = -v/ms : 1", "threshold": "v > 1", "reset": "v = 0"}


def test_every_neuron_has_one_owner_and_the_work_is_even() -> None:
    net = network(
        models={"m": CELL},
        populations={"A": {"model": "m", "n": 1000}, "B": {"model": "m", "n": 333}},
        projections={
            "AB": {"from": "A", "to": "B", "connect": {"indegree": 400}, "on_spike": "v += 1", "delay": "1 ms"}
        },
    )
    found = partition(net, 3)
    for name, population in net.populations.items():
        bounds = found.bounds[name]
        assert bounds[0] == 0
        assert bounds[-1] == population.n
        assert (np.diff(bounds) > 0).all()

    assert found.synapses.sum() == pytest.approx(333 * 400)
    assert found.work.sum() == pytest.approx(1333 * 1e-9 / 1e-4 + 8e-9 * 10 * 333 * 400)
    assert found.imbalance < 0.01


def test_what_is_joined_by_gap_junctions_stays_together_and_others_make_room() -> None:
    cell = {"equations": "dv/dt = (I - v)/ms : 1\nI : 1"}
    net = network(
        models={"m": cell},
        populations={"A": {"model": "m", "n": 40}, "B": {"model": "m", "n": 60}},
        continuous={
            "gap": {"from": "A", "to": "A", "connect": "all_to_all", "expression": "v_pre - v_post", "target": "I"}
        },
    )
    found = partition(net, 2)
    assert sorted(np.diff(found.bounds["A"])) == [0, 40]
    # B goes mostly to the other rank: 1 a neuron, and a gap junction counts as a synapse
    heavy = int(np.argmax(np.diff(found.bounds["A"])))
    assert np.diff(found.bounds["B"])[heavy] < np.diff(found.bounds["B"])[1 - heavy]
    with pytest.raises(
        UserError, match="population 'A' must stay on one rank, because 'gap' is a continuous projection"
    ):
        partition(network(models={"m": cell}, populations={"A": {"model": "m", "n": 40}},
                          continuous={"gap": {"from": "A", "to": "A", "connect": "all_to_all",
                                              "expression": "v_pre - v_post", "target": "I"}}), 2)  # fmt: skip


def test_show_prints_the_partition(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "salamander_swim", "--ranks", "3", "--json"]) == 0
    shared = json.loads(capsys.readouterr().out)["shared"]
    assert sum(one["neurons"] for one in shared["ranks"]) == 6400
    assert len(shared["ranks"]) == 3
    assert shared["imbalance"] < 0.05
    assert main(["show", "salamander_replay", "--ranks", "3"]) == 2
    assert "there is no network" in capsys.readouterr().err
