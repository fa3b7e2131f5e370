"""A body document: links, joints, muscles and the fluid they feel, and the world they are in. It knows no neurons."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from cosim.spec.body_check import check_body, check_link
from cosim.spec.body_extras import FallSpec, FootSpec, ServoSpec, SolverSpec
from cosim.spec.body_types import (
    Angles,
    Color,
    Coordinate,
    Damping,
    Direction,
    Effort,
    LinearDrags,
    Moments,
    Position,
    Products,
    QuadraticDrags,
    Size,
    Spin,
    Spring,
    Vector,
    Velocity,
)
from cosim.spec.body_world import WaterSpec, WorldSpec
from cosim.spec.common import Located, Name, Spec
from cosim.spec.units import (
    Angle,
    AngularDamping,
    Density,
    Inertia,
    Length,
    Mass,
    Positive,
    PositiveLength,
    Stiffness,
    Torque,
    UnitError,
)

ORIGIN: Vector = (0.0, 0.0, 0.0)
GREY: Vector = (0.6, 0.6, 0.6)


class Box(Spec):
    """A box with full edge lengths along x, y and z."""

    size: Size


class Sphere(Spec):
    """A sphere."""

    radius: PositiveLength


class Cylinder(Spec):
    """A cylinder of `length` along one axis of its frame."""

    length: PositiveLength
    radius: PositiveLength
    along: Literal["x", "y", "z"] = "z"


class Capsule(Spec):
    """A cylinder of `length` between the centres of two half spheres; the whole is `length + 2 radius` long."""

    length: PositiveLength
    radius: PositiveLength
    along: Literal["x", "y", "z"] = "z"


class Mesh(Spec):
    """A mesh file (OBJ or STL, path relative to the document), collided as its convex hull; metres times `scale`."""

    file: str
    scale: Positive = 1.0


class ShapeSpec(Spec):
    """Exactly one of the shapes."""

    box: Box | None = None
    sphere: Sphere | None = None
    cylinder: Cylinder | None = None
    capsule: Capsule | None = None
    mesh: Mesh | None = None

    @model_validator(mode="after")
    def _one(self) -> ShapeSpec:
        if sum(getattr(self, k) is not None for k in type(self).model_fields) != 1:
            raise UnitError("expected exactly one of box, sphere, cylinder, capsule, mesh")
        return self

    @property
    def solid(self) -> Box | Sphere | Cylinder | Capsule | Mesh:
        """The shape that is given."""
        found = self.box or self.sphere or self.cylinder or self.capsule or self.mesh
        assert found is not None  # ensured by _one
        return found


class PartSpec(Spec):
    """A shape rigidly on a link: `at` and `rpy` place its centre in the link's frame; its mass adds to the link's."""

    shape: ShapeSpec
    at: Position = ORIGIN
    rpy: Angles = ORIGIN
    mass: Mass = 0.0
    color: Color = GREY
    collide: bool = True


class LinkSpec(Spec):
    """A rigid link.

    `shape` is centred at `at`, turned by `rpy`, in the link's frame (the frame of the joint that leads to it). The
    mass is spread evenly over the shape unless `com` and `inertia` (moments Ixx, Iyy, Izz about the centre of mass,
    along the link's axes) are given; `products` are the tensor's other elements Ixy, Ixz, Iyz. `parts` are further
    shapes, with their own masses.
    """

    fixed: bool = False
    shape: ShapeSpec | None = None
    at: Position = ORIGIN
    rpy: Angles = ORIGIN
    mass: Mass | None = None
    com: Position | None = None
    inertia: Moments | None = None
    products: Products = ORIGIN
    parts: list[PartSpec] = Field(default_factory=list)
    color: Color = GREY
    collide: bool = True

    @model_validator(mode="after")
    def _mass(self) -> LinkSpec:
        check_link(self)
        return self


class PositionSpec(Spec):
    """Position control of a hinge: torque = kp (target - angle) - kd speed, implicit in the step, so kp may be stiff.

    `hold`: before the first command the joint is held at its initial angle; otherwise it is free until then.
    """

    kp: Stiffness
    kd: AngularDamping
    hold: bool = True


class JointDynamics(Spec):
    """What a joint does by itself: -stiffness (q - rest) - damping dq/dt, dry friction, the bound on driven torque.

    `armature` is added to the moments of inertia of the child link (a rotor, or what keeps the smallest links stable).
    """

    kind: Literal["hinge", "slider", "fixed"] = "hinge"
    damping: Damping = 0.0
    stiffness: Spring = 0.0
    rest: Coordinate = 0.0
    friction: Effort = 0.0
    max_torque: Effort | None = None
    position: PositionSpec | None = None
    armature: Inertia = 0.0
    servo: ServoSpec | None = None

    @model_validator(mode="after")
    def _kind(self) -> JointDynamics:
        if self.kind == "fixed":
            given = [k for k in ("damping", "stiffness", "friction", "armature") if getattr(self, k)]
            given += [k for k in ("max_torque", "position", "servo") if getattr(self, k) is not None]
            if given:
                raise Located([((key,), f"a fixed joint has no {key}") for key in given])
        if self.kind == "slider":
            what = {"position": "position control", "servo": "a servo", "armature": "armature"}
            given = [key for key in what if getattr(self, key)]
            if given:
                raise Located([((key,), f"{what[key]} is for hinges") for key in given])
        return self


class JointSpec(JointDynamics):
    """A joint. `at` and `rpy` place the child's frame in the parent's at angle 0; `axis` is in the child's frame.

    In a body from a URDF or SDF file the geometry (from `parent` to `limits`) stands in the file and not here.
    """

    parent: str | None = None
    child: str | None = None
    axis: Direction = (0.0, 0.0, 1.0)
    at: Position = ORIGIN
    rpy: Angles = ORIGIN
    limits: tuple[Coordinate, Coordinate] | None = None

    @model_validator(mode="after")
    def _limits(self) -> JointSpec:
        if self.limits is not None:
            if self.kind == "fixed":
                raise Located([(("limits",), "a fixed joint has no limits")])
            if self.limits[0] >= self.limits[1]:
                raise Located([(("limits",), "the lower limit must be below the upper")])
        return self


class MuscleSpec(Spec):
    """An Ekeberg muscle (Ekeberg 1993, Biol Cybern 69:363) on a hinge.

    Its torque on the joint is ``sign alpha M + beta M (rest - angle)``, M its activation (not clipped), sign +1 for
    ``pulls: positive``. With `moment_arm` (m) its length is ``rest_length - sign moment_arm (angle - rest)`` and its
    force is in newton; without, the length is the angle by which it is stretched, in rad, and its force a torque.
    """

    kind: Literal["ekeberg"] = "ekeberg"
    joint: str
    pulls: Literal["positive", "negative"]
    alpha: Torque
    beta: Stiffness
    rest: Angle = 0.0
    moment_arm: PositiveLength | None = None
    rest_length: Length | None = None

    @model_validator(mode="after")
    def _arm(self) -> MuscleSpec:
        if self.moment_arm is not None and self.rest_length is None:
            raise Located([(("rest_length",), "a muscle with a moment_arm needs a rest_length")])
        if self.moment_arm is None and self.rest_length is not None:
            raise Located([(("moment_arm",), "a muscle with a rest_length needs a moment_arm")])
        return self


class SiteSpec(Spec):
    """A point of a link whose position is a sensor."""

    link: str
    at: Position = ORIGIN


class DragSpec(Spec):
    """Force on a link ``-c_i v_i |v_i| - l_i v_i`` along its axes i, v the velocity relative to the water.

    `quadratic` c in kg/m, `linear` l in kg/s; `at` is the point in the link's frame whose velocity counts and where
    the force acts (default: the centre of mass).
    """

    quadratic: QuadraticDrags = ORIGIN
    linear: LinearDrags = ORIGIN
    at: Position | None = None


class BuoyancySpec(Spec):
    """Force upward on every link ``(rho_water/density) m g min(depth/height, 1)``, depth of its centre of mass >= 0."""

    density: Density
    height: PositiveLength


class FluidSpec(Spec):
    """How the body feels water, where the world has water: nothing acts on a link above the surface."""

    drag: dict[str, DragSpec] = Field(default_factory=dict)
    buoyancy: BuoyancySpec | None = None


class InitialSpec(Spec):
    """Where the run begins: the root link's frame, its velocity, the angles of hinges and the positions of sliders."""

    at: Position = ORIGIN
    rpy: Angles = ORIGIN
    velocity: Velocity = ORIGIN
    angular_velocity: Spin = ORIGIN
    joints: dict[str, Angle] = Field(default_factory=dict)
    sliders: dict[str, Length] = Field(default_factory=dict)


class BodySpec(Spec):
    """A whole body document (``cosim: body/1``).

    Links and joints stand in the document, or come from `urdf` or `sdf` (a path relative to the document; `model`
    picks one of several in an SDF). In the second case `joints` adds dynamics to joints of the file by name (`damping`
    given there replaces the file's) and `masses` replaces masses of links, their inertias scaled with them.
    `length` is the body length that speeds are reported in, `axis` the links from head to tail, `forward` the
    direction of the head in the root link's frame.
    With a `servo` at any joint the body is driven by explicit torques (see ``ServoSpec``): no muscles, springs, dampers
    or position control beside it, and no water.
    """

    cosim: Literal["body/1"]
    name: Name
    title: str = ""
    description: str = ""
    cite: list[str] = Field(default_factory=list)
    parameters: dict[Name, Any] = Field(default_factory=dict)
    urdf: str | None = None
    sdf: str | None = None
    model: str | None = None
    fixed: bool = False
    masses: dict[str, Mass] = Field(default_factory=dict)
    links: dict[str, LinkSpec] = Field(default_factory=dict)
    joints: dict[str, JointSpec] = Field(default_factory=dict)
    muscles: dict[Name, MuscleSpec] = Field(default_factory=dict)
    sites: dict[Name, SiteSpec] = Field(default_factory=dict)
    fluid: FluidSpec = Field(default_factory=FluidSpec)
    initial: InitialSpec = Field(default_factory=InitialSpec)
    length: PositiveLength | None = None
    axis: list[str] = Field(default_factory=list)
    forward: Direction = (-1.0, 0.0, 0.0)
    self_collision: bool = False
    feet: dict[Name, FootSpec] = Field(default_factory=dict)
    fall: FallSpec | None = None
    solver: SolverSpec = Field(default_factory=SolverSpec)
    _directory: Path = PrivateAttr(default_factory=Path)

    @model_validator(mode="after")
    def _whole(self) -> BodySpec:
        check_body(self)
        return self

    def model_post_init(self, context: Any) -> None:
        """Keep the folder that relative paths start from: ``directory`` of the validation context."""
        self._directory = Path((context or {}).get("directory", "."))

    @property
    def has_servo(self) -> bool:
        """Whether explicit torques drive it."""
        return any(joint.servo is not None for joint in self.joints.values())

    @property
    def directory(self) -> Path:
        """The folder of the document."""
        return self._directory


__all__ = ["BodySpec", "WaterSpec", "WorldSpec"]
