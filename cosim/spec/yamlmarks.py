"""YAML read as version 1.2 means it, with the place of every key and value.

Only ``true`` and ``false`` are booleans (``no``, ``on``, ``yes`` stay text), ``1e-3`` is a number, ``12:30`` is text,
and keys are always text. A key given twice is an error. ``&anchor``, ``*alias`` and ``<<`` merge keys work; an aliased
value keeps the place where it is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cosim.errors import Problem, UserError

Scalar = str | int | float | bool | None
Path_ = tuple[str | int, ...]

MAX_BYTES = 4_000_000
MAX_DEPTH = 60
MAX_NODES = 300_000

_NULL = re.compile(r"(?:|~|null|Null|NULL)\Z")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INF = re.compile(r"([-+]?)\.(?:inf|Inf|INF)\Z")
_NAN = re.compile(r"\.(?:nan|NaN|NAN)\Z")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# what the parser says -> what it means to somebody who writes a document
_MEANING = (
    ("mapping values are not allowed", "a ':' where none can stand (wrong indentation, or a text that needs quotes)"),
    ("could not find expected ':'", "a line without ':' (wrong indentation, or a text that needs quotes)"),
    ("did not find expected key", "wrong indentation, or a bracket or quote that is not closed"),
    ("did not find expected '-' indicator", "wrong indentation in a list"),
    ("did not find expected ',' or '}'", "a mapping in braces is not closed, or a ',' is missing"),
    ("did not find expected ',' or ']'", "a list in brackets is not closed, or a ',' is missing"),
    ("found unexpected end of stream", "a quote that is not closed"),
    ("found undefined alias", "an alias (*) for which there is no anchor (&) above"),
    ("found character that cannot start any token", "a character that must be quoted"),
    ("found unknown escape character", "an unknown escape in double quotes (use single quotes for a plain \\)"),
    ("did not find expected node content", "a value is missing"),
    ("did not find expected <document start>", "text after the end of the document"),
    ("block sequence entries are not allowed", "a list item where none can stand"),
    # newer versions of libyaml have a limit of their own
    ("exceeded maximum nesting depth", f"nested more than {MAX_DEPTH} levels deep"),
)


@dataclass
class Node:
    """A value of a document with the file, line and column (from 1) of the value and of the key before it.

    ``value`` is a scalar, a dict of nodes or a list of nodes. ``line`` 0: it does not come from a file (``--set``).
    """

    value: Any
    file: str
    line: int
    column: int
    key_line: int = 0
    key_column: int = 0

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, list)

    def plain(self) -> Any:
        """The tree of dict, list and scalars without marks."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def copy(self) -> Node:
        """The same tree in nodes of its own."""
        value = self.value
        if isinstance(value, dict):
            value = {key: child.copy() for key, child in value.items()}
        elif isinstance(value, list):
            value = [child.copy() for child in value]
        return Node(value, self.file, self.line, self.column, self.key_line, self.key_column)

    def child(self, key: str | int) -> Node | None:
        """The entry `key` of a mapping or list, None where there is none."""
        if isinstance(self.value, dict):
            found: Node | None = self.value.get(key)
            return found
        if isinstance(self.value, list) and isinstance(key, int) and 0 <= key < len(self.value):
            item: Node = self.value[key]
            return item
        return None

    def nearest(self, path: Path_) -> tuple[Node, int]:
        """The deepest node along `path` and how many of its elements lead there."""
        node = self
        for depth, key in enumerate(path):
            found = node.child(key)
            if found is None:
                return node, depth
            node = found
        return node, len(path)

    def at(self, path: Path_) -> Node | None:
        """The node at exactly `path`, None where there is none."""
        node, depth = self.nearest(path)
        return node if depth == len(path) else None

    def walk(self, path: Path_ = ()) -> Iterator[tuple[Path_, Node]]:
        """Every node below this one, itself first, with its path."""
        yield path, self
        if isinstance(self.value, dict):
            for key, child in self.value.items():
                yield from child.walk((*path, key))
        elif isinstance(self.value, list):
            for index, child in enumerate(self.value):
                yield from child.walk((*path, index))

    def problem(self, path: str, message: str, *, key: bool = False) -> Problem:
        """A problem at this node's value, or at its key."""
        if key and self.key_line:
            return Problem(self.file, self.key_line, self.key_column, path, message)
        return Problem(self.file, self.line, self.column, path, message)


