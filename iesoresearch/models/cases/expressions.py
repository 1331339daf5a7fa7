"""A safe evaluator: arithmetic of a case, vectorised, and nothing else.

An expression is parsed by `ast`, and only a short list of node types passes; what is evaluated is
this tree, node by node, never Python code. There are no attributes, subscripts, texts, lambdas or
comprehensions, and the only calls are of names on a list.
"""

from __future__ import annotations

import ast
import functools
import keyword
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from iesoresearch.errors import ParameterError

MAX_CHARACTERS, MAX_NODES, MAX_DEPTH = 2_000, 400, 60
MOST = 1e300

_BINARY: dict[type, Callable] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.Mod: np.mod,
    ast.FloorDiv: np.floor_divide,
}
_COMPARE: dict[type, Callable] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_UNARY: dict[type, Callable] = {
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Not: lambda x: (x == 0).astype(float),
}
_SAID = {
    ast.Attribute: "a dot after a name",
    ast.Subscript: "square brackets",
    ast.Lambda: "lambda",
    ast.JoinedStr: "a text",
    ast.Starred: "a star",
}
_SAID_OPERATOR = {
    ast.BitXor: "^ (a power is **)",
    ast.BitAnd: "& (write and)",
    ast.BitOr: "| (write or)",
}


@dataclass(frozen=True, eq=False)
class Expression:
    """A checked expression.

    Attributes
    ----------
    text
        As written.
    tree
        Of whitelisted nodes only.
    names
        Variables it reads.
    calls
        Functions it calls.
    """

    text: str
    tree: ast.expr
    names: frozenset[str]
    calls: frozenset[str]

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


