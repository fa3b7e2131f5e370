"""The process of a peer: one JSON request a line on standard input, one JSON answer a line on standard output."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cosim.bench.memory import memory

Action = Callable[[int], int]  # ticks -> spikes


def serve(
    open_peer: Callable[[Path], Mapping[str, Action]], facts: Callable[[], Mapping[str, Any]] = dict
) -> None:  # fmt: skip
    """Open the peer with the folder of the network (first argument); answer until standard input ends or one says so.

    An action integrates that many ticks and returns the number of spikes; the answer holds what it took in seconds,
    or what the action itself says it took (`Timed`). The first answer holds seconds of building, memory (bytes) and
    what `facts` finds.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the simulator prints is no answer

    def answer(**content: Any) -> None:
        print(json.dumps(content), file=answers, flush=True)

    try:
        begin = time.perf_counter()
        actions = open_peer(Path(sys.argv[1]))
        answer(ready=True, build=time.perf_counter() - begin, **memory(), **facts())
        for line in sys.stdin:
            request = json.loads(line)
            if request["do"] == "end":
                break
            begin = time.perf_counter()
            spikes = actions[request["do"]](request["ticks"])
            seconds = time.perf_counter() - begin
            found = memory()
            if isinstance(spikes, Timed):
                seconds, found["peak"] = spikes.seconds, spikes.peak
            answer(seconds=seconds, ticks=request["ticks"], spikes=int(spikes), **found)
    except Exception as error:
        answer(error=" ".join(f"{type(error).__name__}: {error}".split()))
        raise


def threads() -> int:
    """How many threads the peer is to use."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))


class Timed(int):
    """A number of spikes, with the seconds that the simulation alone took, and its peak memory (bytes)."""

    seconds: float
    peak: float

    def __new__(cls, spikes: int, seconds: float, peak: float) -> Timed:
        made = super().__new__(cls, spikes)
        made.seconds, made.peak = seconds, peak
        return made
