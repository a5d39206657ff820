"""Our messages as rclpy's: one codec for all nodes."""

import array
import importlib
from functools import cache
from typing import Any

import numpy as np

from pilot_common.codec import Codec

# rclpy takes an array.array as it is, but checks lists and numpy arrays element by element.
TYPECODES = {"float64": "d", "uint32": "I", "uint8": "B"}


def ros_class(full_name: str) -> type:
    """The rclpy class of `package/msg/Name`."""
    package, kind, name = full_name.split("/")
    return getattr(importlib.import_module(f"{package}.{kind}"), name)


def _sequence(values: np.ndarray) -> Any:
    typecode = TYPECODES.get(values.dtype.name)
    return values.tolist() if typecode is None else array.array(typecode, values.tobytes())


@cache
def ros_codec() -> Codec:
    """The codec between dataclasses and rclpy messages."""
    return Codec(ros_class, _sequence)
