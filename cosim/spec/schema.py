"""JSON Schema of the documents: pydantic's, with units in the descriptions and the short forms that users may write."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from cosim.spec.common import as_list
from cosim.spec.kinds import KINDS, VERSION, model_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXTENDS = {"type": "string", "description": "the name or file of a document of the same kind that this one changes"}
_SET = {"type": "object", "description": "values by path, e.g. {wires.stretch.delay: 20 ms}"}


class _Generator(GenerateJsonSchema):
    """Validators that run before the type is looked at accept more than the type: say so."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> dict[str, Any]:
        inner = super().function_before_schema(schema)
        function: Any = schema["function"]["function"]
        name = getattr(function, "__name__", "")
        if function is as_list and inner.get("type") == "array":
            return {"anyOf": [inner, inner.get("items", {})]}
        if name == "_short":
            return {"anyOf": [inner, {"type": "string"}]}
        if name == "<lambda>" and "anyOf" in inner:
            return {"anyOf": [*inner["anyOf"], {"type": "string"}]}
        return inner


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind of document; keys that are required may come from what the document extends."""
    found = model_of(kind).model_json_schema(by_alias=True, schema_generator=_Generator)
    required = [key for key in found.pop("required", []) if key not in ("cosim", "name")]
    found["properties"] = {**found["properties"], "extends": _EXTENDS, "set": _SET}
    found["required"] = ["cosim", "name"]
    if required:
        found["anyOf"] = [{"required": ["extends"]}, {"required": required}]
    return {"$schema": DIALECT, "title": f"cosim {kind}/{VERSION}", **{k: v for k, v in found.items() if k != "title"}}


def schema_of_all() -> dict[str, Any]:
    """One schema for a document of any kind: the ``cosim:`` line decides which."""
    branches = []
    definitions: dict[str, Any] = {}
    for kind in KINDS:
        one = schema(kind)
        definitions |= one.pop("$defs", {})
        one.pop("$schema")
        definitions[f"{kind}/{VERSION}"] = one
        pointer = f"#/$defs/{kind}~1{VERSION}"
        header = {"properties": {"cosim": {"const": f"{kind}/{VERSION}"}}, "required": ["cosim"]}
        branches.append({"if": header, "then": {"$ref": pointer}})
    return {
        "$schema": DIALECT,
        "title": "cosim document",
        "type": "object",
        "required": ["cosim"],
        "properties": {"cosim": {"enum": [f"{kind}/{VERSION}" for kind in KINDS]}},
        "allOf": branches,
        "$defs": definitions,
    }
