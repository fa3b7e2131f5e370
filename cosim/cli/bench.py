"""Measure how fast cosim is on this machine."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Any

from cosim.cli.output import add_json, engines_quiet, print_json, table
from cosim.errors import UserError

HELP = "measure the speed on this machine"

# what can be measured -> its module
_WHAT = {"lockstep": "cosim.bench.lockstep", "networks": "cosim.bench.networks"}


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("what", choices=tuple(_WHAT), metavar="WHAT", help=", ".join(_WHAT))
    verb.add_argument("only", nargs="*", metavar="NETWORK", help="of networks, only these: 1k, 10k, 100k, fly")
    verb.add_argument("--repeats", type=int, metavar="N", help="rounds in which the sides of networks take turns (5)")
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Run the measurement."""
    if given.what == "networks":
        return _networks(given)
    if given.only or given.repeats is not None:
        raise UserError(f"'cosim bench {given.what}' has no networks to choose and no number of rounds")
    with engines_quiet():
        found: dict[str, Any] = import_module(_WHAT[given.what]).measure()
    if given.json:
        print_json(found)
    else:
        rows = [(key, f"{value:.3g}" if isinstance(value, float) else str(value)) for key, value in found.items()]
        print("\n".join(table(rows, indent="")))
    return 0


def _networks(given: argparse.Namespace) -> int:
    if given.repeats is not None and given.repeats < 1:
        raise UserError(f"--repeats: expected at least 1, got {given.repeats}")
    with engines_quiet():
        from cosim.bench import networks

        repeats = networks.REPEATS if given.repeats is None else given.repeats
        found = networks.run(given.only, repeats, lambda text: print(text, file=sys.stderr, flush=True))
    if given.json:
        print_json(found)
    else:
        print(networks.table(found))
    return 0
