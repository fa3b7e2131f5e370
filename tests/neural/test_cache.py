"""The build cache: one compilation for a whole study, nothing damaged is loaded, one process builds at a time."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.cli import main
from cosim.errors import CosimError, UserError
from cosim.graph.lesion import Lesions
from cosim.neural import answers, cache, choose, equations, limits, toolchain
from cosim.neural.compiled import CompiledBackend
from tests.graph.helpers import network
from tests.neural.circuits import join, lif, recurrent, two

pytestmark = pytest.mark.skipif(not toolchain.has_compiler(), reason="no C++ compiler")


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(path))
        yield path


def run(document: dict[str, Any], seed: int = 1, lesions: Lesions | None = None) -> CompiledBackend:
    backend = CompiledBackend(network(**document, seed=seed, lesions=lesions), 10)
    for _ in range(3):
        backend.advance()
    return backend


def test_one_compilation_serves_a_whole_study(monkeypatch: pytest.MonkeyPatch) -> None:
    # fails if sizes, delays, weights, seeds, parameter values, initial values or lesions are text in the code
    started: list[Any] = []
    real = subprocess.run

    def spy(command: Any, *args: Any, **more: Any) -> Any:
        started.append(command)
        return real(command, *args, **more)

    monkeypatch.setattr(subprocess, "run", spy)
    run(two())
    compilations = [c for c in started if "-shared" in c]
    assert len(compilations) == 1
    started.clear()
    sizes, delays, weights = two(), two(), two()
    for population, n in zip(sizes["populations"].values(), (3, 111, 1), strict=True):
        population["n"] = n
    for projection in delays["projections"].values():
        projection["delay"] = "0 ms"
    for projection in weights["projections"].values():
        projection["parameters"] = {"w": "0.02"}
    model = {"parameters": {"tau": "20 ms", "tau_g": "1 ms", "I": {"normal": [1.4, 0]}}, "initial": {"v": "0.1"}}
    values = two(models={name: {**m, **model} for name, m in two()["models"].items()})
    backends = [run(document) for document in (sizes, delays, weights, values)]
    backends += [run(two(), seed=seed) for seed in (2, 3)]
    backends += [
        run(two(), lesions=lesions)
        for lesions in (
            Lesions(cut=frozenset({"AB"})),
            Lesions(cut=frozenset({"AB", "BA", "KA", "AK", "KB", "inhibition"})),
            Lesions(cut_later=frozenset({"AB", "inhibition"})),
            Lesions(transect_later=True),
        )
    ]
    backends[0].silence("A", np.array([0]))
    assert started == []
    assert len({backend.entry.path for backend in backends}) == 1


@pytest.mark.parametrize("damage", ["truncate", "foreign", "manifest", "gone", "layout"])
def test_a_damaged_entry_is_built_again(damage: str) -> None:
    document = recurrent(lif(), n=5)
    entry = run(document).entry
    library, manifest = entry.path / "network.so", entry.path / "manifest.json"
    if damage == "truncate":
        content = library.read_bytes()
        library.unlink()  # the old file stays as it is for the process that has it loaded
        library.write_bytes(content[: len(content) // 2])
    elif damage == "foreign":
        library.unlink()
        library.write_bytes(Path(sys.executable).resolve().read_bytes()[:50_000])
    elif damage == "manifest":
        manifest.write_text("{", encoding="utf-8")
    elif damage == "gone":
        library.unlink()
    else:
        (entry.path / "layout.json").write_text(json.dumps({"arrays": []}), encoding="utf-8")
    again = run(document)
    assert again.entry.built and again.entry.path == entry.path
    assert not run(document).entry.built
    assert [p.name for p in cache.folder().iterdir() if p.name.startswith("building-")] == []


PROCESS = """
import sys
from tests.neural.circuits import lif, recurrent
from tests.graph.helpers import network
from cosim.neural.compiled import CompiledBackend
backend = CompiledBackend(network(**recurrent(lif(threshold="v > 1.01"), n=20)), 10, say=print)
for _ in range(50):
    backend.advance()
