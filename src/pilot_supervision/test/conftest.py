"""Drives that every test of the supervisor starts from."""

import pytest
from supervised import Drive


@pytest.fixture
def drive():
    return Drive().engaged()


@pytest.fixture
def standing_by():
    drive = Drive()
    drive.run(1.0)
    return drive
