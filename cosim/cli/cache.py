"""Look at the compiled networks on this machine, or remove them."""

from __future__ import annotations

import argparse
import time

from cosim.cli.output import add_json, print_json, table

HELP = "the compiled networks on this machine: list, clear"


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("what", choices=("list", "clear"), metavar="WHAT", help="list or clear")
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """List or clear the build cache."""
    from cosim.neural import cache

    if given.what == "clear":
        freed = cache.clear()
        if given.json:
            print_json({"folder": str(cache.folder()), "freed": freed})
        else:
            print(f"{freed / 1e6:.1f} MB freed in {cache.folder()}")
        return 0
    found = cache.entries()
    if given.json:
        print_json({"folder": str(cache.folder()), "entries": found})
        return 0
    print(cache.folder())
    rows = [
        (
            entry["key"][:12],
            time.strftime("%Y-%m-%d %H:%M", time.localtime(entry["built"])),
            f"{entry['bytes'] / 1e3:.0f} kB",
            ", ".join(entry["models"]) if entry["whole"] else "damaged: will be built again",
        )
        for entry in found
    ]
    if rows:
        print("\n".join(table(rows)))
    return 0
