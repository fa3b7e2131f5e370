"""The named values that a document declares and that its expressions use."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from cosim.errors import Problem
from cosim.spec.common import Name
from cosim.spec.problems import Place
from cosim.spec.units import CONSTANTS, FUNCTIONS, UNITS, Expression, UnitError, Value, as_expression
from cosim.spec.yamlmarks import Node

_NAME: TypeAdapter[str] = TypeAdapter(Name)


def evaluate(root: Node, place: Place) -> tuple[dict[str, Value], list[Problem]]:
    """Evaluate the ``parameters`` of a document; a parameter may use any other that does not depend on it.

    Returns the values and every problem found (unreadable, unknown name, depends on itself, named like a unit).
    """
    node = root.child("parameters")
    if node is None or not node.is_mapping:
        return {}, []  # anything but a mapping is reported by the validation
    problems: list[Problem] = []
    expressions: dict[str, Expression] = {}
    for name, child in node.value.items():
        path = ("parameters", name)
        taken = "a unit" if name in UNITS else "a function" if name in FUNCTIONS else "a constant"
        if name in UNITS or name in FUNCTIONS or name in CONSTANTS:
            problems.append(place(path, f"'{name}' is the name of {taken}, choose another", True))
            continue
        try:
            _NAME.validate_python(name)
        except ValidationError as error:
            problems.append(place(path, str(error.errors()[0]["ctx"]["error"]), True))
            continue
        try:
            expressions[name] = as_expression(child.plain())
        except UnitError as error:
            problems.append(place(path, str(error), False))
    values: dict[str, Value] = {}
    failed: set[str] = {name for name in node.value if name not in expressions}
    waiting = dict(expressions)
    while waiting:
        ready = [n for n, e in waiting.items() if not any(other in waiting for other in e.names)]
        if not ready:
            chain = _cycle(waiting)
            text = " -> ".join(chain)
            problems.append(place(("parameters", chain[0]), f"the parameter depends on itself: {text}", False))
            break
        for name in ready:
            expression = waiting.pop(name)
            if any(other in failed for other in expression.names):
                failed.add(name)  # its cause is reported already
                continue
            try:
                values[name] = expression.evaluate(values)
            except UnitError as error:
                failed.add(name)
                problems.append(place(("parameters", name), str(error), False))
    # in the order of the document, whatever the order of evaluation
    return {name: values[name] for name in expressions if name in values}, problems


def _cycle(waiting: dict[str, Expression]) -> list[str]:
    chain = [next(iter(waiting))]
    while True:
        following = next(n for n in waiting if n in waiting[chain[-1]].names)
        if following in chain:
            return [*chain[chain.index(following) :], following]
        chain.append(following)
