"""YAML 1.2 scalars, marks, anchors and merge keys."""

from __future__ import annotations

import math
from typing import Any

import pytest

from cosim.errors import UserError
from cosim.spec.yamlmarks import Node, parse


def value(text: str) -> Any:
    return parse(f"a: {text}\n", "f").plain()["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("No", "No"),
        ("true", True), ("False", False),
        ("1e-3", 1e-3), ("1E3", 1e3), ("-.5", -0.5), ("1.", 1.0), ("+3", 3),
        ("12:30", "12:30"), ("1_000", "1_000"),
        ("0o17", 15), ("0x1F", 31), ("0", 0), ("-0", 0), ("2026-01-02", "2026-01-02"), ("~", None), ("null", None),
        ("", None), ("'1'", "1"), ('"true"', "true"), ("!!str 3", "3"), (".inf", math.inf), ("-.inf", -math.inf),
        ("1 ms", "1 ms"), ("0.5", 0.5), ("=", "="), ("1e", "1e"), ("nan", "nan"), ("inf", "inf"),
    ],
)  # fmt: skip
def test_plain_scalars_mean_what_yaml_1_2_says(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_keys_are_always_text() -> None:
    assert parse("no: 1\n1: 2\ntrue: 3\n~: 4\n1e-3: 5\n", "f").plain() == {
        "no": 1, "1": 2, "true": 3, "~": 4, "1e-3": 5,
    }  # fmt: skip


def test_marks_of_keys_and_values() -> None:
    root = parse("a:\n  b: [1,\n    {c: 2}]\n", "f")
    deepest = root.at(("a", "b", 1, "c"))
    assert deepest is not None
    assert (deepest.key_line, deepest.key_column, deepest.line, deepest.column) == (3, 6, 3, 9)
    listed = root.at(("a", "b"))
    assert listed is not None
    assert (listed.key_line, listed.key_column, listed.line, listed.column) == (2, 3, 2, 6)


def test_merge_keys_own_keys_win_and_earlier_sources_win() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {c: 3, <<: [*x, *y]}\n"
    assert parse(text, "f").plain()["z"] == {"a": 1, "b": 1, "c": 3}


def test_an_aliased_value_keeps_its_place_and_is_a_copy() -> None:
    root = parse("a: &a {b: 1}\nc: *a\n", "f")
    first, second = root.at(("a", "b")), root.at(("c", "b"))
    assert isinstance(first, Node)
    assert isinstance(second, Node)
    assert first is not second
    assert (second.line, second.column) == (1, 11)


def test_every_duplicate_is_told_with_both_lines() -> None:
    with pytest.raises(UserError) as caught:
        parse("a: 1\nb: 1\na: 2\nc: {d: 1,\n  d: 2}\n", "f")
    assert [str(p) for p in caught.value.problems] == [
        "f:3:1: the key 'a' is given twice, first in line 1",
        "f:5:3: the key 'd' is given twice, first in line 4",
    ]


def test_windows_line_ends_count_once() -> None:
    root = parse("a: 1\r\nb: 2\r\n", "f")
    second = root.at(("b",))
    assert second is not None
    assert second.line == 2
