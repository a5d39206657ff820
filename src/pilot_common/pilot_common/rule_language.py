"""The language of rule packs: expressions over named signals, checked and translated once.

An expression is written as in Python and read with `ast`; only what stands in the tables below is understood, everything else is
refused, and nothing is ever evaluated by Python itself. Numbers and conditions are told apart. What needs a memory
(`rule_memories.py`) looks only back, so the same expression runs in the car and over a recording. A number that is not known
(NaN) makes every comparison with it false.
"""

import ast
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilot_common.regulation import FORMULAS
from pilot_common.rule_memories import MEMORIES, UNKNOWN, Evaluate, Kind, Memory

Table = tuple[tuple[float, float], ...]


class FormulaError(ValueError):
    """An expression that the language does not know."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A translated expression. `constant` is its value where it depends on nothing; `topics` is the bit set that it needs."""

    kind: Kind
    evaluate: Evaluate
    topics: int = 0
    constant: float | None = None
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """A signal: its place in the values, what it is, and the bit of the topic it comes from."""

    slot: int
    kind: Kind
    topic: int


def _within(value: float, low: float, high: float) -> bool:
    return low <= value <= high


# Function, how many numbers it takes (None: two or more), what it yields. Those of regulations stand in `regulation.py`.
FUNCTIONS: dict[str, tuple[Callable[..., Any], int | None, Kind]] = {
    "abs": (abs, 1, Kind.NUMBER),
    "min": (min, None, Kind.NUMBER),
    "max": (max, None, Kind.NUMBER),
    "within": (_within, 3, Kind.CONDITION),
    **{name: (function, count, Kind.NUMBER) for name, (function, count) in FORMULAS.items()},
}
ARITHMETIC: dict[type, Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b if b else UNKNOWN,
}
COMPARISONS: dict[type, Callable[[float, float], bool]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b and not math.isnan(a),
}


def interpolate(table: Table, x: float) -> float:
    """Linear between the points of a table (x increasing), constant beyond its ends."""
    index = bisect_right(table, (x, math.inf))
    if index == 0:
        return table[0][1]
    if index == len(table):
        return table[-1][1]
    (low, a), (high, b) = table[index - 1], table[index]
    return a + (x - low) / (high - low) * (b - a)


@dataclass(slots=True)
class Program:
    """Everything that several packs compute, each memory once. `names` are the signals; slots of memories follow theirs."""

    names: Mapping[str, Name]
    memories: list[Memory] = field(default_factory=list)
    _known: dict[str, Expression] = field(default_factory=dict)

    def translate(
        self, text: str, constants: Mapping[str, float | Table], definitions: Mapping[str, str]
    ) -> Expression:
        """The expression written in `text`. Raises FormulaError that says what is not understood."""
        return _Translator(self, constants, definitions).expression(text)

    def comparison(
        self, text: str, constants: Mapping[str, float | Table], definitions: Mapping[str, str]
    ) -> tuple[Expression, str, Expression]:
        """What is measured, `<=` or `>=`, and its limit, of a formula `measure <= limit`. Raises FormulaError."""
        node = parse(text)
        if not (
            isinstance(node, ast.Compare)
            and len(node.ops) == 1
            and isinstance(node.ops[0], ast.LtE | ast.GtE)
        ):
            raise FormulaError("must be one comparison, `measure <= limit` or `measure >= limit`")
        translator = _Translator(self, constants, definitions)
        measure, limit = (translator.of_kind(side, Kind.NUMBER) for side in (node.left, node.comparators[0]))
        return measure, "<=" if isinstance(node.ops[0], ast.LtE) else ">=", limit

    def memory(self, key: str, make: Callable[[], Memory]) -> Expression:
        """The memory that `key` describes in full, made when it is first asked for."""
        if key not in self._known:
            memory = make()
            slot = len(self.names) + len(self.memories)
            self.memories.append(memory)
            self._known[key] = Expression(memory.yields, _look_up(slot), memory.topics, slot=slot)
        return self._known[key]


def parse(text: str) -> ast.expr:
    """The syntax tree of an expression. Raises FormulaError."""
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise FormulaError(f"cannot be read: {error.msg} in '{text}'") from None


def _look_up(slot: int) -> Evaluate:
    return lambda values: values[slot]


