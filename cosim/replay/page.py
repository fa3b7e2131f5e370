"""The page of a replay: one HTML file with the picture, the check, the ranges and the comparisons."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from cosim.analyse import page
from cosim.analyse.catalogue import describe
from cosim.analyse.report import assess, metrics_table
from cosim.analyse.stances import mean_known
from cosim.analyse.tables import number
from cosim.errors import UserError
from cosim.replay.comparing import Legs, says
from cosim.replay.figure import picture
from cosim.replay.study import Study
from cosim.replay.variants import Curves

#: what the check must reach: relative, and in N
TORQUE_LIMIT, MOMENTUM_LIMIT = 1e-4, 2e-9


def write(one: Study) -> Path:
    """Write replay.png and replay.html into the result's directory; returns the page."""
    manifest, folder = one.result.manifest, one.result.path
    title = str(manifest.get("title") or manifest.get("name"))
    try:
        drawn = picture(one.curves, one.bands, one.legs, title, folder / "replay.png")
        assessed = assess(one.result)
        sections = [*map(page.warning, assessed.warnings)]
        if one.audit is not None and not passed(one):
            sections.append(
                page.warning("The check by inverse dynamics failed: torques and forces do not fit the motion.")
            )
        sections += [
            page.note(says(one.tether, one.bands)),
            page.image(drawn, "Contacts, forces, torques, power and way of the body", caption=True),
            metrics_table(assessed), _check(one), *_variants(one), *_contacts(one), *_speed(one), *_keypoints(one),
        ]  # fmt: skip
        target = folder / "replay.html"
        target.write_text(page.document(title, sections), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder}: cannot write the page: {error.strerror or error}") from error
    return target


def passed(one: Study) -> bool:
    """Whether the check found torques and forces to be those that the motion needs."""
    found = one.audit
    if found is None:
        return False
    momentum = math.isnan(found.momentum_error) or found.momentum_error <= MOMENTUM_LIMIT
    return found.torque_error < TORQUE_LIMIT and momentum


def check_lines(one: Study) -> list[tuple[str, str, str]]:
    """What the check found: quantity, value, bound."""
    found = one.audit
    if found is None:
        return []
    rows = [
        ("torque against inverse dynamics minus contacts, RMS over RMS torque", f"{found.torque_error:.1e}",
         f"{TORQUE_LIMIT:g}"),
        (f"the same, worst joint ({found.worst_joint})", f"{found.worst_error:.1e}", ""),
    ]  # fmt: skip
    if not math.isnan(found.momentum_error):
        rows += [
            ("dp/dt against contact forces minus weight, RMS (uN)", f"{found.momentum_error * 1e6:.1e}",
             f"{MOMENTUM_LIMIT * 1e6:g}"),
            ("force missing at the root, RMS (uN)", f"{found.root_error * 1e6:.1e}", ""),
        ]  # fmt: skip
    return rows


def _check(one: Study) -> str:
    if one.audit is None:
        return page.note("Torques and forces were not checked by inverse dynamics (--no-check).")
    text = (
        f"Each of {one.audit.steps} physics steps: motions, inverse dynamics and momentum are computed outside the "
        "engine, from its joint angles, speeds, contact points and contact forces. A held body shows no momentum."
    )
    return page.table("Check by inverse dynamics", ["quantity", "found", "at most"], check_lines(one), text)


def _variants(one: Study) -> list[str]:
    if one.bands is None:
        return []
    names = [name for name, value in one.curves.metrics.items() if not isinstance(value, list)]
    units = {name: known.unit for name in names if (known := describe(name))}
    head = ["", *(f"{name.replace('_', ' ')} {f'({units[name]})' if units.get(name) else ''}" for name in names)]
    rows = [["the replay", *(number(float(one.curves.metrics[name])) for name in names)]]
    for label, variant in one.variants.items():
        if isinstance(variant, Curves):
            rows.append([label, *(number(float(variant.metrics[name])) for name in names)])
    ranges = one.bands.metrics
    rows.append(["range", *(" to ".join(map(number, ranges[name])) if name in ranges else "–" for name in names)])
    spread = _spread(one)
    text = (
        "One value is changed at a time; bands in the picture go from the lowest to the highest curve. They show what "
        "these values leave open, not a confidence interval."
        f"{spread}"
    )
    failures = [page.warning(f"{label} was not run: {reason}") for label, reason in one.bands.failed.items()]
    return [*failures, page.table("What is not known", head, rows, text)]