print("BUILT", backend.entry.built, sum(v.sum() for v in backend.state().values()))
"""


def test_of_processes_that_start_together_one_builds_and_the_others_wait() -> None:
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
    }
    running = [
        subprocess.Popen([sys.executable, "-c", PROCESS], stdout=subprocess.PIPE, text=True, env=env) for _ in range(3)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    results = [out.splitlines()[-1].split() for out in outputs]
    assert sorted(built for _, built, _ in results) == ["False", "False", "True"]
    assert len({total for _, _, total in results}) == 1
    assert sum("compiling the network" in out for out in outputs) == 1


def test_a_compiler_that_fails_is_told_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken-g++"
    broken.write_text("#!/bin/sh\necho 'x.cpp:1:1: error: out of order' >&2\nexit 1\n", encoding="ascii")
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(CosimError, match="error: out of order"):
        run(recurrent(lif(), n=2))
    assert cache.entries() == []


def test_without_a_compiler_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (choose, limits):
        monkeypatch.setattr(module, "has_compiler", lambda: False)
    said: list[str] = []
    backend = choose.choose("auto", said.append)(network(**recurrent(lif(), n=2)), 10)
    assert backend.name == "runtime (numpy)"
    refusal = (
        "the compiled backend cannot do this (no compiler): the network's own code is compiled on this machine, which "
        "needs a C++ compiler (g++ or clang++)"
    )
    assert said == [f"the network runs on the slower backend 'numpy': {refusal}"]
    with pytest.raises(UserError) as caught:
        choose.choose("compiled")
    assert str(caught.value) == refusal
    with pytest.raises(UserError, match="the runtime backend needs"):
        choose.choose("runtime")
    with pytest.raises(UserError, match="no backend 'gpu'"):
        choose.choose("gpu")


def test_list_and_clear(capsys: pytest.CaptureFixture[str]) -> None:
    entry = run(recurrent(lif(), n=5, projections={"x": join("A", "A")})).entry
    equations.read("dx/dt = -x/(7*ms) : 1")
    assert main(["cache", "list"]) == 0
    out = capsys.readouterr().out
    assert entry.path.name[:12] in out and "answers of Brian2 about equations" in out
    assert main(["cache", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    listed, answered = found["entries"], found["equations"]
    assert answered["folder"] == str(answers.folder())
    assert answered["answers"] == len(answers.sizes()) > 0 and answered["bytes"] == sum(answers.sizes()) > 0
    assert {"key", "models", "bytes", "seconds", "built", "whole"} == set(listed[0])
    assert all(one["whole"] for one in listed)
    assert main(["cache", "clear"]) == 0
    assert "freed" in capsys.readouterr().out
    assert cache.entries() == [] and not entry.path.exists() and answers.sizes() == []
    assert run(recurrent(lif(), n=5)).entry.built


def test_what_the_compiled_backend_cannot_do_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = set()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        with pytest.raises(UserError, match=r"\(not Linux: win32\)"):
            choose.choose("compiled")
        refused.add("not Linux")
    with monkeypatch.context() as patch:
        patch.setattr(limits, "has_compiler", lambda: False)
        with pytest.raises(UserError, match=r"\(no compiler\)"):
            choose.choose("compiled")
        refused.add("no compiler")
    with monkeypatch.context() as patch:
        patch.setattr("cosim.neural.arrays.MOST_SYNAPSES", 3)
        with pytest.raises(UserError, match="too many: synapses between two models are numbered with 32 bits"):
            run(recurrent(lif(), n=20))
        refused.add("too many synapses")
    assert refused == set(limits.LIMITS)


def test_the_documentation_lists_what_the_compiled_backend_cannot_do() -> None:
    text = (Path(__file__).parents[2] / "docs/compiled.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    assert dict(rows) == limits.LIMITS  # type: ignore[arg-type]


def test_code_written_by_another_version_is_not_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    # cosim was replaced while this process ran: its name for the program must not come to stand for the other's code
    monkeypatch.setattr(cache, "own_code", lambda: "old")
    with pytest.raises(CosimError, match="has changed on disk"):
        run(recurrent(lif(threshold="v > 1.02"), n=2))
