"""JSON Schema of the documents."""

from __future__ import annotations

import json

import pytest

from cosim.spec.kinds import KINDS
from cosim.spec.schema import schema, schema_of_all


@pytest.mark.parametrize("kind", KINDS)
def test_schema_is_strict_and_knows_the_loaders_keys(kind: str) -> None:
    found = schema(kind)
    assert found["additionalProperties"] is False
    assert found["required"] == ["cosim", "name"]
    assert {"extends", "set", "cosim"} <= set(found["properties"])
    assert ("parameters" in found["properties"]) == (kind not in ("connectome", "sweep"))
    assert found["properties"]["cosim"]["const"] == f"{kind}/1"


def test_units_and_aliases_are_told() -> None:
    found = schema("circuit")["$defs"]["ProjectionSpec"]["properties"]
    assert "from" in found
    assert "source" not in found
    assert "a time, e.g. '10 ms' (SI unit s)" in json.dumps(found["delay"])


def test_short_forms_are_allowed() -> None:
    wire = schema("experiment")["$defs"]["WireSpec"]["properties"]
    delay = wire["delay"]["anyOf"]
    assert {"array"} <= {part.get("type") for part in delay if isinstance(part.get("type"), str)}
    assert any(part.get("type") == ["string", "number"] for part in delay)


def test_one_schema_for_all_kinds_refers_to_what_it_defines() -> None:
    found = schema_of_all()
    names = {pointer["then"]["$ref"].removeprefix("#/$defs/").replace("~1", "/") for pointer in found["allOf"]}
    assert names == {f"{kind}/1" for kind in KINDS}
    assert names <= set(found["$defs"])
