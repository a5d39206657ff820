"""The language of rule packs: expressions over named signals, checked and translated once.

An expression is written as in Python and read with `ast`; only what stands in the tables below is understood, everything else is
refused. What is understood becomes Python again, written anew from those tables alone: numbers, places in the list `v` of all
values, and the functions of `Program.functions`. Numbers and conditions are told apart. What needs a memory
(`rule_memories.py`) looks only back, so the same expression runs in the car and over a recording. A number that is not known
(NaN) makes every comparison with it false.
"""

import ast
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pilot_common.regulation import FORMULAS
from pilot_common.rule_memories import COMPARED, MEMORIES, TICK, UNKNOWN, Kind, Memory

Table = tuple[tuple[float, float], ...]


class FormulaError(ValueError):
    """An expression that the language does not know."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A translated expression, as Python in `text`. `constant` is its value where it depends on nothing; `topics` is the bit set
    that it needs.
    """

    kind: Kind
    text: str
    functions: Mapping[str, Any]
    topics: int = 0
    constant: float | None = None

    def evaluate(self, values: Sequence[Any]) -> Any:
        """Its value for those of all signals, then of all memories."""
        return eval(self.text, {**self.functions, "v": values})


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
ARITHMETIC = {ast.Add: "({} + {})", ast.Sub: "({} - {})", ast.Mult: "({} * {})", ast.Div: "divide({}, {})"}
COMPARISONS = {
    ast.Lt: "({} < {})",
    ast.LtE: "({} <= {})",
    ast.Gt: "({} > {})",
    ast.GtE: "({} >= {})",
    ast.Eq: "({} == {})",
    ast.NotEq: "differ({}, {})",
}


def _divide(a: float, b: float) -> float:
    return a / b if b else UNKNOWN


def _differ(a: float, b: float) -> bool:
    return a != b and not math.isnan(a)


def interpolate(table: Table, x: float) -> float:
    """Linear between the points of a table (x increasing), constant beyond its ends."""
    index = bisect_right(table, (x, math.inf))
    if index == 0:
        return table[0][1]
    if index == len(table):
        return table[-1][1]
    (low, a), (high, b) = table[index - 1], table[index]
    return a + (x - low) / (high - low) * (b - a)


BUILT_IN: dict[str, Any] = {
    **{name: function for name, (function, _, _) in FUNCTIONS.items()},
    **{"divide": _divide, "differ": _differ, "nan": math.nan, "inf": math.inf, "__builtins__": {}},
}


@dataclass(slots=True)
class Program:
    """Everything that several packs compute, each memory once. `names` are the signals; slots of memories follow theirs.

    `functions` are all that translated expressions call, by the names that they use.
    """

    names: Mapping[str, Name]
    memories: list[Memory] = field(default_factory=list)
    functions: dict[str, Any] = field(default_factory=lambda: dict(BUILT_IN))
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
            self._known[key] = Expression(memory.yields, f"v[{slot}]", self.functions, memory.topics)
        return self._known[key]

    def function(self, name: str, lines: Sequence[str]) -> Callable[..., Any]:
        """The function `name` that lines of translated expressions define."""
        exec("\n".join(lines), scope := dict(self.functions))
        made: Callable[..., Any] = scope[name]
        return made

    def table(self, table: Table) -> str:
        """The name of a function that reads a table."""
        name = f"table_{len(self.functions)}"
        self.functions[name] = partial(interpolate, table)
        return name


def parse(text: str) -> ast.expr:
    """The syntax tree of an expression. Raises FormulaError."""
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise FormulaError(f"cannot be read: {error.msg} in '{text}'") from None


