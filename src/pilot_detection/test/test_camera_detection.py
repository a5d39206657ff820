"""Camera detection against a small exact world: boxes and lines projected with the shared pinhole."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pilot_common.camera import project
from pilot_common.folders import config_folder
from pilot_common.near_face import near_face
from pilot_common.schema import build, read_yaml
from pilot_common.types import CameraObjects, Detections, LaneMarks, MarkKind, ObjectClass
from pilot_common.vehicle import Image, Sensor, SensorErrors, SensorKind
from pilot_detection.camera import CameraDetection
from pilot_detection.parameters import Parameters

PIXEL = 1.0


def camera(name: str, yaw: float, pitch: float = 0.0, focal: float = 1800.0, kind: str = "camera") -> Sensor:
    return Sensor(
        name=name,
        kind=SensorKind(kind),
        position=(1.9, 0.0, 1.4) if abs(yaw) < 1.0 else (0.8, float(np.copysign(0.9, yaw)), 1.1),
        yaw=yaw,
        pitch=pitch,
        field_of_view=1.0,
        range=150.0,
        rate=20.0,
        latency=0.06,
        errors=SensorErrors(
            pixel_px=PIXEL, range=0.0, azimuth=0.0, range_rate=0.0, detection_probability=0.95, clutter=0.1
        ),
        image=Image(width_px=1920, height_px=1080, focal_length_px=focal),
    )


class Car:
    """What detection reads of a vehicle."""

    sensors = (
        camera("front", 0.0, 0.02),
        camera("left", 1.4, 0.1, 900.0),
        camera("radar", 0.0, kind="radar"),
        camera("rear", 3.1, 0.0, 1200.0),
    )

    def fitted(self, kind: SensorKind) -> tuple[int, ...]:
        return tuple(index for index, sensor in enumerate(self.sensors) if sensor.kind is kind)


def detector() -> CameraDetection:
    file = config_folder() / "parameters" / "detection.yaml"
    return CameraDetection(Car(), build(Parameters, read_yaml(file), file))  # type: ignore[arg-type]


def image_box(
    sensor: int, x: float, y: float, extent: tuple[float, float, float] = (4.6, 1.85, 1.5)
) -> np.ndarray:
    """Box in the image around a car along the x axis with its centre on the ground at (x, y)."""
    length, width, height = extent
    corners = np.array(
        [
            (x + a * length / 2, y + b * width / 2, c * height)
            for a in (1, -1)
            for b in (1, -1)
            for c in (0, 1)
        ]
    )
    pixels, depth = project(Car.sensors[sensor], corners)
    assert np.all(depth > 0.0)
    return np.concatenate((pixels.min(axis=0), pixels.max(axis=0)))


def message(**changes: Any) -> CameraObjects:
    empty: dict[str, Any] = {
        "stamp": 1.0,
        "sensors": [0],
        "sensor": [],
        "box_px": [],
        "class_id": [],
        "score": [],
        "line_sensor": [],
        "line_mark": [],
        "line_point_px": [],
        "mark_kind": [],
        "mark_score": [],
    }
    return CameraObjects(**(empty | changes))


def boxes(sensor: list[int], box: Any, **changes: Any) -> CameraObjects:
    count = len(sensor)
    content = {
        "sensors": sorted(set(sensor)),
        "sensor": sensor,
        "box_px": box,
        "class_id": [1] * count,
        "score": [0.9] * count,
    }
    return message(**(content | changes))


def lines(
    coefficients: list[tuple[float, ...]], x: np.ndarray, noise: float = 0.0, sensor: int = 0, seed: int = 0
) -> CameraObjects:
    random = np.random.default_rng(seed)
    mark, pixels = [], []
    for index, c in enumerate(coefficients):
        ground = np.column_stack((x, np.polynomial.polynomial.polyval(x, c), np.zeros(len(x))))
        pixels.append(project(Car.sensors[sensor], ground)[0] + noise * random.standard_normal((len(x), 2)))
        mark += [index] * len(x)
    return message(
        sensors=[sensor],
        line_sensor=[sensor] * len(mark),
        line_mark=mark,
        line_point_px=np.concatenate(pixels),
        mark_kind=[MarkKind.DASHED] * len(coefficients),
        mark_score=[0.9] * len(coefficients),
    )


def lift(objects: CameraObjects) -> Detections:
    found = detector().step(CameraDetection.Inputs(time=1.1, camera_objects=objects)).camera_detections
    assert found is not None
    return found


def fit(objects: CameraObjects) -> LaneMarks:
    found = detector().step(CameraDetection.Inputs(time=1.1, camera_objects=objects)).lane_marks
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("sensor", "x", "y"),
    [
        (0, 15.0, 0.0),
        (0, 30.0, 3.5),
        (0, 60.0, -3.5),
        (0, 100.0, 0.5),
        (1, 2.5, 6.0),
        (3, -25.0, -3.5),
        (3, -40.0, 0.0),
    ],
)
def test_a_box_of_usual_size_is_found_where_it_stands(sensor: int, x: float, y: float) -> None:
    found = lift(boxes([sensor], [image_box(sensor, x, y)]))
    viewer = np.array(Car.sensors[sensor].position[:2])
    offset, _, _, _ = near_face(np.array(((x, y),)), np.zeros(1), np.array((4.6,)), np.array((1.85,)), viewer)
    expected = np.array((x, y)) + (0.0 if found.extent_valid[0] else offset[0])
    np.testing.assert_allclose(found.position[0, :2], expected, atol=0.02)
    np.testing.assert_allclose(found.extent[0], (4.6, 1.85, 1.5), atol=0.02)


def test_range_error_grows_faster_than_range() -> None:
    found = lift(boxes([0] * 3, [image_box(0, x, 0.0) for x in (20.0, 40.0, 80.0)]))
    deviation = np.sqrt(found.position_covariance[:, 0, 0])
    assert deviation[1] > 1.9 * deviation[0]
    assert deviation[2] > 1.9 * deviation[1]
    assert np.all(deviation > 2.0 * np.sqrt(found.position_covariance[:, 1, 1]))


def test_reported_covariance_covers_the_true_error_of_noisy_boxes() -> None:
    random = np.random.default_rng(5)
    squared = []
    for _ in range(40):
        x, y = (
            random.uniform(12.0, 90.0, 10),
            random.choice((-3.5, 0.0, 3.5), 10) + random.normal(0.0, 0.3, 10),
        )
        extent = random.normal((4.6, 1.85, 1.5), (0.5, 0.12, 0.13), (10, 3))
        pitch = 1800.0 * random.normal(0.0, np.radians(0.1), 10)
        box = np.array([image_box(0, *row, tuple(size)) for *row, size in zip(x, y, extent, strict=True)])
        box += PIXEL * random.standard_normal((10, 4))
        box[:, (1, 3)] += pitch[:, None]
        found = lift(boxes([0] * 10, box))
        assert len(found.score) == 10
        error = found.position[:, :2] - np.column_stack((x - 0.5 * extent[:, 0], y))
        squared.append(
            np.einsum("ni,nij,nj->n", error, np.linalg.inv(found.position_covariance), error)[
                ~found.extent_valid
            ]
        )
    mean = float(np.mean(np.concatenate(squared)))
    assert (
        0.8 < mean < 2.4
    )  # two degrees of freedom; this world has no curves, which the covariance allows for


def test_a_side_view_knows_the_length() -> None:
    found = lift(boxes([1], [image_box(1, 2.0, 7.0, (4.9, 1.85, 1.5))], sensors=[1]))
    assert found.extent[0, 0] == pytest.approx(4.9, abs=0.3)


def test_a_box_above_the_horizon_is_dropped_and_others_stay() -> None:
    floating = image_box(0, 40.0, 0.0) - (0.0, 400.0, 0.0, 400.0)
    found = lift(boxes([0, 0], [floating, image_box(0, 40.0, 0.0)]))
    assert len(found.position) == 1
    assert found.position[0, 0] == pytest.approx(37.7, abs=0.1)


def test_a_box_of_impossible_size_for_its_class_is_dropped() -> None:
    assert len(lift(boxes([0], [image_box(0, 30.0, 0.0, (4.6, 8.0, 6.0))])).position) == 0


def test_a_box_cut_by_the_image_border_is_not_taken_as_narrow() -> None:
    box = image_box(0, 9.5, 3.5)
    assert box[0] < 0.0
    found = lift(boxes([0], [np.maximum(box, 0.0)]))
    assert found.extent[0, 1] == pytest.approx(1.85, abs=0.1)
    assert rear(found) == pytest.approx(7.2, abs=0.4)


def rear(found: Detections) -> float:
    """Where the rear of the only box ahead is, whether its near face or its centre is told."""
    return float(found.position[0, 0] - 0.5 * found.extent[0, 0] * found.extent_valid[0])


@pytest.mark.parametrize("x", [1.0, 2.0, 3.5, 4.0, 4.5])
def test_the_centre_is_told_where_a_face_could_be_a_rear_or_a_side(x: float) -> None:
    found = lift(boxes([1], [np.clip(image_box(1, x, 4.0), 0.0, (1920.0, 1080.0, 1920.0, 1080.0))]))
    viewer = np.array(Car.sensors[1].position[:2])
    length, width = found.extent[0, :2]
    if found.extent_valid[0]:
        assert found.position[0, :2] == pytest.approx((x, 4.0), abs=0.6)
        return
    # A car behind this face, or beside it, would show the camera this face: only one of the two may be.
    face = found.position[0, :2]
    centres = np.array((face + (0.5 * length, 0.0), face + (0.0, 0.5 * width)))
    shown = near_face(centres, np.zeros(2), np.full(2, length), np.full(2, width), viewer)
    assert shown.end.tolist() in ([True, True], [False, False])


def test_boxes_of_several_cameras_do_not_influence_one_another() -> None:
    one, two = image_box(0, 30.0, 3.5), image_box(3, -30.0, 3.5)
    both, alone = lift(boxes([0, 3], [one, two])), lift(boxes([3], [two]))
    np.testing.assert_allclose(both.position[1], alone.position[0], rtol=1e-12)
    assert both.sensors.tolist() == [0, 3]


def test_pedestrians_and_trucks_use_their_own_sizes() -> None:
    truck, pedestrian = image_box(0, 50.0, 3.5, (12.0, 2.5, 3.6)), image_box(0, 25.0, -4.0, (0.5, 0.6, 1.7))
    found = lift(boxes([0, 0], [truck, pedestrian], class_id=[ObjectClass.TRUCK, ObjectClass.PEDESTRIAN]))
    np.testing.assert_allclose(found.extent[:, 1], (2.5, 0.6), atol=0.05)
    assert found.position[0, 0] == pytest.approx(44.0, abs=0.2)


@pytest.mark.parametrize("x", [16.0, 20.0, 30.0])
def test_a_truck_in_the_next_lane_close_by_is_not_lost(x: float) -> None:
    box = image_box(0, x, -3.6, (16.5, 2.55, 3.9))
    seen = np.clip(box, 0.0, (1920.0, 1080.0, 1920.0, 1080.0))
    found = lift(boxes([0], [seen], class_id=[ObjectClass.TRUCK]))
    assert len(found.position) == 1
    # Where the lower edge or the side is cut off by the image, the size of the class is all there is to tell the range.
    deviation = np.sqrt(found.position_covariance[0, 0, 0])
    assert abs(rear(found) - (x - 8.25)) < 3.0 * deviation + 0.5


def test_a_line_is_recovered_exactly_without_noise() -> None:
    truth = [(1.8, 0.01, 5e-4, 1e-6), (-1.8, 0.01, 5e-4, 1e-6)]
    marks = fit(lines(truth, np.linspace(6.0, 70.0, 20)))
    x = np.linspace(6.0, 70.0, 9)
    for c, true in zip(marks.coefficients, truth, strict=True):
        polyval = np.polynomial.polynomial.polyval
        np.testing.assert_allclose(polyval(x, c), polyval(x, true), atol=0.02)
    np.testing.assert_allclose(marks.view, [(6.0, 70.0)] * 2, atol=1e-6)


def test_line_offset_error_agrees_with_its_deviation() -> None:
    normalised = []
    for seed in range(60):
        marks = fit(lines([(1.7, 0.0, 2e-4, 0.0)], np.linspace(6.0, 80.0, 20), PIXEL, seed=seed))
        normalised.append((marks.coefficients[0, :2] - (1.7, 0.0)) / marks.deviation[0, :2])
    spread = np.sqrt(np.mean(np.square(normalised), axis=0))
    assert np.all(spread > 0.2)
    assert np.all(spread < 1.5)


def test_wild_points_do_not_bend_a_line() -> None:
    objects = lines([(1.8, 0.0, 0.0, 0.0)], np.linspace(6.0, 60.0, 20))
    pixels = objects.line_point_px.copy()
    pixels[[4, 11]] += (60.0, 0.0)
    wild = fit(
        message(
            **{n: getattr(objects, n) for n in ("line_sensor", "line_mark", "mark_kind", "mark_score")},
            line_point_px=pixels,
        )
    )
    assert wild.coefficients[0, 0] == pytest.approx(1.8, abs=0.05)
    assert abs(wild.coefficients[0, 2]) < 2e-4


def test_a_short_mark_stays_straight_and_says_so() -> None:
    marks = fit(lines([(1.8, 0.0, 0.0, 0.0)], np.linspace(6.0, 14.0, 5), PIXEL, seed=3))
    assert abs(marks.coefficients[0, 2]) < 1e-3
    assert marks.deviation[0, 2] > 2e-4


def test_marks_of_two_points_are_dropped_and_kinds_stay_aligned() -> None:
    objects = lines([(1.8, 0.0), (-1.8, 0.0)], np.linspace(6.0, 60.0, 10))
    keep = np.concatenate((np.arange(2), np.arange(10, 20)))
    marks = fit(
        message(
            line_sensor=objects.line_sensor[keep],
            line_mark=objects.line_mark[keep],
            line_point_px=objects.line_point_px[keep],
            mark_kind=[MarkKind.DASHED, MarkKind.SOLID],
            mark_score=[0.5, 0.8],
        )
    )
    assert marks.kind.tolist() == [MarkKind.SOLID]
    assert marks.coefficients[0, 0] == pytest.approx(-1.8, abs=0.02)


def test_only_front_looking_cameras_report_lane_marks() -> None:
    rear = lines([(1.8, 0.0)], np.linspace(-60.0, -10.0, 10), sensor=3)
    marks = fit(rear)
    assert len(marks.coefficients) == 0
    assert marks.sensors.tolist() == []


def test_a_message_without_boxes_and_marks_gives_empty_lists_not_silence() -> None:
    out = detector().step(CameraDetection.Inputs(time=1.0, camera_objects=message(sensors=[0, 1])))
    assert out.camera_detections is not None and out.lane_marks is not None
    assert out.camera_detections.sensors.tolist() == [0, 1]
    assert out.lane_marks.sensors.tolist() == [0]


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        (boxes([0], [(np.nan, 1.0, 2.0, 3.0)]), "finite"),
        (boxes([2], [(0.0, 1.0, 20.0, 30.0)]), "no camera"),
        (boxes([9], [(0.0, 1.0, 20.0, 30.0)]), "no camera"),
        (boxes([0], [(0.0, 1.0, 20.0, 30.0)], class_id=[77]), "class"),
        (boxes([0] * 10_000, np.ones((10_000, 4))), "10000"),
        (message(line_sensor=[0], line_mark=[4], line_point_px=[(1.0, 2.0)]), "mark 4"),
        (lines([(1.8, 0.0)], np.full(10_000, 10.0)), "10000"),
    ],
)
def test_bad_messages_are_refused_with_a_reason(broken: CameraObjects, word: str) -> None:
    out = detector().step(CameraDetection.Inputs(time=1.0, camera_objects=broken))
    assert out.camera_detections is None and out.lane_marks is None
    assert word in out.reason


def test_no_message_is_said_not_raised() -> None:
    assert (
        "no camera objects" in detector().step(CameraDetection.Inputs(time=1.0, camera_objects=None)).reason
    )


def test_any_finite_boxes_give_finite_detections() -> None:
    random = np.random.default_rng(11)
    for _ in range(30):
        found = lift(boxes([0, 1, 3] * 5, random.uniform(-3000.0, 5000.0, (15, 4))))
        for value in (found.position, found.position_covariance, found.extent):
            assert np.isfinite(value).all()
        assert np.all(np.linalg.eigvalsh(found.position_covariance) > 0.0)


def test_same_message_gives_same_bits_and_a_copy_too() -> None:
    core = detector()
    inputs = CameraDetection.Inputs(
        time=1.0, camera_objects=boxes([0] * 3, [image_box(0, x, 3.0) for x in (20.0, 40.0, 80.0)])
    )
    first, second = core.step(inputs).camera_detections, copy.deepcopy(core).step(inputs).camera_detections
    assert first is not None and second is not None
    assert first.position.tobytes() == second.position.tobytes()


def test_room_does_not_import_torch() -> None:
    folder = Path(__file__).parents[1] / "pilot_detection"
    assert not [
        file.name for file in folder.rglob("*.py") if "import torch" in file.read_text(encoding="utf-8")
    ]
