"""Cameras, radars and lidars: hand geometry without noise, statistics with it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pilot_common.types import MarkKind, ObjectClass
from pilot_common.vehicle import Image, SensorKind
from pilot_simulation.camera_model import CameraModel
from pilot_simulation.lidar_model import LidarModel
from pilot_simulation.radar_model import RadarModel
from pilot_simulation.sensors import SensorSuite

CAR, TRUCK = ObjectClass.CAR, ObjectClass.TRUCK
IMAGE = Image(width_px=1920, height_px=1080, focal_length_px=1200.0)
REPEATS = 600
SIGMAS = 4.0  # a correct model fails one of these tests in 16,000


def generator() -> np.random.Generator:
    return np.random.default_rng(12)


@pytest.fixture
def camera(sensor, parameters):
    """A camera model with one camera; nothing random but what the keywords of the sensor say."""

    def make(marks: float = 1.0, **changes) -> CameraModel:
        options = replace(parameters.camera, class_confusion=0.0)
        lines = replace(
            parameters.marks, near_probability=marks, far_probability=marks, point_probability=marks
        )
        one = sensor(SensorKind.CAMERA, **({"image": IMAGE} | changes))
        return CameraModel([one], [3], options, lines, generator())

    return make


@pytest.fixture
def radar(sensor, parameters):
    """A radar model with one radar, one return an object."""

    def make(**changes) -> RadarModel:
        options = replace(parameters.radar, second_probability=changes.pop("second", 0.0))
        return RadarModel([sensor(SensorKind.RADAR, **changes)], [1], options, generator())

    return make


@pytest.fixture
def lidar(sensor, parameters):
    """A lidar model with one lidar."""

    def make(fit: float = 0.0, **changes) -> LidarModel:
        options = replace(parameters.lidar, centre_deviation=fit, heading_deviation=fit, extent_deviation=fit)
        return LidarModel([sensor(SensorKind.LIDAR, **changes)], [12], options, generator())

    return make


def assert_rate(hits: int, tries: int, probability: float) -> None:
    assert abs(hits - tries * probability) < SIGMAS * math.sqrt(tries * probability * (1.0 - probability))


def assert_deviation(sample: np.ndarray, sigma: float) -> None:
    """Of a normal sample: its mean and its standard deviation, each within `SIGMAS` of their own."""
    assert abs(sample.mean()) < SIGMAS * sigma / math.sqrt(len(sample))
    assert sample.std() == pytest.approx(sigma, rel=SIGMAS / math.sqrt(2.0 * len(sample)))


def test_the_box_in_the_image_is_that_of_the_pinhole(camera, scene):
    objects = camera().measure(
        scene((CAR, 42.35, 0.0, 20.0))
    )  # near face 40 m ahead of the camera, 1.3 m high
    expected = (
        960 - 1200 * 0.925 / 40,
        540 - 1200 * 0.2 / 40,
        960 + 1200 * 0.925 / 40,
        540 + 1200 * 1.3 / 40,
    )
    assert objects.box_px == pytest.approx(np.array((expected,)))
    assert objects.sensor.tolist() == [3] and objects.sensors.tolist() == [3]
    assert objects.class_id.tolist() == [CAR]


def test_what_is_on_the_left_is_left_in_the_image(camera, scene):
    objects = camera().measure(scene((CAR, 42.35, 3.75, 20.0)))
    assert objects.box_px[0, 2] < 960


def test_a_box_that_leaves_the_image_is_cut_off_at_its_edge(camera, scene):
    objects = camera(field_of_view=1.35).measure(scene((CAR, 6.0, 4.0, 20.0)))
    left, top, right, bottom = objects.box_px[0]
    assert left == 0.0 and bottom <= 1080.0
    assert 0.0 < right < 960.0 and 0.0 < top < bottom


def test_noise_of_the_box_edges_is_the_sensors(camera, scene):
    model, one = camera(pixel_px=1.5), scene((CAR, 42.35, 0.0, 20.0))
    exact = camera().measure(one).box_px[0]
    error = np.array([model.measure(one).box_px[0] for _ in range(REPEATS)]) - exact
    for edge in range(4):
        assert_deviation(error[:, edge], 1.5)


@pytest.mark.parametrize("probability", [0.5, 0.9])
def test_an_object_is_detected_as_often_as_the_sensor_says(camera, radar, lidar, scene, probability):
    one = scene((CAR, 60.0, 0.0, 20.0))
    for model, count in (
        (camera(detection_probability=probability), lambda m: len(m.sensor)),
        (radar(detection_probability=probability), lambda m: len(m.sensor)),
        (lidar(detection_probability=probability), lambda m: len(m.sensor)),
    ):
        assert_rate(sum(count(model.measure(one)) for _ in range(REPEATS)), REPEATS, probability)


def test_a_hidden_car_is_unseen_by_camera_and_lidar_but_radar_passes_under(
    camera, radar, lidar, scene, parameters
):
    two = scene((CAR, 30.0, 0.0, 20.0), (CAR, 60.0, 0.0, 25.0))
    assert len(camera().measure(two).sensor) == 1
    assert len(lidar().measure(two).sensor) == 1
    model = radar()
    hits = sum(len(model.measure(two).sensor) - 1 for _ in range(REPEATS))
    assert_rate(hits, REPEATS, parameters.radar.under_ride)


def test_clutter_comes_as_often_as_the_sensor_says_and_lies_in_view(camera, radar, lidar, scene):
    nobody = scene()
    for model in (camera(clutter=0.7), radar(clutter=0.7), lidar(clutter=0.7)):
        counts = np.array([len(model.measure(nobody).sensor) for _ in range(REPEATS)])
        assert abs(counts.mean() - 0.7) < SIGMAS * math.sqrt(0.7 / REPEATS)
    returns = radar(clutter=50.0, field_of_view=1.0, range=150.0).measure(nobody)
    assert np.abs(returns.azimuth).max() <= 0.5 and returns.range.max() <= 150.0


def test_the_classes_of_camera_objects_are_confused_as_often_as_said(sensor, parameters, scene):
    one = sensor(SensorKind.CAMERA, image=IMAGE)
    options = replace(parameters.camera, class_confusion=0.2)
    model = CameraModel([one], [0], options, parameters.marks, generator())
    truck = scene((TRUCK, 50.0, 0.0, 20.0))
    wrong = sum(model.measure(truck).class_id[0] != TRUCK for _ in range(REPEATS))
    assert_rate(wrong, REPEATS, 0.2)


def test_a_radar_return_has_range_and_bearing_of_the_nearest_point_in_its_own_frame(radar, scene):
    model = radar(position=(3.7, 0.0, 0.5), yaw=0.3)
    returns = model.measure(scene((CAR, 43.7 + 2.35, 0.0, 20.0)))
    assert returns.range == pytest.approx((40.0,))
    assert returns.azimuth == pytest.approx((-0.3,))


def test_doppler_is_the_relative_speed_along_the_beam(radar, scene):
    model = radar(position=(3.7, 0.0, 0.5))
    assert model.measure(scene((CAR, 60.0, 0.0, 20.0), speed=25.0)).range_rate == pytest.approx((-5.0,))
    assert model.measure(scene((CAR, 60.0, 0.0, 30.0), speed=25.0)).range_rate == pytest.approx((5.0,))
    beside = model.measure(scene((CAR, 20.0, 10.0, 0.0), speed=25.0))
    assert beside.range_rate == pytest.approx(-25.0 * np.cos(beside.azimuth))


def test_turning_adds_the_motion_of_the_mount_to_doppler(radar, scene):
    model = radar(position=(3.7, 0.8, 0.5), yaw=0.9, field_of_view=2.4)
    returns = model.measure(scene((CAR, 20.0, 10.0, 0.0), speed=20.0, yaw_rate=0.2))
    direction = returns.azimuth[0] + 0.9
    own = (20.0 - 0.2 * 0.8, 0.2 * 3.7)
    assert returns.range_rate[0] == pytest.approx(
        -(own[0] * math.cos(direction) + own[1] * math.sin(direction))
    )


def test_standing_clutter_has_the_doppler_of_the_ground(sensor, parameters, scene):
    one = sensor(SensorKind.RADAR, clutter=200.0, yaw=0.4)
    model = RadarModel([one], [0], replace(parameters.radar, standing_clutter=1.0), generator())
    returns = model.measure(scene(speed=30.0))
    assert returns.range_rate == pytest.approx(-30.0 * np.cos(returns.azimuth + 0.4))


def test_second_returns_lie_on_the_face_that_the_radar_sees(radar, scene):
    model, car = radar(second=1.0, position=(3.7, 0.0, 0.5)), scene((CAR, 30.0, 0.0, 20.0))
    returns = [model.measure(car) for _ in range(200)]
    assert all(len(one.range) == 2 for one in returns)
    x = np.concatenate([3.7 + one.range * np.cos(one.azimuth) for one in returns])
    y = np.concatenate([one.range * np.sin(one.azimuth) for one in returns])
    assert x == pytest.approx(30.0 - 2.35)
    assert np.abs(y).max() <= 0.925 and y.std() > 0.2


def test_noise_of_radar_returns_is_the_sensors(radar, scene):
    model = radar(range_error=0.2, azimuth=0.01, range_rate=0.1)
    one = scene((CAR, 62.35, 0.0, 20.0))
    sample = [model.measure(one) for _ in range(REPEATS)]
    assert_deviation(np.array([m.range[0] for m in sample]) - 60.0, 0.2)
    assert_deviation(np.array([m.azimuth[0] for m in sample]), 0.01)
    assert_deviation(np.array([m.range_rate[0] for m in sample]) + 5.0, 0.1)


def test_a_lidar_box_nearby_is_the_true_box_on_the_ground(lidar, scene):
    seen = lidar().measure(scene((TRUCK, 60.0, -3.75, 20.0)))
    assert seen.position == pytest.approx(np.array(((60.0, -3.75, 0.0),)))
    assert seen.extent == pytest.approx(np.array(((16.5, 2.55, 3.9),)))
    assert seen.heading == pytest.approx((0.0,))
    assert seen.extent_valid.all() and seen.heading_valid.all()


def test_far_away_the_lidar_sees_the_near_face_only(lidar, scene):
    seen = lidar().measure(scene((CAR, 150.0, 0.0, 20.0), (CAR, -20.0, 0.0, 20.0)))
    assert seen.position == pytest.approx(np.array(((150.0 - 2.35, 0.0, 0.0),)))
    assert not seen.extent_valid.any() and not seen.heading_valid.any()


def test_lidar_positions_scatter_as_their_covariance_says(lidar, scene):
    model, one = lidar(fit=0.05, range_error=0.1, azimuth=0.004), scene((CAR, 50.0, 30.0, 20.0))
    sample = [model.measure(one) for _ in range(REPEATS)]
    error = np.array([m.position[0, :2] for m in sample]) - (50.0, 30.0)
    whitened = np.linalg.solve(np.linalg.cholesky(sample[0].position_covariance[0]), error.T)
    for row in (
        whitened
    ):  # the covariance of single measurements follows their noisy place by less than the tolerance
        assert_deviation(row, 1.0)
    assert abs(np.mean(whitened[0] * whitened[1])) < SIGMAS / math.sqrt(REPEATS)


def test_lane_marks_lie_on_the_lines_of_the_road(camera, scene, parameters):
    objects = camera().measure(scene())
    height, focal = 1.3, 1200.0
    lines = (-5.625, -1.875, 1.875, 5.625)
    assert objects.mark_kind.tolist() == [MarkKind.SOLID, MarkKind.DASHED, MarkKind.DASHED, MarkKind.SOLID]
    assert set(objects.line_sensor.tolist()) == {3}
    for mark, offset in enumerate(lines):
        u, v = objects.line_point_px[objects.line_mark == mark].T
        distance = focal * height / (v - 540.0)
        assert -(u - 960.0) * distance / focal == pytest.approx(offset)
        assert distance.max() == pytest.approx(parameters.marks.farthest)


def test_lane_marks_have_the_pixel_noise_of_the_camera(camera, scene):
    model, exact = camera(pixel_px=1.2), camera().measure(scene()).line_point_px
    own = np.concatenate([model.measure(scene()).line_point_px - exact for _ in range(60)])
    assert_deviation(own[:, 0], 1.2)
    assert_deviation(own[:, 1], 1.2)


def test_lines_behind_a_vehicle_are_hidden(camera, scene):
    free = camera().measure(scene())
    objects = camera().measure(scene((TRUCK, 25.0, 1.0, 20.0)))
    assert len(objects.line_point_px) < len(free.line_point_px)
    near_edge = 25.0 - 8.25
    left, _, right, _ = objects.box_px[0]
    inside = (objects.line_point_px[:, 0] > left) & (objects.line_point_px[:, 0] < right)
    distance = 1200.0 * 1.3 / (objects.line_point_px[inside, 1] - 540.0)
    assert (distance <= near_edge + 1e-6).all()


def test_lines_that_are_not_seen_are_missing_as_a_whole(camera, scene):
    model = camera(marks=0.5)
    counts = [len(model.measure(scene()).mark_kind) for _ in range(400)]
    assert min(counts) < 4
    assert all(0 <= count <= 4 for count in counts)
    for objects in (model.measure(scene()) for _ in range(20)):
        assert len(np.unique(objects.line_mark)) == len(objects.mark_kind) == len(objects.mark_score)


def test_every_kind_reports_which_of_its_sensors_measured(flagship, graph, parameters, scene):
    suite = SensorSuite(flagship, graph, parameters, 1)
    rows = [(CAR, 40.0 * (1 if i % 2 else -1), 3.75 * (i - 3), 25.0) for i in range(7)]
    messages = {
        topic: (latency, message) for latency, topic, message in suite.measure(0, scene(*rows), frozenset())
    }
    assert set(messages) == {"camera_objects", "radar_returns", "lidar_detections"}
    for topic, kind in (
        ("camera_objects", SensorKind.CAMERA),
        ("radar_returns", SensorKind.RADAR),
        ("lidar_detections", SensorKind.LIDAR),
    ):
        latency, message = messages[topic]
        assert tuple(message.sensors) == flagship.fitted(kind)
        assert set(message.sensor.tolist()) <= set(message.sensors.tolist())
        assert latency == graph.latency(topic, flagship)
        assert message.stamp == 100.0


def test_a_lost_sensor_is_not_listed_and_when_all_are_lost_there_is_no_message(
    flagship, graph, parameters, scene
):
    suite = SensorSuite(flagship, graph, parameters, 1)
    radars = flagship.fitted(SensorKind.RADAR)
    one = scene((CAR, 40.0, 0.0, 25.0))
    some = {topic: m for _, topic, m in suite.measure(0, one, frozenset(radars[:1]))}
    assert tuple(some["radar_returns"].sensors) == radars[1:]
    none = [topic for _, topic, _ in suite.measure(1, one, frozenset(radars))]
    assert none == ["camera_objects", "lidar_detections"]


def test_a_slower_sensor_measures_in_its_share_of_the_cycles(sedan, graph, parameters, scene):
    sensors = list(sedan.sensors)
    sensors[1] = replace(sensors[1], rate=8.0)
    suite = SensorSuite(replace(sedan, sensors=tuple(sensors)), graph, parameters, 1)
    one = scene((CAR, 40.0, 0.0, 25.0))
    reports = 0
    for cycle in range(40):
        message = next(
            m for _, topic, m in suite.measure(cycle, one, frozenset()) if topic == "radar_returns"
        )
        reports += 1 in message.sensors
    assert reports == 16


def test_the_same_seed_measures_the_same_and_another_does_not(flagship, graph, parameters, scene):
    rows = [(CAR, 20.0 + 12.0 * i, 3.75 * (i % 3 - 1), 25.0) for i in range(8)]

    def sequence(seed: int) -> list[bytes]:
        suite = SensorSuite(flagship, graph, parameters, seed)
        told = []
        for cycle in range(5):
            for _, _, message in suite.measure(cycle, scene(*rows), frozenset()):
                told += [
                    getattr(message, name).tobytes()
                    for name in ("box_px", "range", "position")
                    if hasattr(message, name)
                ]
        return told

    assert sequence(1) == sequence(1)
    assert sequence(1) != sequence(2)
