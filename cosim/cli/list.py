"""List the experiments, sweeps, circuits, bodies and connectomes that can be named."""

from __future__ import annotations

import argparse

from cosim.cli.output import add_json, print_json, table
from cosim.zoo import KINDS, Entry, list_all
from cosim.zoo.data import absent_files

HELP = "what there is: experiments, sweeps, circuits, bodies, connectomes"

_PLURAL = {
    "experiment": "experiments",
    "sweep": "sweeps",
    "circuit": "circuits",
    "body": "bodies",
    "connectome": "connectomes",
    "kinematics": "kinematics",
}


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Print the zoo."""
    entries = list_all()
    if given.json:
        listing = {
            _PLURAL[kind]: [
                {"name": entry.name, "title": entry.title, "path": entry.path} | _data(entry)
                for entry in entries
                if entry.kind == kind
            ]
            for kind in KINDS
        }
        print_json(listing)
        return 0
    for kind in KINDS:
        rows = [(entry.name, entry.title + _absent(entry)) for entry in entries if entry.kind == kind]
        if rows:
            print("\n".join([_PLURAL[kind], *table(rows)]))
    return 0


def _data(entry: Entry) -> dict[str, list[str] | None]:
    """Of a connectome: the files that are not on this machine."""
    return {"absent": absent_files(entry.path)} if entry.kind == "connectome" else {}


def _absent(entry: Entry) -> str:
    return "; not on this machine: cosim fetch" if any(_data(entry).values()) else ""
