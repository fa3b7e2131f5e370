"""Run cells that use every function and print hashes, as JSON: of each backend's result, and of the C library's exp.

    python -m tests.neural.machine [--plain] BACKEND...

`--plain` compiles the network without AVX2 and FMA. Run by test_machines.py as on another processor.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys

import cosim.neural.cache
import cosim.neural.toolchain
from cosim.neural.choose import choose
from tests.graph.helpers import network
from tests.neural.circuits import CIRCUITS
from tests.neural.helpers import play

TICKS = 20


def run(backend: str) -> str:
    """The hash of spikes and final state."""
    net = network(**{**CIRCUITS["functions"].document, "projections": {}})
    running = choose(backend)(net, 10)
    spikes = play(running, TICKS)
    assert len(spikes) > 10
    total = hashlib.sha256(spikes.tobytes())
    for name, values in running.state().items():
        total.update(name.encode() + values.tobytes())
    return total.hexdigest()


def main(arguments: list[str]) -> None:
    """Print the hashes."""
    if "--plain" in arguments:
        for module in (cosim.neural.toolchain, cosim.neural.cache):
            module.vector_flags = tuple  # type: ignore[assignment]
    library = hashlib.sha256(repr([math.exp(k / 1000) for k in range(-3000, 3000)]).encode()).hexdigest()
    backends = [name for name in arguments if name != "--plain"]
    print(json.dumps({"exp": library, **{name: run(name) for name in backends}}))


if __name__ == "__main__":
    main(sys.argv[1:])
