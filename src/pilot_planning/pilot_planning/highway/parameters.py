"""Parameters of the highway planner; base values in `config/parameters/planning.yaml`. Limits of the car are in its facts."""

from dataclasses import dataclass, replace

from pilot_common.schema import parameter
from pilot_common.vehicle import CommandLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedParameters:
    """How fast on a free road."""

    gain: float = parameter("1/s", 0.1, 2.0, "acceleration per speed error")
    acceleration: float = parameter("m/s²", 0.5, 3.0, "comfortable, from standstill")
    acceleration_fast: float = parameter(
        "m/s²", 0.2, 2.0, "comfortable, at the car's highest speed; linear between"
    )
    deceleration: float = parameter("m/s²", 0.3, 3.0, "to a lower set speed or speed limit")
    jerk: float = parameter("m/s³", 0.5, 5.0, "while accelerating")
    tracking_band: float = parameter("m/s", 0.1, 3.0, "planned speed stays this close to the measured one")
    curve_lateral_acceleration: float = parameter("m/s²", 0.5, 3.0, "in curves")
    curve_horizon: float = parameter("s", 2.0, 12.0, "curves are looked at this far ahead")
    curve_reaction: float = parameter("s", 0.3, 3.0, "time in which a curve's speed is reached at least")
    lane_sight_time: float = parameter("s", 1.0, 6.0, "the lane must be seen this long ahead")
    object_sight_reaction: float = parameter(
        "s", 0.1, 2.0, "until brakes act on an object that comes into sight"
    )
    object_sight_share: float = parameter(
        "", 0.3, 1.0, "share of the highest deceleration counted on to stop within sight"
    )

    def at(self, speed: float, limits: CommandLimits) -> float:
        """Comfortable acceleration at a speed."""
        slow = min(self.acceleration, limits.max_acceleration)
        return slow + (min(self.acceleration_fast, slow) - slow) / limits.max_speed * speed


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowParameters:
    """How to follow, stop behind and start after another road user."""

    standstill_gap: float = parameter("m", 1.0, 10.0, "bumper to bumper when standing")
    shortest_time_gap: float = parameter("s", 0.8, 3.0, "the driver cannot set less (ISO 15622: 0.8)")
    usual_time_gap: float = parameter("s", 0.8, 4.0, "when the driver has set none")
    gain: float = parameter("1/s", 0.05, 1.0, "closing speed per surplus of gap, behind a fast leader")
    speed_gain: float = parameter(
        "", 1.0, 2.0, "weight of the difference of speeds; above 1 the gap takes up part of a leader's swings"
    )
    gain_standing: float = parameter("1/s", 0.1, 1.5, "the same behind a standing one; linear between")
    gain_speed: float = parameter("m/s", 2.0, 30.0, "speed from which a leader is fast")
    close_gain: float = parameter("1/s", 0.1, 1.5, "behind a fast leader who is about to be left")
    approach_deceleration: float = parameter("m/s²", 0.5, 3.0, "in a long approach")
    opening_speed: float = parameter(
        "m/s", 0.5, 6.0, "fastest falling back when the gap is too small but nothing is urgent"
    )
    safe_reaction: float = parameter(
        "s", 0.2, 1.5, "reaction time of the safe distance, both cars braking equally hard"
    )
    danger_gain: float = parameter("1/s", 0.0, 2.0, "faster falling back per metre below the safe distance")
    danger_speed: float = parameter("m/s", 0.5, 10.0, "fastest falling back then")
    anticipation: float = parameter("s", 0.0, 1.5, "motion of the leader is looked at this far ahead")
    acceleration_noise: float = parameter(
        "m/s²", 0.0, 2.0, "of a leader's estimated acceleration; so much of it is not believed"
    )
    acceleration_fade: float = parameter(
        "s", 0.3, 5.0, "time constant with which a leader's acceleration is expected to end"
    )
    brake_threshold: float = parameter(
        "m/s²", 1.0, 4.0, "needed deceleration above which physics, not comfort, decides"
    )
    emergency_threshold: float = parameter(
        "m/s²", 3.0, 8.0, "needed deceleration that starts emergency braking"
    )
    emergency_release: float = parameter("m/s²", 0.5, 4.0, "needed deceleration below which it ends")
    release_jerk: float = parameter(
        "m/s³", 2.5, 20.0, "letting go of brakes that were applied beyond comfort"
    )
    emergency_surplus: float = parameter("", 1.0, 2.0, "factor on the needed deceleration in an emergency")
    collision_margin: float = parameter("m", 0.5, 5.0, "gap that must remain")
    system_delay: float = parameter("s", 0.0, 1.0, "from measurement to command; the brakes' own delay adds")
    stop_speed: float = parameter("m/s", 0.05, 1.0, "below, the car is brought to a stand and held")
    restart_acceleration: float = parameter("m/s²", 0.05, 1.0, "wanted before the car is let go")
    restart_speed: float = parameter("m/s", 0.1, 2.0, "speed of the leader before the car is let go")
    settling_time_gap: float = parameter(
        "s", 0.1, 1.0, "gap within which a newcomer is fallen back from with comfort, not gently"
    )
    settling_deceleration: float = parameter("m/s²", 0.3, 3.0, "of a newcomer who is then no longer one")
    lift_off: float = parameter("m/s²", 0.1, 1.0, "gentlest falling back from a newcomer")
    restart_gap: float = parameter("m", 0.5, 10.0, "or surplus of gap before the car is let go")
    hold_deceleration: float = parameter("m/s²", 0.5, 2.0, "requested at a stand")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelevanceParameters:
    """Which tracks matter, and how much they may make the car brake."""

    existence: float = parameter("", 0.1, 0.95, "tracks below are not regarded")
    existence_brake: float = parameter("", 0.3, 0.999, "of one kind of sensor, for braking beyond comfort")
    existence_both: float = parameter("", 0.3, 0.999, "the same of two kinds, which confirm at once")
    confirmation_time: float = parameter("s", 0.0, 3.0, "age that one kind also takes")
    unseen: float = parameter(
        "s", 0.1, 3.0, "tracks not measured for longer do not make the car brake beyond comfort"
    )
    margin: float = parameter(
        "m", 0.0, 1.0, "sideways clearance to our swept path below which an object is in it"
    )
    margin_far: float = parameter("m", 0.0, 2.0, "by so much less far beyond the lane that is seen")
    margin_release: float = parameter("m", 0.0, 1.5, "clearance above which it no longer is")
    drift_rate: float = parameter("m/s", 0.05, 1.0, "sideways speed towards our path that can be a crossing")
    doubtful_deceleration: float = parameter(
        "m/s²", 0.1, 3.0, "most for what is not confirmed yet: a radar echo that no camera shows"
    )
    leave_margin: float = parameter(
        "s", 0.5, 5.0, "who walks across and has left our path so long before we come is not braked for"
    )
    crossing_margin: float = parameter("s", 0.1, 2.0, "between a crossing object's passage and ours")
    most: int = parameter("", 1, 20, "nearest objects regarded one by one")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContingencyParameters:
    """Who may come into our path, and when that is braked for."""

    prior: float = parameter("", 0.001, 0.5, "odds that somebody leaves his lane at all")
    wander: float = parameter(
        "", 0.1, 1.0, "standard deviation of those who keep it, share of the room beside them"
    )
    sway: float = parameter("m/s", 0.02, 0.5, "and of their lateral speeds")
    settle: float = parameter(
        "m/s²", 0.0, 2.0, "across, with which somebody ends a change in the middle of a lane"
    )
    usual_rate: float = parameter("m/s", 0.1, 2.0, "of the lateral speeds of those who leave it")
    usual_offset: float = parameter("m", 0.1, 3.0, "and of their way beyond the line")
    faster: float = parameter(
        "", 0.0, 4.0, "standard deviations by which somebody may come in faster than he seems to"
    )
    memory: float = parameter("s", 0.1, 1.0, "time constant of lateral speeds, for their change")
    growth_time: float = parameter("s", 0.0, 1.0, "a lateral speed that grows may do so for this long")
    late: float = parameter("s", 0.0, 1.0, "and is known this much late")
    margin: float = parameter("m", 0.0, 1.0, "sideways clearance at which he has arrived")
    gap: float = parameter("m", 0.3, 5.0, "gap that braking must leave")
    time_gap: float = parameter("s", 0.0, 1.5, "gap that gentle braking leaves, where there is room for it")
    share_of_gap: float = parameter("", 0.0, 0.8, "but no more than this share of the present one")
    past: float = parameter("m", 0.0, 5.0, "way by which we must be past him to go on")
    kept: float = parameter("m", 0.0, 10.0, "way more by which, where braking for him has begun")
    possible: float = parameter("", 0.001, 0.5, "probability to come in from which it is guarded against")
    likely: float = parameter("", 0.1, 1.0, "probability from which it is braked for early")
    early: float = parameter("m/s²", 0.05, 3.0, "needed deceleration from which what is likely is braked for")
    latest: float = parameter(
        "", 0.2, 1.0, "share of the hardest braking whose need starts it for what is merely possible"
    )
    release: float = parameter("m/s²", 0.2, 4.0, "needed deceleration below which braking begun ends")
    surplus: float = parameter("", 1.0, 2.0, "factor on the needed deceleration in an emergency")


