"""Where a name is found."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path

import pytest

from cosim.errors import UserError
from cosim.zoo import find, list_all, lookup, roots
from tests.spec.documents import zoo

CHECKOUT = Path(lookup.__file__).resolve().parents[2]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COSIM_ZOO", raising=False)
    working = tmp_path / "working"
    working.mkdir()
    monkeypatch.chdir(working)
    return tmp_path


def test_order_of_the_zoos(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, own, announced = (zoo(here / name) for name in ("first", "second", "own", "announced"))
    working = zoo(here / "working")
    package = announced / "someones_zoo"
    zoo(package)
    (package / "__init__.py").write_text("raise RuntimeError('a zoo is looked at, not imported')\n")
    monkeypatch.syspath_prepend(str(announced))
    point = importlib.metadata.EntryPoint("someone", "someones_zoo", "cosim.zoo")
    monkeypatch.setattr(lookup, "entry_points", lambda group: [point])
    monkeypatch.setenv("COSIM_ZOO", os.pathsep.join([str(first), str(here / "missing"), str(second)]))
    expected = [first, second, working, own, package, CHECKOUT]
    found = roots(own / "run/tap.yaml")
    assert [path for path in found if path.name != "_zoo"] == [path.resolve() for path in expected]
    assert "someones_zoo" not in sys.modules
    for root in (first, second, working, own, package):
        assert (
            find("circuit", "reflex", document=own / "run/tap.yaml") == root.resolve() / "circuits/reflex/circuit.yaml"
        )
        (root / "circuits/reflex/circuit.yaml").unlink()
    with pytest.raises(UserError, match="no circuit 'reflex'"):
        find("circuit", "reflex", document=own / "run/tap.yaml")


def test_a_path_comes_before_every_zoo(here: Path) -> None:
    zoo(here / "working")
    other = zoo(here / "other")
    assert find("circuit", "../other/circuits/reflex").samefile(other / "circuits/reflex/circuit.yaml")
    assert find("circuit", "../other/circuits/reflex/circuit.yaml").samefile(other / "circuits/reflex/circuit.yaml")
    assert find("body", "../bodies/arm", document=other / "run/x.yaml").samefile(other / "bodies/arm/body.yaml")


def test_unknown_names(here: Path) -> None:
    zoo(here / "working")
    with pytest.raises(UserError, match=r"^no circuit 'reflx', did you mean 'reflex'\?$"):
        find("circuit", "reflx")
    with pytest.raises(UserError, match=r"\('arm' is a body, not a circuit\)$"):
        find("circuit", "arm")
    with pytest.raises(UserError, match=r"^no experiment 'qqq'; there are: .*stretch_reflex.*tap"):
        find("experiment", "qqq")
    with pytest.raises(UserError, match="no such file"):
        find("circuit", "nowhere/circuit.yaml")
    with pytest.raises(UserError, match=r"is a folder, expected a document$"):
        find("experiment", "./run")


def test_listing_hides_what_is_shadowed_and_what_is_no_experiment(here: Path) -> None:
    working = zoo(here / "working")
    (working / "run/stretch_reflex.yaml").write_text("cosim: experiment/1\nname: mine\ntitle: 'Mine'  # really\n")
    (working / "run/study.yaml").write_text("cosim: sweep/1\n")
    (working / "run/broken.yaml").write_bytes(b"\xff\xfe\x00")
    entries = {(entry.kind, entry.name): entry for entry in list_all()}
    assert entries["experiment", "stretch_reflex"].title == "Mine"
    assert ("experiment", "study") not in entries
    assert ("experiment", "broken") not in entries
    assert ("circuit", "reflex") in entries
    assert ("body", "salamander") in entries
