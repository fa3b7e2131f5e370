"""Read the tables of a data set, join them, and see whether they hold what the descriptor promises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.connectome.columns import Column, Numbers, Texts, matches
from cosim.connectome.data import Connectome
from cosim.connectome.tables import EdgeTable, read_edges, read_more, read_nodes
from cosim.errors import Problem, UserError
from cosim.spec.connectome import ConnectomeSpec, ExpectSpec, SignSpec
from cosim.spec.load import Document
from cosim.spec.units import UnitError


def prepare(document: Document, files: Mapping[str, Path], key: str, hashes: Mapping[str, str]) -> Connectome:
    """Read everything; `hashes` are those of the files.

    Raises UserError with one line for what cannot be used, and for every number that is not met.
    """
    from cosim.connectome.releases import elsewhere

    spec = document.spec
    assert isinstance(spec, ConnectomeSpec)
    ids, nodes = read_nodes(files[spec.nodes.file], spec.nodes)
    for more in spec.nodes.more:
        if more.file in files:
            nodes |= read_more(files[more.file], more, ids)

    def absent(cell: str) -> str:
        return f"'{cell}' is no cell of {files[spec.nodes.file].name}{elsewhere(document.path, cell)}"

    tables = [read_edges(files[table.file], table, ids, absent) for table in spec.edges]
    try:
        edges = _joined(tables)
    except UnitError as error:
        raise UserError(document.problem(("edges",), str(error))) from None
    del tables
    indptr, order = _by_target(edges, len(ids))
    pre = edges.pre[order]
    columns = {name: column.at(order) for name, column in edges.columns.items()}
    if spec.sign is not None:
        try:
            columns["sign"] = _sign(spec.sign, columns, nodes, pre)
        except UnitError as error:
            raise UserError(document.problem(("sign",), str(error))) from None
    ordered = {name: columns[name] for name in spec.edge_columns}
    connectome = Connectome(spec, key, hashes, ids, nodes, indptr, pre, ordered)
    problems = check_numbers(document, connectome)
    if problems:
        raise UserError(problems)
    return connectome


def _joined(tables: list[EdgeTable]) -> EdgeTable:
    """All tables under each other; raises UnitError where a column is of words here and of numbers there."""
    if len(tables) == 1:
        return tables[0]
    columns: dict[str, Column] = {}
    for name in tables[0].columns:
        columns[name] = _stacked(name, [table.columns[name] for table in tables])
    pre = np.concatenate([table.pre for table in tables])
    return EdgeTable(pre, np.concatenate([table.post for table in tables]), columns)


def _stacked(name: str, parts: list[Column]) -> Column:
    if all(isinstance(part, Texts) for part in parts):
        words = list(dict.fromkeys(word for part in parts if isinstance(part, Texts) for word in part.words))
        place = {word: code for code, word in enumerate(words)}
        codes = [
            np.array([place[word] for word in part.words], dtype=np.int32)[part.codes]
            for part in parts
            if isinstance(part, Texts) and len(part.words)
        ]
        return Texts(np.concatenate(codes) if codes else np.empty(0, dtype=np.int32), tuple(words))
    numbers = [part for part in parts if isinstance(part, Numbers)]
    if len(numbers) != len(parts) or len({part.dim for part in numbers}) > 1:
        raise UnitError(f"the column '{name}' is of different kinds in the tables of edges")
    return Numbers(np.concatenate([part.values for part in numbers]), numbers[0].dim)


def _by_target(edges: EdgeTable, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the edges of each target begin, shape (n + 1,), and the order (post, pre) of the edges."""
    indptr = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(edges.post, minlength=n), out=indptr[1:])
    return indptr, np.argsort(edges.post.astype(np.int64) * n + edges.pre, kind="stable")


def _sign(
    rule: SignSpec, edges: Mapping[str, Column], nodes: Mapping[str, Column], pre: NDArray[np.int32]
) -> Column:  # fmt: skip
    column = edges[rule.column] if rule.column in edges else nodes[rule.column].at(pre)
    if isinstance(column, Numbers):
        if rule.values is not None:
            raise UnitError(f"values gives signs to words, and {rule.column} has numbers")
        wrong = column.values[~np.isin(column.values, (-1, 0, 1))]
        if len(wrong):
            raise UnitError(f"the sign {wrong[0]:g} in {rule.column} is none of -1, 0, 1")
        return Numbers(column.values.astype(np.int8))
    if rule.values is None:
        raise UnitError(f"{rule.column} has words: give the sign of each under values")
    signs = np.zeros(len(column.words), dtype=np.int8)
    used = np.bincount(column.codes, minlength=len(column.words)) > 0
    for code, word in enumerate(column.words):
        sign = rule.values.get(word, rule.otherwise)
        if sign is None and used[code]:
            raise UnitError(f"no sign for the {rule.column} '{word}': name it under values, or give otherwise")
        signs[code] = sign or 0
    return Numbers(signs[column.codes])


def check_numbers(document: Document, connectome: Connectome) -> list[Problem]:
    """The numbers of ``expect`` that are not met."""
    problems = []
    for i, expect in enumerate(connectome.spec.expect):
        try:
            found = counted(connectome, expect)
        except UnitError as error:
            problems.append(document.problem(("expect", i), str(error)))
            continue
        for key, (wanted, got) in found.items():
            if wanted != got:
                which = f" where {_conditions(expect.where)}" if expect.where else ""
                message = f"expected {wanted} {_WORDS[key]}{which}, the tables have {got}"
                problems.append(document.problem(("expect", i, key), message))
    return problems


_WORDS = {"nodes": "cells", "connected": "cells with a connection", "edges": "connections", "synapses": "synapses"}


def _conditions(where: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {list(v) if isinstance(v, tuple) else v}" for key, v in where.items())


def counted(connectome: Connectome, expect: ExpectSpec) -> dict[str, tuple[int, int]]:
    """Of every number of an expectation: what is wanted and what there is. Raises UnitError."""
    found: dict[str, tuple[int, int]] = {}
    if expect.nodes is not None or expect.connected is not None:
        mask = matches(expect.where, connectome.nodes, connectome.n, f"the cells of {connectome.name}")
        if expect.nodes is not None:
            found["nodes"] = expect.nodes, int(mask.sum())
        if expect.connected is not None:
            onto, out = connectome.degrees()
            found["connected"] = expect.connected, int((mask & (onto + out > 0)).sum())
        return found
    edges = matches(expect.where, connectome.edges, len(connectome), f"the connections of {connectome.name}")
    if expect.edges is not None:
        found["edges"] = expect.edges, int(edges.sum())
    if expect.synapses is not None:
        count = connectome.edges["count"]
        assert isinstance(count, Numbers)
        found["synapses"] = expect.synapses, int(count.values[edges].sum(dtype=np.float64))
    return found
