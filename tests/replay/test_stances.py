"""Statistics of contacts: what they say of perfect, constant and shifted answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cosim.analyse.stances import Stances, balanced_accuracy, binned, compare, read_stances
from cosim.errors import UserError

DOWN = np.array([[1, 1, 1, 0, 0] * 20, [0, 1, 1, 1, 1] * 20], dtype=bool).T
RECORD = Stances(np.arange(100) * 0.01, 0.01, ("L", "R"), DOWN)


def test_a_perfect_answer_and_its_shifts() -> None:
    found = compare(DOWN * 1e-6, RECORD, 3e-7, 99)
    assert found.mean_accuracy == 1
    assert found.mean_r == pytest.approx(1)
    # shifted by one frame of five: L has 2 of 3 and 1 of 2 right, R 3 of 4 and 0 of 1
    assert found.shifted[0, 0] == pytest.approx(((2 / 3 + 1 / 2) / 2 + (3 / 4 + 0) / 2) / 2)
    # by a whole period it is the record again
    assert found.shifted[4] == pytest.approx([1, 1])


def test_always_down_is_worth_nothing() -> None:
    found = compare(np.ones(DOWN.shape), RECORD, 3e-7, 4)
    assert found.mean_accuracy == 0.5
    assert np.isnan(found.mean_r)


def test_a_leg_that_never_lifts_is_left_out() -> None:
    always = np.ones(100, dtype=bool)
    assert np.isnan(balanced_accuracy(DOWN[:, 0], always))
    record = Stances(RECORD.time, 0.01, ("L", "R"), np.stack([DOWN[:, 0], always], axis=1))
    assert compare(record.down * 1.0, record, 0.5, 2).mean_accuracy == 1


def test_bins_take_the_readings_that_end_in_them() -> None:
    time = np.arange(1, 9) * 0.5  # a reading at 0.5 is that of [0, 0.5)
    values = np.arange(8.0)[:, None]
    assert binned(time, values, np.array([0.0, 1.0, 3.0]), 1.0)[:, 0] == pytest.approx([0.5, 2.5, 6.5])


def test_duty_and_steps() -> None:
    assert RECORD.duty == pytest.approx([0.6, 0.8])
    assert RECORD.steps == pytest.approx([19, 20])
    part = RECORD.between(0.1, 0.2)
    assert len(part.time) == 10
    assert part.time[0] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time [ms],L\n0,1\n10,2\n", "row 2: a contact is 0 or 1"),
        ("time [ms],L\n0,1\n10,0\n30,1\n", "expected times with equal steps"),
        ("frame,L\n0,1\n1,0\n", "expected a column 'time [s]'"),
    ],
)
def test_a_wrong_record_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="^[^\n]*$") as caught:
        read_stances(path)
    assert message in str(caught.value)


def test_the_shipped_records() -> None:
    folder = Path(__file__).parents[2] / "bodies/fly/kinematics"
    for fly, frames in ((1, 599), (2, 600), (3, 600)):
        record = read_stances(folder / f"contacts_fly{fly}.csv")
        assert record.legs == ("LF", "LM", "LH", "RF", "RM", "RH")
        assert len(record.time) == frames
    assert len(read_stances(folder / "contacts_fly1.csv").between(0, 1).time) == 100
