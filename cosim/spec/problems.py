"""pydantic's complaints as problems of a document: with line and column, in plain words, one per mistake."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from cosim.errors import Problem
from cosim.spec import typewalk
from cosim.spec.common import Located
from cosim.spec.units import suggest
from cosim.spec.yamlmarks import Node, Path_, dotted

Place = Callable[[Path_, str, bool], Problem]

_WRAPPED = re.compile(r"function-\w+\[\w+\(\), (.*)\]\Z")
_CLASS = re.compile(r"[A-Z]\w*\Z")


@dataclass(frozen=True)
class _Item:
    """One complaint, partly followed: `path` in the document so far, `rest` of pydantic's location."""

    path: Path_
    rest: tuple[str | int, ...]
    error: Any
    key: bool = False


def from_validation(
    error: ValidationError, model: type[BaseModel], root: Node, place: Place, extra_keys: Sequence[str] = ()
) -> list[Problem]:
    """Problems of a document tree.

    Parameters
    ----------
    place: makes a Problem of a path, a message and whether the key (and not the value) is meant.
    extra_keys: keys of the top level that the loader takes out before validation, for suggestions.
    """
    items = [_Item((), tuple(e["loc"]), e) for e in error.errors(include_url=False)]
    problems: list[Problem] = []
    seen: set[tuple[Path_, str]] = set()
    followed = _follow(items, root)
    misspelt = _misspelt(followed, model, extra_keys)
    for item in followed:
        if item.error["type"] == "missing" and item.path in misspelt:
            continue  # the unknown key beside it is what was meant: one mistake, one problem
        for where, message, key in _explain(item, model, root, extra_keys):
            if (where, message) not in seen:
                seen.add((where, message))
                problems.append(place(where, message, key))
    return problems


def _misspelt(items: list[_Item], model: type[BaseModel], extra_keys: Sequence[str]) -> set[Path_]:
    """Paths of the keys that unknown keys are taken for."""
    found: set[Path_] = set()
    for item in items:
        if item.error["type"] == "extra_forbidden":
            near = suggest(str(item.path[-1]), _known(item.path, model, extra_keys))
            if near:
                found.add((*item.path[:-1], near.split("'")[1]))
    return found


def _follow(items: list[_Item], root: Node) -> list[_Item]:
    """Map pydantic's locations to paths; where a union complains once per branch, keep the branch that was meant."""
    done: list[_Item] = []
    unions: dict[Path_, dict[str, list[_Item]]] = {}
    for item in items:
        path, rest, key = item.path, item.rest, item.key
        while rest:
            node = root.at(path)
            step = rest[0]
            if node is not None and node.child(step) is not None:
                path, rest = (*path, step), rest[1:]
            elif step == "[key]":
                rest, key = rest[1:], True
            elif len(rest) == 1 and item.error["type"] in ("missing", "extra_forbidden"):
                path, rest = (*path, step), ()
            elif isinstance(step, int):
                rest = rest[1:]  # a single value where a list may stand
            elif node is not None and not _is_tag(str(step)):
                rest = rest[1:]  # a key that a short form stands for
            else:
                unions.setdefault(path, {}).setdefault(str(step), []).append(_Item(path, rest[1:], item.error))
                break
        else:
            done.append(_Item(path, (), item.error, key))
    for path, branches in unions.items():
        node = root.at(path)
        assert node is not None  # paths are only extended along existing nodes
        tags = _meant(branches, node)
        if tags:
            done += _follow([item for tag in tags for item in branches[tag]], root)
        else:
            done.append(_Item(path, (), {"type": "cosim_union", "ctx": {"literals": _literals(branches)}, "msg": ""}))
    return done


def _bare(tag: str) -> str:
    while True:
        inner = _WRAPPED.match(tag)
        if inner is None:
            return tag
        tag = inner.group(1)


def _is_tag(step: str) -> bool:
    return bool(_CLASS.match(step)) or "[" in step or step in ("str", "int", "float", "bool", "any", "none")


def _meant(branches: dict[str, list[_Item]], node: Node) -> list[str]:
    def fits(tag: str) -> bool:
        bare = _bare(tag)
        mapping = bool(_CLASS.match(bare)) or bare.startswith("dict[")
        listing = bare.startswith(("list[", "tuple["))
        if node.is_mapping:
            return mapping
        if node.is_list:
            return listing
        return not mapping and not listing and not bare.startswith("literal[")

    fitting = [tag for tag in branches if fits(tag)]
    return sorted(fitting, key=lambda tag: len(branches[tag]))[:1]


def _literals(branches: dict[str, list[_Item]]) -> list[str]:
    found: list[str] = []
    for tag in branches:
        if _bare(tag).startswith("literal["):
            found += re.findall(r"'([^']*)'", tag)
    return found


