"""Expressions as plain numpy functions, for hot loops: units are checked once and gone."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from cosim.spec.units import (
    CONSTANTS,
    FUNCTIONS,
    UNITS,
    Dim,
    Expression,
    Scope,
    UnitError,
    brian_text,
    dim_text,
    kind_text,
)

_NUMPY = {
    "max": np.maximum, "min": np.minimum, "abs": np.abs, "clip": np.clip, "exp": np.exp, "log": np.log, "sin": np.sin,
    "cos": np.cos, "tan": np.tan, "tanh": np.tanh, "floor": np.floor, "sqrt": np.sqrt, "where": np.where,
    "sign": np.sign,
}  # fmt: skip


class _ToNumpy(ast.NodeTransformer):
    """Boolean operators to numpy calls, units and constants to numbers; everything else is Python already."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._scope or node.id in FUNCTIONS:
            return node
        number = UNITS[node.id][0] if node.id in UNITS else CONSTANTS[node.id]
        return ast.copy_location(ast.Constant(number), node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        name = "_and" if isinstance(node.op, ast.And) else "_or"
        result = node.values[0]
        for value in node.values[1:]:
            result = ast.Call(ast.Name(name, ast.Load()), [result, value], [])
        return result

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return ast.Call(ast.Name("_not", ast.Load()), [node.operand], [])
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        parts: list[ast.expr] = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            parts.append(ast.Compare(left, [op], [right]))
            left = right
        result = parts[0]
        for part in parts[1:]:
            result = ast.Call(ast.Name("_and", ast.Load()), [result, part], [])
        return result


def compiled(expression: Expression, scope: Scope, arguments: tuple[str, ...], dim: Dim) -> Callable[..., Any]:
    """A plain numpy function of `arguments` for a hot loop: units are checked once, here, with the values in `scope`.

    Everything in `scope` but the arguments is bound as it is now. Raises UnitError where names or units do not fit,
    or the result is not of dimension `dim`.
    """
    result = expression.evaluate(scope)
    if result.dim != dim and not (any(dim) and not any(result.dim) and np.all(np.asarray(result.value) == 0)):
        raise UnitError(f"'{expression.text}': expected {dim_text(dim)}, got {kind_text(result.dim)}")
    tree = _ToNumpy(scope).visit(ast.parse(brian_text(expression.text), mode="eval").body)
    signature = ast.arguments([], [ast.arg(a) for a in arguments], None, [], [], None, [])
    function = ast.fix_missing_locations(ast.Expression(ast.Lambda(signature, tree)))
    bound: dict[str, Any] = {name: value.value for name, value in scope.items() if name not in arguments}
    bound |= {**_NUMPY, "_and": np.logical_and, "_or": np.logical_or, "_not": np.logical_not, "__builtins__": {}}
    call: Callable[..., Any] = eval(compile(function, f"<{expression.text}>", "eval"), bound)
    return call
