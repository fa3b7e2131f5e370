"""What must agree between the parts of a body document; every disagreement is reported at its own place."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

from cosim.spec.common import Located
from cosim.spec.units import suggest

if TYPE_CHECKING:
    from cosim.spec.body import BodySpec, LinkSpec

Path_ = tuple[str | int, ...]
Problems = list[tuple[Path_, str]]


def check_link(link: LinkSpec) -> None:
    """Mass, inertia and shape of one link. Raises Located."""
    problems: Problems = []
    shapeless = link.shape is None or link.shape.mesh is not None
    if link.mass and not link.fixed and link.inertia is None and shapeless:
        what = "a mesh has no inertia of its own" if link.shape else "a link without a shape has no inertia"
        problems.append((("inertia",), f"{what}: give inertia: [Ixx, Iyy, Izz]"))
    if link.mass is None and (link.inertia is not None or link.com is not None):
        problems.append((("mass",), "com and inertia need a mass"))
    for index, part in enumerate(link.parts):
        if part.mass and part.shape.mesh is not None:
            problems.append(
                (("parts", index, "mass"), "a mesh has no inertia of its own, so this part can have no mass")
            )
    if link.inertia is not None:
        x, y, z = link.inertia
        # Bullet sets an inertia that no rigid body can have to zero, with a line on standard output only
        if min(x, y, z) <= 0 or max(x, y, z) > (x + y + z) / 2 * (1 + 1e-9):
            text = "no rigid body has this inertia: each moment must be positive and at most the sum of the other two"
            problems.append((("inertia",), text))
        elif any(link.products):
            problems += _products(link)
    elif any(link.products):
        problems.append((("products",), "products of inertia go with inertia: [Ixx, Iyy, Izz]"))
    if problems:
        raise Located(problems)


def _products(link: LinkSpec) -> Problems:
    """The principal moments must be those of a rigid body too."""
    assert link.inertia is not None
    (xx, yy, zz), (xy, xz, yz) = link.inertia, link.products
    x, y, z = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]).tolist()
    if x > 0 and z <= (x + y) * (1 + 1e-9):
        return []
    return [(("products",), f"no rigid body has these: the principal moments would be {x:g}, {y:g} and {z:g} kg*m^2")]


def check_body(body: BodySpec) -> None:
    """Cross references, the tree of links and joints, and what goes with a file. Raises Located with every problem."""
    sources = [k for k in ("links", "urdf", "sdf") if getattr(body, k)]
    if len(sources) != 1:
        found = " and ".join(sources) or "none of them"
        raise Located([((), f"expected exactly one of links, urdf, sdf, got {found}")])
    problems: Problems = []
    if body.links:
        problems += _tree(body)
        links, joints = set(body.links), set(body.joints)
        problems += [
            ((key,), f"{key} goes with urdf or sdf") for key in ("masses", "model", "fixed") if getattr(body, key)
        ]
    else:
        problems += _file(body)
        if problems:
            raise Located(problems)
        links, joints = names_of_file(body)
        problems += _unknown("joint", joints, [(("joints", name), name) for name in body.joints])
        problems += _unknown("link", links, [(("masses", name), name) for name in body.masses])
    problems += _references(body, links, joints)
    problems += _driven(body)
    if problems:
        raise Located(problems)


def model_path(body: BodySpec) -> Path:
    """The URDF or SDF file of a body that has one."""
    return body.directory / (body.urdf or body.sdf or "")


def names_of_file(body: BodySpec) -> tuple[set[str], set[str]]:
    """The names of the links and joints in the URDF or SDF file. The file must exist and be XML (see _file)."""
    root = ElementTree.parse(model_path(body)).getroot()
    links = {e.get("name", "") for e in root.iter("link")}
    joints = {e.get("name", "") for e in root.iter("joint") if e.find("parent") is not None}
    return links, joints


def _file(body: BodySpec) -> Problems:
    key = "urdf" if body.urdf else "sdf"
    try:
        root = ElementTree.parse(model_path(body)).getroot()
    except OSError as error:
        return [((key,), f"cannot read {model_path(body)}: {error.strerror or error}")]
    except ElementTree.ParseError as error:
        return [((key,), f"{model_path(body)} is not XML: {error}")]
    problems: Problems = []
    for name, joint in body.joints.items():
        for field in ("parent", "child", "axis", "at", "rpy", "limits"):
            if field in joint.model_fields_set:
                problems.append((("joints", name, field), f"{field} stands in the {key} file and cannot be given here"))
    children = {e.get("link", e.text) for joint in root.iter("joint") for e in joint.iter("child")}
    for link in root.iter("link"):
        name = link.get("name", "")
        still = body.fixed and name not in children
        if link.find("inertial") is None and name not in body.masses and not still:
            text = (
                f"link '{name}' has no <inertial> in the {key} file and Bullet would make it 1 kg: give its mass here"
            )
            problems.append((("masses",), text))
    if body.sdf and body.fixed:
        problems.append((("fixed",), "an SDF body is fixed by a joint to the world in its file, not here"))
    if body.model and body.urdf:
        problems.append((("model",), "model picks one of several in an SDF; a URDF has one"))
    return problems


def _unknown(what: str, known: Iterable[str], used: Iterable[tuple[Path_, str]]) -> Problems:
    names = sorted(known)
    return [(path, f"no {what} '{name}'{suggest(name, names)}") for path, name in used if name not in names]


def _references(body: BodySpec, links: set[str], joints: set[str]) -> Problems:
    uses: list[tuple[Path_, str]] = [(("muscles", k, "joint"), m.joint) for k, m in body.muscles.items()]
    uses += [(("initial", "joints", k), k) for k in body.initial.joints]
    uses += [(("initial", "sliders", k), k) for k in body.initial.sliders]
    problems = _unknown("joint", joints, uses)
    uses = [(("fluid", "drag", k), k) for k in body.fluid.drag]
    uses += [(("sites", k, "link"), s.link) for k, s in body.sites.items()]
    uses += [(("axis", i), k) for i, k in enumerate(body.axis)]
    uses += [(("feet", k, "link"), f.link) for k, f in body.feet.items()]
    problems += _unknown("link", links, uses)
    for name, muscle in body.muscles.items():
        joint = body.joints.get(muscle.joint)
        if joint is not None and joint.kind != "hinge":
            problems.append(
                (("muscles", name, "joint"), f"a muscle pulls on a hinge; '{muscle.joint}' is {joint.kind}")
            )
    arms = [m.moment_arm is not None for m in body.muscles.values()]
    if any(arms) and not all(arms):
        # one sensor has one unit: metres with moment arms, radians without
        problems += [(("muscles", n, "moment_arm"), "give every muscle a moment_arm or none")
                     for n, m in body.muscles.items() if m.moment_arm is None]  # fmt: skip
    problems += _initial(body)
    return problems


def _driven(body: BodySpec) -> Problems:
    """What goes with servos, and what goes with them only."""
    problems: Problems = []
    if not body.has_servo:
        for key in ("length", "mass"):
            if getattr(body.solver, key) != 1.0:
                problems.append((("solver", key), "units of the engine are for bodies with servos"))
        problems += [(("joints", name, "armature"), "armature is for bodies with links of their own")
                     for name, joint in body.joints.items() if joint.armature and not body.links]  # fmt: skip
        return problems
    why = "a body with servos is driven by explicit torques"
    if not body.links:
        return [(("joints",), f"{why} and needs its links and joints here: cosim body import writes them")]
    if body.muscles:
        problems.append((("muscles",), f"{why} and has no muscles"))
    if body.fluid.drag or body.fluid.buoyancy is not None:
        problems.append((("fluid",), f"{why} and feels no water"))
    for name, joint in body.joints.items():
        for key in ("stiffness", "damping", "position"):
            if getattr(joint, key):
                problems.append((("joints", name, key), f"{why}: {key} goes with muscles and position control"))
        if joint.servo is not None and not joint.armature:
            problems.append((("joints", name, "armature"), "a servo needs an armature, which its step is judged by"))
        if joint.kind == "slider":
            problems.append((("joints", name, "kind"), f"{why}: sliders are not among what they move"))
    return problems


def _initial(body: BodySpec) -> Problems:
    problems: Problems = []
    for group, kind, values in (("joints", "hinge", body.initial.joints), ("sliders", "slider", body.initial.sliders)):
        for name, value in values.items():
            joint = body.joints.get(name)
            if joint is None:
                continue
            if joint.kind != kind and (body.links or joint.kind != "hinge"):
                problems.append((("initial", group, name), f"'{name}' is {joint.kind}, {group} is for {kind}s"))
            elif joint.limits and not joint.limits[0] <= value <= joint.limits[1]:
                low, high = joint.limits
                problems.append((("initial", group, name), f"{value:g} is outside the limits {low:g} to {high:g}"))
    return problems


def _masses(body: BodySpec, leads: dict[str, str]) -> Problems:
    """A link that moves has a mass, or stands between two joints and has the armature of the one that leads to it."""
    inner = {joint.parent for joint in body.joints.values()}
    problems: Problems = []
    for name, link in body.links.items():
        if link.fixed or link.mass or any(part.mass for part in link.parts):
            continue
        if link.mass is None:
            problems.append((("links", name, "mass"), "a link that moves needs a mass"))
        elif name not in leads or not body.joints[leads[name]].armature or name not in inner:
            text = "a link that moves needs a mass greater than 0 (or, between two hinges, an armature of the first)"
            problems.append((("links", name, "mass"), text))
    return problems


def _tree(body: BodySpec) -> Problems:
    """Every link but one is the child of one joint, and all hang on the root."""
    problems: Problems = []
    leads: dict[str, str] = {}
    for name, joint in body.joints.items():
        ends = [(key, end) for key, end in (("parent", joint.parent), ("child", joint.child))]
        problems += [(("joints", name, key), f"a joint needs a {key}") for key, end in ends if end is None]
        problems += _unknown("link", body.links, [(("joints", name, key), end) for key, end in ends if end is not None])
        if joint.child is None or joint.parent is None:
            continue
        if joint.child in leads:
            text = f"'{joint.child}' is the child of joint '{leads[joint.child]}' already"
            problems.append((("joints", name, "child"), text))
        leads.setdefault(joint.child, name)
    if problems:
        return problems
    roots = [name for name in body.links if name not in leads]
    if len(roots) > 1:
        text = f"nothing joins it to '{roots[0]}': every link but one root is the child of a joint"
        problems += [(("links", name), text) for name in roots[1:]]
    problems += [(("links", name, "fixed"), f"only the root can be fixed; '{name}' is the child of '{leads[name]}'")
                 for name, link in body.links.items() if link.fixed and name in leads]  # fmt: skip
    problems += _masses(body, leads)
    for name in body.links:
        seen = [name]
        while seen[-1] in leads:
            parent = body.joints[leads[seen[-1]]].parent
            assert parent is not None  # checked above
            if parent in seen:
                loop = " > ".join([*seen[seen.index(parent) :], parent][::-1])
                problems.append((("joints", leads[seen[-1]], "parent"), f"the links form a loop: {loop}"))
                return problems
            seen.append(parent)
    return problems
