"""Going on with an interrupted run, from its directory alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cosim.api import Experiment, Simulation
from cosim.checkpoint.file import Checkpoint, DamagedError
from cosim.checkpoint.keep import newest
from cosim.checkpoint.match import family
from cosim.errors import CosimError, UserError
from cosim.record import Result, read_manifest, verify


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
    path, say = Path(path), say or (lambda text: None)
    manifest = read_manifest(path)
    status = manifest.get("status")
    if status == "complete":
        say(f"{path}: the run is complete; there is nothing to resume")
        return Result(path)
    if status == "failed":
        message = manifest.get("message") or "no reason was recorded"
        raise UserError(f"{path}: the run failed, and would do so again if it were resumed: {message}")
    checkpoint = newest(path, say, lambda found: _recorded(path, found))
    document = Path(manifest["documents"]["experiment"])
    if not document.is_file():
        raise UserError(f"{path}: its experiment is no longer at {document}")
    experiment = Experiment(document, manifest.get("overrides") or {})
    if backend == "auto" and family(checkpoint.meta["backend"]) not in (None, "compiled"):
        backend = "numpy"
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


def _recorded(path: Path, checkpoint: Checkpoint) -> None:
    """Raise DamagedError if the store does not hold everything up to the checkpoint."""
    try:
        verify(path, checkpoint.part("record"))
    except CosimError as error:
        raise DamagedError(f"{checkpoint.path} cannot be used: {error}") from error
