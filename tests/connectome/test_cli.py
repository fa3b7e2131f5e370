"""What the command line says of connectomes, and that the guide's examples are true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cosim.cli import main
from cosim.spec.connectome import ConnectomeSpec
from cosim.spec.experiment import ExperimentSpec
from tests.connectome.conftest import CELLS, EDGES, Make
from tests.graph.helpers import network

GUIDE = Path(__file__).resolve().parents[2] / "docs/connectomes.md"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_list_says_whose_data_are_here(make: Make, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(title="A toy", files={"cells.csv": {}, "edges.csv": {}, "more.csv": {}}, contents={"cells.csv": CELLS})
    listed = {one["name"]: one["absent"] for one in answer(capsys, "list")["connectomes"]}
    assert listed["toy"] == ["edges.csv", "more.csv"]
    assert listed["celegans_cook2019"] == []
    assert listed["flywire_783"] == ["Completeness_783.csv", "Connectivity_783.parquet"]
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[-1] for line in lines if " toy " in line] == ["A toy; not on this machine: cosim fetch"]
    (worm,) = (line for line in lines if "celegans_cook2019" in line)
    assert "fetch" not in worm


def test_show(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make(expect=[{"nodes": 4}, {"edges": 1, "where": {"kind": "gap"}}])
    shown = answer(capsys, "show", "toy")
    data = shown["data"]
    assert (data["cells"], data["connected"], data["connections"], data["synapses"]) == (4, 4, 6, 16)
    assert data["indegree"] == {"mean": 1.5, "0%": 0, "5%": 0, "25%": 0, "50%": 1, "75%": 2, "95%": 3, "100%": 3}
    assert data["count"]["mean"] == pytest.approx(16 / 6) and data["count"]["100%"] == 5
    assert data["cell_columns"]["class"] == {"words": {"inter": 2, "motor": 1, "sensory": 1}}
    assert data["cell_columns"]["y"] == {"known": 4, "low": 0, "high": pytest.approx(3e-5), "unit": "m"}
    assert data["connection_columns"]["kind"] == {
        "words": {"chemical": 5, "gap": 1},
        "synapses": {"chemical": 12, "gap": 4},
    }
    assert data["expected"] == [
        {"what": "nodes", "where": {}, "expected": 4, "found": 4},
        {"what": "edges", "where": {"kind": "gap"}, "expected": 1, "found": 1},
    ]
    assert main(["show", "toy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line in (
        "  source: this test",
        "  licence: none needed",
        "4 cells (4 with connections), 6 connections, 16 synapses",
        "  class  inter 2, motor 1, sensory 1",
        "  edges where kind: gap  1  1",
    ):
        assert line in lines


def test_show_and_check_without_the_data(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make(contents={"cells.csv": CELLS}, files={"cells.csv": {}, "edges.csv": {"url": "https://x.org/edges.csv"}})
    assert answer(capsys, "show", "toy")["data"] is None
    assert main(["show", "toy"]) == 0
    out = capsys.readouterr().out
    assert "absent (https://x.org/edges.csv)" in out and out.endswith("not on this machine: cosim fetch toy\n")
    assert main(["check", "toy"]) == 0
    assert capsys.readouterr().out == "ok\ntoy: its tables are not on this machine and were not read (edges.csv)\n"


def test_check_reads_the_tables(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make()
    assert main(["check", "toy"]) == 0
    assert capsys.readouterr().out == "ok\n"
    make(contents={"cells.csv": CELLS, "edges.csv": EDGES.replace("A,B,3", "A,B,-3")})
    assert main(["check", "toy"]) == 2
    assert capsys.readouterr().err == "zoo/connectomes/toy/edges.csv:2:1: n -3 is a negative count\n"


def test_a_circuit_whose_data_are_absent_says_where(make: Make, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(contents={"cells.csv": CELLS}, files={"cells.csv": {}, "edges.csv": {}})
    (here / "circuit.yaml").write_text(
        "cosim: circuit/1\nname: c\nmodels: {m: {equations: 'dv/dt = -v/ms : 1'}}\n"
        "populations:\n  p: {model: m, connectome: toy}\n"
    )
    assert main(["check", "circuit.yaml"]) == 2
    assert capsys.readouterr().err == (
        "circuit.yaml:5:29: populations.p.connectome: the data of toy are not on this machine (edges.csv): "
        "get them with 'cosim fetch toy'\n"
    )


def blocks() -> list[Any]:
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)]


def test_the_guides_circuit_is_a_circuit() -> None:
    circuit = blocks()[0]
    equations = "dv/dt = (g*volt/nS + I_gap*ohm)/(10*ms) : volt\ndg/dt = -g/(5*ms) : siemens\nI_gap : amp"
    lif = {"equations": equations, "threshold": "v > 10*mV", "reset": "v = 0*mV"}
    net = network(models={"lif": lif, "muscle": {"equations": "a : 1"}}, **circuit)
    assert {p.name: p.n for p in net.populations.values()} == {"neurons": 302, "touch": 3, "muscles": 95}
    assert len(net.projections["chemical"].edges(0, 302)) == 3709
    assert len(net.continuous["gap"].edges(0, 302)) == 2196


def test_the_guides_other_examples_are_valid() -> None:
    _, experiment, control, descriptor = blocks()
    ExperimentSpec.model_validate(
        {"cosim": "experiment/1", "name": "x", "circuit": "y", "duration": "2 s", **experiment}
    )
    populations = {"n": {"model": "point", "connectome": "celegans_cook2019"}}
    network(populations=populations, projections={"p": {"from": "n", "to": "n", "on_spike": "v += 1", **control}})
    descriptor["files"]["cells.csv"] = {"url": "https://x.org", "sha256": "0" * 64}
    ConnectomeSpec.model_validate(descriptor)


def test_the_guide_names_every_data_set_that_is_shipped() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for folder in (GUIDE.parents[1] / "connectomes").glob("*/dataset.yaml"):
        assert f"`{folder.parent.name}`" in text