def from_python(value: Any, file: str) -> Node:
    """A tree of Python values as nodes without a line."""
    if isinstance(value, dict):
        return Node({str(k): from_python(v, file) for k, v in value.items()}, file, 0, 0)
    if isinstance(value, list | tuple):
        return Node([from_python(v, file) for v in value], file, 0, 0)
    return Node(value, file, 0, 0)


def read(path: Path, shown: str | None = None) -> tuple[Node, str]:
    """Read a document: its root node (a mapping) and its text. Raises UserError, with the line where there is one.

    ``shown`` is the name of the file in messages (default: the path).
    """
    file = shown or str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(Problem(file, 0, 0, "", "no such file")) from None
    except OSError as error:
        raise UserError(Problem(file, 0, 0, "", f"cannot be read: {error.strerror or error}")) from None
    text = _decode(data, file)
    root = parse(text, file)
    if root.value is None:
        raise UserError(Problem(file, 1, 1, "", "the document is empty"))
    if not root.is_mapping:
        what = "a list" if root.is_list else "a single value"
        raise UserError(root.problem("", f"expected a mapping (key: value) at the top of the document, got {what}"))
    return root, text


def parse(text: str, file: str) -> Node:
    """Parse one YAML document; an empty one gives a node of None. Raises UserError."""
    bad = _UNPRINTABLE.search(text)
    if bad:
        line, column = _position(text, bad.start())
        message = f"the character U+{ord(bad.group()):04X} cannot stand in a document (is this a text file?)"
        raise UserError(Problem(file, line, column, "", message))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        return _Composer(loader, file).document()
    except yaml.MarkedYAMLError as error:
        raise UserError(_syntax(error, text, file)) from None
    except yaml.YAMLError as error:
        raise UserError(Problem(file, 1, 1, "", f"not YAML: {error}")) from None
    finally:
        loader.dispose()


