"""Measure how fast cosim is on this machine."""

from __future__ import annotations

import argparse
import sys

from cosim.cli.output import add_json, engines_quiet, print_json
from cosim.errors import UserError

HELP = "measure the speed on this machine"
_NAMES = "networks (1k, 10k, 100k, fly) or experiments; without any: 1k 10k 100k salamander_swim stretch_reflex"


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("what", choices=("lockstep",), metavar="lockstep", help="what a tick costs, and where")
    verb.add_argument("names", nargs="*", metavar="NAME", help=_NAMES)
    verb.add_argument("--repeats", type=int, metavar="N", help="rounds in which the sides take turns (5)")
    verb.add_argument("--quick", action="store_true", help="cosim's compiled backend alone, in two rounds")
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Run the measurement."""
    if given.repeats is not None and given.repeats < 1:
        raise UserError(f"--repeats: expected at least 1, got {given.repeats}")
    with engines_quiet():
        from cosim.bench import lockstep

        found = lockstep.run(
            given.names, given.repeats, quick=given.quick, say=lambda text: print(text, file=sys.stderr, flush=True)
        )
    if given.json:
        print_json(found)
    else:
        print(lockstep.table(found))
    return 0
