"""The operations of a tape as a library of their own."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from cosim.exact.cplusplus import source as exact_source
from cosim.neural.toolchain import find_compiler
from cosim.tape.native import source


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.PyDLL:
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("no C++ compiler")
    folder: Path = tmp_path_factory.mktemp("tape")
    (folder / "tape.cpp").write_text(exact_source() + source(), encoding="utf-8")
    compiler.compile(folder / "tape.cpp", folder / "tape.so", compiler.flags(compiler.version))
    return ctypes.PyDLL(str(folder / "tape.so"))
