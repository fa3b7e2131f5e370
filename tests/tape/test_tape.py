"""Every operation of a tape, by numpy and by a library: what it says it does, and the same bits from both."""

import ctypes
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.tape import F64, Tape
from cosim.tape.operations import ELEMENTWISE

ODD = np.array([-np.inf, -1e300, -3.25, -1.0, -0.5, -0.0, 0.0, 1e-320, 0.3, 1.0, 2.0, 7.5, 1e300, np.inf, np.nan])
RANDOM = np.random.default_rng(1)


def operands(count: int) -> list[F64]:
    """All combinations of odd numbers, and random ones."""
    grid = [x.reshape(-1) for x in np.meshgrid(*[ODD] * count)]
    return [np.concatenate([x, RANDOM.normal(0, 3, 300)]) for x in grid]


def same(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """The same bits, but for the sign of a nan, which IEEE 754 leaves open."""
    nan = np.isnan(a)
    return bool(np.array_equal(nan, np.isnan(b)) and a[~nan].tobytes() == b[~nan].tobytes())


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_both_give_the_same_bits(name: str, library: ctypes.PyDLL) -> None:
    count = ELEMENTWISE[name][1]
    given = operands(count)
    # arrays, numbers in every place, and in the place of the first operand
    choices: list[list[F64 | float]] = [list(given)]
    for place in range(count if count > 1 else 0):
        choices += [[number if k == place else x for k, x in enumerate(given)] for number in (0.0, 2.0, -np.inf)]
    for chosen in choices:
        found = []
        for player in (None, library):
            tape = Tape()
            out = tape.compute(name, *chosen)
            own = np.array(given[0])
            tape.compute(name, *[own if x is given[0] else x for x in chosen], out=own)
            tape.load(player)(0, np.empty(0, dtype=np.int32))
            found += [out, own]
        assert all(same(found[0], other) for other in found[1:])


def test_arithmetic_is_that_of_numpy(library: ctypes.PyDLL) -> None:
    a, b = operands(2)
    with np.errstate(all="ignore"):
        expected = {
            "add": a + b, "sub": a - b, "mul": a * b, "div": a / b, "neg": -a, "abs": np.abs(a), "sign": np.sign(a),
            "mod": np.mod(a, b), "lt": a < b, "ge": a >= b, "eq": a == b, "and": np.logical_and(a, b),
            "or": np.logical_or(a, b), "not": np.logical_not(a), "floor": np.floor(a), "sqrt": np.sqrt(a),
        }  # fmt: skip
    for name, values in expected.items():
        tape = Tape()
        out = tape.compute(name, *(a, b)[: ELEMENTWISE[name][1]])
        tape.load(library)(0, np.empty(0, dtype=np.int32))
        assert same(out + 0.0, np.asarray(values, dtype=np.float64) + 0.0), name


def test_of_two_zeros_the_first_is_taken() -> None:
    for name in ("max", "min"):
        for first in (0.0, -0.0):
            tape = Tape()
            out = tape.compute(name, np.full(9, first), np.full(9, -first))
            tape.play(0)
            assert (np.signbit(out) == np.signbit(first)).all()


Make = Callable[[Tape], F64]


def everything(tape: Tape, state: dict[str, NDArray]) -> None:
    """A tape with all that is no element by element operation; `state` holds what can be looked at afterwards."""
    x, ring, block, used, target = (state[key] for key in ("x", "ring", "block", "used", "target"))
    tape.call(lambda tick: x.__setitem__(slice(None), [tick, -tick, 0.5 * tick]))
    state["taken"] = tape.take(x, np.array([2, 0, 0]))
    tape.put(x, np.array([4, 1, 0]), target)
    tape.add_at(x, np.array([1, 3, 0]), target)
    state["sums"] = tape.sum_at(x, np.array([1, 0, 1]), 3)
    tape.mark(tape.compute("gt", x, 2.0), np.array([5, 6, 7]), target)
    state["ramp"] = tape.ramp(x, 4)
    tape.store(x, ring)
    state["recalled"] = tape.recall(ring, np.array([0, 1, 3]))
    state["counts"] = tape.count(np.array([0, 1, 2, 1, 3]), 3)
    state["gated"] = tape.gate(x, state["switch"])
    with tape.when(3, shift=1):
        tape.append(x, block, 1, used)
        tape.advance(used, 4)
    state["after"] = tape.compute("add", x, 1.0)


def fresh() -> dict[str, NDArray]:
    return {
        "x": np.zeros(3), "ring": np.full((4, 3), -1.0), "block": np.zeros((4, 5)), "target": np.zeros(8),
        "used": np.zeros(1, dtype=np.int64), "switch": np.ones(1),
    }  # fmt: skip


@pytest.mark.parametrize("player", ["numpy", "library"])
def test_operations_on_places(player: str, library: ctypes.PyDLL) -> None:
    tape, state = Tape(), fresh()
    everything(tape, state)
    play = tape.load(library if player == "library" else None)
    answers = []
    for tick in range(12):
        state["switch"][0] = tick != 7
        target = np.zeros(8)
        state["target"][:] = 0.0
        answers.append(play(tick, np.array([0, 1, 3, 3, 2, 4, 99], dtype=np.int32)))
        x = np.array([tick, -tick, 0.5 * tick])
        assert state["taken"].tolist() == [x[2], x[0], x[0]]
        target[[4, 1, 0]] = x
        target[[1, 3, 0]] += x
        target[[5, 6, 7]] = x > 2
        assert state["target"].tolist() == target.tolist()
        assert state["sums"].tolist() == [x[1], x[0] + x[2], 0]
        assert state["ramp"].tolist() == (x * min(tick / 4, 1)).tolist()
        assert state["recalled"].tolist() == [x[0], -(tick - 1) if tick else -1, 0.5 * (tick - 3) if tick > 2 else -1]
        assert state["counts"].tolist() == [1, 3, 1]  # 4 and what lies beyond count for no channel
        assert state["gated"].tolist() == (x if tick != 7 else 0 * x).tolist()
        assert state["after"].tolist() == (x + 1).tolist()
    assert answers == [tick == 11 for tick in range(12)]  # ticks 2, 5, 8, 11 are taken
    assert state["block"].tolist() == [[0, k, -k, 0.5 * k, 0] for k in (2, 5, 8, 11)]
    assert state["used"][0] == 4


def test_what_is_not_finite_is_answered(library: ctypes.PyDLL) -> None:
    for player in (None, library):
        values = np.zeros(1000)
        tape = Tape()
        tape.finite(np.ones(3))
        tape.finite(values)
        play = tape.load(player)
        nobody = np.empty(0, dtype=np.int32)
        assert not play(0, nobody)
        for wrong in (np.inf, -np.inf, np.nan):
            values[997] = wrong
            assert play(1, nobody)
        values[997] = 1e308
        assert not play(2, nobody)


def test_more_ids_than_there_was_room_for(library: ctypes.PyDLL) -> None:
    tape = Tape()
    counts = tape.count(np.array([0, 1, 1]), 1)
    play = tape.load(library)
    for n in (10, 5000, 3):
        play(0, np.zeros(n, dtype=np.int32))
        assert counts.tolist() == [n]


def test_arrays_of_other_numbers_are_copied_there_and_back() -> None:
    truth, whole = np.array([True, False, True]), np.zeros(3, dtype=np.int32)
    tape = Tape()
    values = tape.read(truth)
    with tape.written(whole) as target:
        tape.compute("add", values, 2.0, out=target)
    tape.play(0)
    assert whole.tolist() == [3, 2, 3]
    truth[:] = False
    tape.play(1)
    assert whole.tolist() == [2, 2, 2]


def test_rows_of_a_table_are_picked_element_by_element(library: ctypes.PyDLL) -> None:
    table = np.arange(12.0).reshape(4, 3)
    for player in (None, library):
        rows = np.array([0.0, 2.9, 3.0])
        tape = Tape()
        out = tape.pick(rows, table)
        play = tape.load(player)
        play(0, np.empty(0, dtype=np.int32))
        assert out.tolist() == [0.0, 7.0, 11.0]
        rows[:] = [-1.0, np.nan, np.inf]
        play(1, np.empty(0, dtype=np.int32))
        assert out.tolist() == [0.0, 1.0, 11.0]
