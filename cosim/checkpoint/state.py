"""The state of a lockstep as named arrays: ``network/``, ``body/``, ``wires/<name>/``, ``record/``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.bridge.lockstep import Lockstep
from cosim.bridge.outgoing import Outgoing
from cosim.bridge.wires import SensoryWire
from cosim.errors import UserError
from cosim.record import Recorder

Arrays = dict[str, NDArray[Any]]


def _wires(lockstep: Lockstep) -> Arrays:
    """The arrays themselves."""
    wires: list[SensoryWire | Outgoing] = [*lockstep.sensory, *lockstep.motor]
    return {f"wires/{wire.name}/{key}": array for wire in wires for key, array in wire.memory().items()}


def take(lockstep: Lockstep) -> Arrays:
    """Copies of everything, between two ticks. The record is handed over to be written up to here."""
    found = {key: array.copy() for key, array in _wires(lockstep).items()}
    if lockstep.backend is not None:
        found |= {f"network/{key}": array for key, array in lockstep.backend.snapshot().items()}
    if lockstep.body is not None:
        found |= {f"body/{key}": array for key, array in lockstep.body.snapshot().items()}
    if isinstance(lockstep.recorder, Recorder):
        found |= {f"record/{key}": array for key, array in lockstep.recorder.position().items()}
    return found


def give(lockstep: Lockstep, arrays: Mapping[str, NDArray[Any]], tick: int) -> None:
    """Bring a lockstep that was just built to the start of `tick`. (The record takes its share when it is opened.)

    Ranks that share it call this together; network and body are rank 0's to give.

    Raises UserError if the state is of another network, body or set of wires.
    """
    wires = _wires(lockstep)
    saved = {key for key in arrays if key.startswith("wires/")}
    for key in sorted(saved ^ set(wires)):
        raise UserError(f"the checkpoint does not fit the experiment's wires: {key}")
    # lesions are made again, which the snapshots then bring back anyway; pushes are in the body's arrays
    lockstep.schedule.resume(tick, replay=True)
    lockstep.pushes.resume(tick, replay=False)
    for key, array in wires.items():
        if arrays[key].shape != array.shape:
            raise UserError(f"the checkpoint does not fit the experiment's wires: {key} has another shape")
        array[...] = arrays[key]
    if lockstep.backend is not None:
        lockstep.backend.restore(_part(arrays, "network"))
    if lockstep.body is not None and (lockstep.link is None or lockstep.link.owner):
        lockstep.body.restore(_part(arrays, "body"))
    lockstep.tick = tick


def pass_through(lockstep: Lockstep, arrays: Mapping[str, NDArray[Any]]) -> None:
    """After `take`: where the body does not come back exactly, go on from what another process would go on from."""
    if lockstep.body is not None and not lockstep.body.restores_exactly:
        lockstep.body.restore(_part(arrays, "body"))


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Arrays:
    start = f"{prefix}/"
    # copies: what was read from a file is read-only
    return {key.removeprefix(start): np.array(array) for key, array in arrays.items() if key.startswith(start)}
