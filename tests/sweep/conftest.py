"""Tests of sweeps run in a directory of their own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; only the zoo that is shipped."""
    monkeypatch.delenv("COSIM_ZOO", raising=False)
    monkeypatch.delenv("COSIM_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path
