"""A body document from a URDF or SDF file: read, freeze and merge joints, reduce meshes, write."""

from __future__ import annotations

from cosim.body.importer.model import FileJoint, FileLink, FileModel, FileShape
from cosim.body.importer.read import read_model

__all__ = ["FileJoint", "FileLink", "FileModel", "FileShape", "read_model"]
