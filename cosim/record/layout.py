"""What a run will record, declared before it starts so that every array is created once, with named dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cosim.errors import CosimError

#: labels of the trailing dimension of a sensor with several numbers per label
WIDTHS: dict[int, tuple[str, tuple[str, ...]]] = {3: ("xyz", ("x", "y", "z")), 4: ("quaternion", ("x", "y", "z", "w"))}

_LABELLED_BY = {
    "joint": "joint",
    "link": "link",
    "contact": "link",
    "site": "site",
    "slider": "slider",
    "com": "body",
    "muscle": "muscle",
    "work": "work",
    "energy": "energy",
}


@dataclass(frozen=True)
class Axis:
    """A dimension beyond time: its name and its labels (strings, or integers such as neuron numbers)."""

    name: str
    labels: tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True)
class SeriesLayout:
    """One recorded variable of shape (time, *axes); row i belongs to tick ``first + i*every``.

    ``name`` is the path in the store: the group, then the variable ("body/joint_angle", "state/MC/v").
    ``first`` is 1 for readings taken at the end of a tick [k, k+1) and 0 for values sampled at its start.
    """

    name: str
    axes: tuple[Axis, ...] = ()
    unit: str = ""
    every: int = 1
    first: int = 0
    dtype: Literal["float64", "float32"] = "float64"

    def __post_init__(self) -> None:
        if self.every < 1:
            raise CosimError(f"series {self.name}: recorded every {self.every} ticks; at least 1 is needed")
        if "/" not in self.name:
            raise CosimError(f"series {self.name}: the name needs a group, as in body/joint_angle")

    @property
    def group(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def variable(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return tuple(len(axis.labels) for axis in self.axes)


#: what is known of neurons in words
LABELS = ("side", "cell")


@dataclass(frozen=True)
class PopulationLayout:
    """A population's share [first, first + n) of the global neuron numbers, and what is known per neuron.

    ``side`` holds a label per neuron, ``cell`` the id of its cell where it is one of a connectome; ``positions`` arrays
    of length n in metres, by coordinate name.
    """

    name: str
    first: int
    n: int
    side: Sequence[str] | None = None
    positions: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    spiking: bool = True
    cell: Sequence[str] | None = None


@dataclass(frozen=True)
class RecordLayout:
    """Everything a run records.

    ``tick`` is the length of a tick and ``dt`` the network's time step, both in seconds; spike steps count ``dt``.
    ``spikes`` says whose spikes are stored: all, none, or those of the named populations. The hash covers all spikes in
    any case, so that what is kept does not decide whether two runs count as the same.
    """

    tick: float
    dt: float
    populations: tuple[PopulationLayout, ...] = ()
    series: tuple[SeriesLayout, ...] = ()
    spikes: bool | tuple[str, ...] = True


def body_series(
    name: str,
    labels: Sequence[str],
    *,
    unit: str = "",
    width: int = 1,
    every: int = 1,
    dtype: Literal["float64", "float32"] = "float64",
) -> SeriesLayout:
    """Layout of the body sensor ``name`` (joint_angle, link_position, ...): readings stand at the end of their tick."""
    axes = [Axis(_LABELLED_BY.get(name.partition("_")[0], "label"), tuple(labels))]
    if width in WIDTHS:
        axes.append(Axis(*WIDTHS[width]))
    elif width != 1:
        axes.append(Axis("component", tuple(range(width))))
    return SeriesLayout(f"body/{name}", tuple(axes), unit, every, first=every, dtype=dtype)


def state_series(
    population: str,
    variable: str,
    neurons: Sequence[int],
    *,
    unit: str = "",
    every: int = 1,
    dtype: Literal["float64", "float32"] = "float64",
) -> SeriesLayout:
    """Layout of a state variable of some neurons of a population (numbers within it), sampled at the start of a
    tick."""
    axis = Axis("neuron", tuple(int(i) for i in neurons))
    return SeriesLayout(f"state/{population}/{variable}", (axis,), unit, every, first=0, dtype=dtype)


def wire_series(
    wire: str, side: Literal["sent", "delivered"], channels: Sequence[str], *, unit: str = "", every: int = 1
) -> SeriesLayout:
    """Layout of what a wire sent (before its delay) or delivered (after it)."""
    return SeriesLayout(f"wires/{wire}/{side}", (Axis("channel", tuple(channels)),), unit, every, first=0)


def command_series(command: str, channels: Sequence[str], *, unit: str = "", every: int = 1) -> SeriesLayout:
    """Layout of where a replay wants the joints to be at the end of a tick: beside what the body's sensors say."""
    return SeriesLayout(f"commands/{command}", (Axis("joint", tuple(channels)),), unit, every, first=every)


@dataclass(frozen=True)
class Dimension:
    """A resolved dimension of a group: a label axis, or (labels None) a time axis with its ticks."""

    name: str
    labels: tuple[str, ...] | tuple[int, ...] | None = None
    first: int = 0
    every: int = 1


def resolve(series: Iterable[SeriesLayout]) -> dict[str, tuple[Dimension, ...]]:
    """Give each series its dimensions so that a name means one thing within a group.

    The first series of a group has the plain names; one that differs (another interval, other neurons) gets its own,
    with the variable's name behind: ``time_w1``, ``neuron_w1``. Raises CosimError if a name comes twice.
    """
    known: dict[tuple[str, str], Dimension] = {}
    resolved: dict[str, tuple[Dimension, ...]] = {}
    for one in series:
        if one.name in resolved:
            raise CosimError(f"series {one.name} is declared twice")
        wanted = [Dimension("time", None, one.first, one.every)]
        wanted += [Dimension(axis.name, axis.labels) for axis in one.axes]
        own: list[Dimension] = []
        for dimension in wanted:
            if known.setdefault((one.group, dimension.name), dimension) != dimension:
                renamed: dict[str, Any] = {**dimension.__dict__, "name": f"{dimension.name}_{one.variable}"}
                dimension = Dimension(**renamed)
                known[one.group, dimension.name] = dimension
            own.append(dimension)
        resolved[one.name] = tuple(own)
    return resolved
