"""A tick of a servo body in one call of compiled code (``servo.h``), where that is possible.

PyBullet's Python functions are thin: each fills a command, submits it and wraps the answer in tuples. At ten thousand
steps a second the tuples cost as much as half of the physics. The C functions underneath are exported by the same
library, so a few lines of C++ can call them for a whole tick; the bits are the same (tests/body/test_body_native.py).
What PyBullet does not export is which C handle belongs to a client number: it is read from the library's symbol table.

Without a compiler, on another platform than Linux, with another PyBullet, or with ``COSIM_NATIVE_BODY=0`` in the
environment the loop in Python is used.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import struct
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from cosim.body.engine import Engine
from cosim.body.feet import Pull
from cosim.body.servo import ServoDrive
from cosim.errors import CosimError
from cosim.neural import disk
from cosim.neural.toolchain import find_compiler

_FUNCTIONS = (
    "b3JointControlCommandInit2", "b3JointControlSetDesiredForceTorque", "b3InitStepSimulationCommand",
    "b3SubmitClientCommandAndWaitStatus", "b3RequestActualStateCommandInit", "b3GetStatusActualState",
    "b3InitRequestContactPointInformation", "b3SetContactFilterBodyA", "b3GetContactPointInformation",
    "b3ApplyExternalForceCommandInit", "b3ApplyExternalForce", "b3RequestActualStateCommandComputeLinkVelocity",
    "b3RequestActualStateCommandComputeForwardKinematics", "b3GetLinkState",
)  # fmt: skip
_CLIENTS = "sPhysicsClients1"
_API = 202010061  # of PyBullet 3.2.7: getAPIVersion
_MOST_CONTACTS = 4096
#: as ``Contact`` in servo.h
CONTACT = np.dtype([
    ("flags", "i4"), ("bodies", "i4", 2), ("links", "i4", 2), ("on_a", "f8", 3), ("on_b", "f8", 3), ("normal", "f8", 3),
    ("distance", "f8"), ("normal_force", "f8"), ("friction", "f8", 2), ("direction_1", "f8", 3),
    ("direction_2", "f8", 3),
], align=True)  # fmt: skip
_WHOLE = ("body", "joints", "substeps", "first", "links", "pulls", "collects", "capacity")
_POINTERS = (
    "q_index", "u_index", "kp", "kd", "least", "most", "offset", "added", "angles", "speeds", "torques", "force",
    "pull_link", "pull_force", "pull_point", "kept", "kept_step",
)  # fmt: skip


class _Tick(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in _FUNCTIONS), ("client", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in _WHOLE), *((name, ctypes.c_void_p) for name in _POINTERS),
        ("count", ctypes.c_int64),
    ]  # fmt: skip


class NativeTick:
    """The sub-steps of a tick of one body. Raises CosimError where they cannot be done in compiled code."""

    def __init__(self, engine: Engine, drive: ServoDrive, force: NDArray[np.float64]) -> None:
        library, addresses, clients = _library()
        self._run, self._links = library.cosim_servo_tick, library.cosim_servo_links
        self._engine, self._clients, self._force = engine, clients, force
        substeps, n = drive.torques.shape
        info = [p.getJointInfo(engine.body, i, physicsClientId=engine.client) for i in engine.dofs]
        least, most = drive.bounds
        kp, kd = (np.ascontiguousarray(x) for x in drive.gains)
        # arrays that the structure points at live as long as this object
        self._arrays: dict[str, NDArray[Any]] = {
            "q_index": np.array([i[3] for i in info], dtype=np.int64),
            "u_index": np.array([i[4] for i in info], dtype=np.int64), "kp": kp, "kd": kd, "least": least, "most": most,
            "offset": np.zeros((substeps, n)), "added": np.zeros(n), "angles": np.zeros(n), "speeds": drive.speeds,
            "torques": drive.torques, "force": force, "pull_link": np.zeros(0, dtype=np.int64),
            "pull_force": np.zeros((0, 3)), "pull_point": np.zeros((0, 3)),
            "kept": np.zeros(_MOST_CONTACTS, dtype=CONTACT), "kept_step": np.zeros(_MOST_CONTACTS, dtype=np.int64),
        }  # fmt: skip
        self._tick = _Tick(*addresses)
        tick = self._tick
        tick.joints, tick.substeps, tick.links, tick.capacity = n, substeps, len(engine.links), _MOST_CONTACTS
        for name, array in self._arrays.items():
            setattr(tick, name, array.ctypes.data)
        if not self._handle():
            raise CosimError("PyBullet's client is not where its symbol table says")

    def _handle(self) -> int:
        found = ctypes.c_void_p.from_address(self._clients + 8 * self._engine.client).value
        return found or 0

    def run(self, drive: ServoDrive, angles: NDArray[np.float64], pulls: list[Pull], collects: bool) -> None:
        """Advance; `drive.speeds[0]` and `angles` hold the state, and the history of the tick afterwards.

        Raises CosimError where the engine does not answer, or more touches than there is room for.
        """
        arrays, tick = self._arrays, self._tick
        self._address()
        arrays["offset"][...] = drive.offsets
        tick.added = None
        if drive.added:
            arrays["added"][:] = drive.added
            tick.added = arrays["added"].ctypes.data
        tick.pulls = len(pulls)
        if pulls:
            arrays["pull_link"] = np.array([pull[0] for pull in pulls], dtype=np.int64)
            arrays["pull_force"], arrays["pull_point"] = (np.array([pull[i] for pull in pulls]) for i in (1, 2))
            for name in ("pull_link", "pull_force", "pull_point"):
                setattr(tick, name, arrays[name].ctypes.data)
        tick.collects = collects
        arrays["angles"][:] = angles
        self._force[...] = 0.0
        if self._run(ctypes.byref(tick)):
            raise CosimError("PyBullet did not tell the joint states")
        if tick.count > _MOST_CONTACTS:
            raise CosimError(f"{tick.count} contacts in a tick, more than {_MOST_CONTACTS}")
        angles[:] = arrays["angles"]

    def _address(self) -> None:
        """The engine may be another one after a restore."""
        engine, tick = self._engine, self._tick
        tick.client, tick.body, tick.first = self._handle(), engine.body, engine.first

    def links(self, table: NDArray[np.float64]) -> None:
        """Rows 1 on of the link table (links, 27), engine's units. Raises CosimError."""
        self._address()
        if self._links(ctypes.byref(self._tick), table.ctypes.data):
            raise CosimError("PyBullet did not tell the links' states")

    def touches(self) -> list[list[tuple[Any, ...]]]:
        """The contacts of the last tick by sub-step, as PyBullet's Python function gives them."""
        found: list[list[tuple[Any, ...]]] = [[] for _ in range(self._tick.substeps)]
        count = self._tick.count
        steps = self._arrays["kept_step"][:count].tolist()
        for step, c in zip(steps, self._arrays["kept"][:count].tolist(), strict=True):
            flags, bodies, links, on_a, on_b, normal, distance, load, friction, one, two = c
            first, second = friction
            found[step].append((
                flags, *bodies, *links, tuple(on_a), tuple(on_b), tuple(normal), distance, load, first, tuple(one),
                second, tuple(two),
            ))  # fmt: skip
        return found


