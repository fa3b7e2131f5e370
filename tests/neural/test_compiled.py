"""The compiled backend gives the bits of the runtime backend, on every kind of circuit and across checkpoints."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cosim.errors import UserError
from cosim.graph.ir import NetworkIR
from cosim.neural.arrays import arrange, by_source
from cosim.neural.backend import NeuralBackend
from cosim.neural.choose import choose
from cosim.neural.compiled import CompiledBackend, compile_network
from cosim.neural.loaded import Library
from cosim.neural.program import program
from cosim.neural.runtime import RuntimeBackend
from cosim.neural.toolchain import has_compiler, vector_flags
from tests.graph.helpers import network
from tests.neural.circuits import CIRCUITS, Circuit, join, lif, recurrent
from tests.neural.helpers import play, same_state

pytestmark = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")
TICKS = 100
History = list[tuple[bytes, bytes]]


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A build cache of this module's own: everything is compiled, nothing is left behind."""
    path = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(path))
        yield path


def reference() -> str:
    """The runtime's target to compare with.

    Cython needs a quarter of a minute for each circuit, numpy none, and gives the same bits.
    ``COSIM_TEST_COMPILED=all`` takes cython everywhere.
    """
    return "cython" if os.environ.get("COSIM_TEST_COMPILED") == "all" else "numpy"


def built(circuit: Circuit, **more: object) -> NetworkIR:
    return network(**circuit.document, lesions=circuit.lesions, **more)  # type: ignore[arg-type]


def history(backend: NeuralBackend, circuit: Circuit, first: int = 0, last: int = TICKS) -> History:
    """Spikes of every tick, and after them the state."""
    found = []
    for tick in range(first, last):
        if circuit.action is not None:
            circuit.action(backend, tick)
        backend.advance()
        steps, ids = backend.spikes()
        assert steps.dtype == np.int64 and ids.dtype == np.int32
        found.append((steps.tobytes(), ids.tobytes()))
    found += [(name.encode(), values.tobytes()) for name, values in backend.state().items()]
    return found


@pytest.mark.parametrize("name", CIRCUITS)
def test_compiled_and_runtime_give_the_same_bits(name: str) -> None:
    circuit = CIRCUITS[name]
    net = built(circuit)
    runtime, compiled = RuntimeBackend(net, 10, target=reference()), CompiledBackend(net, 10)
    expected = history(runtime, circuit)
    assert sum(len(ids) for _, ids in expected[:TICKS]) > 0
    assert history(compiled, circuit) == expected


