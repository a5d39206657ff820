"""Conditions of actions: an action whose condition does not hold is left out."""

from launch.missing import missing_names
from launch.substitutions import normalize, perform

TRUE, FALSE = ("true", "1"), ("false", "0")


class InvalidConditionExpressionError(Exception):
    """A condition that is neither true nor false."""


class IfCondition:
    """Holds when its text is "true" or "1"."""

    def __init__(self, predicate_expression):
        self._predicate = normalize(predicate_expression)

    def evaluate(self, context):
        """Return whether the condition holds."""
        text = perform(context, self._predicate).strip().lower()
        if text not in TRUE + FALSE:
            raise InvalidConditionExpressionError(
                f"expected true, false, 1 or 0 as a condition, got '{text}'"
            )
        return text in TRUE


class UnlessCondition(IfCondition):
    """Holds when its text is "false" or "0"."""

    def evaluate(self, context):
        return not super().evaluate(context)


__getattr__ = missing_names(__name__)
