"""Going on with an interrupted run, from its directory alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cosim.api import Experiment, Simulation
from cosim.checkpoint.file import Checkpoint, DamagedError
from cosim.checkpoint.keep import newest
from cosim.errors import CosimError, UserError
from cosim.mpi.world import world
from cosim.record import Result, read_manifest, verify

#: the manifest of a run, its experiment's document, and the checkpoint to go on from
Interrupted = tuple[dict[str, Any], Path, Checkpoint]


def resume(
    path: Path | str,
    *,
    backend: str = "auto",
    overlap: bool = True,
    progress: Callable[[float], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Result:
    """Go on with the run at `path` from its newest checkpoint to its end, measure, and return the result.

    A run that is complete is left as it is, which is told through `say`. Raises UserError for a run that cannot be
    resumed, with the reason, and what ``Experiment.run`` raises.
    """
    path, say, ranks = Path(path), say or (lambda text: None), world()
    found = _find(path, say) if ranks is None else ranks.from_root(lambda: _find(path, say), _for_others)
    if found is None:
        say(f"{path}: the run is complete; there is nothing to resume")
        return Result(path)
    manifest, document, checkpoint = found
    experiment = Experiment(document, manifest.get("overrides") or {})
    say(f"{path}: going on at {checkpoint.meta['time']:g} s")
    with Simulation(
        experiment,
        seed=manifest["seed"],
        out=path,
        backend=backend,
        force=False,
        overlap=overlap,
        say=say,
        resume=checkpoint,
    ) as simulation:
        simulation.progress = progress
        simulation.run()
    return simulation.result(path)


def _find(path: Path, say: Callable[[str], None]) -> Interrupted | None:
    """An interrupted run; None if it is complete. Raises UserError if it cannot be resumed."""
    manifest = read_manifest(path)
    status = manifest.get("status")
    if status == "complete":
        return None
    if status == "failed":
        message = manifest.get("message") or "no reason was recorded"
        raise UserError(f"{path}: the run failed, and would do so again if it were resumed: {message}")
    checkpoint = newest(path, say, lambda found: _recorded(path, found))
    document = Path(manifest["documents"]["experiment"])
    if not document.is_file():
        raise UserError(f"{path}: its experiment is no longer at {document}")
    return manifest, document, checkpoint


def _for_others(found: Interrupted | None) -> Interrupted | None:
    """What ranks other than 0 need of it: of the arrays, those of the wires."""
    if found is None:
        return None
    manifest, document, checkpoint = found
    arrays = {key: array for key, array in checkpoint.arrays.items() if key.startswith("wires/")}
    return manifest, document, Checkpoint(checkpoint.path, checkpoint.meta, arrays)


def _recorded(path: Path, checkpoint: Checkpoint) -> None:
    """Raise DamagedError if the store does not hold everything up to the checkpoint."""
    try:
        verify(path, checkpoint.part("record"))
    except CosimError as error:
        raise DamagedError(f"{checkpoint.path} cannot be used: {error}") from error
