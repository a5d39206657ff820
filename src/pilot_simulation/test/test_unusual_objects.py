"""Ghosts, overhead signs, manhole covers: who sees them, and that they touch nobody."""

import numpy as np
import pytest
from test_simulation import of, play, send

from pilot_common.types import ObjectClass
from pilot_simulation.actor_plan import SENSING
from pilot_simulation.actors import together
from pilot_simulation.scripted_actors import ScriptedActors
from pilot_simulation.simulation import Simulation

SIGN = {
    "kind": ObjectClass.UNKNOWN,
    "extent": (0.5, 8.0, 2.5),
    "elevation": 5.5,
    "solid": False,
    "speed": 0.0,
}


@pytest.fixture
def seen(sedan, scenario, config, actor):
    """Messages of a drive towards one actor."""

    def make(seconds=8.0, **changes):
        return play(Simulation(sedan, scenario(actors=(actor(**changes),)), config), seconds, send)

    return make


def returns_near(messages, station: float, sedan) -> int:
    """How many returns of the front radar lie where something at a station is."""
    truth = {one.stamp: one.station for one in of(messages, "truth")}
    mount, count = sedan.sensors[1].position[0], 0
    for message in of(messages, "radar_returns"):
        gap = station - truth[message.stamp] - mount
        front = message.sensor == 1
        count += int(np.sum(front & (np.abs(message.range - gap) < 1.5) & (np.abs(message.azimuth) < 0.05)))
    return count


def test_a_ghost_is_driven_through_without_contact_and_is_nobody_in_the_truth(seen):
    truth = of(seen(station=280.0, speed=0.0, solid=False, seen_by=("radar",)), "truth")
    assert truth[-1].station > 300.0
    assert not any(one.contact_identity for one in truth)
    assert all(len(one.identity) == 0 for one in truth)


def test_the_same_object_if_solid_is_hit(seen):
    assert any(one.contact_identity for one in of(seen(station=280.0, speed=0.0), "truth"))


def test_only_the_sensors_named_see_it(seen, sedan):
    ghost = seen(3.0, station=320.0, speed=0.0, seen_by=("radar",))
    phantom = seen(3.0, station=320.0, speed=0.0, seen_by=("camera",))
    boxes = [sum(len(m.box_px) for m in of(messages, "camera_objects")) for messages in (ghost, phantom)]
    assert boxes[0] < 8 < 40 < boxes[1]  # clutter apart
    assert returns_near(ghost, 318.0, sedan) > 40 and returns_near(phantom, 318.0, sedan) < 5


def test_an_overhead_sign_is_above_the_horizon_for_the_camera_and_straight_ahead_for_radar(seen, sedan):
    messages = seen(2.0, station=300.0, **SIGN)
    horizon = 0.5 * sedan.sensors[0].image.height_px
    bottoms = [m.box_px[:, 3] for m in of(messages, "camera_objects")]
    assert np.concatenate(bottoms).max(initial=0.0) < horizon + 5.0
    assert len(np.concatenate(bottoms)) > 20
    assert returns_near(messages, 299.75, sedan) > 20


def test_a_sign_hides_nobody_behind_it(sedan, scenario, config, actor):
    behind = actor(station=300.0, speed=20.0)

    def boxes(*more) -> int:
        messages = play(Simulation(sedan, scenario(actors=(behind, *more)), config), 2.0, send)
        low = [m.box_px[m.box_px[:, 3] > 560.0] for m in of(messages, "camera_objects")]
        return sum(len(box) for box in low)

    sign = actor(station=270.0, **SIGN)
    wall = actor(station=270.0, **(SIGN | {"elevation": 0.0, "seen_by": SENSING}))
    assert boxes(sign) > 0.9 * boxes()
    assert boxes(wall) > 0 and boxes(wall) != boxes()


def test_a_cross_section_of_its_own_is_what_radar_measures(seen, sedan):
    strong = seen(2.0, station=260.0, speed=20.0, cross_section=35.0)
    usual = seen(2.0, station=260.0, speed=20.0)

    def mean(messages) -> float:
        """Of what the front radar has straight ahead."""
        ahead = [
            m.cross_section[(m.sensor == 1) & (np.abs(m.azimuth) < 0.1) & (m.range < 80.0)]
            for m in of(messages, "radar_returns")
        ]
        return float(np.concatenate(ahead).mean())

    assert mean(strong) - mean(usual) == pytest.approx(25.0, abs=4.0)


def test_an_extent_of_its_own_is_its_size(seen):
    truth = of(seen(0.5, extent=(1.2, 0.9, 0.3)), "truth")[0]
    assert truth.extent[0] == pytest.approx((1.2, 0.9, 0.3))


def test_ordinary_and_unusual_actors_of_several_sources_keep_what_they_are(straight, others, actor):
    ghost = actor(solid=False, seen_by=("radar",), cross_section=5.0)
    scripted = ScriptedActors([ghost, actor(station=350.0)], straight).at(0.0)
    all_of_them = together(straight, [others((ObjectClass.TRUCK, 100.0, 0.0, 20.0)), scripted])
    assert all_of_them.traits.solid.tolist() == [True, False, True]
    assert all_of_them.traits.has_cross_section.tolist() == [False, True, False]
    assert all_of_them.bodies.station.tolist() == [100.0, 350.0]
    assert together(straight, [others(), others()]).traits is None