@pytest.mark.parametrize("name", ["several_onto_one", "two_rules", "cut_later"])
def test_packed_edges_give_the_same_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks are not packed: here they are."""
    circuit = CIRCUITS[name]
    expected = history(CompiledBackend(built(circuit), 10), circuit)
    monkeypatch.setattr("cosim.neural.packed.FEWEST", 1)
    packed = CompiledBackend(built(circuit), 10)
    assert any(variable == "_synaptic_post" and len(a) == 1 for (_, variable), a in packed._arrays_by_key.items())
    assert history(packed, circuit) == expected


@pytest.mark.parametrize(
    "name", ["several_onto_one", "stdp", "long_delays", "poisson", "cut_later", "transected_later"]
)
def test_a_checkpoint_of_either_backend_is_continued_by_either(name: str) -> None:
    circuit = CIRCUITS[name]
    net = built(circuit)
    makers = {"runtime": lambda: RuntimeBackend(net, 10), "compiled": lambda: CompiledBackend(net, 10)}
    if reference() == "numpy":
        makers["runtime"] = lambda: RuntimeBackend(net, 10, target="numpy")
    at = 70
    whole: NeuralBackend = makers["compiled"]()
    history(whole, circuit, 0, at)
    expected = history(whole, circuit, at)
    for maker in makers.values():
        first: NeuralBackend = maker()
        history(first, circuit, 0, at)
        saved = first.snapshot()
        for other in makers.values():
            second: NeuralBackend = other()
            for tick in range(at if circuit.action is not None else 0):
                circuit.action(second, tick)  # cuts are made again, they are not in the snapshot
            second.restore(saved)
            assert [part.tobytes() for part in second.spikes()] == [part.tobytes() for part in first.spikes()]
            assert history(second, circuit, at) == expected


def test_several_networks_run_side_by_side_from_one_library() -> None:
    circuit = CIRCUITS["noise"]
    nets = [built(circuit, seed=seed) for seed in (1, 2)]
    alone = [history(CompiledBackend(net, 10), circuit) for net in nets]
    together = [CompiledBackend(net, 10) for net in nets]
    assert together[0].entry.path == together[1].entry.path
    found: list[History] = [[], []]
    for tick in range(TICKS):
        for one, backend in zip(found, together, strict=True):
            one += history(backend, circuit, tick, tick + 1)[:1]
    assert [one[:TICKS] for one in alone] == found


def test_how_many_steps_a_call_makes_does_not_matter() -> None:
    circuit = CIRCUITS["several_onto_one"]
    net = built(circuit)
    one, ten = CompiledBackend(net, 1), CompiledBackend(net, 10)
    for _ in range(200):
        one.advance()
    for _ in range(20):
        ten.advance()
    assert [v.tobytes() for v in one.state().values()] == [v.tobytes() for v in ten.state().values()]


@pytest.mark.parametrize("name", ["numpy", "compiled"])
def test_denormal_numbers_are_zero_on_every_backend_and_nowhere_else(name: str) -> None:
    # g decays by 0.02 per step: past 1e-308 it would go on through denormals for some steps
    document = recurrent(lif(parameters={"tau": "10 ms", "tau_g": "0.102 ms", "I": 0}, initial={"g": 1}), n=3)
    backend = choose(name)(network(**document), 1)
    g = backend.view("A", "g")
    seen = []
    for _ in range(250):
        backend.advance()
        seen.append(float(g[0]))
    assert 0 < min(x for x in seen if x) < 1e-300
    assert min(x for x in seen if x) >= 2.2250738585072014e-308
    assert seen[-1] == 0
    assert float(np.float64(1e-308) * np.float64(0.1)) > 0  # out here denormals are as they were


def test_names_and_shapes_are_refused_as_by_the_runtime() -> None:
    net = network(**recurrent(lif(), join("A", "A", parameters={"w": 0.1})))
    backend = CompiledBackend(net, 10)
    with pytest.raises(UserError, match="has no variable 'V'"):
        backend.view("A", "V")
    with pytest.raises(UserError, match="one value shared by all"):
        backend.view("A", "tau")
    with pytest.raises(UserError, match="no 'n_m/v'"):
        backend.restore({k: v for k, v in backend.snapshot().items() if k != "n_m/v"})


def test_what_a_study_varies_is_not_in_the_program() -> None:
    def text(**more: object) -> str:
        return program(network(**{**recurrent(lif()), **more}), switches=False).text  # type: ignore[arg-type]

    plain = text()
    assert text(populations={"A": {"model": "m", "n": 7}}, seed=9, dt=5e-5) == plain
    assert text(projections={"AA": join("A", "A", delay="3 ms", connect="all_to_all")}) == plain
    assert text(projections={"AA": join("A", "A", parameters={"w": {"normal": ["0.1", "0"]}})}) == plain
    assert text(projections={"AA": join("A", "A", parameters={"w": 0.1})}) == plain
    assert text(projections={"AA": join("A", "A", on_spike="g -= w")}) != plain


@pytest.mark.parametrize("kind", ["one_delay", "many_delays", "out_of_order", "out_of_order_one_delay", "none"])
def test_the_library_arranges_edges_as_numpy_does(kind: str) -> None:
    rng = np.random.default_rng(3)
    count = 0 if kind == "none" else 5000
    pre, post = (rng.integers(0, 60, count).astype(np.int32) for _ in range(2))
    if "out_of_order" not in kind:
        post.sort()
    delay = np.full(count, 7, np.int32) if "one_delay" in kind else rng.integers(0, 9, count).astype(np.int32)
    columns = [rng.normal(size=count), np.arange(count, dtype=np.float64)]
    library = Library(compile_network(network(**recurrent(lif()))).binary)
    expected, found = arrange((pre, delay, post, columns), 60, 60), library.arrange((pre, delay, post, columns), 60, 60)
    for a, b in zip((*expected[:3], *expected[3]), (*found[:3], *found[3]), strict=True):
        assert a.dtype == b.dtype and np.array_equal(a, b)
    order = library.order(pre, delay, post, 60, 60)
    assert np.array_equal(order, by_source(pre, delay, post, 60, 60))


@pytest.mark.parametrize("name", ["noise", "stdp"])
def test_code_without_vector_instructions_gives_the_same_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # fails with -ffast-math, or if products and sums are contracted, which needs the newer instructions
    circuit = CIRCUITS[name]
    net = built(circuit)
    usual = CompiledBackend(net, 10)
    for module in ("toolchain", "cache"):
        monkeypatch.setattr(f"cosim.neural.{module}.vector_flags", tuple)
    plain = CompiledBackend(net, 10)
    assert plain.entry.path != usual.entry.path or not vector_flags()
    assert history(plain, circuit) == history(usual, circuit)


def test_many_ticks_in_one_call_are_the_same_network() -> None:
    # with more spikes than the library has room for at first: fails if those of the long call are lost
    net = built(CIRCUITS["noise"])
    stepped, whole = CompiledBackend(net, 10), CompiledBackend(net, 10)
    expected = play(stepped, 2000)
    whole.uninterrupted(2000)
    assert len(expected) > 1024 and np.array_equal(np.stack(whole.spikes(), axis=1), expected)
    # and it goes on tick by tick
    assert np.array_equal(play(whole, 10), play(stepped, 10))
    assert same_state(stepped, whole)


def test_ticks_in_the_background_are_the_same_network() -> None:
    net = built(CIRCUITS["noise"])
    stepped, other = CompiledBackend(net, 10), CompiledBackend(net, 10)
    expected = play(stepped, 300)
    rows = []
    background = other.background()
    for _ in range(300):
        background.begin()
        background.end()
        rows.append(np.stack(other.spikes(), axis=1))
    background.close()
    background.close()  # a second time does nothing
    assert background.seconds > 0
    assert np.array_equal(np.concatenate(rows), expected) and len(expected) > 100
    # and it goes on in the foreground; a thread that was asked for nothing ends
    assert np.array_equal(play(other, 10), play(stepped, 10))
    other.background().close()
    assert same_state(stepped, other)
