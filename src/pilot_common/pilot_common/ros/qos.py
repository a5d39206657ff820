"""The four quality-of-service profiles. The graph table names them; functions never do."""

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from pilot_common.graph import Qos, Take, Topic

PROFILES = {
    Qos.STREAM: QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT),
    Qos.STATE: QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE),
    Qos.LATCHED: QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL),
    Qos.EVENT: QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE),
}


def publisher_profile(topic: Topic) -> QoSProfile:
    """What the writer of a topic offers."""
    return PROFILES[topic.qos]


def subscription_profile(topic: Topic, take: Take = Take.NEWEST) -> QoSProfile:
    """What a reader asks for: a reader of all messages keeps as many as can come while its last step runs."""
    offered = PROFILES[topic.qos]
    if take is Take.NEWEST:
        return offered
    return QoSProfile(depth=20, reliability=offered.reliability, durability=offered.durability)
