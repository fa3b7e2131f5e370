"""The process of a peer: one JSON request a line on standard input, one JSON answer a line on standard output."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Action = Callable[[int], int]  # ticks -> spikes


def serve(open_peer: Callable[[Path], Mapping[str, Action]]) -> None:
    """Open the peer with the folder of the network (first argument) and answer until standard input ends.

    An action integrates that many ticks and returns the number of spikes; the answer holds what it took in seconds,
    or what the action itself says it took (`Timed`).
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the simulator prints is no answer

    def answer(**content: Any) -> None:
        print(json.dumps(content), file=answers, flush=True)

    try:
        actions = open_peer(Path(sys.argv[1]))
        answer(ready=True)
        for line in sys.stdin:
            request = json.loads(line)
            begin = time.perf_counter()
            spikes = actions[request["do"]](request["ticks"])
            seconds = time.perf_counter() - begin
            if isinstance(spikes, Timed):
                seconds = spikes.seconds
            answer(seconds=seconds, ticks=request["ticks"], spikes=int(spikes))
    except Exception as error:
        answer(error=" ".join(f"{type(error).__name__}: {error}".split()))
        raise


class Timed(int):
    """A number of spikes, with the seconds that the simulation alone took."""

    seconds: float

    def __new__(cls, spikes: int, seconds: float) -> Timed:
        made = super().__new__(cls, spikes)
        made.seconds = seconds
        return made