@dataclass(frozen=True, slots=True, kw_only=True)
class PathParameters:
    """The path to the lane centre and its sampling."""

    centring_time: float = parameter("s", 1.0, 8.0, "to the lane centre")
    shortest_centring: float = parameter("m", 3.0, 30.0, "distance at least")
    lateral_acceleration: float = parameter("m/s²", 0.2, 2.0, "of the way back to the centre")
    deviation: float = parameter(
        "m", 0.1, 2.0, "farther from the last path the plan starts anew from the car"
    )
    heading_deviation: float = parameter(
        "rad", 0.01, 0.5, "more askew to the last path the plan starts anew from the car"
    )
    memory: float = parameter("s", 0.0, 5.0, "lanes last seen are used this long")
    continuity: float = parameter("s", 0.1, 2.0, "after a longer pause the plan starts anew from the car")
    length: float = parameter("m", 100.0, 400.0, "of the path")
    points: int = parameter("", 20, 400, "of the path, denser near the car")
    horizon: float = parameter("s", 3.0, 15.0, "of the trajectory")
    samples: int = parameter("", 10, 200, "of the trajectory")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneChangeParameters:
    """How lanes are changed; times and rear gap of UN R79 are constants in `lane_change.py` and `pilot_common.regulation`."""

    duration: float = parameter("s", 3.0, 5.0, "of the sideways movement (UN R79: below 5)")
    shortest: float = parameter("s", 3.0, 5.0, "of the movement where little time is left")
    shield_speed: float = parameter(
        "m/s", 0.0, 10.0, "faster than the car by less, who is behind holds others up"
    )
    confidence: float = parameter("", 0.1, 0.99, "that the target lane exists, at least")
    width: float = parameter("m", 2.2, 3.5, "of the target lane, at least")
    front_time_gap: float = parameter("s", 0.3, 2.0, "to the car ahead in the target lane, at least")
    front_deceleration: float = parameter("m/s²", 0.5, 3.0, "to a slower car ahead in the target lane")
    lean_clearance: float = parameter(
        "m", 0.2, 1.5, "kept to who stands over the far mark of the target lane, by leaning to the near one"
    )
    lean_least: float = parameter("m", 0.2, 1.0, "of it that must be had, or he is in the lane")
    lean_margin: float = parameter("m", 0.0, 0.5, "to the near mark then")
    lean_reach: float = parameter("s", 1.0, 8.0, "ahead, who will be beside the car counts")
    beside_margin: float = parameter("m", 0.0, 10.0, "free before and behind the car")
    approach_speed: float = parameter("m/s", 20.0, 60.0, "of cars behind that may come into sight")
    centred: float = parameter("m", 0.05, 0.6, "distance to the centre at which a lane change is over")
    indicator_time: float = parameter(
        "s", 1.0, 5.0, "indicator before a movement that the system begins (UN R79: at least 1)"
    )
    rest: float = parameter("s", 0.0, 10.0, "after a change given up, before the system tries again")
    urgent_time_gap: float = parameter(
        "s", 0.3, 1.0, "to who is behind where the lane ends, and below which a movement is called off"
    )
    kept_share: float = parameter(
        "", 0.2, 1.0, "of the room ahead, below which a movement is called off: less than to begin it"
    )
    rear_courtesy: float = parameter("s", 0.2, 1.5, "time gap that who is behind shall be left with")
    must_front_gap: float = parameter(
        "s", 0.3, 2.0, "to the car ahead in the target lane, where the change must be: grown later at ease"
    )
    must_ease: float = parameter(
        "m/s²", 0.0, 2.0, "to open that gap with, between the beginning of the movement and the mark"
    )
    must_rear_gap: float = parameter(
        "s", 0.5, 1.0, "to who is behind, where the change must be, besides what he needs to slow down"
    )
    must_own_gap: float = parameter(
        "s",
        0.4,
        2.0,
        "to the car ahead in the lane that is left, while a change must be: for that while only",
    )
    must_acceleration: float = parameter("m/s²", 0.5, 2.5, "at most, while a change must be")
    must_speed_gain: float = parameter("1/s", 0.2, 2.0, "acceleration per speed error, for it")
    must_faster: float = parameter("m/s", 0.0, 3.0, "than the driver set, for it; never than the limit")
    gap_deceleration: float = parameter("m/s²", 0.3, 3.0, "at most, to come to a gap")
    gap_patience: float = parameter("m²/s⁵", 0.0, 2.0, "effort that a second earlier is worth")
    gap_inset: float = parameter("m", 0.0, 5.0, "to stay off the ends of a gap that has room")
    gap_shortage: float = parameter("m", 0.0, 20.0, "that a gap may lack and still be gone to")
    gap_shortage_cost: float = parameter("m/s⁴", 0.0, 5.0, "effort that a metre more room is worth")
    gap_hysteresis: float = parameter("m²/s⁴", 0.0, 5.0, "that another gap must be better by")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketParameters:
    """What the law of a market asks of the choice of lanes."""

    keep_right: float = parameter("s", 0.0, 2.0, "that driving farther right is worth, within the horizon")
    passing: float = parameter("m/s", 0.0, 20.0, "faster than somebody to the left at most")
    passing_slow: float = parameter("m/s", 0.0, 20.0, "the same where the one to the left is slow")
    slow_speed: float = parameter("m/s", 0.0, 30.0, "below it is slow")


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourParameters:
    """Which lane the car wants to be in, and how it adapts to lanes and others in them."""

    horizon: float = parameter("s", 5.0, 40.0, "over which lanes are compared")
    change_cost: float = parameter("s", 0.0, 2.0, "mean gain over the horizon that a lane change must bring")
    hysteresis: float = parameter("s", 0.0, 1.0, "less suffices once the indicator is on")
    persistence: float = parameter("s", 0.0, 3.0, "that a change must have paid for")
    stay: float = parameter("s", 0.0, 30.0, "in a lane after a change, before the next to get on faster")
    stay_left: float = parameter("s", 0.0, 60.0, "in a lane after a change, before keeping right")
    polite_deceleration: float = parameter(
        "m/s²", 0.2, 3.0, "most that who is behind shall brake for a change that is not needed"
    )
    route_time: float = parameter("s", 5.0, 60.0, "per change, before its end, a lane that ends is left")
    must_time: float = parameter(
        "s", 3.0, 30.0, "per change, before its end, with the indicator on all along"
    )
    route_cost: float = parameter("s", 0.0, 20.0, "of being in a lane at its end")
    end_margin: float = parameter("m", 0.0, 30.0, "left at the end of a lane")
    approach_gain: float = parameter("1/s", 0.2, 2.0, "to the speed line before an end or a lower limit")
    curve_acceleration: float = parameter(
        "m/s²", 0.3, 3.0, "across, in a curve: above, lanes are not changed without need"
    )
    end_deceleration: float = parameter("m/s²", 0.5, 3.5, "to a stop before the end of a lane")
    give_way_time: float = parameter("s", 0.5, 6.0, "ahead, who has to come over is given way")
    give_way_speed: float = parameter("", 0.0, 1.0, "share of our speed that the other has at least")
    give_way_deceleration: float = parameter("m/s²", 0.2, 2.0, "at most, for it")
    markets: dict[str, MarketParameters] = parameter(  # noqa: RUF009 - the call only makes a field
        "", 0.0, 0.0, "what the law of each market asks"
    )

    def market(self, name: str) -> MarketParameters:
        """The rules of a market; of the strictest known one where it is not listed."""
        if name in self.markets:
            return self.markets[name]
        return min(self.markets.values(), key=lambda rules: (rules.passing, -rules.keep_right))


