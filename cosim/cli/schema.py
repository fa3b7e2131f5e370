"""Print the JSON Schema of documents, for editors that check and complete while you write."""

from __future__ import annotations

import argparse

from cosim.cli.output import print_json

HELP = "JSON Schema of the documents"


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    # the kinds are not read from cosim.spec.kinds: that brings pydantic, and --help must be quick
    verb.add_argument(
        "kind",
        nargs="?",
        choices=("circuit", "body", "experiment", "connectome", "sweep"),
        metavar="KIND",
        help="circuit, body, experiment, connectome or sweep",
    )


def execute(given: argparse.Namespace) -> int:
    """Print the schema of a kind, or one schema for all kinds."""
    from cosim.spec.schema import schema, schema_of_all

    print_json(schema(given.kind) if given.kind else schema_of_all())
    return 0
