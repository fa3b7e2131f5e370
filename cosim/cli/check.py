"""Check documents without running them: every problem, with file, line and column.

An experiment is checked with its circuit and its body. Equations are parsed, their units checked and their code
generated; bodies are built; the tables of a connectome are read where they are on this machine.
"""

from __future__ import annotations

import argparse
import sys

from cosim.cli.output import add_json, add_set, engines_quiet, print_json
from cosim.errors import Problem, UserError

HELP = "find every mistake in a document, without running it"


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument(
        "documents", nargs="+", metavar="FILE", help="a file, or the name of an experiment, circuit, body or connectome"
    )
    add_set(verb)
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Check every document; 2 if one has a problem."""
    from cosim.spec import overrides

    changes = overrides.from_arguments(given.set)
    found: list[Problem] = []
    notes: list[str] = []
    with engines_quiet():
        from cosim.spec.inspect import inspect

        for name in given.documents:
            try:
                notes += inspect(name, changes)
            except UserError as error:
                found += [problem for problem in error.problems if problem not in found]
    if given.json:
        problems = [
            {"file": p.file, "line": p.line, "column": p.column, "path": p.path, "message": p.message} for p in found
        ]
        print_json({"ok": not found, "problems": problems, "notes": notes})
    for problem in found:
        print(problem, file=sys.stderr)
    if not found and not given.json:
        print("\n".join(["ok", *notes]))
    return UserError.exit_code if found else 0
