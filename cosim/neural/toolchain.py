"""The C++ compiler and its options: fast code that gives the same bits on every machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cosim.errors import CosimError

#: No option that changes values. Brian2's own defaults, -ffast-math and -march=native, are absent on purpose.
FLAGS = ("-w", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math")
#: Without it one array more in a loop silently stops it from being vectorised (GCC only).
GCC_FLAGS = ("--param=vect-max-version-for-alias-checks=1000",)


@lru_cache(maxsize=1)
def vector_flags() -> tuple[str, ...]:
    """AVX2 where this processor has it: the same bits (no contraction), faster loops."""
    if platform.machine() != "x86_64":
        return ()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return ()
    if " avx2 " in text and " bmi2 " in text and " fma " in text:
        return ("-march=x86-64-v3",)
    return ("-march=x86-64-v2",) if " sse4_2 " in text and " popcnt " in text else ()


@dataclass(frozen=True)
class Compiler:
    """A compiler on this machine. `stamp` changes when the program file does."""

    path: str
    stamp: str

    @property
    def version(self) -> str:
        """The first line of ``--version`` (starts the compiler)."""
        found = subprocess.run([self.path, "--version"], capture_output=True, text=True, check=False)
        return found.stdout.strip().splitlines()[0] if found.stdout.strip() else "unknown"

    def flags(self, version: str) -> tuple[str, ...]:
        """Options for a shared library."""
        gcc = () if "clang" in version.lower() else GCC_FLAGS
        return (*FLAGS, *gcc, *vector_flags(), "-std=c++17", "-fPIC", "-shared", "-pthread")

    def compile(self, source: Path, library: Path, flags: tuple[str, ...]) -> None:
        """Compile one source into a shared library. Raises CosimError with the compiler's first message."""
        command = [self.path, *flags, "-o", str(library), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
            raise CosimError(f"the compiler failed: {lines[0] if lines else f'exit code {done.returncode}'} ({source})")


def find_compiler() -> Compiler | None:
    """The C++ compiler: ``$CXX``, or the first of g++, c++, clang++ on the path; None if there is none."""
    for name in (os.environ.get("CXX", ""), "g++", "c++", "clang++"):
        path = shutil.which(name) if name else None
        if path is not None:
            real = Path(path).resolve()
            facts = real.stat()
            return Compiler(path, f"{real}:{facts.st_size}:{facts.st_mtime_ns}")
    return None


def has_compiler() -> bool:
    """Whether there is a C++ compiler."""
    return find_compiler() is not None
