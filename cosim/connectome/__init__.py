"""Connection data: descriptors, tables, and the cells and connections read from them."""

from cosim.connectome.data import Connectome
from cosim.connectome.store import load_connectome

__all__ = ["Connectome", "load_connectome"]
