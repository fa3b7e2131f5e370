"""The whole state of a network as named arrays, in one format for all backends.

Keys:

- ``clock/step``: int64, shape (1,).
- ``<object>/<variable>``: the arrays of groups (parameters included: drives write to them) and those synaptic variables
  that may change.
- ``<synapses>/intact``: uint8, only where edges were cut.
- ``<pathway>/due`` and ``<pathway>/synapse``: int32, the events in flight: network steps until delivery (0: in the next
  step) and index of the synapse, sorted by `due`, the events of one step in the order in which they will be delivered.
- ``spikes/step`` and ``spikes/id``: the spikes of the last tick.

Random numbers are functions of (seed, neuron, step) and have no state.
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


def slots_to_arrays(slots: list[NDArray[np.int32]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Events by steps until delivery -> (due, synapse)."""
    due = np.repeat(np.arange(len(slots), dtype=np.int32), [len(s) for s in slots])
    return due, np.concatenate([np.empty(0, dtype=np.int32), *slots]).astype(np.int32)


def arrays_to_slots(
    due: NDArray[np.int32], synapse: NDArray[np.int32], n_slots: int, n_synapses: int
) -> list[NDArray[np.int32]]:
    """(due, synapse) -> events by steps until delivery. Raises UserError for events that this network cannot hold."""
    ok = due.shape == synapse.shape and (
        not len(due)
        or (due[0] >= 0 and due[-1] < n_slots and bool(np.all(np.diff(due) >= 0)))
        and (synapse.min() >= 0 and synapse.max() < n_synapses)
    )
    if not ok:
        raise UserError("the saved events in flight do not fit the network's delays and synapses")
    bounds = np.searchsorted(due, np.arange(n_slots + 1))
    return [synapse[a:b] for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
