"""Bodies and worlds from YAML text, with the parameters in scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cosim.body import Body, build
from cosim.spec.body import BodySpec, WorldSpec
from cosim.spec.units import Value, as_expression

BODIES = Path(__file__).parents[2] / "bodies"


def parse_body(text: str, directory: Path | None = None, **parameters: Any) -> BodySpec:
    """A body document's text as a BodySpec; `parameters` replace the document's."""
    document = yaml.safe_load(text)
    document = {"cosim": "body/1", "name": "test", **document}
    given = {**document.get("parameters", {}), **parameters}
    scope: dict[str, Value] = {}
    for name, value in given.items():
        scope[name] = as_expression(value).evaluate(scope)
    context = {"parameters": scope, "directory": str(directory or Path())}
    return BodySpec.model_validate(document, context=context)


def shipped(name: str, **parameters: Any) -> BodySpec:
    """A body of the checkout."""
    path = BODIES / name / "body.yaml"
    return parse_body(path.read_text(), path.parent, **parameters)


Make = Callable[..., Body]


@pytest.fixture(name="parse_body")
def _parse_body() -> Callable[..., BodySpec]:
    """See parse_body."""
    return parse_body


@pytest.fixture(name="shipped")
def _shipped() -> Callable[..., BodySpec]:
    """See shipped."""
    return shipped


@pytest.fixture
def make() -> Iterator[Make]:
    """`make(spec or text, world={}, dt=1e-3, substeps=1)`; closed at the end of the test."""
    made: list[Body] = []

    def call(
        spec: BodySpec | str,
        world: dict[str, Any] | None = None,
        dt: float = 1e-3,
        substeps: int = 1,
        **parameters: Any,
    ) -> Body:
        if isinstance(spec, str):
            spec = parse_body(spec, **parameters)
        body = build(spec, WorldSpec.model_validate(world or {}), dt, substeps)
        made.append(body)
        return body

    yield call
    for body in made:
        body.close()
