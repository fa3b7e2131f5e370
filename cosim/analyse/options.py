"""What a user may say under ``measure:`` of an experiment, per kind of measurement."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from cosim.spec.choice import CellIds
from cosim.spec.common import ListOf, Name, NonEmpty, Spec
from cosim.spec.replay import DataFile
from cosim.spec.units import Delay, Duration, Force, Fraction, Frequency, NonNegative, PositiveLength, Time, UnitError

Labels = Annotated[list[str], ListOf, NonEmpty]


class Band(Spec):
    """Where to look for the rhythm."""

    lowest: Frequency = 0.2
    highest: Frequency = 20.0

    @property
    def band(self) -> tuple[float, float]:
        return (self.lowest, self.highest)

    @model_validator(mode="after")
    def _order(self) -> Band:
        if self.lowest >= self.highest:
            raise UnitError("lowest must be below highest")
        return self


class SwimOptions(Band):
    """Swimming: frequency, wave_number, speed, tail_beat, joint_amplitude, cost_of_transport.

    ``joints`` from head to tail (default: all recorded, in their order); ``axis`` the links from head to tail,
    ``length`` the body length and ``tip`` the link or site at the tail's end (default: the body's own axis and
    length, and the site ``tail_tip`` or else the last link of the axis).
    """

    joints: Labels | None = None
    axis: Labels | None = None
    length: PositiveLength | None = None
    tip: str | None = None


class RhythmOptions(Band):
    """Rhythm of a population: neural_frequency, ptcc, left_right_phase, neural_wave_number.

    Its neurons are grouped by side and, along the body, into ``bins`` (default: the segments of the axis); spikes are
    counted every ``bin`` and smoothed with a Gaussian of standard deviation ``smooth``. ``sides`` are the two to
    compare.
    """

    population: Name
    sides: tuple[Name, Name] | None = None
    bins: Annotated[int, Field(ge=1)] | None = None
    bin: Duration = 0.005
    smooth: Delay = 0.02
    length: PositiveLength | None = None


class NeuronsOptions(Spec):
    """Neurons of a population: by number, or by the id of a connectome's cell."""

    population: Name
    neurons: Annotated[list[int], ListOf, NonEmpty] | None = None
    cells: Annotated[CellIds, NonEmpty] | None = None

    @model_validator(mode="after")
    def _one(self) -> NeuronsOptions:
        if (self.neurons is None) == (self.cells is None):
            raise UnitError("expected exactly one of neurons and cells")
        return self


class RatesOptions(Spec):
    """Mean firing rates: of the named populations, or of all that spike; and, by a name of their own, ``of`` some
    neurons (rate_NAME).

    With ``active``, also how many neurons of every population spiked at all (active_POPULATION).
    """

    populations: Labels | None = None
    of: dict[Name, NeuronsOptions] = Field(default_factory=dict)
    active: bool = False


class LatencyOptions(Spec):
    """Time from a perturbation (by name, or ``at`` a time) to the first deviation of recorded channels.

    ``channel`` names one or several series, such as wires/motor/delivered; ``labels`` narrows them. The series
    deviates when it leaves its mean before the onset by more than ``threshold`` (in its own SI unit) or else by
    ``sds`` of its standard deviations before the onset.
    """

    channel: Labels
    perturbation: Name | None = None
    at: Time | None = None
    labels: Labels | None = None
    threshold: NonNegative | None = None
    sds: NonNegative = 5.0

    @model_validator(mode="after")
    def _one(self) -> LatencyOptions:
        if (self.perturbation is None) == (self.at is None):
            raise UnitError("expected exactly one of perturbation and at")
        return self


class LockingOptions(Band):
    """Whether a trunk and a tail channel keep their phase: locked (1 or 0), locking_resultant, locking_drift,
    locking_phase.

    ``trunk`` and ``tail`` are labels of the series ``channel``; locked means a mean resultant length of at least
    ``resultant`` and less than ``slip`` cycles of drift over the record.
    """

    trunk: str
    tail: str
    channel: str = "body/joint_angle"
    resultant: Fraction = 0.9
    slip: NonNegative = 0.25


