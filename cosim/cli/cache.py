"""Look at the compiled networks and the read equations on this machine, or remove them."""

from __future__ import annotations

import argparse
import time

from cosim.cli.output import add_json, print_json, table

HELP = "the compiled networks and read equations on this machine: list, clear"


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("what", choices=("list", "clear"), metavar="WHAT", help="list or clear")
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """List or clear the build cache."""
    from cosim.neural import answers, cache

    if given.what == "clear":
        freed = cache.clear() + answers.clear()
        if given.json:
            print_json({"folder": str(cache.folder()), "freed": freed})
        else:
            print(f"{freed / 1e6:.1f} MB freed in {cache.folder()} and {answers.folder()}")
        return 0
    found = cache.entries()
    sizes = answers.sizes()
    if given.json:
        read = {"folder": str(answers.folder()), "answers": len(sizes), "bytes": sum(sizes)}
        print_json({"folder": str(cache.folder()), "entries": found, "equations": read})
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
    print(f"{answers.folder()}: {len(sizes)} answers of Brian2 about equations, {sum(sizes) / 1e3:.0f} kB")
    return 0
