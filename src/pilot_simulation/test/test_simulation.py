"""The world as a whole: reproducible, on time, and honest about contacts and faults."""

import math

import numpy as np
import pytest

from pilot_common.messages import field_plans, to_nanoseconds
from pilot_common.types import Actuation, DriveMode, Gear, Limit, Mode, Side
from pilot_simulation.scenario import (
    Ego,
    Event,
    Fault,
    FaultKind,
    RoadPlan,
    Segment,
    TrafficPlan,
    load_scenario,
)
from pilot_simulation.simulation import EPOCH, TICK, Simulation

MICROSECOND = 1000  # ns: float seconds of this century are exact to a quarter of one
ACTIVE = Mode(stamp=0.0, mode=DriveMode.ACTIVE, reason="", warning=0)


def play(simulation: Simulation, seconds: float, actuation=None) -> list[tuple[int, str, object]]:
    """All messages of some seconds; `actuation(time in ns)` is what the gate sends."""
    messages = []
    try:
        for _ in range(round(seconds * 1e9) // TICK + 1):
            sent = actuation(simulation.now) if actuation else None
            messages += simulation.step(sent, ACTIVE if actuation else None)
    finally:
        simulation.close()
    return messages


def of(messages, topic: str) -> list:
    return [message for _, name, message in messages if name == topic]


def plain_bytes(message) -> bytes:
    """Everything in a message, byte by byte."""
    told = b""
    for field in field_plans(type(message)):
        value = getattr(message, field.name)
        if field.kind == "message":
            told += plain_bytes(value)
        else:
            told += value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
    return told


def send(stamp: int, acceleration: float = 0.0, steering: float = 0.0) -> Actuation:
    return Actuation(
        stamp=stamp * 1e-9,
        source_stamp=stamp * 1e-9,
        active=True,
        steering_angle=steering,
        acceleration=acceleration,
        gear=Gear.DRIVE,
        indicator=Side.NONE,
        hazard_lights=False,
        limit=Limit.NONE,
        reason="",
    )


@pytest.mark.parametrize("vehicle_name", ["sedan_ice", "flagship_ev"])
def test_the_same_seed_gives_the_same_bytes(vehicle_name, vehicle, config):
    scenario = load_scenario("busy_motorway", config)
    one, same = (
        [
            (due, topic, plain_bytes(message))
            for due, topic, message in play(Simulation(vehicle(vehicle_name), scenario, config), 3.0)
        ]
        for _ in range(2)
    )
    assert one == same
    other = play(Simulation(vehicle(vehicle_name), scenario, config, seed=99), 0.5)
    assert [plain_bytes(m) for _, _, m in other[:20]] != [told for _, _, told in one[:20]]


def test_messages_are_due_at_their_stamp_plus_the_latency_of_their_kind(flagship, graph, scenario, config):
    for due, topic, message in play(Simulation(flagship, scenario(), config), 1.0):
        measured = due - graph.latency(topic, flagship)
        assert to_nanoseconds(message.stamp) == pytest.approx(measured, abs=MICROSECOND)


@pytest.mark.parametrize(("vehicle_name", "has_route"), [("flagship_ev", True), ("sedan_ice", False)])
def test_topics_come_at_their_rates_and_start_with_the_drive(
    vehicle_name, has_route, vehicle, graph, scenario, config
):
    messages = play(Simulation(vehicle(vehicle_name), scenario(), config), 2.0)
    fitted = {"lidar_detections", "route"} if has_route else set()
    topics = [name for name in graph.sources if name in fitted or name not in ("lidar_detections", "route")]
    assert {topic for _, topic, _ in messages} == set(topics)
    for topic in topics:
        stamps = [to_nanoseconds(message.stamp) for message in of(messages, topic)]
        assert stamps[0] == EPOCH
        assert np.diff(stamps) == pytest.approx(1e9 / graph.topics[topic].rate, abs=MICROSECOND)
        assert len(stamps) == 2 * graph.topics[topic].rate + 1


def test_the_start_can_be_set_once_and_only_before_it(sedan, scenario, config):
    simulation = Simulation(sedan, scenario(), config)
    simulation.begin(5_000_000_000)
    (_, _, first), *_ = simulation.step(None, None)
    assert to_nanoseconds(first.stamp) == 5_000_000_000
    with pytest.raises(ValueError, match="has begun"):
        simulation.begin(0)


def test_without_a_system_the_driver_keeps_lane_and_set_speed_in_curves(vehicle, config, scenario):
    road = RoadPlan(
        lanes=2,
        lane_width=3.5,
        speed_limit=0.0,
        segments=(
            Segment(length=150.0),
            Segment(length=100.0, end_radius=400.0),
            Segment(length=300.0, end_radius=400.0),
        ),
    )
    ego = Ego(speed=18.0, lane=0, station=20.0)
    for name in ("city_ev", "flagship_ev"):
        truth = of(
            play(Simulation(vehicle(name), scenario(road=road, ego=ego, duration=25.0), config), 25.0),
            "truth",
        )
        assert max(abs(one.lane_offset) for one in truth) < 0.4
        assert truth[-1].speed == pytest.approx(20.0, abs=1.5)


def test_an_active_system_moves_the_car_and_a_silent_one_does_not(sedan, scenario, config):
    braked = of(play(Simulation(sedan, scenario(), config), 3.0, lambda now: send(now, -2.0)), "truth")
    assert braked[-1].speed == pytest.approx(20.0 - 2.0 * 2.8, abs=0.6)
    free = of(play(Simulation(sedan, scenario(), config), 3.0), "truth")
    assert free[-1].speed == pytest.approx(20.0, abs=0.5)


def test_a_contact_is_told_with_the_identity_of_the_other(sedan, scenario, actor, config):
    wall = scenario(actors=(actor(station=300.0, speed=0.0), actor(station=290.0, lane=2, speed=0.0)))
    truth = of(play(Simulation(sedan, wall, config), 6.0, send), "truth")
    touched = [one for one in truth if one.contact_identity]
    assert {one.contact_identity for one in touched} == {1}
    front = touched[0].station + sedan.facts.dimensions.rear_axle_to_front
    assert front == pytest.approx(300.0 - 0.5 * 4.7, abs=20.0 * 0.05 + 0.1)


def test_driving_past_closely_is_no_contact(sedan, scenario, actor, config):
    beside = 3.75 + 0.5 * (1.85 + sedan.facts.dimensions.width) + 0.1
    past = scenario(actors=(actor(lane=None, offset=beside, station=240.0, speed=0.0),))
    truth = of(play(Simulation(sedan, past, config), 4.0, send), "truth")
    assert truth[-1].station > 260.0
    assert not any(one.contact_identity for one in truth)


def test_the_driver_stops_behind_a_standing_car(sedan, scenario, actor, config):
    truth = of(
        play(Simulation(sedan, scenario(actors=(actor(station=380.0, speed=0.0),)), config), 25.0), "truth"
    )
    assert not any(one.contact_identity for one in truth)
    assert truth[-1].speed < 1.0


def test_a_lost_sensor_is_silent_from_its_time_on_for_its_duration(sedan, scenario, config):
    fault = Fault(time=1.0, kind=FaultKind.SENSOR_LOST, sensor="front_camera", duration=0.5)
    messages = play(Simulation(sedan, scenario(faults=(fault,)), config), 2.0)
    stamps = [(to_nanoseconds(m.stamp) - EPOCH) * 1e-9 for m in of(messages, "camera_objects")]
    assert not any(1.0 <= stamp < 1.5 for stamp in stamps)
    assert len(stamps) == 41 - 10
    assert len(of(messages, "radar_returns")) == 41


def test_a_fault_of_one_radar_leaves_the_others(sedan, scenario, config):
    fault = Fault(time=0.5, kind=FaultKind.SENSOR_LOST, sensor="rear_left_radar")
    returns = of(play(Simulation(sedan, scenario(faults=(fault,)), config), 1.0), "radar_returns")
    assert returns[0].sensors.tolist() == [1, 2, 3]
    assert returns[-1].sensors.tolist() == [1, 3]


def test_a_slippery_road_lengthens_the_way_to_a_stop(sedan, scenario, config):
    def way(friction: float) -> float:
        drive = Simulation(sedan, scenario(friction=friction), config)
        truth = of(play(drive, 12.0, lambda now: send(now, -8.0)), "truth")
        assert truth[-1].speed == 0.0
        assert truth[-1].friction == friction
        return truth[-1].station - truth[0].station

    assert way(0.3) > 2.0 * way(1.0)


def test_truth_and_sensors_tell_of_the_same_instant(sedan, scenario, actor, config):
    messages = play(Simulation(sedan, scenario(actors=(actor(station=240.0, speed=26.0),)), config), 2.0)
    returns = {m.stamp: m for m in of(messages, "radar_returns")}
    mount = sedan.sensors[1].position[0]
    errors = []
    for truth in of(messages, "truth"):
        gap = truth.station_other[0] - 0.5 * 4.7 - truth.station - mount
        seen = returns[truth.stamp].range[returns[truth.stamp].sensor == 1]
        errors += [float(value - gap) for value in seen if abs(value - gap) < 1.0]
    assert len(errors) > 30
    assert abs(np.mean(errors)) < 4.0 * sedan.sensors[1].errors.range / math.sqrt(len(errors)) + 0.02


def test_a_scripted_cut_in_happens_at_its_gap(sedan, scenario, actor, config):
    cut = actor(station=300.0, lane=2, speed=12.0, events=(Event(gap=25.0, lane=1, duration=2.0),))
    truth = of(play(Simulation(sedan, scenario(actors=(cut,)), config), 12.0, send), "truth")
    moving = next(one for one in truth if one.offset_other[0] < 7.5 - 1e-6)
    gap = moving.station_other[0] - 0.5 * 4.7 - moving.station - sedan.facts.dimensions.rear_axle_to_front
    assert gap == pytest.approx(25.0, abs=8.0 * 0.3)


def test_busy_traffic_is_seen_from_the_first_message_on(sedan, scenario, config):
    busy = scenario(traffic=TrafficPlan(density=20.0, speed=28.0, speed_spread=0.1, truck_share=0.1))
    first = of(play(Simulation(sedan, busy, config), 0.1), "truth")[0]
    assert len(first.identity) > 20
    assert first.contact_identity == 0
    assert np.abs(first.station_other - first.station).max() < 300.0
