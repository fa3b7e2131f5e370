"""What a sweep's document expands to: every value, arm and seed, exactly."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from cosim.sweep.check import check
from cosim.sweep.load import Sweep, load_sweep
from cosim.sweep.plan import Changes, Plan, plan
from tests.sweep.documents import SWEEP, write

HEAD = "cosim: sweep/1\nname: s\nexperiment: stretch_reflex\n"


pytestmark = pytest.mark.usefixtures("here")


def sweep(text: str) -> Sweep:
    return load_sweep(write(Path.cwd(), text))


def values(text: str) -> list[list[str]]:
    """The values of every axis."""
    return [axis.texts for axis in sweep(HEAD + text).axes]


def places(found: Sweep) -> list[tuple[str | None, ...]]:
    return [
        tuple(axis.texts[point[k]] if k in point else None for k, axis in enumerate(found.axes))
        for point in found.points
    ]


def test_the_whole_plan_in_order() -> None:
    found = plan(sweep(SWEEP))
    arms = ["intact", "Ia 0.5", "late", "intact+shuffled"]
    assert [arm.name for arm in found.sweep.arms] == arms
    assert found.sweep.seeds == (1, 2)
    wanted = list(itertools.product(["5 ms", "10 ms"], ["1", "2"], arms, [1, 2]))
    assert [(*places_of(found, run.point), run.arm, run.seed) for run in found.runs] == wanted
    assert [run.name for run in found.runs] == [f"{k:04d}" for k in range(32)]
    assert len({run.hash for run in found.runs}) == 32


def places_of(found: Plan, point: dict[int, int]) -> list[str]:
    return [found.sweep.axes[number].texts[index] for number, index in point.items()]


@pytest.mark.parametrize(
    ("axis", "wanted"),
    [
        ("[1, 2.5, 1e-3]", ["1", "2.5", "0.001"]),
        ("{linspace: [0 ms, 60 ms, 7]}", ["0 ms", "10 ms", "20 ms", "30 ms", "40 ms", "50 ms", "60 ms"]),
        ("{linspace: [0, 0.1 s, 3]}", ["0 s", "0.05 s", "0.1 s"]),
        ("{linspace: [10 ms, 0.02 s, 2]}", ["0.01 s", "0.02 s"]),
        ("{linspace: [2*10 ms, 40 ms, 2]}", ["0.02 s", "0.04 s"]),
        ("{linspace: [10 ms, 20 ms, 1]}", ["10 ms"]),
        ("{logspace: [1 ms, 100 ms, 3]}", ["1 ms", "10 ms", "100 ms"]),
    ],
)
def test_values_of_an_axis(axis: str, wanted: list[str]) -> None:
    text = f"vary: {{wires.motor.delay: {axis}}}\n"
    if "[1, " in axis:
        text = f"vary: {{circuit.projections.Ia_MN.gain: {axis}}}\n"
    assert values(text) == [wanted]


def test_si_values_and_units_of_axes() -> None:
    text = "vary:\n  wires.motor.delay: [0, 20 ms]\n  circuit.projections.Ia_MN.gain: [1, 2]\n"
    first, second, third = sweep(HEAD + text + "  body: [lever, ./x/body.yaml]\n").axes
    assert (first.si, first.unit) == ([0.0, 0.02], "s")
    assert (second.si, second.unit) == ([1.0, 2.0], "1")
    assert (third.si, third.unit) == (None, None)


def test_random_values_depend_on_seed_and_path_only() -> None:
    one = "wires.motor.delay: {random: {uniform: [10 ms, 20 ms]}, n: 4}\n"
    other = "wires.spindle_static.delay: {random: {normal: [30 ms, 2 ms]}, n: 3}\n"
    alone, both = values(f"vary:\n  {one}"), values(f"vary:\n  {other}  {one}")
    assert both[1] == alone[0]
    assert values(f"seed: 2\nvary:\n  {one}") != alone
    assert all(text.endswith(" ms") and 10 <= float(text.split()[0]) <= 20 for text in alone[0])
    assert len(set(alone[0])) == 4


def test_a_latin_hypercube_has_one_value_in_every_part() -> None:
    found = sweep(
        HEAD + "design: {latin_hypercube: 8}\nvary:\n  wires.motor.delay: {random: {uniform: [0 ms, 80 ms]}}\n"
        "  circuit.projections.Ia_MN.gain: [1, 2]\n"
    )
    delays, gains = zip(*places(found), strict=True)
    assert sorted(int(float(str(text).split()[0]) // 10) for text in delays) == list(range(8))
    assert sorted(map(str, gains)) == ["1"] * 4 + ["2"] * 4
    assert list(delays) != sorted(delays, key=lambda text: float(str(text).split()[0]))


def test_zip_and_random_designs_and_several_designs() -> None:
    text = "  wires.motor.delay: [1 ms, 2 ms, 3 ms]\n  circuit.projections.Ia_MN.gain: [1, 2, 1]\n"
    assert places(sweep(HEAD + f"design: zip\nvary:\n{text}")) == [("1 ms", "1"), ("2 ms", "2"), ("3 ms", "1")]
    drawn = places(sweep(HEAD + f"design: {{random: 50}}\nvary:\n{text}"))
    assert len(drawn) == 50
    assert {delay for delay, _ in drawn} == {"1 ms", "2 ms", "3 ms"}
    blocks = (
        "vary:\n  - wires.motor.delay: [1 ms, 2 ms]\n"
        "  - {wires.motor.delay: [3 ms, 1 ms], circuit.projections.Ia_MN.gain: [2]}\n"
    )
    assert places(sweep(HEAD + blocks)) == [("1 ms", None), ("2 ms", None), ("3 ms", "2"), ("1 ms", "2")]


def test_arms_of_every_form() -> None:
    found = sweep(
        HEAD + "set: {circuit.populations.MN.n: 2, record.state: {}}\nablate:\n  intact: []\n"
        "  both: [{silence: IN}, {cut: Ia_MN}]\n"
        "  one: {silence: IN, at: 1 s}\n  part: {silence: IN, fraction: {linspace: [0.2, 0.6, 3]}}\n"
        "  nerve: {cut: [wires.motor, Ia_IN]}\n  MN: {each: {population: MN, side: extensor}, at: 1 s}\n"
        "control: {shuffle: degree_preserving, arms: [intact, both], projections: [Ia_MN]}\n"
    )
    lesions = {arm.name: [node.plain() for node in arm.ablations] for arm in found.arms}
    assert list(lesions) == [
        "intact", "both", "one", "part 0.2", "part 0.4", "part 0.6", "nerve wires.motor", "nerve Ia_IN", "MN 2", "MN 3",
        "intact+shuffled", "both+shuffled",
    ]  # fmt: skip
    assert lesions["both"] == lesions["both+shuffled"] == [{"silence": "IN"}, {"cut": "Ia_MN"}]
    assert lesions["part 0.4"] == [{"silence": "IN", "fraction": "0.4"}]
    assert lesions["MN 3"] == [{"silence": "MN", "where": {"neurons": [3]}, "at": "1 s"}]
    shuffled = {arm.name: [one.path for one in arm.changes] for arm in found.arms}
    assert shuffled["both+shuffled"] == [("circuit", "projections", "Ia_MN", "connect", "shuffle")]
    assert shuffled["both"] == []


def test_a_run_is_what_is_set_then_its_arm_then_its_values() -> None:
    found = plan(sweep(SWEEP))
    run = next(run for run in found.runs if run.arm == "late" and run.seed == 2)
    changes = dict(map(tuple, Changes(found.sweep).of(run)))
    assert list(changes)[:2] == ["duration", "transient"]
    assert list(changes)[-3:] == ["ablate", "wires.motor.delay", "circuit.projections.Ia_MN.gain"]
    assert changes["ablate"] == [{"cut": "Ia_MN", "at": "25 ms"}, {"cut": "wires.spindle_static"}]


def test_the_experiments_own_lesions_come_first() -> None:
    write(Path.cwd(), "cosim: experiment/1\nname: cut\nextends: stretch_reflex\nablate: [{cut: Ia_IN}]\n", "cut")
    text = SWEEP.replace("experiment: stretch_reflex", "experiment: cut")
    found = plan(sweep(text))
    run = next(run for run in found.runs if run.arm == "Ia 0.5")
    assert dict(Changes(found.sweep).of(run))["ablate"] == [{"cut": "Ia_IN"}, {"silence": "Ia", "fraction": 0.5}]


def test_a_hash_is_of_what_decides_a_run() -> None:
    def hashes(text: str) -> dict[tuple[object, ...], str]:
        found = plan(sweep(text))
        return {(*places_of(found, run.point), run.arm, run.seed): run.hash for run in found.runs}

    before = hashes(SWEEP)
    longer = hashes(SWEEP.replace("[5 ms, 10 ms]", "[2 ms, 5 ms, 10 ms]").replace("repeat: 2", "repeat: 3"))
    assert all(longer[key] == one for key, one in before.items())
    assert hashes(SWEEP.replace("A sweep for tests", "Another title")) == before
    other = hashes(SWEEP.replace("n: 40", "n: 41"))
    assert not set(other.values()) & set(before.values())


def test_extends_keeps_what_it_does_not_say() -> None:
    write(Path.cwd())
    small = write(
        Path.cwd(), "cosim: sweep/1\nextends: tiny\nname: small\nset: {duration: 40 ms}\n"
        "vary: {wires.motor.delay: [5 ms], circuit.projections.Ia_MN.gain: null}\nrepeat: [7]\n", "small",
    )  # fmt: skip
    found = load_sweep(small)
    assert places(found) == [("5 ms",)]
    assert found.seeds == (7,)
    assert [arm.name for arm in found.arms] == ["intact", "Ia 0.5", "late", "intact+shuffled"]
    assert found.base.spec.duration == 0.04
    assert found.base.spec.perturb["tap"].at == 0.01


def test_runs_that_share_a_network_are_told() -> None:
    found = sweep(SWEEP)
    groups = check(found)
    keys = {
        (index, arm): groups.of(point, arm, 1)
        for index, point in enumerate(found.points)
        for arm in ("intact", "Ia 0.5", "late", "intact+shuffled")
    }
    # the delay of a wire and silenced neurons change no array of the network; gain, cuts and shuffles do
    assert keys[0, "intact"] == keys[2, "intact"] == keys[0, "Ia 0.5"]
    different = {keys[0, "intact"], keys[1, "intact"], keys[0, "late"], keys[0, "intact+shuffled"]}
    assert len(different) == 4
    assert groups.of(found.points[0], "intact", 2) != keys[0, "intact"]


def test_the_document_of_the_guide_is_one(here: Path) -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs/sweeps.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    found = load_sweep(write(here, text))
    names = [arm.name for arm in found.arms]
    assert (names[:3], len(names), len(found.points)) == (["intact", "nerve", "cord 5 mm"], 17, 21)
