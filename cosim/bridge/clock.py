"""Integer time. Everything after this module counts ticks and steps; seconds are for people."""

from __future__ import annotations

from dataclasses import dataclass

from cosim.spec.units import UnitError

TOLERANCE = 1e-3  # of a tick: how far a stated time may lie from a whole number of ticks


def whole(seconds: float, unit: float, what: str, name: str = "tick") -> int:
    """`seconds` as a whole number of `unit`. Raises UnitError where it is none (no silent rounding)."""
    count = seconds / unit
    nearest = round(count)
    if abs(count - nearest) > TOLERANCE:
        raise UnitError(
            f"{what} {seconds * 1e3:g} ms is not a whole number of {name}s of {unit * 1e3:g} ms: "
            f"write {max(nearest, 0) * unit * 1e3:g} ms or a smaller {name}"
        )
    return int(nearest)


@dataclass(frozen=True)
class Clock:
    """One tick is `steps` network steps of `dt` seconds and `substeps` body steps of `body_dt` seconds."""

    tick: float
    dt: float
    body_dt: float
    steps: int
    substeps: int

    @classmethod
    def of(cls, tick: float, dt: float, body_dt: float | None) -> Clock:
        """From seconds. Raises UnitError if a step does not divide the tick."""
        body_dt = body_dt or tick
        steps, substeps = round(tick / dt), round(tick / body_dt)
        for part, count, name in ((dt, steps, "dt"), (body_dt, substeps, "body_dt")):
            if count < 1 or abs(tick / part - count) > 1e-6 * count:
                raise UnitError(f"{name} {part * 1e3:g} ms does not divide the tick of {tick * 1e3:g} ms")
        return cls(tick, dt, body_dt, steps, substeps)

    def ticks(self, seconds: float, what: str) -> int:
        """A time as whole ticks. Raises UnitError where it is none."""
        return whole(seconds, self.tick, what)
