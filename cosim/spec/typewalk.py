"""What may stand at a path of a document, read off the pydantic classes: for overrides, suggestions and messages."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, WithJsonSchema

from cosim.spec.common import Name
from cosim.spec.units import Expression


@dataclass(frozen=True)
class Kind:
    """One thing that may stand at a place: a type without its Annotated wrapper, and the wrapper's metadata."""

    type: Any
    metadata: tuple[Any, ...] = ()

    @property
    def model(self) -> type[BaseModel] | None:
        """The document class, where this is one."""
        if isinstance(self.type, type) and issubclass(self.type, BaseModel):
            return self.type
        return None

    @property
    def entry(self) -> Any:
        """The type of the values, where this is a mapping with free names; None otherwise."""
        if typing.get_origin(self.type) is dict:
            return typing.get_args(self.type)[1]
        return None


def kinds(annotation: Any, metadata: Iterable[Any] = ()) -> list[Kind]:
    """An annotation split at its unions; None is left out."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        inner, *more = typing.get_args(annotation)
        return kinds(inner, (*metadata, *more))
    if origin in (Union, types.UnionType):
        return [kind for part in typing.get_args(annotation) for kind in kinds(part, metadata)]
    return [] if annotation in (None, type(None)) else [Kind(annotation, tuple(metadata))]


def field_names(model: type[BaseModel]) -> dict[str, str]:
    """The keys that a user writes for a class (aliases), each with the name of its field."""
    return {info.alias or name: name for name, info in model.model_fields.items()}


def _step(kind: Kind, key: str | int) -> list[Kind]:
    model = kind.model
    if model is not None:
        names = field_names(model)
        if key not in names:
            return []
        info = model.model_fields[names[str(key)]]
        return kinds(info.annotation, info.metadata)
    origin, arguments = typing.get_origin(kind.type), typing.get_args(kind.type)
    if origin is dict:
        return kinds(arguments[1])
    if origin is list and isinstance(key, int):
        return kinds(arguments[0])
    if origin is tuple and isinstance(key, int) and key < len(arguments):
        return kinds(arguments[key])
    if kind.type is Any:
        return [kind]
    return []


def at(model: type[BaseModel], path: Iterable[str | int]) -> list[Kind]:
    """Everything that may stand at `path` of a document of class `model`; empty where nothing may."""
    here = [Kind(model)]
    for key in path:
        here = [found for kind in here for found in _step(kind, key)]
    return here


def names_at(model: type[BaseModel], path: Iterable[str | int]) -> list[str]:
    """The keys that the class at `path` knows."""
    return [name for kind in at(model, path) if kind.model is not None for name in field_names(kind.model)]


def describe(kind: Kind) -> str:
    """A kind in plain words, e.g. ``a time, e.g. '10 ms'``."""
    for item in kind.metadata:
        if isinstance(item, WithJsonSchema):
            text = str((item.json_schema or {}).get("description", ""))
            return text.partition(" (SI unit")[0]
    if any(item in kind.metadata for item in typing.get_args(Name)[1:]):
        return "a name"
    origin, arguments = typing.get_origin(kind.type), typing.get_args(kind.type)
    if kind.model is not None:
        return "a mapping (" + ", ".join(field_names(kind.model)) + ")"
    if origin is Literal:
        values = [str(a).lower() if isinstance(a, bool) else str(a) for a in arguments]
        return values[0] if len(values) == 1 else "one of " + ", ".join(values)
    if origin is list:
        return "a list"
    if origin is tuple:
        return f"a list of {len(arguments)} values"
    if origin is dict:
        return "a mapping"
    plain = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    if kind.type is Expression:
        return "an expression with units"
    return plain.get(kind.type, "a value") if isinstance(kind.type, type) else "a value"


def expected(found: Iterable[Kind]) -> str:
    """What may stand at a place, in plain words; empty where nothing is known."""
    parts = list(dict.fromkeys(describe(kind) for kind in found))
    if not parts or parts == ["a value"]:
        return ""
    return " or ".join(parts)
