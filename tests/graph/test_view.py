"""networkx graphs of networks and connectomes: everything that the arrays say."""

from __future__ import annotations

from pathlib import Path

import networkx
import numpy as np
import pytest

import cosim
from cosim.errors import UserError
from cosim.graph.view import to_networkx
from tests.graph.helpers import network


def test_a_connectome() -> None:
    worm = cosim.load_connectome("celegans_cook2019")
    graph = worm.to_networkx()
    assert type(graph) is networkx.MultiDiGraph
    assert (len(graph), graph.number_of_edges()) == (worm.n, len(worm))
    assert graph.nodes["AVM"]["class"] == "AVM" and graph.nodes["AVM"]["y"] == pytest.approx(-55.65e-6)
    joined = {data["kind"]: (data["count"], data["sign"]) for data in graph.get_edge_data("AVAL", "VA8").values()}
    assert joined == {"chemical": (7, 1), "gap": (2, 1)}
    onto, out = worm.degrees()
    assert [graph.in_degree(cell) for cell in worm.ids.tolist()] == onto.tolist()
    assert [graph.out_degree(cell) for cell in worm.ids.tolist()] == out.tolist()


def test_a_network() -> None:
    populations = {
        "A": {"model": "point", "n": 4, "sides": ["left", "right"], "tags": ["motor"]},
        "B": {"model": "point", "connectome": {"name": "celegans_cook2019", "cells": ["AVM", "ALML"]}},
    }
    spikes = {"from": "A", "to": "B", "connect": {"probability": 0.6}, "on_spike": "v += w", "delay": "2 ms",
              "parameters": {"w": {"normal": [1, 0.1]}}}  # fmt: skip
    gap = {
        "from": "B",
        "to": "B",
        "connect": "all_to_all",
        "expression": "g*v_pre",
        "target": "v",
        "parameters": {"g": 3},
    }
    net = network(populations=populations, projections={"P": spikes}, continuous={"G": gap})
    graph = to_networkx(net)
    assert len(graph) == net.n == 10
    assert graph.nodes[5] == {
        "population": "A",
        "model": "point",
        "tags": ("motor",),
        "index": 5,
        "y": 0.0,
        "side": "right",
    }
    assert [graph.nodes[i]["cell"] for i in (8, 9)] == ["ALML", "AVM"]
    assert graph.nodes[9]["transmitter"] == "Glutamate" and graph.nodes[9]["population"] == "B"
    edges = net.projections["P"].edges(0, 2)
    listed = [(a, b - 8, d["w"], d["delay"]) for a, b, d in graph.edges(data=True) if d["projection"] == "P"]
    expected = zip(edges.pre.tolist(), edges.post.tolist(), edges.parameters["w"].tolist(), strict=True)
    assert sorted(listed) == sorted((*row, pytest.approx(2e-3)) for row in expected)
    gaps = [(a, b, d["g"], "delay" in d) for a, b, d in graph.edges(data=True) if d["kind"] == "continuous"]
    assert sorted(gaps) == [(8, 9, 3.0, False), (9, 8, 3.0, False)]


def test_an_experiment_gives_its_graph_with_its_lesions() -> None:
    reflex = cosim.load("stretch_reflex")
    whole = reflex.graph()
    cut = reflex.set({"ablate": [{"cut": "Ia_MN"}]}).graph()
    names = [data["projection"] for _, _, data in whole.edges(data=True)]
    assert set(names) == {"Ia_MN", "Ia_IN", "IN_MN"}
    assert cut.number_of_edges() == len(names) - names.count("Ia_MN")
    assert networkx.utils.graphs_equal(reflex.graph(), whole)
    assert not networkx.utils.graphs_equal(reflex.graph(seed=2), whole)
    mean = np.mean([degree for node, degree in whole.in_degree() if whole.nodes[node]["population"] == "MN"])
    assert mean == 30  # 20 spindle afferents, 10 interneurons


def test_an_experiment_without_a_circuit_has_none(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/fall.yaml").write_text("cosim: experiment/1\nname: fall\nbody: lever\nduration: 0.1 s\n")
    with pytest.raises(UserError, match="the experiment has no circuit"):
        cosim.load(tmp_path / "run/fall.yaml").graph()
