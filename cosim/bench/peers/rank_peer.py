"""cosim on one rank or several: `[mpirun -n R] python -m cosim.bench.peers.rank_peer FOLDER KIND ...`.

KIND is ``random N INDEGREE`` (the random network, its edges drawn by the ranks), ``cells N INDEGREE`` (the same cells
without edges), ``lone N INDEGREE RANKS RATE`` (see cosim.bench.lone) or ``experiment NAME`` (in closed loop, recorded
in FOLDER). Rank 0 answers as the other peers do; the others wait meanwhile, without using their cores. Alone, the
process runs the whole network without any exchange.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cosim.bench.memory import memory
from cosim.bench.running import Lone, Loop, Network, Running, block
from cosim.mpi.world import World, world

#: ticks before anything counts: all neurons start at random, the first ticks are not like the others
WARM_UP = 100
_NAP = 2e-3  # s between looks for a request
_PATIENCE = 3.0  # s after which a rank ends all that failed alone: what all refuse, rank 0 can say


def build(folder: Path, words: list[str], ranks: World | None) -> tuple[Running, dict[str, Any]]:
    """What is to be measured, warmed up, and facts about it: seconds of building (of the slowest rank), memory of every
    rank before and after, and of a shared network the exchange's epoch (steps) and the imbalance."""
    before = memory()
    begin = time.perf_counter()
    running: Running
    if words[0] == "experiment":
        running = Loop(words[1], folder)
    elif words[0] == "lone":
        running = Lone(int(words[1]), int(words[2]), int(words[3]), float(words[4]))
    else:
        running = Network(int(words[1]), int(words[2]), words[0] == "random", ranks)
    seconds = time.perf_counter() - begin
    after = memory()
    running.advance(WARM_UP, None)
    own = {"build": seconds, "bare": before["peak"], "peak": after["peak"], "resident": after["resident"]}
    every = [own] if ranks is None else ranks.comm.allgather(own)
    facts: dict[str, Any] = {name: [one[name] for one in every] for name in own}
    if running.shared is not None:
        facts |= {"epoch": running.shared.epoch, "imbalance": running.shared.partition.imbalance}
    return running, {**running.facts, **facts, "build": max(facts["build"]), "ranks": len(every)}


def requests(ranks: World | None) -> Iterator[dict[str, Any]]:
    """Requests from standard input, for all ranks, until it ends or one says so."""
    while True:
        line = sys.stdin.readline() if ranks is None or ranks.root else ""
        if ranks is not None:
            arrived = ranks.comm.Ibarrier()
            while not arrived.Test():
                time.sleep(_NAP)
            line = ranks.comm.bcast(line, root=0)
        request = json.loads(line or '{"do": "end"}')
        if request["do"] == "end":
            return
        yield request


def main() -> None:
    """Build, answer, end."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what is printed is no answer
    ranks = world()

    def answer(**content: Any) -> None:
        if ranks is None or ranks.root:
            print(json.dumps(content), file=answers, flush=True)

    try:
        running, facts = build(Path(sys.argv[1]), sys.argv[2:], ranks)
        answer(ready=True, **facts)
        for request in requests(ranks):
            answer(**block(running, request["ticks"], request["do"] == "parts", ranks))
        running.close()
    except Exception as error:
        answer(error=" ".join(f"{type(error).__name__}: {error}".split()))
        if ranks is not None:
            traceback.print_exc()
            if not ranks.root:
                time.sleep(_PATIENCE)
            ranks.comm.Abort(1)
        raise
    if ranks is not None:
        ranks.alarm.done()


if __name__ == "__main__":
    main()
