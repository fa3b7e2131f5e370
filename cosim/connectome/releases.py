"""Ids change from release to release of a data set: which one has an id that another lacks."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cosim import zoo
from cosim.errors import UserError
from cosim.spec.connectome import ConnectomeSpec
from cosim.spec.load import load_document
from cosim.spec.units import suggest

if TYPE_CHECKING:
    from cosim.connectome.data import Connectome

#: the nearest name is not looked for among more ids than this, nor among numbers
_SEARCHED = 20_000


def missing(connectome: Connectome, cell: str | int) -> str:
    """What to tell a user who asks for a cell that the data set does not have."""
    named = connectome.n <= _SEARCHED and connectome.ids.dtype.kind == "U"
    near = suggest(str(cell), connectome.rows_by_id) if named else ""
    return f"'{cell}' is no cell of {connectome.name}{_of_family(connectome.spec, str(cell)) or near}"


def elsewhere(descriptor: Path, cell: str) -> str:
    """`; it is one of X ...` where another release of the data set described there has the id, else nothing."""
    spec = load_document(descriptor, "connectome").spec
    assert isinstance(spec, ConnectomeSpec)
    return _of_family(spec, cell)


def _of_family(spec: ConnectomeSpec, cell: str) -> str:
    if spec.family is None:
        return ""
    found = [name for name, path in _relatives(spec.family) if name != spec.name and cell in known_ids(path)]
    if not found:
        return ""
    return f"; it is one of {' and '.join(found)}: ids change from release to release"


def _relatives(family: str) -> list[tuple[str, Path]]:
    """Name and descriptor of every release of a family in the zoo."""
    found = []
    for entry in zoo.list_all():
        if entry.kind != "connectome":
            continue
        try:
            spec = load_document(entry.path, "connectome").spec
        except UserError:
            continue  # a broken descriptor is told where it is used or checked
        assert isinstance(spec, ConnectomeSpec)
        if spec.family == family:
            found.append((spec.name, entry.path))
    return found


@lru_cache(maxsize=16)
def known_ids(descriptor: Path) -> frozenset[str]:
    """Ids that are known to be of a release: those of its table, where it is on this machine, and of `known_ids`."""
    from cosim.connectome.store import files_of
    from cosim.connectome.tables import read_ids

    document = load_document(descriptor, "connectome")
    spec = document.spec
    assert isinstance(spec, ConnectomeSpec)
    ids: set[str] = set()
    if spec.known_ids is not None:
        lines = (document.folder / spec.known_ids).read_text(encoding="utf-8").splitlines()
        ids |= {line.split("#")[0].strip() for line in lines} - {""}
    table = files_of(document)[spec.nodes.file]
    if table is not None:
        with contextlib.suppress(UserError):  # that table is not the one that is asked for
            ids |= {str(one) for one in read_ids(table, spec.nodes).tolist()}
    return frozenset(ids)
