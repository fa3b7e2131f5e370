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


class _Fold(ast.NodeTransformer):
    """Parts without an argument become one value, computed here; numbers that meet an array become arrays without
    dimensions, which numpy takes in half the time. Neither changes a bit of the result.

    `names` is what the code may refer to, with example values of the arguments; folded values are added to it.
    """

    def __init__(self, arguments: tuple[str, ...], names: dict[str, Any]) -> None:
        self._arguments = arguments
        self._names = names

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.expr) and not isinstance(node, ast.Constant | ast.Name) and self._fixed(node):
            return self._name(self._value(node))
        self.generic_visit(node)
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Pow):  # x**2 is x*x for the number 2 alone
            node.left, node.right = self._pair(node.left, node.right)
        elif isinstance(node, ast.Compare):
            node.left, node.comparators[0] = self._pair(node.left, node.comparators[0])
        elif isinstance(node, ast.Call) and len(node.args) == 2 and self._value(node.func) in (np.maximum, np.minimum):
            node.args = list(self._pair(*node.args))
        return node

    def _pair(self, one: ast.expr, other: ast.expr) -> tuple[ast.expr, ast.expr]:
        return self._number(one, beside=other), self._number(other, beside=one)

    def _number(self, node: ast.expr, *, beside: ast.expr) -> ast.expr:
        """A number that meets an array of float64, as an array. (Whole numbers among themselves stay what they are.)"""
        if not self._fixed(node) or self._fixed(beside):
            return node
        number, array = self._value(node), self._value(beside)
        if isinstance(number, int | float) and isinstance(array, np.ndarray) and array.dtype == np.float64:
            return self._name(np.array(float(number)))
        return node

    def _fixed(self, node: ast.expr) -> bool:
        return not any(isinstance(n, ast.Name) and n.id in self._arguments for n in ast.walk(node))

    def _value(self, node: ast.expr) -> Any:
        code = compile(ast.fix_missing_locations(ast.Expression(node)), "<expression>", "eval")
        with np.errstate(all="ignore"):
            return eval(code, self._names)

    def _name(self, value: Any) -> ast.Name:
        name = f"_{len(self._names)}"
        self._names[name] = value
        return ast.Name(name, ast.Load())


def compiled(expression: Expression, scope: Scope, arguments: tuple[str, ...], dim: Dim) -> Callable[..., Any]:
    """A plain numpy function of `arguments` for a hot loop: units are checked once, here, with the values in `scope`.

    Everything in `scope` but the arguments is bound as it is now. Raises UnitError where names or units do not fit,
    or the result is not of dimension `dim`.
    """
    result = expression.evaluate(scope)
    if result.dim != dim and not (any(dim) and not any(result.dim) and np.all(np.asarray(result.value) == 0)):
        raise UnitError(f"'{expression.text}': expected {dim_text(dim)}, got {kind_text(result.dim)}")
    tree = _ToNumpy(scope).visit(ast.parse(brian_text(expression.text), mode="eval").body)
    bound: dict[str, Any] = {name: value.value for name, value in scope.items()}
    bound |= {**_NUMPY, "_and": np.logical_and, "_or": np.logical_or, "_not": np.logical_not, "__builtins__": {}}
    tree = _Fold(arguments, bound).visit(tree)
    signature = ast.arguments([], [ast.arg(a) for a in arguments], None, [], [], None, [])
    function = ast.fix_missing_locations(ast.Expression(ast.Lambda(signature, tree)))
    call: Callable[..., Any] = eval(compile(function, f"<{expression.text}>", "eval"), bound)
    return call
