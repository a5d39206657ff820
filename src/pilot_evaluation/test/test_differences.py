"""What a replay says is laid beside what was recorded, pair by pair."""

from dataclasses import replace

import pytest
from synthetic_drive import make_run

from pilot_common.folders import config_folder
from pilot_common.graph import load_graph
from pilot_common.types import Actuation
from pilot_evaluation.differences import Comparison, Difference
from pilot_evaluation.message_store import message_store

GRAPH = load_graph(config_folder())
STORE = message_store()
SENT = [message for message in make_run(1.0).messages("actuation") if isinstance(message, Actuation)]


def compared(recorded: list[bytes], replayed: list[Actuation]) -> Difference:
    comparison = Comparison(GRAPH)
    for cdr in recorded:
        comparison.add_recorded("actuation", cdr)
    for message in replayed:
        comparison.add_replayed("actuation", message, STORE.encode(message))
    return comparison.result()["actuation"]


def test_the_same_messages_do_not_differ() -> None:
    difference = compared([STORE.encode(message) for message in SENT], SENT)
    assert difference.none
    assert difference.sentence() == f"{len(SENT)} messages, all as recorded"


def test_padding_of_another_writer_is_no_difference() -> None:
    assert compared([STORE.encode(message) + b"\0\0\0" for message in SENT], SENT).none


def test_a_field_that_differs_is_told_with_its_size() -> None:
    moved = [replace(message, acceleration=message.acceleration + 0.5) for message in SENT[:10]]
    difference = compared([STORE.encode(message) for message in SENT], [*moved, *SENT[10:]])
    assert not difference.none
    assert difference.identical == len(SENT) - 10
    assert difference.largest["acceleration"] == pytest.approx(0.5)
    assert difference.mean["acceleration"] == pytest.approx(0.5 * 10 / len(SENT))
    assert difference.largest["steering_angle"] == 0.0
    assert "acceleration off by up to 0.5" in difference.sentence()


def test_messages_of_another_clock_are_paired_within_half_a_period() -> None:
    late = [replace(message, stamp=message.stamp + 0.004) for message in SENT]
    difference = compared([STORE.encode(message) for message in SENT], late)
    assert difference.matched == len(SENT)
    assert difference.identical == 0
    far = [replace(message, stamp=message.stamp + 5.0) for message in SENT]
    assert compared([STORE.encode(message) for message in SENT], far).matched == 0


def test_missing_and_doubled_messages_are_a_difference() -> None:
    assert not compared([STORE.encode(message) for message in SENT], SENT[:-1]).none
    assert not compared([STORE.encode(message) for message in SENT], [*SENT, SENT[-1]]).none
