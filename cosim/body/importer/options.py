"""What `cosim body import` is told beside the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from cosim.body.units import Units
from cosim.errors import UserError
from cosim.spec.units import UnitError, parse, suggest


@dataclass(frozen=True)
class ServoOptions:
    """Gains of the servo of every joint that moves, as the document writes them."""

    kp: str
    kd: str
    armature: str
    max_torque: str | None = None


@dataclass(frozen=True)
class ImportOptions:
    """`units` of the file; joints to freeze (by name, an angle in rad or a position in m); patterns (as in file names)
    of the joints that stay free, of the links that collide, and of merged links whose frames stay as sites.

    `free` None: every joint that is not frozen; `collide` None: every link. `faces` bounds those of a mesh.
    """

    units: Units
    freeze: Mapping[str, float] = field(default_factory=dict)
    free: tuple[str, ...] | None = None
    collide: tuple[str, ...] | None = None
    sites: tuple[str, ...] = ()
    faces: int = 200
    servo: ServoOptions | None = None
    colors: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)


def parse_units(text: str) -> Units:
    """``mm,g,s`` as units. Raises UserError."""
    words = [word.strip() for word in text.split(",")]
    wanted = ("m", "kg", "s")
    if len(words) != 3:
        raise UserError(f"--units {text}: expected length, mass and time, e.g. mm,g,s")
    factors = []
    for word, like in zip(words, wanted, strict=True):
        try:
            value = parse(f"1 {word}").evaluate()
        except UnitError as error:
            raise UserError(f"--units {text}: {error}") from None
        if value.dim != parse(f"1 {like}").evaluate().dim:
            raise UserError(f"--units {text}: expected length, mass and time, e.g. mm,g,s; '{word}' is none of these")
        factors.append(float(value.value))
    if factors[2] != 1.0:
        raise UserError(f"--units {text}: the unit of time must be s")
    return Units(factors[0], factors[1])


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns fits."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def check_patterns(option: str, patterns: Iterable[str], known: Iterable[str]) -> None:
    """Every pattern must fit something. Raises UserError."""
    names = list(known)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UserError(f"{option} {pattern}: nothing is called so{suggest(pattern, names)}")


__all__ = ["ImportOptions", "ServoOptions", "check_patterns", "matches", "parse_units"]
