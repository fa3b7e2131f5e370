"""The network as arrays. Edges are made on demand per range of targets; nothing here knows an engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cosim.graph.cells import Cells, hashes
from cosim.graph.random import F64
from cosim.spec.circuit import ModelSpec
from cosim.spec.units import Dim, Value

I32 = NDArray[np.int32]


@dataclass(frozen=True)
class Parameter:
    """Values of one model parameter over a population: shape (n,), SI; `shared` if it is one number for everybody."""

    values: F64
    dim: Dim
    shared: bool


@dataclass(frozen=True)
class PopulationIR:
    """Neurons [first, first + n) of the network. Arrays have shape (n,); positions in metres.

    `overridden` names the parameters that the population gives itself instead of taking the model's. Where the neurons
    are cells of a connectome, `cells` says which, and `columns` are the numbers that it has of them.
    """

    name: str
    model: str
    first: int
    n: int
    tags: tuple[str, ...]
    sides: tuple[str, ...]
    pools: tuple[str, ...]
    side: NDArray[np.int8]
    segment: I32
    pool: NDArray[np.int16]
    y: F64
    start: F64
    end: F64
    coordinates: dict[str, F64]
    parameters: dict[str, Parameter]
    initial: dict[str, F64]
    overridden: frozenset[str] = frozenset()
    columns: dict[str, Value] = field(default_factory=dict)
    cells: Cells | None = None

    @property
    def last(self) -> int:
        """One past the last global id."""
        return self.first + self.n


@dataclass(frozen=True)
class Edges:
    """Edges sorted by (target, source); `pre` and `post` are ids within their populations, `delay` in network steps."""

    pre: I32
    post: I32
    delay: I32
    parameters: dict[str, F64]

    def __len__(self) -> int:
        return len(self.pre)


@dataclass(frozen=True)
class Rule:
    """What a projection does at a spike; projections with equal rules between the same models share one object."""

    on_spike: str
    on_post: str | None = None
    equations: str | None = None
    method: str | None = None
    parameters: tuple[tuple[str, Dim], ...] = ()
    lesioned: bool = False


@dataclass(frozen=True)
class ProjectionIR:
    """A projection; `edges(lo, hi)` builds the rows of targets lo <= j < hi and no others.

    A projection that a lesion cut from the start is there, without edges.
    """

    name: str
    source: str
    target: str
    rule: Rule
    edges: Callable[[int, int], Edges]
    initial: dict[str, float] = field(default_factory=dict)

    @property
    def lesioned(self) -> bool:
        """Whether a lesion in mid-run concerns it."""
        return self.rule.lesioned


@dataclass(frozen=True)
class ContinuousIR:
    """A graded projection: `expression` summed over sources into `variable` of the target."""

    name: str
    source: str
    target: str
    expression: str
    variable: str
    parameters: tuple[tuple[str, Dim], ...]
    edges: Callable[[int, int], Edges]
    lesioned: bool = False


@dataclass(frozen=True)
class NetworkIR:
    """Everything a backend needs: models, populations in order of their ids, projections."""

    name: str
    seed: int
    dt: float
    models: dict[str, ModelSpec]
    populations: dict[str, PopulationIR]
    projections: dict[str, ProjectionIR]
    continuous: dict[str, ContinuousIR]

    @property
    def connectomes(self) -> dict[str, dict[str, str]]:
        """SHA-256 of the files of data sets that the populations are made of, by data set and file."""
        return hashes(population.cells for population in self.populations.values())

    @property
    def n(self) -> int:
        """Number of neurons."""
        return sum(p.n for p in self.populations.values())
