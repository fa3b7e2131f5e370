"""A run that is killed at any moment can be read up to its last flush."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.record import Result

_CHILD = """
import itertools, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import Writer
writer = Writer()
recorder = writer.open(Path(sys.argv[1]), flush_every=5)
for k in itertools.count():
    writer.tick(recorder, k)
    if k == 5:
        print("flushed", flush=True)
"""


@pytest.mark.parametrize("seconds", [0.05, 0.11, 0.23, 0.31, 0.47])
def test_after_sigkill_all_arrays_end_together(tmp_path: Path, writer: Any, seconds: float) -> None:
    # flushes follow each other without a pause (5 ticks of some microseconds), so nearly every kill falls into one
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path / "r"), str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == "flushed\n"
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    result = Result(tmp_path / "r")
    assert (result.status, result.complete) == ("running", False)
    n = result.end_tick
    assert n > 0
    assert n % 5 == 0
    for one in writer.layout.series:
        trace = result.trace(one.name)
        ticks = np.arange(0, n, one.every)
        np.testing.assert_array_equal(trace.time, (ticks + one.first) * 1e-3)
        np.testing.assert_array_equal(trace.values, [writer.row(one.name, one.shape, k) for k in ticks])
    times, ids = result.spikes()
    expected = [(10 * k, i + k % 7) for k in range(n) for i in range(k % 4)]
    np.testing.assert_array_equal(times, np.array([step for step, _ in expected]) * 1e-4)
    np.testing.assert_array_equal(ids, [i for _, i in expected])
