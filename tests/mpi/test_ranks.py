"""A network is the same network on any number of ranks: spikes, state, snapshots, to the bit.

To make these tests fail: in cosim/neural/engine.h let ``merge_runs`` return without merging (spikes then reach a neuron
in the order of ranks, and sums are rounded otherwise), or let Arrays._group draw ``draw_key`` from
``np.arange(hi - lo)``. COSIM_TEST_RANKS=all takes every circuit on every number of ranks, which takes many minutes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cosim.errors import UserError
from cosim.mpi.locality import local_rules
from cosim.mpi.partition import partition
from cosim.neural.arrays import Arrays
from cosim.neural.part import Part
from cosim.neural.program import program
from cosim.neural.toolchain import has_compiler
from tests.graph.helpers import network
from tests.mpi.circuits import SHARED
from tests.mpi.helpers import cosim, hashes, needs_mpi, run

pytestmark = needs_mpi
ALL = os.environ.get("COSIM_TEST_RANKS") == "all"

#: why a circuit cannot be shared, by its name; all others can
REFUSED = {
    **dict.fromkeys(
        ("zero_delay", "long_delays", "poisson", "spike_source", "stdp_zero_delay"),
        "has delays of less than one network step (0.1 ms), which cannot cross ranks",
    ),
    "gap": "population 'A' must stay on one rank, because 'gap' is a continuous projection",
    "gaps_and_graded": "populations 'A', 'G' must stay on one rank, because 'gap' is a continuous projection",
    "one_neuron": "3 ranks are too many for the 1 neurons of 'test'",
}


def verdicts(ranks: int, backend: str, tmp_path: Path, *names: str) -> dict[str, str]:
    out = tmp_path / "verdicts.json"
    done = run(ranks, "-m", "tests.mpi.ranks", str(out), backend, *names, timeout=500)
    assert out.is_file(), done.stderr
    found: dict[str, str] = json.loads(out.read_text())
    return found


RUNTIME = ("everything", "reads_the_source", "volley") if not ALL else tuple(SHARED)
COMPILED = ("everything", "reads_the_source", "refractory_per_neuron", "several_onto_one") if not ALL else tuple(SHARED)


def equal(found: dict[str, str], names: tuple[str, ...]) -> None:
    assert found.keys() == set(names)
    for name, verdict in found.items():
        if name in REFUSED:
            assert verdict.startswith("refused: ")
            assert REFUSED[name] in verdict
        else:
            assert (name, verdict) == (name, "equal")


@pytest.mark.parametrize("ranks", [2, 3, 4, 7] if ALL else [3])
def test_runtime_backend(ranks: int, tmp_path: Path) -> None:
    """With more spikes in one exchange (`volley`) than the first messages have room for."""
    equal(verdicts(ranks, "numpy", tmp_path, *RUNTIME), RUNTIME)


@pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")
@pytest.mark.parametrize("ranks", [2, 3, 4, 7])
def test_compiled_backend(ranks: int, tmp_path: Path) -> None:
    equal(verdicts(ranks, "compiled", tmp_path, *COMPILED), COMPILED)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_shared_is_refused_by_name(name: str) -> None:
    circuit = SHARED[name]
    net = network(**circuit.document, lesions=circuit.lesions)
    with pytest.raises(UserError) as refusal:
        for rank in range(3):
            part = Part(partition(net, 3).part(rank), frozenset(local_rules(net)))
            arrays = Arrays(net, program(net, switches=False), part=part)
            for text in arrays.objects:
                arrays.synapses(text)
    assert REFUSED[name] in str(refusal.value)


def test_a_model_that_reads_the_size_of_its_group_is_refused_by_name() -> None:
    """Brian2 gives N to equations; on a rank it would be the number of the neurons there."""
    sized = network(
        models={"crowd": {"equations": "dv/dt = -v/(N*ms) : 1", "method": "euler"}},
        populations={"A": {"model": "crowd", "n": 4}},
    )
    with pytest.raises(UserError, match="model 'crowd' uses N, the size of a group"):
        partition(sized, 2)


@pytest.mark.parametrize("ranks", [2, 3])
def test_a_whole_run_with_a_body(ranks: int, tmp_path: Path) -> None:
    """Wires both ways, a record, a push: the hashes of spikes, state and body are those of one process."""
    options = ("--duration", "1 s", "--no-report")
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    for n, out in ((1, alone), (ranks, shared)):
        done = run(n, *cosim("run", "stretch_reflex", *options, "--out", str(out)))
        assert done.returncode == 0, done.stderr
    assert hashes(shared) == hashes(alone)
