"""An experiment on a connectome: cells are driven, silenced and recorded by their ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cosim
from cosim.errors import UserError

CIRCUIT = """
cosim: circuit/1
name: worm
models:
  counter: {equations: "dg/dt = 0*g/ms : 1"}
populations:
  touch: {model: spike_source, connectome: {name: celegans_cook2019, select: {class: [ALM, AVM]}}}
  rest: {model: counter, connectome: {name: celegans_cook2019, select: {kind: neuron}}}
projections:
  out:
    from: touch
    to: rest
    connect: {connectome: celegans_cook2019, where: {kind: chemical}}
    on_spike: g += w
    parameters: {w: sign*count}
    delay: 1 ms
"""
EXPERIMENT = """
cosim: experiment/1
name: tap
circuit: worm
duration: 20 ms
drives:
  tap: {to: {population: touch, select: {class: ALM}}, variable: fire, pulse: {value: 1, at: 5 ms, for: 1 ms}}
record: {state: {rest: {g: {cells: [AVDR, BDUL], every: 1 ms}}}}
"""


@pytest.fixture
def tap(here: Path) -> Path:
    (here / "circuits/worm").mkdir(parents=True)
    (here / "circuits/worm/circuit.yaml").write_text(CIRCUIT)
    (here / "run").mkdir()
    (here / "run/tap.yaml").write_text(EXPERIMENT)
    return here / "run/tap.yaml"


def sums(*sources: str) -> dict[str, float]:
    """What every cell gets when each source fires once."""
    graph = cosim.load_connectome("celegans_cook2019").to_networkx()
    found: dict[str, float] = {}
    for _, post, data in graph.out_edges(sources, data=True):
        if data["kind"] == "chemical":
            found[post] = found.get(post, 0.0) + data["count"] * data["sign"]
    return found


def test_the_spikes_of_a_cell_arrive_with_its_synapses(tap: Path, here: Path) -> None:
    with cosim.load(tap).open(backend="numpy", out=here / "result") as simulation:
        simulation.run()
        g = simulation.state("rest", "g").copy()
    result = cosim.Result(here / "result")
    rest, touch = result.population("rest"), result.population("touch")
    assert touch.cell == ("ALML", "ALMR", "AVM")
    assert [touch.cell[i] for i in result.spikes("touch")[1]] == ["ALML", "ALMR"]
    expected = sums("ALML", "ALMR")
    assert rest.cell is not None
    assert {cell: value for cell, value in zip(rest.cell, g.tolist(), strict=True) if value} == expected
    trace = result.state("rest", "g")
    assert [rest.cell[i] for i in trace.labels[0]] == ["AVDR", "BDUL"]
    assert trace.values[-1].tolist() == [expected.get(cell, 0.0) for cell in ("AVDR", "BDUL")]
    hashes = cosim.load_connectome("celegans_cook2019").hashes
    assert result.manifest["connectomes"] == {"celegans_cook2019": dict(hashes)}


def test_a_cell_that_is_silenced_sends_nothing(tap: Path) -> None:
    experiment = cosim.load(tap, {"ablate": [{"silence": "touch", "where": {"cells": ["ALML"]}}]})
    with experiment.open(backend="numpy") as simulation:
        simulation.run()
        g = simulation.state("rest", "g").copy()
    assert np.abs(g).sum() == sum(np.abs(value) for value in sums("ALMR").values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"record": {"state": {"rest": {"g": {"cells": ["AVDX"]}}}}},
            "record.state.rest.g.cells: 'AVDX' is no cell of celegans_cook2019, did you mean 'AVD",
        ),
        (
            {"ablate": [{"silence": "touch", "where": {"cells": ["AVDR"]}}]},
            "'AVDR' is a cell of celegans_cook2019, but not of population 'touch'",
        ),
        ({"drives.tap.to.select": {"class": "X"}}, "drives.tap.to: no class of the cells of celegans_cook2019 is 'X'"),
        (
            {"circuit.populations.rest.connectome.name": "fly"},
            "population 'rest' is not made of cells of celegans_cook2019: it is made of fly",
        ),
        (
            {"circuit.projections.out.connect.where": {"kind": "chem"}},
            "projections.out.connect.where: no kind of the connections of celegans_cook2019 is 'chem', did you mean",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(tap: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as caught:
        cosim.load(tap, change)
    assert message in str(caught.value)