@lru_cache(maxsize=1)
def _library() -> tuple[ctypes.CDLL, list[int], int]:
    """The compiled code, addresses of PyBullet's functions, and that of its table of clients. Raises CosimError."""
    if sys.platform != "linux" or os.environ.get("COSIM_NATIVE_BODY") == "0" or p.getAPIVersion() != _API:
        raise CosimError("not on this platform, not wanted, or not with this PyBullet")
    engine = ctypes.CDLL(p.__file__)
    try:
        addresses = [ctypes.cast(getattr(engine, name), ctypes.c_void_p).value or 0 for name in _FUNCTIONS]
    except AttributeError as error:
        raise CosimError(str(error)) from None
    values = _symbols(Path(p.__file__), (_CLIENTS, _FUNCTIONS[0]))
    library = ctypes.CDLL(str(_compiled()))
    library.cosim_servo_tick.restype = ctypes.c_int64
    library.cosim_servo_tick.argtypes = [ctypes.c_void_p]
    library.cosim_servo_links.restype = ctypes.c_int64
    library.cosim_servo_links.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    return library, addresses, addresses[0] - values[_FUNCTIONS[0]] + values[_CLIENTS]


def _symbols(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    """Values of symbols from the full symbol table of a 64-bit little-endian ELF file. Raises CosimError."""
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        raise CosimError(f"{path} is no 64-bit ELF file")
    start, size, count = (struct.unpack_from(form, data, at)[0] for form, at in (("<Q", 40), ("<H", 58), ("<H", 60)))
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + k * size) for k in range(count)]
    found: dict[str, int] = {}
    for section in sections:
        if section[1] != 2:  # SHT_SYMTAB
            continue
        table = np.frombuffer(data, dtype=[("name", "<u4"), ("kind", "u1"), ("other", "u1"), ("section", "<u2"),
                                           ("value", "<u8"), ("size", "<u8")],
                              offset=section[4], count=section[5] // 24)  # fmt: skip
        begin = sections[section[6]][4]
        strings = data[begin : begin + sections[section[6]][5]]
        for name in names:
            at = strings.find(b"\0" + name.encode() + b"\0") + 1
            rows = np.flatnonzero((table["name"] == at) & (table["section"] != 0)).tolist()
            if at and len(rows) == 1:
                found[name] = int(table["value"][rows[0]])
    missing = [name for name in names if name not in found]
    if missing:
        raise CosimError(f"{path.name} has no symbol {missing[0]}")
    return found


def _compiled() -> Path:
    """The library, compiled once for each source, compiler and options. Raises CosimError."""
    compiler = find_compiler()
    if compiler is None:
        raise CosimError("no C++ compiler")
    source = Path(__file__).with_name("servo.h")
    flags = compiler.flags(compiler.version)
    key = hashlib.sha256("\0".join([source.read_text(), compiler.stamp, *flags]).encode()).hexdigest()[:24]
    library = disk.base() / "body" / f"{key}.so"
    if not library.is_file():
        library.parent.mkdir(parents=True, exist_ok=True)
        work = library.with_name(f"{key}.{os.getpid()}.so")
        compiler.compile(source, work, (*flags, "-x", "c++"))
        os.replace(work, library)
    return library


__all__ = ["NativeTick"]
