"""A sweep document: many runs of one experiment, which differ in values, lesions and seeds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cosim.analyse.reference import INTACT
from cosim.spec.circuit import Count, Draw
from cosim.spec.common import Expr, ListOf, Located, Name, NonEmpty, Spec, as_list
from cosim.spec.experiment import AblateSpec, Select, Where
from cosim.spec.units import Delay, Fraction, Length, UnitError


class AxisSpec(Spec):
    """Values that are made: exactly one of linspace, logspace, random.

    ``linspace: [from, to, n]`` are n values with equal steps, ``logspace`` with equal ratios; ``random`` draws `n`
    values (with the sweep's `seed`), or as many as a random design needs.
    """

    linspace: tuple[Expr, Expr, Count] | None = None
    logspace: tuple[Expr, Expr, Count] | None = None
    random: Draw | None = None
    n: Count | None = None

    @model_validator(mode="after")
    def _one(self) -> AxisSpec:
        if sum(getattr(self, key) is not None for key in ("linspace", "logspace", "random")) != 1:
            raise UnitError("expected exactly one of linspace, logspace, random")
        if self.n is not None and self.random is None:
            raise Located([(("n",), "n goes with random; linspace and logspace have their number as the third value")])
        return self


class SpacedSpec(Spec):
    """Values with equal steps: ``linspace: [from, to, n]``."""

    linspace: tuple[Expr, Expr, Count]


Values = Annotated[list[Any], NonEmpty] | AxisSpec
Vary = dict[str, Values]


class DesignSpec(Spec):
    """How axes are combined at random: so many points, drawn independently or as a Latin hypercube (McKay, Beckman &
    Conover 1979, doi:10.1080/00401706.1979.10489755)."""

    random: Count | None = None
    latin_hypercube: Count | None = None

    @model_validator(mode="after")
    def _one(self) -> DesignSpec:
        if (self.random is None) == (self.latin_hypercube is None):
            raise UnitError("expected exactly one of random and latin_hypercube, each with a number of points")
        return self


class EachSpec(Spec):
    """One arm a neuron: each neuron of a selection is silenced by itself."""

    each: Select
    at: Delay | None = None


class SeriesSpec(Spec):
    """One arm a value: an ablation of which one entry is a list, or ``linspace: [from, to, n]``."""

    silence: Annotated[list[Name], ListOf] | None = None
    where: Where | None = None
    fraction: Annotated[list[Fraction], ListOf] | SpacedSpec | None = None
    cut: Annotated[list[str], ListOf] | None = None
    transect: Annotated[list[Length], ListOf] | SpacedSpec | None = None
    at: Annotated[list[Delay], ListOf] | SpacedSpec | None = None

    @model_validator(mode="after")
    def _one(self) -> SeriesSpec:
        if sum(getattr(self, key) is not None for key in ("silence", "cut", "transect")) != 1:
            raise UnitError("expected exactly one of silence, cut, transect (or each: one arm a neuron)")
        if self.silence is None and (self.where or self.fraction is not None):
            raise UnitError("where and fraction go with silence")
        return self


class ControlSpec(Spec):
    """A null control beside every arm, or beside those named: the same with shuffled wiring, all projections of the
    circuit or those named."""

    shuffle: Literal["degree_preserving"]
    arms: Annotated[list[str], ListOf, NonEmpty] | None = None
    projections: Annotated[list[Name], ListOf, NonEmpty] | None = None


class SweepSpec(Spec):
    """A whole sweep document (``cosim: sweep/1``).

    ``set:`` changes the experiment for all runs. ``vary`` maps paths of the experiment, its circuit or its body to
    values; a list of such mappings is several designs, one after the other. ``ablate`` maps names of arms to lists of
    ablations; the arm ``intact`` is always there. ``repeat`` is a number of seeds, counted up from the experiment's, or
    the seeds. ``measure`` names metrics (default: all that the experiment measures). ``keep: runs`` keeps the record of
    every run.
    """

    cosim: Literal["sweep/1"]
    name: Name
    title: str = ""
    description: str = ""
    cite: list[str] = Field(default_factory=list)
    experiment: str
    vary: Vary | Annotated[list[Vary], NonEmpty] = Field(default_factory=dict)
    design: Literal["grid", "zip"] | DesignSpec = "grid"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    ablate: dict[Name, list[AblateSpec] | EachSpec | SeriesSpec] = Field(default_factory=dict)
    control: ControlSpec | None = None
    repeat: Count | Annotated[list[Annotated[int, Field(ge=0, lt=2**63)]], NonEmpty] = 1
    measure: Annotated[list[Name], ListOf] = Field(default_factory=list)
    keep: Literal["rows", "runs"] = "rows"
    ranks_per_run: Count = 1

    @property
    def blocks(self) -> list[Vary]:
        """The mappings of `vary`."""
        return as_list(self.vary)  # type: ignore[no-any-return]

    @model_validator(mode="after")
    def _whole(self) -> SweepSpec:
        problems: list[tuple[tuple[str | int, ...], str]] = []
        if self.ablate.get(INTACT):
            problems.append((("ablate", INTACT), "the intact arm has no ablations; give this arm another name"))
        if "vary" in self.model_fields_set:
            listed = isinstance(self.vary, list)
            here = [("vary", k) if listed else ("vary",) for k, block in enumerate(self.blocks) if not block]
            problems += [(path, "must not be empty") for path in here]
        for key in ("repeat", "measure"):
            items = getattr(self, key)
            twice = [item for i, item in enumerate(items) if item in items[:i]] if isinstance(items, list) else []
            if twice:
                problems.append(((key,), f"{twice[0]} is given twice"))
        if problems:
            raise Located(problems)
        return self


__all__ = ["INTACT", "AxisSpec", "DesignSpec", "EachSpec", "SeriesSpec", "SpacedSpec", "SweepSpec"]
