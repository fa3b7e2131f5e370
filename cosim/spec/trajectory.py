"""Steps: neural activity becomes the phase of a cycle, and a recorded cycle the commands to the joints."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from cosim.spec.common import Expr, ListOf, Located, Name, NonEmpty, Spec
from cosim.spec.units import Duration, Frequency, Number, UnitError


class PhaseDecoder(Spec):
    """A phase and an amplitude (0 to 1) for each side of what the wire reads: from spikes, or from graded neurons.

    Spikes: ``ring`` names m populations that are active one after the other, with the same sides. With r_k the mean
    rate of population k on a side, smoothed with ``tau``, ``z = sum_k r_k exp(2 pi i k/m)``; the phase is arg z (so the
    first population stands for phase 0), the amplitude ``min(1, |z|/full)``. Graded: ``state`` is a variable that is
    the phase (radians, of any number of turns), ``amplitude`` one that is the amplitude; one neuron a side.
    """

    ring: Annotated[list[Name], NonEmpty] | None = None
    tau: Duration | None = None
    full: Frequency | None = None
    state: Name | None = None
    amplitude: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> PhaseDecoder:
        if (self.ring is None) == (self.state is None):
            raise UnitError("expected exactly one of ring (populations that spike) and state (a graded variable)")
        wanted, other = (
            (("tau", "full"), ("amplitude",)) if self.ring is not None else (("amplitude",), ("tau", "full"))
        )
        kind = "ring" if self.ring is not None else "state"
        missing = [key for key in wanted if getattr(self, key) is None]
        if missing:
            raise UnitError(f"{kind} needs {' and '.join(missing)}")
        for key in other:
            if getattr(self, key) is not None:
                raise Located([((key,), f"{key} does not go with {kind}")])
        if self.ring is not None and (len(self.ring) < 3 or len(set(self.ring)) != len(self.ring)):
            raise Located([(("ring",), "a ring has three different populations or more")])
        return self


Fraction = Annotated[Number, Field(ge=0, le=1)]


class TrajectorySpec(Spec):
    """One cycle of joint angles, played at the decoded phase and amplitude.

    ``file`` is a CSV file with a header ``phase [1],joint [unit],...`` and rows at equal steps of the phase from 0 (in
    cycles; the end, which is the beginning again, is left out); between them a periodic cubic spline. ``joints`` says
    which of its columns belong to which side. A joint's target is ``q(0) + amplitude (q(phase) - q(0))``; it goes to
    the body's port `position` so that it is reached at the end of the tick at the even speed that is written to
    `position_rate`. ``stance`` is the part of the cycle, by side, in which the side's foot holds on to the ground with
    ``adhesion`` (0 to 1), times the amplitude.
    """

    file: str
    joints: Annotated[dict[Name, Annotated[list[Name], ListOf, NonEmpty]], NonEmpty]
    stance: dict[Name, tuple[Fraction, Fraction]] = Field(default_factory=dict)
    adhesion: Expr | None = None

    @model_validator(mode="after")
    def _whole(self) -> TrajectorySpec:
        problems: list[tuple[tuple[str | int, ...], str]] = []
        names = [name for some in self.joints.values() for name in some]
        for side, some in self.joints.items():
            problems += [
                (("joints", side, i), f"{name} is given twice") for i, name in enumerate(some) if names.count(name) > 1
            ]
        problems += [
            (("stance", side), f"no joints are given for '{side}'") for side in self.stance if side not in self.joints
        ]
        problems += [
            (("stance", side), "the stance begins before it ends") for side, (a, b) in self.stance.items() if a >= b
        ]
        if self.adhesion is not None and not self.stance:
            problems.append((("adhesion",), "adhesion needs stance: when each foot holds on"))
        if problems:
            raise Located(problems)
        return self


__all__ = ["PhaseDecoder", "TrajectorySpec"]
