"""What is wrong with a circuit is said in its own words and place, before anything is compiled."""

from typing import Any

import pytest

from cosim.neural.check import check_models
from cosim.neural.trial import check_network
from tests.graph.helpers import circuit, network

CELL: dict[str, Any] = {
    "equations": "dv/dt = (V_rest - v + R*I_ext)/tau : volt\ndg/dt = -g/(5*ms) : 1\nI_ext : amp\nI_gap : amp",
    "threshold": "v > V_th",
    "reset": "v = V_rest",
    "refractory": "t_ref",
    "method": "euler",
    "parameters": {"V_rest": "-70 mV", "V_th": "-38 mV", "R": "100 Mohm", "tau": "10 ms", "t_ref": "2 ms"},
    "initial": {"v": "-70 mV"},
}


def document(model: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    cell = {**CELL, **(model or {})}
    return {
        "models": {"cell": cell},
        "populations": {"A": {"model": "cell", "n": 3}, "B": {"model": "cell", "n": 3}},
        **more,
    }


def problems(doc: dict[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    """What both checks say, in the order in which a user meets them."""
    spec, _ = circuit(**doc)
    return check_models(spec) or check_network(spec, network(**doc))


def only(doc: dict[str, Any]) -> tuple[str, str]:
    """The one problem of a document: its path with dots, its message."""
    found = problems(doc)
    assert len(found) == 1, found
    path, message = found[0]
    return ".".join(map(str, path)), message


def projection(**rule: Any) -> dict[str, Any]:
    return document(projections={"P": {"from": "A", "to": "B", "connect": "all_to_all", **rule}})


def test_a_good_circuit_has_no_problems() -> None:
    rule = {"on_spike": "g += w*int(not_refractory)", "parameters": {"w": 1}}
    gap = {"expression": "k*(v_pre - v_post)", "target": "I_gap", "parameters": {"k": "1 nS"}}
    ends = {"from": "A", "to": "B", "connect": "all_to_all"}
    good = document(projections={"P": {**ends, **rule}}, continuous={"c": {**ends, **gap}})
    assert problems(good) == []


def test_equations_that_cannot_be_parsed() -> None:
    path, message = only(document({"equations": "dv/dt = (V_rest - v/tau : volt"}))
    assert path == "models.cell.equations"
    assert message.startswith("cannot be parsed:")


def test_an_unknown_parameter_with_the_nearest_name() -> None:
    found = problems(document({"parameters": {**CELL["parameters"], "tua": "5 ms"}}))
    assert (("models", "cell", "parameters", "tua"), "'tua' is not in the equations, did you mean 'tau'?") in found


def test_an_unknown_parameter_of_a_population() -> None:
    doc = document()
    doc["populations"]["A"]["parameters"] = {"V_rst": "-70 mV"}
    assert only(doc) == ("populations.A.parameters.V_rst", "'V_rst' is not in the equations, did you mean 'V_rest'?")


def test_an_unknown_initial_value() -> None:
    path, message = only(document({"initial": {"V": "-70 mV"}}))
    assert path == "models.cell.initial.V"
    assert "not in the equations" in message


def test_a_missing_value_is_told_where_it_is_missing() -> None:
    parameters = {k: v for k, v in CELL["parameters"].items() if k != "tau"}
    found = problems(document({"parameters": parameters}))
    assert [".".join(map(str, path)) for path, _ in found] == ["populations.A", "populations.B"]
    assert all(m == "the model 'cell' needs a value for 'tau' (it is in the equations)" for _, m in found)


def test_a_misspelt_value_is_both_unknown_and_missing_with_a_hint() -> None:
    parameters = {("taum" if k == "tau" else k): v for k, v in CELL["parameters"].items()}
    found = dict(problems(document({"parameters": parameters})))
    assert found["models", "cell", "parameters", "taum"] == "'taum' is not in the equations, did you mean 'tau'?"
    assert found["populations", "A"].endswith("needs a value for 'tau' (it is in the equations), did you mean 'taum'?")


@pytest.mark.parametrize(
    ("parameter", "value", "place"),
    [
        ("tau", "10 mV", "equations"),
        ("R", "100 MS", "equations"),
        ("V_th", "38 mA", "threshold"),
        ("t_ref", "2 mV", "refractory"),
    ],
)
def test_a_parameter_of_the_wrong_unit_shows_where_it_is_used(parameter: str, value: str, place: str) -> None:
    # nothing declares its unit: the equation in which it stands cannot be right
    path, message = only(document({"parameters": {**CELL["parameters"], parameter: value}}))
    assert path == f"models.cell.{place}"
    assert "unit" in message.lower() or "dimension" in message.lower()


def test_a_declared_variable_of_the_wrong_unit_names_both_units() -> None:
    path, message = only(document({"parameters": {**CELL["parameters"], "I_ext": "3 mV"}}))
    assert path == "models.cell.parameters.I_ext"
    assert message == "expected a current, e.g. '5 pA', got a voltage"


def test_one_parameter_has_one_unit_in_all_populations() -> None:
    doc = document()
    doc["populations"]["B"]["parameters"] = {"tau": "10 mV"}
    path, message = only(doc)
    assert path == "populations.B.parameters.tau"
    assert message.startswith("expected a time")


def test_a_unit_mismatch_inside_an_equation() -> None:
    path, message = only(document({"equations": CELL["equations"].replace("R*I_ext", "R*I_ext*g*amp")}))
    assert path == "models.cell.equations"
    assert "unit" in message.lower() or "dimension" in message.lower()


@pytest.mark.parametrize("threshold", ["v > V_th + 3", "v > V_th and", "V_th - v", "v > V_threshold"])
def test_a_bad_threshold(threshold: str) -> None:
    found = problems(document({"threshold": threshold}))
    assert found
    if "V_threshold" in threshold:
        # a name without a value: told as such, once a population; V_th is then left over
        assert all("V_threshold" in m or "V_th" in m for _, m in found)
    else:
        assert {".".join(map(str, path)) for path, _ in found} == {"models.cell.threshold"} and len(found) == 1


@pytest.mark.parametrize("reset", ["v = 3", "v = = V_rest", "v = V_rest; g += 1*mV"])
def test_a_bad_reset(reset: str) -> None:
    assert only(document({"reset": reset}))[0] == "models.cell.reset"


@pytest.mark.parametrize("statement", ["h += w", "g += weight"])
def test_a_spike_rule_with_an_unknown_name(statement: str) -> None:
    path, message = only(
        projection(on_spike=statement, **({"parameters": {"w": 1}} if "w" in statement.split() else {}))
    )
    assert path == "projections.P.on_spike"
    assert statement.split()[0 if statement[0] == "h" else 2] in message


def test_a_spike_rule_of_the_wrong_unit() -> None:
    path, message = only(projection(on_spike="g += w", parameters={"w": "1 nS"}))
    assert path == "projections.P.on_spike"
    assert "unit" in message.lower() or "dimension" in message.lower()


def test_an_unused_parameter_of_a_projection() -> None:
    path, message = only(projection(on_spike="g += w", parameters={"w": 1, "weigth": 2}))
    assert path == "projections.P.parameters.weigth"
    assert message.startswith("'weigth' is not used by the synapse")


@pytest.mark.parametrize(("call", "instead"), [("rand()", "uniform_draw()"), ("randn()", "normal_draw() or xi")])
def test_draws_that_depend_on_order_are_refused(call: str, instead: str) -> None:
    equations = CELL["equations"].replace("V_rest - v", f"V_rest - v + {call}*mV")
    assert only(document({"equations": equations})) == (
        "models.cell.equations", f"{call} is not reproducible here; use {instead}",
    )  # fmt: skip
    assert only(document({"reset": f"v = V_rest + {call}*mV"}))[0] == "models.cell.reset"


@pytest.mark.parametrize("call", ["rand()", "uniform_draw()"])
def test_draws_in_synapses_are_refused(call: str) -> None:
    path, message = only(projection(on_spike=f"g += int({call} < 0.5)"))
    assert path == "projections.P.on_spike"
    assert "not available in synapses" in message


def test_a_second_noise_term_by_name_is_refused() -> None:
    # Brian2 would draw xi_2 from its own generator, in the order of the neurons
    equations = CELL["equations"].replace(")/tau : volt", ")/tau + 1*mV*sqrt(1/tau)*xi_2 : volt")
    path, message = only(document({"equations": equations}))
    assert path == "models.cell.equations"
    assert message == "'xi_2': only one noise term, `xi`, is available; add further ones as normal_draw()/sqrt(dt)"


def test_the_exact_method_refuses_a_nonlinear_equation() -> None:
    equations = CELL["equations"].replace("V_rest - v", "V_rest - v**2/mV")
    path, message = only(document({"equations": equations, "method": "exact"}))
    assert path == "models.cell.method"
    assert "linear" in message.lower()


def test_names_that_the_program_needs_are_refused() -> None:
    path, message = only(document({"equations": CELL["equations"] + "\nalive : 1"}))
    assert (path, message) == ("models.cell.equations", "the name 'alive' is used by cosim itself")


def test_a_population_that_does_not_spike_has_no_projection() -> None:
    doc = projection(on_spike="g += 1")
    doc["models"]["graded"] = {"equations": "du/dt = -u/ms : 1"}
    doc["populations"]["A"]["model"] = "graded"
    assert only(doc) == ("projections.P.from", "population 'A' does not spike; use `continuous`")


CONTINUOUS = {
    "from": "A",
    "to": "B",
    "connect": "all_to_all",
    "expression": "k*v_pre",
    "target": "I_gap",
    "parameters": {"k": "1 nS"},
}


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"target": "I_gp"}, "target", "population 'B' declares no input variable 'I_gp', did you mean 'I_gap'?"),
        ({"target": "v"}, "target", "population 'B' declares no input variable 'v'"),
        ({"expression": "k*u_pre"}, "expression", "u_pre"),
        ({"expression": "v_pre", "parameters": {}}, "expression", "unit"),
    ],
)
def test_a_continuous_projection_that_does_not_fit(change: dict[str, Any], place: str, words: str) -> None:
    path, message = only(document(continuous={"c": {**CONTINUOUS, **change}}))
    assert path == f"continuous.c.{place}"
    assert words in message


def test_a_projection_and_a_continuous_one_may_not_share_a_name() -> None:
    rule = {"from": "A", "to": "B", "connect": "all_to_all", "on_spike": "g += 1"}
    with pytest.raises(ValueError, match="'c' is the name of a projection too"):
        circuit(**document(projections={"c": rule}, continuous={"c": CONTINUOUS}))
