"""State update and threshold of a group as one loop, so that neurons come from memory once a step.

The parts of both are those that Brian2 wrote (`templates/common_group.cpp` hands them out); `templates/fused.cpp` is
what is around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from brian2 import NeuronGroup

_TEXT = Path(__file__).parent / "templates" / "fused.cpp"
#: templates whose code does to a neuron what it does, whatever the code of other groups has done before
_OF_NEURONS = ("stateupdate", "threshold")
_WRITTEN = re.compile(r"^\s*(_ptr\w+)\[_idx\] = \w+;", re.MULTILINE)
_HOISTED = re.compile(r"\b_lio_(\d+)\b")


def is_of_neurons(code: Any) -> bool:
    """Whether a code object is the state update or threshold of a group of neurons."""
    return isinstance(code.owner, NeuronGroup) and code.template_name in _OF_NEURONS


def pairs(codes: Sequence[Any]) -> dict[str, Any]:
    """By name of a state update: the threshold that it can be fused with.

    That is the one of its group, if between the two there is nothing but updates and thresholds of groups: nothing that
    a step does looks at neurons that are updated and may have spiked, or not.
    """
    found = {}
    for number, code in enumerate(codes):
        if is_of_neurons(code) and code.template_name == "stateupdate":
            following = takewhile(is_of_neurons, codes[number + 1 :])
            after = next((c for c in following if c.owner.name == code.owner.name), None)
            if after is not None and after.template_name == "threshold":
                found[code.name] = after
    return found


def source(update: Any, find: Any, constants: Iterable[str]) -> str:
    """A function `with_threshold` with the fused loop of two code objects, in the namespace of the first."""
    flags = update.variables.get("not_refractory")
    pointer = update.generator_class.get_array_name(flags) if flags is not None else ""
    kept = _WRITTEN.findall(update.code.statements)
    parts = {
        "UPDATE_NAME": update.name,
        "FIND_NAME": find.name,
        "CONSTANTS": "\n".join(constants),
        "POINTERS": "\n".join(dict.fromkeys(_lines(update.code.pointers) + _lines(find.code.pointers))),
        "UPDATE_SCALARS": update.code.scalars,
        "FIND_SCALARS": _own(find.code.scalars),
        "HINDERED": f"cosim::unset({pointer}, _begin, _end, _hindered)" if pointer else "0",
        "KEPT": "\n".join(f"std::decay_t<decltype(*{name})> _kept{name}[cosim::some];" for name in kept),
        "UPDATE": update.code.statements,
        "KEEP": "\n".join(f"_kept{name}[_k] = {name}[_idx];" for name in kept),
        "PUT_BACK": "\n".join(f"{name}[_idx] = _kept{name}[_k];" for name in kept),
        "FIND": _own(find.code.statements),
    }
    return re.sub(r"%([A-Z_]+)%", lambda match: parts[match[1]], _TEXT.read_text(encoding="utf-8"))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _own(text: str) -> str:
    """What Brian2 has moved out of the threshold's loop, under names that the update's loop does not use."""
    return _HOISTED.sub(r"_lio_find_\1", text)
