"""The arms of a sweep: the intact one, the lesions, and beside them the same with shuffled wiring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cosim.errors import Problem
from cosim.graph.ir import NetworkIR
from cosim.graph.lesion import select
from cosim.spec.circuit import CircuitSpec, ContinuousSpec, ProjectionSpec
from cosim.spec.experiment import Select
from cosim.spec.load import Document
from cosim.spec.overrides import Override
from cosim.spec.sweep import INTACT, EachSpec, SeriesSpec, SpacedSpec, SweepSpec
from cosim.spec.units import Scope, UnitError, suggest
from cosim.spec.yamlmarks import Node, from_python
from cosim.sweep.axes import spaced, text_of
from cosim.sweep.table import CONTROL

if TYPE_CHECKING:
    from cosim.spec.sweep import ControlSpec

#: entries of an ablation that may be a list, one arm a value
_SERIES = ("silence", "fraction", "cut", "transect", "at")


@dataclass(frozen=True)
class Arm:
    """A variant of the experiment: ablations (as nodes of the document) and other changes, on top of every point."""

    name: str
    ablations: tuple[Node, ...] = ()
    changes: tuple[Override, ...] = ()


def arms(
    spec: SweepSpec, document: Document, scope: Scope, network: NetworkIR | None, circuit: CircuitSpec | None
) -> tuple[list[Arm], list[Problem]]:
    """All arms in the order of the document, the intact one first; and what is wrong with them."""
    found = [Arm(INTACT)]
    problems: list[Problem] = []
    for name, entry in spec.ablate.items():
        node = document.root.at(("ablate", name))
        assert node is not None  # it was validated
        if name == INTACT:
            continue
        if isinstance(entry, list):
            found.append(Arm(name, tuple(node.value if node.is_list else [node])))
            continue
        try:
            made = (
                _each(name, entry, node, network) if isinstance(entry, EachSpec) else _series(name, entry, node, scope)
            )
            found += made
        except UnitError as error:
            path = ("ablate", name, "each") if isinstance(entry, EachSpec) else ("ablate", name)
            problems.append(document.problem(path, str(error)))
    if spec.control is not None and not problems:
        controls, problems = _controls(spec.control, document, found, circuit)
        found += controls
    return found, problems


def _each(name: str, entry: EachSpec, node: Node, network: NetworkIR | None) -> Iterator[Arm]:
    """One arm a neuron, named by its cell or its number in the population."""
    if network is None:
        raise UnitError("the experiment has no circuit")
    chosen = select(network, entry.each)
    several = len(chosen) > 1
    for population, ids in chosen.items():
        cells = network.populations[population].cells
        for number in ids.tolist():
            label = str(cells.ids[number]) if cells is not None else str(number)
            where: dict[str, Any] = {"cells": [label]} if cells is not None else {"neurons": [number]}
            content: dict[str, Any] = {"silence": population, "where": where}
            ablation = _placed(from_python(content, node.file), node)
            at = node.child("at")
            if at is not None:
                ablation.value["at"] = at
            yield Arm(f"{name} {population} {label}" if several else f"{name} {label}", (ablation,))


def _placed(made: Node, node: Node) -> Node:
    """A node that is made, at the place of the one that it is made from."""
    for _, one in made.walk():
        one.line, one.column, one.key_line, one.key_column = node.line, node.column, node.key_line, node.key_column
    return made


def _series(name: str, entry: SeriesSpec, node: Node, scope: Scope) -> Iterator[Arm]:
    """One arm a value of the entry that is a list; a single ablation without one."""
    lists = [key for key in _SERIES if (child := node.child(key)) is not None and (child.is_list or child.is_mapping)]
    if not lists:
        yield Arm(name, (node,))
        return
    if len(lists) > 1:
        raise UnitError(f"one entry may be a list, got {' and '.join(lists)}")
    key = lists[0]
    child = node.child(key)
    assert child is not None
    values: SpacedSpec | list[Any] = getattr(entry, key)
    if isinstance(values, SpacedSpec):
        nodes = [_placed(Node(text, child.file, 0, 0), child) for text in spaced(values, scope)]
    else:
        nodes = list(child.value)
    if not nodes:
        raise UnitError(f"{key} is an empty list: there would be no arm")
    for one in nodes:
        ablation = replace(node, value={**node.value, key: one})
        yield Arm(f"{name} {text_of(one.plain())}", (ablation,))


def _controls(
    control: ControlSpec, document: Document, there: list[Arm], circuit: CircuitSpec | None
) -> tuple[list[Arm], list[Problem]]:
    names = [arm.name for arm in there]
    problems: list[Problem] = []
    if circuit is None:
        return [], [document.problem(("control",), "the experiment has no circuit")]
    joined: dict[str, ProjectionSpec | ContinuousSpec] = {**circuit.projections, **circuit.continuous}
    for key, known in (("arms", names), ("projections", list(joined))):
        for i, name in enumerate(getattr(control, key) or ()):
            if name not in known:
                message = f"no {key[:-1]} '{name}'{suggest(name, known)}"
                problems.append(document.problem(("control", key, i), message))
    if problems:
        return [], problems
    node = document.root.child("control")
    assert node is not None
    # where all pairs are joined there is nothing to shuffle
    chosen = [name for name in control.projections or joined if not joined[name].connect.all_to_all]
    changes = tuple(_shuffled(name, joined[name], name in circuit.continuous, node) for name in chosen)
    if not changes:
        return [], [document.problem(("control",), "there are no projections to shuffle")]
    wanted = control.arms or names
    return [replace(arm, name=arm.name + CONTROL, changes=changes) for arm in there if arm.name in wanted], []


def _shuffled(name: str, projection: ProjectionSpec | ContinuousSpec, graded: bool, node: Node) -> Override:
    """The change that shuffles one projection."""
    path = ("circuit", "continuous" if graded else "projections", name, "connect")
    if projection.connect.one_to_one:  # may be written as a single word
        value = from_python({"one_to_one": True, "shuffle": "degree_preserving"}, node.file)
        return Override(path, _placed(value, node))
    return Override((*path, "shuffle"), _placed(Node("degree_preserving", node.file, 0, 0), node))


def count(spec: SweepSpec, network: NetworkIR | None) -> int:
    """How many arms there will be, without making them; what is wrong counts as one."""
    total = 1
    for name, entry in spec.ablate.items():
        if name == INTACT:
            continue
        total += _count(entry, network)
    if spec.control is not None:
        total += len(spec.control.arms) if spec.control.arms is not None else total
    return total


def _count(entry: Any, network: NetworkIR | None) -> int:
    if isinstance(entry, EachSpec) and network is not None:
        return _neurons(network, entry.each)
    if isinstance(entry, SeriesSpec):
        values: list[Any] = [getattr(entry, key) for key in _SERIES]
        spacings: list[int] = [value.linspace[2] for value in values if isinstance(value, SpacedSpec)]
        return max([1, *spacings, *(len(value) for value in values if isinstance(value, list))])
    return 1


def _neurons(network: NetworkIR, wanted: Select) -> int:
    try:
        return sum(int(np.size(ids)) for ids in select(network, wanted).values())
    except UnitError:
        return 1
