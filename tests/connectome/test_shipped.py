"""The descriptors of data that users download, on small files of the same form; and ids of other releases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim import zoo
from cosim.cli import main
from cosim.connectome import load_connectome
from cosim.connectome.columns import Numbers, Texts
from cosim.connectome.store import describe, spec_of
from cosim.errors import UserError
from cosim.spec.choice import CellsSpec
from cosim.spec.units import UnitError
from tests.connectome.conftest import Make

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

#: of the sugar neurons of the published experiment, the one that release 783 does not have, and another
OLD, BOTH = 720575940620900446, 720575940624963786
FLYWIRE = {
    "flywire_783": ("Completeness_783.csv", "Connectivity_783.parquet", 138_639, 15_091_983),
    "flywire_630": (
        "2023_03_23_completeness_630_final.csv", "2023_03_23_connectivity_630_final.parquet", 127_400, 14_687_178,
    ),
}  # fmt: skip


def variant(here: Path, base: str, name: str, expect: str) -> Path:
    """A descriptor that differs from a shipped one in its files' sizes and hashes and its numbers; the data folder."""
    files = "\n".join(f"  {file}: {{url: null, sha256: null, bytes: null}}" for file in spec_of(describe(base)).files)
    folder = here / "zoo/connectomes" / name
    folder.mkdir(parents=True)
    text = f"cosim: connectome/1\nname: {name}\nextends: {base}\nfiles:\n{files}\nexpect: {expect}\n"
    (folder / "dataset.yaml").write_text(text)
    data = here / "data" / name
    data.mkdir(parents=True)
    return data


def write_flywire(folder: Path, release: str, ids: list[int], edges: list[tuple[int, int, int]]) -> None:
    """The two files, with the columns that the published ones have."""
    cells, connections, _, _ = FLYWIRE[release]
    (folder / cells).write_text(",Completed\n" + "".join(f"{one},True\n" for one in ids))
    pre, post, signed = (np.array(column) for column in zip(*edges, strict=True))
    id_array = np.array(ids)
    table = {
        "Presynaptic_ID": id_array[pre], "Postsynaptic_ID": id_array[post],
        "Presynaptic_Index": pre, "Postsynaptic_Index": post, "Connectivity": np.abs(signed),
        "Excitatory": np.sign(signed), "Excitatory x Connectivity": signed,
    }  # fmt: skip
    parquet.write_table(pyarrow.table(table), folder / connections)


@pytest.mark.parametrize("release", FLYWIRE)
def test_flywire(here: Path, release: str) -> None:
    expected = spec_of(describe(release)).expect
    cells, _, n, edges = FLYWIRE[release]
    assert [expected[0].nodes, expected[1].edges] == [n, edges]
    assert all(file.url and file.sha256 and file.bytes for file in spec_of(describe(release)).files.values())
    data = variant(here, release, "fly", "[{nodes: 3}, {edges: 4, synapses: 16}]")
    write_flywire(data, release, [BOTH, BOTH + 1, BOTH + 2], [(0, 1, 7), (2, 1, -3), (1, 0, 5), (2, 0, -1)])
    fly = load_connectome("fly")
    assert fly.ids.tolist() == [BOTH, BOTH + 1, BOTH + 2]
    rows = fly.rows(np.arange(3))
    count, sign = fly.edges["count"], fly.edges["sign"]
    assert isinstance(count, Numbers) and isinstance(sign, Numbers)
    assert list(zip(rows.pre.tolist(), rows.post.tolist(), (count.values * sign.values).tolist(), strict=True)) == [
        (1, 0, 5), (2, 0, -1), (0, 1, 7), (2, 1, -3),
    ]  # fmt: skip
    (data / cells).write_text(f",Completed\n{BOTH},True\n{BOTH + 1},True\n")
    with pytest.raises(UserError, match="Presynaptic_Index 2 is no row of the table of cells, expected 0 to 1"):
        load_connectome("fly")


ANNOTATIONS = "Supplemental_file1_neuron_annotations.tsv"


