"""``extends: NAME``: a document that says only what differs from another of its kind.

Mappings are merged key by key, lists and single values are replaced, and ``null`` takes out a key of the base (so that
its default holds). ``name`` is not inherited. Every value keeps the place of the file that it comes from. The ``set:``
block of a base is applied before what extends it, so the extending document has the last word.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from cosim import zoo
from cosim.errors import Problem, UserError
from cosim.spec import overrides, yamlmarks
from cosim.spec.kinds import check_header
from cosim.spec.overrides import Override
from cosim.spec.yamlmarks import Node, Path_

# values that are file names, relative to the document in which they are written ("*" is any key)
_FILES: dict[str, tuple[Path_, ...]] = {
    "circuit": (("projections", "*", "connect", "table"), ("continuous", "*", "connect", "table")),
    "body": (
        ("urdf",),
        ("sdf",),
        ("links", "*", "shape", "mesh", "file"),
        ("links", "*", "parts", "*", "shape", "mesh", "file"),
    ),
    "connectome": (("known_ids",),),
    "kinematics": (("file",),),
    "experiment": (
        ("reference",),
        ("commands", "*", "file"),
        ("commands", "*", "fourier", "file"),
        ("commands", "*", "kinematics"),
        ("measure", "replay", "contacts"),
        ("replay", "speeds"),
        ("replay", "records", "*"),
        ("replay", "keypoints", "file"),
        ("wires", "*", "trajectory", "file"),
        ("drives", "*", "file", "path"),
        ("world", "ground", "heightfield", "file"),
    ),
}
_NAMES_OR_FILES: dict[str, tuple[Path_, ...]] = {
    "experiment": (("circuit",), ("body",)),
    "sweep": (("experiment",),),
    "circuit": (
        ("populations", "*", "connectome"),
        ("populations", "*", "connectome", "name"),
        ("projections", "*", "connect", "connectome"),
        ("continuous", "*", "connect", "connectome"),
    ),
}


@dataclass
class Resolved:
    """A document with its bases merged in.

    ``root`` is the tree without ``extends`` and ``set``, ``deferred`` what is to be set in other documents, ``texts``
    the text of every file that went into it (by the name shown in messages).
    """

    kind: str
    path: Path
    root: Node
    deferred: list[Override] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    rebased: bool = False


def shown(path: Path) -> str:
    """A file as messages name it: relative to the working directory where it lies below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def resolve(path: Path, kind: str | None, chain: tuple[Path, ...] = ()) -> Resolved:
    """Read a document and merge what it extends. Raises UserError where nothing sensible can be made of it."""
    root, text = yamlmarks.read(path, shown(path))
    found, model = check_header(root, kind)
    resolved = Resolved(found, path, root, texts={root.file: text})
    base_node = root.value.pop("extends", None)
    if base_node is not None:
        base = _base(base_node, path, found, chain)
        # without a name of its own a variant would pass for its base
        base.root.value.pop("name", None)
        root.value["cosim"].value = base.root.value["cosim"].value
        resolved.deferred += base.deferred
        resolved.texts |= base.texts
        resolved.problems += base.problems
    block, problems = overrides.from_block(root)
    resolved.problems += problems
    root.value.pop("set", None)
    if base_node is not None:
        resolved.root = merge(base.root, root)
    set_values(resolved, model, block)
    return resolved


def _base(node: Node, path: Path, kind: str, chain: tuple[Path, ...]) -> Resolved:
    if not isinstance(node.value, str) or not node.value:
        raise UserError(node.problem("extends", f"expected the name of {_article(kind)} {kind}"))
    here = path.resolve()
    try:
        base = zoo.find(kind, node.value, document=path)
    except UserError as error:
        raise UserError([node.problem("extends", p.message) for p in error.problems]) from None
    if base.resolve() in (*chain, here):
        names = [*chain, here, base.resolve()]
        text = " -> ".join(p.parent.name if p.stem in ("circuit", "body") else p.stem for p in names)
        raise UserError(node.problem("extends", f"the documents extend each other in a circle: {text}"))
    return resolve(base, kind, (*chain, here))


def _article(kind: str) -> str:
    return "an" if kind == "experiment" else "a"


def merge(base: Node, child: Node) -> Node:
    """`child` over `base`: mappings key by key, everything else replaced, null takes out a key of the base."""
    if not (base.is_mapping and child.is_mapping):
        return child
    merged = dict(base.value)
    for key, value in child.value.items():
        if key not in merged:
            merged[key] = value
        elif value.value is None:
            del merged[key]
        else:
            merged[key] = merge(merged[key], value)
    return Node(merged, child.file, child.line, child.column, child.key_line, child.key_column)


def set_values(resolved: Resolved, model: type[BaseModel], given: Iterable[Override]) -> None:
    """Apply what concerns the document itself; of an experiment, keep what reaches into its circuit or body, of a
    sweep everything: it is for the experiment."""
    root = resolved.root
    declared = root.at(("parameters",))
    parameters = declared.value if declared is not None and declared.is_mapping else {}
    for override in given:
        head = override.path[0]
        single = len(override.path) == 1
        known = head in model.model_fields or root.child(head) is not None
        reaches = resolved.kind == "experiment" and head in ("circuit", "body") and not single
        if resolved.kind == "sweep" or reaches:
            resolved.deferred.append(override)
        elif single and not known and head in parameters:
            _apply(resolved, model, override.moved("parameters", head))
        elif single and not known and resolved.kind == "experiment":
            resolved.deferred.append(override)
        else:
            _apply(resolved, model, override)


def _apply(resolved: Resolved, model: type[BaseModel], override: Override) -> None:
    if override.path[0] in ("cosim", "extends", "set"):
        resolved.problems.append(override.problem(f"'{override.path[0]}' cannot be set"))
        return
    problem = overrides.apply(resolved.root, model, override)
    if problem is not None:
        resolved.problems.append(problem)


def _match(node: Node, pattern: Path_) -> Iterable[Node]:
    if not pattern:
        yield node
        return
    step, rest = pattern[0], pattern[1:]
    if step == "*":
        children = node.value.values() if node.is_mapping else node.value if node.is_list else ()
        for child in children:
            yield from _match(child, rest)
    else:
        found = node.child(step)
        if found is not None:
            yield from _match(found, rest)


def files_of(kind: str, root: Node) -> list[str]:
    """The data files that a document names and that decide a run (a reference is only compared with)."""
    patterns = [pattern for pattern in _FILES.get(kind, ()) if pattern != ("reference",)]
    nodes = [node for pattern in patterns for node in _match(root, pattern)]
    return [node.value for node in nodes if isinstance(node.value, str)]


def rebase(resolved: Resolved) -> None:
    """Make every file name relative to the document, wherever it was written; once, after everything is set.

    It may come from a base, an experiment's ``set:`` block, or the command line (there it is relative to the working
    directory, if such a file exists).
    """
    if resolved.rebased:
        return
    resolved.rebased = True
    folder = resolved.path.resolve().parent
    patterns = [(p, False) for p in _FILES.get(resolved.kind, ())]
    patterns += [(p, True) for p in _NAMES_OR_FILES.get(resolved.kind, ())]
    for pattern, may_be_name in patterns:
        for node in _match(resolved.root, pattern):
            if not isinstance(node.value, str) or (may_be_name and not zoo.is_path(node.value)):
                continue
            written_in = Path(node.file).resolve().parent if node.line else Path.cwd()
            moved = written_in / Path(node.value).expanduser()
            if written_in != folder and (node.line or moved.exists()):
                node.value = os.path.relpath(moved, folder)