class _Translator:
    """Turns syntax into closures, checking kinds on the way."""

    def __init__(
        self,
        program: Program,
        constants: Mapping[str, float | Table],
        definitions: Mapping[str, str],
        inside: tuple[str, ...] = (),
    ) -> None:
        self._program, self._constants, self._definitions = program, constants, definitions
        self._inside = inside  # definitions being translated, so that none can be made of itself

    def expression(self, text: str) -> Expression:
        return self._translate(parse(text))

    def of_kind(self, node: ast.expr, kind: Kind) -> Expression:
        expression = self._translate(node)
        if expression.kind is not kind:
            raise FormulaError(
                f"'{ast.unparse(node)}' must be a {kind.value}, it is a {expression.kind.value}"
            )
        return expression

    def _translate(self, node: ast.expr) -> Expression:
        match node:
            case ast.Constant(value=bool() | str() | bytes() | None):
                pass
            case ast.Constant(value=int() | float() as number):
                return _constant(float(number))
            case ast.Name(id=name):
                return self._name(name)
            case ast.BoolOp():
                return self._all_or_any(node)
            case ast.UnaryOp(op=ast.Not()):
                inner = self.of_kind(node.operand, Kind.CONDITION)
                evaluate = inner.evaluate
                return Expression(Kind.CONDITION, lambda values: not evaluate(values), inner.topics)
            case ast.UnaryOp(op=ast.USub()):
                return _applied(lambda a: -a, [self.of_kind(node.operand, Kind.NUMBER)], Kind.NUMBER)
            case ast.BinOp() if type(node.op) in ARITHMETIC:
                sides = [self.of_kind(side, Kind.NUMBER) for side in (node.left, node.right)]
                return _applied(ARITHMETIC[type(node.op)], sides, Kind.NUMBER)
            case ast.Compare(ops=[operator]) if type(operator) in COMPARISONS:
                sides = [self.of_kind(side, Kind.NUMBER) for side in (node.left, node.comparators[0])]
                return _applied(COMPARISONS[type(operator)], sides, Kind.CONDITION)
            case ast.Call(func=ast.Name(id=name), keywords=[]):
                return self._call(name, node)
        raise FormulaError(f"'{ast.unparse(node)}' is not part of the language of rules")

    def _name(self, name: str) -> Expression:
        if name in self._definitions:
            if name in self._inside:
                raise FormulaError(f"'{name}' is defined by itself")
            own = _Translator(self._program, {}, self._definitions, (*self._inside, name))
            return own.expression(self._definitions[name])
        value = self._constants.get(name)
        if isinstance(value, tuple):
            raise FormulaError(f"'{name}' is a table: write {name}(x)")
        if value is not None:
            return _constant(value)
        signal = self._program.names.get(name)
        if signal is None:
            raise FormulaError(f"'{name}' is neither a signal, a parameter nor a definition")
        return Expression(signal.kind, _look_up(signal.slot), signal.topic, slot=signal.slot)

    def _all_or_any(self, node: ast.BoolOp) -> Expression:
        parts = [self.of_kind(part, Kind.CONDITION) for part in node.values]
        join = _both if isinstance(node.op, ast.And) else _either
        joined = parts[-1].evaluate
        for part in reversed(parts[:-1]):
            joined = join(part, joined)
        return Expression(Kind.CONDITION, joined, _topics(parts))

    def _call(self, name: str, node: ast.Call) -> Expression:
        constant = self._constants.get(name)
        if isinstance(constant, tuple):
            if len(node.args) != 1:
                raise FormulaError(f"the table '{name}' takes one number, found {len(node.args)}")
            table = constant
            return _applied(
                lambda x: interpolate(table, x), [self.of_kind(node.args[0], Kind.NUMBER)], Kind.NUMBER
            )
        if name in MEMORIES:
            return self._memory(name, node)
        if name not in FUNCTIONS:
            raise FormulaError(
                f"there is no function '{name}'; there are {', '.join((*FUNCTIONS, *MEMORIES))}"
            )
        function, count, kind = FUNCTIONS[name]
        if len(node.args) != count and not (count is None and len(node.args) >= 2):
            raise FormulaError(f"{name} takes {count or 'two or more'} numbers, found {len(node.args)}")
        return _applied(function, [self.of_kind(argument, Kind.NUMBER) for argument in node.args], kind)

    def _memory(self, name: str, node: ast.Call) -> Expression:
        cls = MEMORIES[name]
        wanted = len(cls.arguments) + cls.seconds
        if len(node.args) != wanted:
            raise FormulaError(f"{name} takes {wanted} arguments, found {len(node.args)}")
        arguments = [self.of_kind(a, kind) for a, kind in zip(node.args, cls.arguments, strict=False)]
        seconds = 0.0
        if cls.seconds:
            given = self.of_kind(node.args[-1], Kind.NUMBER).constant
            if given is None or not 0.0 < given <= 600.0:
                raise FormulaError(f"{name}: the seconds must be a constant above 0, at most 600")
            seconds = given
        key = f"{name}({', '.join(self._key(argument) for argument in node.args)})"
        return self._program.memory(
            key, lambda: cls([argument.evaluate for argument in arguments], seconds, _topics(arguments))
        )

    def _key(self, node: ast.expr) -> str:
        """The expression with everything in it written out, so that equal memories are recognised across clauses."""
        names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        told = [f"{name}={self._constants[name]}" for name in sorted(names & set(self._constants))]
        for name in sorted(names & set(self._definitions)):
            told.append(f"{name}={self._key(parse(self._definitions[name]))}")
        return " ".join((ast.unparse(node), *told))


def _both(part: Expression, rest: Evaluate) -> Evaluate:
    slot, evaluate = part.slot, part.evaluate
    if slot is not None:
        return lambda values: values[slot] and rest(values)
    return lambda values: evaluate(values) and rest(values)


def _either(part: Expression, rest: Evaluate) -> Evaluate:
    evaluate = part.evaluate
    return lambda values: evaluate(values) or rest(values)


def _topics(parts: Sequence[Expression]) -> int:
    topics = 0
    for part in parts:
        topics |= part.topics
    return topics


def _constant(value: float) -> Expression:
    return Expression(Kind.NUMBER, lambda values: value, constant=value)


def _applied(function: Callable[..., Any], parts: Sequence[Expression], kind: Kind) -> Expression:
    """A function of numbers; constants are computed now, and the usual forms need one call less at every step."""
    topics = _topics(parts)
    constants = [part.constant for part in parts]
    if kind is Kind.NUMBER and None not in constants:
        return _constant(float(function(*constants)))
    evaluates = [part.evaluate for part in parts]
    first = evaluates[0]
    if len(parts) == 1:
        return Expression(kind, lambda values: function(first(values)), topics)
    if len(parts) == 2:
        second, slot, other = evaluates[1], parts[0].slot, constants[1]
        if slot is not None and other is not None:
            return Expression(kind, lambda values: function(values[slot], other), topics)
        return Expression(kind, lambda values: function(first(values), second(values)), topics)
    return Expression(kind, lambda values: function(*[evaluate(values) for evaluate in evaluates]), topics)