def _spread(one: Study) -> str:
    """How wide the bands are beside the size of the curves."""
    assert one.bands is not None
    parts = []
    for name, label in (("foot", "vertical foot force"), ("torque", "joint torque")):
        own, low, high = (getattr(curves, name) for curves in (one.curves, one.bands.low, one.bands.high))
        size = float(np.sqrt(np.mean(own**2)))
        if size:
            parts.append(f"{label} {float(np.mean(high - low)) / size:.0%}")
    return f" Mean width of the band over the curve's RMS: {', '.join(parts)}." if parts else ""


def _contacts(one: Study) -> list[str]:
    legs = one.legs
    if legs is None:
        return []
    agreement, measured, simulated = legs.agreement, legs.measured, legs.simulated
    head = ["leg", "balanced accuracy", "r", "duty, record", "duty, replay", "steps/s, record", "steps/s, replay"]
    columns = (agreement.accuracy, agreement.r, measured.duty, simulated.duty, measured.steps, simulated.steps)
    rows = [[leg, *(number(float(c[k])) for c in columns)] for k, leg in enumerate(measured.legs)]
    rows.append(["mean", *(number(mean_known(c)) for c in columns)])
    shifted = agreement.shifted
    text = (
        f"A leg is down in a frame of {measured.dt * 1e3:g} ms where its mean vertical force is above "
        f"{legs.threshold * 1e6:g} uN. "
    )
    if len(shifted):
        text += (
            f"Against the same record shifted in a circle ({len(shifted)} shifts): balanced accuracy at most "
            f"{shifted[:, 0].max():.3f} (mean {shifted[:, 0].mean():.3f}), r at most {shifted[:, 1].max():.3f} "
            f"(mean {shifted[:, 1].mean():.3f}). A leg that is always down has balanced accuracy 0.5."
        )
    sections = [page.table("Contacts beside the record", head, rows, text)]
    if one.others:
        sections.append(_others(one, legs))
    return sections


def _others(one: Study, legs: Legs) -> str:
    head = ["record", *(f"duty {leg}" for leg in legs.measured.legs), "steps/s (mean)", "accuracy of its best stretch"]
    rows = [
        [other.name, *(number(float(x)) for x in other.duty), number(float(other.steps.mean())), number(other.accuracy)]
        for other in one.others
    ]
    own = legs.measured
    rows.insert(
        0, ["this animal, this clip", *(number(float(x)) for x in own.duty), number(float(own.steps.mean())), "–"]
    )
    text = (
        "Other animals walked with their own rhythm; there is no movement of theirs to be replayed. Their duty and "
        "steps stand beside this animal's; the last column is the replay's balanced accuracy against that stretch of "
        "the other record that fits it best, which is what a foreign record can reach by chance and choice."
    )
    return page.table("Records of other animals", head, rows, text)


def _speed(one: Study) -> list[str]:
    if not one.speeds:
        return []
    rows = [["replay", number(float(one.curves.metrics.get("ground_speed", math.nan))), ""]]
    rows += [[fly, number(mean * 1e3), number(sd * 1e3)] for fly, (mean, sd) in one.speeds.items()]
    text = "Speeds of the animals are means over their whole records, which are longer than the clip: compare means."
    return [page.table("Speed over the ground", ["", "mean (mm/s)", "sd within the record (mm/s)"], rows, text)]


def _keypoints(one: Study) -> list[str]:
    if not one.keypoints:
        return []
    width = max(len(errors) for errors in one.keypoints.values())
    rows = [
        [leg, *(number(float(x)) for x in errors), number(float(errors.mean()))]
        for leg, errors in one.keypoints.items()
    ]
    head = ["leg", *(f"segment {k + 1}" for k in range(width)), "mean"]
    text = "Mean angle (deg) between the segments of the replayed legs and the measured points, seen from the trunk."
    return [page.table("Keypoints", head, rows, text)]
