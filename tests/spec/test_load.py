"""extends, set, parameters and overrides: what counts, in which order, and where a value is said to come from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from cosim.errors import UserError
from cosim.spec.load import LoadedExperiment, load_document, load_experiment
from tests.spec.documents import BODY, CIRCUIT, EXPERIMENT, changed, zoo


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COSIM_ZOO", raising=False)
    monkeypatch.chdir(zoo(tmp_path))
    return tmp_path


def load(name: str, **given: object) -> LoadedExperiment:
    return load_experiment(name, {path.replace("__", "."): value for path, value in given.items()}, check=False)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def refused(name: str, given: dict[str, object] | None = None) -> list[str]:
    with pytest.raises(UserError) as caught:
        load_experiment(name, given, check=False)
    return [str(problem) for problem in caught.value.problems]


# --- extends


def test_extends_merges_mappings_and_replaces_lists_and_values(here: Path) -> None:
    write(
        here / "run/variant.yaml",
        "cosim: experiment/1\nname: variant\nextends: tap\nseed: 7\n"
        "wires: {motor: {delay: 5 ms, write: {activation: [extensor, flexor]}}}\n",
    )
    spec = load("variant").spec
    assert spec.name == "variant"
    assert spec.seed == 7
    assert spec.duration == 2.0
    assert spec.wires["motor"].delay == [0.005]
    assert spec.wires["motor"].write == {"activation": ["extensor", "flexor"]}
    assert spec.wires["spindle"].delay == [0.03]


def test_null_takes_out_what_the_base_says(here: Path) -> None:
    write(
        here / "run/variant.yaml",
        "cosim: experiment/1\nname: variant\nextends: tap\nwires: {spindle: null}\ntransient: ~\n",
    )
    spec = load("variant").spec
    assert list(spec.wires) == ["motor"]
    assert spec.transient == 0.0


def test_a_variant_needs_a_name_of_its_own(here: Path) -> None:
    write(here / "run/variant.yaml", "cosim: experiment/1\nextends: tap\n")
    assert refused("variant") == ["run/variant.yaml:1:1: name: the key 'name' is missing, expected a name"]


def test_problems_point_to_the_file_that_says_it(here: Path) -> None:
    write(here / "run/tap.yaml", changed(EXPERIMENT, "tick: 1 ms", "tick: 1 mV"))
    write(here / "run/variant.yaml", "cosim: experiment/1\nname: variant\nextends: tap\nseed: x\n")
    assert refused("variant") == [
        "run/tap.yaml:10:7: tick: '1 mV': expected a time, e.g. '10 ms', got a voltage",
        "run/variant.yaml:4:7: seed: expected a whole number, got 'x'",
    ]


def test_a_base_may_have_a_base(here: Path) -> None:
    write(here / "run/a.yaml", "cosim: experiment/1\nname: a\nextends: tap\nseed: 2\ntransient: 1 s\n")
    write(here / "run/b.yaml", "cosim: experiment/1\nname: b\nextends: a\nseed: 3\n")
    spec = load("b").spec
    assert (spec.name, spec.seed, spec.transient) == ("b", 3, 1.0)


def test_a_circle_is_named(here: Path) -> None:
    for name, base in (("a", "b"), ("b", "c"), ("c", "a")):
        write(here / f"run/{name}.yaml", f"cosim: experiment/1\nname: {name}\nextends: {base}\n")
    assert refused("a") == ["run/c.yaml:3:10: extends: the documents extend each other in a circle: a -> b -> c -> a"]
    write(here / "run/self.yaml", "cosim: experiment/1\nname: self\nextends: self\n")
    assert refused("self") == ["run/self.yaml:3:10: extends: the documents extend each other in a circle: self -> self"]


def test_an_unknown_base_is_told_in_its_line(here: Path) -> None:
    write(here / "run/variant.yaml", "cosim: experiment/1\nname: variant\nextends: tapp\n")
    assert refused("variant") == ["run/variant.yaml:3:10: extends: no experiment 'tapp', did you mean 'tap'?"]


def test_circuits_and_bodies_may_extend_too(here: Path) -> None:
    write(
        here / "circuits/big/circuit.yaml",
        "cosim: circuit/1\nname: big\nextends: reflex\npopulations: {MN: {n: 80}}\n",
    )
    write(here / "bodies/heavy/body.yaml", "cosim: body/1\nname: heavy\nextends: ../arm\nlinks: {rod: {mass: 2 kg}}\n")
    loaded = load("tap", circuit="big", body="heavy")
    assert loaded.circuit is not None
    assert loaded.body is not None
    assert (loaded.circuit.populations["MN"].n, loaded.circuit.populations["Ia"].n) == (80, 6)
    assert loaded.body.links["rod"].mass == 2.0


def test_file_names_of_a_base_stay_relative_to_the_base(here: Path) -> None:
    write(here / "run/tap.yaml", EXPERIMENT + "reference: tap.csv\n")
    write(here / "run/deep/variant.yaml", "cosim: experiment/1\nname: variant\nextends: tap\n")
    write(here / "run/deep/deeper/more.yaml", "cosim: experiment/1\nname: more\nextends: ../variant.yaml\n")
    loaded = load("run/deep/deeper/more.yaml")
    assert loaded.spec.reference == "../../tap.csv"
    assert (loaded.experiment.folder / loaded.spec.reference).resolve() == here / "run/tap.csv"


# --- set and overrides


def test_set_block_reaches_experiment_circuit_body_and_parameters(here: Path) -> None:
    write(
        here / "run/variant.yaml",
        "cosim: experiment/1\nname: variant\nextends: tap\nset:\n  wires.motor.delay: 3 ms\n  strength: 5\n"
        "  circuit.populations.MN.n: 16\n  body.links.rod.mass: 1 kg\n  peak: 1 nA\n",
    )
    loaded = load("variant")
    assert loaded.spec.wires["motor"].delay == [0.003]
    assert loaded.circuit is not None
    assert loaded.body is not None
    assert loaded.circuit.populations["MN"].n == 16
    assert loaded.circuit.projections["Ia_MN"].gain == 5.0
    assert loaded.body.links["rod"].mass == 1.0
    assert loaded.experiment.parameters["peak"].value == 1e-9


def test_the_last_word_is_the_command_lines_then_the_variants_then_the_bases(here: Path) -> None:
    write(here / "run/a.yaml", "cosim: experiment/1\nname: a\nextends: tap\nset: {seed: 2, strength: 3, peak: 2 nA}\n")
    write(here / "run/b.yaml", "cosim: experiment/1\nname: b\nextends: a\nseed: 4\nset: {strength: 5}\n")

    def said(loaded: LoadedExperiment) -> tuple[int, float, float]:
        assert loaded.circuit is not None
        peak = loaded.experiment.parameters["peak"].value
        return loaded.spec.seed, loaded.circuit.projections["Ia_MN"].gain, peak

    assert said(load("a")) == (2, 3.0, 2e-9)
    assert said(load("b")) == (4, 5.0, 2e-9)
    assert said(load("b", seed="6", strength="7", peak="4 nA")) == (6, 7.0, 4e-9)


def test_values_are_read_as_yaml_and_python_values_are_taken_as_they_are(here: Path) -> None:
    for value in ("{exponential: 3 ms}", {"exponential": "3 ms"}):
        loaded = load_experiment("tap", {"circuit.projections.Ia_MN.delay": value}, check=False)
        assert loaded.circuit is not None
        assert type(loaded.circuit.projections["Ia_MN"].delay).__name__ == "Draw"
    assert load("tap", seed=9).spec.seed == 9
    assert load("tap", wires__motor__write__activation="[extensor]").spec.wires["motor"].write == {
        "activation": ["extensor"]
    }


def test_list_entries_are_set_by_index(here: Path) -> None:
    spec = load("tap", wires__motor__write__activation__1="flexor").spec
    assert spec.wires["motor"].write == {"activation": ["flexor", "flexor"]}


def test_what_a_document_leaves_out_can_be_set(here: Path) -> None:
    loaded = load("tap", world__water__density="900 kg/m^3", circuit__populations__MN__parameters__R="1 Gohm")
    assert loaded.spec.world.water is not None
    assert loaded.spec.world.water.density == 900.0
    assert loaded.circuit is not None
    assert str(loaded.circuit.populations["MN"].parameters["R"]) == "Expression('1 Gohm')"


def test_null_returns_to_the_default(here: Path) -> None:
    assert load("tap", transient="null").spec.transient == 0.0


def test_a_whole_new_entry_can_be_set(here: Path) -> None:
    spec = load("tap", drives__more="{to: Ia, constant: 5 pA}").spec
    assert list(spec.drives) == ["tonic", "more"]


WRONG = {
    "wires.moto.delay": "no such path, did you mean 'wires.motor.delay'?",
    "wires.motor.dely": "no such path, did you mean 'wires.motor.delay'?",
    "circuit.populations.NM.n": "no such path, did you mean 'circuit.populations.MN.n'?",
    "body.links.rood.mass": "no such path, did you mean 'body.links.rod.mass'?",
    "circuit.strenth": "no such path",
    "strenth": "no parameter or key 'strenth', did you mean 'strength'?",
    "duratoin": "no parameter or key 'duratoin', did you mean 'duration'?",
    "wires.motor.write.activation.2": "is a list, expected an index from 0 to 1, got '2'",
    "seed.x": "seed is a single value and has no 'x' in it",
    "parameters.peek": "no such path, did you mean 'parameters.peak'?",
    "cosim": "'cosim' cannot be set",
    "wires..delay": "'wires..delay' is not a path",
}


def test_a_parameter_is_set_by_the_name_of_its_document_too(here: Path) -> None:
    short, whole = (load_experiment("tap", {path: "7"}) for path in ("circuit.strength", "circuit.parameters.strength"))
    assert short.documents["circuit"].parameters["strength"].value == 7
    assert short.content_hash == whole.content_hash


@pytest.mark.parametrize("path", WRONG)
def test_a_path_that_leads_nowhere(path: str, here: Path) -> None:
    (problem,) = refused("tap", {path: "1"})
    assert problem.startswith("--set: ")
    assert WRONG[path] in problem


def test_a_wrong_value_is_shown_where_it_was_set(here: Path) -> None:
    assert refused("tap", {"circuit.projections.Ia_MN.delay": "2 mV", "duration": "[1]"}) == [
        "--set: duration: expected a number with a unit, got a list",
        "--set: circuit.projections.Ia_MN.delay: '2 mV': expected a time, e.g. '10 ms', got a voltage",
    ]


def test_a_wrong_value_in_a_set_block_is_shown_in_its_line(here: Path) -> None:
    write(
        here / "run/variant.yaml",
        "cosim: experiment/1\nname: variant\nextends: tap\nset:\n  circuit.populations.MN.n: lots\n  strenth: 3\n",
    )
    found = refused("variant")
    assert "run/variant.yaml:6:3: strenth: no parameter or key 'strenth', did you mean 'strength'?" in found
    assert "run/variant.yaml:5:29: circuit.populations.MN.n: 'lots': unknown name or unit 'lots'" in found


def test_a_parameter_of_both_circuit_and_body_must_be_qualified(here: Path) -> None:
    zoo(here, body=changed(BODY, "strength_of_arm", "strength"))
    (problem,) = refused("tap", {"strength": "3"})
    assert problem.startswith("--set: strength: both the circuit and the body have a parameter 'strength'")
    assert problem.endswith("say circuit.parameters.strength or body.parameters.strength")
    loaded = load("tap", circuit__parameters__strength="3")
    assert loaded.circuit is not None
    assert loaded.circuit.projections["Ia_MN"].gain == 3.0


def test_an_experiment_without_a_body_says_so(here: Path) -> None:
    write(here / "run/alone.yaml", "cosim: experiment/1\nname: alone\ncircuit: reflex\nduration: 1 s\ndt: 0.1 ms\n")
    loaded = load("alone")
    assert loaded.body is None
    assert list(loaded.documents) == ["experiment", "circuit"]
    assert refused("alone", {"body.links.rod.mass": "1 kg"}) == [
        "--set: body.links.rod.mass: the experiment has no body"
    ]


# --- parameters


def test_parameters_may_use_each_other_in_any_order(here: Path) -> None:
    text = changed(CIRCUIT, "  strength: 2\n  tau: 10 ms\n", "  strength: 4*half\n  tau: 10 ms\n  half: tau/(20 ms)\n")
    zoo(here, circuit=text)
    document = load_document("reflex", "circuit")
    assert {name: value.value for name, value in document.parameters.items()} == {
        "strength": 2.0,
        "tau": 0.01,
        "half": 0.5,
    }
    changed_ = load_document("reflex", "circuit", {"tau": "40 ms"})
    assert changed_.parameters["strength"].value == 8.0


def test_a_longer_circle_of_parameters_is_spelled_out(here: Path) -> None:
    zoo(here, circuit=changed(CIRCUIT, "  strength: 2\n", "  strength: a\n  a: b\n  b: strength\n"))
    with pytest.raises(UserError, match="depends on itself: strength -> a -> b -> strength"):
        load_document("reflex", "circuit")


# --- hash


def test_the_content_hash_is_that_of_what_the_documents_say(here: Path) -> None:
    loaded = load("tap")
    trees = {kind: document.tree for kind, document in loaded.documents.items()}
    assert loaded.content_hash == hashlib.sha256(json.dumps(trees, ensure_ascii=False).encode()).hexdigest()
    zoo(here, circuit=CIRCUIT.replace("name: reflex\n", "# a comment\nname:   reflex\n\n"))
    assert load("tap").content_hash == loaded.content_hash
    assert load("tap", strength="2").content_hash == loaded.content_hash
    assert load("tap", strength="2.5").content_hash != loaded.content_hash
    assert load("tap", body__links__rod__mass="0.3 kg").content_hash != loaded.content_hash


def test_the_texts_of_all_files_are_kept(here: Path) -> None:
    write(here / "run/variant.yaml", "cosim: experiment/1\nname: variant\nextends: tap\n")
    texts = load("variant").texts
    assert set(texts) == {"run/variant.yaml", "run/tap.yaml", "circuits/reflex/circuit.yaml", "bodies/arm/body.yaml"}
    assert texts["circuits/reflex/circuit.yaml"] == CIRCUIT
