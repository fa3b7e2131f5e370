"""Whatever a user gets wrong ends in a message with file, line and what to write instead, and in nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from cosim.cli import main
from cosim.errors import UserError
from cosim.spec.load import load_document
from tests.spec.documents import BODY, CIRCUIT, EXPERIMENT, TEXTS, changed, zoo


@dataclass(frozen=True)
class Mistake:
    """A valid document with `old` made `new`; the error stands in `line` (of the file, from 1) and says `says`."""

    kind: str
    old: str
    new: str
    line: int
    says: str


MISTAKES = {
    # circuits
    "unknown key": Mistake(
        "circuit", "    reset: v = E_L", "    rest: v = E_L", 12, "unknown key 'rest', did you mean 'reset'?"
    ),
    "unknown key at the top": Mistake(
        "circuit", "populations:", "populatons:", 16, "unknown key 'populatons', did you mean 'populations'?"
    ),
    "missing key": Mistake("circuit", "    model: lif\n", "", 18, "the key 'model' is missing"),
    "wrong unit": Mistake("circuit", "delay: 2 ms", "delay: 2 mV", 31, "expected a time, e.g. '10 ms', got a voltage"),
    "no unit": Mistake(
        "circuit", "delay: 2 ms", "delay: 2", 31, "expected a time, e.g. '10 ms', got a number without a unit"
    ),
    "negative delay": Mistake(
        "circuit", "delay: 2 ms", "delay: -2 ms", 31, "out of range, expected a value 0 or greater"
    ),
    "unknown unit": Mistake("circuit", "delay: 2 ms", "delay: 2 msec", 31, "unknown name or unit 'msec'"),
    "1e-3 without a unit": Mistake("circuit", "delay: 2 ms", "delay: 1e-3", 31, "'0.001': expected a time"),
    "sexagesimal": Mistake("circuit", "delay: 2 ms", "delay: 12:30", 31, "cannot read '12:30' as a number with a unit"),
    "division by zero": Mistake("circuit", "delay: 2 ms", "delay: 1 ms/0", 31, "'1 ms/0' has no finite value"),
    "not a number": Mistake("circuit", "gain: strength", "gain: .nan", 30, "is not a number"),
    "missing population": Mistake("circuit", "from: Ia", "from: Iaa", 24, "no population 'Iaa', did you mean 'Ia'?"),
    "missing model": Mistake(
        "circuit", "    model: lif\n", "    model: lof\n", 19, "no model 'lof', did you mean 'lif'?"
    ),
    "not a count": Mistake("circuit", "    n: 8", "    n: 8.5", 20, "expected a whole number of at least 1, got 8.5"),
    "negative count": Mistake("circuit", "    n: 8", "    n: -8", 20, "expected a whole number of at least 1, got -8"),
    "truth for a number": Mistake("circuit", "    n: 8", "    n: true", 20, "expected a number with a unit, got true"),
    "list for a number": Mistake("circuit", "    n: 8", "    n: [8]", 20, "expected a number with a unit, got a list"),
    "text for a mapping": Mistake("circuit", "connect: {indegree: 2}", "connect: many", 27, "expected a mapping"),
    "two rules": Mistake("circuit", "{indegree: 2}", "{indegree: 2, probability: 0.1}", 27, "expected exactly one of"),
    "wrong choice": Mistake(
        "circuit",
        "side: same",
        "side: sane",
        26,
        "expected one of any, same, opposite, got 'sane', did you mean 'same'?",
    ),
    "no is a name": Mistake("circuit", "  Ia: {model: lif, n: 6", "  Ia: {model: no, n: 6", 17, "no model 'no'"),
    "key on is a name": Mistake("circuit", "    gain: strength", "    on: strength", 30, "unknown key 'on'"),
    "wrong method": Mistake("circuit", "method: exact", "method: exat", 14, "got 'exat', did you mean 'exact'?"),
    "distribution misspelt": Mistake(
        "circuit",
        "parameters: {w: 1 mV}",
        "parameters: {w: {norml: [1 mV, 1 mV]}}",
        29,
        "unknown key 'norml', did you mean 'normal'?",
    ),
    "distribution too short": Mistake(
        "circuit",
        "parameters: {w: 1 mV}",
        "parameters: {w: {normal: [1 mV]}}",
        29,
        "expected a list of 2 values, got a list of 1",
    ),
    "delay as a list": Mistake(
        "circuit", "delay: 2 ms", "delay: [2 ms]", 31, "or a time, e.g. '10 ms', got a list of 1"
    ),
    "not a name": Mistake("circuit", "  MN:\n", "  M-N:\n", 18, "'M-N' is not a name"),
    "duplicate key": Mistake("circuit", "  MN:\n", "  Ia:\n", 18, "the key 'Ia' is given twice, first in line 17"),
    "side twice": Mistake(
        "circuit", "    sides: [flexor, extensor]\n", "    sides: [flexor, flexor]\n", 21, "a side is named twice"
    ),
    "parameter is a unit": Mistake("circuit", "  tau: 10 ms", "  ms: 10 ms", 5, "'ms' is the name of a unit"),
    "parameters in a circle": Mistake(
        "circuit", "strength: 2", "strength: tau*strength/tau", 4, "depends on itself: strength -> strength"
    ),
    "parameter with unknown name": Mistake(
        "circuit", "tau: 10 ms", "tau: 10 ms*streng", 5, "unknown name or unit 'streng', did you mean 'strength'?"
    ),
    "empty section": Mistake(
        "circuit", "projections:\n", "continuous:\nprojections:\n", 22, "expected a mapping, got nothing"
    ),
    "octal": Mistake("circuit", "    n: 8", "    n: 010", 20, "'010' could be octal or decimal"),
    "tab": Mistake("circuit", "    n: 8", "\tn: 8", 20, "a tab cannot indent YAML"),
    "bracket not closed": Mistake(
        "circuit", "connect: {indegree: 2}", "connect: {indegree: 2", 28, "a mapping in braces is not closed"
    ),
    "no colon": Mistake("circuit", "    gain: strength", "    gain strength", 30, "a line without ':'"),
    "text that needs quotes": Mistake(
        "circuit", "on_spike: v += w", "on_spike: a: v += w", 28, "a ':' where none can stand"
    ),
    "tag": Mistake("circuit", "gain: strength", "gain: !!python/object:os.system {}", 30, "has no meaning here"),
    "unknown alias": Mistake("circuit", "gain: strength", "gain: *strength", 30, "no anchor &strength"),
    "second document": Mistake("circuit", "projections:", "---\nprojections:", 22, "a second document begins here"),
    "unknown kind": Mistake(
        "circuit", "cosim: circuit/1", "cosim: curcuit/1", 1, "no kind of document, did you mean 'circuit/1'?"
    ),
    "unknown version": Mistake("circuit", "cosim: circuit/1", "cosim: circuit/9", 1, "expected circuit/1"),
    "no header": Mistake("circuit", "cosim: circuit/1\n", "", 1, "begin with 'cosim: circuit/1'"),
    "another kind": Mistake(
        "circuit", "cosim: circuit/1", "cosim: body/1", 1, "this document is a body, expected a circuit"
    ),
    "bad set path": Mistake(
        "circuit",
        "models:\n",
        "set: {projections.Ia_NM.delay: 1 ms}\nmodels:\n",
        6,
        "did you mean 'projections.Ia_MN.delay'?",
    ),
    # bodies
    "unknown link": Mistake("body", "parent: base", "parent: bse", 12, "no link 'bse', did you mean 'base'?"),
    "unknown joint": Mistake(
        "body", "flexor: {joint: elbow", "flexor: {joint: elbo", 19, "no joint 'elbo', did you mean 'elbow'?"
    ),
    "mass as force": Mistake("body", "mass: 0.2 kg", "mass: 0.2 N", 9, "expected a mass, e.g. '0.3 g', got a force"),
    "vector of two": Mistake(
        "body", "at: [0.15 m, 0, 0]", "at: [0.15 m, 0]", 8, "expected a list of 3 values, got a list of 2"
    ),
    "vector entry": Mistake("body", "at: [0.15 m, 0, 0]", "at: [0.15 m, 0 kg, 0]", 8, "expected a length"),
    "limits reversed": Mistake(
        "body", "[-90 deg, 90 deg]", "[90 deg, -90 deg]", 16, "the lower limit must be below the upper"
    ),
    "joint kind": Mistake("body", "kind: hinge", "kind: ball", 14, "expected one of hinge, slider, fixed, got 'ball'"),
    "two shapes": Mistake(
        "body",
        "{sphere: {radius: 1 cm}}",
        "{sphere: {radius: 1 cm}, box: {size: [1 cm, 1 cm, 1 cm]}}",
        5,
        "expected exactly one of box, sphere",
    ),
    "not a truth value": Mistake("body", "{fixed: true,", "{fixed: maybe,", 5, "expected true or false, got 'maybe'"),
    # experiments
    "dt does not divide": Mistake("experiment", "dt: 0.1 ms", "dt: 0.3 ms", 9, "does not divide the tick"),
    "tick does not divide": Mistake("experiment", "tick: 1 ms", "tick: 1.5 ms", 10, "does not divide the duration"),
    "zero dt": Mistake("experiment", "dt: 0.1 ms", "dt: 0 ms", 9, "expected a value greater than 0"),
    "long transient": Mistake(
        "experiment", "transient: 0.5 s", "transient: 3 s", 8, "the transient must be shorter than the duration"
    ),
    "seed": Mistake("experiment", "seed: 1", "seed: -1", 11, "expected a value at least 0, got '-1'"),
    "seed as text": Mistake("experiment", "seed: 1", "seed: one", 11, "expected a whole number, got 'one'"),
    "half a wire": Mistake("experiment", "    to: Ia\n", "", 15, "a sensory (read, encode, to) wire needs to"),
    "no duration": Mistake("experiment", "duration: 2 s\n", "", 1, "the key 'duration' is missing"),
    "which spikes": Mistake("experiment", "{spikes: all}", "{spikes: al}", 25, "got 'al', did you mean 'all'?"),
}


def broken(mistake: Mistake) -> str:
    return changed(TEXTS[mistake.kind], mistake.old, mistake.new)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COSIM_ZOO", raising=False)
    return tmp_path


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_reported_in_its_line(mistake: Mistake, here: Path) -> None:
    (here / "doc.yaml").write_text(broken(mistake), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_document("doc.yaml", mistake.kind)
    problems = caught.value.problems
    assert len(problems) == 1, caught.value
    assert problems[0].file == "doc.yaml"
    assert mistake.says in problems[0].message
    assert problems[0].line == mistake.line
    assert problems[0].column >= 1


@pytest.mark.parametrize("kind", TEXTS)
def test_the_unbroken_documents_load(kind: str, here: Path) -> None:
    (here / "doc.yaml").write_text(TEXTS[kind], encoding="utf-8")
    assert load_document("doc.yaml", kind).kind == kind


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_check_says_so_and_ends_with_2(mistake: Mistake, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if mistake.says.startswith("this document is"):
        pytest.skip("check takes a document for what it says it is")
    zoo(here)
    (here / "doc.yaml").write_text(broken(mistake), encoding="utf-8")
    before = sorted(here.rglob("*"))
    assert main(["check", "doc.yaml"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert f"doc.yaml:{mistake.line}:" in err
    assert mistake.says in err
    assert "Traceback" not in err
    assert sorted(here.rglob("*")) == before, "checking wrote something"


def test_all_problems_come_at_once_in_order(here: Path) -> None:
    text = changed(CIRCUIT, "    reset: v = E_L", "    rest: v = E_L")
    text = changed(text, "    n: 8", "    n: none")
    text = changed(text, "delay: 2 ms", "delay: 2")
    (here / "doc.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_document("doc.yaml", "circuit")
    assert sorted(p.line for p in caught.value.problems) == [12, 20, 31]


def test_problems_of_all_three_documents_come_at_once(here: Path) -> None:
    zoo(
        here,
        changed(CIRCUIT, "delay: 2 ms", "delay: 2"),
        changed(BODY, "parent: base", "parent: bse"),
        changed(EXPERIMENT, "seed: 1", "seed: one"),
    )
    from cosim.spec.load import load_experiment

    with pytest.raises(UserError) as caught:
        load_experiment("tap", check=False)
    assert [(p.file, p.line) for p in caught.value.problems] == [
        ("run/tap.yaml", 11),
        ("circuits/reflex/circuit.yaml", 31),
        ("bodies/arm/body.yaml", 12),
    ]


FILES: dict[str, tuple[bytes, int, str]] = {
    "empty": (b"", 1, "the document is empty"),
    "only comments": (b"# nothing\n# here\n", 1, "the document is empty"),
    "list": (b"- cosim: circuit/1\n", 1, "expected a mapping (key: value) at the top of the document, got a list"),
    "text": (b"hello\n", 1, "expected a mapping (key: value) at the top of the document, got a single value"),
    "binary": (bytes(range(256)) * 40, 2, "not UTF-8 text"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(64), 1, "not UTF-8 text (byte 0x89)"),
    "zeros": (bytes(500), 1, "U+0000"),
    "latin 1": ("cosim: circuit/1\nname: x\ntitle: Moëlle\n".encode("latin-1"), 3, "not UTF-8 text (byte 0xeb)"),
    "utf-16": ("cosim: circuit/1\n".encode("utf-16"), 1, "not UTF-8 text (byte 0xff)"),
    "deep": (b"a: " + b"[" * 100_000, 1, "nested more than 60 levels deep"),
    "huge": (b"a: 1\n" * 1_000_000, 1, "larger than 4 MB"),
    "bomb": (
        b"a0: &a0 [x]\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 10)) for i in range(1, 9)),
        7,
        "more than 300000 values",
    ),
    "alias in itself": (b"cosim: circuit/1\nname: &a [*a]\n", 2, "stands inside its own anchor"),
}


@pytest.mark.parametrize(("data", "line", "says"), FILES.values(), ids=FILES.keys())
def test_files_that_are_no_documents(
    data: bytes, line: int, says: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "doc.yaml").write_bytes(data)
    assert main(["check", "doc.yaml"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1, "one problem, one line"
    assert err.startswith(f"doc.yaml:{line}:")
    assert says in err


@pytest.mark.parametrize("name", ["doc.yaml", "missing/doc.yaml", "folder.yaml"])
def test_files_that_cannot_be_read(name: str, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "folder.yaml").mkdir()
    assert main(["check", name]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert name in err
    assert "Traceback" not in err
