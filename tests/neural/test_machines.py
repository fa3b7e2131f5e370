"""The same bits on a processor that has neither AVX2 nor FMA: glibc and numpy are told so in a process of its own."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from cosim.neural.toolchain import has_compiler

ROOT = Path(__file__).parents[2]
WITHOUT = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX",
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3",
}


def hashes(cache: Path, *options: str, **more: str) -> dict[str, str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache), **more}
    command = [sys.executable, "-m", "tests.neural.machine", *options]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc" or platform.machine() != "x86_64", reason="not glibc on x86-64")
def test_every_function_has_the_same_bits_without_avx2_and_fma(tmp_path: Path) -> None:
    # fails if `_KNOWN` in cosim/neural/languages.py is empty: exp and the others are then those of glibc and numpy
    usual = hashes(tmp_path, "compiled", "runtime")
    without = hashes(tmp_path, "--plain", "compiled", "runtime", "numpy", **WITHOUT)
    assert usual["runtime"] == usual["compiled"]
    assert {without[backend] for backend in ("compiled", "runtime", "numpy")} == {usual["compiled"]}
    flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    if " fma " in flags and " avx2 " in flags:
        assert without["exp"] != usual["exp"]  # or the other processor was not there
