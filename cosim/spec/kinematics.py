"""A kinematics document: measured joint angles, and how their columns become the joints of a body."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from cosim.spec.common import ListOf, Located, Name, NonEmpty, Spec
from cosim.spec.units import Angle, Frequency, UnitError


class JointSource(Spec):
    """Where a joint's angle stands: ``sign * value + offset`` of a column (short: the column's name)."""

    column: str
    sign: Literal[1, -1] = 1
    offset: Angle = 0.0

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {"column": raw} if isinstance(raw, str) else raw


def _axes(raw: Any) -> Any:
    if not isinstance(raw, str) or sorted(raw) != ["x", "y", "z"]:
        raise UnitError(f"expected the letters x, y and z in an order, such as zxy, got '{raw}'")
    return raw


Order = Annotated[str, BeforeValidator(_axes)]


class RotationSpec(Spec):
    """Three angles of one ball joint that the file gives in another order of rotations than the body has.

    `joints` turn about `axes` in the file's order: their rotation is R_1(angle 1) R_2(angle 2) R_3(angle 3). `to` is
    the body's order; each joint keeps its axis.
    """

    joints: tuple[Name, Name, Name]
    axes: Order
    to: Order


class SmoothSpec(Spec):
    """A Savitzky-Golay filter: a polynomial of `order` through each `window` of samples (Savitzky & Golay 1964,
    doi:10.1021/ac60214a047)."""

    window: Annotated[int, Field(ge=3)]
    order: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _fits(self) -> SmoothSpec:
        if self.window % 2 == 0:
            raise Located([(("window",), f"expected an odd number of samples, got {self.window}")])
        if self.order >= self.window:
            raise Located([(("order",), f"a polynomial of order {self.order} needs a window above {self.order}")])
        return self


class KinematicsSpec(Spec):
    """A whole kinematics document (``cosim: kinematics/1``).

    ``file`` is a CSV file with a header (``time [s],joint [deg],...``), or an npz archive of which ``values`` is the
    array of angles, time first, and ``columns`` the array with the names of its columns (several arrays: one for each
    further dimension, their names joined by a dot). Times come from the column ``time`` of a CSV file or from
    ``rate``. ``unit`` is that of angles without a unit of their own. ``joints`` maps joints of the body to columns;
    ``same`` takes every column for the joint of its name. First columns are mapped, then ``rotations`` put right,
    then ``smooth``.
    """

    cosim: Literal["kinematics/1"]
    name: Name
    title: str = ""
    description: str = ""
    cite: list[str] = Field(default_factory=list)
    parameters: dict[Name, Any] = Field(default_factory=dict)
    file: str
    values: str | None = None
    columns: Annotated[list[str], ListOf, NonEmpty] | None = None
    unit: Angle = 1.0
    rate: Annotated[Frequency, Field(gt=0)] | None = None
    joints: Literal["same"] | Annotated[dict[Name, JointSource], NonEmpty] = "same"
    rotations: list[RotationSpec] = Field(default_factory=list)
    smooth: SmoothSpec | None = None

    @model_validator(mode="after")
    def _whole(self) -> KinematicsSpec:
        problems: list[tuple[tuple[str | int, ...], str]] = []
        archive = self.file.endswith(".npz")
        for key in ("values", "columns"):
            if archive and getattr(self, key) is None:
                problems.append(((key,), f"an npz archive needs {key}, the name of an array in it"))
            elif not archive and getattr(self, key) is not None:
                problems.append(((key,), f"{key} goes with an npz archive; a CSV file has its header"))
        if archive and self.rate is None:
            problems.append((("rate",), "an npz archive needs the rate of its samples"))
        if problems:
            raise Located(problems)
        return self
