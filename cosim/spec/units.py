"""Numbers with units: the expression language of every value in a cosim document.

An expression is parsed once into an :class:`Expression` and evaluated, as often as needed, on numpy arrays with the
dimensions checked. ``10 ms`` is a product, ``^`` is a power, ``and``/``or``/``not`` work elementwise. Dimensions are
the exponents of (metre, kilogram, second, ampere, kelvin, mole, candela), the order Brian2 uses.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

# not `from cosim import exact`: a cycle with the package would hide the types below from type checkers
from cosim.exact import cos, exp, log, raised, sin, tan, tanh

Dim = tuple[float, ...]
NONE: Dim = (0, 0, 0, 0, 0, 0, 0)


class UnitError(ValueError):
    """A value does not parse, has the wrong dimension, or uses an unknown name."""


def _dim(m: float = 0, kg: float = 0, s: float = 0, ampere: float = 0, kelvin: float = 0, mol: float = 0) -> Dim:
    return (m, kg, s, ampere, kelvin, mol, 0)


# symbol -> (SI factor, dimension, takes SI prefixes)
_BASE: dict[str, tuple[float, Dim, bool]] = {
    "m": (1.0, _dim(m=1), True),
    "g": (1e-3, _dim(kg=1), True),
    "s": (1.0, _dim(s=1), True),
    "A": (1.0, _dim(ampere=1), True),
    "K": (1.0, _dim(kelvin=1), True),
    "mol": (1.0, _dim(mol=1), True),
    "M": (1e3, _dim(m=-3, mol=1), True),
    "Hz": (1.0, _dim(s=-1), True),
    "N": (1.0, _dim(m=1, kg=1, s=-2), True),
    "J": (1.0, _dim(m=2, kg=1, s=-2), True),
    "W": (1.0, _dim(m=2, kg=1, s=-3), True),
    "Pa": (1.0, _dim(m=-1, kg=1, s=-2), True),
    "V": (1.0, _dim(m=2, kg=1, s=-3, ampere=-1), True),
    "C": (1.0, _dim(s=1, ampere=1), True),
    "F": (1.0, _dim(m=-2, kg=-1, s=4, ampere=2), True),
    "S": (1.0, _dim(m=-2, kg=-1, s=3, ampere=2), True),
    "siemens": (1.0, _dim(m=-2, kg=-1, s=3, ampere=2), True),
    "ohm": (1.0, _dim(m=2, kg=1, s=-3, ampere=-2), True),
    "rad": (1.0, NONE, True),
    "deg": (math.pi / 180.0, NONE, False),
    "min": (60.0, _dim(s=1), False),
    "l": (1e-3, _dim(m=3), True),
}
_PREFIX = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3, "M": 1e6, "G": 1e9}
_LONG = {
    "second": "s", "metre": "m", "meter": "m", "volt": "V", "amp": "A", "ampere": "A", "hertz": "Hz", "newton": "N",
    "joule": "J", "watt": "W", "pascal": "Pa", "radian": "rad", "farad": "F", "kelvin": "K",
}  # fmt: skip


def _unit_table() -> dict[str, tuple[float, Dim]]:
    table: dict[str, tuple[float, Dim]] = {}
    for symbol, (factor, dim, prefixed) in _BASE.items():
        table[symbol] = (factor, dim)
        if prefixed:
            for prefix, scale in _PREFIX.items():
                # prefixed symbols never replace a unit of their own ("min" is a minute, "m" a metre)
                table.setdefault(prefix + symbol, (scale * factor, dim))
    table["Gohm"], table["GOhm"], table["MOhm"] = table["Gohm"], table["Gohm"], table["Mohm"]
    for name, symbol in _LONG.items():
        table[name] = table[symbol]
    return table


UNITS = _unit_table()

_NAMES = {
    _dim(m=1): "a length, e.g. '2 mm'",
    _dim(kg=1): "a mass, e.g. '0.3 g'",
    _dim(s=1): "a time, e.g. '10 ms'",
    _dim(s=-1): "a frequency, e.g. '20 Hz'",
    _dim(m=1, s=-1): "a speed, e.g. '0.1 m/s'",
    _dim(m=1, s=-2): "an acceleration, e.g. '9.81 m/s^2'",
    _dim(m=1, kg=1, s=-2): "a force, e.g. '1 mN'",
    _dim(m=2, kg=1, s=-2): "a torque, e.g. '0.5 N*m'",
    _dim(m=2, kg=1, s=-1): "an angular damping, e.g. '1e-5 N*m*s/rad'",
    _dim(m=2, kg=1): "a moment of inertia, e.g. '1e-9 kg*m^2'",
    _dim(m=-3, kg=1): "a density, e.g. '1000 kg/m^3'",
    _dim(m=-1, kg=1): "a quadratic drag coefficient, e.g. '0.02 kg/m'",
    _dim(kg=1, s=-1): "a linear drag coefficient, e.g. '0.02 kg/s'",
    _dim(ampere=1): "a current, e.g. '5 pA'",
    _dim(m=2, kg=1, s=-3, ampere=-1): "a voltage, e.g. '-65 mV'",
    _dim(m=2, kg=1, s=-3, ampere=-2): "a resistance, e.g. '100 Mohm'",
    _dim(m=-2, kg=-1, s=3, ampere=2): "a conductance, e.g. '2 nS'",
    _dim(m=-2, kg=-1, s=4, ampere=2): "a capacitance, e.g. '200 pF'",
    NONE: "a number without a unit",
}
_SYMBOLS = ("m", "kg", "s", "A", "K", "mol", "cd")


def dim_text(dim: Dim) -> str:
    """A dimension in words where it has a name, else as a product of SI base units."""
    if dim in _NAMES:
        return _NAMES[dim]
    return "a value in " + unit_text(dim)


def kind_text(dim: Dim) -> str:
    """Like dim_text, without the example: what a value is, not what it should be."""
    return dim_text(dim).partition(",")[0]


def unit_text(dim: Dim) -> str:
    """A dimension as a product of SI base units, e.g. ``kg*m^2/s^2``; ``1`` for none."""
    parts = [f"{s}^{e:g}" if e != 1 else s for s, e in zip(_SYMBOLS, dim, strict=True) if e]
    return "*".join(parts) or "1"


@dataclass(frozen=True)
class Value:
    """A number or array in SI units with its dimension."""

    value: Any
    dim: Dim = NONE


Scope = Mapping[str, Value]

_NUMBER_UNIT = re.compile(
    r"(?<![\w.])((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?=[A-Za-z_])(?!(?:and|or|not|if|else|in)\b)(?![eE][+-]?\d)"
)


def _power(base: Value, exponent: Value) -> Value:
    if any(exponent.dim):
        raise UnitError("an exponent must not carry a unit")
    if any(base.dim):
        if np.ndim(exponent.value):
            raise UnitError("a value with a unit can only be raised to a constant power")
        dim = tuple(d * float(exponent.value) for d in base.dim)
    else:
        dim = NONE
    found = raised(base.value, exponent.value)
    if not np.ndim(found) and np.isfinite(base.value) and not np.isfinite(found):
        raise OverflowError
    return Value(found, dim)


def _same(a: Value, b: Value, what: str) -> Dim:
    # a plain zero fits every dimension: "max(0, x)" needs no unit
    if a.dim != b.dim:
        if not np.ndim(a.value) and a.value in (0, math.inf, -math.inf) and not any(a.dim):
            return b.dim
        if not np.ndim(b.value) and b.value in (0, math.inf, -math.inf) and not any(b.dim):
            return a.dim
        raise UnitError(f"{what} of {unit_text(a.dim)} and {unit_text(b.dim)}: the units do not agree")
    return a.dim


def _plain(function: Callable[..., Any]) -> Callable[..., Value]:
    def call(*args: Value) -> Value:
        if any(any(a.dim) for a in args):
            raise UnitError(f"the argument of {function.__name__} must not carry a unit")
        return Value(function(*(a.value for a in args)))

    return call


def _keep(function: Callable[..., Any]) -> Callable[..., Value]:
    def call(*args: Value) -> Value:
        dim = args[0].dim
        for other in args[1:]:
            dim = _same(Value(1.0, dim) if any(dim) else args[0], other, function.__name__)
        return Value(function(*(a.value for a in args)), dim)

    return call


def _where(condition: Value, yes: Value, no: Value) -> Value:
    return Value(np.where(condition.value, yes.value, no.value), _same(yes, no, "where"))


def _sqrt(x: Value) -> Value:
    return Value(np.sqrt(x.value), tuple(d / 2 for d in x.dim))


def _sign(x: Value) -> Value:
    return Value(np.sign(x.value))


FUNCTIONS: dict[str, tuple[Callable[..., Value], int]] = {
    "max": (_keep(np.maximum), 2), "min": (_keep(np.minimum), 2), "abs": (_keep(np.abs), 1),
    "clip": (_keep(np.clip), 3), "exp": (_plain(exp), 1), "log": (_plain(log), 1),
    "sin": (_plain(sin), 1), "cos": (_plain(cos), 1), "tan": (_plain(tan), 1),
    "tanh": (_plain(tanh), 1),
    "floor": (_plain(np.floor), 1), "sqrt": (_sqrt, 1), "where": (_where, 3), "sign": (_sign, 1),
}  # fmt: skip
CONSTANTS = {"pi": math.pi, "inf": math.inf, "true": True, "false": False}

_COMPARE: dict[type, Any] = {
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal,
    ast.Eq: np.equal, ast.NotEq: np.not_equal,
}  # fmt: skip


def brian_text(text: str) -> str:
    """An expression of ours as Brian2 reads it: explicit products, ** for powers."""
    return _NUMBER_UNIT.sub(r"\1*", text.strip()).replace("^", "**")


class Expression:
    """A parsed expression.

    Attributes
    ----------
    text: what the user wrote.
    names: the free names (everything that is no unit, function or constant, unless a scope defines it).
    """

    __slots__ = ("_tree", "names", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._tree = ast.parse(brian_text(text), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise UnitError(f"cannot read '{text}' as a number with a unit or an expression") from None
        self.names: frozenset[str] = frozenset(self._collect(self._tree))

    def _collect(self, node: ast.AST) -> set[str]:
        found: set[str] = set()
        for child in ast.walk(node):
            if isinstance(child, ast.Call):
                if not isinstance(child.func, ast.Name) or child.keywords:
                    raise UnitError(f"'{self.text}': only plain function calls are allowed")
                if child.func.id not in FUNCTIONS:
                    hint = suggest(child.func.id, FUNCTIONS)
                    raise UnitError(f"'{self.text}': no function '{child.func.id}'{hint}")
                arity = FUNCTIONS[child.func.id][1]
                if len(child.args) != arity:
                    raise UnitError(f"'{self.text}': {child.func.id} takes {arity} argument(s), got {len(child.args)}")
            elif isinstance(child, ast.Name) and child.id not in FUNCTIONS:
                found.add(child.id)
            elif isinstance(child, ast.Constant) and not isinstance(child.value, int | float):
                raise UnitError(f"'{self.text}': {child.value!r} is not a number")
            elif not isinstance(
                child,
                ast.Constant | ast.Name | ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp | ast.operator
                | ast.unaryop | ast.cmpop | ast.boolop | ast.expr_context,
            ):  # fmt: skip
                raise UnitError(f"'{self.text}': {type(child).__name__} is not part of the expression language")
        return found

    def free(self, scope: Mapping[str, object]) -> set[str]:
        """Names that neither the scope, the units nor the constants define."""
        return {n for n in self.names if n not in scope and n not in UNITS and n not in CONSTANTS}

    def evaluate(self, scope: Scope | None = None) -> Value:
        """Evaluate with the values of `scope` (they come before units of the same name).

        Raises UnitError for unknown names and dimensions that do not fit.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            try:
                return self._eval(self._tree, scope or {})
            except (ZeroDivisionError, OverflowError):
                raise UnitError(f"'{self.text}' has no finite value") from None

    def _eval(self, node: ast.AST, scope: Scope) -> Value:
        if isinstance(node, ast.Constant):
            return Value(float(node.value))  # type: ignore[arg-type]
        if isinstance(node, ast.Name):
            return self._lookup(node.id, scope)
        if isinstance(node, ast.BinOp):
            return self._binary(node, scope)
        if isinstance(node, ast.UnaryOp):
            operand = self._eval(node.operand, scope)
            if isinstance(node.op, ast.Not):
                return Value(np.logical_not(operand.value))
            if isinstance(node.op, ast.USub):
                return Value(-operand.value, operand.dim)
            return operand
        if isinstance(node, ast.BoolOp):
            values = [self._eval(v, scope).value for v in node.values]
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            result = values[0]
            for value in values[1:]:
                result = join(result, value)
            return Value(result)
        if isinstance(node, ast.Compare):
            left = self._eval(node.left, scope)
            result = True
            for op, right_node in zip(node.ops, node.comparators, strict=True):
                right = self._eval(right_node, scope)
                if type(op) not in _COMPARE:
                    raise UnitError(f"'{self.text}': this comparison is not part of the expression language")
                _same(left, right, "comparison")
                result = np.logical_and(result, _COMPARE[type(op)](left.value, right.value))
                left = right
            return Value(result)
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        return FUNCTIONS[node.func.id][0](*(self._eval(a, scope) for a in node.args))

    def _lookup(self, name: str, scope: Scope) -> Value:
        if name in scope:
            return scope[name]
        if name in UNITS:
            return Value(*UNITS[name])
        if name in CONSTANTS:
            return Value(CONSTANTS[name])
        known = [*scope, *CONSTANTS]
        raise UnitError(f"'{self.text}': unknown name or unit '{name}'{suggest(name, [*known, *UNITS])}")

    def _binary(self, node: ast.BinOp, scope: Scope) -> Value:
        a, b = self._eval(node.left, scope), self._eval(node.right, scope)
        match node.op:
            case ast.Add():
                return Value(a.value + b.value, _same(a, b, "sum"))
            case ast.Sub():
                return Value(a.value - b.value, _same(a, b, "difference"))
            case ast.Mult():
                return Value(a.value * b.value, tuple(x + y for x, y in zip(a.dim, b.dim, strict=True)))
            case ast.Div():
                return Value(a.value / b.value, tuple(x - y for x, y in zip(a.dim, b.dim, strict=True)))
            case ast.Pow():
                return _power(a, b)
            case ast.Mod():
                return Value(np.mod(a.value, b.value), _same(a, b, "remainder"))
        raise UnitError(f"'{self.text}': this operator is not part of the expression language")

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Parse an expression (cached). Raises UnitError."""
    return Expression(text)


def suggest(name: str, known: Any) -> str:
    """`, did you mean 'X'?` for the nearest valid name, or an empty string."""
    names = [str(k) for k in known]
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    if not near:
        folded = {n.lower(): n for n in names}
        near = [folded[m] for m in difflib.get_close_matches(str(name).lower(), list(folded), n=1, cutoff=0.6)]
    return f", did you mean '{near[0]}'?" if near else ""


def as_expression(raw: Any) -> Expression:
    """A YAML scalar (number or string) as an Expression. Raises UnitError for anything else."""
    if isinstance(raw, Expression):
        return raw
    if isinstance(raw, bool) or raw is None:
        raise UnitError(f"expected a number with a unit, got {'nothing' if raw is None else str(raw).lower()}")
    if isinstance(raw, int | float):
        return parse(repr(raw).replace("nan", "(inf-inf)"))
    if isinstance(raw, str):
        return parse(raw)
    raise UnitError(f"expected a number with a unit, got a {'list' if isinstance(raw, list) else 'mapping'}")


def evaluate(raw: Any, dim: Dim, scope: Scope | None = None) -> float:
    """A YAML scalar as an SI float of dimension `dim`. Raises UnitError with what was expected."""
    expression = as_expression(raw)
    result = expression.evaluate(scope)
    if np.ndim(result.value):
        raise UnitError(f"'{expression.text}' must be one value")
    number = float(result.value)
    if math.isnan(number):
        raise UnitError(f"'{expression.text}' is not a number")
    if result.dim != dim and not (number in (0.0, math.inf, -math.inf) and result.dim == NONE):
        raise UnitError(f"'{expression.text}': expected {dim_text(dim)}, got {kind_text(result.dim)}")
    return number


def _scope_of(info: ValidationInfo) -> Scope:
    context = info.context or {}
    scope: Scope = context.get("parameters", {})
    return scope


def quantity(unit: str, *, low: float = -math.inf, high: float = math.inf, open_low: bool = False) -> Any:
    """A pydantic type: a YAML value with a unit of the same dimension as `unit`, an SI float inside.

    `low` and `high` (SI) bound it, `open_low` excludes the lower bound itself.
    """
    dim = parse(unit).evaluate().dim

    def check(raw: Any, info: ValidationInfo) -> float:
        if isinstance(raw, float) and (info.context or {}).get("si"):
            return raw
        number = evaluate(raw, dim, _scope_of(info))
        if math.isinf(number):
            raise UnitError(f"'{raw}' is not finite")
        if number < low or number > high or (open_low and number == low):
            if low == 0 and high == math.inf:
                want = "greater than 0" if open_low else "0 or greater"
            else:
                want = f"between {low:g} and {high:g}"
            raise UnitError(f"'{raw}' is out of range, expected a value {want}")
        return number

    what = dim_text(dim)
    return Annotated[
        float,
        BeforeValidator(check),
        WithJsonSchema({"type": ["string", "number"], "description": f"{what} (SI unit {unit_text(dim)})"}),
    ]


Number = quantity("1")
Positive = quantity("1", low=0, open_low=True)
NonNegative = quantity("1", low=0)
Fraction = quantity("1", low=0, high=1)
Time = quantity("s")
Duration = quantity("s", low=0, open_low=True)
Delay = quantity("s", low=0)
Length = quantity("m")
PositiveLength = quantity("m", low=0, open_low=True)
Mass = quantity("kg", low=0)
Angle = quantity("rad")
Frequency = quantity("Hz", low=0)
Force = quantity("N")
Torque = quantity("N*m")
Stiffness = quantity("N*m/rad", low=0)
AngularDamping = quantity("N*m*s/rad", low=0)
Density = quantity("kg/m^3", low=0, open_low=True)
Speed = quantity("m/s")
AngularSpeed = quantity("rad/s")
Acceleration = quantity("m/s^2")
Inertia = quantity("kg*m^2", low=0)
QuadraticDrag = quantity("kg/m", low=0)
LinearDrag = quantity("kg/s", low=0)


def vector(item: Any, length: int = 3) -> Any:
    """A pydantic type: a list of exactly `length` quantities, inside a tuple of SI floats."""
    return tuple[(item,) * length]  # type: ignore[misc]


def array(raw: Any, scope: Scope, size: int, dim: Dim) -> NDArray[np.float64]:
    """An expression over arrays in `scope`, broadcast to (`size`,) float64 of dimension `dim`. Raises UnitError."""
    expression = as_expression(raw)
    result = expression.evaluate(scope)
    zero = not np.ndim(result.value) and result.value in (0, math.inf, -math.inf) and result.dim == NONE
    if result.dim != dim and not zero:
        raise UnitError(f"'{expression.text}': expected {dim_text(dim)}, got {kind_text(result.dim)}")
    return np.array(np.broadcast_to(np.asarray(result.value, dtype=np.float64), (size,)))
