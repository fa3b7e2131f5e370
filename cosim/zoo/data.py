"""Where the data of connectomes lie on this machine; quick to ask, without reading documents in full."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder(name: str) -> Path:
    """Where the files of a data set are put: ``$COSIM_DATA/NAME``, else below the user's data folder."""
    root = os.environ.get("COSIM_DATA")
    if root:
        return Path(root).expanduser() / name
    home = os.environ.get("XDG_DATA_HOME")
    base = Path(home) if home else Path.home() / ".local/share"
    return base / "cosim" / "connectomes" / name


def find_file(descriptor: Path, name: str, file: str) -> Path | None:
    """A file of the data set `name`: beside its descriptor, else in its data folder; None where it is not there."""
    places = (descriptor.resolve().parent / file, data_folder(name) / file)
    return next((place for place in places if place.is_file()), None)


def absent_files(descriptor: Path) -> list[str] | None:
    """Files that a descriptor needs and that are not there; None where it cannot be told so quickly."""
    import yaml

    try:
        document = yaml.safe_load(descriptor.read_text(encoding="utf-8"))
        name = str(document["name"])
        files = [str(file) for file, facts in document["files"].items() if not (facts or {}).get("optional")]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return None
    return [file for file in files if find_file(descriptor, name, file) is None]
