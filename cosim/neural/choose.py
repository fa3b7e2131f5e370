"""Which backend runs a network, by name or by what this machine has."""

from __future__ import annotations

from collections.abc import Callable

from cosim.errors import UserError
from cosim.graph.ir import NetworkIR
from cosim.neural.backend import NeuralBackend
from cosim.neural.limits import check_machine, reason_against
from cosim.neural.toolchain import has_compiler
from cosim.spec.units import suggest

Factory = Callable[[NetworkIR, int], NeuralBackend]
Say = Callable[[str], None]

#: name -> what it is
BACKENDS = {
    "auto": "compiled where that is possible, else runtime, else numpy",
    "compiled": "the whole network as one shared library, one call a tick (needs a C++ compiler)",
    "runtime": "Brian2's cython code, object by object (needs a C++ compiler)",
    "numpy": "Brian2's numpy code: slow, and needs nothing",
}


def choose(backend: str, say: Say | None = None) -> Factory:
    """A function (network, steps per tick) -> running network.

    `say` is told which backend runs if it is not the one that is best, and when something is compiled. Raises UserError
    for an unknown name and for a backend that needs a compiler where there is none.
    """
    if backend not in BACKENDS:
        raise UserError(f"no backend '{backend}', expected one of {', '.join(BACKENDS)}{suggest(backend, BACKENDS)}")
    if backend == "runtime" and not has_compiler():
        raise UserError("the runtime backend needs a C++ compiler (g++); use --backend numpy, which is slower")
    if backend == "compiled":
        check_machine()
    if backend == "auto":
        reason = reason_against()
        backend = "compiled" if reason is None else "runtime" if has_compiler() else "numpy"
        if reason is not None and say is not None:
            say(f"the network runs on the slower backend '{backend}': {reason}")

    def make(network: NetworkIR, steps_per_tick: int) -> NeuralBackend:
        if backend == "compiled":
            from cosim.neural.compiled import CompiledBackend

            return CompiledBackend(network, steps_per_tick, say=say)
        from cosim.neural.runtime import RuntimeBackend

        target = "cython" if backend == "runtime" else "numpy"
        return RuntimeBackend(network, steps_per_tick, target=target, say=say)

    return make
