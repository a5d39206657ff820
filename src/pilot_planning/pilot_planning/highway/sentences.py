"""What each kind of constraint says, in English and Chinese side by side."""

from typing import NamedTuple


class Both(NamedTuple):
    """A text in English and in Chinese."""

    english: str
    chinese: str


NOBODY = Both("", "")

WORDS = {
    "object": Both("object", "物体"),
    "car": Both("car", "轿车"),
    "truck": Both("truck", "货车"),
    "two-wheeler": Both("two-wheeler", "两轮车"),
    "pedestrian": Both("pedestrian", "行人"),
}

# By kind of constraint, or by one of several things that a kind has to say. Placeholders take the values in their order.
SENTENCES = {
    "set_speed": Both("set speed {0:.1f} m/s, now {1:.1f}", "设定车速 {0:.1f} m/s，当前 {1:.1f}"),
    "speed_limit": Both("speed limit {0:.1f} m/s", "限速 {0:.1f} m/s"),
    "lane_sight": Both(
        "lane seen for {0:.0f} m, enough for {1:.1f} m/s", "车道可见 {0:.0f} m，允许 {1:.1f} m/s"
    ),
    "object_sight": Both(
        "sensors see {0:.0f} m, enough to stop from {1:.1f} m/s",
        "传感器可见 {0:.0f} m，可由 {1:.1f} m/s 刹停",
    ),
    "curve": Both(
        "curve of radius {0:.0f} m in {1:.0f} m, for {2:.1f} m/s",
        "前方 {1:.0f} m 处弯道半径 {0:.0f} m，适宜 {2:.1f} m/s",
    ),
    "follow": Both("gap wanted {0:.0f} m", "期望间距 {0:.0f} m"),
    "cut_in": Both("cuts in within {1:.1f} s, needs {0:.1f} m/s²", "{1:.1f} s 内切入，需减速 {0:.1f} m/s²"),
    "contingency": Both(
        "may cut in within {1:.1f} s, needs {0:.1f} m/s²", "可能在 {1:.1f} s 内切入，需减速 {0:.1f} m/s²"
    ),
    "brake": Both("needs {0:.1f} m/s²", "需减速 {0:.1f} m/s²"),
    "emergency": Both("needs {0:.1f} m/s²", "紧急制动，需减速 {0:.1f} m/s²"),
    "crossing": Both("crosses, needs {0:.1f} m/s²", "横穿，需减速 {0:.1f} m/s²"),
    "minimum_risk": Both("minimum-risk manoeuvre, to a stop", "最小风险策略，减速停车"),
    "hold": Both("held at standstill, no reason to go", "静止保持，暂无起步理由"),
    "hold_behind": Both("held at standstill behind track {0}", "静止保持，跟在目标 {0} 之后"),
    "lane_lost": Both("nobody sees the lane, it is known for {0:.0f} m", "车道不可见，仅已知前方 {0:.0f} m"),
    "lane_end": Both("this lane ends in {0:.0f} m", "本车道 {0:.0f} m 后结束"),
    "limit_ahead": Both("speed limit {0:.1f} m/s in {1:.0f} m", "前方 {1:.0f} m 处限速 {0:.1f} m/s"),
    "pass_right": Both("to the left, passed at {0:.1f} m/s at most", "在左侧，右侧通过不超过 {0:.1f} m/s"),
    "give_way": Both("has to come over within {0:.0f} m", "须在 {0:.0f} m 内并入，为其让行"),
    "next_lane": Both("in the lane to move to", "位于拟变入车道"),
    "merge": Both("to a gap in the next lane within {0:.1f} s", "{0:.1f} s 内对准相邻车道空隙"),
    "glide": Both(
        "lifts off early for {0:.1f} m/s in {1:.0f} m", "前方 {1:.0f} m 处 {0:.1f} m/s，提前松油门滑行"
    ),
    "glide_behind": Both("lifts off early", "提前松油门滑行"),
    "jerk": Both(
        "jerk limit: from {0:.2f} towards {1:.2f} m/s²", "加加速度限制：由 {0:.2f} 趋向 {1:.2f} m/s²"
    ),
    "lane_centre": Both("centre of the lane", "车道中心"),
    "lane_change": Both("lane change that the driver confirmed", "驾驶员确认的变道"),
    "overtake": Both("gets on {0:.1f} s faster within {1:.0f} s", "{1:.0f} s 内可快 {0:.1f} s"),
    "keep_right": Both("keeps right, costs {0:.1f} s", "靠右行驶，损失 {0:.1f} s"),
    "leave_lane": Both("this lane ends in {0:.0f} m", "本车道 {0:.0f} m 后结束，须变道"),
    "follow_route": Both("this lane leaves the route in {0:.0f} m", "本车道 {0:.0f} m 后偏离路线，须变道"),
    "to_shoulder": Both("to the hard shoulder", "驶向应急车道"),
    "shoulder": Both("stops on the hard shoulder", "停于应急车道"),
    "evade_brake": Both("with room made for track {0}", "避让目标 {0} 并减速"),
    "evade": Both("keeps clear of track {0:.0f}", "避让目标 {0:.0f}"),
    "truck_beside": Both("leaves room for truck {0:.0f} beside", "与旁侧货车 {0:.0f} 保持距离"),
}


def say(kind: str, values: tuple[float, ...]) -> Both:
    """The sentence of a kind, with its values."""
    english, chinese = SENTENCES[kind]
    return Both(english.format(*values), chinese.format(*values))


def road_user(identity: int, word: str, gap: float, speed: float) -> Both:
    """Beginning of a sentence about somebody."""
    kind = WORDS[word]
    return Both(
        f"track {identity}, {kind.english} {gap:.0f} m ahead at {speed:.1f} m/s, ",
        f"目标 {identity}，{kind.chinese}，前方 {gap:.0f} m，速度 {speed:.1f} m/s，",
    )
