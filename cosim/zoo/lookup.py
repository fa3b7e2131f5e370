"""Look-up of a name: $COSIM_ZOO, the working directory, the document's own zoo, entry points, the wheel, the checkout.

A zoo is a folder with ``circuits/NAME/circuit.yaml``, ``bodies/NAME/body.yaml``, ``connectomes/NAME/dataset.yaml`` and
``run/NAME.yaml`` (experiments and sweeps). Only files are looked at, nothing is imported but the packages that announce
themselves as a zoo.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from cosim.errors import UserError

# kind -> (folder, file in the folder of that name); experiments, sweeps and kinematics are files, not folders
_LAYOUT = {
    "experiment": ("run", None),
    "sweep": ("run", None),
    "circuit": ("circuits", "circuit.yaml"),
    "body": ("bodies", "body.yaml"),
    "connectome": ("connectomes", "dataset.yaml"),
    "kinematics": ("kinematics", None),
}
KINDS = tuple(_LAYOUT)
_HEADER = re.compile(r"^(cosim|title):[ \t]*(.*?)[ \t]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """A document of a zoo: its kind, name, title (may be empty) and file."""

    kind: str
    name: str
    title: str
    path: Path


def roots(document: Path | None = None) -> list[Path]:
    """The zoos that exist, in the order in which they are searched, each once.

    ``document``: a file whose own zoo (the folder that holds its run/, circuits/ or bodies/) is searched after the
    working directory.
    """
    candidates = [Path(part) for part in os.environ.get("COSIM_ZOO", "").split(os.pathsep) if part]
    candidates.append(Path.cwd())
    if document is not None:
        candidates += _own(document)
    candidates += _announced()
    package = Path(__file__).resolve().parent.parent
    candidates += [package / "_zoo", package.parent]
    found: dict[Path, None] = {}
    for candidate in candidates:
        if candidate.is_dir():
            found.setdefault(candidate.resolve())
    return list(found)


def _own(document: Path) -> Iterator[Path]:
    folders = {folder for folder, _ in _LAYOUT.values()}
    for parent in document.resolve().parents:
        if parent.name in folders:
            yield parent.parent
            return


def _announced() -> Iterator[Path]:
    """Folders of packages with an entry point in the group ``cosim.zoo`` (``name = package`` or ``package:folder``)."""
    for point in entry_points(group="cosim.zoo"):
        try:
            spec = find_spec(point.module)
        except (ImportError, ValueError):
            continue
        for location in (spec.submodule_search_locations or []) if spec is not None else []:
            yield Path(location) / (point.attr or "")


def is_path(name: str) -> bool:
    """Whether a user meant a file and not a name."""
    return "/" in name or os.sep in name or name.endswith((".yaml", ".yml"))


def find(kind: str, name: str, *, document: Path | None = None) -> Path:
    """The file of a document.

    Parameters
    ----------
    name: a name, or a path to a file or to the folder that holds it. A relative path starts at the folder of `document`
        where that is given (one document names another), else at the working directory.

    Raises UserError that lists the nearest names.
    """
    if is_path(name):
        return _explicit(kind, name, document)
    for root in roots(document):
        file = _file(kind, root, name)
        if file.is_file():
            return file
    raise UserError(_unknown(kind, name, document))


def _file(kind: str, root: Path, name: str) -> Path:
    folder, inner = _LAYOUT[kind]
    return root / folder / f"{name}.yaml" if inner is None else root / folder / name / inner


def _explicit(kind: str, name: str, document: Path | None) -> Path:
    path = Path(name).expanduser()
    if document is not None and not path.is_absolute():
        path = document.parent / path
    inner = _LAYOUT[kind][1]
    if path.is_dir() and inner is not None:
        path = path / inner
    if path.is_dir():
        raise UserError(f"{path}: is a folder, expected a document")
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    return path


def _unknown(kind: str, name: str, document: Path | None) -> str:
    # here and not at the top: cosim.spec.units brings numpy, which listing does not need
    from cosim.spec.units import suggest

    entries = list_all(document)
    names = sorted({entry.name for entry in entries if entry.kind == kind})
    elsewhere = [entry.kind for entry in entries if entry.name == name]
    article = "an" if kind == "experiment" else "a"
    text = f"no {kind} '{name}'{suggest(name, names)}"
    if elsewhere:
        text += f" ('{name}' is a {elsewhere[0]}, not {article} {kind})"
    elif "did you mean" not in text:
        text += f"; there are: {', '.join(names)}" if names else f"; no zoo holds any {kind}"
    return text


def list_all(document: Path | None = None) -> list[Entry]:
    """Every document by kind and name; the first zoo that has a name hides the others."""
    found: dict[tuple[str, str], Entry] = {}
    for root in roots(document):
        for kind, (folder, inner) in _LAYOUT.items():
            for path in sorted((root / folder).glob("*.yaml" if inner is None else f"*/{inner}")):
                name = path.stem if inner is None else path.parent.name
                header = _header(path)
                # run/ holds documents of two kinds
                if inner is None and not header.get("cosim", "").startswith(f"{kind}/"):
                    continue
                found.setdefault((kind, name), Entry(kind, name, header.get("title", ""), path))
    return [found[key] for key in sorted(found, key=lambda key: (KINDS.index(key[0]), key[1]))]


def _header(path: Path) -> dict[str, str]:
    """The ``cosim:`` and ``title:`` lines, without reading YAML: listing is quick and survives a broken file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {key: value.strip("\"'") for key, value in reversed(_HEADER.findall(text))}
