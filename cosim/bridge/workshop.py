"""Networks that are kept from one run to the next: runs whose networks are alike construct it once."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from cosim.bridge.assemble import BackendFactory, Parts, assemble, network_of
from cosim.bridge.lockstep import Lockstep
from cosim.graph.ir import NetworkIR
from cosim.graph.lesion import Lesions
from cosim.graph.remembered import Memory, remembering
from cosim.neural.backend import NeuralBackend

if TYPE_CHECKING:
    from cosim.neural.compiled import CompiledBackend
    from cosim.spec.load import LoadedExperiment

#: bytes of edges that are kept
EDGES = 2**28


def construction(loaded: LoadedExperiment) -> str:
    """A hash of all that the network's arrays come from, but the seed: equal hashes, equal networks."""
    spec, circuit = loaded.spec, loaded.circuit_document
    if circuit is None:
        return ""
    lesions = Lesions.of(spec.ablate)
    drives = loaded.experiment.tree.get("drives") or {}
    poisson = {name: drives[name] for name, drive in spec.drives.items() if drive.poisson is not None}
    parameters = [[name, value.value, list(value.dim)] for name, value in loaded.experiment.parameters.items()]
    content = [
        circuit.tree, str(circuit.folder), spec.dt, sorted(lesions.cut), lesions.transect, sorted(lesions.cut_later),
        lesions.transect_later, poisson, parameters if poisson else [],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


class Workshop:
    """Makes locksteps one after the other, each closed before the next.

    The last network is kept, in compiled code with all its arrays: it is brought back to its start instead of being
    made again. Of other networks, which edges there are is kept where a rule drew them. Nothing of a run is left: the
    bits of a run do not depend on the runs before it.
    """

    def __init__(self) -> None:
        self._key: tuple[str, int] | None = None
        self._network: NetworkIR | None = None
        self._backend: CompiledBackend | None = None
        self._start: dict[str, NDArray[Any]] = {}
        self._memory = Memory(EDGES)
        #: networks that were made
        self.made = 0

    def assemble(self, parts: Parts, construction: str, *, seed: int, backend: BackendFactory) -> Lockstep:
        """See ``cosim.bridge.assemble``; `construction` is that of the experiment."""
        key = construction, seed
        if key != self._key:
            self.forget()
        try:
            with remembering(self._memory):
                lockstep = assemble(
                    parts, seed=seed, backend=lambda *sizes: self._running(backend, *sizes), network_of=self._laid_out
                )
        except BaseException:
            self.forget()
            raise
        self._key = key
        lockstep.keeps_backend = self._backend is not None
        return lockstep

    def _laid_out(self, parts: Parts, seed: int) -> NetworkIR:
        if self._network is None:
            self._network = network_of(parts, seed)
        return self._network

    def _running(self, make: BackendFactory, network: NetworkIR, steps_per_tick: int) -> NeuralBackend:
        from cosim.neural.compiled import CompiledBackend

        kept = self._backend
        if kept is not None and kept.steps_per_tick == steps_per_tick:
            kept.rewind(self._start)
            return kept
        if kept is not None:
            kept.close()
        self._backend = None
        made = make(network, steps_per_tick)
        self.made += 1
        if isinstance(made, CompiledBackend):
            self._backend, self._start = made, made.snapshot()
        return made

    def forget(self) -> None:
        """Let the kept network go."""
        if self._backend is not None:
            self._backend.close()
        self._key = self._network = self._backend = None
        self._start = {}
