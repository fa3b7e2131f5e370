"""Which backend runs a network, by name or by what this machine has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cosim.errors import UserError
from cosim.graph.ir import NetworkIR
from cosim.neural.backend import NeuralBackend
from cosim.neural.limits import check_machine, reason_against
from cosim.neural.toolchain import has_compiler
from cosim.spec.units import suggest

if TYPE_CHECKING:
    from cosim.mpi.world import World

Factory = Callable[[NetworkIR, int], NeuralBackend]
Say = Callable[[str], None]

#: name -> what it is
BACKENDS = {
    "auto": "compiled where that is possible, else runtime, else numpy",
    "compiled": "the whole network as one shared library, one call a tick (needs a C++ compiler)",
    "runtime": "Brian2's cython code, object by object (needs a C++ compiler)",
    "numpy": "Brian2's numpy code: slow, and needs nothing",
}


def choose(backend: str, say: Say | None = None, world: World | None = None) -> Factory:
    """A function (network, steps per tick) -> running network, shared among the ranks of `world`.

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

    target = "cython" if backend == "runtime" else "numpy"

    def make(network: NetworkIR, steps_per_tick: int) -> NeuralBackend:
        if world is not None:
            return _shared(network, steps_per_tick, world)
        if backend == "compiled":
            from cosim.neural.compiled import CompiledBackend

            return CompiledBackend(network, steps_per_tick, say=say)
        from cosim.neural.runtime import RuntimeBackend

        return RuntimeBackend(network, steps_per_tick, target=target, say=say)

    def _shared(network: NetworkIR, steps_per_tick: int, world: World) -> NeuralBackend:
        from cosim.mpi.backend import ShardBackend, ShardedBackend
        from cosim.neural.part import Part

        def shard(network: NetworkIR, steps_per_tick: int, part: Part) -> ShardBackend:
            if backend == "compiled":
                from cosim.mpi.compiled import CompiledShard

                return CompiledShard(network, steps_per_tick, part, say=say)
            from cosim.mpi.runtime import RuntimeShard

            return RuntimeShard(network, steps_per_tick, part, target=target, say=say)

        return ShardedBackend(network, steps_per_tick, shard, world)

    return make
