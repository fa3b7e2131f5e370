"""From a file or name to validated documents: circuits, bodies, and experiments with the circuit and body they join."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cosim import zoo
from cosim.errors import Problem, UserError
from cosim.spec import overrides, parameters, problems
from cosim.spec.common import Spec
from cosim.spec.inherit import Resolved, rebase, resolve, set_values, shown
from cosim.spec.kinds import KINDS, model_of
from cosim.spec.overrides import COMMAND_LINE, Override
from cosim.spec.units import Value, suggest
from cosim.spec.yamlmarks import Node, Path_, dotted

if TYPE_CHECKING:
    from cosim.spec.body import BodySpec
    from cosim.spec.circuit import CircuitSpec
    from cosim.spec.experiment import ExperimentSpec

Trouble = tuple[str, Path_, str]


@dataclass(frozen=True)
class Document:
    """A validated document.

    Attributes
    ----------
    kind: circuit, body or experiment.
    spec: the frozen document class.
    path: its file.
    tree: what was validated, as dict, list and scalars: bases merged in, overrides applied.
    root: the same with the place of every value.
    parameters: its ``parameters:``, evaluated, in SI units.
    texts: the text of every file that went into it, by name.
    prefix: what messages put before the path of an overridden value, ``circuit`` or ``body`` within an experiment.
    """

    kind: str
    spec: Spec
    path: Path
    tree: dict[str, Any]
    root: Node = field(repr=False)
    parameters: Mapping[str, Value]
    texts: Mapping[str, str] = field(repr=False)
    prefix: str = ""

    @property
    def name(self) -> str:
        """The name that the document gives itself."""
        return str(self.tree["name"])

    @property
    def folder(self) -> Path:
        """Where the document's file names start from."""
        return self.path.resolve().parent

    def problem(self, path: Path_, message: str, *, key: bool = False) -> Problem:
        """A problem at a path of this document, with its file and line."""
        return problems.placer(self.root, self.prefix, frozenset(self.texts))(path, message, key)


@dataclass(frozen=True)
class LoadedExperiment:
    """An experiment with its circuit and body (either may be missing), and the SHA-256 of all that they say."""

    experiment: Document
    circuit_document: Document | None
    body_document: Document | None

    @property
    def spec(self) -> ExperimentSpec:
        spec: Any = self.experiment.spec
        return spec  # type: ignore[no-any-return]

    @property
    def circuit(self) -> CircuitSpec | None:
        spec: Any = self.circuit_document.spec if self.circuit_document else None
        return spec  # type: ignore[no-any-return]

    @property
    def body(self) -> BodySpec | None:
        spec: Any = self.body_document.spec if self.body_document else None
        return spec  # type: ignore[no-any-return]

    @property
    def documents(self) -> dict[str, Document]:
        """The documents by kind, the experiment first."""
        found = {"experiment": self.experiment, "circuit": self.circuit_document, "body": self.body_document}
        return {kind: document for kind, document in found.items() if document is not None}

    @property
    def paths(self) -> dict[str, Path]:
        """The files by kind."""
        return {kind: document.path for kind, document in self.documents.items()}

    @property
    def texts(self) -> dict[str, str]:
        """The text of every file that was read, by name."""
        return {name: text for document in self.documents.values() for name, text in document.texts.items()}

    @property
    def content_hash(self) -> str:
        """SHA-256 over the resolved trees as JSON. The order of keys counts: it decides the order of neurons."""
        trees = {kind: document.tree for kind, document in self.documents.items()}
        return hashlib.sha256(json.dumps(trees, ensure_ascii=False).encode()).hexdigest()

    def problem(self, kind: str, path: Path_, message: str) -> Problem:
        """A problem at a path of the circuit, body or experiment."""
        return self.documents[kind].problem(path, message)

    def problems(self, found: Sequence[Trouble]) -> list[Problem]:
        """(kind of document, path, message) as problems with file and line."""
        return [self.problem(*one) for one in found]


def load_document(
    name: str | Path, kind: str | None = None, given: Mapping[str, Any] | None = None, *, origin: str = COMMAND_LINE
) -> Document:
    """Load one document by name or path; an experiment comes without its circuit and body.

    Parameters
    ----------
    kind: what it must be; without it, a name is looked up as an experiment or sweep, a circuit, a body, then a
        connectome.
    given: overrides, path to value (text is read as YAML).
    origin: what messages show as the place of an override.

    Raises UserError with every problem found.
    """
    resolved = resolve(locate(name, kind), kind)
    set_values(resolved, model_of(resolved.kind), overrides.from_mapping(given or {}, origin))
    resolved.problems += [_undeclared(o, [resolved]) for o in resolved.deferred]
    document, found = validate(resolved, "")
    if found or document is None:
        raise UserError(found)
    return document


def load_experiment(
    name: str | Path,
    given: Mapping[str, Any] | Sequence[Override] | None = None,
    *,
    origin: str = COMMAND_LINE,
    check: bool = True,
) -> LoadedExperiment:
    """Load an experiment, its circuit and its body, with overrides that may reach into all three.

    ``circuit.`` and ``body.`` lead into the circuit and the body; a bare name that is no key of the experiment is a
    parameter of the experiment, its circuit or its body.

    Parameters
    ----------
    given: path to value (text is read as YAML), or overrides, whose values are taken over and not to be used again.
    check: also find what does not fit between the documents and what is wrong with the equations; this imports the
        simulators, which takes seconds.

    Raises UserError with every problem of all three documents.
    """
    resolved = resolve(locate(name, "experiment"), "experiment")
    wanted = given if isinstance(given, Sequence) else overrides.from_mapping(given or {}, origin)
    set_values(resolved, model_of("experiment"), wanted)
    rebase(resolved)
    parts, found = _parts(resolved)
    deferred = _route(resolved, parts, found)
    documents: dict[str, Document | None] = {}
    for kind, part in parts.items():
        for override in deferred[kind]:
            problem = overrides.apply(part.root, model_of(kind), override, kind)
            if problem is not None:
                part.problems.append(problem)
        documents[kind], more = validate(part, kind)
        found += more
    experiment, more = validate(resolved, "")
    found = [*more, *found]
    if found or experiment is None:
        raise UserError(found)
    loaded = LoadedExperiment(experiment, documents.get("circuit"), documents.get("body"))
    if check:
        from cosim.spec.check import check_experiment

        found = loaded.problems(check_experiment(loaded))
        if found:
            raise UserError(found)
    return loaded


