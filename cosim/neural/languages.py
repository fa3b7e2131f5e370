"""Brian2's three languages (numpy, cython, C++), made to give the same bits on every machine.

Before Brian2 translates a statement, and again before it writes it down (it rearranges statements in between, and so
makes new powers), everything that a language or a machine has its own idea of is replaced: elementary functions and
powers by those of `cosim.exact`, remainders and whole quotients of floating-point numbers, quotients of integers.
"""

from __future__ import annotations

import ast
import copy
import math
import operator
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from brian2.codegen.generators.base import CodeGenerator
from brian2.codegen.generators.cython_generator import CythonCodeGenerator
from brian2.codegen.generators.numpy_generator import NumpyCodeGenerator
from brian2.codegen.runtime.cython_rt import CythonCodeObject
from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.variables import AuxiliaryVariable, Subexpression
from brian2.parsing.bast import brian_ast
from brian2.parsing.rendering import NodeRenderer
from brian2.parsing.statements import parse_statement
from brian2.utils.stringtools import deindent, get_identifiers, strip_empty_lines

from cosim.exact import FUNCTIONS, raised
from cosim.exact.cplusplus import name_of, source

_KNOWN = FUNCTIONS.keys() & DEFAULT_FUNCTIONS.keys()
_WHOLE_POWERS = {2: "square", 3: "cube", 4: "fourth"}
_ARITHMETIC: dict[type, Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_DTYPES = {"boolean": bool, "integer": int, "float": float}


@lru_cache(maxsize=1)
def functions() -> dict[str, Function]:
    """The functions of `cosim.exact`, by their name in code."""
    text = in_cython("cosim_exact", source())
    found = {}
    for name, (python, count) in FUNCTIONS.items():
        function = Function(python, arg_units=[None] * count, return_unit=1, return_type="float")
        function.implementations.add_implementation("numpy", python)
        declare(function, name_of(name), ["double"] * count, text)
        found[name_of(name)] = function
    return found


def in_cython(name: str, text: str) -> Function:
    """Functions in C++ that cython code takes over as they are, once per module, however many of them it uses."""
    found = Function(lambda: None, arg_units=[], return_unit=1)
    code = f'cdef extern from *:\n    """{text}"""\n    pass\n'
    found.implementations.add_implementation("cython", code, name=name)
    return found


def declare(function: Function, name: str, arguments: list[str], text: Function) -> None:
    """Give a function its implementations in compiled code: in C++ it is called `name`; `text` is from in_cython()."""
    code = f"cdef extern from *:\n    double {name}({', '.join(arguments)}) noexcept nogil\n"
    dependencies = {next(iter(text.implementations.values())).name: text}
    function.implementations.add_implementation("cython", code, name=name, dependencies=dependencies)
    function.implementations.add_implementation("cpp", "", name=name)


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name_of(name), ast.Load()), list(arguments), [])


def _over(top: ast.expr, below: ast.expr) -> ast.expr:
    return ast.BinOp(top, ast.Div(), below)


def constant(node: ast.expr) -> Fraction | None:
    """The value of an expression of numbers, else None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and math.isfinite(node.value):
        return Fraction(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = constant(node.operand)
        return -inner if inner is not None and isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        left, right = constant(node.left), constant(node.right)
        if left is not None and right is not None and not (isinstance(node.op, ast.Div) and right == 0):
            return _ARITHMETIC[type(node.op)](left, right)
    return None


class _Replace(ast.NodeTransformer):
    """Works on an expression whose nodes Brian2 has given their types."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        assert isinstance(node.func, ast.Name)
        return _call(node.func.id, *node.args) if node.func.id in _KNOWN else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        dtypes = {node.left.dtype, node.right.dtype}  # type: ignore[attr-defined]
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return self._power(node.left, node.right)
        if isinstance(node.op, ast.Mod) and "float" in dtypes:
            return _call("remainder", node.left, node.right)
        if isinstance(node.op, ast.FloorDiv) and "float" in dtypes:
            return _call("quotient", node.left, node.right)
        if isinstance(node.op, ast.Div) and "float" not in dtypes:
            # in C++ Brian2 would make a number of 32 bits of it
            return _over(ast.BinOp(ast.Constant(1.0), ast.Mult(), node.left), node.right)
        return node

    def _power(self, base: ast.expr, exponent: ast.expr) -> ast.expr:
        number, n = constant(base), constant(exponent)
        if n is None:
            return _call("power", base, exponent)
        if number is not None:
            # here and now, so that no compiler or library does it
            whole = n.denominator == 1 and abs(n) <= 64 and (number or n > 0)
            result = float(number**n) if whole else float(raised(float(number), float(n)))
            return ast.Constant(result) if math.isfinite(result) else _call("power", base, exponent)
        if n < 0 and (-n in _WHOLE_POWERS or -n in (1, Fraction(1, 2))):
            return _over(ast.Constant(1.0), self._power(base, ast.Constant(float(-n))))
        if n in (0, 1):
            return base if n else ast.Constant(1.0)
        if n == Fraction(1, 2):
            return _call("sqrt", base)
        if n in _WHOLE_POWERS:
            return _call(_WHOLE_POWERS[int(n)], base)
        return _call("power", base, ast.Constant(float(n)))


