"""Messages hold their shapes, travel unchanged, and agree with the interface files."""

import random
from pathlib import Path

import numpy as np
import pytest

from pilot_common.codec import Codec, wire_name
from pilot_common.interfaces import interface_files
from pilot_common.messages import Message, empty_arrays, field_plans, take, to_nanoseconds, to_seconds
from pilot_common.types import Detections, DriveMode, EgoMotion, Lanes, Mode, Tracks, World


def filled(message_class: type[Message], rows: int, generator: np.random.Generator) -> Message:
    """A message with every field set to something that is not its default."""
    values = {}
    for plan in field_plans(message_class):
        if plan.layout is not None:
            shape = (rows, *plan.layout.columns)
            values[plan.name] = generator.integers(
                0, 2 if plan.layout.dtype == "bool" else 200, shape
            ).astype(plan.layout.dtype)
        elif plan.kind == "message":
            values[plan.name] = filled(plan.python, rows, generator)
        elif plan.kind == "time":
            values[plan.name] = 1_763_000_000.0 + float(generator.uniform(0, 1e6))
        elif plan.kind == "enum":
            values[plan.name] = list(plan.python)[-1]
        else:
            example = {"float": 1.25, "int": -3, "bool": True, "str": "gap 34 m", "strings": ("a", "b")}
            values[plan.name] = example[plan.kind]
    return message_class(**values)


def same(one: Message, other: Message) -> bool:
    """Whether two messages say exactly the same."""
    for plan in field_plans(type(one)):
        left, right = getattr(one, plan.name), getattr(other, plan.name)
        if plan.layout is not None:
            if left.dtype != right.dtype or not np.array_equal(left, right):
                return False
        elif plan.kind == "message":
            if not same(left, right):
                return False
        elif left != right:
            return False
    return True


def message_classes() -> list[type[Message]]:
    from pilot_common import types

    return [
        c for c in vars(types).values() if isinstance(c, type) and issubclass(c, Message) and c is not Message
    ]


def test_interface_files_are_those_of_the_dataclasses():
    folder = Path(__file__).resolve().parents[2] / "pilot_msgs" / "msg"
    assert {file.name: file.read_text() for file in folder.glob("*.msg")} == interface_files()


def own_arrays(message: object) -> bool:
    """Whether all arrays are the message's own, in one piece: compiled loops were compiled for these and no others."""
    return all(
        own_arrays(value) if plan.kind == "message" else value.flags.carray
        for plan in field_plans(type(message))
        if plan.kind == "message" or plan.layout is not None
        for value in (getattr(message, plan.name),)
    )


@pytest.mark.parametrize("message_class", message_classes())
@pytest.mark.parametrize("rows", [0, 3])
def test_every_message_survives_the_way_through_ros(message_class, rows):
    wire = pytest.importorskip("pilot_common.ros.wire", reason="needs rclpy and the built pilot_msgs")
    from rclpy.serialization import deserialize_message, serialize_message

    codec = wire.ros_codec()
    message = filled(message_class, rows, np.random.default_rng(1))
    data = serialize_message(codec.to_wire(message))
    back = codec.from_wire(message_class, deserialize_message(data, wire.ros_class(wire_name(message_class))))
    assert same(message, back)
    assert own_arrays(back)


@pytest.mark.parametrize("message_class", message_classes())
def test_every_message_survives_the_way_through_a_bag_library(message_class):
    typesys = pytest.importorskip("rosbags.typesys")
    store = typesys.get_typestore(typesys.Stores.ROS2_KILTED)
    for name, text in interface_files().items():
        store.register(typesys.get_types_from_msg(text, f"pilot_msgs/msg/{name.removesuffix('.msg')}"))
    codec = Codec(lambda name: store.types[name], lambda array: array)
    message = filled(message_class, 3, np.random.default_rng(2))
    data = store.serialize_cdr(codec.to_wire(message), wire_name(message_class))
    back = codec.from_wire(message_class, store.deserialize_cdr(data, wire_name(message_class)))
    assert same(message, back)
    assert own_arrays(back)


def test_arrays_that_do_not_fit_one_another_are_refused():
    arrays = empty_arrays(Tracks) | {"age": np.zeros(2)}
    with pytest.raises(ValueError, match=r"Tracks\.\w+ has \d rows where N = \d"):
        Tracks(**arrays)


def test_a_wrong_number_of_columns_is_refused():
    with pytest.raises(ValueError, match=r"Tracks.velocity has shape \(2, 3\)"):
        Tracks(**(empty_arrays(Tracks) | {"velocity": np.zeros((2, 3))}))


def test_rows_can_be_taken_without_touching_fields_of_other_letters():
    message = filled(Detections, 4, np.random.default_rng(3))
    rows = take(message, np.array([True, False, True, False]))
    assert rows["position"].shape == (2, 3)
    assert "sensors" not in rows  # counted by S


def test_times_since_the_epoch_survive_nanoseconds_exactly():
    generator = random.Random(4)
    for _ in range(10_000):
        seconds = generator.uniform(1e8, 4e9)
        assert to_seconds(to_nanoseconds(seconds)) == seconds


def test_world_of_nothing_is_a_message():
    lanes = Lanes(valid=False, reason="", ego_lane=0, sight=0.0, speed_limit=0.0, **empty_arrays(Lanes))
    ego = EgoMotion(x_odom=0.0, y_odom=0.0, yaw_odom=0.0, speed=0.0, acceleration=0.0, yaw_rate=0.0)
    tracks = Tracks(**empty_arrays(Tracks))
    world = World(
        stamp=1.0,
        source_stamp=1.0,
        valid=False,
        reason="",
        sensors_lost=(),
        ego=ego,
        lanes=lanes,
        tracks=tracks,
    )
    assert len(world.tracks.identity) == 0
    assert Mode(stamp=0.0, mode=DriveMode.OFF, reason="", warning=0).mode is DriveMode.OFF
