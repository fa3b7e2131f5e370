"""The state of a body in PyBullet, so that another process can go on from it.

What PyBullet 3.2.7 can and cannot bring back was measured on bodies like ours (double precision, no sleeping, a fresh
client, one body; ``tests/body/test_body_snapshot.py`` repeats it):

- From the numbers that the client shows (base pose and twist, joint angles and speeds) a floating body comes back wrong
  in the last bits: the orientation is shown by way of a rotation matrix. A fixed base comes back exactly. Contacts do
  not: the manifolds (up to four points a pair, kept from step to step) are built anew from one.
- From ``saveBullet``, read by ``restoreState`` into a fresh client, a body without contacts comes back to the bit: the
  file holds the engine's own quaternion. With contacts it does mostly, but not always: the order of the manifolds is
  that of the new client, and links of several shapes have several manifolds a pair, which the file's reader does not
  tell apart (bulletphysics/bullet3 issue 4387; issue 2982 is the same for many bodies; 3993 is about sleeping, which is
  off here).

So the state is that file. Where nothing can touch the body, going on from it is exact. Where something can (ground,
self collision), a run that takes checkpoints must itself go on from each of them: then it passes through the same
states as one that was interrupted there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from cosim.body.engine import Engine, quiet
from cosim.body.ports import arrays_of
from cosim.errors import UserError

if TYPE_CHECKING:
    from cosim.body.simulated import SimulatedBody

Saved = dict[str, NDArray[Any]]
ENGINE = "engine"


def take(body: SimulatedBody) -> Saved:
    """The arrays of the ports, and beside them ``engine``, Bullet's file (uint8); ``acceleration``, the lagged joint
    accelerations (n,) of ``drive.py``; ``work`` and ``fluid_work``, J; ``touch`` and ``fall`` of those that can."""
    with tempfile.TemporaryDirectory(prefix="cosim-") as folder:
        file = Path(folder) / "body.bullet"
        p.saveBullet(str(file), physicsClientId=body.engine.client)
        content = np.frombuffer(file.read_bytes(), dtype=np.uint8)
    saved: Saved = {ENGINE: content}
    saved |= {key: array.copy() for key, array in (body.kept | arrays_of(body)).items()}
    saved["fluid_work"] = np.array(body.fluid.work if body.fluid is not None else 0.0)
    return saved


def give(body: SimulatedBody, saved: Mapping[str, NDArray[Any]]) -> None:
    """Bring `body`, whose engine was just loaded, to the saved state. Raises UserError if it is of another body."""
    engine = body.engine
    arrays = body.kept | arrays_of(body)
    for key, array in arrays.items():
        if key not in saved or saved[key].shape != array.shape:
            raise UserError(f"the saved state of the body does not fit body '{body.spec.name}': {key} differs")
    _read(engine, saved[ENGINE])
    for key, array in arrays.items():
        array[...] = saved[key]
    body.settle()
    if body.fluid is not None:
        body.fluid.read(body.table)
        body.fluid.work = float(saved["fluid_work"])


def _read(engine: Engine, content: NDArray[Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="cosim-") as folder:
        file = Path(folder) / "body.bullet"
        file.write_bytes(content.tobytes())
        try:
            with quiet():
                p.restoreState(fileName=str(file), physicsClientId=engine.client)
        except p.error as error:
            raise UserError(f"Bullet cannot restore the saved state of the body: {error}") from None
