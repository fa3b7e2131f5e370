"""What bridge and record do in a tick, as a list of small operations on arrays that stay where they are.

A tick of the bridge is some dozens of operations on a few numbers each. As calls of numpy they cost a microsecond or
more apiece, whatever their size; a `Tape` holds them, and where the network is a compiled library, which has the
operations in it too, that plays a whole tape in one call. Elsewhere numpy plays it, to the same bits: each operation is
made of IEEE operations and the functions of `cosim.exact`, and stands once in `operations.ELEMENTWISE` for both.
"""

from cosim.tape.native import Play
from cosim.tape.tape import F64, I64, NOBODY, Tape

__all__ = ["F64", "I64", "NOBODY", "Play", "Tape"]
