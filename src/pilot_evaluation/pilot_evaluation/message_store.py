"""Our message definitions as the bag library knows them: encoding to CDR, decoding, definitions and type hashes."""

import os
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from pilot_common.codec import PACKAGE, Codec, wire_name
from pilot_common.errors import BagError
from pilot_common.messages import Message
from pilot_evaluation.cdr import CdrEncoder

MessageType = TypeVar("MessageType", bound=Message)


def definition_folder() -> Path:
    """The folder of `pilot_msgs/msg/*.msg`: in the source tree, or installed. Raises BagError where there is none."""
    parents = [parent / "src" / PACKAGE / "msg" for parent in Path(__file__).resolve().parents]
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(
        os.pathsep
    )  # how ROS 2 finds every installed resource
    for folder in [*parents, *(Path(prefix) / "share" / PACKAGE / "msg" for prefix in prefixes if prefix)]:
        if any(folder.glob("*.msg")):
            return folder
    raise BagError(
        f"the message definitions of {PACKAGE} lie neither beside the sources nor in an installed {PACKAGE}"
    )


class MessageStore:
    """The standard interfaces of ROS 2 and our own, ready to encode and decode."""

    def __init__(self, folder: Path) -> None:
        self.types: Typestore = get_typestore(Stores.ROS2_KILTED)
        own = {}
        for file in sorted(folder.glob("*.msg")):
            own.update(get_types_from_msg(file.read_text(encoding="utf-8"), f"{PACKAGE}/msg/{file.stem}"))
        self.types.register(own)
        self._encoder = CdrEncoder()
        self._codec = Codec(lambda name: self.types.types[name], np.ascontiguousarray)

    def encode(self, message: Message) -> bytes:
        """The CDR bytes of a message: the same bytes for the same content, on every run."""
        return self._encoder.encode(message)

    def decode(self, message_class: type[MessageType], cdr: bytes) -> MessageType:
        """The message in CDR bytes. Raises BagError where they do not hold one."""
        try:
            wire = self.types.deserialize_cdr(cdr, wire_name(message_class))
            return self._codec.from_wire(message_class, wire)
        except (ValueError, IndexError, SerdeError, AssertionError) as error:
            raise BagError(
                f"a message of type {wire_name(message_class)} cannot be decoded: {error}"
            ) from None

    def definition(self, type_name: str) -> str:
        """The full definition of a type with all it is made of, as bags carry it. Raises BagError for an unknown type."""
        if type_name not in self.types.fielddefs:
            raise BagError(f"unknown message type {type_name}")
        return self.types.generate_msgdef(type_name, ros_version=2)[0]

    def type_hash(self, type_name: str) -> str:
        """The RIHS01 hash of a type, as ROS 2 computes it."""
        return self.types.hash_rihs01(type_name)


@cache
def message_store() -> MessageStore:
    """The one store of this process (reading it takes a tenth of a second)."""
    return MessageStore(definition_folder())
