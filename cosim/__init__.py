"""cosim: a spiking network (Brian2) and a body (PyBullet) in lockstep."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from cosim.api import Experiment, Simulation, load
    from cosim.connectome.store import load_connectome
    from cosim.errors import CosimError, SimulationError, UserError
    from cosim.record.result import Result
    from cosim.sweep.result import SweepResult

_HOMES = {
    "Experiment": "cosim.api",
    "Simulation": "cosim.api",
    "load": "cosim.api",
    "load_connectome": "cosim.connectome.store",
    "CosimError": "cosim.errors",
    "SimulationError": "cosim.errors",
    "UserError": "cosim.errors",
    "Result": "cosim.record.result",
    "SweepResult": "cosim.sweep.result",
}

__all__ = [
    "CosimError",
    "Experiment",
    "Result",
    "Simulation",
    "SimulationError",
    "SweepResult",
    "UserError",
    "load",
    "load_connectome",
]


def __getattr__(name: str) -> Any:
    # the engines take seconds to import; `cosim list` does not need them
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'cosim' has no attribute '{name}'")
