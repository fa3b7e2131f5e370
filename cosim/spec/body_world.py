"""What is around a body: gravity, water, and the ground it walks on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from cosim.spec.body_types import ContactDamping, ContactStiffness, Gravity, Position, PositiveMass, Velocity
from cosim.spec.common import Located, Spec
from cosim.spec.units import (
    Angle,
    Delay,
    Density,
    Duration,
    Fraction,
    Length,
    NonNegative,
    Positive,
    PositiveLength,
    UnitError,
    suggest,
)


class SlipSpec(Spec):
    """For some time, or for good, the ground has another friction."""

    at: Delay
    length: Annotated[Duration | None, Field(alias="for")] = None
    friction: NonNegative


class SurfaceSpec(Spec):
    """What touches the ground feels its `friction` (Coulomb) and `restitution`.

    Contacts are rigid unless `stiffness` (N/m) and `damping` (N s/m), per contact point, make them springs; the two go
    together. `slip` changes the friction with time.
    """

    friction: NonNegative = 0.7
    restitution: Fraction = 0.0
    stiffness: ContactStiffness | None = None
    damping: ContactDamping | None = None
    slip: list[SlipSpec] = Field(default_factory=list)

    @model_validator(mode="after")
    def _spring(self) -> SurfaceSpec:
        if (self.stiffness is None) != (self.damping is None):
            missing = "damping" if self.damping is None else "stiffness"
            raise Located([((missing,), "stiffness and damping of the ground go together")])
        return self


class PlaneSpec(SurfaceSpec):
    """Level ground."""

    height: Length = 0.0


class SlopeSpec(SurfaceSpec):
    """A plane through (0, 0, height) that rises by `pitch` towards +x and by `roll` towards +y."""

    height: Length = 0.0
    pitch: Angle = 0.0
    roll: Angle = 0.0


class StepsSpec(SurfaceSpec):
    """A plane at `height`, and on it `count` steps that each rise by `rise` (fall, if negative) every `run` along x.

    They begin at x = `start` and are `width` wide; beyond the last the ground keeps its level for another ten runs.
    """

    height: Length = 0.0
    start: Length
    rise: Length
    run: PositiveLength
    width: PositiveLength
    count: Annotated[int, Field(ge=1, le=1000)] = 10


class HeightfieldSpec(SurfaceSpec):
    """Uneven ground: heights on a square grid with `cell` between points, centred on (0, 0), linear on triangles.

    From `file` (a CSV of numbers without a header, in units of `unit`, rows along y and columns along x; the path is
    relative to the experiment), or drawn: `points` by `points` normal random numbers (`seed`), smoothed over `smooth`
    cells and scaled to the standard deviation `roughness`. `height` is added to all.
    """

    cell: PositiveLength
    height: Length = 0.0
    file: str | None = None
    unit: PositiveLength = 1.0
    roughness: PositiveLength | None = None
    points: Annotated[int, Field(ge=3, le=2001)] = 101
    smooth: Positive = 2.0
    seed: Annotated[int, Field(ge=0)] = 1
    _directory: Path = PrivateAttr(default_factory=Path)

    @model_validator(mode="after")
    def _one(self) -> HeightfieldSpec:
        if (self.file is None) == (self.roughness is None):
            raise UnitError("expected exactly one of file and roughness")
        return self

    def model_post_init(self, context: Any) -> None:
        """Keep the folder that `file` starts from: ``directory`` of the validation context."""
        self._directory = Path((context or {}).get("directory", "."))

    @property
    def path(self) -> Path:
        """The file."""
        return self._directory / (self.file or "")


class BallSpec(SurfaceSpec):
    """A ball treadmill: a solid ball on three frictionless hinges through its `center` (axes -y, x, -z, one after the
    other), so that it turns freely and goes nowhere."""

    radius: PositiveLength
    mass: PositiveMass
    center: Position


GROUNDS = ("plane", "slope", "steps", "heightfield", "ball")


class GroundSpec(Spec):
    """The ground of a world, written ``none``, ``plane`` or ``{plane: {friction: 0.7}}``: at most one kind."""

    plane: PlaneSpec | None = None
    slope: SlopeSpec | None = None
    steps: StepsSpec | None = None
    heightfield: HeightfieldSpec | None = None
    ball: BallSpec | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        match raw:
            case "none" | None:
                return {}
            case "plane" | {"plane": None}:
                return {"plane": {}}
            case str():
                raise UnitError(f"no ground '{raw}', expected none or plane{suggest(raw, GROUNDS)}")
        return raw

    @model_validator(mode="after")
    def _one(self) -> GroundSpec:
        given = [kind for kind in GROUNDS if getattr(self, kind) is not None]
        if len(given) > 1:
            raise UnitError(f"expected one kind of ground, got {' and '.join(given)}")
        return self

    @property
    def surface(self) -> SurfaceSpec | None:
        """The ground that is given, if any."""
        return self.plane or self.slope or self.steps or self.heightfield or self.ball


class WaterSpec(Spec):
    """Still or steadily flowing water below `surface` (height)."""

    density: Density = 1000.0
    surface: Length = 0.0
    current: Velocity = (0.0, 0.0, 0.0)


class WorldSpec(Spec):
    """What is around the body; gravity points along -z.

    `tether` holds the root link where it begins: ``fixed``, or ``vertical`` (free to move along z only).
    """

    gravity: Gravity = 9.81
    ground: GroundSpec = Field(default_factory=GroundSpec)
    water: WaterSpec | None = None
    tether: Literal["none", "fixed", "vertical"] = "none"

    @model_validator(mode="before")
    @classmethod
    def _water(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("water") == "none":
            return {**raw, "water": None}
        return raw


__all__ = [
    "BallSpec",
    "GroundSpec",
    "HeightfieldSpec",
    "PlaneSpec",
    "SlopeSpec",
    "StepsSpec",
    "SurfaceSpec",
    "WaterSpec",
    "WorldSpec",
]