def _decode(data: bytes, file: str) -> str:
    if len(data) > MAX_BYTES:
        raise UserError(Problem(file, 1, 1, "", f"the document is larger than {MAX_BYTES // 1_000_000} MB"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        message = f"not UTF-8 text (byte 0x{data[error.start]:02x}); save the document as UTF-8"
        raise UserError(Problem(file, line, column, "", message)) from None


def _position(text: str, offset: int) -> tuple[int, int]:
    line = text.count("\n", 0, offset)
    return line + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    if "could not find expected ':'" in (error.problem or "") and error.context_mark is not None:
        mark = error.context_mark  # the line that lacks it, not the next one
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines()
    here = lines[line] if line < len(lines) else ""
    said = error.problem or "not YAML"
    message = next((meaning for words, meaning in _MEANING if words in said), said)
    if "\t" in here[: column + 1] and not here[:column].strip():
        message = "a tab cannot indent YAML, use spaces"
    if error.context_mark is not None and mark is not None and error.context_mark.line != mark.line:
        message += f"; it began in line {error.context_mark.line + 1}"
    return Problem(file, line + 1, column + 1, "", message)


@dataclass
class _Composer:
    loader: Any
    file: str
    anchors: dict[str, Node | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def document(self) -> Node:
        self._next(yaml.StreamStartEvent)
        if isinstance(self.loader.peek_event(), yaml.StreamEndEvent):
            return Node(None, self.file, 1, 1)
        self._next(yaml.DocumentStartEvent)
        root = self._node(0)
        self._next(yaml.DocumentEndEvent)
        event = self.loader.get_event()
        if not isinstance(event, yaml.StreamEndEvent):
            self._stop(event, "a second document begins here; a file holds one")
        if self.problems:
            raise UserError(self.problems)
        return root

    def _next(self, kind: type) -> Any:
        event = self.loader.get_event()
        assert isinstance(event, kind), event  # the parser's grammar guarantees it
        return event

    def _stop(self, event: Any, message: str) -> None:
        mark = event.start_mark
        raise UserError([*self.problems, Problem(self.file, mark.line + 1, mark.column + 1, "", message)])

    def _spend(self, event: Any) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            self._stop(event, f"the document has more than {MAX_NODES} values (counting every alias in full)")

    def _node(self, depth: int) -> Node:
        event = self.loader.get_event()
        if depth > MAX_DEPTH:
            self._stop(event, f"nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._spend(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = self._make(self._scalar(event), event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._no_tag(event)
            items = []
            while not isinstance(self.loader.peek_event(), yaml.SequenceEndEvent):
                items.append(self._node(depth + 1))
            self.loader.get_event()
            node = self._make(items, event)
        else:
            self._no_tag(event)
            node = self._make({}, event)
            self._mapping(node, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _make(self, value: Any, event: Any) -> Node:
        return Node(value, self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self.anchors:
            self._stop(event, f"no anchor &{event.anchor} above this alias")
        node = self.anchors[event.anchor]
        if node is None:
            self._stop(event, f"the alias *{event.anchor} stands inside its own anchor")
        assert node is not None
        return self._copy(node, event)

    def _copy(self, node: Node, event: Any) -> Node:
        # copied, because overrides may change one place and not the other
        self._spend(event)
        value = node.value
        if isinstance(value, dict):
            value = {key: self._copy(child, event) for key, child in value.items()}
        elif isinstance(value, list):
            value = [self._copy(child, event) for child in value]
        return Node(value, node.file, node.line, node.column, node.key_line, node.key_column)

    def _mapping(self, node: Node, depth: int) -> None:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        lines: dict[str, int] = {}
        while True:
            event = self.loader.get_event()
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                self._stop(event, "a key must be text")
            key = event.value
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            value = self._node(depth + 1)
            merge = key == "<<" and event.implicit[0]
            if key in lines:
                message = f"the key '{key}' is given twice, first in line {lines[key]}"
                self.problems.append(Problem(self.file, line, column, "", message))
                continue
            lines[key] = line
            if merge:
                for source in value.value if value.is_list else [value]:
                    if not source.is_mapping:
                        self.problems.append(source.problem("", "<< merges a mapping or a list of mappings"))
                        break
                    merged = {**source.value, **merged}
                continue
            value.key_line, value.key_column = line, column
            own[key] = value
        node.value = {**merged, **own}

    def _no_tag(self, event: Any) -> None:
        if not event.implicit:
            self._stop(event, f"the tag {event.tag} has no meaning here")

    def _scalar(self, event: Any) -> Scalar:
        text: str = event.value
        plain, _ = event.implicit
        if event.tag is not None and event.tag not in ("!", "tag:yaml.org,2002:str"):
            self._stop(event, f"the tag {event.tag} has no meaning here")
        if not plain or event.tag is not None:
            return text
        if _NULL.match(text):
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _LEADING_ZERO.match(text):
            mark = event.start_mark
            message = (
                f"'{text}' could be octal or decimal: write {text.lstrip('+-0') or '0'}, 0o… for octal, or quote it"
            )
            self.problems.append(Problem(self.file, mark.line + 1, mark.column + 1, "", message))
            return text
        return number(text)


def number(text: str) -> int | float | str:
    """A plain scalar as a number where YAML 1.2 reads one, else the text itself."""
    if _INT.match(text) and len(text) < 300:
        return int(text)
    if _OCTAL.match(text):
        return int(text, 0)
    if _HEX.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    infinite = _INF.match(text)
    if infinite:
        return -math.inf if infinite.group(1) == "-" else math.inf
    if _NAN.match(text):
        return math.nan
    return text


def dotted(path: Path_) -> str:
    """A path as users write it: ``wires.stretch.delay``."""
    return ".".join(map(str, path))
