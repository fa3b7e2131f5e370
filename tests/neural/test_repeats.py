"""Equal seeds give equal bits: again, interleaved with others, and on every code generator."""

import numpy as np
import pytest

from cosim.errors import UserError
from cosim.neural.common import ArrayBackend
from tests.graph.helpers import network
from tests.neural.helpers import play, same_state, start
from tests.neural.test_lesions_running import noisy, volleys

STEPS = 300


def middling(n: int = 150) -> dict[str, object]:
    """The noisy network, larger: 300 cells and some 27 000 edges."""
    document = noisy()
    for name in "AB":
        document["populations"][name]["n"] = n
    document["projections"]["A_A"] = {**document["projections"]["A_B"], "to": "A"}
    return document


def run(backend: ArrayBackend) -> bytes:
    return play(backend, STEPS, volleys(backend, 0, STEPS)).tobytes()


def test_a_seed_repeats_and_another_does_not() -> None:
    found = []
    for seed in (1, 1, 2):
        _, backend = start(seed=seed, **middling(60))
        found.append((run(backend), backend))
    assert found[0][0] == found[1][0] and same_state(found[0][1], found[1][1])
    assert found[0][0] != found[2][0] and not same_state(found[0][1], found[2][1])


@pytest.mark.compiled
def test_this_target_gives_the_bits_of_numpy(target: str) -> None:
    # rounding must not depend on the compiler: fails with -ffast-math, contraction, or sums in another order
    _, here = start(target=target, **middling())
    _, reference = start(target="numpy", **middling())
    spikes = run(here), run(reference)
    assert len(spikes[0]) > 16 * 1000  # a thousand spikes
    assert spikes[0] == spikes[1]
    assert same_state(here, reference)


@pytest.mark.compiled
def test_two_networks_in_one_process_do_not_touch_each_other(target: str) -> None:
    # same names, different seeds and sizes, one step in turn: fails if clocks, names, keys or caches are shared
    documents = [{"seed": 1, **noisy()}, {"seed": 2, **middling(60)}]
    alone = []
    for document in documents:
        _, backend = start(target=target, **document)
        alone.append((run(backend), backend))
    together = [start(target=target, **document)[1] for document in documents]
    fires = [volleys(backend, 0, STEPS) for backend in together]
    rows: list[list[np.ndarray]] = [[], []]
    for tick in range(STEPS):
        for k, backend in enumerate(together):
            rows[k].append(play(backend, 1, lambda _, k=k, tick=tick: fires[k](tick)))
    for k in range(2):
        assert np.concatenate(rows[k]).tobytes() == alone[k][0]
        assert same_state(together[k], alone[k][1])


def test_ticks_of_many_steps_give_the_same_spikes_as_single_steps() -> None:
    _, single = start(**noisy())
    _, many = start(steps_per_tick=20, **noisy())
    one, other = play(single, 400), play(many, 20)
    assert len(one) and np.array_equal(one, other)
    assert same_state(single, many)


def test_spikes_come_sorted_by_step_and_global_id() -> None:
    # two models, populations in an order in which neither group's ids are contiguous
    model = {"equations": "dv/dt = 1/ms : 1", "threshold": "v > 0.55", "reset": "v = 0", "method": "euler"}
    populations = {name: {"model": "pq"[k % 2], "n": 3} for k, name in enumerate("ABCD")}
    _, backend = start(models={"p": model, "q": model}, populations=populations, steps_per_tick=30)
    spikes = play(backend, 2)
    assert np.array_equal(spikes, spikes[np.lexsort((spikes[:, 1], spikes[:, 0]))])
    assert spikes[:12].tolist() == [[5, i] for i in range(12)]


def test_the_callback_ends_the_run() -> None:
    _, backend = start(**noisy())
    seen: list[int] = []
    assert backend.run(100, lambda tick: seen.append(tick) or tick < 7) == 7
    assert seen == list(range(8))


def test_a_value_that_is_not_finite_is_named() -> None:
    model = {"equations": "dv/dt = -v/ms : 1\nda/dt = k*a/ms : 1\nk : 1", "method": "euler"}
    _, backend = start(models={"m": model}, populations={"A": {"model": "m", "n": 3}, "B": {"model": "m", "n": 4}})
    play(backend, 5)
    assert backend.check_finite() is None
    backend.view("B", "a")[2] = 1e300
    backend.view("B", "k")[2] = 1e9
    play(backend, 5)
    assert backend.check_finite() == ("B", "a", 2)
    backend.view("B", "a")[2] = 0.0
    backend.view("A", "v")[1] = np.nan
    assert backend.check_finite() == ("A", "v", 1)


def test_huge_but_finite_values_are_no_blow_up() -> None:
    _, backend = start(
        models={"m": {"equations": "dv/dt = 0*v/ms : 1", "method": "euler"}}, populations={"A": {"model": "m", "n": 2}}
    )
    backend.view("A", "v")[:] = 1.5e308  # their sum overflows
    assert backend.check_finite() is None


def test_views_are_live_and_writable_and_wrong_names_are_told() -> None:
    model = {"equations": "dx/dt = -x/ms : 1\nI_ext : 1", "method": "euler"}
    _, backend = start(
        models={"m": model}, populations={"A": {"model": "m", "n": 3}, "B": {"model": "m", "n": 3}}, dt=1e-3
    )
    view = backend.view("B", "x")
    view[:] = 1.0
    backend.advance()
    assert view.tolist() == [0.0] * 3 and backend.state()["B/x"].tolist() == [0.0] * 3
    with pytest.raises(UserError, match="population 'A' has no variable 'I_exd', did you mean 'I_ext'"):
        backend.view("A", "I_exd")


def test_a_network_knows_no_engine_until_it_is_emitted() -> None:
    net = network(**noisy())
    assert net.n == 120 and set(net.projections) == {"A_B", "B_A", "S_A", "S_B"}
