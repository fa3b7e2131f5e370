"""The smallest closed loop, with engine and network: its latency is the sum of its delays."""

from pathlib import Path

import numpy as np
import pytest

import cosim

QUICK = {"perturb.tap.at": "100 ms", "duration": "300 ms", "transient": "20 ms"}
TICK = 1e-3


def delays(afferent: int, synaptic: str, efferent: int) -> dict[str, str]:
    return {
        **QUICK,
        "wires.spindle_static.delay": f"{afferent} ms",
        "wires.spindle_dynamic.delay": f"{afferent} ms",
        "wires.motor.delay": f"{efferent} ms",
        "circuit.projections.Ia_MN.delay": synaptic,
    }


@pytest.mark.parametrize("setting", range(10))
def test_latency_is_the_sum_of_the_three_delays_and_one_tick(setting: int, tmp_path: Path) -> None:
    # fails if any delay line, or the loop itself, is one tick longer or shorter
    random = np.random.default_rng(setting)
    afferent, synaptic, efferent = random.integers(0, 60), random.integers(1, 6), random.integers(0, 50)
    experiment = cosim.load("stretch_reflex", delays(afferent, f"{synaptic} ms", efferent))
    result = experiment.run(out=tmp_path / "run")
    total = (afferent + synaptic + efferent) * TICK
    assert result.metrics["latency"] == pytest.approx(total + TICK, abs=1e-9)


def test_delays_between_ticks_count_to_the_end_of_their_tick(tmp_path: Path) -> None:
    # motoneurons take .4 to .5 ms from the volley to their first spike: 2.7 ms + .45 ms falls into the fourth tick
    result = cosim.load("stretch_reflex", delays(10, "2.7 ms", 7)).run(out=tmp_path / "run")
    assert result.metrics["latency"] == pytest.approx((10 + 3 + 7 + 1) * TICK, abs=1e-9)


def test_the_stretched_muscle_answers_and_brings_the_lever_back(tmp_path: Path) -> None:
    result = cosim.load("stretch_reflex", {"perturb.tap.at": "100 ms", "duration": "600 ms", "transient": "20 ms"}).run(
        out=tmp_path / "run"
    )
    force = result.trace("body/muscle_force")
    flexor, extensor = force.values.T
    assert (force.values[force.time <= 0.1] == 0).all()
    first = int(np.flatnonzero(flexor)[0])
    assert flexor[first : first + 20].max() > 0.5
    assert not extensor[: first + 20].any()  # reciprocal inhibition: the antagonist is silent
    angle = np.degrees(result.trace("body/joint_angle").values[:, 0])
    assert angle.min() < -3 and abs(angle[-1]) < abs(angle.min())


def test_without_afferents_there_is_no_answer(tmp_path: Path) -> None:
    cut = {**QUICK, "ablate": [{"cut": "wires.spindle_dynamic"}, {"cut": "wires.spindle_static"}]}
    result = cosim.load("stretch_reflex", cut).run(out=tmp_path / "run")
    assert not result.trace("body/muscle_force").values.any()
    assert np.isnan(float(result.metrics["latency"] or "nan"))


def test_same_seed_same_hashes_and_another_seed_others(tmp_path: Path) -> None:
    experiment = cosim.load("stretch_reflex", QUICK)
    first, again, other = (
        experiment.run(seed=seed, out=tmp_path / name).manifest["hashes"]
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    assert first == again
    assert first["spikes"] != other["spikes"] and first["state"] != other["state"]


def test_stepping_by_hand_is_the_same_run(tmp_path: Path) -> None:
    experiment = cosim.load("stretch_reflex", QUICK)
    whole = experiment.run(out=tmp_path / "a").manifest["hashes"]
    with experiment.open(out=tmp_path / "b") as simulation:
        while simulation.time < 0.3 - 1e-9:
            readings = simulation.step()
        assert readings["joint_angle"].shape == (1,)
        assert simulation.time == pytest.approx(0.3)
        simulation.lockstep.finish()
    assert cosim.Result(tmp_path / "b").status == "complete"
    assert cosim.Result(tmp_path / "b").manifest["hashes"] == whole