def test_flywires_classes_are_optional(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows in another order, a cell that is not in the model, and one of the model without annotation."""
    data = variant(here, "flywire_783", "fly", "[]")
    write_flywire(data, "flywire_783", [BOTH, BOTH + 1, BOTH + 2], [(0, 1, 7)])
    super_class = CellsSpec.model_validate({"select": {"super_class": "sensory"}})
    with pytest.raises(UnitError) as caught:
        load_connectome("fly").select(super_class)
    assert str(caught.value) == (
        f"the column 'super_class' is in {ANNOTATIONS}, which is not on this machine: 'cosim fetch fly --all' gets it"
    )
    assert main(["fetch", "fly"]) == 0
    assert ANNOTATIONS not in capsys.readouterr().out
    assert main(["fetch", "fly", "--all"]) == 2
    assert f"no address is known for {ANNOTATIONS}" in capsys.readouterr().err
    rows = [
        "supervoxel_id\troot_id\tside\tflow\tsuper_class\tcell_class\tcell_type\themibrain_type\ttop_nt",
        f"1\t{BOTH + 2}\tcenter\tintrinsic\tcentral\tcx\tFB1\tFB1A\tacetylcholine",
        f"2\t{BOTH + 9}\tleft\tintrinsic\toptic\t\t\t\tgaba",
        f"3\t{BOTH}\tright\tafferent\tsensory\tgustatory\tLB3\t\tacetylcholine",
    ]
    (here / ANNOTATIONS).write_text("\n".join(rows) + "\n")
    assert main(["fetch", "fly", "--from", ANNOTATIONS]) == 0
    fly = load_connectome("fly")
    assert fly.select(super_class).tolist() == [True, False, False]
    side, flow = fly.nodes["side"], fly.nodes["flow"]
    assert isinstance(side, Texts) and side.texts() == ["right", "", "middle"]
    assert isinstance(flow, Texts) and flow.texts() == ["afferent", "", "intrinsic"]


def test_an_id_of_another_release_is_told(here: Path) -> None:
    """A list of known ids is shipped for 630; other releases are known where their tables are on the machine."""
    write_flywire(variant(here, "flywire_783", "fly", "[]"), "flywire_783", [BOTH, BOTH + 1], [(0, 1, 7)])
    later = variant(here, "flywire_783", "fly_later", "[]")
    write_flywire(later, "flywire_783", [BOTH, BOTH + 2], [(0, 1, 7)])
    fly = load_connectome("fly")
    for cell, message in (
        (OLD, f"'{OLD}' is no cell of fly; it is one of flywire_630: ids change from release to release"),
        (BOTH + 2, f"'{BOTH + 2}' is no cell of fly; it is one of fly_later: ids change from release to release"),
        (BOTH + 3, f"'{BOTH + 3}' is no cell of fly"),
    ):
        with pytest.raises(UnitError) as caught:
            fly.find([BOTH, cell])
        assert str(caught.value) == message


def test_larva(here: Path) -> None:
    spec = spec_of(describe("larva_winding2023"))
    assert [e.model_dump(exclude_none=True, exclude={"where"}) for e in spec.expect] == [
        {"nodes": 3591}, {"connected": 3554}, {"edges": 119_010, "synapses": 376_091},
    ]  # fmt: skip
    data = variant(here, "larva_winding2023", "larva", "[{nodes: 4}, {connected: 3}, {edges: 3, synapses: 12}]")
    (data / "meta_data.csv").write_text(
        ",name,brain_neurons,all_simple_groups,simple_group,merge_class,io,hemisphere,lineage\n"
        "29,KC #0,True,\"['KCs']\",KCs,KC-4claw,inter,R,MBNB A \n"
        "37365,Rh6PR-9;left,False,\"['sensories']\",sensories,sens-photoRh6,input,L,unk\n"
        "865151,\"BAmas12, midline\",True,\"['dSEZs'\n 'pre-dSEZs']\",dSEZs,dSEZ,output,C,BAmas12_ven_r\n"
        "38147,PaN-L-motor-02,False,[],unk,unk-PaN,inter,L,unk\n"
    )
    (data / "G_edgelist.txt").write_text("29 865151 9.0\n37365 29 1.0\n29 29 2.0\n")
    larva = load_connectome("larva")
    side, classes = larva.nodes["side"], larva.nodes["class"]
    assert isinstance(side, Texts) and side.texts() == ["right", "left", "middle", "left"]
    assert isinstance(classes, Texts) and classes.texts() == ["KCs", "sensories", "dSEZs", "unk"]
    assert "sign" not in larva.edges and larva.synapses() == 12
    with (data / "G_edgelist.txt").open("a") as file:
        file.write("29 4711 1.0\n")
    with pytest.raises(UserError, match=r"G_edgelist.txt:4:1: '4711' is no cell of meta_data.csv$"):
        load_connectome("larva")


def test_data_that_are_not_there(here: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_connectome("flywire_783")
    assert str(caught.value) == (
        "the data of flywire_783 are not on this machine (Completeness_783.csv, Connectivity_783.parquet): "
        "get them with 'cosim fetch flywire_783'"
    )


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "file": ({"nodes": {"file": "cell.csv", "id": "a"}}, "nodes.file: 'cell.csv' is not in files, did you mean"),
    "file of edges": ({"edges": {"file": "x.csv", "pre": "a", "post": "b"}}, "edges.file: 'x.csv' is not in files"),
    "unused": ({"files": {"cells.csv": {}, "edges.csv": {}, "x.csv": {}}}, "files.x.csv: no table reads this file"),
    "sha256": ({"files": {"cells.csv": {"sha256": "ab"}, "edges.csv": {}}}, "'ab' is not a SHA-256: expected 64"),
    "url": ({"files": {"cells.csv": {"url": "ftp://x"}, "edges.csv": {}}}, "'ftp://x' is not an address that begins"),
    "sign": ({"sign": {"column": "transmiter"}}, "sign.column: no column 'transmiter', did you mean 'transmitter'?"),
    "where": ({"expect": [{"edges": 1, "where": {"knd": "gap"}}]}, "no column 'knd', did you mean 'kind'?"),
    "expect": ({"expect": [{"nodes": 1, "edges": 1}]}, "expected either nodes, connected (cells) or edges, synapses"),
    "both counts": (
        {"edges": {"file": "edges.csv", "pre": "a", "post": "b", "count": "n", "signed_count": "n"}},
        "expected at most one of count and signed_count",
    ),
    "format": ({"nodes": {"file": "cells.dat", "id": "a"}}, "cannot tell the format of 'cells.dat': give format"),
    "optional": (
        {"files": {"cells.csv": {"optional": True}, "edges.csv": {}}},
        "files.cells.csv.optional: only a table of nodes.more is optional",
    ),
    "column twice": (
        {"nodes": {"file": "cells.csv", "id": "cell", "columns": {"a": "a"},
                   "more": {"file": "edges.csv", "id": "from", "columns": {"a": "b"}}}},
        "nodes.more.columns.a: another table of cells has a column 'a'",
    ),
    "key": ({"licens": "x"}, "unknown key 'licens', did you mean 'licence'?"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD.keys())
def test_mistakes_in_a_descriptor_have_a_line(make: Make, changes: dict[str, Any], message: str) -> None:
    make(**changes)
    with pytest.raises(UserError) as caught:
        load_connectome("toy")
    said = str(caught.value)
    assert said.startswith("zoo/connectomes/toy/dataset.yaml:") and message in said


@pytest.mark.parametrize("entry", [e for e in zoo.list_all() if e.kind == "connectome"], ids=lambda e: e.name)
def test_every_data_set_says_where_it_is_from(entry: zoo.Entry) -> None:
    spec = spec_of(describe(entry.path))
    assert spec.name == entry.name and spec.cite and spec.expect and spec.source and spec.licence
    readme = (entry.path.parent / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {entry.name}\n") and "## Source" in readme