class _Translator:
    """Turns syntax into text, checking kinds on the way."""

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
                return self._constant(float(number))
            case ast.Name(id=name):
                return self._name(name)
            case ast.BoolOp():
                return self._all_or_any(node)
            case ast.UnaryOp(op=ast.Not()):
                return self._applied("(not {})", [self.of_kind(node.operand, Kind.CONDITION)], Kind.CONDITION)
            case ast.UnaryOp(op=ast.USub()):
                return self._applied("(-{})", [self.of_kind(node.operand, Kind.NUMBER)], Kind.NUMBER)
            case ast.BinOp() if type(node.op) in ARITHMETIC:
                sides = [self.of_kind(side, Kind.NUMBER) for side in (node.left, node.right)]
                return self._applied(ARITHMETIC[type(node.op)], sides, Kind.NUMBER)
            case ast.Compare(ops=[operator]) if type(operator) in COMPARISONS:
                sides = [self.of_kind(side, Kind.NUMBER) for side in (node.left, node.comparators[0])]
                return self._applied(COMPARISONS[type(operator)], sides, Kind.CONDITION)
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
            return self._constant(value)
        signal = self._program.names.get(name)
        if signal is None:
            raise FormulaError(f"'{name}' is neither a signal, a parameter nor a definition")
        return Expression(signal.kind, f"v[{signal.slot}]", self._program.functions, signal.topic)

    def _all_or_any(self, node: ast.BoolOp) -> Expression:
        parts = [self.of_kind(part, Kind.CONDITION) for part in node.values]
        join = " and " if isinstance(node.op, ast.And) else " or "
        return self._applied(f"({join.join(['{}'] * len(parts))})", parts, Kind.CONDITION)

    def _call(self, name: str, node: ast.Call) -> Expression:
        constant = self._constants.get(name)
        if isinstance(constant, tuple):
            if len(node.args) != 1:
                raise FormulaError(f"the table '{name}' takes one number, found {len(node.args)}")
            argument = self.of_kind(node.args[0], Kind.NUMBER)
            return self._applied(f"{self._program.table(constant)}({{}})", [argument], Kind.NUMBER)
        if name in COMPARED:
            return self._compared(name, node)
        if name in MEMORIES:
            return self._memory(name, node)
        if name not in FUNCTIONS:
            raise FormulaError(
                f"there is no function '{name}'; there are {', '.join((*FUNCTIONS, *MEMORIES, *COMPARED))}"
            )
        _, count, kind = FUNCTIONS[name]
        if len(node.args) != count and not (count is None and len(node.args) >= 2):
            raise FormulaError(f"{name} takes {count or 'two or more'} numbers, found {len(node.args)}")
        arguments = [self.of_kind(argument, Kind.NUMBER) for argument in node.args]
        return self._applied(f"{name}({', '.join(['{}'] * len(arguments))})", arguments, kind)

    def _memory(self, name: str, node: ast.Call) -> Expression:
        cls = MEMORIES[name]
        _check_count(name, node, len(cls.arguments) + cls.seconds)
        arguments = [self.of_kind(a, kind) for a, kind in zip(node.args, cls.arguments, strict=False)]
        seconds = self._seconds(name, node) if cls.seconds else 0.0
        key = f"{name}({', '.join(self._key(argument) for argument in node.args)})"
        return self._program.memory(
            key, lambda: cls(", ".join(part.text for part in arguments), seconds, _topics(arguments))
        )

    def _compared(self, name: str, node: ast.Call) -> Expression:
        memory, pattern, tolerance = COMPARED[name]
        _check_count(name, node, 2)
        told = self._memory(memory, ast.Call(node.func, node.args[:1], []))
        return self._applied(
            pattern, [told, self._constant(self._seconds(name, node) + tolerance)], Kind.CONDITION
        )

    def _seconds(self, name: str, node: ast.Call) -> float:
        given = self.of_kind(node.args[-1], Kind.NUMBER).constant
        if given is None or not TICK < given <= 600.0:
            raise FormulaError(f"{name}: the seconds must be a constant above 0, at most 600")
        return given

    def _constant(self, value: float) -> Expression:
        return Expression(Kind.NUMBER, f"({value!r})", self._program.functions, constant=value)

    def _applied(self, pattern: str, parts: Sequence[Expression], kind: Kind) -> Expression:
        """What a pattern makes of parts; of constants it is computed now."""
        text = pattern.format(*(part.text for part in parts))
        whole = Expression(kind, text, self._program.functions, _topics(parts))
        if kind is Kind.NUMBER and None not in [part.constant for part in parts]:
            return self._constant(float(whole.evaluate(())))
        return whole

    def _key(self, node: ast.expr) -> str:
        """The expression with everything in it written out, so that equal memories are recognised across clauses."""
        names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        told = [f"{name}={self._constants[name]}" for name in sorted(names & set(self._constants))]
        for name in sorted(names & set(self._definitions)):
            told.append(f"{name}={self._key(parse(self._definitions[name]))}")
        return " ".join((ast.unparse(node), *told))


def _check_count(name: str, node: ast.Call, wanted: int) -> None:
    if len(node.args) != wanted:
        raise FormulaError(f"{name} takes {wanted} arguments, found {len(node.args)}")


def _topics(parts: Sequence[Expression]) -> int:
    topics = 0
    for part in parts:
        topics |= part.topics
    return topics