@dataclass(frozen=True, slots=True, kw_only=True)
class EvasionParameters:
    """How the car makes room to the side."""

    clearance: float = parameter("m", 0.2, 1.5, "to somebody beside the car, at least")
    margin_mark: float = parameter("m", 0.0, 0.5, "to the marks of the lane, outside emergencies")
    line: float = parameter(
        "m", -0.5, 1.0, "from our lane's mark, nearer than which somebody may come too close"
    )
    margin_along: float = parameter(
        "m", 0.0, 3.0, "before and behind, within which somebody is beside the car"
    )
    rate_time: float = parameter(
        "s", 0.2, 30.0, "time constant with which a motion to the side is expected to end"
    )
    rate_noise: float = parameter("m/s", 0.0, 0.5, "of a motion to the side, so much is not believed")
    braking_noise: float = parameter("m/s²", 0.0, 2.0, "of the others' braking, so much is not believed")
    limit_share: float = parameter("", 0.3, 1.0, "of the largest lateral acceleration and jerk (ISO 11270)")
    shift_cost: float = parameter("", 0.0, 2.0, "of all the room in the lane; full braking costs 1")
    short_cost: float = parameter("", 0.0, 2.0, "of no clearance at all")
    sure: float = parameter("m", 0.0, 0.6, "clearance that must be left where a mark is crossed")
    gain: float = parameter("", 0.0, 1.0, "that a shift must bring")
    change: float = parameter(
        "m", 0.05, 0.5, "a shift that is under way is corrected from this difference on"
    )
    hold: float = parameter("s", 0.2, 5.0, "after the last need, before the car goes back to the centre")
    bias: float = parameter("m", 0.0, 0.3, "away from trucks beside the car")
    bias_reach: float = parameter(
        "m", 0.0, 50.0, "before and behind the car, within which trucks are beside it"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefugeParameters:
    """Where a minimum-risk manoeuvre ends."""

    margin: float = parameter("m", 0.0, 1.0, "that a hard shoulder is wider than the car, at least")
    time: float = parameter("s", 0.0, 60.0, "that a refuge is looked for")
    deceleration: float = parameter("m/s²", 0.2, 2.5, "while it is looked for")
    slowest: float = parameter("m/s", 2.0, 20.0, "below, the car stops where it is")
    movement_time: float = parameter("s", 2.0, 10.0, "of the movement onto the shoulder")
    room: float = parameter("m", 2.0, 50.0, "free before and behind on the shoulder")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyParameters:
    """Slowing early by the powertrain alone."""

    horizon: float = parameter("s", 0.0, 30.0, "that it may take; 0: the car does not drive ahead")
    slower: float = parameter("m/s", 0.2, 5.0, "difference of speeds from which on it is worth it")
    share: float = parameter("", 0.3, 1.0, "of the regeneration that is used, the rest corrects")
    gain: float = parameter("1/s", 0.1, 2.0, "acceleration per difference to the line of speeds")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningParameters:
    """`config/parameters/planning.yaml`."""

    speed: SpeedParameters
    follow: FollowParameters
    relevance: RelevanceParameters
    contingency: ContingencyParameters
    path: PathParameters
    lane_change: LaneChangeParameters
    behaviour: BehaviourParameters
    evasion: EvasionParameters
    refuge: RefugeParameters
    energy: EnergyParameters

    def pressed(self) -> SpeedParameters:
        """How fast while a change of lanes must be."""
        brisk = self.lane_change.must_acceleration
        slow = max(brisk, self.speed.acceleration)
        gain = self.lane_change.must_speed_gain
        return replace(self.speed, gain=gain, acceleration=slow, acceleration_fast=brisk)
