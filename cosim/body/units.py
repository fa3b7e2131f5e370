"""The units that the engine computes in: SI, or for small bodies others of the document's choice (``SolverSpec``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Units:
    """What the engine's 1 is, in metres and kilograms; its time is in seconds."""

    length: float = 1.0
    mass: float = 1.0

    @property
    def force(self) -> float:
        """In newton."""
        return self.mass * self.length

    @property
    def torque(self) -> float:
        """In newton metres."""
        return self.mass * self.length * self.length

    @property
    def inertia(self) -> float:
        """In kg m^2."""
        return self.mass * self.length * self.length


__all__ = ["Units"]
