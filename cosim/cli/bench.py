"""Measure how fast cosim is on this machine."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from cosim.cli.output import add_json, engines_quiet, print_json, table

HELP = "measure the speed on this machine"

# what can be measured -> its module
_WHAT = {"lockstep": "cosim.bench.lockstep"}


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("what", choices=tuple(_WHAT), metavar="WHAT", help=", ".join(_WHAT))
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Run the measurement."""
    with engines_quiet():
        found: dict[str, Any] = import_module(_WHAT[given.what]).measure()
    if given.json:
        print_json(found)
    else:
        rows = [(key, f"{value:.3g}" if isinstance(value, float) else str(value)) for key, value in found.items()]
        print("\n".join(table(rows, indent="")))
    return 0
