"""Run an experiment: record it, measure it, report it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosim.cli.output import add_json, add_set, engines_quiet, print_json, shown, table
from cosim.errors import SimulationError, UserError
from cosim.mpi.world import world

if TYPE_CHECKING:
    from cosim.record.result import Result

HELP = "run an experiment"

_HASHES = ("spikes", "state", "body")


def _seed(text: str) -> int:
    try:
        seed = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got '{text}'") from None
    if not 0 <= seed < 2**63:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to 2^63 - 1, got '{text}'")
    return seed


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("name", metavar="NAME", nargs="?", help="the name of an experiment, or its file")
    add_set(verb)
    verb.add_argument("--seed", type=_seed, help="seed of everything random (default: the document's)")
    verb.add_argument("--duration", metavar="TIME", help="biological time, e.g. '2 s'; short for --set duration=TIME")
    verb.add_argument("--out", type=Path, metavar="DIR", help="where the result goes (default: results/NAME)")
    verb.add_argument("--force", action="store_true", help="replace an earlier result")
    verb.add_argument(
        "--backend",
        choices=("auto", "compiled", "runtime", "numpy"),
        default="auto",
        help="compiled: one library, the fastest; runtime: Brian2's cython code; numpy: slow, but needs no C++ "
        "compiler; auto: the best there is",
    )
    verb.add_argument(
        "--checkpoint",
        nargs="?",
        const="1 s",
        metavar="TIME",
        help="keep what --resume needs, every TIME of biological time (default: 1 s)",
    )
    verb.add_argument(
        "--resume", type=Path, metavar="DIR", help="go on with the interrupted run in DIR, from its last checkpoint"
    )
    verb.add_argument("--no-overlap", action="store_true", help="body and network never advance at the same time")
    verb.add_argument("--video", action="store_true", help="film the body (needs the extra 'video')")
    verb.add_argument("--no-report", action="store_true", help="no pictures and no page")
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Run it."""
    from cosim.spec import overrides

    changes = overrides.from_arguments(given.set)
    _whole(given)
    if given.duration is not None:
        changes["duration"] = given.duration
    if given.checkpoint is not None:
        changes["checkpoint"] = given.checkpoint
    if given.video:
        _need_video()
    shared = world()
    if shared is not None:
        from cosim.mpi.ending import listen

        listen(shared)
    with engines_quiet():
        result = _run(given, changes, shared is None or shared.root)
        if shared is not None:
            shared.alarm.done()
            if not shared.root:
                return 0
        files = _extras(result, given)
    if given.json:
        print_json(_summary(result))
    else:
        print("\n".join(_lines(result, files)))
    return 0


def _whole(given: argparse.Namespace) -> None:
    """One of NAME and --resume; with --resume, nothing that would make it another run."""
    if given.resume is None:
        if given.name is None and given.checkpoint is not None:  # `--checkpoint NAME`, which argparse reads as a time
            given.name, given.checkpoint = given.checkpoint, "1 s"
        if given.name is None:
            raise UserError("which experiment? Give its NAME, or --resume DIR")
        return
    others = ("set", "seed", "duration", "out", "force", "checkpoint")
    extra = [f"--{key}" for key in others if (value := getattr(given, key)) or value == 0 and value is not False]
    extra += ["NAME"] if given.name is not None else []
    if extra:
        raise UserError(f"--resume goes on with the run as it was begun; it does not go with {', '.join(extra)}")


def _need_video() -> None:
    """Say before the run, and not after it, that a film needs another package."""
    from cosim.record.extras import need

    need("imageio_ffmpeg", "video")


def _quiet(text: str) -> None:
    """Ranks other than 0 say nothing."""


def _run(given: argparse.Namespace, changes: dict[str, str], speaks: bool) -> Result:
    import cosim
    from cosim.record.manifest import is_result
    from cosim.record.progress import Progress

    path: Path | None = given.out
    say = partial(print, file=sys.stderr, flush=True) if speaks else _quiet
    try:
        if given.resume is not None:
            path = given.resume
            return _resumed(given, say)
        experiment = cosim.load(given.name, changes)
        spec = experiment.loaded.spec
        path = given.out if given.out is not None else Path("results") / spec.name
        with Progress(spec.duration, rank=0 if speaks else 1) as progress:
            return experiment.run(
                seed=given.seed,
                out=path,
                backend=given.backend,
                force=given.force,
                overlap=not given.no_overlap,
                progress=progress.update,
                say=say,
            )
    except KeyboardInterrupt:
        if path is not None and is_result(path):
            raise KeyboardInterrupt(f"interrupted; what was recorded until then can be read: {path}") from None
        raise
    except SimulationError as error:
        if path is not None and is_result(path):
            raise SimulationError(f"{error}\nwhat was recorded until then can be read: {path}") from error
        raise


def _resumed(given: argparse.Namespace, say: Callable[[str], None]) -> Result:
    from cosim.checkpoint.resume import resume
    from cosim.record.manifest import read_manifest
    from cosim.record.progress import Progress

    manifest = read_manifest(given.resume)
    if manifest.get("status") == "complete":
        given.no_report, given.video = True, False  # it is left as it is
    with Progress(manifest.get("duration") or 0.0) as progress:
        return resume(
            given.resume, backend=given.backend, overlap=not given.no_overlap, progress=progress.update, say=say
        )


def _extras(result: Result, given: argparse.Namespace) -> list[Path]:
    """Video and report; their failure leaves the result as it is, and is told."""
    files = []
    if given.video:
        from cosim.record.video import video

        files.append(_attempt("the video", lambda: video(result.path)))
    if not given.no_report:
        from cosim.analyse.report import report

        files.append(_attempt("the report", lambda: report([result.path])))
    return [file for file in files if file is not None]


def _attempt(what: str, make: Any) -> Path | None:
    try:
        path: Path = make()
        return path
    except UserError as error:
        print(f"{what} was not made: {error}", file=sys.stderr)
        return None


def _summary(result: Result) -> dict[str, Any]:
    manifest = result.manifest
    hashes = manifest.get("hashes") or {}
    return {
        "result": str(result.path),
        "metrics": dict(result.metrics),
        "hashes": {name: hashes.get(name) for name in _HASHES},
        "timings": dict(manifest.get("timings") or {}),
    }


def _lines(result: Result, files: list[Path]) -> list[str]:
    """The summary for a reader: metrics beside their reference, timings, where everything is."""
    from cosim.analyse.report import assess

    assessed = assess(result)
    manifest = result.manifest
    lines = [f"{manifest.get('title') or manifest.get('name')}, {result.duration:g} s, seed {manifest.get('seed')}"]
    if assessed.lines:
        rows = [("metric", "measured", "unit", "reference", "error")] if assessed.reference else []
        rows += [(one.title, one.measured, one.unit, one.reference, one.error) for one in assessed.lines]
        lines += table(rows)
    lines += [f"  note: {text}" for text in assessed.warnings]
    timings = manifest.get("timings") or {}
    parts = [
        f"{name} {timings[name]:.2f} s" for name in ("build", "network", "body", "bridge", "record") if name in timings
    ]
    if "wall" in timings:
        parts.append(f"in all {timings['wall']:.2f} s")
    if parts:
        lines.append("time: " + ", ".join(parts))
    if timings.get("real_time_factor"):
        lines.append(f"speed: {timings['real_time_factor']:.2f} x real time")
    lines.append(f"result: {shown(result.path)}")
    lines += [f"        {shown(file)}" for file in files]
    return lines
