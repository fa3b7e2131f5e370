"""What a worker is told: what all runs have in common, and one run."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cosim.spec.load import LoadedExperiment

Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """What all runs of a sweep have in common. `texts`: SHA-256 of every document that they may read, by its name."""

    experiment: str
    out: str
    backend: str
    measure: list[str]
    keep: bool
    texts: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """As it is sent."""
        return asdict(self)


@dataclass(frozen=True)
class Task:
    """One run: what its row says of it, what it changes in the experiment (path, value), the number of the attempt."""

    identity: Row
    changes: list[list[Any]]
    attempt: int = 1

    def as_json(self) -> dict[str, Any]:
        """As it is sent."""
        return asdict(self)


def texts_of(loaded: LoadedExperiment) -> dict[str, str]:
    """SHA-256 of the documents that an experiment was read from."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in loaded.texts.items()}
