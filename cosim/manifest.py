"""What a result says about where it comes from."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import TYPE_CHECKING, Any

from cosim import __version__

if TYPE_CHECKING:
    from cosim.api import Experiment, Simulation

_PACKAGES = ("brian2", "pybullet", "numpy", "zarr", "mpi4py", "cython")


def versions() -> dict[str, str]:
    """Versions of Python, cosim and the packages that decide a result."""
    found = {"python": platform.python_version(), "cosim": __version__}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """The processor's name."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="ignore") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def host() -> dict[str, Any]:
    """The machine. (platform.platform() would start a process, `uname`.)"""
    here = os.uname()
    system = "-".join([here.sysname, here.release, here.machine, *platform.libc_ver()])
    return {"name": here.nodename, "system": system, "processor": processor(), "cores": os.cpu_count()}


def describe(experiment: Experiment, simulation: Simulation) -> dict[str, Any]:
    """The manifest of a run before it starts: documents, seed, versions, machine, and what measurements need to
    know."""
    loaded, spec, lockstep = experiment.loaded, experiment.loaded.spec, simulation.lockstep
    clock = lockstep.clock
    axis = loaded.circuit.axis if loaded.circuit is not None else None
    return {
        "name": spec.name,
        "title": spec.title,
        "seed": simulation.seed,
        "overrides": dict(experiment.overrides),
        "duration": spec.duration,
        "transient": spec.transient,
        "tick": clock.tick,
        "dt": clock.dt,
        "body_dt": clock.body_dt,
        "content_hash": loaded.content_hash,
        "spec": {kind: document.tree for kind, document in loaded.documents.items()},
        "documents": {str(kind): str(path) for kind, path in loaded.paths.items()},
        "texts": loaded.texts,
        "connectomes": lockstep.network.connectomes if lockstep.network is not None else {},
        "backend": lockstep.backend.name if lockstep.backend is not None else None,
        "versions": versions(),
        "host": host(),
        "command": sys.argv,
        "body": _body(simulation),
        "geometry": lockstep.body.geometry() if lockstep.body is not None else None,
        "axis": {"length": axis.length, "segments": axis.segments} if axis is not None else None,
        "perturb": {name: {"at": push.at, "for": push.length} for name, push in spec.perturb.items()},
        "measure": spec.measure.model_dump(exclude_none=True),
    }


def _body(simulation: Simulation) -> dict[str, Any] | None:
    body = simulation.lockstep.body
    if body is None:
        return None
    world = simulation.experiment.loaded.spec.world
    ball = world.ground.ball
    return {
        "total_mass": body.total_mass,
        "joints": list(body.joints),
        "links": list(body.links),
        "gravity": world.gravity,
        "ball_radius": ball.radius if ball is not None else None,
    }
