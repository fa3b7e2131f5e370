"""The quantities of a body document: vectors with units, directions, and values whose unit depends on the joint."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from cosim.spec.units import (
    Acceleration,
    Angle,
    AngularSpeed,
    Fraction,
    Inertia,
    Length,
    LinearDrag,
    Number,
    PositiveLength,
    QuadraticDrag,
    Speed,
    UnitError,
    evaluate,
    parse,
    quantity,
    vector,
)

Vector = tuple[float, float, float]

Position = vector(Length)
Angles = vector(Angle)
Color = vector(Fraction)
Size = vector(PositiveLength)
Moments = vector(Inertia)
Products = vector(quantity("kg*m^2"))
QuadraticDrags = vector(QuadraticDrag)
LinearDrags = vector(LinearDrag)
Velocity = vector(Speed)
Spin = vector(AngularSpeed)
Pull = quantity("N", low=0)
PositiveMass = quantity("kg", low=0, open_low=True)
ContactStiffness = quantity("N/m", low=0, open_low=True)
ContactDamping = quantity("N*s/m", low=0)


def _unit_vector(raw: Vector) -> Vector:
    norm = sum(c * c for c in raw) ** 0.5
    if norm == 0:
        raise UnitError("a direction must not be zero")
    return (raw[0] / norm, raw[1] / norm, raw[2] / norm)


Direction: Any = Annotated[vector(Number), AfterValidator(_unit_vector)]


def _not_negative(number: float) -> float:
    if number < 0:
        raise UnitError("must not be negative: gravity is a magnitude and points along -z")
    return number


Gravity: Any = Annotated[Acceleration, AfterValidator(_not_negative)]


def _by_kind(hinge: str, slider: str, low: float = -float("inf")) -> Any:
    """A quantity of a joint whose unit depends on the joint's kind, which stands before it in the document class."""

    def check(raw: Any, info: ValidationInfo) -> float:
        unit = slider if info.data.get("kind") == "slider" else hinge
        number = evaluate(raw, parse(unit).evaluate().dim, (info.context or {}).get("parameters", {}))
        if number < low:
            raise UnitError(f"'{raw}' is out of range, expected a value {low:g} or greater")
        return number

    return Annotated[float, BeforeValidator(check)]


Coordinate = _by_kind("rad", "m")
Damping = _by_kind("N*m*s/rad", "N*s/m", 0)
Spring = _by_kind("N*m/rad", "N/m", 0)
Effort = _by_kind("N*m", "N", 0)
