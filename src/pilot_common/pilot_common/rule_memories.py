"""What a rule can remember: operators over the past of an expression, stepped forward in time.

| written | means |
|---|---|
| `mean_over(x, seconds)`, `rate(x, seconds)` | mean, and mean rate of change, over the last seconds (unknown before) |
| `held(condition)`, `lasted(condition)` | how long it has been true now; how long its latest stretch has lasted or lasted |
| `for_seconds(condition, seconds)` | true for at least so long |
| `recently(condition, seconds)`, `since(condition)` | true within the last seconds; how long ago it was last true |
| `rises(condition)`, `changed(x)` | became true just now; differs from the step before |
| `at_rise(x, condition)` | x as it was when the condition last became true |
| `latched(begin, end)` | true from `begin` until `end` |
"""

import math
from collections import deque
from enum import Enum
from typing import Any, ClassVar

UNKNOWN = math.nan
TICK = 1e-6  # s: stamps are no more exact than that


class Kind(Enum):
    """What an expression yields."""

    NUMBER = "number"
    CONDITION = "condition"


class Memory:
    """An operator with a memory. `step(time, …)` takes what its arguments are now and returns its value; `copy` gives one that
    goes its own way. `text` are its arguments as Python, for who calls it.
    """

    arguments: ClassVar[tuple[Kind, ...]]
    seconds: ClassVar[bool] = False  # whether a number of seconds follows the arguments
    yields: ClassVar[Kind]

    def __init__(self, text: str, seconds: float, topics: int) -> None:
        self.text, self.topics, self._seconds = text, topics, seconds
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        self._state: Any = None

    @property
    def unknown(self) -> Any:
        """Its value while what it looks at is not known."""
        return UNKNOWN if self.yields is Kind.NUMBER else False

    def step(self, time: float, *arguments: Any, **_named: Any) -> Any:
        """The value at `time`, which never goes back."""
        raise TypeError(f"{type(self).__name__} is only the common part of memories")

    def copy(self) -> "Memory":
        """Its state is a float, a tuple or a deque of tuples."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        if isinstance(self._state, deque):
            twin._state = self._state.copy()
        return twin


class _Window(Memory):
    arguments, seconds, yields = (Kind.NUMBER,), True, Kind.NUMBER

    def reset(self) -> None:
        self._state: deque[tuple[float, float, float]] = deque()  # time, value, integral up to then

    def _push(self, time: float, value: float) -> tuple[float, float, float, bool]:
        """Adds a value; returns value and integral at the window's begin, the integral now, and whether the window is full."""
        state = self._state
        if state:
            last, at_last, integral = state[-1]
            integral += (time - last) * 0.5 * (value + at_last)
        else:
            integral = 0.0
        state.append((time, value, integral))
        begin = time - self._seconds
        while len(state) > 2 and state[1][0] <= begin:
            state.popleft()
        earlier, before, total = state[0]
        if earlier > begin + TICK:
            return value, 0.0, integral, False
        later, after, _ = state[1]
        gone = begin - earlier
        then = before + gone / (later - earlier) * (after - before) if later > earlier else before
        return then, total + gone * 0.5 * (before + then), integral, True


class _MeanOver(_Window):
    def step(self, time: float, value: float) -> float:
        if math.isnan(value):  # the window begins anew
            self.reset()
            return UNKNOWN
        _, before, now, full = self._push(time, value)
        return (now - before) / self._seconds if full else UNKNOWN


class _Rate(_Window):
    def step(self, time: float, value: float) -> float:
        if math.isnan(value):
            self.reset()
            return UNKNOWN
        then, _, _, full = self._push(time, value)
        return (value - then) / self._seconds if full else UNKNOWN


class _Held(Memory):
    arguments, yields = (Kind.CONDITION,), Kind.NUMBER

    def step(self, time: float, condition: bool) -> float:
        if not condition:
            self._state = None
            return 0.0
        if self._state is None:
            self._state = time
        return time - self._state


class _Lasted(Memory):
    arguments, yields = (Kind.CONDITION,), Kind.NUMBER

    def reset(self) -> None:
        self._state = (None, 0.0)  # begin of the present stretch, length of the latest

    def step(self, time: float, condition: bool) -> float:
        begin, length = self._state
        if condition:
            begin = time if begin is None else begin
            length = time - begin
        else:
            begin = None
        self._state = (begin, length)
        return length


class _Since(Memory):
    arguments, yields = (Kind.CONDITION,), Kind.NUMBER

    def step(self, time: float, condition: bool) -> float:
        if condition:
            self._state = time
        return math.inf if self._state is None else time - self._state


class _Rises(Memory):
    arguments, yields = (Kind.CONDITION,), Kind.CONDITION

    def step(self, time: float, condition: bool) -> bool:
        before, self._state = self._state, bool(condition)
        return before is False and self._state


class _Changed(Memory):
    arguments, yields = (Kind.NUMBER,), Kind.CONDITION

    def step(self, time: float, value: float) -> bool:
        before, self._state = self._state, value
        return before is not None and before != self._state


class _AtRise(Memory):
    arguments, yields = (Kind.NUMBER, Kind.CONDITION), Kind.NUMBER

    def reset(self) -> None:
        self._state = (None, UNKNOWN)

    def step(self, time: float, value: float, condition: bool) -> float:
        before, kept = self._state
        now = bool(condition)
        if now and before is False:
            kept = value
        self._state = (now, kept)
        return kept


class _Latched(Memory):
    arguments, yields = (Kind.CONDITION, Kind.CONDITION), Kind.CONDITION

    def step(self, time: float, begin: bool, end: bool) -> bool:
        if end:
            self._state = None
        elif begin:
            self._state = True
        return self._state is not None


MEMORIES: dict[str, type[Memory]] = {
    "mean_over": _MeanOver,
    "rate": _Rate,
    "held": _Held,
    "lasted": _Lasted,
    "since": _Since,
    "rises": _Rises,
    "changed": _Changed,
    "at_rise": _AtRise,
    "latched": _Latched,
}
# What is written so compares another memory with its seconds: so all that ask of the same condition share one.
COMPARED = {"for_seconds": ("held", "({} >= {})", -TICK), "recently": ("since", "({} <= {})", TICK)}
