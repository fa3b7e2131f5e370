"""Values set by path: the ``set:`` block of a document, ``--set PATH=VALUE``, ``.set({...})`` in Python."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from cosim.errors import Problem, UserError
from cosim.spec import typewalk
from cosim.spec.units import suggest
from cosim.spec.yamlmarks import Node, Path_, dotted, from_python, parse

COMMAND_LINE = "--set"


@dataclass(frozen=True)
class Override:
    """A value for a path of one document; `written` is the path as the user wrote it."""

    path: Path_
    value: Node
    written: str = ""

    @property
    def text(self) -> str:
        return self.written or dotted(self.path)

    def problem(self, message: str) -> Problem:
        """A problem with the path itself."""
        return self.value.problem(self.text, message, key=True)

    def moved(self, *path: str | int) -> Override:
        """The same value for another path."""
        return Override(path, self.value, self.text)


def split(path: str) -> Path_:
    """``drives.tonic.0`` as a tuple; whole numbers are indices. Raises ValueError for an empty part."""
    parts = path.strip().split(".")
    if not all(parts):
        raise ValueError(f"'{path}' is not a path such as wires.stretch.delay")
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def from_mapping(given: Mapping[str, Any], origin: str = COMMAND_LINE) -> list[Override]:
    """Overrides of the command line or of Python; text is read as YAML. Raises UserError with every problem."""
    found: list[Override] = []
    problems: list[Problem] = []
    for path, value in given.items():
        try:
            node = parse(value, origin) if isinstance(value, str) else from_python(value, origin)
            found.append(Override(split(path), _unplaced(node, origin)))
        except ValueError as error:
            problems.append(Problem(origin, 0, 0, "", str(error)))
        except UserError as error:
            problems += [Problem(origin, 0, 0, path, p.message) for p in error.problems]
    if problems:
        raise UserError(problems)
    return found


def _unplaced(node: Node, origin: str) -> Node:
    return from_python(node.plain(), origin)


def from_arguments(arguments: Iterable[str]) -> dict[str, str]:
    """``PATH=VALUE`` texts as a mapping; the last one counts. Raises UserError."""
    given: dict[str, str] = {}
    for argument in arguments:
        path, equals, value = argument.partition("=")
        if not equals or not path.strip():
            raise UserError(Problem(COMMAND_LINE, 0, 0, "", f"expected PATH=VALUE, got '{argument}'"))
        given[path.strip()] = value.strip()
    return given


def from_block(root: Node) -> tuple[list[Override], list[Problem]]:
    """The overrides of a ``set:`` block."""
    block = root.child("set")
    if block is None:
        return [], []
    if not block.is_mapping:
        return [], [block.problem("set", "expected a mapping of paths to values, e.g. {wires.stretch.delay: 20 ms}")]
    found: list[Override] = []
    problems: list[Problem] = []
    for path, value in block.value.items():
        try:
            found.append(Override(split(path), value))
        except ValueError as error:
            problems.append(value.problem("set", str(error), key=True))
    return found, problems


def apply(root: Node, model: type[BaseModel], override: Override, prefix: str = "") -> Problem | None:
    """Put the value at its path in the tree of a document of class `model`; the problem if there is no such path.

    A path leads along what the document says, and from there on along what it leaves to its default. `null` takes a key
    out, so that the default holds.
    """
    path = override.path
    node = root
    for depth, key in enumerate(path):
        last = depth == len(path) - 1
        if node.is_mapping:
            key = str(key)
            child = node.child(key)
            if child is None:
                if not _may_add(model, path[:depth], key, override.value if last else None):
                    return _no_path(root, model, override, depth, prefix)
                child = Node({}, override.value.file, override.value.line, override.value.column)
                child.key_line, child.key_column = override.value.key_line, override.value.key_column
                node.value[key] = child
            if last and override.value.value is None:
                del node.value[key]
            elif last:
                node.value[key] = override.value
            node = child
        elif node.is_list:
            if not isinstance(key, int) or node.child(key) is None:
                n = len(node.value)
                here = ".".join(filter(None, (prefix, dotted(path[:depth]))))
                expected = f"an index from 0 to {n - 1}" if n else "nothing: the list is empty"
                return override.problem(f"{here} is a list, expected {expected}, got '{key}'")
            if last:
                node.value[key] = override.value
            else:
                node = node.value[key]
        else:
            here = ".".join(filter(None, (prefix, dotted(path[:depth]))))
            return override.problem(f"{here} is a single value and has no '{key}' in it")
    return None


def _may_add(model: type[BaseModel], path: Path_, key: str, value: Node | None) -> bool:
    """Whether a key that the document does not have may be set: a known key of a class, or a new entry where
    entries are plain values (a parameter of one population) or the value is a whole new entry."""
    for kind in typewalk.at(model, path):
        if kind.model is not None and key in typewalk.field_names(kind.model):
            return True
        if kind.entry is not None and value is not None and path != ("parameters",):
            entries = typewalk.kinds(kind.entry)
            if value.is_mapping or not all(entry.model for entry in entries):
                return True
    return False


def _no_path(root: Node, model: type[BaseModel], override: Override, depth: int, prefix: str) -> Problem:
    parent, missing = override.path[:depth], str(override.path[depth])
    here = root.at(parent)
    siblings = list(here.value) if here is not None and here.is_mapping else []
    siblings += [name for name in typewalk.names_at(model, parent) if name not in siblings]
    rest = override.path[depth + 1 :]
    start = (prefix,) if prefix else ()
    whole = dotted((*start, *override.path))
    if not parent and root.at(("parameters", missing)) is not None:
        return override.problem(f"no such path, did you mean '{dotted((*start, 'parameters', missing))}'?")
    near = suggest(missing, siblings)
    if near:
        name = near.split("'")[1]
        fixed = (*parent, name, *rest)
        # the rest of the path is only suggested where it leads somewhere too
        candidate = fixed if root.at(fixed) is not None or typewalk.at(model, fixed) else (*parent, name)
        return override.problem(f"no such path, did you mean '{dotted((*start, *candidate))}'?")
    paths = [dotted((*start, *path)) for path, _ in root.walk() if path]
    close = difflib.get_close_matches(whole, paths, n=1, cutoff=0.7)
    if close:
        return override.problem(f"no such path, did you mean '{close[0]}'?")
    inside = f" in {dotted((*start, *parent))}" if parent or prefix else ""
    return override.problem(f"no such path; there is{inside}: {', '.join(siblings) or 'nothing'}")
