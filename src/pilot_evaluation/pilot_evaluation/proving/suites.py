"""Which suites there are: those written as data in `config/proving/`, and those written as modules."""

import importlib
from collections.abc import Sequence
from pathlib import Path

from pilot_common.errors import ScenarioError
from pilot_evaluation.proving.case import Suite
from pilot_evaluation.proving.data_suite import DataSuite

# Suite: module and class. The class is made with the folder of the configuration.
REGISTRY = {
    "r157": "pilot_evaluation.proving.r157:R157",
    "recorded": "pilot_evaluation.proving.recorded:Recorded",
    "openacc": "pilot_evaluation.proving.openacc:OpenAcc",
    "platoon": "pilot_evaluation.proving.platoon:Platoon",
    "motorway": "pilot_evaluation.proving.motorway:Motorway",
}


def suite_names(config: Path) -> tuple[str, ...]:
    """All suites, modules first."""
    files = sorted(file.stem for file in (config / "proving").glob("*.yaml"))
    return (*REGISTRY, *(name for name in files if name not in REGISTRY))


def load_suites(names: Sequence[str], config: Path) -> list[Suite]:
    """The suites of these names. Raises ScenarioError for an unknown one, ConfigError for a bad file."""
    return [load_suite(name, config) for name in dict.fromkeys(names)]


def load_suite(name: str, config: Path) -> Suite:
    """The suite of a name. Raises ScenarioError for an unknown one, ConfigError for a bad file."""
    if name in REGISTRY:
        module, _, attribute = REGISTRY[name].partition(":")
        return getattr(importlib.import_module(module), attribute)(config)
    file = config / "proving" / f"{name}.yaml"
    if not file.exists():
        raise ScenarioError(f"no suite '{name}'; there are {', '.join(suite_names(config))}")
    return DataSuite(file)
