"""The whole-brain model: exact facts on a miniature of the published tables' form, published figures on the tables."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import cosim
from cosim.connectome.store import absent, describe
from cosim.graph.build import build
from cosim.spec.check import parts_of

EXPERIMENT = Path(__file__).parents[1] / "run/fly_brain_sugar.yaml"
TASTE = yaml.safe_load(EXPERIMENT.read_text(encoding="utf-8"))["drives"]["sugar"]["to"]["cells"]
MN9 = 720575940660219265
INTER = list(range(1, 13))
IDS = [*TASTE, MN9, *INTER, *range(100, 400)]
PLACE = {cell: row for row, cell in enumerate(IDS)}
W = 0.275e-3  # V, of one synapse
Edge = tuple[int, int, int]
Run = Callable[..., cosim.Result]


def pathway() -> list[Edge]:
    """Every taste neuron onto three of twelve interneurons, these onto MN9; and a brain that has no part in it."""
    edges = [(cell, INTER[(k + 4 * j) % 12], 25) for k, cell in enumerate(TASTE) for j in range(3)]
    edges += [(cell, MN9, 15) for cell in INTER]
    random = np.random.default_rng(1)
    others = random.permutation(300 * 299)[:2000]
    edges += [(100 + pair // 299, 100 + (pair // 299 + 1 + pair % 299) % 300, int(random.choice([-2, 1, 3])))
              for pair in others.tolist()]  # fmt: skip
    return edges


def write(folder: Path, edges: list[Edge]) -> None:
    """Tables with the columns that the authors publish (the edges as CSV), under the name of the release."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Completeness_783.csv").write_text(",Completed\n" + "".join(f"{cell},True\n" for cell in IDS))
    header = "Presynaptic_ID,Postsynaptic_ID,Presynaptic_Index,Postsynaptic_Index,Connectivity,Excitatory"
    rows = [f"{pre},{post},{PLACE[pre]},{PLACE[post]},{abs(n)},{np.sign(n)},{n}" for pre, post, n in edges]
    (folder / "Connectivity_783.csv").write_text("\n".join([f"{header},Excitatory x Connectivity", *rows, ""]))
    document = {
        "cosim": "connectome/1", "name": "flywire_783", "source": "this test", "licence": "none needed",
        "files": {"Completeness_783.csv": {}, "Connectivity_783.csv": {}},
        "nodes": {"file": "Completeness_783.csv", "id": ""},
        "edges": {"file": "Connectivity_783.csv", "pre": "Presynaptic_Index", "post": "Postsynaptic_Index",
                  "by": "index", "signed_count": "Excitatory x Connectivity"},
    }  # fmt: skip
    (folder / "dataset.yaml").write_text(yaml.safe_dump(document))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., cosim.Experiment]:
    """The shipped experiment, 150 ms of it, on a small brain in place of the downloaded one."""

    def experiment(edges: list[Edge] | None = None, **changes: Any) -> cosim.Experiment:
        monkeypatch.setenv("COSIM_ZOO", str(tmp_path))
        write(tmp_path / "connectomes/flywire_783", pathway() if edges is None else edges)
        return cosim.load(EXPERIMENT, {"duration": "150 ms", **changes})

    return experiment


@pytest.fixture
def run(small: Callable[..., cosim.Experiment], tmp_path: Path) -> Run:
    """Run it; the result."""
    number = count()

    def result(edges: list[Edge] | None = None, **changes: Any) -> cosim.Result:
        return small(edges, **changes).run(out=tmp_path / f"result_{next(number)}", backend="numpy")

    return result


def spikes(result: cosim.Result, population: str = "neurons") -> dict[int, list[int]]:
    """Network steps in which each neuron spikes."""
    times, ids = result.spikes(population)
    found: dict[int, list[int]] = {}
    for step, neuron in zip(np.rint(times / 1e-4).astype(int).tolist(), ids.tolist(), strict=True):
        found.setdefault(neuron, []).append(step)
    return found


