"""Compiled networks on disk: one entry per source, compiler and options, found by the program without compiling.

    <cache>/build/plans/<hash of program, compiler file, options, cosim's own code>.json   -> the entry's key
    <cache>/build/<key>/network.so, layout.json, network.cpp, manifest.json

An entry is written under another name and moved into place; its manifest holds the hashes of its files, and one that
does not agree with them is built again. One process builds, others that need the same wait for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cosim.errors import CosimError
from cosim.neural import disk
from cosim.neural.program import Program
from cosim.neural.toolchain import Compiler, vector_flags

_FILES = ("network.so", "layout.json", "network.cpp")
Say = Callable[[str], None]


class GenerationError(CosimError):
    """Brian2 refused to write the code of a network."""


@dataclass(frozen=True)
class Entry:
    """A compiled network: where it is and what its arrays are. `built` tells whether it was compiled just now."""

    path: Path
    layout: dict[str, Any]
    built: bool = False

    @property
    def binary(self) -> Path:
        """The shared library."""
        return self.path / "network.so"


def folder() -> Path:
    """The directory of all entries: ``$XDG_CACHE_HOME/cosim/build`` or ``~/.cache/cosim/build``."""
    return disk.base() / "build"


@lru_cache(maxsize=1)
def own_code() -> str:
    """A hash of everything in this package that decides generated code."""
    here = Path(__file__).parent
    names = ["generate", "emit", "fused", "languages", "draws", "draws_cpp", "brian_private"]
    files = [here / f"{name}.py" for name in names]
    files += [here / f"{name}.h" for name in ("engine", "interface", "worker")]
    files += [*sorted((here / "templates").glob("*.cpp")), *sorted((here.parent / "exact").glob("*.py"))]
    files += [here.parent / "tape" / name for name in ("tape.h", "native.py", "operations.py")]
    found = hashlib.sha256()
    for file in files:
        found.update(file.name.encode() + b"\0" + file.read_bytes())
    found.update(version("brian2").encode())
    return found.hexdigest()


def plan_key(program: Program, compiler: Compiler) -> str:
    """The name under which a program's entry is found without starting a compiler."""
    parts = [program.digest, compiler.stamp, " ".join(vector_flags()), own_code()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def fetch(program: Program, compiler: Compiler, say: Say | None = None) -> Entry:
    """The compiled code of a program, from the cache or built now. Raises CosimError if it cannot be built."""
    plan = plan_key(program, compiler)
    try:
        (folder() / "plans").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CosimError(f"the build cache cannot be written ({error}); XDG_CACHE_HOME names another place") from None
    found = _look_up(plan)
    if found is not None:
        return found
    with _locked(plan, say):
        return _look_up(plan) or _build(program, compiler, plan, say)


def _look_up(plan: str) -> Entry | None:
    try:
        key = json.loads((folder() / "plans" / f"{plan}.json").read_text(encoding="utf-8"))["entry"]
        return _checked(folder() / key)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _checked(path: Path) -> Entry | None:
    """An entry whose files are those that its manifest names, else None."""
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        whole = manifest["key"] == path.name and all(_hash(path / name) == manifest["files"][name] for name in _FILES)
        return Entry(path, json.loads((path / "layout.json").read_text(encoding="utf-8"))) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def _locked(plan: str, say: Say | None) -> Iterator[None]:
    """One process at a time; the lock dies with its holder."""
    with open(folder() / "plans" / f"{plan}.lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if say is not None:
                say("waiting for another process that compiles this network")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(program: Program, compiler: Compiler, plan: str, say: Say | None) -> Entry:
    if say is not None:
        say("compiling the network (once; later runs, with other numbers, sizes and lesions too, find it compiled)")
    begin = time.perf_counter()
    generated = _generate(program)
    version = compiler.version
    flags = compiler.flags(version)
    source = generated["source"]
    layout = json.dumps(generated["layout"], sort_keys=True)
    key = hashlib.sha256("\n".join([source, layout, version, *flags]).encode()).hexdigest()[:32]
    target = folder() / key
    entry = _checked(target)
    if entry is None:
        with tempfile.TemporaryDirectory(dir=folder(), prefix="building-") as scratch:
            work = Path(scratch) / key
            work.mkdir()
            (work / "network.cpp").write_text(source, encoding="utf-8")
            (work / "layout.json").write_text(layout, encoding="utf-8")
            compiler.compile(work / "network.cpp", work / "network.so", flags)
            manifest = {
                "key": key,
                "compiler": version,
                "flags": list(flags),
                "seconds": time.perf_counter() - begin,
                "program": json.loads(program.text),
                "files": {name: _hash(work / name) for name in _FILES},
            }
            (work / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
            _move(work, target, Path(scratch) / "damaged")
        entry = _checked(target)
        if entry is None:
            raise CosimError(f"the build cache does not keep what is written to it: {target}")
    disk.write(folder() / "plans" / f"{plan}.json", json.dumps({"entry": key}))
    if say is not None:
        say(f"compiled in {time.perf_counter() - begin:.1f} s")
    return Entry(entry.path, entry.layout, built=True)


def _generate(program: Program) -> dict[str, Any]:
    """Source and layout, written by a process of its own."""
    command = [sys.executable, "-m", "cosim.neural.generate"]
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    # a fixed hash seed: Brian2 goes through sets, and equal programs are to give equal sources
    env = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, input=program.text, capture_output=True, text=True, env=env, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise GenerationError(f"the code of the network could not be written: {lines[-1]}")
    found: dict[str, Any] = json.loads(done.stdout)
    if found["code"] != own_code():
        raise CosimError("cosim itself has changed on disk since this process started: start it again")
    return found


def _move(work: Path, target: Path, aside: Path) -> None:
    """Put a finished entry in place; a damaged one of the same name goes, a good one of another process stays."""
    for _ in range(3):
        try:
            os.rename(work, target)
            return
        except OSError:
            if _checked(target) is not None:
                return
            with contextlib.suppress(OSError):
                os.rename(target, aside)
    raise CosimError(f"the build cache cannot be written: {target}")


# ---------------------------------------------------------------- for users


def entries() -> list[dict[str, Any]]:
    """What is in the cache: key, models, bytes, seconds of the build, time of last change, whether it is whole."""
    found = []
    for path in sorted(folder().glob("*/manifest.json")):
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            models = [group["model"] for group in manifest["program"]["groups"]]
        except (OSError, ValueError, KeyError, TypeError):
            manifest, models = {}, []
        files = [f for f in path.parent.iterdir() if f.is_file()]
        found.append(
            {
                "key": path.parent.name,
                "models": models,
                "bytes": sum(f.stat().st_size for f in files),
                "seconds": manifest.get("seconds"),
                "built": path.stat().st_mtime,
                "whole": _checked(path.parent) is not None,
            }
        )
    return found


def clear() -> int:
    """Remove all entries; returns the bytes that they took. Networks that are running keep what they have loaded."""
    total = 0
    for path in folder().glob("*"):
        if path.is_dir():
            total += sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
            shutil.rmtree(path, ignore_errors=True)
    return total
