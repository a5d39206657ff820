"""The four quality-of-service profiles. The graph table names them; functions never do."""

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from pilot_common.graph import Qos, Take, Topic


def _profile(qos: Qos, depth: int | None = None) -> QoSProfile:
    named = qos.profile
    return QoSProfile(
        depth=depth or named.depth,
        reliability=ReliabilityPolicy.RELIABLE if named.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if named.latched else DurabilityPolicy.VOLATILE,
    )


PROFILES = {qos: _profile(qos) for qos in Qos}


def publisher_profile(topic: Topic) -> QoSProfile:
    """What the writer of a topic offers."""
    return PROFILES[topic.qos]


def subscription_profile(topic: Topic, take: Take = Take.NEWEST) -> QoSProfile:
    """What a reader asks for: a reader of all messages keeps as many as can come while its last step runs."""
    return PROFILES[topic.qos] if take is Take.NEWEST else _profile(topic.qos, depth=20)
