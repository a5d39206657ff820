"""The errors a user can cause, each saying what is wrong where, and which rule says so."""


class PilotError(Exception):
    """Base: a mistake in the input that the user can mend. `exit_code` is what a command ends with."""

    exit_code = 2


class ConfigError(PilotError):
    """A configuration file, key and the rule it breaks. Nothing starts."""

    def __init__(self, file: object, key: str, rule: str) -> None:
        self.file, self.key, self.rule = str(file), key, rule
        super().__init__(f"{self.file}: {key}: {rule}" if key else f"{self.file}: {rule}")


class BagError(PilotError):
    """A recording that cannot be used: missing, truncated, empty, or of other types."""


class ScenarioError(PilotError):
    """A scenario that does not exist or cannot be driven by this vehicle."""
