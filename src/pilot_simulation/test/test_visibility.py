"""Who is seen from where: field of view, range, and shadows of others."""

import math

import numpy as np
import pytest

from pilot_common.types import ObjectClass
from pilot_common.vehicle import SensorKind
from pilot_simulation.parameters import Detectability
from pilot_simulation.scene import RAYS, Viewpoints

CAR, TRUCK = ObjectClass.CAR, ObjectClass.TRUCK


def seen(sensor, scene, *rows) -> dict[int, float]:
    """Visible share by object, for one sensor."""
    views = Viewpoints([sensor]).look(scene(*rows))
    return dict(zip(views.object.tolist(), views.visible.tolist(), strict=True))


def test_a_lone_car_ahead_is_seen_whole(sensor, scene):
    assert seen(sensor(SensorKind.CAMERA), scene, (CAR, 40.0, 0.0, 20.0)) == {0: 1.0}


def test_a_car_behind_a_car_is_hidden_and_one_beside_it_is_not(sensor, scene):
    views = seen(
        sensor(SensorKind.CAMERA),
        scene,
        (CAR, 30.0, 0.0, 20.0),
        (CAR, 60.0, 0.0, 20.0),
        (CAR, 60.0, 3.75, 20.0),
    )
    assert views[0] == 1.0
    assert views[1] == 0.0
    assert views[2] > 0.9


def test_order_of_the_objects_does_not_matter(sensor, scene):
    rows = [(CAR, 30.0, 0.0, 20.0), (CAR, 60.0, 0.5, 20.0), (TRUCK, 50.0, 3.75, 20.0), (CAR, 90.0, 3.0, 20.0)]
    camera = sensor(SensorKind.CAMERA)
    forward = seen(camera, scene, *rows)
    backward = seen(camera, scene, *rows[::-1])
    assert forward == {3 - index: share for index, share in backward.items()}


def test_a_truck_towers_over_the_car_before_it(sensor, scene):
    eye = sensor(SensorKind.CAMERA, position=(0.0, 0.0, 1.3))
    views = seen(eye, scene, (CAR, 30.0, 0.0, 20.0), (TRUCK, 80.0, 0.0, 20.0))
    assert views[1] == 1.0
    low = sensor(SensorKind.RADAR, position=(0.0, 0.0, 0.4))
    assert (
        seen(low, scene, (CAR, 30.0, 0.0, 20.0), (TRUCK, 80.0, 0.0, 20.0))[1] < 1.0
    )  # its own height is hidden too


def test_half_a_shadow_leaves_half(sensor, scene):
    near_width = 1.85  # the car before covers bearings from its left edge on to the right
    left_edge = math.atan2(-1.0 + 0.5 * near_width, 30.0 - 2.35)
    views = seen(sensor(SensorKind.CAMERA), scene, (CAR, 30.0, -1.0, 20.0), (CAR, 80.0, 0.0, 20.0))
    far = math.atan2(0.5 * near_width, 80.0 - 2.35)
    assert views[1] == pytest.approx((far - left_edge) / (2.0 * far), abs=1.0 / RAYS)


def test_nobody_is_seen_outside_range_or_field_of_view(sensor, scene):
    narrow = sensor(SensorKind.CAMERA, field_of_view=math.radians(40.0), range=100.0)
    views = seen(
        narrow,
        scene,
        (CAR, 110.0, 0.0, 20.0),
        (CAR, 30.0, 15.0, 20.0),
        (CAR, -30.0, 0.0, 20.0),
        (CAR, 95.0, 0.0, 20.0),
    )
    assert set(views) == {3}


def test_a_sensor_that_looks_back_sees_behind(sensor, scene):
    rear = sensor(SensorKind.RADAR, position=(-1.0, 0.0, 0.5), yaw=math.pi)
    assert set(seen(rear, scene, (CAR, -30.0, 1.0, 20.0), (CAR, 30.0, 0.0, 20.0))) == {0}


def test_a_car_half_outside_the_field_of_view_is_half_visible(sensor, scene):
    edge = math.atan2(3.75, 20.0 - 2.35)  # bearing of its near face's middle
    views = seen(sensor(SensorKind.CAMERA, field_of_view=2.0 * edge), scene, (CAR, 20.0, 3.75, 20.0))
    assert 0.3 < views[0] < 0.8


def test_distance_is_to_the_nearest_point_of_the_box(sensor, scene):
    views = Viewpoints([sensor(SensorKind.RADAR)]).look(scene((CAR, 50.0, 0.0, 20.0), (CAR, 3.0, 4.0, 20.0)))
    assert views.distance == pytest.approx((50.0 - 2.35, math.hypot(3.0 - 2.35, 4.0 - 0.925)))
    assert views.nearest == pytest.approx(np.array(((-2.35, 0.0), (-2.35, -0.925))))


def test_probability_falls_with_range_and_with_shadow(sensor, scene):
    rule = Detectability(full_range=0.5, probability_at_range=0.4, hidden=0.2, clear=0.6)
    points = Viewpoints([sensor(SensorKind.RADAR, range=102.35, detection_probability=0.9)])
    rows = [(CAR, 2.35 + distance, 3.9 * side, 20.0) for distance, side in ((40.0, 0), (75.0, 1), (99.9, -1))]
    views = points.look(scene(*rows))
    by_object = dict(zip(views.object.tolist(), points.probabilities(views, rule).tolist(), strict=True))
    assert by_object[0] == pytest.approx(0.9)
    share = views.distance[views.object == 1][0] / 102.35
    assert by_object[1] == pytest.approx(0.9 * (1.0 - 1.2 * (share - 0.5)))
    assert by_object[2] < by_object[1] < by_object[0]


def test_no_objects_are_no_views(sensor, scene):
    assert len(Viewpoints([sensor(SensorKind.RADAR)]).look(scene()).sensor) == 0
