"""Random numbers in equations: their distribution, and that they belong to a neuron and a step and to nothing else."""

import numpy as np
import pytest

from cosim.graph.random import normals, stream, uniforms
from cosim.neural.common import ArrayBackend
from tests.neural.helpers import play, same_state, start, trace

OU = {
    "equations": "dv/dt = -v/tau + sigma*sqrt(2/tau)*xi : volt",
    "method": "euler",
    "parameters": {"tau": "10 ms", "sigma": "2 mV"},
}
DRAW = {"equations": "u = uniform_draw() : 1 (constant over dt)\nn = normal_draw() : 1 (constant over dt)\n"
                     "dx/dt = (u - x)/dt : 1\ndy/dt = (n - y)/dt : 1", "method": "euler"}  # fmt: skip


def ornstein(target: str = "numpy", n: int = 400, **more: object) -> ArrayBackend:
    populations = {"A": {"model": "ou", "n": n}}
    return start(target=target, models={"ou": OU}, populations=populations, **more)[1]  # type: ignore[arg-type]


def test_stationary_variance_of_an_ornstein_uhlenbeck_process() -> None:
    # Euler-Maruyama gives sigma^2/(1 - dt/(2 tau)) exactly; 1000 cells at 20 times, two time constants
    # apart: v^2 is correlated with e^-4 between them, so the relative SD of the variance is sqrt(2 (1 + 2 e^-4)/20 000)
    # = 1.02 %, that of the mean sqrt((1 + 2 (e^-2 + e^-4 + ...))/20 000)
    sigma, tau, dt = 2e-3, 10e-3, 1e-3
    backend = ornstein(n=1000, dt=dt, steps_per_tick=20)
    v = trace(backend, "A", "v", 25)[5:]
    expected = sigma**2 / (1 - dt / (2 * tau))
    assert (v**2).mean() == pytest.approx(expected, rel=4 * 0.0102)
    assert v.mean() == pytest.approx(0, abs=4 * sigma * np.sqrt(1.32 / 20_000))


def test_noise_is_white_between_steps_and_neurons() -> None:
    backend = ornstein(n=50, dt=1e-3)
    v = trace(backend, "A", "v", 1000)
    noise = np.diff(v, axis=0) + 0.1 * v[:-1]  # what the step added
    noise /= noise.std()
    bound = 4.5 / np.sqrt(noise.size)
    assert abs((noise[1:] * noise[:-1]).mean()) < bound
    assert abs((noise[:, 1:] * noise[:, :-1]).mean()) < bound


@pytest.mark.compiled
@pytest.mark.brian_objects
def test_draws_are_the_documented_function_of_seed_neuron_step_and_call(target: str) -> None:
    # equal to the bit: the compiled code evaluates the same operations in the same order, tails of the normal included
    _, backend = start(
        target=target, seed=9, models={"m": DRAW}, populations={"A": {"model": "m", "n": 3000}}, steps_per_tick=1
    )
    from cosim.graph.random import hashes

    keys = hashes(stream(9, "draw/A"), np.arange(3000)).view(np.int64)
    u, n = (backend._emitted.groups["m"].variables[k].get_value() for k in ("u", "n"))
    for step in range(3):
        backend.advance()
        assert u.tobytes() == uniforms(np.uint64(0), keys, np.int64(step), np.int64(0)).tobytes()
        assert n.tobytes() == normals(np.uint64(0), keys, np.int64(step), np.int64(1)).tobytes()


def test_numpy_and_this_target_give_the_same_noise(target: str) -> None:
    here, reference = ornstein(target), ornstein("numpy")
    for backend in (here, reference):
        play(backend, 50)
    assert same_state(here, reference)


def test_a_neurons_noise_does_not_depend_on_who_else_is_there() -> None:
    # fails if draws are taken in the order of construction, or keyed by the index in the group
    small = {"B": {"model": "ou", "n": 5}}
    large = {"A": {"model": "ou", "n": 7}, "B": {"model": "ou", "n": 9}, "C": {"model": "ou", "n": 3}}
    finals = []
    for populations in (small, large):
        _, backend = start(models={"ou": OU}, populations=populations)
        play(backend, 30)
        finals.append(backend.view("B", "v")[:5].tobytes())
    assert finals[0] == finals[1]


def test_seeds_and_populations_have_noise_of_their_own() -> None:
    populations = {"A": {"model": "ou", "n": 200}, "B": {"model": "ou", "n": 200}}
    found = []
    for seed in (1, 2):
        _, backend = start(seed=seed, models={"ou": OU}, populations=populations)
        play(backend, 100)
        found += [backend.view(name, "v").copy() for name in "AB"]
    correlation = np.corrcoef(found)[np.triu_indices(4, 1)]
    assert np.abs(correlation).max() < 4.5 / np.sqrt(200)


def test_noise_of_zero_is_left_out_without_changing_anything() -> None:
    quiet = {**OU, "parameters": {"tau": "10 ms", "sigma": "0 mV"}, "initial": {"v": "1 mV"}}
    _, backend = start(models={"ou": quiet}, populations={"A": {"model": "ou", "n": 2}})
    assert "draw_key" not in backend._emitted.groups["ou"].variables
    assert trace(backend, "A", "v", 100)[:, 0] == pytest.approx(1e-3 * 0.99 ** np.arange(1, 101), rel=1e-12)


def test_noise_of_one_population_only(target: str) -> None:
    # sigma differs between populations, so it is a value per neuron; where it is 0 nothing moves
    populations = {"A": {"model": "ou", "n": 3}, "B": {"model": "ou", "n": 3, "parameters": {"sigma": "0 mV"}}}
    _, backend = start(target=target, models={"ou": OU}, populations=populations)
    play(backend, 20)
    assert backend.view("A", "v").all() and not backend.view("B", "v").any()


def test_poisson_sources_have_their_rate_and_are_independent(target: str) -> None:
    # binomial per step: mean n p, variance n p (1 - p), independent between neurons and steps
    n, ticks, dt = 500, 16, 1e-3
    _, backend = start(
        target=target,
        dt=dt,
        steps_per_tick=50,
        models={"ou": OU},
        populations={"P": {"model": "poisson_source", "n": n}},
    )
    backend.view("P", "rate")[:] = np.where(np.arange(n) < 250, 20.0, 80.0)
    spikes = play(backend, ticks)
    steps = 50 * ticks
    for part, rate in ((spikes[:, 1] < 250, 20.0), (spikes[:, 1] >= 250, 80.0)):
        p, trials = rate * dt, 250 * steps
        assert part.sum() == pytest.approx(p * trials, abs=4 * np.sqrt(p * (1 - p) * trials))
    # per neuron: variance of counts over mean is 1 - p (relative SD of a variance of 250 counts: sqrt(2/249) = 9 %)
    counts = np.bincount(spikes[spikes[:, 1] >= 250, 1] - 250, minlength=250)
    assert counts.var(ddof=1) / counts.mean() == pytest.approx(1 - 0.08, rel=4 * 0.09)
    per_step = np.bincount(spikes[spikes[:, 1] >= 250, 0], minlength=steps)
    assert per_step.var(ddof=1) / per_step.mean() == pytest.approx(1 - 0.08, rel=4 * np.sqrt(2 / steps))


def test_a_poisson_rate_of_zero_is_silent_and_a_certain_one_never_misses() -> None:
    _, backend = start(dt=1e-3, models={"ou": OU}, populations={"P": {"model": "poisson_source", "n": 2}})
    backend.view("P", "rate")[:] = [0.0, 1000.0]
    assert play(backend, 30).tolist() == [[k, 1] for k in range(30)]
