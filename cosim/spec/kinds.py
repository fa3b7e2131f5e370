"""The kinds of documents, and the ``cosim: kind/version`` line that tells them apart."""

from __future__ import annotations

from importlib import import_module

from pydantic import BaseModel

from cosim.errors import UserError
from cosim.spec.units import suggest
from cosim.spec.yamlmarks import Node

_CLASSES = {
    "circuit": ("cosim.spec.circuit", "CircuitSpec"),
    "body": ("cosim.spec.body", "BodySpec"),
    "experiment": ("cosim.spec.experiment", "ExperimentSpec"),
    "connectome": ("cosim.spec.connectome", "ConnectomeSpec"),
    "sweep": ("cosim.spec.sweep", "SweepSpec"),
    "kinematics": ("cosim.spec.kinematics", "KinematicsSpec"),
}
KINDS = tuple(_CLASSES)
VERSION = "1"


def model_of(kind: str) -> type[BaseModel]:
    """The class of a kind of document."""
    module, name = _CLASSES[kind]
    model: type[BaseModel] = getattr(import_module(module), name)
    return model


def check_header(root: Node, wanted: str | None) -> tuple[str, type[BaseModel]]:
    """The kind and class of a document. Raises UserError where it says none, an unknown one, or not `wanted`."""
    known = [f"{kind}/{VERSION}" for kind in KINDS]
    listed = ", ".join(known)
    header = root.child("cosim")
    if header is None:
        near = [key for key in root.value if suggest(key, ["cosim"])]
        if near:
            node: Node = root.value[near[0]]
            raise UserError(node.problem(near[0], f"unknown key '{near[0]}', did you mean 'cosim'?", key=True))
        example = f"{wanted}/{VERSION}" if wanted else known[0]
        raise UserError(root.problem("", f"the document does not say what it is: begin with 'cosim: {example}'"))
    text = header.value if isinstance(header.value, str) else str(header.plain())
    kind, slash, version = text.partition("/")
    if kind not in KINDS:
        raise UserError(
            header.problem("cosim", f"'{text}' is no kind of document{suggest(text, known) or ', expected ' + listed}")
        )
    if not slash or version != VERSION:
        raise UserError(
            header.problem("cosim", f"'{text}' is a version that this cosim does not read, expected {kind}/{VERSION}")
        )
    if wanted is not None and kind != wanted:
        raise UserError(header.problem("cosim", f"this document is {_article(kind)}, expected {_article(wanted)}"))
    return kind, model_of(kind)


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
