"""A lockstep that several ranks share."""

from __future__ import annotations

from cosim.bridge.lockstep import Lockstep
from cosim.mpi.link import RankLink
from cosim.mpi.world import World


def share(lockstep: Lockstep, world: World) -> None:
    """Let rank 0 own the body. All ranks call this together."""
    if lockstep.body is not None:
        lockstep.link = RankLink(world.comm, lockstep.body, [wire.sensor for wire in lockstep.sensory])
