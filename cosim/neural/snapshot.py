"""The whole state of a network as named arrays, in one format for all backends.

Keys:

- ``clock/step``: int64, shape (1,).
- ``<object>/<variable>``: the arrays of groups (parameters included: drives write to them) and those synaptic variables
  that may change; the synapses of an object in the order (source, delay, target), those alike in all three in the order
  of the projections and their edge lists. Both backends keep their edges in that order (`SynapsesArrays`).
- ``flight/step`` (int64) and ``flight/id`` (int32, global ids): all spikes of the last steps, as many as the longest
  delay of the network, by (step, id).
- ``spikes/step`` and ``spikes/id``: the spikes of the last tick.

What is in flight follows from the history of spikes: with t the step that comes next, a spike of step s has on an edge
of d steps an event in flight if s + d >= t, due in step s + d (with d = 0 it was delivered in step s). Events of one
step are delivered by step of the spike, source, and edge in the order above.

Not in it: random numbers are functions of (seed, neuron, step) and have no state, and which edges are cut is part of
the experiment: whoever restores makes the same cuts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.errors import UserError

#: variables of Brian2's groups that never change, or that a snapshot holds in another form
BOOKKEEPING = frozenset(
    {"i", "j", "N", "N_incoming", "N_outgoing", "t", "dt", "t_in_timesteps", "delay", "intact", "draw_key"}
)

#: keys that every snapshot has
SPIKES_AND_CLOCK = ("clock/step", "flight/step", "flight/id", "spikes/step", "spikes/id")

State = dict[str, NDArray[Any]]


def put(values: NDArray[Any], saved: Mapping[str, NDArray[Any]], key: str) -> None:
    """Copy a saved array into `values`, in place. Raises UserError if it is missing or has another shape or type."""
    if key not in saved:
        raise UserError(f"the saved state has no '{key}': it is of another network or version")
    found = np.asarray(saved[key])
    if found.shape != values.shape or found.dtype != values.dtype:
        raise UserError(
            f"'{key}' in the saved state has shape {found.shape} ({found.dtype}), "
            f"the network needs {values.shape} ({values.dtype})"
        )
    values[...] = found


def check_keys(saved: Mapping[str, NDArray[Any]], known: set[str]) -> None:
    """Raise UserError if the saved state holds anything that this network does not have."""
    strange = sorted(set(saved) - known)
    if strange:
        raise UserError(
            f"the saved state has '{strange[0]}', which this network does not: it is of another network or version"
        )


def check_flight(
    saved: Mapping[str, NDArray[Any]], now: int, longest: int, spiking: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The saved history of spikes, for a network that goes on at step `now`, whose longest delay is `longest` steps and
    whose neurons with a threshold are `spiking` (global ids).

    Raises UserError for spikes that this network cannot have had.
    """
    if "flight/step" not in saved or "flight/id" not in saved:
        raise UserError("the saved state has no 'flight/step' and 'flight/id': it is of another version")
    steps = np.ascontiguousarray(saved["flight/step"], dtype=np.int64)
    ids = np.ascontiguousarray(saved["flight/id"], dtype=np.int32)
    fits = steps.shape == ids.shape and (
        not len(steps)
        or (now - longest <= steps[0] and steps[-1] < now and bool(np.isin(ids, spiking).all()))
        and bool(np.all((np.diff(steps) > 0) | ((np.diff(steps) == 0) & (np.diff(ids) > 0))))
    )
    if not fits:
        raise UserError("the saved spikes in flight do not fit the network's neurons and delays")
    return steps, ids


def spikes_of(
    members: NDArray[Any], steps: NDArray[np.int64], ids: NDArray[np.int32], now: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Those spikes that are of a group whose neurons have the global ids `members`: how many steps before `now`, and
    the place of the neuron in the group; by step and place, the order in which they entered the group's queues."""
    order = np.argsort(members, kind="stable")
    own = np.isin(ids, members)
    ages = (now - steps[own]).astype(np.int32)
    places = order[np.searchsorted(members, ids[own], sorter=order)].astype(np.int32)
    by_step = np.lexsort((places, -ages))
    return ages[by_step], places[by_step]
