"""The sides of `cosim bench shards`: processes that hold a network, and the blocks in which they are measured."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from cosim.bench.circuits import Measured, export
from cosim.bench.sides import Peer, Say
from cosim.mpi.launcher import start_of

#: ticks of a block
COSIM, NEST, BRIAN = 100, 12, 200
#: ticks of others before those that count
WARM = 100
#: parts of a tick of several ranks, as the page has them
PARTS = ("integration", "delivery", "exchange", "waiting", "gathering", "rest")

Key = tuple[str, int, int]  # kind, neurons, ranks or threads


@dataclass
class Job:
    """One process (or as many as there are ranks). `blocks` are its answers, in order."""

    peer: Peer
    ticks: int
    blocks: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"ticks": [], "parts": [], "alone": []})

    def block(self, action: str) -> None:
        """Measure."""
        self.blocks[action].append(self.peer.ask(action, self.ticks))

    def seconds(self, action: str = "ticks") -> list[float]:
        """Wall seconds a tick of its blocks."""
        return [one["seconds"] / one["ticks"] for one in self.blocks[action]]


class Jobs:
    """All processes of a measurement, by kind, neurons and ranks. Use as a context."""

    def __init__(self, say: Say) -> None:
        self.made: dict[Key, Job] = {}
        self._stack = contextlib.ExitStack()
        self._say = say

    def __enter__(self) -> Jobs:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def folder(self) -> Path:
        """A directory that goes with the measurement."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="cosim-bench-")))

    def cosim(self, key: Key, *words: str) -> Job:
        """cosim on the ranks of the key, started at most once."""
        if key not in self.made:
            kind, _, ranks = key
            self._say(f"building {kind} on {ranks} {'rank' if ranks == 1 else 'ranks'}: {' '.join(words)}")
            launch = start_of(ranks) if ranks > 1 else ()
            self._add(key, Peer("rank_peer", self.folder(), *words, launch=launch), COSIM)
        return self.made[key]

    def nest(self, n: int, threads: int, folder: Path) -> Job:
        """NEST on an exported network."""
        self._say(f"building NEST's network, {threads} {'thread' if threads == 1 else 'threads'}")
        job = self._add(("nest", n, threads), Peer("nest_peer", folder, threads=threads), NEST)
        job.peer.ask("alone", WARM)
        return job

    def brian(self, n: int, threads: int, folder: Path) -> Job:
        """Brian2's executable on an exported network."""
        self._say(f"building Brian2's executable, {threads} {'thread' if threads == 1 else 'threads'}")
        peer = Peer("brian_peer", folder, "standalone", str(WARM), str(BRIAN), threads=threads)
        return self._add(("brian", n, threads), peer, BRIAN)

    def _add(self, key: Key, peer: Peer, ticks: int) -> Job:
        self._stack.callback(peer.close)
        self.made[key] = Job(peer, ticks)
        return self.made[key]

    def exported(self, measured: Measured) -> Path:
        """A network as files."""
        folder = self.folder()
        export(measured, folder)
        return folder


def parts_of(cells: Sequence[float], blocks: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Medians of the parts of a tick, s, from blocks in which all ranks wait for each other before an exchange, and
    from what the same cells take without edges. Delivery holds `merging`, which is told by itself too; the parts
    (PARTS) add up to `apart`, the whole of such a tick."""

    def middle(name: str) -> float:
        return float(median(one["parts"].get(name, 0.0) for one in blocks))

    whole = median(one["seconds"] / one["ticks"] for one in blocks)
    integration = median(cells)
    shared = "integrating" in blocks[0]["parts"]
    found = {
        "integration": integration,
        "delivery": middle("integrating") + middle("merging") - integration if shared else whole - integration,
        "exchange": middle("exchanging"),
        "waiting": middle("waiting"),
        "gathering": middle("gathering"),
    }
    return {**found, "rest": whole - sum(found.values()), "merging": middle("merging"), "apart": whole}


def memory_of(job: Job) -> dict[str, list[float]]:
    """Peak memory of a job's processes, bytes, and what cosim's hold once they are built."""
    if job.blocks["alone"]:
        return {"peak": [max(one["peak"] for one in job.blocks["alone"])]}
    return {name: job.peer.ready[name] for name in ("peak", "resident", "bare")}
