"""Brian2's answers about equations, kept on disk: a process that asks nothing new does not import it.

Importing it takes more than a second, which is most of the start of a run whose network is compiled already.

    <cache>/equations/<hash of question, Brian2's version, the code that asks>.json   -> question, answer, their sum

An answer is used only if question and sum agree. Errors are not kept: what Brian2 refuses it is asked again. Where
nothing can be written, it is asked each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cosim.errors import CosimError
from cosim.neural import disk


def ask(question: str, *details: str | tuple[str, ...]) -> Any:
    """The answer of that function of cosim.neural.brian_answers. Raises what Brian2 raises."""
    asked = [question, *(list(d) if isinstance(d, tuple) else d for d in details)]
    text = json.dumps(asked)
    name = hashlib.sha256((text + _asker()).encode()).hexdigest()[:32]
    answer = _kept(name, text)
    if answer is None:
        from cosim.neural import brian_answers

        answer = getattr(brian_answers, question)(*asked[1:])
        with contextlib.suppress(OSError, CosimError):
            folder().mkdir(parents=True, exist_ok=True)
            content = {"asked": asked, "answer": answer, "sum": _sum(text, answer)}
            disk.write(folder() / f"{name}.json", json.dumps(content))
    return answer


def folder() -> Path:
    """The directory of all answers."""
    return disk.base() / "equations"


def sizes() -> list[int]:
    """Bytes of every answer that is kept."""
    found = []
    for file in folder().glob("*.json"):
        with contextlib.suppress(OSError):  # another process has removed it
            found.append(file.stat().st_size)
    return found


def clear() -> int:
    """Remove all answers; returns the bytes that they took."""
    total = sum(sizes())
    shutil.rmtree(folder(), ignore_errors=True)
    return total


def _kept(name: str, asked: str) -> Any:
    try:
        found = json.loads((folder() / f"{name}.json").read_text(encoding="utf-8"))
        answer = found["answer"]
        return answer if json.dumps(found["asked"]) == asked and found["sum"] == _sum(asked, answer) else None
    except (OSError, CosimError, ValueError, KeyError, TypeError):
        return None


def _sum(asked: str, answer: Any) -> str:
    return hashlib.sha256((asked + json.dumps(answer)).encode()).hexdigest()


@lru_cache(maxsize=1)
def _asker() -> str:
    """What the answers depend on beside the question: versions (read without importing anything) and our own code."""
    code = Path(__file__).with_name("brian_answers.py").read_text(encoding="utf-8")
    return f"\n{version('brian2')}\n{version('sympy')}\n{code}"
