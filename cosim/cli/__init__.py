"""The command line: one module a verb. Imports stay light until a verb runs, so that ``--help`` is quick."""

from __future__ import annotations

from cosim.cli.main import main

__all__ = ["main"]
