"""The peer of `cosim bench fly` is optional: what is missing is said in one line."""

from __future__ import annotations

import sys

import pytest

from cosim.bench import replay


@pytest.mark.parametrize(
    ("python", "message"),
    [
        (None, "not measured: set COSIM_FLYGYM to a Python"),
        ("/nowhere/python", "not measured: /nowhere/python cannot be started (No such file or directory)"),
        (sys.executable, "No module named 'flygym'"),
    ],
)
def test_without_flygym_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, python: str | None, message: str) -> None:
    if python is None:
        monkeypatch.delenv(replay.VARIABLE, raising=False)
    else:
        monkeypatch.setenv(replay.VARIABLE, python)
    peer, reason = replay._peer()
    assert peer is None
    assert message in reason
    assert "\n" not in reason


def test_the_page_with_and_without_flygym() -> None:
    found = {"experiment": "walk", "step": 1e-4, "tick": 1e-3, "rounds": 2, "cosim": [2.0, 3.0], "skipped": "not here"}
    assert "flygym: not here" in replay.page({**found, "flygym": None})
    both = replay.page({**found, "flygym": [2.5, 2.0], "ratio": 1.0, "ratio_median": 1.15})
    assert "cosim / flygym: 1.00 (fastest), 1.15 (median of the rounds)" in both
