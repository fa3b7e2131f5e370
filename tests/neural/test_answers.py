"""What is kept of Brian2's answers is what Brian2 says, or is asked again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brian2.equations.equations import Equations
from brian2.utils.stringtools import get_identifiers

from cosim.neural import answers, brian_answers, disk, equations
from cosim.neural.equations import identifiers, known_names, read, xi_vanishes
from cosim.spec.circuit import BUILTIN_MODELS, CircuitSpec, ModelSpec
from cosim.spec.load import load_document

TEXT = """dv/dt = (I_total - v)/tau + sigma*sqrt(2/tau)*xi : volt (unless refractory)
I_total = I + E : volt
dg/dt = -g/(5*ms) : siemens
I : volt
E : volt (constant)"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    """As in a new process."""
    read.cache_clear()
    known_names.cache_clear()


def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Brian2 is asked from now on."""
    found: list[str] = []
    for question in ("reading", "names_with_a_meaning", "noise_vanishes"):
        real = getattr(brian_answers, question)

        def spy(*details: Any, question: str = question, real: Any = real) -> Any:
            found.append(question)
            return real(*details)

        monkeypatch.setattr(brian_answers, question, spy)
    return found


def models() -> dict[str, ModelSpec]:
    found = dict(BUILTIN_MODELS)
    for name in ("salamander_cord", "stretch_reflex"):
        spec = load_document(name, "circuit").spec
        assert isinstance(spec, CircuitSpec)
        found |= spec.models
    return found


@pytest.mark.parametrize("text", [TEXT, *(model.equations for model in models().values())])
def test_equations_are_read_as_brian2_reads_them(text: str) -> None:
    theirs = Equations(text)
    for _ in range(2):  # asked, and kept
        ours = read(text)
        assert ours.identifiers == theirs.identifiers
        assert ours.dims == {name: one.dim._dims for name, one in theirs.items()}
        assert set(ours.states) == theirs.diff_eq_names and set(ours.parameters) == theirs.parameter_names
        forget()
    assert identifiers(text) == get_identifiers(text)


def test_what_was_asked_once_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ModelSpec.model_construct(equations=TEXT)
    questions = asked(monkeypatch)
    first = [read(TEXT), known_names(), xi_vanishes(spec, {"sigma": 0.0}), xi_vanishes(spec, {"sigma": 1.0})]
    assert questions == ["reading", "names_with_a_meaning", "noise_vanishes", "noise_vanishes"]
    forget()
    assert [read(TEXT), known_names(), xi_vanishes(spec, {"sigma": 0.0}), xi_vanishes(spec, {"sigma": 1.0})] == first
    assert first[2:] == [True, False]
    # a value that is zero and has no part in the equations is no other question
    assert xi_vanishes(spec, {"sigma": 0.0, "w": 0.0})
    assert len(questions) == 4


@pytest.mark.parametrize("damage", ["truncated", "empty", "another question", "another answer", "no object"])
def test_a_damaged_answer_is_asked_again(damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    good = read(TEXT)
    (file,) = answers.folder().iterdir()
    whole = file.read_text(encoding="utf-8")
    content = json.loads(whole)
    if damage == "another question":
        content["asked"][1] = content["asked"][1].replace("volt", "amp")
    elif damage == "another answer":
        content["answer"]["variables"].pop()
    changed = {"truncated": whole[:-20], "empty": "", "no object": "[1]"}
    file.write_text(changed.get(damage, json.dumps(content)), encoding="utf-8")
    forget()
    questions = asked(monkeypatch)
    assert read(TEXT) == good and questions == ["reading"]
    assert file.read_text(encoding="utf-8") == whole
    assert [f.name for f in answers.folder().iterdir()] == [file.name]


def test_another_version_or_other_code_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read(TEXT)
    forget()
    questions = asked(monkeypatch)
    monkeypatch.setattr(answers, "_asker", lambda: "another")
    read(TEXT)
    assert questions == ["reading"]


def test_a_refusal_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = asked(monkeypatch)
    said = []
    for _ in range(2):
        with pytest.raises(Exception) as caught:
            read("dv/dt = (v : 1")
        said.append(str(caught.value))
    assert questions == ["reading"] * 2 and said[0] == said[1]
    assert answers.sizes() == []


def test_where_nothing_can_be_written_brian2_is_asked_each_time(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_cache / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(own_cache / "file"))
    questions = asked(monkeypatch)
    for _ in range(2):
        forget()
        assert read(TEXT).states == ("v", "g")
    assert len(questions) == 2


def test_without_a_home_directory_equations_are_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "expanduser", nowhere)
    assert read(TEXT).states == ("v", "g")


def test_a_file_that_cannot_be_put_in_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "name").mkdir()
    with pytest.raises(OSError, match="name"):
        disk.write(tmp_path / "name", "text")
    assert [f.name for f in tmp_path.iterdir()] == ["name"]


def test_the_words_of_conditions_are_no_names() -> None:
    text = "v > V_th and not (x_1 or False) + 3e-5*_a2"
    assert identifiers(text) == get_identifiers(text) == {"v", "V_th", "x_1", "_a2"}
    assert equations.free_names("v > 3*mV # and exp(u)") == {"v"}
