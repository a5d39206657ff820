"""Arithmetic in suite files: a text that begins with `=` is computed from the parameters of the case and the car's facts.

Allowed are numbers, names, + − * / ** %, comparisons, `and`, `or`, `not`, `a if b else c`, min, max, abs, sqrt; nothing else.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

FUNCTIONS: dict[str, Callable[..., float]] = {"min": min, "max": max, "abs": abs, "sqrt": math.sqrt}
OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def evaluate(text: str, names: Mapping[str, float]) -> float | bool:
    """The value of an expression. Raises ValueError for anything that is not arithmetic on known names."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _value(tree.body, names)
    except SyntaxError:
        raise ValueError(f"'{text}' is no expression") from None
    except (ZeroDivisionError, OverflowError, TypeError) as error:
        raise ValueError(f"'{text}': {error}") from None


def fill(template: Any, names: Mapping[str, float]) -> Any:
    """A template of mappings, lists and scalars with every text that begins with `=` replaced by its value.

    A whole number comes as an integer, so that it fits counts and lanes as well as lengths.
    """
    if isinstance(template, Mapping):
        return {key: fill(value, names) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [fill(item, names) for item in template]
    if isinstance(template, str) and template.startswith("="):
        value = evaluate(template[1:], names)
        return int(value) if isinstance(value, float) and value.is_integer() else value
    return template


def _value(node: ast.expr, names: Mapping[str, float]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise ValueError(f"'{node.id}' is unknown; known are {', '.join(names)}")
        return names[node.id]
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_value(node.left, names), _value(node.right, names))
    if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_value(node.operand, names))
    if isinstance(node, ast.BoolOp):
        parts = [bool(_value(part, names)) for part in node.values]
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    if isinstance(node, ast.IfExp):
        return _value(node.body if _value(node.test, names) else node.orelse, names)
    if isinstance(node, ast.Compare):
        sides = [_value(side, names) for side in (node.left, *node.comparators)]
        tests = zip(node.ops, sides, sides[1:], strict=False)
        return all(OPERATORS[type(test)](left, right) for test, left, right in tests)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
        return FUNCTIONS[node.func.id](*(_value(argument, names) for argument in node.args))
    raise ValueError(f"'{ast.unparse(node)}' is not allowed in an expression")
