"""An expression of a wire, checked once and written on a tape."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import NamedTuple

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
from cosim.tape import F64, Tape
from cosim.tape.operations import ELEMENTWISE

_BINARY: dict[type, str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Mod: "mod"}
_COMPARE: dict[type, str] = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip
#: powers that are multiplications (cosim.exact.raised)
_POWERS = {0.5: "sqrt", 1.0: "copy", 2.0: "square", 3.0: "cube", 4.0: "fourth"}


class Formula:
    """An expression of some arguments; everything else in `scope` is bound as it is now.

    Raises UnitError where names or units do not fit, or the result is not of dimension `dim`. `scope` holds examples of
    the arguments, too.
    """

    def __init__(self, expression: Expression, scope: Scope, arguments: tuple[str, ...], dim: Dim) -> None:
        result = expression.evaluate(scope)
        if result.dim != dim and not (any(dim) and not any(result.dim) and np.all(np.asarray(result.value) == 0)):
            raise UnitError(f"'{expression.text}': expected {dim_text(dim)}, got {kind_text(result.dim)}")
        self._tree = ast.parse(brian_text(expression.text), mode="eval").body
        names = expression.names - set(arguments)
        self._known = {name: np.atleast_1d(_number(name, scope)).astype(np.float64) for name in names}
        self._arguments = arguments
        #: those of the arguments that it uses
        self.used = expression.names & set(arguments)

    def on(self, tape: Tape, *values: F64) -> F64:
        """Write it on a tape, with values (n,) of the arguments; the answer has the shape (n,)."""
        given = dict(zip(self._arguments, values, strict=True))
        array, fixed, _ = _Writer(tape, self._known, given).write(self._tree)
        return np.array(np.broadcast_to(array, values[0].shape)) if fixed else array


def _number(name: str, scope: Scope) -> float | F64:
    if name in scope:
        return np.asarray(scope[name].value, dtype=np.float64)
    return UNITS[name][0] if name in UNITS else CONSTANTS[name]


class _Term(NamedTuple):
    """Numbers; whether they are the same in every tick, and whether nobody else needs them."""

    array: F64
    fixed: bool
    own: bool = False


class _Writer:
    """Writes a tree on a tape; what does not depend on an argument is computed at once."""

    def __init__(self, tape: Tape, known: Mapping[str, F64], arguments: Mapping[str, F64]) -> None:
        self._tape, self._known, self._arguments = tape, known, arguments

    def write(self, node: ast.expr) -> _Term:
        match node:
            case ast.Constant(value=value):
                return _Term(np.array([float(value)]), True)  # type: ignore[arg-type]
            case ast.Name(id=name):
                found = self._arguments.get(name)
                return _Term(self._known[name], True) if found is None else _Term(found, False)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(self.write(left), self.write(right))
            case ast.BinOp(left=left, op=op, right=right):
                return self._apply(_BINARY[type(op)], self.write(left), self.write(right))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.write(operand)
            case ast.UnaryOp(op=op, operand=operand):
                return self._apply("not" if isinstance(op, ast.Not) else "neg", self.write(operand))
            case ast.BoolOp(op=op, values=values):
                return self._join("and" if isinstance(op, ast.And) else "or", [self.write(v) for v in values])
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                terms = [self.write(v)._replace(own=False) for v in (left, *comparators)]  # they may be compared twice
                pairs = zip(ops, terms[:-1], terms[1:], strict=True)
                return self._join("and", [self._apply(_COMPARE[type(op)], a, b) for op, a, b in pairs])
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in FUNCTIONS:
                return self._apply(name, *(self.write(v) for v in arguments))
        raise AssertionError(ast.dump(node))  # Expression has refused everything else

    def _join(self, name: str, terms: list[_Term]) -> _Term:
        result = terms[0]
        for term in terms[1:]:
            result = self._apply(name, result, term)
        return result

    def _power(self, base: _Term, exponent: _Term) -> _Term:
        size = abs(float(exponent.array[0])) if exponent.fixed and len(exponent.array) == 1 else None
        if size not in _POWERS:
            return self._apply("power", base, exponent)
        result = base if size == 1 else self._apply(_POWERS[size], base)
        return self._apply("div", _Term(np.ones(1), True), result) if exponent.array[0] < 0 else result

    def _apply(self, name: str, *terms: _Term) -> _Term:
        arrays = [term.array for term in terms]
        if not all(term.fixed for term in terms):
            # in the place of an operand: what is read next is then at hand, in the processor's cache
            own = next((term.array for term in terms if term.own), None)
            return _Term(self._tape.compute(name, *arrays, out=own), False, own=True)
        out = np.zeros(max(len(x) for x in arrays))
        with np.errstate(all="ignore"):
            ELEMENTWISE[name][0](*arrays, out=out)
        return _Term(out, True)