def got(node: Node | None) -> str:
    """What a user wrote, in a few words."""
    if node is None or node.value is None:
        return "nothing"
    if node.is_mapping:
        return "a mapping"
    if node.is_list:
        return f"a list of {len(node.value)}"
    if isinstance(node.value, bool):
        return str(node.value).lower()
    text = str(node.value)
    return f"'{text if len(text) <= 60 else text[:57] + '...'}'"


def _explain(
    item: _Item, model: type[BaseModel], root: Node, extra_keys: Sequence[str]
) -> list[tuple[Path_, str, bool]]:
    path, error = item.path, item.error
    kind, context = error["type"], error.get("ctx") or {}
    cause = context.get("error")
    if isinstance(cause, Located):
        return [((*path, *inner), message, False) for inner, message in cause.problems]
    if kind in ("value_error", "assertion_error"):
        return [(path, str(cause) if cause is not None else error["msg"], item.key)]
    node = root.at(path)
    want = typewalk.expected(typewalk.at(model, path))
    if kind == "extra_forbidden":
        return [(path, _unknown(path, model, extra_keys), True)]
    if kind == "missing":
        if path and isinstance(path[-1], int):
            parent = root.at(path[:-1])
            length = typewalk.expected(typewalk.at(model, path[:-1]))
            return [(path[:-1], f"expected {length or 'a longer list'}, got {got(parent)}", False)]
        return [(path, f"the key '{path[-1]}' is missing" + (f", expected {want}" if want else ""), True)]
    if kind == "literal_error":
        raw = str(node.value) if node is not None and not node.is_mapping and not node.is_list else ""
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return [(path, f"expected {want or error['msg']}, got {got(node)}{suggest(raw, choices)}", False)]
    if kind == "cosim_union":
        raw = str(node.value) if node is not None and isinstance(node.value, str) else ""
        return [
            (
                path,
                f"expected {want or 'another kind of value'}, got {got(node)}{suggest(raw, context['literals'])}",
                False,
            )
        ]
    return [(path, _wrong(kind, context, want, node, error), False)]


def _wrong(kind: str, context: Any, want: str, node: Node | None, error: Any) -> str:
    bounds = {
        "greater_than": "greater than",
        "greater_than_equal": "at least",
        "less_than": "less than",
        "less_than_equal": "at most",
    }
    for name, words in bounds.items():
        if kind == name:
            limit = next(iter(context.values()))
            return f"expected a value {words} {limit}, got {got(node)}"
    if kind in ("too_long", "too_short"):
        return f"expected {want or 'another number of values'}, got {got(node)}"
    types = {
        "model": "a mapping", "dict": "a mapping", "mapping": "a mapping", "list": "a list", "tuple": "a list",
        "string": "a text", "bool": "true or false", "int": "a whole number", "float": "a number",
    }  # fmt: skip
    wanted = want or types.get(kind.split("_")[0], "")
    if not wanted:
        return str(error["msg"])
    hint = ""
    if node is None or node.value is None:
        hint = " (leave the key out, or give it a value)"
    elif kind.startswith("string") and isinstance(node.value, bool | int | float):
        hint = ", quote it to make it a text"
    return f"expected {wanted}, got {got(node)}{hint}"


def _known(path: Path_, model: type[BaseModel], extra_keys: Sequence[str]) -> list[str]:
    """The keys that may stand where `path` ends."""
    names = typewalk.names_at(model, path[:-1])
    return [*names, *extra_keys] if len(path) == 1 else names


def _unknown(path: Path_, model: type[BaseModel], extra_keys: Sequence[str]) -> str:
    names = _known(path, model, extra_keys)
    hint = suggest(str(path[-1]), names)
    if not hint and names:
        hint = ", expected " + (names[0] if len(names) == 1 else "one of " + ", ".join(names))
    return f"unknown key '{path[-1]}'{hint}"


def _as_written(path: Path_, root: Node) -> Path_:
    """A path without the indices of single values where a list may stand."""
    found: Path_ = ()
    for step in path:
        node = root.at(found)
        if not (isinstance(step, int) and node is not None and not node.is_list):
            found = (*found, step)
    return found


def placer(root: Node, prefix: str = "", own: frozenset[str] | None = None) -> Place:
    """A function that places problems of the document `root`.

    A value that comes from outside the document's own files (an override) is shown with `prefix` before its path.
    """

    def place(path: Path_, message: str, key: bool) -> Problem:
        path = _as_written(path, root)
        node, depth = root.nearest(path)
        text = dotted(path)
        if prefix and own is not None and node.file not in own:
            text = f"{prefix}.{text}"
        if depth < len(path):
            # a missing key is reported where its mapping begins
            return node.problem(text, message, key=bool(node.key_line))
        # a mapping or list that begins in the line after its key is known to the reader by its key
        below = (node.is_mapping or node.is_list) and node.key_line < node.line
        return node.problem(text, message, key=key or below)

    return place
