"""Small circuits for tests, built from Python dictionaries."""

from pathlib import Path
from typing import Any

from cosim.graph.build import build
from cosim.graph.ir import NetworkIR
from cosim.graph.lesion import Lesions
from cosim.spec.circuit import CircuitSpec
from cosim.spec.units import Value, as_expression

POINT = {"equations": "dv/dt = -v/(10*ms) : 1", "threshold": "v > 1", "reset": "v = 0", "method": "euler"}


def circuit(**document: Any) -> tuple[CircuitSpec, dict[str, Value]]:
    """A circuit with the model `point` added where no models are given."""
    parameters: dict[str, Value] = {}
    for name, value in document.get("parameters", {}).items():
        parameters[name] = as_expression(value).evaluate(parameters)
    raw = {"cosim": "circuit/1", "name": "test", "models": {"point": POINT}, **document}
    return CircuitSpec.model_validate(raw, context={"parameters": parameters}), parameters


def network(
    *, seed: int = 1, dt: float = 1e-4, lesions: Lesions | None = None, folder: Path = Path(), **document: Any
) -> NetworkIR:
    """The IR of such a circuit."""
    spec, parameters = circuit(**document)
    return build(spec, seed=seed, dt=dt, parameters=parameters, folder=folder, lesions=lesions)
