"""A circuit document: populations of neurons and the projections between them. It knows no body."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from cosim.spec.choice import CellsSpec, Conditions, HopsSpec
from cosim.spec.common import Expr, Located, Name, NonEmpty, Spec
from cosim.spec.units import Delay, Expression, Fraction, Length, Number, PositiveLength, UnitError, suggest


def _whole(number: float) -> int:
    if number != int(number) or number < 1:
        raise UnitError(f"expected a whole number of at least 1, got {number:g}")
    return int(number)


Count = Annotated[Number, AfterValidator(_whole)]

Method = Literal["exact", "euler", "heun", "rk2", "rk4", "exponential_euler"]


class Draw(Spec):
    """A value drawn per neuron or per synapse; exactly one distribution, optionally clipped.

    ``normal: [mean, sd]``, ``uniform: [low, high]``, ``lognormal: [mean, sd]`` (mean and SD of the values themselves),
    ``exponential: mean``. Values outside ``clip: [low, high]`` are set to the bound.
    """

    normal: tuple[Expr, Expr] | None = None
    uniform: tuple[Expr, Expr] | None = None
    lognormal: tuple[Expr, Expr] | None = None
    exponential: Expr | None = None
    clip: tuple[Expr, Expr] | None = None

    @model_validator(mode="after")
    def _one(self) -> Draw:
        given = [k for k in ("normal", "uniform", "lognormal", "exponential") if getattr(self, k) is not None]
        if len(given) != 1:
            raise UnitError("expected exactly one of normal, uniform, lognormal, exponential")
        return self


ValueOrDraw = Draw | Expr


class ModelSpec(Spec):
    """A neuron model in Brian2's equation language.

    Names in the equations that are neither variables, units nor functions are parameters and must be given a value
    under ``parameters`` here or in the population. ``refractory`` is a duration (an expression over parameters).
    """

    equations: Annotated[str, NonEmpty]
    threshold: str | None = None
    reset: str | None = None
    refractory: Expr | None = None
    method: Method = "euler"
    parameters: dict[Name, ValueOrDraw] = Field(default_factory=dict)
    initial: dict[Name, ValueOrDraw] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _spiking(self) -> ModelSpec:
        if self.threshold is None:
            for key in ("reset", "refractory"):
                if getattr(self, key) is not None:
                    raise Located([((key,), f"a model without a threshold has no {key}")])
        return self


class MemberSpec(CellsSpec):
    """Cells of a connectome (a name or a file) that become neurons; all of them, or those that meet every condition.

    Short: the name alone. ``y`` is a neuron's place along the axis, an expression over the numbers that the data set
    has of a cell; by default its own ``y``.
    """

    name: str
    hops: HopsSpec | None = None
    y: Expr | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {"name": raw} if isinstance(raw, str) else raw


class PopulationSpec(Spec):
    """Neurons of one model. Sizes are per side: ``n`` in all, or ``per_segment`` or ``per_pool`` along the axis.

    Neuron k of the n neurons of a segment or pool [p0, p1) sits at ``y = p0 + (p1 - p0) k / n``. Ids run side by side,
    then along the axis. Or the neurons are cells of a ``connectome``, in the order of its table; then ``sides`` are
    values of its column `side`.
    """

    model: Name
    connectome: MemberSpec | None = None
    n: Count | None = None
    per_segment: Count | None = None
    per_pool: Count | None = None
    span: tuple[Length, Length] | None = None
    segments: list[int] | None = None
    pools: dict[Name, tuple[Length, Length]] | None = None
    sides: Annotated[list[Name], NonEmpty] | None = None
    tags: list[Name] = Field(default_factory=list)
    parameters: dict[Name, ValueOrDraw] = Field(default_factory=dict)
    initial: dict[Name, ValueOrDraw] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _size(self) -> PopulationSpec:
        given = [k for k in ("n", "per_segment", "per_pool", "connectome") if getattr(self, k) is not None]
        if len(given) != 1:
            raise UnitError("expected exactly one of n, per_segment, per_pool, connectome")
        if (self.per_pool is not None) != (self.pools is not None):
            raise UnitError("pools and per_pool belong together")
        if self.segments is not None and self.per_segment is None:
            raise Located([(("segments",), "segments needs per_segment")])
        if self.span is not None and self.n is None:
            raise Located([(("span",), "span needs n")])
        if self.sides is not None and len(set(self.sides)) != len(self.sides):
            raise Located([(("sides",), "a side is named twice")])
        return self


class GaussianKernel(Spec):
    """exp(-d^2 / (2 s^2)); s is `rostral` where the source lies at or behind the target (y_pre >= y_post)."""

    rostral: Length
    caudal: Length


class SaturatedKernel(Spec):
    """tanh(k exp(-d^2 / (2 s^2))); a width of 0 means no connections in that direction."""

    rostral: Length
    caudal: Length
    steepness: Number = 5.0


class TrapezoidKernel(Spec):
    """Depends on the target only: 1 over the source's pool, with ramps of full width `up` (rostral end), `down`
    (caudal).

    1 inside [y0 + up/2, y1 - down/2] of the pool [y0, y1], linear to 0 at y0 - up/2 and y1 + down/2; 0 is a step.
    """

    up: dict[Name, Length]
    down: dict[Name, Length]


class ExponentialKernel(Spec):
    """exp(-d / s), with s by direction as for the Gaussian."""

    rostral: Length
    caudal: Length


class KernelSpec(Spec):
    """A factor on the probability, by distance; exactly one shape.

    ``over`` names the coordinate (``y`` or one of ``axis.coordinates``). Beyond ``truncate`` times the larger width the
    probability is 0.
    """

    gaussian: GaussianKernel | None = None
    saturated: SaturatedKernel | None = None
    exponential: ExponentialKernel | None = None
    trapezoid: TrapezoidKernel | None = None
    over: Name = "y"
    truncate: Number = 5.0

    @model_validator(mode="after")
    def _one(self) -> KernelSpec:
        given = [k for k in ("gaussian", "saturated", "exponential", "trapezoid") if getattr(self, k) is not None]
        if len(given) != 1:
            raise UnitError("expected exactly one of gaussian, saturated, exponential, trapezoid")
        return self


class DegreesSpec(Spec):
    """``edges`` connections in all, dealt to neurons in proportion to what they attract (``in``) and send (``out``).

    A target's share of the edges is its ``in`` over the sum of all targets', rounded; its sources are distinct, drawn
    with a probability proportional to their ``out`` (Chung & Lu 2002, doi:10.1073/pnas.252631999). Both are drawn per
    neuron or expressions over its variables; only ratios matter; by default all are equal. ``count`` gives every edge a
    number of synapses, rounded up and at least 1, which its parameters may use.
    """

    edges: Count
    incoming: Annotated[ValueOrDraw | None, Field(alias="in")] = None
    outgoing: Annotated[ValueOrDraw | None, Field(alias="out")] = None
    count: ValueOrDraw | None = None


class ConnectSpec(Spec):
    """Which pairs are joined; exactly one rule.

    ``probability`` is a number or an expression over y_pre, y_post, side_pre, ... (and any coordinate); ``indegree``
    draws that many distinct sources per target; ``degrees`` deals a number of edges to neurons of unequal degrees;
    ``table`` is a CSV file with columns pre, post (ids in their populations) and, as further columns, synaptic
    parameters with their unit in brackets and `delay`. ``where`` is a condition on the pair. ``connectome`` names the
    data set that both populations are made of; then ``where`` says by column which of its connections are meant, and
    the parameters may use their numbers (`count`, `sign`, ...). ``shuffle: degree_preserving`` gives every edge another
    target so that all neurons keep their in- and outdegree; an edge takes its numbers along with its source. It is
    drawn with the run's seed, or with ``seed``.
    """

    all_to_all: Literal[True] | None = None
    one_to_one: Literal[True] | None = None
    probability: Expr | None = None
    indegree: Count | None = None
    degrees: DegreesSpec | None = None
    table: str | None = None
    connectome: str | None = None
    kernel: KernelSpec | None = None
    where: Conditions | Expr | None = None
    autapses: bool = False
    shuffle: Literal["degree_preserving"] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {raw: True} if raw in ("all_to_all", "one_to_one") else raw

    @model_validator(mode="after")
    def _one(self) -> ConnectSpec:
        rules = ("all_to_all", "one_to_one", "probability", "indegree", "degrees", "table", "connectome")
        given = [k for k in rules if getattr(self, k) is not None]
        if len(given) != 1:
            raise UnitError(f"expected exactly one of {', '.join(rules)}")
        if self.kernel is not None and self.probability is None:
            raise Located([(("kernel",), "a kernel needs a probability to multiply")])
        if self.seed is not None and self.shuffle is None:
            raise Located([(("seed",), "seed goes with shuffle; rules are drawn with the run's seed")])
        if self.where is not None and (self.table or self.indegree or self.degrees):
            raise Located([(("where",), "where goes with probability, all_to_all, one_to_one and connectome")])
        if self.where is not None and isinstance(self.where, dict) != (self.connectome is not None):
            want = "columns with their values, e.g. {kind: chemical}" if self.connectome else "an expression"
            raise Located([(("where",), f"with {given[0]}, where is {want}")])
        return self

    @property
    def condition(self) -> Expression | None:
        """The condition on pairs, where the rule has one."""
        return self.where if isinstance(self.where, Expression) else None

    @property
    def conditions(self) -> dict[str, Any]:
        """The conditions on the connections of a data set."""
        return self.where if isinstance(self.where, dict) else {}


class SynapseSpec(Spec):
    """What a presynaptic spike does (Brian2 statements); reusable by name from projections.

    ``equations`` declare dynamic synaptic variables (event-driven or not); ``parameters`` need no declaration.
    """

    equations: str | None = None
    on_spike: Annotated[str, NonEmpty]
    on_post: str | None = None
    method: Method | None = None
    parameters: dict[Name, ValueOrDraw] = Field(default_factory=dict)
    initial: dict[Name, ValueOrDraw] = Field(default_factory=dict)


Side = Literal["any", "same", "opposite"]


class ProjectionSpec(Spec):
    """Spikes of one population delivered to another.

    ``gain`` multiplies the parameters that are weights: `w` and every `w_...`. ``delay`` is a time or a distribution,
    rounded to whole network steps.
    """

    source: Annotated[Name, Field(alias="from")]
    to: Name
    side: Side = "any"
    connect: ConnectSpec
    synapse: Name | None = None
    on_spike: Annotated[str, NonEmpty] | None = None
    on_post: str | None = None
    equations: str | None = None
    method: Method | None = None
    parameters: dict[Name, ValueOrDraw] = Field(default_factory=dict)
    initial: dict[Name, ValueOrDraw] = Field(default_factory=dict)
    gain: Number = 1.0
    delay: Draw | Delay = 0.0

    @model_validator(mode="after")
    def _rule(self) -> ProjectionSpec:
        if (self.synapse is None) == (self.on_spike is None):
            raise UnitError("expected exactly one of synapse (a name) and on_spike (statements)")
        if self.synapse is not None:
            for key in ("on_post", "equations", "method"):
                if getattr(self, key) is not None:
                    raise Located(
                        [((key,), f"{key} stands in the synapse '{self.synapse}' and cannot be given here too")]
                    )
        return self


class ContinuousSpec(Spec):
    """A gap junction or graded projection: `expression` over pre and post variables, summed into the target
    variable."""

    source: Annotated[Name, Field(alias="from")]
    to: Name
    side: Side = "any"
    connect: ConnectSpec
    expression: Annotated[str, NonEmpty]
    target: Name
    parameters: dict[Name, ValueOrDraw] = Field(default_factory=dict)
    gain: Number = 1.0


class AxisSpec(Spec):
    """The body axis: position y runs from 0 to `length`; further coordinates are expressions over y."""

    length: PositiveLength
    segments: Count = 1
    coordinates: dict[Name, Expr] = Field(default_factory=dict)


class CircuitSpec(Spec):
    """A whole circuit document (``cosim: circuit/1``)."""

    cosim: Literal["circuit/1"]
    name: Name
    title: str = ""
    description: str = ""
    cite: list[str] = Field(default_factory=list)
    parameters: dict[Name, Any] = Field(default_factory=dict)
    axis: AxisSpec | None = None
    models: Annotated[dict[Name, ModelSpec], NonEmpty]
    synapses: dict[Name, SynapseSpec] = Field(default_factory=dict)
    populations: Annotated[dict[Name, PopulationSpec], NonEmpty]
    projections: dict[Name, ProjectionSpec] = Field(default_factory=dict)
    continuous: dict[Name, ContinuousSpec] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _references(self) -> CircuitSpec:
        problems: list[tuple[tuple[str | int, ...], str]] = []
        for name, pop in self.populations.items():
            here: tuple[str | int, ...] = ("populations", name)
            if pop.model not in self.models and pop.model not in BUILTIN_MODELS:
                known = [*self.models, *BUILTIN_MODELS]
                problems.append(((*here, "model"), f"no model '{pop.model}'{suggest(pop.model, known)}"))
            if pop.per_segment is not None:
                if self.axis is None:
                    problems.append(((*here, "per_segment"), "per_segment needs an axis in the circuit"))
                elif pop.segments is not None:
                    for i, segment in enumerate(pop.segments):
                        if not 0 <= segment < self.axis.segments:
                            message = f"no segment {segment}, expected 0 to {self.axis.segments - 1}"
                            problems.append(((*here, "segments", i), message))
        for name in self.continuous:
            if name in self.projections:
                problems.append((("continuous", name), f"'{name}' is the name of a projection too"))
        for group in ("projections", "continuous"):
            joined: dict[str, ProjectionSpec | ContinuousSpec] = getattr(self, group)
            for name, projection in joined.items():
                problems += self._check_projection((group, name), projection)
        if problems:
            raise Located(problems)
        return self

    def _check_projection(
        self, here: tuple[str | int, ...], projection: ProjectionSpec | ContinuousSpec
    ) -> list[tuple[tuple[str | int, ...], str]]:
        problems: list[tuple[tuple[str | int, ...], str]] = []
        ends = (("from", projection.source), ("to", projection.to))
        for key, population in ends:
            if population not in self.populations:
                message = f"no population '{population}'{suggest(population, self.populations)}"
                problems.append(((*here, key), message))
        synapse = projection.synapse if isinstance(projection, ProjectionSpec) else None
        if synapse is not None and synapse not in self.synapses:
            message = f"no synapse '{synapse}'{suggest(synapse, self.synapses)}"
            problems.append(((*here, "synapse"), message))
        if problems:
            return problems
        source, target = self.populations[projection.source], self.populations[projection.to]
        if projection.side != "any" and (source.sides is None or source.sides != target.sides):
            problems.append(((*here, "side"), f"side: {projection.side} needs the same sides on both populations"))
        if projection.side == "opposite" and source.sides is not None and len(source.sides) != 2:
            problems.append(((*here, "side"), "side: opposite needs exactly two sides"))
        problems += _check_data(here, projection, source, target)
        kernel = projection.connect.kernel
        if kernel is not None:
            problems += self._check_kernel((*here, "connect", "kernel"), kernel, source)
        return problems

    def _check_kernel(
        self, here: tuple[str | int, ...], kernel: KernelSpec, source: PopulationSpec
    ) -> list[tuple[tuple[str | int, ...], str]]:
        if self.axis is None:
            return [(here, "a distance kernel needs an axis in the circuit")]
        known = ["y", *self.axis.coordinates]
        if kernel.over not in known:
            return [((*here, "over"), f"no coordinate '{kernel.over}'{suggest(kernel.over, known)}")]
        if kernel.trapezoid is None:
            return []
        pools = source.pools or {}
        problems: list[tuple[tuple[str | int, ...], str]] = []
        for key in ("up", "down"):
            ramps: dict[str, float] = getattr(kernel.trapezoid, key)
            for pool in ramps:
                if pool not in pools:
                    problems.append(((*here, "trapezoid", key, pool), f"no pool '{pool}'{suggest(pool, pools)}"))
            for pool in pools:
                if pool not in ramps:
                    problems.append(((*here, "trapezoid", key), f"pool '{pool}' has no ramp"))
        if not pools:
            problems.append(((*here, "trapezoid"), "a trapezoid needs a source population with pools"))
        return problems


def _check_data(
    here: tuple[str | int, ...], projection: ProjectionSpec | ContinuousSpec, source: PopulationSpec,
    target: PopulationSpec,
) -> list[tuple[tuple[str | int, ...], str]]:  # fmt: skip
    """Connections from data: they say themselves which neurons they join."""
    connect = projection.connect
    if connect.connectome is None:
        return []
    problems: list[tuple[tuple[str | int, ...], str]] = []
    if projection.side != "any":
        problems.append(((*here, "side"), "the connections of a connectome are as they are: no side goes with them"))
    for name, population in {projection.source: source, projection.to: target}.items():
        of = population.connectome.name if population.connectome is not None else None
        if of != connect.connectome:
            made = f"it is made of {of}" if of else "it has no connectome"
            message = f"population '{name}' is not made of cells of {connect.connectome}: {made}"
            problems.append(((*here, "connect", "connectome"), message))
    return problems


# Models that every circuit may use without declaring them: neurons that spike when an encoder tells them to.
BUILTIN_MODELS: dict[str, ModelSpec] = {
    "poisson_source": ModelSpec.model_validate(
        {"equations": "rate : Hz", "threshold": "uniform_draw() < rate*dt", "parameters": {"rate": "0 Hz"}}
    ),
    "spike_source": ModelSpec.model_validate(
        {"equations": "fire : 1", "threshold": "fire > 0", "reset": "fire = 0", "parameters": {"fire": 0}}
    ),
}

__all__ = ["BUILTIN_MODELS", "CircuitSpec", "ConnectSpec", "Count", "Draw", "Fraction", "ModelSpec", "PopulationSpec"]
