"""The data files that decide a run beside its documents."""

from __future__ import annotations

import hashlib

from cosim.graph.ir import NetworkIR
from cosim.spec.inherit import files_of
from cosim.spec.load import LoadedExperiment


def data_hashes(loaded: LoadedExperiment, network: NetworkIR | None) -> dict[str, str]:
    """SHA-256 of the files that the documents name (edges, curves, meshes) and of the connectomes' files, by name."""
    found: dict[str, str] = {}
    for kind, document in loaded.documents.items():
        for name in files_of(kind, document.root):
            path = document.folder / name
            if path.is_file():
                found[f"{kind}/{name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    for name, files in (network.connectomes if network is not None else {}).items():
        found |= {f"connectome {name}/{file}": digest for file, digest in files.items()}
    return found
