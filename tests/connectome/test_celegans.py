"""The worm's tables as shipped, against what is published of them."""

from __future__ import annotations

import numpy as np
import pytest

from cosim.connectome import Connectome, load_connectome
from cosim.connectome.columns import Numbers, Texts, matches
from cosim.connectome.data import EdgeRows


@pytest.fixture(scope="module")
def worm() -> Connectome:
    return load_connectome("celegans_cook2019")


def edges(worm: Connectome, kind: str) -> EdgeRows:
    rows = worm.rows(np.arange(worm.n))
    return rows.where(worm.edge_mask(rows, {"kind": kind}))


def synapses(rows: EdgeRows) -> int:
    count = rows.columns["count"]
    assert isinstance(count, Numbers)
    return int(count.values.sum())


def cells(worm: Connectome, **where: object) -> set[str]:
    return set(worm.ids[matches(where, worm.nodes, worm.n, "cells")].tolist())


def test_cells_and_chemical_synapses(worm: Connectome) -> None:
    neurons = cells(worm, kind="neuron")
    assert len(neurons) == 302 and len(cells(worm, kind="muscle")) == 95
    chemical = edges(worm, "chemical")
    assert len(chemical) == 3709 and synapses(chemical) == 20965
    assert {*worm.ids[chemical.pre], *worm.ids[chemical.post]} <= neurons


def test_gap_junctions_are_symmetric(worm: Connectome) -> None:
    gap = edges(worm, "gap")
    count = gap.columns["count"]
    assert isinstance(count, Numbers)
    weight = {(a, b): w for a, b, w in zip(gap.pre, gap.post, count.values, strict=True)}
    assert len(weight) == 2196
    assert all(weight[b, a] == w for (a, b), w in weight.items())
    own = sum(a == b for a, b in weight)
    assert own == 14 and (len(weight) - own) // 2 + own == 1105


def test_neuromuscular_connections(worm: Connectome) -> None:
    junctions = edges(worm, "neuromuscular")
    assert len(junctions) == 956
    assert len(set(junctions.pre.tolist())) == 162
    assert set(worm.ids[junctions.post].tolist()) == cells(worm, kind="muscle")
    rows = {"MDL": 24, "MDR": 24, "MVL": 23, "MVR": 24}
    assert {name: len(cells(worm, **{"class": name})) for name in rows} == rows


def test_motor_classes_are_complete_and_reach_their_side(worm: Connectome) -> None:
    """DA, DB and AS onto dorsal muscle, VA and VB onto ventral muscle; DD and VD, of GABA, all but 1 and 3 synapses."""
    sizes = {"VA": 12, "VB": 11, "DA": 9, "DB": 7, "DD": 6, "VD": 13, "AS": 11}
    junctions, classes = edges(worm, "neuromuscular"), worm.nodes["class"]
    count, sign = junctions.columns["count"], junctions.columns["sign"]
    assert isinstance(classes, Texts) and isinstance(count, Numbers) and isinstance(sign, Numbers)
    words = np.array(classes.texts())
    for name, size in sizes.items():
        assert cells(worm, **{"class": name}) == {f"{name}{k}" for k in range(1, size + 1)}
        mine = words[junctions.pre] == name
        dorsal = np.char.startswith(words[junctions.post[mine]], "MD")
        onto = int(count.values[mine][dorsal].sum()), int(count.values[mine][~dorsal].sum())
        assert onto == {
            "DA": (346, 0), "DB": (170, 0), "AS": (174, 0), "DD": (243, 1),
            "VA": (0, 318), "VB": (0, 338), "VD": (3, 362),
        }[name]  # fmt: skip
        assert (sign.values[mine] == (-1 if name in ("DD", "VD") else 1)).all(), name


def test_classes_and_sides_are_those_of_white(worm: Connectome) -> None:
    neurons = matches({"kind": "neuron"}, worm.nodes, worm.n, "cells")
    classes, sides = worm.nodes["class"].at(neurons), worm.nodes["side"].at(neurons)
    assert isinstance(classes, Texts) and isinstance(sides, Texts)
    assert len(set(classes.texts())) == 118
    assert sides.texts().count("left") == sides.texts().count("right")
    assert cells(worm, **{"class": "RMD"}) == {"RMDL", "RMDR", "RMDDL", "RMDDR", "RMDVL", "RMDVR"}
    assert cells(worm, **{"class": "RID"}) == {"RID"}


def test_touch_neurons_lie_along_the_body_from_head_to_tail(worm: Connectome) -> None:
    y = worm.nodes["y"]
    assert isinstance(y, Numbers)
    at = {name: y.values[worm.rows_by_id[name]] for name in ("ASHL", "ALML", "AVM", "PVM", "PLML")}
    assert at["ASHL"] < at["ALML"] < at["AVM"] < at["PVM"] < at["PLML"]
    assert at["PLML"] - at["ASHL"] == pytest.approx(675.8e-6, abs=1e-7)
