"""A lockstep that several ranks share."""

from __future__ import annotations

from cosim.bridge.lockstep import Lockstep
from cosim.mpi.link import RankLink
from cosim.mpi.world import World


def share(lockstep: Lockstep, world: World) -> None:
    """Let rank 0 own the body, and all know of a blow-up if they go on after it. All ranks call this together."""
    if world.collective:
        lockstep.agree = lambda text: world.comm.bcast(text, root=0)
    if lockstep.body is not None:
        lockstep.link = RankLink(world.comm, lockstep.body, [wire.sensor for wire in lockstep.sensory])
