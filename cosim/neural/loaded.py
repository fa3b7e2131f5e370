"""A compiled network through ctypes: a context per network, so one library serves any number of them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.errors import CosimError
from cosim.neural.arrays import EdgeArrays

I32 = NDArray[np.int32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_POINTER, _INT64, _INT32 = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "cosim_open": (_POINTER, [_POINTER, _POINTER, _INT64, _INT64, _INT64]),
    "cosim_close": (None, [_POINTER]),
    "cosim_queue": (None, [_POINTER, _INT64, _POINTER, _POINTER, _POINTER, _INT64]),
    "cosim_edges": (None, [_POINTER, _INT64, _POINTER]),
    "cosim_table": (None, [_POINTER, _INT64, _INT32, _POINTER]),
    "cosim_encode": (_INT64, [_INT64, _POINTER, _POINTER, _INT32, _POINTER]),
    "cosim_intact": (None, [_POINTER, _INT64, _POINTER]),
    "cosim_ids": (None, [_POINTER, _POINTER, _INT64, _INT32]),
    "cosim_plan": (None, [_POINTER, _INT64, _INT64, _POINTER, _POINTER]),
    "cosim_tick": (_INT64, [_POINTER]),
    "cosim_steps": (_INT64, [_POINTER, _INT64, _INT32, _INT32]),
    "cosim_route": (None, [_POINTER, _INT64, *[_POINTER] * 4]),
    "cosim_sources": (None, [_POINTER, _INT64, _POINTER]),
    "cosim_exchanged": (None, [_POINTER, _INT64, _INT32]),
    "cosim_remember": (None, [_POINTER, _INT64]),
    "cosim_pack": (_INT64, [_POINTER, _POINTER, _INT64]),
    "cosim_rest": (None, [_POINTER, _INT64, _POINTER]),
    "cosim_unpack": (_INT64, [_POINTER, _INT64, _POINTER, _INT64]),
    "cosim_incoming": (None, [_POINTER, _INT64, _POINTER, _POINTER]),
    "cosim_numbers": (_INT64, [_POINTER, _POINTER, _INT64]),
    "cosim_merge": (None, [_INT64, *[_POINTER] * 4]),
    "cosim_worker": (_POINTER, [_POINTER]),
    "cosim_worker_close": (None, [_POINTER]),
    "cosim_end": (_INT64, [_POINTER, _POINTER]),
    "cosim_spikes": (None, [_POINTER, _POINTER, _POINTER]),
    "cosim_history": (_INT64, [_POINTER, _POINTER, _POINTER]),
    "cosim_set_history": (None, [_POINTER, _INT64, _POINTER, _POINTER]),
    "cosim_push_again": (None, [_POINTER, _INT64, _INT64, _POINTER, _POINTER]),
    "cosim_arrange": (None, [_INT64, *[_POINTER] * 3, _INT64, _INT64, _INT64, *[_POINTER] * 5]),
    "cosim_order": (None, [_INT64, _POINTER, _POINTER, _POINTER, _INT64, _INT64, _INT64, _POINTER]),
}


def _address(array: NDArray[Any] | None) -> int | None:
    if array is None:
        return None
    assert array.flags.c_contiguous
    return array.ctypes.data


class Library:
    """The functions of one shared library."""

    def __init__(self, path: Path) -> None:
        try:
            self._dll = ctypes.CDLL(str(path))
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(self._dll, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise CosimError(f"the compiled network cannot be loaded: {error}") from None

    def order(self, pre: I32, delay: I32, post: I32, n_pre: int, n_post: int) -> I32:
        """See cosim.neural.arrays.by_source: the same order, by counting."""
        pre, delay, post = (np.ascontiguousarray(a, dtype=np.int32) for a in (pre, delay, post))
        order = np.empty(len(pre), dtype=np.int32)
        n_delay = int(delay.max()) + 1 if len(delay) and delay.min() != delay.max() else 1
        self._dll.cosim_order(
            len(pre), _address(pre), _address(delay), _address(post), n_pre, n_delay, n_post, _address(order)
        )
        return order

    def arrange(self, edges: EdgeArrays, n_pre: int, n_post: int) -> EdgeArrays:
        """See cosim.neural.arrays.arrange: the same, many times faster."""
        pre, delay, post = (np.ascontiguousarray(a, dtype=np.int32) for a in edges[:3])
        columns = [np.ascontiguousarray(c, dtype=np.float64) for c in edges[3]]
        new = [np.empty(len(pre), dtype=np.int32) for _ in range(3)]
        new_columns = [np.empty(len(pre)) for _ in columns]
        n_delay = 2 if len(delay) and delay.min() != delay.max() else 1
        old_pointers, new_pointers = (
            np.array([_address(c) for c in cs], dtype=np.uintp) for cs in (columns, new_columns)
        )
        self._dll.cosim_arrange(
            len(pre), _address(pre), _address(delay), _address(post), n_pre, n_delay, len(columns),
            _address(old_pointers), *(_address(a) for a in new), _address(new_pointers),
        )  # fmt: skip
        return new[0], new[1], new[2], new_columns

    def encode(self, values: F64, edges: NDArray[np.void], place: int, table: F64) -> int:
        """See cosim.neural.packed.Encode."""
        values = np.ascontiguousarray(values)
        n: int = self._dll.cosim_encode(len(values), _address(values), _address(edges), place, _address(table))
        return n

    def open(self, arrays: Sequence[NDArray[Any]], n_queues: int, n_objects: int) -> Running:
        """A network over these arrays, in the order of the layout."""
        return Running(self._dll, arrays, n_queues, n_objects)


class Running:
    """One network in memory. It keeps every array that the library has a pointer to."""

    def __init__(self, dll: ctypes.CDLL, arrays: Sequence[NDArray[Any]], n_queues: int, n_objects: int) -> None:
        self._dll = dll
        self._kept: dict[Any, Any] = {"arrays": list(arrays)}
        pointers = np.array([_address(a) for a in arrays], dtype=np.uintp)
        sizes = np.array([len(a) for a in arrays], dtype=np.int64)
        self._context = dll.cosim_open(_address(pointers), _address(sizes), len(arrays), n_queues, n_objects)
        self._tick: Callable[[], int] = partial(dll.cosim_tick, ctypes.c_void_p(self._context))
        self._merged = np.empty(1024, dtype=np.int64), np.empty(1024, dtype=np.int32)
        self.plan(1)

    def plan(self, steps: int, room: int = 1024) -> None:
        """From now on a tick has so many steps; `room` is for the spikes of one."""
        self._steps, self._ids = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int32)
        self._dll.cosim_plan(self._context, steps, room, _address(self._steps), _address(self._ids))
        self._planned, self._room = steps, room

    def queue(self, index: int, first: I32, rows: I32, order: I32 | None, n_slots: int) -> None:
        """Set up a queue; see Queue and Row in engine.h: `rows` has shape (rows + 1, 2)."""
        self._kept["queue", index] = (first, rows, order)
        self._dll.cosim_queue(self._context, index, _address(first), _address(rows), _address(order), n_slots)

    def packed(self, index: int, edges: NDArray[np.void], tables: dict[int, tuple[int, F64]]) -> None:
        """The edges of an object, packed; `tables`: by number of an array, its place in an edge and its values."""
        self._kept["packed", index] = edges, tables
        self._dll.cosim_edges(self._context, index, _address(edges))
        for array, (place, values) in tables.items():
            self._dll.cosim_table(self._context, array, place, _address(values))

    def intact(self, index: int, mask: NDArray[np.uint8] | None) -> None:
        """Which synapses of an object still deliver, shape (edges,); None for all."""
        self._kept["intact", index] = mask
        self._dll.cosim_intact(self._context, index, _address(mask))

    def ids(self, ids: list[I32], *, sort: bool) -> None:
        """Global ids of the neurons of each spiking group; `sort` where ids of one step do not ascend by themselves."""
        pointers = np.array([_address(a) for a in ids], dtype=np.uintp)
        self._kept["ids"] = ids
        self._dll.cosim_ids(self._context, _address(pointers), len(ids), int(sort))

    def tick(self) -> int:
        """Integrate one tick; returns the number of spikes. Other Python threads may run meanwhile."""
        return self._found(self._tick())

    def worker(self) -> Worker:
        """Let ticks be integrated in a thread of the library."""
        return Worker(self._dll, self._context)

    def found(self, n: int) -> int:
        """The number of spikes of a tick that a worker has integrated; gets them."""
        return self._found(n)

    def steps(self, n: int, *, begins: bool, ends: bool) -> int:
        """Integrate n steps, which begin or end a tick; returns the number of the tick's spikes so far."""
        found: int = self._dll.cosim_steps(self._context, n, begins, ends)
        return self._found(found) if ends else found

    def _found(self, n: int) -> int:
        """Get the spikes of a tick if they did not fit."""
        if n > self._room:
            self.plan(self._planned, 2 * n)
            self._dll.cosim_spikes(self._context, _address(self._steps), _address(self._ids))
        return n

    # ------------------------------------------------------------ exchange

    def route(self, n_ranks: int, ids: I32, first: I64, rank: I32, number: I32) -> None:
        """Spikes leave through the exchange; see Exchange in engine.h. ids() gives numbers among the own neurons."""
        self._kept["route"] = (ids, first, rank, number)
        self._dll.cosim_route(self._context, n_ranks, *(_address(a) for a in (ids, first, rank, number)))

    def sources(self, n_groups: int, sources: I32 | None) -> None:
        """What may come in: (group, place in the group) of every source, (n, 2); None where there is one group."""
        self._kept["sources"] = sources
        self._dll.cosim_sources(self._context, n_groups, _address(sources))

    def exchanged(self, queue: int, group: int) -> None:
        """This queue's spikes come through the exchange, from sources of this group."""
        self._dll.cosim_exchanged(self._context, queue, group)

    def remember(self, steps: int) -> None:
        """history() goes back so many steps."""
        self._dll.cosim_remember(self._context, steps)

    def messages(self, sent: I64, received: I64) -> tuple[Callable[[], int], Callable[[], int]]:
        """Functions that write the messages to all ranks into `sent`, and deliver those in `received`, both of shape
        (ranks, 2 + room); each returns the largest number of spikes of a message. See cosim_pack and cosim_unpack."""
        self._kept["messages"] = sent, received
        ranks, room = sent.shape[0], _INT64(sent.shape[1] - 2)
        handle = ctypes.c_void_p(self._context)
        write = partial(self._dll.cosim_pack, handle, _POINTER(_address(sent)), room)
        return write, partial(self._dll.cosim_unpack, handle, _INT64(ranks), _POINTER(_address(received)), room)

    def rest(self, rank: int, n: int) -> I64:
        """The n spikes to a rank that did not fit into its message."""
        found = np.empty(n, dtype=np.int64)
        self._dll.cosim_rest(self._context, rank, _address(found))
        return found

    def incoming(self, counts: I64, spikes: I64) -> None:
        """Deliver what came from every rank; `spikes` is sorted in place."""
        self._dll.cosim_incoming(self._context, len(counts), _address(counts), _address(spikes))

    def numbers(self, out: I64) -> int:
        """Write the tick's spikes as single numbers into `out`, as far as there is room; returns how many they are."""
        found: int = self._dll.cosim_numbers(self._context, _address(out), len(out))
        return found

    def merge(self, counts: I64, numbers: I64) -> tuple[I64, I32]:
        """Such numbers of several ranks, one rank after another -> steps and global ids, sorted."""
        n = int(counts.sum())
        if n > len(self._merged[0]):
            self._merged = np.empty(2 * n, dtype=np.int64), np.empty(2 * n, dtype=np.int32)
        steps, ids = self._merged
        self._dll.cosim_merge(len(counts), *(_address(a) for a in (counts, numbers, steps, ids)))
        return steps[:n], ids[:n]

    def spikes(self, n: int) -> tuple[I64, I32]:
        """The last tick's spikes, steps and global ids; overwritten by the next tick."""
        return self._steps[:n], self._ids[:n]

    def history(self) -> tuple[I64, I32]:
        """The spikes of the last steps, as many as the longest delay: steps and global ids."""
        n = self._dll.cosim_history(self._context, None, None)
        steps, ids = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int32)
        self._dll.cosim_history(self._context, _address(steps), _address(ids))
        return steps, ids

    def set_history(self, steps: I64, ids: I32) -> None:
        """The inverse of history(). Empties all queues; push_again() fills them."""
        self._dll.cosim_set_history(self._context, len(steps), _address(steps), _address(ids))

    def push_again(self, index: int, ages: I32, sources: I32) -> None:
        """Put into a queue what these spikes still have in flight; see cosim.neural.snapshot.spikes_of."""
        self._dll.cosim_push_again(self._context, index, len(ages), _address(ages), _address(sources))

    def close(self) -> None:
        """Free the context."""
        if self._context is not None:
            self._dll.cosim_close(self._context)
            self._context = None

    def __del__(self) -> None:
        self.close()


