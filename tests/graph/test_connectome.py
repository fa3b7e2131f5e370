"""Populations made of a connectome's cells, and projections of its connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from cosim.connectome import load_connectome
from cosim.connectome.columns import Numbers
from cosim.graph.ir import NetworkIR
from cosim.graph.lesion import Lesions, select
from cosim.spec.common import Located
from cosim.spec.experiment import AblateSpec, Select
from cosim.spec.units import UnitError
from tests.graph.helpers import network

WORM = "celegans_cook2019"
CHEMICAL = {"connectome": WORM, "where": {"kind": "chemical"}}


def population(**chosen: Any) -> dict[str, Any]:
    more = {key: chosen.pop(key) for key in ("sides", "parameters") if key in chosen}
    return {"model": "point", "connectome": {"name": WORM, **chosen}, **more}


def joined(connect: dict[str, Any] = CHEMICAL, **more: Any) -> dict[str, Any]:
    return {"from": "a", "to": "b", "connect": connect, "on_spike": "v += w", "parameters": {"w": "count"}, **more}


def two(connect: dict[str, Any] = CHEMICAL, lesions: Lesions | None = None, **more: Any) -> NetworkIR:
    """Interneurons onto motoneurons."""
    populations = {
        "a": population(select={"class": ["AVA", "AVB", "PVC"]}),
        "b": population(select={"class": ["VA", "VB", "DA", "DB"]}),
    }
    return network(populations=populations, projections={"p": joined(connect, **more)}, lesions=lesions)


def test_neurons_are_the_cells_in_the_order_of_the_table() -> None:
    net = network(populations={"n": population(select={"kind": "neuron"}), "m": population(cells=["MVL02", "MDL01"])})
    assert [p.n for p in net.populations.values()] == [302, 2] and net.n == 304
    cells = net.populations["m"].cells
    assert cells is not None and cells.ids == ["MDL01", "MVL02"]
    assert network(populations={"all": {"model": "point", "connectome": WORM}}).n == 397


def test_edges_are_those_of_the_table_between_the_two() -> None:
    worm, net = load_connectome(WORM), two()
    found = net.projections["p"].edges(0, 39)
    a, b = (net.populations[name].cells for name in "ab")
    assert a is not None and b is not None
    graph = worm.to_networkx()
    expected = {
        (pre, post): data["count"]
        for pre, post, data in graph.edges(data=True)
        if pre in a.ids and post in b.ids and data["kind"] == "chemical"
    }
    got = {(a.ids[i], b.ids[j]): w for i, j, w in zip(found.pre, found.post, found.parameters["w"], strict=True)}
    assert got == expected and len(got) == len(found) == 82
    parts = [net.projections["p"].edges(lo, hi) for lo, hi in ((0, 7), (7, 8), (8, 8), (8, 39))]
    for field in ("pre", "post", "delay"):
        assert np.array_equal(np.concatenate([getattr(p, field) for p in parts]), getattr(found, field))


def test_numbers_of_edges_and_of_cells_are_names_in_parameters() -> None:
    net = two(parameters={"w": "0.5 nS * sign * count", "far": "y_post - y_pre"}, gain=2)
    found = net.projections["p"].edges(0, 39)
    rows = {k: v.values for k, v in load_connectome(WORM).edges.items() if isinstance(v, Numbers)}
    assert set(rows) == {"count", "sign"}
    assert found.parameters["w"] == pytest.approx(1e-9 * two().projections["p"].edges(0, 39).parameters["w"])
    y = {name: net.populations[name].y for name in "ab"}
    assert found.parameters["far"] == pytest.approx(y["b"][found.post] - y["a"][found.pre])
    net = network(populations={"m": population(select={"class": "VA"}, parameters={"tau": "10 ms*number"})})
    assert net.populations["m"].parameters["tau"].values.tolist() == pytest.approx([0.01 * k for k in range(1, 13)])


def test_sides_and_places_come_from_the_cells() -> None:
    chosen = population(select={"class": ["ALM", "AVM"]}, y="0.32 mm + y", sides=["left", "right", "middle"])
    net = network(axis={"length": "0.8 mm", "segments": 8}, populations={"t": chosen})
    touch = net.populations["t"]
    assert touch.side.tolist() == [0, 1, 2]  # ALML, ALMR, AVM
    assert touch.segment.tolist() == [2, 2, 2]
    assert touch.y == pytest.approx([0.32e-3 - 60.75e-6, 0.32e-3 - 60.75e-6, 0.32e-3 - 55.65e-6])
    with pytest.raises(Located, match="the side of AVM is 'middle', expected one of left, right"):
        network(populations={"t": population(select={"class": ["ALM", "AVM"]}, sides=["left", "right"])})


def test_gap_junctions_of_a_continuous_projection() -> None:
    gap = {"from": "n", "to": "n", "connect": {"connectome": WORM, "where": {"kind": "gap"}},
           "expression": "w*(v_pre - v_post)", "target": "v", "parameters": {"w": "0.1*count"}}  # fmt: skip
    net = network(populations={"n": population(select={"kind": "neuron"})}, continuous={"gap": gap})
    assert len(net.continuous["gap"].edges(0, 302)) == 2196


def test_lesions_cut_connections_of_data_too() -> None:
    cut = Lesions.of([AblateSpec.model_validate({"transect": "0 mm"})])
    left, whole = (two(lesions=lesions).projections["p"].edges(0, 39) for lesions in (cut, None))
    y = {name: two().populations[name].y for name in "ab"}
    same = (y["a"][whole.pre] < 0) == (y["b"][whole.post] < 0)
    assert 0 < len(left) == same.sum() < len(whole)


def chosen(**wanted: Any) -> list[str]:
    net = two()
    (ids,) = select(net, Select.model_validate({"population": "b", **wanted})).values()
    cells = net.populations["b"].cells
    assert cells is not None
    return [cells.ids[i] for i in ids]


def test_cells_are_selected_by_id_and_by_column() -> None:
    assert chosen(cells=["VB3", "DA2"]) == ["DA2", "VB3"]
    assert chosen(select={"class": "VA", "number": "> 10"}) == ["VA11", "VA12"]
    assert chosen(cells=["VB3", "DA2"], select={"class": "VB"}) == ["VB3"]
    assert len(chosen(select={"class": "DA"}, fraction=0.5)) == 4


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"cells": ["VB33"]}, "'VB33' is no cell of celegans_cook2019, did you mean 'VB3'?"),
        ({"cells": ["AVAL"]}, "'AVAL' is a cell of celegans_cook2019, but not of population 'b'"),
        ({"select": {"klass": "VA"}}, "the cells of celegans_cook2019 have no column 'klass', did you mean 'class'?"),
        ({"select": {"class": "VAA"}}, "no class of the cells of celegans_cook2019 is 'VAA', did you mean 'VA'?"),
    ],
)
def test_cells_that_are_not_there(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(UnitError) as caught:
        chosen(**wanted)
    assert str(caught.value) == message


def test_only_populations_of_cells_have_cells() -> None:
    net = network(populations={"p": {"model": "point", "n": 3}})
    with pytest.raises(UnitError, match="population 'p' is not made of the cells of a connectome"):
        select(net, Select.model_validate({"population": "p", "cells": ["AVAL"]}))


MISTAKES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"select": {"clas": "VA"}}, {}, "populations.a.connectome: the cells of celegans_cook2019 have no column 'clas'"),
    ({"cells": ["AVAQ"]}, {}, "populations.a.connectome: 'AVAQ' is no cell of celegans_cook2019, did you mean 'AVA"),
    ({"select": {"class": "VA", "kind": "muscle"}}, {}, "no cell of celegans_cook2019 meets all conditions"),
    ({"name": "celegans_cook2018"}, {}, "no connectome 'celegans_cook2018', did you mean 'celegans_cook2019'?"),
    ({"name": "larva_winding2023"}, {}, "the data of larva_winding2023 are not on this machine (meta_data.csv"),
    ({"y": "zz"}, {}, "populations.a.connectome.y: 'zz': unknown name or unit 'zz'"),
    ({"y": "number"}, {}, "populations.a.connectome.y: 'number': expected a length, e.g. '2 mm', got a number"),
    (
        {},
        {"where": {"kind": "chem"}},
        "projections.p.connect.where: no kind of the connections of celegans_cook2019 is",
    ),
    (
        {},
        {"where": {"neuropil": "x"}},
        "the connections of celegans_cook2019 have no column 'neuropil'; there are: cou",
    ),
]


@pytest.mark.parametrize(("member", "connect", "message"), MISTAKES, ids=lambda value: str(value)[:50])
def test_mistakes_have_their_place(
    member: dict[str, Any], connect: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSIM_DATA", str(tmp_path))
    with pytest.raises(Located) as caught:
        net = network(
            populations={"a": population(**member), "b": population()},
            projections={"p": joined({**CHEMICAL, **connect})} if connect else {},
        )
        net.projections["p"].edges(0, 3)
    assert message in str(caught.value)


def test_what_does_not_go_together_is_said_before_data_are_read() -> None:
    own = {"a": population(), "b": {"model": "point", "n": 3}}
    for populations, projection, message in (
        (own, joined(), "population 'b' is not made of cells of celegans_cook2019: it has no connectome"),
        (
            {"a": population(), "b": population(name="x")},
            joined(),
            "'b' is not made of cells of celegans_cook2019: it is",
        ),
        (
            {"a": population(), "b": population()},
            joined({"connectome": WORM, "where": "y_pre > 0"}),
            "where is columns",
        ),
        ({"a": population(), "b": population()}, joined({"probability": 1, "where": {"kind": "gap"}}), "where is an"),
        (
            {"a": population(sides=["left"]), "b": population(sides=["left"])},
            joined(side="same"),
            "no side goes with them",
        ),
        ({"a": {**population(), "n": 3}, "b": population()}, joined(), "exactly one of n, per_segment, per_pool, conn"),
    ):
        with pytest.raises(ValidationError, match=message):
            network(populations=populations, projections={"p": projection})