def test_one_spike_gives_the_potential_that_the_equations_have(small: Callable[..., cosim.Experiment]) -> None:
    # 8 excitatory and 3 inhibitory synapses of one neuron that is made to spike in the first step
    experiment = small([(100, 101, 8), (100, 102, -3)], sugar="0 Hz")
    with experiment.open(backend="numpy") as simulation:
        v = simulation.state("neurons", "v")
        v[PLACE[100]] = 0.0
        for tick in range(1, 40):
            simulation.step()
            # delivered at the end of step 18; the tick ends with step 10 tick - 1
            since = max((10 * tick - 19) * 1e-4, 0.0)
            rise = 5e-3 / (20e-3 - 5e-3) * (np.exp(-since / 20e-3) - np.exp(-since / 5e-3))
            for cell, count in ((101, 8), (102, -3), (103, 0)):
                assert v[PLACE[cell]] == pytest.approx(-52e-3 + count * W * rise, abs=1e-15)
        assert v[PLACE[100]] == pytest.approx(-52e-3, abs=1e-15)  # reset, nothing has come back


def test_a_driven_neuron_spikes_with_every_poisson_spike(run: Run) -> None:
    # without refractory time: one step after the delay of 18 steps; the reset takes what arrives in the step of a spike
    result = run([(100, 101, 1)])
    sent, answered = spikes(result, "sugar"), spikes(result)
    assert sorted(answered) == list(range(20)) == [PLACE[cell] for cell in TASTE]
    for source, steps in sent.items():
        expected: list[int] = []
        for step in steps:
            if step + 19 < 1500 and step + 18 not in expected[-1:]:
                expected.append(step + 19)
        assert answered[source] == expected
    assert sum(map(len, sent.values())) == pytest.approx(20 * 100 * 0.15, abs=4 * np.sqrt(300))


def test_others_are_refractory_for_2_2_ms(run: Run) -> None:
    # any arrival suffices and nearly every step has one: within 22 steps they are lost, then a spike takes one more
    steps = spikes(run([(cell, 100, 20_000) for cell in TASTE], sugar="1000 Hz"))[PLACE[100]]
    assert np.diff(steps).min() == 23 and np.median(np.diff(steps)) == 23


def test_mn9_answers_sugar_and_not_in_a_shuffled_brain(run: Run) -> None:
    intact = run()
    assert intact.metrics["rate_MN9"] > 20
    assert intact.metrics["active_neurons"] == 20 + 12 + 1
    trace = intact.trace("state/neurons/v")
    assert [str(label) for label in trace.labels[0]] == [str(PLACE[MN9])] and trace.values.max() <= -45e-3
    shuffled = run(**{"circuit.projections.chemical.connect.shuffle": "degree_preserving"})
    assert shuffled.metrics["rate_MN9"] == 0 and shuffled.metrics["rate_neurons"] > 0


def test_silencing_is_for_all_others_what_zero_weights_are(run: Run) -> None:
    # the authors set the weights that leave a silenced neuron to zero and let it spike; here it does not spike
    intact = run()
    gone = INTER[:8]
    silenced = run(ablate=[{"silence": "neurons", "where": {"cells": gone}}])
    weightless = run([edge for edge in pathway() if edge[0] not in gone])
    rows = {PLACE[cell] for cell in gone}
    one, other = spikes(silenced), spikes(weightless)
    assert not rows & one.keys() and rows <= other.keys()
    assert one == {neuron: steps for neuron, steps in other.items() if neuron not in rows}
    assert silenced.metrics["rate_MN9"] < 0.5 * intact.metrics["rate_MN9"]


