"""Run by several ranks: every circuit shared among them, beside the same circuit on rank 0 alone.

    mpirun -n 3 python -m tests.mpi.ranks OUT BACKEND [CIRCUIT ...]

Rank 0 writes to OUT, as JSON, for each circuit "equal", what differs, or why it was refused.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cosim.errors import UserError
from cosim.graph.ir import NetworkIR
from cosim.mpi.world import world
from cosim.neural.backend import NeuralBackend
from cosim.neural.choose import choose
from tests.graph.helpers import network
from tests.mpi.circuits import SHARED
from tests.neural.circuits import Circuit

TICKS = 60
#: tick of the snapshot that a second shared network and, on rank 0, a network of one process go on from
HALF = 33
History = list[tuple[str, bytes, bytes]]


def history(backend: NeuralBackend, circuit: Circuit, first: int, last: int) -> History:
    """Spikes of every tick, and after them the state."""
    found: History = []
    for tick in range(first, last):
        if circuit.action is not None:
            circuit.action(backend, tick)
        backend.advance()
        steps, ids = backend.spikes()
        found.append((f"spikes of tick {tick}", np.asarray(steps).tobytes(), np.asarray(ids).tobytes()))
    return found + [(f"state {name}", values.tobytes(), b"") for name, values in backend.state().items()]


def differs(expected: History, found: History) -> str:
    """The first thing that is not equal, or "equal"."""
    for one, other in zip(expected, found, strict=True):
        if one != other:
            return f"differs: {one[0]}"
    return "equal"


def play_again(backend: NeuralBackend, circuit: Circuit) -> None:
    """Make the lesions of the ticks before HALF, as a resumed run does."""
    for tick in range(HALF):
        if circuit.action is not None:
            circuit.action(backend, tick)


def compare(circuit: Circuit, make: Callable[[NetworkIR], NeuralBackend], alone: Callable[[NetworkIR], NeuralBackend],
            root: bool) -> str:  # fmt: skip
    """One circuit on all ranks; the verdict is rank 0's."""
    net = network(**circuit.document, lesions=circuit.lesions)
    shared = make(net)
    found = history(shared, circuit, 0, HALF)
    saved = shared.snapshot()
    found = [*found[:HALF], *history(shared, circuit, HALF, TICKS)]
    shared.close()
    again = make(net)
    play_again(again, circuit)
    again.restore(saved)
    resumed = history(again, circuit, HALF, TICKS)
    again.close()
    if not root:
        return ""
    reference = alone(net)
    expected = history(reference, circuit, 0, TICKS)
    assert sum(len(ids) for _, _, ids in expected[:TICKS]) > 0
    single = alone(net)
    play_again(single, circuit)
    single.restore(saved)
    verdicts = {
        "shared": differs(expected, found),
        "resumed": differs(expected[HALF:], resumed),
        "resumed on one": differs(expected[HALF:], history(single, circuit, HALF, TICKS)),
    }
    wrong = [f"{key} {verdict}" for key, verdict in verdicts.items() if verdict != "equal"]
    return "; ".join(wrong) or "equal"


def main(out: Path, backend: str, names: list[str]) -> None:
    """All circuits, or those that are named."""
    ranks = world()
    assert ranks is not None
    make, alone = choose(backend, world=ranks), choose(backend)
    verdicts = {}
    for name in names or SHARED:
        try:
            verdict = compare(SHARED[name], lambda net: make(net, 10), lambda net: alone(net, 10), ranks.root)
            refused = ""
        except UserError as error:
            verdict, refused = "", f"refused: {error}"
        told = ranks.comm.allgather(refused)
        verdicts[name] = next((text for text in told if text), verdict)
    if ranks.root:
        out.write_text(json.dumps(verdicts, indent=1))
    ranks.alarm.done()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