class ResponseOptions(Spec):
    """How groups of neurons answer an event ``at`` a time: amplitude_NAME and latency_NAME.

    The mean of ``variable`` over the neurons of a group is taken, and its deviation from what it was just before the
    event. The amplitude is the largest deviation within ``window`` (else until the end), with its sign, in the
    variable's SI unit; the latency (s) is the time until half of it.
    """

    at: Time
    variable: Name = "v"
    window: Duration | None = None
    of: Annotated[dict[Name, NeuronsOptions], NonEmpty]

    @property
    def series(self) -> frozenset[str]:
        """The recorded series that it needs."""
        return frozenset(f"state/{one.population}/{self.variable}" for one in self.of.values())


class ReplayOptions(Spec):
    """A replay of kinematics: tracking_rmse_mean and tracking_rmse_worst, vertical_force_over_weight, ground_speed,
    torque_rms, positive_power; and with ``contacts``, a CSV file ``time [ms],LEG,...`` of measured contacts (1: down),
    contact_balanced_accuracy, contact_r and the best of `shifts` circular shifts of the record.

    A leg is down in a frame of the record where the mean vertical force on its foot is above `threshold`. ``command``
    names what was replayed (where there are several), ``between`` the part that is measured.
    """

    command: Name | None = None
    contacts: DataFile | None = None
    threshold: Force = 3e-7
    shifts: Annotated[int, Field(ge=0)] = 30
    between: tuple[Time, Time] | None = None


class OscillationOptions(Band):
    """Rhythm of a recorded state variable, in every neuron by itself: oscillation_frequency and oscillation_sd over the
    neurons that have one, and their share, oscillating."""

    population: Name
    variable: Name = "v"

    @property
    def series(self) -> str:
        """The recorded series that it needs."""
        return f"state/{self.population}/{self.variable}"


class WalkOptions(Spec):
    """Walking: step_frequency, tripod_order, walking_speed, walking_distance, turning, fallen.

    ``wire`` plays the trajectory, whose legs ``tripod`` step together, half a cycle before or after the others. With a
    ``push`` (the name of a perturbation), also speed_after_push: the speed in the second that begins ``recovery`` after
    the push began, over that in the second before it. The heading is that of the first recorded link.
    """

    wire: Name = "steps"
    tripod: Annotated[list[Name], NonEmpty] = Field(default_factory=lambda: ["LF", "RM", "LH"])
    push: Name | None = None
    recovery: Delay = 0.5

    @property
    def series(self) -> frozenset[str]:
        """The recorded series that it needs."""
        body = ("com_position", "link_orientation", "fallen")
        return frozenset({f"wires/{self.wire}/delivered", *(f"body/{name}" for name in body)})


OPTIONS: dict[str, type[Spec]] = {
    "swim": SwimOptions,
    "rhythm": RhythmOptions,
    "rates": RatesOptions,
    "latency": LatencyOptions,
    "locking": LockingOptions,
    "response": ResponseOptions,
    "oscillation": OscillationOptions,
    "walk": WalkOptions,
    "replay": ReplayOptions,
}


class MeasureSpec(Spec):
    """The ``measure:`` of an experiment: options by kind; a kind without options is written ``rates: {}``."""

    swim: SwimOptions | None = None
    rhythm: RhythmOptions | None = None
    rates: RatesOptions | None = None
    latency: LatencyOptions | None = None
    locking: LockingOptions | None = None
    response: ResponseOptions | None = None
    oscillation: OscillationOptions | None = None
    walk: WalkOptions | None = None
    replay: ReplayOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, raw: Any) -> Any:
        # `swim:` with nothing behind it is YAML's null and means "with the defaults"
        if isinstance(raw, dict):
            return {key: {} if value is None else value for key, value in raw.items()}
        return raw

    def chosen(self) -> dict[str, Spec]:
        """The options of the kinds that were asked for, by kind."""
        return {kind: getattr(self, kind) for kind in OPTIONS if getattr(self, kind) is not None}