def replace(expression: str, variables: Mapping[str, Any]) -> str:
    """An expression in which every operation means the same in all languages."""
    text: str = NodeRenderer().render_node(_Replace().visit(brian_ast(expression, dict(variables))))
    return text


class SameBits(CodeGenerator):  # type: ignore[misc]
    """A code generator (to be mixed in before one of a language) that writes only what means the same everywhere."""

    variables: dict[str, Any]

    def translate(self, code: dict[str, str], dtype: Any) -> Any:
        for name, variable in list(self.variables.items()):
            if isinstance(variable, Subexpression):
                known = copy.copy(variable)
                known.expr = self._replace(variable.expr, self.variables)
                known.identifiers = get_identifiers(known.expr)
                self.variables[name] = known
        return super().translate({name: self._block(text) for name, text in code.items()}, dtype)

    def translate_statement_sequence(self, scalar: Any, vector: Any) -> Any:
        again = [
            {name: [self._again(s) for s in block] for name, block in blocks.items()} for blocks in (scalar, vector)
        ]
        return super().translate_statement_sequence(*again)

    def _block(self, text: str) -> str:
        known = dict(self.variables)
        lines = []
        for line in re.split(r"[;\n]", strip_empty_lines(deindent(text))):
            if line.strip():
                name, sign, expression, comment = parse_statement(line)
                if name not in known:
                    tree = brian_ast(expression, known)
                    known[name] = AuxiliaryVariable(name, dtype=_DTYPES[tree.dtype], scalar=tree.scalar)
                lines.append(f"{name} {sign} {self._replace(expression, known)}" + (f" # {comment}" if comment else ""))
        return "\n".join(lines)

    def _again(self, statement: Any) -> Any:
        again = copy.copy(statement)
        again.expr = self._replace(statement.expr, self.variables)
        simplified = statement.boolean_simplified_expressions or {}
        again.boolean_simplified_expressions = {
            case: self._replace(text, self.variables) for case, text in simplified.items()
        }
        return again

    def _replace(self, expression: str, known: Mapping[str, Any]) -> str:
        text = replace(expression, {**known, **functions()})
        self.variables.update((name, functions()[name]) for name in get_identifiers(text) & functions().keys())
        return text


class _CythonGenerator(SameBits, CythonCodeGenerator):  # type: ignore[misc]
    pass


class _NumpyGenerator(SameBits, NumpyCodeGenerator):  # type: ignore[misc]
    pass


class ExactCython(CythonCodeObject):  # type: ignore[misc]
    """Brian2's cython code, with the same bits on every machine."""

    generator_class = _CythonGenerator


class ExactNumpy(NumpyCodeObject):  # type: ignore[misc]
    """Brian2's numpy code, with the same bits on every machine."""

    generator_class = _NumpyGenerator


for _name in ("expm1", "exprel", "log1p"):
    # Brian2 gives these to its own numpy code only, when first used
    DEFAULT_FUNCTIONS[_name].implementations.add_implementation("numpy", FUNCTIONS[_name][0])

#: code objects by Brian2's name of the target
CODE_OBJECTS = {"cython": ExactCython, "numpy": ExactNumpy}