@functools.lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Check an expression.

    Parameters
    ----------
    text
        Such as ``"rate_to_probability(hr * r_death)"``.

    Raises
    ------
    ParameterError
        Not an expression, something outside the whitelist, or more complex than a case needs.
    """
    if len(text) > MAX_CHARACTERS:
        raise ParameterError(f"is longer than {MAX_CHARACTERS:,} characters.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        words = [w for w in text.replace("(", " ").split() if keyword.iskeyword(w)]
        reserved = [w for w in words if w not in {"if", "else", "and", "or", "not"}]
        hint = f" ({reserved[0]!r} cannot be a name)" if reserved else ""
        hint = " (write 5 % as 0.05)" if text.strip().endswith("%") else hint
        if text.count("(") != text.count(")"):
            hint = " (parentheses do not match)"
        raise ParameterError(f"{text!r} is not an expression{hint}.") from None
    names: set[str] = set()
    calls: set[str] = set()
    if _check(tree, names, calls, 0) > MAX_NODES:
        raise ParameterError(f"{text!r} has more than {MAX_NODES} parts: name some of them.")
    return Expression(text, tree, frozenset(names), frozenset(calls))


def _check(node: ast.AST, names: set[str], calls: set[str], depth: int) -> int:
    if depth > MAX_DEPTH:
        raise ParameterError("is nested too deeply: name parts of it as parameters.")
    children: list[ast.AST] = _children(node)
    if isinstance(node, ast.Name):
        names.add(node.id)
    if isinstance(node, ast.Constant) and abs(node.value) > MOST:
        raise ParameterError("holds a number too large to compute with.")
    if isinstance(node, ast.Call):
        calls.add(node.func.id)  # type: ignore[attr-defined]  # _children has checked it
    return 1 + sum(_check(child, names, calls, depth + 1) for child in children)


def _children(node: ast.AST) -> list[ast.AST]:
    """What to look at below a node that is allowed."""
    match node:
        case ast.Constant(value=bool() | complex() | str() | bytes() | None):
            raise ParameterError(f"may hold numbers only, not {node.value!r}.")
        case ast.Constant(value=int() | float()) | ast.Name():
            return []
        case ast.BinOp() if type(node.op) in _BINARY:
            return [node.left, node.right]
        case ast.UnaryOp() if type(node.op) in _UNARY:
            return [node.operand]
        case ast.Compare() if all(type(op) in _COMPARE for op in node.ops):
            return [node.left, *node.comparators]
        case ast.BoolOp():
            return list(node.values)
        case ast.IfExp():
            return [node.test, node.body, node.orelse]
        case ast.Call(func=ast.Name(), keywords=[]):
            return list(node.args)
    said = _SAID.get(type(node), f"{type(node).__name__}")
    if isinstance(node, ast.BinOp):
        said = _SAID_OPERATOR.get(type(node.op), type(node.op).__name__)
    raise ParameterError(f"may not hold {said}: arithmetic, comparisons, if-else and calls only.")


#: Answers for a call: (name, values of the arguments) → value. Raises ParameterError.
Caller = Callable[[str, list[Any]], Any]


@dataclass(frozen=True)
class Algebra:
    """How values combine; the default is numbers alone (see `quantities` for numbers with units).

    Attributes
    ----------
    constant, name
        Value of a number and of a variable.
    operate
        (operator type, left, right) → value.
    unary, choose, compare, call
        Likewise.
    """

    constant: Callable[[float], Any]
    name: Callable[[str], Any]
    operate: Callable[[type, Any, Any], Any]
    unary: Callable[[type, Any], Any]
    compare: Callable[[type, Any, Any], Any]
    both: Callable[[bool, list[Any]], Any]
    choose: Callable[[Any, Any, Any], Any]
    call: Caller


def fold(node: ast.expr, algebra: Algebra) -> Any:
    """Value of a checked tree under an algebra."""

    def down(child):
        return fold(child, algebra)

    match node:
        case ast.Constant():
            return algebra.constant(float(node.value))
        case ast.Name():
            return algebra.name(node.id)
        case ast.BinOp():
            return algebra.operate(type(node.op), down(node.left), down(node.right))
        case ast.UnaryOp():
            return algebra.unary(type(node.op), down(node.operand))
        case ast.Compare():
            sides = [down(side) for side in (node.left, *node.comparators)]
            ops = zip(node.ops, sides[:-1], sides[1:], strict=True)
            return algebra.both(True, [algebra.compare(type(op), a, b) for op, a, b in ops])
        case ast.BoolOp():
            every = isinstance(node.op, ast.And)
            return algebra.both(every, [down(value) for value in node.values])
        case ast.IfExp():
            return algebra.choose(down(node.test), down(node.body), down(node.orelse))
        case ast.Call():
            return algebra.call(node.func.id, [down(arg) for arg in node.args])
    raise ParameterError(f"may not hold {type(node).__name__}.")  # pragma: no cover


def binary(op: type, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Arithmetic of arrays as floats; what has no value is NaN or infinite, never an error."""
    with np.errstate(all="ignore"):
        return _BINARY[op](left, right)


def unary(op: type, value: np.ndarray) -> np.ndarray:
    """Sign and negation of arrays."""
    return _UNARY[op](value)


def comparison(op: type, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """1 where it holds, else 0."""
    return np.asarray(_COMPARE[op](left, right), float)


def conjunction(every: bool, values: list[np.ndarray]) -> np.ndarray:
    """1 where all (or any) are not 0."""
    truths = [np.asarray(value) != 0 for value in values]
    join = np.logical_and if every else np.logical_or
    return functools.reduce(join, truths).astype(float)


def evaluate(
    expression: Expression, variables: Mapping[str, Any], functions: Mapping[str, Callable]
) -> np.ndarray:
    """Value of an expression without units.

    Parameters
    ----------
    variables
        Numbers or arrays that broadcast, by name.
    functions
        Of arrays, by name.

    Raises
    ------
    ParameterError
        A name or a function that is not there.
    """

    def name(key: str) -> np.ndarray:
        if key not in variables:
            raise ParameterError(f"{key!r} is not defined.")
        return np.asarray(variables[key], float)

    def call(key: str, args: list[Any]) -> np.ndarray:
        if key not in functions:
            raise ParameterError(f"{key!r} is no function of the format.")
        with np.errstate(all="ignore"):
            return np.asarray(functions[key](*args), float)

    algebra = Algebra(
        constant=lambda value: np.asarray(value, float),
        name=name,
        operate=binary,
        unary=unary,
        compare=comparison,
        both=conjunction,
        choose=lambda test, yes, no: np.where(test != 0, yes, no),
        call=call,
    )
    return fold(expression.tree, algebra)
