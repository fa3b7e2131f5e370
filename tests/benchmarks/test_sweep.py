"""The benchmark of sweeps compares like with like: both ways have the same network and lesions, and find the same."""

import contextlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import prefs

from cosim.bench import sweep
from cosim.bench.published import trial
from cosim.bench.sweep_page import page, wanted
from cosim.cli import main
from cosim.errors import UserError
from cosim.neural.toolchain import has_compiler
from cosim.sweep.load import load_sweep, network_of

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")
needs_joblib = pytest.mark.skipif(importlib.util.find_spec("joblib") is None, reason="joblib is not installed")

LESIONS = f"""\
cosim: sweep/1
name: few
extends: {sweep.LESIONS}
set:
  circuit.populations.brain.n: 400
  circuit.projections.brain_brain.connect.degrees.edges: 8000
  circuit.projections.feeding_brain.connect.degrees.edges: 1000
  circuit.projections.brain_feeding.connect.degrees.edges: 1000
  duration: 0.5 s
ablate: {{feeding: {{each: {{population: feeding, neurons: [0, 7]}}}}}}
"""
SWIM = f"""\
cosim: sweep/1
name: strokes
extends: {sweep.SWIM}
set: {{duration: 100 ms, transient: 0 s}}
vary: {{wires.stretch.delay: [0 ms, 5 ms], feedback_strength: [0]}}
measure: [rate_MN]
"""


@pytest.fixture(scope="module")
def lesions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("few") / "few.yaml"
    file.write_text(LESIONS, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def result(lesions: Path) -> dict[str, Any]:
    (lesions.parent / "strokes.yaml").write_text(SWIM, encoding="utf-8")
    # Brian2 reads it from the working directory: compiling takes longer than all the rest
    (lesions.parent / "brian_preferences").write_text("codegen.target = 'numpy'\n", encoding="utf-8")
    with contextlib.chdir(lesions.parent):
        found: dict[str, Any] = {
            "efficiency": sweep.efficiency(1, lambda text: None, lesions.parent / "strokes.yaml"),
            "published": sweep.published(1, lambda text: None, lesions),
        }
    return {
        "command": "cosim bench sweep", "date": "today", "machine": {"processor": "p", "cores": 2, "system": "s"},
        "versions": {"brian2": "2.9"}, "load": [0.0, 0.0], "rounds": 1, "skipped": [], "wanted": wanted(found), **found,
    }  # fmt: skip


@needs_compiler
@needs_joblib
def test_both_ways_do_the_same_work(result: dict[str, Any]) -> None:
    # other noise: the same rates only roughly; fails where weights, delays or inputs are not those of the other
    found = result["published"]
    assert found["runs"] == 3
    assert found["rates"]["cosim"].keys() == found["rates"]["published"].keys() == {"rate_motor", "rate_feeding"}
    assert found["neurons"] == 21 + 340 + 40 + 400 + 40
    for name, rate in found["rates"]["cosim"].items():
        assert rate > 1
        assert found["rates"]["published"][name] == pytest.approx(rate, rel=0.15), name


@needs_compiler
@needs_joblib
def test_the_page_says_what_was_wanted_and_found(result: dict[str, Any]) -> None:
    text = page(result)
    order = ["p, 2 cores", "brian2 2.9", "## 3 lesions of 841 neurons with ", "joblib and Brian2 / cosim",
             "## 2 runs of salamander_swim, 0.1 s each", "% of it", "## Wanted and found", "at least 5"]  # fmt: skip
    at = [text.index(part) for part in order]
    assert at == sorted(at)
    found = result["efficiency"]
    ratio = found["seconds"]["one worker"]["median"] / found["seconds"]["two workers"]["median"] / 2
    assert found["efficiency"]["median"] == pytest.approx(ratio, rel=1e-12)
    assert 0 < sum(found["overhead"][part]["median"] for part in sweep._PARTS) < found["overhead"]["all"]["median"]


def test_the_same_network_and_lesions_are_handed_over(lesions: Path, tmp_path: Path) -> None:
    few = load_sweep(lesions)
    network = network_of(few.base)
    assert network is not None
    count = sweep._write(few, network, tmp_path)
    edges, facts = np.load(tmp_path / "edges.npz"), json.loads((tmp_path / "trials.json").read_text())
    own = [one for one in network.projections.values() if one.name not in few.base.spec.drives]
    assert count == len(edges["pre"]) == sum(len(one.edges(0, network.populations[one.target].n)) for one in own)
    assert edges["pre"].max() < facts["n"] == network.n
    first = network.populations["feeding"].first
    assert facts["trials"] == [[], [first], [first + 7]]
    sensory = network.populations["sensory"]
    assert facts["driven"] == list(range(sensory.first, sensory.last))
    # one edge, found by its ends
    feeding = network.projections["sensory_feeding"]
    one = feeding.edges(0, network.populations["feeding"].n)
    here = (edges["pre"] == one.pre[5] + sensory.first) & (edges["post"] == one.post[5] + first)
    assert one.parameters["w"][5] in edges["w"][here]


def test_a_silenced_neuron_reaches_nobody_in_the_published_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # a chain of three: without the first one's weight the second is silent
    monkeypatch.setitem(prefs, "codegen.target", "numpy")
    np.savez(tmp_path / "edges.npz", pre=[0, 1], post=[1, 2], w=[0.07, 0.07])
    facts = {"n": 3, "driven": [0], "measured": {"first": [0, 1], "last": [2, 3]}}
    (tmp_path / "trials.json").write_text(json.dumps(facts))
    intact, lesion = trial(tmp_path, [], 0.2), trial(tmp_path, [0], 0.2)
    assert intact["last"] > 20
    assert lesion["first"] > 20 and lesion["last"] == 0


def test_targets_are_reached_on_their_side_of_the_bound() -> None:
    def reached(ratio: float, efficiency: float, overhead: float) -> list[bool]:
        found = {
            "published": {"ratio": {"median": ratio}},
            "efficiency": {"efficiency": {"median": efficiency}, "overhead": {"all": {"median": overhead}}},
        }
        return [one["reached"] for one in wanted(found)]

    assert reached(5.0, 0.9, 0.1) == [True, True, True]
    assert reached(4.9, 0.89, 0.11) == [False, False, False]


def test_what_cannot_be_measured_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="'publisht' cannot be measured; there are published, efficiency"):
        sweep.run(["publisht"])
    assert main(["bench", "sweep", "--quick"]) == 2
    assert "'sweep' has no quick measurement" in capsys.readouterr().err
