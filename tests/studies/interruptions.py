"""Runs restored at random ticks and runs that are killed, in full (the suite does a part of it).

    python -m tests.studies.interruptions [TICKS] [KILLS]        # a quarter of an hour on two cores

Every model on both backends is restored at ten random ticks, each in a process of its own; the reflex is killed with
SIGKILL twenty times at random and resumed. In all cases the store must become that of the run that was not interrupted,
to the byte.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.checkpoint.helpers import MODELS, hashes, killed, restored, uninterrupted


def main(ticks: int = 10, kills: int = 20) -> None:
    """Print a line per model and backend, and one for the kills; stops where something differs."""
    for model in MODELS:
        spikes = set()
        for backend in ("compiled", "runtime"):
            with tempfile.TemporaryDirectory() as folder:
                whole = uninterrupted(model, Path(folder) / model, backend)
                restored(whole, Path(folder), ticks, backend)
                spikes.add(hashes(whole)["spikes"])
                print(
                    f"{model:8s} {backend:8s} equal, restored at {ticks} ticks of {hashes(whole)['ticks']}", flush=True
                )
        assert len(spikes) == 1
    with tempfile.TemporaryDirectory() as folder:
        reached = killed(Path(folder), kills)
    print(f"killed {kills} times and resumed: complete and equal; newest checkpoints [ms]: {reached}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
