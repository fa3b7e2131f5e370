"""Flush-to-zero, a part of the definition of a result: decaying variables end at 0 and not in denormals.

The floating-point environment of a thread is read and set through the C library (``fegetenv``), so that no compiler is
needed. Results below 2.2e-308 become 0, and such operands count as 0. Where the environment is not known (other
processors, other systems) nothing is changed, on any backend.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

# machine -> (offset of the control word in fenv_t, bits): behind 28 bytes of the x87's environment MXCSR.FTZ and .DAZ;
# FPCR.FZ
_WORDS = {"x86_64": (28, 0x8040), "aarch64": (0, 1 << 24)}


@lru_cache(maxsize=1)
def _library() -> Any | None:
    if not sys.platform.startswith("linux") or platform.machine() not in _WORDS:
        return None
    try:
        library = ctypes.CDLL(ctypes.util.find_library("m") or "libm.so.6")
        return library if library.fegetenv and library.fesetenv else None
    except (OSError, AttributeError):
        return None


class Flushing:
    """Switches flush-to-zero on and off again for the calling thread; cheap enough for every tick."""

    def __init__(self) -> None:
        self._library = _library()
        self._before = ctypes.create_string_buffer(64)
        self._inside = ctypes.create_string_buffer(64)
        self.available = self._library is not None

    def begin(self) -> None:
        """From here on denormal numbers are 0."""
        if self._library is None:
            return
        self._library.fegetenv(self._before)
        offset, bits = _WORDS[platform.machine()]
        self._inside.raw = self._before.raw
        word = ctypes.c_uint32.from_buffer(self._inside, offset)
        word.value |= bits
        self._library.fesetenv(self._inside)

    def end(self) -> None:
        """As before begin()."""
        if self._library is not None:
            self._library.fesetenv(self._before)


@contextmanager
def flushing() -> Iterator[None]:
    """Flush-to-zero within a block."""
    switch = Flushing()
    switch.begin()
    try:
        yield
    finally:
        switch.end()
