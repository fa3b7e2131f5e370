"""The one exception tree of cosim; the exit code of the command line is a property of the class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class CosimError(Exception):
    """Anything cosim raises on purpose. Exit code 1."""

    exit_code = 1


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a user's document or command, printed as ``file:line:col: path: message``."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = self.file
        if self.line > 0:
            where = f"{where}:{self.line}:{self.column}"
        parts = [part for part in (where, self.path, self.message) if part]
        return ": ".join(parts)


class UserError(CosimError):
    """The user's input is wrong; carries every problem found. Exit code 2."""

    exit_code = 2

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem("", 0, 0, "", problems)
        if isinstance(problems, Problem):
            problems = [problems]
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class SimulationError(CosimError):
    """The simulation went wrong (blow-up, NaN) at a tick. Exit code 3."""

    exit_code = 3
