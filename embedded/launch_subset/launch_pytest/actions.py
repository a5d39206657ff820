"""Actions for launch descriptions of tests."""

from launch.entity import Action
from launch.missing import missing_names


class ReadyToTest(Action):
    """Says that the tests may begin."""

    def __init__(self, **keywords):
        super().__init__(**keywords)
        self._callbacks = []

    def _add_callback(self, callback):
        self._callbacks.append(callback)

    def execute(self, context):
        for callback in self._callbacks:
            callback()


__getattr__ = missing_names(__name__)
