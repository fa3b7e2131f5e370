"""Make a body document from a URDF or SDF file: inertias kept, joints frozen and merged, meshes as convex hulls."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cosim.errors import UserError

if TYPE_CHECKING:
    from cosim.body.importer.options import ServoOptions

HELP = "make a body document from a URDF or SDF file"


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("what", choices=("import",), metavar="WHAT", help="import")
    verb.add_argument("file", metavar="FILE", type=Path, help="a URDF or SDF file")
    verb.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="where body.yaml and meshes/ go")
    verb.add_argument("--units", required=True, help="length, mass and time of the file, e.g. mm,g,s")
    verb.add_argument("--model", help="which one, where an SDF holds several")
    verb.add_argument(
        "--freeze", nargs="+", default=[], metavar="JOINT=ANGLE",
        help="joints that become rigid, at an angle ('neck=10 deg'); or a YAML file with such a mapping under joints",
    )  # fmt: skip
    for option, text in (("free", "joints that stay free; all others become rigid, at 0 or where --freeze says"),
                         ("collide", "links (of the file) that touch things; others do not"),
                         ("sites", "links whose frames stay as sites where they are merged into others")):  # fmt: skip
        verb.add_argument(f"--{option}", nargs="+", metavar="PATTERN", help=text)
    verb.add_argument("--faces", type=int, default=200, help="most triangles of a mesh (default 200)")
    verb.add_argument(
        "--servo", metavar="KP,KD", help="of a servo at every hinge, e.g. '100 uN*mm/rad, 0.03 uN*mm*s/rad'"
    )  # fmt: skip
    verb.add_argument("--armature", help="of every hinge, with --servo, e.g. '5e-6 g*mm^2'")
    verb.add_argument("--max-torque", help="of every servo, e.g. '30 uN*mm'")


def execute(given: argparse.Namespace) -> int:
    """Import, and say what was done."""
    from cosim.body.importer.options import ImportOptions, parse_units
    from cosim.body.importer.run import import_body
    from cosim.body.importer.write import UnitNames

    units = parse_units(given.units)
    length, mass, _ = (word.strip() for word in given.units.split(","))
    if given.faces < 4:
        raise UserError(f"--faces {given.faces}: a hull has at least 4")
    options = ImportOptions(
        units, freeze=_angles(given.freeze), free=_patterns(given.free), collide=_patterns(given.collide),
        sites=tuple(given.sites or ()), faces=given.faces, servo=_servo(given),
    )  # fmt: skip
    head = ""
    if options.servo is not None:
        head = f"# the engine's own units and contacts\nsolver: {{length: 1 {length}, mass: 1 {mass}}}"
    found = import_body(given.file, given.to, options, UnitNames(length, mass), head=head, model=given.model)
    _check(found.path)
    moving = [joint for joint in found.model.joints.values() if joint.kind != "fixed"]
    total = sum(link.mass for link in found.model.links.values())
    print(f"{found.path}: {len(found.model.links)} links, {len(moving)} joints that move, {total:.4g} kg")
    for note in found.notes:
        print(f"  {note}")
    return 0


def _check(path: Path) -> None:
    """What was written must be a body. Raises UserError."""
    from cosim.spec.load import load_document

    load_document(str(path), kind="body")


def _patterns(given: list[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)


def _quantity(text: str, unit: str, option: str) -> float:
    from cosim.spec.units import UnitError, evaluate, parse

    try:
        return float(evaluate(text, parse(unit).evaluate().dim, {}))
    except UnitError as error:
        raise UserError(f"{option} {text}: {error}") from None


def _angles(given: Iterable[str]) -> dict[str, float]:
    """``JOINT=ANGLE`` and files."""
    found: dict[str, float] = {}
    for word in given:
        name, sign, text = word.partition("=")
        pairs = {name: text} if sign else _file(Path(word))
        found |= {joint: _quantity(str(angle), "rad", f"--freeze {joint}") for joint, angle in pairs.items()}
    return found


def _file(path: Path) -> dict[str, object]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(
            f"--freeze {path}: neither JOINT=ANGLE nor a YAML file: {' '.join(str(error).split())}"
        ) from None
    joints = content.get("joints") if isinstance(content, dict) else None
    if not isinstance(joints, dict):
        raise UserError(f"--freeze {path}: expected a mapping of angles under 'joints'")
    return {str(name): angle for name, angle in joints.items()}


def _servo(given: argparse.Namespace) -> ServoOptions | None:
    from cosim.body.importer.options import ServoOptions

    if given.servo is None:
        for option in ("armature", "max_torque"):
            if getattr(given, option) is not None:
                raise UserError(f"--{option.replace('_', '-')} goes with --servo")
        return None
    gains = [word.strip() for word in given.servo.split(",")]
    if len(gains) != 2 or given.armature is None:
        raise UserError("--servo expects 'KP, KD', and --armature beside it")
    wanted = (
        (gains[0], "N*m/rad", "--servo"),
        (gains[1], "N*m*s/rad", "--servo"),
        (given.armature, "kg*m^2", "--armature"),
        (given.max_torque, "N*m", "--max-torque"),
    )
    for text, unit, option in wanted:
        if text is not None:
            _quantity(text, unit, option)
    return ServoOptions(gains[0], gains[1], given.armature, given.max_torque)
