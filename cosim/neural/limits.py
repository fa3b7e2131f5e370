"""What the compiled backend cannot do: refused by name, with the reason. The documentation lists this table."""

from __future__ import annotations

import sys

from cosim.errors import UserError
from cosim.neural.toolchain import has_compiler

#: name -> reason
LIMITS = {
    "no compiler": "the network's own code is compiled on this machine, which needs a C++ compiler (g++ or clang++)",
    "not Linux": "how the library is built, loaded and stepped has been tried on Linux only",
    "too many synapses": "synapses between two models are numbered with 32 bits: 2 147 483 646 at most",
}
MOST_SYNAPSES = 2**31 - 2


def refusal(name: str, detail: str = "") -> UserError:
    """The error of one limit; `detail` says what was asked for."""
    return UserError(f"the compiled backend cannot do this ({name}{': ' if detail else ''}{detail}): {LIMITS[name]}")


def check_machine() -> None:
    """Raise UserError if compiled networks do not run here."""
    if not sys.platform.startswith("linux"):
        raise refusal("not Linux", sys.platform)
    if not has_compiler():
        raise refusal("no compiler")


def reason_against() -> str | None:
    """Why compiled networks do not run on this machine, or None if they do."""
    try:
        check_machine()
    except UserError as error:
        return error.problems[0].message
    return None
