"""How a body that one of several ranks owns reaches the others."""

from __future__ import annotations

from typing import Protocol


class BodyLink(Protocol):
    """Every rank has the body's arrays; `owner` is the rank that steps it."""

    owner: bool

    def spread(self) -> None:
        """Make the readings equal on all ranks, which call this together, once a tick."""
