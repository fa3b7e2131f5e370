"""Checkpoints of a run: what one holds, how it is kept, and how a run goes on from it.

A checkpoint is taken between two ticks and holds all that decides how the run goes on: the network's snapshot (state,
spikes in flight and of the last tick; random numbers are functions of seed, neuron and step and have no state), the
wires' delay lines, filters and activations, the body's snapshot, and where the record is (rows, running sums). What the
documents say (equations, wires, lesions, commands, pushes) is built from them again.

An interrupted run and one that was not have the same hashes. Where nothing can touch the body, checkpoints leave no
trace at all: a run with them has the bits of one without. A body with ground or self collision cannot be brought back
exactly by PyBullet (see ``cosim.body.snapshot``); there the run itself goes on from every checkpoint that it takes, so
its hashes may differ from those of a run with another `checkpoint` in the experiment, though not from those of the same
run interrupted anywhere.
"""

from cosim.checkpoint.file import Checkpoint, DamagedError
from cosim.checkpoint.keep import Keeper, newest
from cosim.checkpoint.state import give, take

__all__ = ["Checkpoint", "DamagedError", "Keeper", "give", "newest", "take"]