class Worker:
    """A thread of the library that integrates ticks of one network: `begin` returns at once, `end` when one is done."""

    def __init__(self, dll: ctypes.CDLL, context: int | None) -> None:
        self._dll = dll
        self._worker: int | None = dll.cosim_worker(context)
        self._seconds = ctypes.c_double(0.0)
        here = ctypes.c_void_p(self._worker), ctypes.byref(self._seconds)
        # these keep the interpreter: whoever got it meanwhile would keep it for the 5 ms of its switch interval
        kept = ctypes.PyDLL(dll._name)
        kept.cosim_ended.restype = _INT64
        self.begin: Callable[[], None] = partial(kept.cosim_begin, here[0])
        self._ended: Callable[[], int] = partial(kept.cosim_ended, *here)
        self._end: Callable[[], int] = partial(dll.cosim_end, *here)

    def end(self) -> int:
        """Wait for the tick; returns the number of spikes. Other Python threads may run while it is not done."""
        found = self._ended()
        return found if found >= 0 else self._end()

    @property
    def seconds(self) -> float:
        """What all its ticks took."""
        return self._seconds.value

    def close(self) -> None:
        """End the thread, after the tick that it may be at."""
        if self._worker is not None:
            self._dll.cosim_worker_close(self._worker)
            self._worker = None
