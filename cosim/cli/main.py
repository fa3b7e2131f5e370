"""Parse the arguments, run the verb, and turn every error into a message and an exit code.

Exit codes: 0 done, 2 the user's input, 3 the simulation went wrong, 1 anything else.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import traceback
from collections.abc import Sequence

from cosim import __version__
from cosim.cli import bench, body, cache, check, fetch, replay, report, run, schema, show, sweep
from cosim.cli import list as list_
from cosim.errors import CosimError
from cosim.mpi.world import rank_by_launcher, world

VERBS = {
    "list": list_,
    "show": show,
    "body": body,
    "check": check,
    "run": run,
    "sweep": sweep,
    "report": report,
    "replay": replay,
    "fetch": fetch,
    "bench": bench,
    "cache": cache,
    "schema": schema,
}
#: verbs that all ranks do together; others are rank 0's
TOGETHER = ("run", "sweep")


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
    first = rank_by_launcher() == 0
    try:
        # what is wrong with the command is told once
        with contextlib.redirect_stderr(sys.stderr if first else io.StringIO()):
            arguments = parser().parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    if not first and arguments.verb not in TOGETHER:
        return 0
    try:
        code: int = VERBS[arguments.verb].execute(arguments)
        sys.stdout.flush()
        return code
    except CosimError as error:
        return _end(str(error), error.exit_code)
    except KeyboardInterrupt as stop:
        return _end(str(stop) or "interrupted", 1)
    except BrokenPipeError:
        # the reader went away (cosim list | head): nobody to tell; keep the interpreter from trying again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("COSIM_DEBUG"):
            traceback.print_exc()
        text = " ".join(str(error).split()) or "no message"
        return _end(
            f"cosim: {type(error).__name__}: {text} (this should not happen; COSIM_DEBUG=1 shows where it did)", 1
        )


def _end(text: str, code: int) -> int:
    """Say what went wrong; where this process is one of several ranks, end all of them."""
    try:
        shared = world()
    except CosimError:
        shared = None
    if shared is not None:
        from cosim.mpi.ending import end

        end(shared, text, code)
    if rank_by_launcher() == 0:
        _say(text)
    return code


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
