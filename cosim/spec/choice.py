"""Which cells and connections of a connectome are meant: conditions on columns, ids, distances."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from cosim.spec.common import ListOf, Name, NonEmpty, Spec
from cosim.spec.units import UnitError


def _condition(raw: Any) -> Any:
    """What a column must be: a value, a list of values, a comparison (``>= 5``), or ``{not: ...}``."""
    if isinstance(raw, dict):
        if list(raw) != ["not"]:
            raise UnitError("expected a value, a list of values, a comparison like '>= 5', or {not: ...}")
        return {"not": _condition(raw["not"])}
    items = raw if isinstance(raw, list | tuple) else [raw]
    if not items:
        raise UnitError("the list must not be empty")
    for item in items:
        if item is None or isinstance(item, list | tuple | dict):
            raise UnitError("expected a value, a list of values, a comparison like '>= 5', or {not: ...}")
    return tuple(items) if isinstance(raw, list | tuple) else raw


Condition = Annotated[
    Any,
    BeforeValidator(_condition),
    WithJsonSchema(
        {
            "type": ["string", "number", "boolean", "array", "object"],
            "description": "a value, a list of values, a comparison like '>= 5', or {not: ...}",
        }
    ),
]
Conditions = dict[Name, Condition]

CellIds = Annotated[
    list[str | int],
    ListOf,
    WithJsonSchema({"type": ["string", "integer", "array"], "description": "names or numbers of cells"}),
]


class CellsSpec(Spec):
    """Cells of a connectome that meet every condition given: values of their columns, ids."""

    select: Conditions = Field(default_factory=dict)
    cells: Annotated[CellIds, NonEmpty] | None = None


class HopsSpec(Spec):
    """Cells at most ``n`` connections away from a set (which belongs to them).

    ``direction: out`` follows the connections, ``in`` goes against them, ``both`` either way; ``where`` says which
    edges count.
    """

    start: Annotated[CellsSpec, Field(alias="from")]
    n: Annotated[int, Field(ge=0)] = 1
    direction: Literal["out", "in", "both"] = "out"
    where: Conditions = Field(default_factory=dict)
