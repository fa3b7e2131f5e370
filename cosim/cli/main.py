"""Parse the arguments, run the verb, and turn every error into a message and an exit code.

Exit codes: 0 done, 2 the user's input, 3 the simulation went wrong, 1 anything else.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Sequence

from cosim import __version__
from cosim.cli import bench, cache, check, report, run, schema, show
from cosim.cli import list as list_
from cosim.errors import CosimError

VERBS = {
    "list": list_,
    "show": show,
    "check": check,
    "run": run,
    "report": report,
    "bench": bench,
    "cache": cache,
    "schema": schema,
}


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="cosim", description="A spiking network (Brian2) and a body (PyBullet) in lockstep.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"cosim {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, module in VERBS.items():
        verb = verbs.add_parser(name, help=module.HELP, description=module.__doc__, allow_abbrev=False)
        module.arguments(verb)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a terminal that cannot show a µ is no reason to fail
            stream.reconfigure(errors="replace")
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    try:
        code: int = VERBS[arguments.verb].execute(arguments)
        sys.stdout.flush()
        return code
    except CosimError as error:
        _say(str(error))
        return error.exit_code
    except KeyboardInterrupt as stop:
        _say(str(stop) or "interrupted")
        return 1
    except BrokenPipeError:
        # the reader went away (cosim list | head): nobody to tell; keep the interpreter from trying again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("COSIM_DEBUG"):
            traceback.print_exc()
        else:
            text = " ".join(str(error).split()) or "no message"
            _say(f"cosim: {type(error).__name__}: {text} (this should not happen; COSIM_DEBUG=1 shows where it did)")
        return 1


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
