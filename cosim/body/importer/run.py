"""The import as a whole: read, freeze, merge, write, check; and what was done that a user should know of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cosim.body.importer.model import FileModel
from cosim.body.importer.options import ImportOptions, check_patterns, matches
from cosim.body.importer.read import read_model
from cosim.body.importer.write import UnitNames, document, write_meshes
from cosim.errors import UserError
from cosim.spec.units import suggest

#: a hinge that may turn by nearly a whole turn has no limits
_TURN = 6.2


@dataclass(frozen=True)
class Imported:
    """The model as it was written, and notes."""

    model: FileModel
    notes: list[str]
    path: Path


def import_body(
    file: Path, folder: Path, options: ImportOptions, names: UnitNames, *, head: str = "", model: str | None = None,
    name: str | None = None,
) -> Imported:  # fmt: skip
    """Write ``folder/body.yaml`` and its meshes. Raises UserError before anything is written for what does not fit."""
    found = read_model(file, options.units, model)
    notes = _reduce(found, file, options)
    _check(found, file, options)
    text = document(found, options, names, name or folder.resolve().name, head)
    folder.mkdir(parents=True, exist_ok=True)
    size = write_meshes(found, options, folder / "meshes")
    if size:
        notes.append(f"meshes as convex hulls of at most {options.faces} faces: {size / 1e6:.2f} MB")
    path = folder / "body.yaml"
    path.write_text(text, encoding="utf-8")
    return Imported(found, notes, path)


def _reduce(model: FileModel, file: Path, options: ImportOptions) -> list[str]:
    """Freeze and merge joints, drop limits that are none."""
    for name in options.freeze:
        if name not in model.joints:
            raise UserError(f"{file}: no joint '{name}' to freeze{suggest(name, model.joints)}")
    moving = [j.name for j in model.joints.values() if j.kind != "fixed"]
    if options.free is not None:
        check_patterns("--free", options.free, moving)
    check_patterns("--collide", options.collide or (), model.links)
    check_patterns("--sites", options.sites, model.links)
    frozen = {name: 0.0 for name in moving if options.free is not None and not matches(name, options.free)}
    both = [name for name in options.freeze if options.free is not None and matches(name, options.free)]
    if both:
        raise UserError(f"joint '{both[0]}' is to be frozen and to stay free")
    before, sdf = len(model.links), file.suffix.lower() == ".sdf"
    kept = sum(link.has_inertia for link in model.links.values())
    model.freeze(frozen | dict(options.freeze))
    model.merge()
    notes = []
    if sdf and kept:
        notes.append(f"the inertias of {kept} links stand in the document (loadSDF would take them from the shapes)")
    if before != len(model.links):
        notes.append(f"{before - len(model.links)} links behind rigid joints are merged into their parents")
    dropped = 0
    for name, joint in model.joints.items():
        if joint.kind == "hinge" and joint.limits is not None and joint.limits[1] - joint.limits[0] > _TURN:
            model.joints[name] = replace(joint, limits=None)
            dropped += 1
    if dropped:
        notes.append(f"{dropped} hinges whose limits span a whole turn have none")
    if options.servo is not None:
        lost = [j.name for j in model.joints.values() if j.damping or j.friction]
        model.joints = {k: replace(j, damping=0.0, friction=0.0) for k, j in model.joints.items()}
        if lost:
            notes.append(f"damping and dry friction of {len(lost)} joints are left out: servos drive them")
    notes.append("what Bullet adds by itself is off in every run: damping of links .04 per second, motors that brake")
    return notes


def _check(model: FileModel, file: Path, options: ImportOptions) -> None:
    """Inertias that no rigid body has, and links that weigh nothing and cannot do so. Raises UserError."""
    inner = {joint.parent for joint in model.joints.values()}
    for name, link in model.links.items():
        if link.mass and not link.has_inertia:
            raise UserError(f"{file}: link '{name}' has a mass and no <inertia> (Bullet would take it from the shape)")
        if not link.mass:
            if name == model.root or options.servo is None or name not in inner:
                raise UserError(
                    f"{file}: link '{name}' moves and has no mass: freeze its joint, or give an armature and a servo"
                )
            continue
        x, y, z = np.linalg.eigvalsh(link.inertia).tolist()
        if x <= 0 or z > (x + y) * (1 + 1e-6):
            raise UserError(
                f"{file}: no rigid body has the inertia of link '{name}': moments {x:g}, {y:g}, {z:g} kg*m^2"
            )


__all__ = ["Imported", "import_body"]
