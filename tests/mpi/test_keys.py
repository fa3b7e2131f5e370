"""What a rank keeps beside its edges."""

import pytest

from cosim.graph.ir import NetworkIR
from cosim.mpi.compiled import CompiledShard
from cosim.mpi.partition import partition
from cosim.neural.part import Part
from cosim.neural.toolchain import has_compiler
from tests.graph.helpers import network
from tests.mpi.circuits import SHARED

pytestmark = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")


def keys(net: NetworkIR) -> list[str]:
    shard = CompiledShard(net, 10, Part(partition(net, 2).part(0)))
    found = list(shard._keys)
    shard.close()
    return found


def test_edges_are_named_only_where_a_snapshot_holds_something_of_them() -> None:
    # 20 bytes an edge otherwise; fails if an edge's target counts as its state
    assert keys(network(**SHARED["one_delay"].document)) == []
    assert len(keys(network(**SHARED["stdp"].document))) > 0
