"""How much memory a process has, and has had at most."""

from __future__ import annotations

from pathlib import Path

_KEYS = {"VmHWM": "peak", "VmRSS": "resident"}


def memory() -> dict[str, float]:
    """`peak` and `resident` memory of this process, bytes.

    Not by getrusage, whose peak begins with that of the process that started this one.
    """
    found = {}
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name in _KEYS:
            found[_KEYS[name]] = float(value.split()[0]) * 1024.0
    return found
