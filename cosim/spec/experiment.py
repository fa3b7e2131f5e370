"""An experiment document: which circuit on which body, the wires between them, drives, lesions, records, measures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from cosim.analyse.options import MeasureSpec
from cosim.spec.body import WorldSpec
from cosim.spec.choice import CellIds, Conditions
from cosim.spec.circuit import Count
from cosim.spec.common import Expr, Label, ListOf, Located, Name, NonEmpty, Spec, as_list
from cosim.spec.replay import ReplaySpec
from cosim.spec.trajectory import PhaseDecoder, TrajectorySpec
from cosim.spec.units import Delay, Duration, Fraction, Frequency, Length, Time, UnitError


class Where(Spec):
    """Which neurons of a population: side, pools, segments, a half-open range [low, high) of y, numbers; and of a
    population made of a connectome, cells by their ids, or by the columns of its table (``select: {class: AVA}``)."""

    side: Name | None = None
    pools: Annotated[list[Name], ListOf] | None = None
    segments: Annotated[list[int], ListOf] | None = None
    y: tuple[Length, Length] | None = None
    neurons: Annotated[list[int], ListOf] | None = None
    cells: CellIds | None = None
    select: Conditions | None = None


class Select(Where):
    """Neurons of one population, or of every population with a tag, narrowed by where they are.

    ``fraction`` keeps a random share, drawn with the run's seed.
    """

    population: Name | None = None
    tag: Name | None = None
    fraction: Fraction | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {"population": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _one(self) -> Select:
        if (self.population is None) == (self.tag is None):
            raise UnitError("expected exactly one of population and tag")
        return self


class RampSpec(Spec):
    """Linear from `from` at `start` to `to` at `stop`, constant before and after."""

    begin: Annotated[Expr, Field(alias="from")]
    to: Expr
    start: Time
    stop: Time

    @model_validator(mode="after")
    def _order(self) -> RampSpec:
        if self.stop <= self.start:
            raise Located([(("stop",), "stop must come after start")])
        return self


class PulseSpec(Spec):
    """`value` over [at, at + for), again every `every` where given; 0 otherwise."""

    value: Expr
    at: Time
    length: Annotated[Duration, Field(alias="for")]
    every: Duration | None = None


class TimeFileSpec(Spec):
    """A CSV file with a header `time [unit],name [unit],...`; linear between rows; `period: true` repeats it."""

    path: str
    column: str | None = None
    periodic: bool = False
    scale: Expr | None = None


class PoissonSpec(Spec):
    """Spikes at `rate`, independent for every neuron; each adds `weight` to the variable, `delay` after it (by default
    one network step).

    The sources are a population with the drive's name, of the model poisson_source: they are recorded, and another
    drive may change their `rate`.
    """

    rate: Expr
    weight: Expr
    delay: Delay | None = None


class DriveSpec(Spec):
    """Something added to a variable of selected neurons: exactly one of constant, ramp, pulse, file, poisson.

    Values are expressions over the neuron's y, side and pool variables, so a gradient is a constant drive.
    """

    to: Select
    variable: Name = "I_ext"
    constant: Expr | None = None
    ramp: RampSpec | None = None
    pulse: PulseSpec | None = None
    file: TimeFileSpec | None = None
    poisson: PoissonSpec | None = None

    @model_validator(mode="after")
    def _one(self) -> DriveSpec:
        kinds = ("constant", "ramp", "pulse", "file", "poisson")
        if sum(getattr(self, k) is not None for k in kinds) != 1:
            raise UnitError(f"expected exactly one of {', '.join(kinds)}")
        return self


class InterpolateSpec(Spec):
    """Channels sit at positions along the axis; a neuron gets the value interpolated at its y.

    Beyond the first and last position the nearest channel's value holds, except towards `zero_at`, where it falls to 0.
    """

    at: Annotated[list[Length], NonEmpty]
    zero_at: Annotated[list[Length], ListOf] = Field(default_factory=list)


class SpikeEncoder(Spec):
    """Every neuron fires once when its channel rises through its threshold (an expression over the neuron's
    variables)."""

    threshold: Expr


class TuningEncoder(Spec):
    """Population tuning curves: neuron j of n prefers c_j, evenly spaced over `range`; its Poisson rate is
    ``baseline + (peak - baseline) exp(-(x - c_j)^2 / (2 width^2))``."""

    range: tuple[Expr, Expr]
    width: Expr
    peak: Expr
    baseline: Expr


class EncodeSpec(Spec):
    """How readings become input: exactly one kind.

    ``current``: an expression added to `variable`; ``poisson``: a rate into a population of `poisson_source`;
    ``spikes``: threshold crossings of a population of `spike_source`; ``tuning``: tuning curves into `poisson_source`.
    Expressions see x (the channel's value), x_0 (its value at the start), the neuron's y and side_sign (+1 on the first
    side, -1 on the second) and the wire's parameters.
    """

    current: Expr | None = None
    poisson: Expr | None = None
    spikes: SpikeEncoder | None = None
    tuning: TuningEncoder | None = None

    @model_validator(mode="after")
    def _one(self) -> EncodeSpec:
        kinds = ("current", "poisson", "spikes", "tuning")
        if sum(getattr(self, k) is not None for k in kinds) != 1:
            raise UnitError(f"expected exactly one of {', '.join(kinds)}")
        return self


class RateDecoder(Spec):
    """Spikes per neuron over the last `window`, times `gain` (which carries the unit that makes the product right)."""

    window: Duration
    gain: Expr


class FilterDecoder(Spec):
    """Every spike adds 1/(n tau) to a value that decays with `tau`: the mean rate, smoothed, times `gain`."""

    tau: Duration
    gain: Expr


class ActivationDynamics(Spec):
    """First-order muscle activation, da/dt = (u - a)/tau with tau = tau_act where u > a, else tau_deact (Zajac 1989),
    integrated exactly over a tick with u held."""

    tau_act: Duration
    tau_deact: Duration


class DecodeSpec(Spec):
    """How neural activity becomes commands: exactly one of rate, filter, state, phase; then optionally `dynamics`.

    ``phase`` goes with the wire's `trajectory`.
    """

    rate: RateDecoder | None = None
    filter: FilterDecoder | None = None
    state: Name | None = None
    phase: PhaseDecoder | None = None
    dynamics: ActivationDynamics | None = None

    @model_validator(mode="after")
    def _one(self) -> DecodeSpec:
        kinds = ("rate", "filter", "state", "phase")
        if sum(getattr(self, k) is not None for k in kinds) != 1:
            raise UnitError(f"expected exactly one of {', '.join(kinds)}")
        if self.phase is not None and self.dynamics is not None:
            raise Located([(("dynamics",), "dynamics are for muscles, and do not go with phase")])
        return self


Labels = Annotated[list[Label] | Literal["all"], BeforeValidator(lambda raw: raw if raw == "all" else as_list(raw))]


class WireSpec(Spec):
    """One bundle of channels between network and body. Sensory: read, encode, to. Motor: from, decode, write (or, where
    a phase is decoded, trajectory).

    ``delay`` is one time for all channels or one per channel. ``expression`` (motor) maps decoded values: it sees x,
    x_opposite (the channel of the other side at the same place) and the parameters; ``soft_start`` multiplies the
    decoded values by min(t / soft_start, 1).
    """

    read: dict[Name, Labels] | None = None
    encode: EncodeSpec | None = None
    to: Select | None = None
    variable: Name | None = None
    interpolate: InterpolateSpec | None = None

    source: Annotated[Select | None, Field(alias="from")] = None
    decode: DecodeSpec | None = None
    write: dict[Name, Labels] | None = None
    trajectory: TrajectorySpec | None = None
    expression: Expr | None = None
    clip: tuple[Expr, Expr] | None = None
    soft_start: Duration | None = None

    parameters: dict[Name, Annotated[list[Expr], ListOf]] = Field(default_factory=dict)
    delay: Annotated[list[Delay], ListOf, NonEmpty] = Field(default_factory=lambda: [0.0])

    @property
    def sensory(self) -> bool:
        """True for body to network, False for network to body."""
        return self.read is not None

    @model_validator(mode="after")
    def _direction(self) -> WireSpec:
        sensory = {"read": self.read, "encode": self.encode, "to": self.to}
        motor = {"from": self.source, "decode": self.decode, "write": self.write or self.trajectory}
        sensory_keys = [k for k, v in sensory.items() if v is not None]
        motor_keys = [k for k, v in motor.items() if v is not None]
        if sensory_keys and motor_keys:
            raise UnitError("a wire is either sensory (read, encode, to) or motor (from, decode, write), not both")
        wanted = sensory if sensory_keys else motor
        missing = [k for k, v in wanted.items() if v is None]
        if missing:
            kind = "sensory (read, encode, to)" if sensory_keys else "motor (from, decode, write)"
            raise UnitError(f"a {kind} wire needs {' and '.join(missing)}")
        only = {"variable": self.variable, "interpolate": self.interpolate}
        other = {"expression": self.expression, "clip": self.clip, "soft_start": self.soft_start}
        for key, value in (other if sensory_keys else only).items():
            if value is not None:
                raise Located([((key,), f"{key} belongs to {'motor' if sensory_keys else 'sensory'} wires")])
        self._steps()
        for key in ("read", "write"):
            ports = getattr(self, key)
            if ports is not None and len(ports) != 1:
                raise Located([((key,), "expected exactly one sensor or actuator")])
        return self

    def _steps(self) -> None:
        """What goes with a decoded phase, and what does not."""
        phase = self.decode is not None and self.decode.phase is not None
        if not phase and self.trajectory is not None:
            raise Located([(("trajectory",), "a trajectory needs a phase: decode: {phase: ...}")])
        if not phase:
            return
        if self.trajectory is None:
            raise Located([(("decode", "phase"), "a decoded phase needs a trajectory to play")])
        for key in ("write", "expression", "clip", "parameters"):
            if getattr(self, key):
                raise Located([((key,), f"{key} does not go with a trajectory, which says itself what it writes")])


class FourierSpec(Spec):
    """A periodic command as Fourier coefficients: a CSV file with a row a channel and columns name, mean, cos_1,
    sin_1, cos_2, ...

    The value is ``mean + sum_k cos_k cos(2 pi k f t) + sin_k sin(2 pi k f t)`` in units of `unit`.
    """

    file: str
    frequency: Frequency
    unit: Expr


class CommandSpec(Spec):
    """Commands to the body without a network, e.g. joint angles to replay: from exactly one of file, fourier and
    kinematics.

    ``file`` is a CSV file with a header ``time [unit],channel [unit],...``, linear between rows, repeated if
    `periodic`. ``kinematics`` is a kinematics document; the body also begins in its first pose.
    """

    write: dict[Name, Labels]
    file: str | None = None
    fourier: FourierSpec | None = None
    kinematics: str | None = None
    periodic: bool = False
    scale: Expr | None = None

    @model_validator(mode="after")
    def _one(self) -> CommandSpec:
        if sum(getattr(self, key) is not None for key in ("file", "fourier", "kinematics")) != 1:
            raise UnitError("expected exactly one of file, fourier and kinematics")
        if self.fourier is not None and self.periodic:
            raise Located([(("periodic",), "periodic goes with file; Fourier coefficients are periodic anyway")])
        for key in ("periodic", "scale"):
            if self.kinematics is not None and getattr(self, key):
                raise Located([((key,), f"{key} does not go with kinematics")])
        if len(self.write) != 1:
            raise Located([(("write",), "expected exactly one actuator")])
        return self


class PerturbSpec(Spec):
    """A push: `value` over [at, at + for): a torque on a joint, or a force (world axes) at a link's centre of mass."""

    at: Delay
    length: Annotated[Duration, Field(alias="for")]
    kind: Literal["torque", "force"]
    joint: Name | None = None
    link: Name | None = None
    value: Annotated[list[Expr], ListOf]

    @model_validator(mode="after")
    def _target(self) -> PerturbSpec:
        wanted, other = ("joint", "link") if self.kind == "torque" else ("link", "joint")
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise UnitError(f"a {self.kind} acts on a {wanted}: give {wanted}, not {other}")
        need = 1 if self.kind == "torque" else 3
        if len(self.value) != need:
            raise Located([(("value",), f"expected {need} value{'s' if need > 1 else ''}, got {len(self.value)}")])
        return self


class AblateSpec(Spec):
    """A lesion, from the start or `at` a time: exactly one of silence, cut, transect.

    ``silence``: the neurons of the population or tag, narrowed by `where` and `fraction`, no longer spike (or,
    graded, read 0). ``cut``: a projection of the circuit, or ``wires.NAME``. ``transect``: every projection across
    that position.
    """

    silence: Name | None = None
    where: Where | None = None
    fraction: Fraction | None = None
    cut: str | None = None
    transect: Length | None = None
    at: Delay | None = None

    @model_validator(mode="after")
    def _one(self) -> AblateSpec:
        if sum(getattr(self, k) is not None for k in ("silence", "cut", "transect")) != 1:
            raise UnitError("expected exactly one of silence, cut, transect")
        if self.silence is None and (self.where or self.fraction is not None):
            raise UnitError("where and fraction go with silence")
        return self


class StateRecord(Spec):
    """Record a state variable of some or all neurons (by number, or by the id of a connectome's cell), every so
    often."""

    neurons: list[int] | Literal["all"] = "all"
    cells: CellIds | None = None
    every: Duration | None = None

    @model_validator(mode="after")
    def _one(self) -> StateRecord:
        if self.cells is not None and self.neurons != "all":
            raise UnitError("expected at most one of neurons and cells")
        return self


class BodyRecord(Spec):
    """Which sensors of the body to record (default: all that it has), every so often."""

    every: Duration | None = None
    sensors: list[Name] | Literal["all"] = "all"


class RecordSpec(Spec):
    """What a run keeps."""

    spikes: list[Name] | Literal["all", "none"] = "all"
    state: dict[Name, dict[Name, StateRecord]] = Field(default_factory=dict)
    body: BodyRecord = Field(default_factory=BodyRecord)
    wires: bool = True


class CheckpointSpec(Spec):
    """Keep what is needed to go on after an interruption, so often in biological time (short: ``checkpoint: 1 s``)."""

    every: Duration

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {"every": raw} if isinstance(raw, str | int | float) else raw


class ExperimentSpec(Spec):
    """A whole experiment document (``cosim: experiment/1``)."""

    cosim: Literal["experiment/1"]
    name: Name
    title: str = ""
    description: str = ""
    cite: list[str] = Field(default_factory=list)
    parameters: dict[Name, Any] = Field(default_factory=dict)
    circuit: str | None = None
    body: str | None = None
    world: WorldSpec = Field(default_factory=WorldSpec)
    duration: Duration
    transient: Delay = 0.0
    dt: Duration = 1e-4
    tick: Duration = 1e-3
    body_dt: Duration | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    drives: dict[Name, DriveSpec] = Field(default_factory=dict)
    commands: dict[Name, CommandSpec] = Field(default_factory=dict)
    wires: dict[Name, WireSpec] = Field(default_factory=dict)
    ablate: list[AblateSpec] = Field(default_factory=list)
    perturb: dict[Name, PerturbSpec] = Field(default_factory=dict)
    record: RecordSpec = Field(default_factory=RecordSpec)
    checkpoint: CheckpointSpec | None = None
    measure: MeasureSpec = Field(default_factory=MeasureSpec)
    reference: str | None = None
    replay: ReplaySpec | None = None

    @model_validator(mode="after")
    def _whole(self) -> ExperimentSpec:
        problems: list[tuple[tuple[str | int, ...], str]] = []
        if self.circuit is None and self.body is None:
            raise UnitError("an experiment needs a circuit, a body or both")
        problems += _divides(("dt",), self.dt, "tick", self.tick)
        problems += _divides(("body_dt",), self.body_dt or self.tick, "tick", self.tick)
        problems += _divides(("tick",), self.tick, "duration", self.duration)
        if self.checkpoint is not None:
            problems += _divides(("checkpoint",), self.tick, "time between checkpoints", self.checkpoint.every)
        if self.transient >= self.duration:
            problems.append((("transient",), "the transient must be shorter than the duration"))
        for group, needs, value in (("wires", "body", self.body), ("wires", "circuit", self.circuit),
                                    ("drives", "circuit", self.circuit), ("commands", "body", self.body),
                                    ("perturb", "body", self.body)):  # fmt: skip
            if getattr(self, group) and value is None:
                problems.append(((group,), f"{group} need a {needs}"))
        if problems:
            raise Located(problems)
        return self


def _divides(
    path: tuple[str | int, ...], part: float, name: str, whole: float
) -> list[tuple[tuple[str | int, ...], str]]:
    ratio = whole / part
    if round(ratio) >= 1 and abs(ratio - round(ratio)) < 1e-6 * ratio:
        return []
    return [(path, f"{part:g} s does not divide the {name} of {whole:g} s into a whole number of steps")]


__all__ = ["AblateSpec", "Count", "DriveSpec", "ExperimentSpec", "PerturbSpec", "RecordSpec", "Select", "WireSpec"]