def locate(name: str | Path, kind: str | None = None) -> Path:
    """The file of a document. Without `kind`, a name may be any; the first of experiment (or sweep), circuit, body,
    connectome counts."""
    text = str(name)
    if kind is not None or zoo.is_path(text) or isinstance(name, Path):
        if isinstance(name, Path) and not zoo.is_path(text):
            text = f"./{text}"
        if kind is None and Path(text).is_dir():
            inner = (Path(text) / name for name in ("circuit.yaml", "body.yaml", "dataset.yaml"))
            inside = [file for file in inner if file.is_file()]
            return inside[0] if inside else zoo.find("experiment", text)
        return zoo.find(kind or "experiment", text)
    for candidate in KINDS_BY_RANK:
        try:
            return zoo.find(candidate, text)
        except UserError:
            continue
    names = sorted({entry.name for entry in zoo.list_all() if entry.kind in KINDS})
    hint = suggest(text, names) or "; there are: " + ", ".join(names)
    raise UserError(f"no experiment, sweep, circuit, body or connectome '{text}'{hint}")


KINDS_BY_RANK = ("experiment", "circuit", "body", "connectome")


def _parts(resolved: Resolved) -> tuple[dict[str, Resolved], list[Problem]]:
    """The circuit and body that an experiment names, unvalidated, and what is wrong with them."""
    parts: dict[str, Resolved] = {}
    found: list[Problem] = []
    for kind in ("circuit", "body"):
        node = resolved.root.child(kind)
        if node is None or not isinstance(node.value, str) or not node.value:
            continue  # missing, or reported by the validation
        try:
            path = zoo.find(kind, node.value, document=resolved.path)
        except UserError as error:
            found += [node.problem(kind, p.message) for p in error.problems]
            continue
        try:
            parts[kind] = resolve(path, kind)
        except UserError as error:
            found += error.problems
    return parts, found


def _route(resolved: Resolved, parts: dict[str, Resolved], found: list[Problem]) -> dict[str, list[Override]]:
    """Which deferred override of an experiment goes into which part; what leads nowhere is added to `found`."""
    routed: dict[str, list[Override]] = {"circuit": [], "body": []}
    for override in resolved.deferred:
        head = override.path[0]
        if len(override.path) > 1:
            kind = str(head)
            if kind in parts:
                path = override.path[1:]
                known = parts[kind].root.child(str(path[0])) is not None or path[0] in model_of(kind).model_fields
                # circuit.scale is short for circuit.parameters.scale
                if len(path) == 1 and not known and parts[kind].root.at(("parameters", path[0])) is not None:
                    path = ("parameters", *path)
                routed[kind].append(override.moved(*path))
            elif resolved.root.child(kind) is None:
                found.append(override.problem(f"the experiment has no {kind}"))
            continue
        owners = [kind for kind, part in parts.items() if part.root.at(("parameters", head)) is not None]
        if len(owners) == 1:
            routed[owners[0]].append(override.moved("parameters", head))
        elif owners:
            both = " or ".join(f"{kind}.parameters.{head}" for kind in owners)
            found.append(override.problem(f"both the circuit and the body have a parameter '{head}': say {both}"))
        else:
            found.append(_undeclared(override, [resolved, *parts.values()]))
    return routed


def _undeclared(override: Override, documents: Sequence[Resolved]) -> Problem:
    names: list[str] = []
    for resolved in documents:
        declared = resolved.root.child("parameters")
        names += declared.value if declared is not None and declared.is_mapping else []
    keys = list(model_of(documents[0].kind).model_fields)
    hint = suggest(override.text, [*names, *keys])
    if not hint:
        hint = f"; parameters: {', '.join(names) or 'none'}; keys: {', '.join(keys)}"
    return override.problem(f"no parameter or key '{override.text}'{hint}")


def validate(
    resolved: Resolved, prefix: str, scope: Mapping[str, Value] | None = None
) -> tuple[Document | None, list[Problem]]:
    """Evaluate the parameters and validate the tree; the document, or every problem found.

    `scope`: named values that its expressions may use beside its own parameters.
    """
    rebase(resolved)
    root, model = resolved.root, model_of(resolved.kind)
    own = frozenset(resolved.texts)
    place = problems.placer(root, prefix, own)
    values, found = parameters.evaluate(root, place)
    found = [*resolved.problems, *found]
    if found:
        return None, found
    context = {"parameters": {**(scope or {}), **values}, "directory": str(resolved.path.resolve().parent)}
    tree = root.plain()
    try:
        spec = model.model_validate(tree, context=context)
    except ValidationError as error:
        return None, problems.from_validation(error, model, root, place, ("extends", "set"))
    assert isinstance(spec, Spec)
    texts = MappingProxyType(dict(resolved.texts))
    return Document(resolved.kind, spec, resolved.path, tree, root, MappingProxyType(values), texts, prefix), []


__all__ = ["Document", "LoadedExperiment", "dotted", "load_document", "load_experiment", "locate", "shown", "validate"]
