"""Measure how fast cosim is on this machine."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from cosim.cli.output import add_json, engines_quiet, print_json
from cosim.errors import UserError

HELP = "measure the speed on this machine"
_WHAT = (
    "lockstep: what a tick costs, and where; shards: what ranks that share a network gain, and what it costs them; "
    "sweep: what many runs cost, beside the way in which lesion studies are published; fly: what a replay of a fly's "
    "steps costs, beside flygym where the variable COSIM_FLYGYM names a Python that has it"
)
_NAMES = (
    "lockstep: networks (1k, 10k, 100k, fly) or experiments; without any: 1k 10k 100k salamander_swim stretch_reflex. "
    "shards: scaling, lone (one rank of many by itself, and a model of the cost), fly; without any: all. "
    "sweep: published, efficiency; without any: both"
)


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("what", choices=("lockstep", "shards", "sweep", "fly"), metavar="WHAT", help=_WHAT)
    verb.add_argument("names", nargs="*", metavar="NAME", help=_NAMES)
    verb.add_argument("--repeats", type=int, metavar="N", help="rounds in which the sides take turns (5; sweep: 3)")
    verb.add_argument("--ranks", metavar="N,N", help="shards: numbers of ranks (1,2,4, as far as there are cores)")
    verb.add_argument("--quick", action="store_true", help="cosim's compiled backend alone, in two rounds")
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Run the measurement."""
    if given.repeats is not None and given.repeats < 1:
        raise UserError(f"--repeats: expected at least 1, got {given.repeats}")
    say = partial(print, file=sys.stderr, flush=True)
    ranks = _ranks(given)
    with engines_quiet():
        if given.what == "shards":
            from cosim.bench import shards
            from cosim.bench.shards_page import page

            found = shards.run(given.names, ranks, given.repeats, quick=given.quick, say=say)
        elif given.what == "sweep":
            from cosim.bench import sweep
            from cosim.bench.sweep_page import page

            if given.quick:
                raise UserError("--quick: 'sweep' has no quick measurement")
            found = sweep.run(given.names, given.repeats, say=say)
        elif given.what == "fly":
            from cosim.bench import replay
            from cosim.bench.replay import page

            if given.quick or given.names:
                raise UserError("'fly' has no names and no quick measurement")
            found = replay.run(given.repeats, say=say)
        else:
            from cosim.bench import lockstep
            from cosim.bench.page import page

            found = lockstep.run(given.names, given.repeats, quick=given.quick, say=say)
    if given.json:
        print_json(found)
    else:
        print(page(found))
    return 0


def _ranks(given: argparse.Namespace) -> list[int]:
    if given.ranks is None:
        return []
    if given.what != "shards":
        raise UserError(f"--ranks: '{given.what}' has none")
    numbers = given.ranks.split(",")
    if not all(one.isdigit() and int(one) > 0 for one in numbers):
        raise UserError(f"--ranks: expected numbers such as 1,2, got '{given.ranks}'")
    return [int(one) for one in numbers]
