"""A whole replay: run, checked, varied, compared, and written down as a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosim.analyse.options import ReplayOptions
from cosim.api import Experiment
from cosim.errors import UserError
from cosim.record.result import Result
from cosim.replay.audit import Audit, audit, take_steps
from cosim.replay.comparing import Bands, Legs, Other, bands_of, legs_of, others_of, read_speeds
from cosim.replay.keypoints import direction_errors
from cosim.replay.variants import Curves, Failure, check_variants, curves_of, one_at_a_time, run_variants
from cosim.spec.replay import ReplaySpec


@dataclass(frozen=True)
class Study:
    """All that is known of a replay; None for what was not asked for or has nothing to be compared with."""

    result: Result
    tether: str
    curves: Curves
    audit: Audit | None
    variants: Mapping[str, Curves | Failure]
    bands: Bands | None
    legs: Legs | None
    others: list[Other]
    speeds: Mapping[str, tuple[float, float]]
    keypoints: Mapping[str, Any]


def check(experiment: Experiment) -> None:
    """Raise UserError for an experiment that is no replay, or records too little of it."""
    spec = experiment.spec
    if not any(command.kinematics is not None for command in spec.commands.values()):
        raise UserError(f"{spec.name} replays no kinematics: none of its `commands:` has `kinematics:`")
    recorded = spec.record.body.sensors
    needed = ("joint_angle", "joint_torque", "joint_power", "foot_force", "contact_force", "com_position")
    missing = [name for name in needed if recorded != "all" and name not in recorded]
    if missing:
        raise UserError(
            experiment.loaded.problem("experiment", ("record", "body", "sensors"), f"a replay needs {missing[0]} too")
        )


def study(
    experiment: Experiment, out: Path, *, force: bool, checked: bool, varied: bool, jobs: int,
    say: Callable[[str], None],
) -> Study:  # fmt: skip
    """Run the replay and everything around it. Raises UserError, SimulationError."""
    check(experiment)
    spec = experiment.spec
    wanted = spec.replay or ReplaySpec()
    changes = one_at_a_time(wanted.vary) if varied else []
    document = experiment.loaded.paths["experiment"]
    check_variants(document, experiment.overrides, changes)
    result = experiment.run(out=out, force=force)
    own = curves_of(result)
    found: Audit | None = None
    if checked:
        say("checking torques and forces by inverse dynamics ...")
        found = audit(*take_steps(experiment))
    variants: dict[str, Curves | Failure] = {}
    if changes:
        say(f"varying what is not known: {len(changes)} runs ...")
        done = run_variants(document, experiment.overrides, changes, jobs)
        variants = {_name(change): one for change, one in zip(changes, done, strict=True)}
    options = spec.measure.replay or ReplayOptions()
    legs = legs_of(result, options, spec.transient)
    return Study(
        result, spec.world.tether, own, found, variants, bands_of(own, variants) if variants else None, legs,
        others_of(legs, wanted.records) if legs is not None else [],
        read_speeds(Path(wanted.speeds)) if wanted.speeds is not None else {},
        direction_errors(result, wanted.keypoints) if wanted.keypoints is not None else {},
    )  # fmt: skip


def _name(changes: Mapping[str, Any]) -> str:
    """A variant's name: the end of its path and its value."""
    return ", ".join(
        f"{path.rpartition('.')[2]} {json.dumps(value) if isinstance(value, list) else value}"
        for path, value in changes.items()
    ).replace('"', "")


def summary(one: Study) -> dict[str, Any]:
    """Numbers for a program: metrics, check, ranges, comparisons."""
    return {
        "result": str(one.result.path),
        "metrics": dict(one.result.metrics),
        "check": one.audit.as_dict() if one.audit is not None else None,
        "ranges": dict(one.bands.metrics) if one.bands is not None else None,
        "legs": _legs(one.legs),
        "others": {other.name: {"accuracy": other.accuracy} for other in one.others},
        "keypoints": {leg: float(errors.mean()) for leg, errors in one.keypoints.items()},
    }


def _legs(legs: Legs | None) -> dict[str, Any] | None:
    if legs is None:
        return None
    agreement = legs.agreement
    rows = zip(agreement.legs, agreement.accuracy.tolist(), agreement.r.tolist(), strict=True)
    return {leg: {"balanced_accuracy": accuracy, "r": r} for leg, accuracy, r in rows}
