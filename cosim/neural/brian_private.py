"""Everything that leans on Brian2's insides, in one place; tested with Brian2 2.9."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import brian2
import numpy as np
from brian2 import Group, Network, NeuronGroup, Synapses
from brian2.core.base import BrianObject
from brian2.core.variables import ArrayVariable
from brian2.synapses.synapses import SynapticPathway
from numpy.typing import NDArray

from cosim.errors import CosimError
from cosim.neural.snapshot import BOOKKEEPING

TESTED = ("2.9",)


def check_version() -> None:
    """Raise CosimError if this Brian2 is not one that cosim was tested with."""
    version = brian2.__version__
    if ".".join(version.split(".")[:2]) not in TESTED:
        raise CosimError(
            f"Brian2 {version} is installed, and cosim works with its insides as they are in {', '.join(TESTED)}: "
            "pip install 'brian2==2.9.*'"
        )


def own_variables(group: Group) -> Iterator[tuple[str, ArrayVariable]]:
    """The variables that a group owns and that make up its state, sorted by name."""
    for name, variable in sorted(group.variables.items()):
        if not isinstance(variable, ArrayVariable) or variable.owner.name != group.name:
            continue
        if name not in BOOKKEEPING and not name.startswith("_"):
            yield name, variable


def known_variables(group: NeuronGroup) -> list[str]:
    """Names of the variables that equations define: state variables and parameters."""
    return [*group.equations.diff_eq_names, *group.equations.parameter_names]


def pathways(synapses: Synapses) -> list[SynapticPathway]:
    """The queues of a Synapses object, `pre` and `post`."""
    return list(synapses._pathways)


def runners(network: Network, without: Iterable[Group]) -> list[Callable[[], None]]:
    """What to call in one step, in order (groups and synapses do nothing themselves: their runners are objects too).

    What belongs to the groups `without` is left out.
    """
    absent = {group.name for group in without}

    def idle(item: BrianObject) -> bool:
        return not item.code_objects and type(item).run is BrianObject.run

    def left_out(item: BrianObject) -> bool:
        group = getattr(item, "group", None)
        return group is not None and group.name in absent

    return [item.run for item in network.sorted_objects if item.active and not idle(item) and not left_out(item)]


def longest_delay(pathway: SynapticPathway) -> int:
    """In steps."""
    return len(pathway.queue._full_state()[1]) - 1


def put_in_flight(pathway: SynapticPathway, ages: NDArray[np.int32], sources: NDArray[np.int32]) -> None:
    """Let a runtime queue hold what spikes have in flight that `sources` fired so many steps before the next one.

    Spikes come by step and source; the pathway's synapses must be sorted by source. Within a slot the events are in the
    order in which the queue itself would have put them: by spike, then by number of the synapse.
    """
    pre = pathway.synapses.variables["_synaptic_pre"].get_value()
    delay = np.rint(pathway.variables["delay"].get_value() / pathway.clock.dt_).astype(np.int64)
    n_slots = longest_delay(pathway) + 1
    first, end = np.searchsorted(pre, sources, "left"), np.searchsorted(pre, sources, "right")
    synapse = np.concatenate([np.empty(0, dtype=np.int64), *(np.arange(a, b) for a, b in zip(first, end, strict=True))])
    slot = delay[synapse] - np.repeat(ages, end - first)
    slots: list[list[int]] = [[] for _ in range(n_slots)]
    for at, event in zip(slot.tolist(), synapse.tolist(), strict=True):
        if at >= 0:
            slots[at].append(event)
    pathway.queue._restore_from_full_state((0, slots))
