"""Write the report of one result, or the comparison of several: pictures and one self-contained HTML page."""

from __future__ import annotations

import argparse
from pathlib import Path

from cosim.cli.output import add_json, print_json, shown

HELP = "pictures and a page for one result, or several compared"


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("results", nargs="+", metavar="DIR", type=Path, help="a result directory")
    verb.add_argument("--out", type=Path, metavar="DIR", help="folder for the report (default: the result's own)")
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Write the report."""
    from cosim.analyse.report import report

    page = report(given.results, given.out)
    if given.json:
        print_json({"report": page})
    else:
        print(shown(page))
    return 0
