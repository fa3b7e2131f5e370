"""Conditions on columns, ids, and distances along connections."""

from __future__ import annotations

from typing import Any

import networkx
import numpy as np
import pytest

from cosim.connectome import Connectome, load_connectome
from cosim.spec.choice import CellsSpec, HopsSpec
from cosim.spec.units import UnitError


def chosen(toy: Connectome, **wanted: Any) -> str:
    return "".join(toy.ids[toy.select(CellsSpec.model_validate(wanted))])


@pytest.mark.parametrize(
    ("select", "cells"),
    [
        ({}, "ABCD"),
        ({"class": "inter"}, "BC"),
        ({"class": ["inter", "motor"], "side": "right"}, "CD"),
        ({"class": {"not": "inter"}}, "AD"),
        ({"class": {"not": ["inter", "motor"]}}, "A"),
        ({"y": "10 um"}, "B"),
        ({"y": ["0 um", "30 um"]}, "AD"),
        ({"y": ">= 20 um"}, "CD"),
        ({"y": "5 um < y and y < 25 um"}, "BC"),
        ({"y": {"not": "> 5 um"}}, "A"),
    ],
)
def test_conditions(toy: Connectome, select: dict[str, Any], cells: str) -> None:
    assert chosen(toy, select=select) == cells


def test_ids_narrow_what_columns_leave(toy: Connectome) -> None:
    assert chosen(toy, cells=["D", "A"]) == "AD"
    assert chosen(toy, cells=["D", "A"], select={"class": "motor"}) == "D"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"select": {"clas": "inter"}}, "the cells of toy have no column 'clas', did you mean 'class'?"),
        ({"select": {"class": "intr"}}, "no class of the cells of toy is 'intr', did you mean 'inter'?"),
        (
            {"select": {"side": "up"}},
            "no side of the cells of toy is 'up'; there are: left, right",
        ),
        ({"select": {"y": "3"}}, "'3': the y of the cells of toy is a length, got a number without a unit"),
        ({"select": {"y": "> 3 s"}}, "comparison of m and s: the units do not agree"),
        ({"select": {"y": "side > 3"}}, "'side > 3': side is a column of words and cannot be compared with numbers"),
        ({"cells": ["A", "X"]}, "'X' is no cell of toy"),
    ],
)
def test_what_cannot_be_chosen(toy: Connectome, wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(UnitError) as caught:
        chosen(toy, **wanted)
    assert str(caught.value) == message


def reached(toy: Connectome, **hops: Any) -> str:
    return "".join(toy.ids[toy.reach(HopsSpec.model_validate(hops))])


def test_hops(toy: Connectome) -> None:
    start = {"cells": ["A"]}
    assert [reached(toy, **{"from": start}, n=n) for n in range(4)] == ["A", "ABC", "ABCD", "ABCD"]
    assert reached(toy, **{"from": start}, n=3, direction="in") == "A"
    assert reached(toy, **{"from": {"cells": ["D"]}}, n=1, direction="in") == "BCD"
    assert reached(toy, **{"from": {"cells": ["B"]}}, n=1, direction="both") == "ABCD"
    assert reached(toy, **{"from": {"select": {"class": "sensory"}}}, n=1, where={"count": ">= 2"}) == "AB"
    assert reached(toy, **{"from": {"cells": ["B"]}}, n=1, where={"kind": "gap"}) == "BD"


@pytest.mark.parametrize("direction", ["out", "in", "both"])
def test_hops_are_distances_of_a_graph(direction: str) -> None:
    worm = load_connectome("celegans_cook2019")
    graph = networkx.DiGraph(worm.to_networkx())
    graph = {"out": graph, "in": graph.reverse(), "both": graph.to_undirected()}[direction]
    for n in (1, 2, 3):
        found = worm.reach(HopsSpec.model_validate({"from": {"cells": ["PVR"]}, "n": n, "direction": direction}))
        expected = networkx.single_source_shortest_path_length(graph, "PVR", cutoff=n)
        assert set(worm.ids[found].tolist()) == set(expected)


def test_degrees_and_blocks(toy: Connectome) -> None:
    onto, out = toy.degrees()
    assert onto.tolist() == [0, 1, 2, 3] and out.tolist() == [2, 2, 1, 1]
    assert toy.synapses() == 16
    assert toy.blocks() == [(0, 4)]
    assert np.array_equal(np.concatenate([toy.rows(np.array([j])).pre for j in range(4)]), toy.pre)
