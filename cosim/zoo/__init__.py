"""The zoo: circuits, bodies, connectomes and experiments, found by name."""

from cosim.zoo.lookup import KINDS, Entry, find, is_path, list_all, roots

__all__ = ["KINDS", "Entry", "find", "is_path", "list_all", "roots"]
