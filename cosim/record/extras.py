"""Packages that only some uses need."""

from __future__ import annotations

import importlib
from typing import Any

from cosim.errors import UserError


def need(module: str, extra: str) -> Any:
    """Import ``module``; UserError that names the extra which brings it where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise UserError(
            f"{package} is not installed; it comes with the extra: pip install 'cosim-neuro[{extra}]'"
        ) from None