def test_parquet_as_published_gives_the_same_spikes(run: Run, tmp_path: Path) -> None:
    csv, parquet = pytest.importorskip("pyarrow.csv"), pytest.importorskip("pyarrow.parquet")
    expected = run(duration="50 ms").manifest["hashes"]["spikes"]
    folder = tmp_path / "connectomes/flywire_783"
    parquet.write_table(csv.read_csv(folder / "Connectivity_783.csv"), folder / "Connectivity_783.parquet")
    descriptor = folder / "dataset.yaml"
    descriptor.write_text(descriptor.read_text().replace("Connectivity_783.csv", "Connectivity_783.parquet"))
    result = cosim.load(EXPERIMENT, {"duration": "50 ms"}).run(out=tmp_path / "other", backend="numpy")
    assert result.manifest["hashes"]["spikes"] == expected


RELEASES = [("fly_brain_sugar_630", "flywire_630"), ("fly_brain_sugar", "flywire_783")]


@pytest.mark.parametrize(("experiment", "release"), RELEASES)
def test_mn9_fires_as_published(experiment: str, release: str, tmp_path: Path) -> None:
    """Shiu et al.: 67.0 Hz at 100 Hz drive, SD 6.6 of 30 trials; the band is three standard errors of their mean."""
    missing = absent(describe(release))
    if missing:
        pytest.skip(f"the data of {release} are not in $COSIM_DATA ({', '.join(missing)}): cosim fetch {release}")
    rates = []
    for seed in range(1, 31):
        result = cosim.load(experiment).run(seed=seed, out=tmp_path / "run", force=True)
        rates.append(result.metrics["rate_MN9"])
    assert 63.4 <= np.mean(rates) <= 70.6


SMALL = {
    "circuit.populations.brain.n": 3000, "circuit.projections.brain_brain.connect.degrees.edges": 120_000,
    "circuit.projections.feeding_brain.connect.degrees.edges": 10_000,
    "circuit.projections.brain_feeding.connect.degrees.edges": 10_000, "duration": "300 ms",
}  # fmt: skip


def test_the_synthetic_brain_pulls_its_lever_when_there_is_sugar(tmp_path: Path) -> None:
    def lever(name: str, **changes: Any) -> tuple[cosim.Result, float]:
        result = cosim.load("fly_brain_synthetic", {**SMALL, **changes}).run(out=tmp_path / name, backend="numpy")
        return result, float(np.degrees(result.trace("body/joint_angle").values[:, 0].max()))

    fed, angle = lever("fed")
    assert 300 < sum(fed.metrics[f"active_{name}"] for name in ("sensory", "feeding", "motor")) <= 401
    assert fed.metrics["rate_feeding"] > 10 and angle > 2
    unfed, _ = lever("unfed", sugar="0 Hz")
    assert unfed.metrics["rate_feeding"] == 0
    _, alone = lever("cut", ablate=[{"cut": "feeding_motor"}])
    assert alone < angle / 2


def test_the_synthetic_brain_has_the_size_and_the_degrees_that_its_readme_says() -> None:
    parts = parts_of(cosim.load("fly_brain_synthetic").loaded)
    circuit = parts.circuit
    assert circuit is not None
    dealt = [one.connect.degrees.edges for one in circuit.projections.values() if one.connect.degrees]
    assert sum(dealt) == pytest.approx(15_091_983, rel=0.01)
    network = build(circuit, seed=1, dt=1e-4, parameters=parts.circuit_parameters, folder=parts.circuit_folder)
    assert sum(one.n for one in network.populations.values() if one.model == "lif") == 138_639
    rows = network.projections["brain_brain"].edges(40_000, 44_000)
    degrees = np.bincount(rows.post - 40_000)
    assert degrees.mean() == pytest.approx(108.5, abs=4 * 175 / np.sqrt(4000)) and np.median(degrees) < 65
    count = np.abs(rows.parameters["w"]) / W
    assert count == pytest.approx(np.rint(count)) and count.mean() == pytest.approx(3.61, rel=0.03)
    assert (count >= 5).mean() == pytest.approx(0.179, abs=0.005)
    assert (rows.parameters["w"] > 0).mean() == pytest.approx(0.6, abs=0.01)
