"""The functions in C++, translated from their Python: the same operations in the same order, so the same bits.

What is translated is what they are written in: assignments of expressions (of pairs and triples, too), the operations
of `cosim.exact.operations`, and calls of each other. Branches are expressions, so loops over them can be vectorised.
The text is good for C++11 and may be included more than once.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from cosim.exact import circular, constants, exponential, logarithm, powers, sums

_MODULES: tuple[ModuleType, ...] = (sums, powers, exponential, logarithm, circular)
_OPERATIONS = {
    "with_sign_of": "std::copysign",
    "absolute": "std::fabs",
    "square_root": "std::sqrt",
    "whole": "std::floor",
}
_OPERATORS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&",
    ast.BitOr: "|", ast.BitXor: "^", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==",
    ast.NotEq: "!=",
}  # fmt: skip
_TYPES = {"Real": "double", "Real | float": "double", "Bits": "uint64_t"}

_HEAD = """
#ifndef COSIM_EXACT
#define COSIM_EXACT
#include <cmath>
#include <cstdint>
#include <cstring>

static inline uint64_t cosim_bits(double x)
{
    uint64_t u;
    std::memcpy(&u, &x, sizeof u);
    return u;
}

static inline double cosim_value(uint64_t u)
{
    double x;
    std::memcpy(&x, &u, sizeof x);
    return x;
}

template <typename A, typename B> struct cosim_Two
{
    A a;
    B b;
};

template <typename A, typename B, typename C> struct cosim_Three
{
    A a;
    B b;
    C c;
};
"""


@lru_cache(maxsize=1)
def source() -> str:
    """All functions, as ``cosim_<name>``."""
    parts = [_HEAD, *_constants()]
    for module in _MODULES:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.Assign):
                name = ast.unparse(node.targets[0])
                parts.append(_constant(name, getattr(module, name)))
            elif isinstance(node, ast.FunctionDef):
                parts.append(_function(node))
    return "\n".join([*parts, "#endif\n"])


def name_of(function: str) -> str:
    """What a function is called in C++."""
    return f"cosim_{function}"


def _constants() -> Iterator[str]:
    for name, number in vars(constants).items():
        if name.isupper() and isinstance(number, tuple):
            yield _polynomial(name, number)
        elif name.isupper() and isinstance(number, np.ndarray):
            yield f"static const double COSIM_{name}[] = {{{', '.join(map(repr, number.tolist()))}}};"
        elif name.isupper():
            yield _constant(name, number)


def _constant(name: str, number: float | np.uint64) -> str:
    if isinstance(number, np.uint64):
        return f"static const uint64_t COSIM_{name} = {number}ULL;"
    special = {"inf": "INFINITY", "nan": "NAN"}
    return f"static const double COSIM_{name} = {special.get(repr(number), repr(number))};"


def _polynomial(name: str, coefficients: tuple[float, ...]) -> str:
    """As cosim.exact.operations.polynomial."""
    lines, power, terms = [], "x", [repr(c) for c in coefficients]
    while len(terms) > 1:
        pairs = [f"({low} + {high}*{power})" for low, high in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(terms) - len(terms) % 2 :]
        if len(terms) > 1:
            lines.append(f"    const double {power}x = {power}*{power};")
            power += "x"
    body = "\n".join([*lines, f"    return {terms[0]};"])
    return f"static inline double cosim_polynomial_{name}(double x)\n{{\n{body}\n}}"


def _function(node: ast.FunctionDef) -> str:
    arguments = ", ".join(f"double {a.arg}" for a in node.args.args)
    result = _type(node.returns)
    lines = [line for number, statement in enumerate(node.body[1:]) for line in _statement(statement, result, number)]
    return f"static inline {result} {name_of(node.name)}({arguments})\n{{\n" + "\n".join(lines) + "\n}"


def _type(annotation: Any) -> str:
    if isinstance(annotation, ast.Subscript):
        assert isinstance(annotation.slice, ast.Tuple)
        parts = [_type(part) for part in annotation.slice.elts]
        return f"cosim_{ {2: 'Two', 3: 'Three'}[len(parts)] }<{', '.join(parts)}>"
    return _TYPES[ast.unparse(annotation)]


def _statement(node: ast.stmt, result: str, number: int) -> Iterator[str]:
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield f"    const {result} result = {{{', '.join(map(_expression, node.value.elts))}}};"
        yield "    return result;"
    elif isinstance(node, ast.Return):
        yield f"    return {_expression(node.value)};"
    else:
        assert isinstance(node, ast.Assign)
        (target,) = node.targets
        if isinstance(target, ast.Name):
            yield f"    const auto {target.id} = {_expression(node.value)};"
            return
        assert isinstance(target, ast.Tuple)
        names = [ast.unparse(part) for part in target.elts]
        if isinstance(node.value, ast.Tuple):
            values = [_expression(part) for part in node.value.elts]
        else:
            yield f"    const auto both{number} = {_expression(node.value)};"
            values = [f"both{number}.{member}" for member in "abc"[: len(names)]]
        yield from (f"    const auto {name} = {value};" for name, value in zip(names, values, strict=True))


def _expression(node: Any) -> str:
    if isinstance(node, ast.BinOp):
        return f"({_expression(node.left)} {_OPERATORS[type(node.op)]} {_expression(node.right)})"
    if isinstance(node, ast.Compare):
        return f"({_expression(node.left)} {_OPERATORS[type(node.ops[0])]} {_expression(node.comparators[0])})"
    if isinstance(node, ast.UnaryOp):
        assert isinstance(node.op, ast.USub)
        return f"(-{_expression(node.operand)})"
    if isinstance(node, ast.Name):
        return f"COSIM_{node.id}" if node.id.isupper() else node.id
    if isinstance(node, ast.Constant):
        return repr(node.value)
    assert isinstance(node, ast.Call)
    function = ast.unparse(node.func)
    if function == "polynomial":
        return f"cosim_polynomial_{ast.unparse(node.args[1])}({_expression(node.args[0])})"
    arguments = [_expression(argument) for argument in node.args]
    if function == "entry":
        return f"{arguments[0]}[{arguments[1]}]"
    if function == "where":
        return f"({arguments[0]} ? {arguments[1]} : {arguments[2]})"
    return f"{_OPERATIONS.get(function, name_of(function))}({', '.join(arguments)})"
