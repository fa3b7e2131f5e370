"""A zoo of its own for small data sets, and a data folder that is empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cosim.connectome import Connectome, load_connectome

CELLS = "cell,class,side,y_um\nA,sensory,L,0\nB,inter,L,10\nC,inter,R,20\nD,motor,R,30\n"
EDGES = """\
from,to,n,nt,kind
A,B,3,ach,chemical
A,C,1,ach,chemical
B,C,2,gaba,chemical
C,D,5,ach,chemical
D,D,1,ach,chemical
B,D,4,gaba,gap
"""
DOCUMENT: dict[str, Any] = {
    "source": "this test",
    "licence": "none needed",
    "nodes": {
        "file": "cells.csv",
        "id": "cell",
        "columns": {
            "class": "class",
            "side": {"column": "side", "values": {"L": "left", "R": "right"}},
            "y": {"column": "y_um", "unit": "um"},
        },
    },
    "edges": {
        "file": "edges.csv",
        "pre": "from",
        "post": "to",
        "count": "n",
        "columns": {"transmitter": "nt", "kind": "kind"},
    },
    "sign": {"column": "transmitter", "values": {"gaba": -1}, "otherwise": 1},
}
FILES: dict[str, str | bytes] = {"cells.csv": CELLS, "edges.csv": EDGES}

Make = Callable[..., Path]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a zoo (``zoo/``) that comes before all others, and an empty data folder (``data/``)."""
    monkeypatch.setenv("COSIM_ZOO", str(tmp_path / "zoo"))
    monkeypatch.setenv("COSIM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def make(here: Path) -> Make:
    """Write a data set into the zoo: descriptor (``DOCUMENT`` with keys replaced) and files beside it."""

    def write(name: str = "toy", contents: Mapping[str, str | bytes] = FILES, **changes: Any) -> Path:
        folder = here / "zoo/connectomes" / name
        folder.mkdir(parents=True, exist_ok=True)
        document = {"cosim": "connectome/1", "name": name, **DOCUMENT, "files": {f: {} for f in contents}, **changes}
        (folder / "dataset.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        for file, content in contents.items():
            (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return write


@pytest.fixture
def toy(make: Make) -> Connectome:
    """Four cells, six connections."""
    make()
    return load_connectome("toy")
