"""The parameters refuse a ladder that does not climb."""

import pytest

from pilot_common.errors import ConfigError
from pilot_common.folders import config_folder
from pilot_common.schema import build, merge, read_yaml
from pilot_supervision.parameters import SupervisionParameters

FILE = config_folder() / "parameters" / "supervision.yaml"


def test_the_base_parameters_load():
    assert build(SupervisionParameters, read_yaml(FILE), FILE).takeover_time_hands_free >= 10.0


def test_warnings_must_climb():
    wrong = merge(read_yaml(FILE), {"hands_off": {"acoustic": 10.0}})
    with pytest.raises(ConfigError, match="hands_off: visual, acoustic and takeover must follow one another"):
        build(SupervisionParameters, wrong, FILE)
