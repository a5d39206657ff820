"""What sensors see of a scene, as machine code: who is in view and how much of it, radar returns, lidar boxes.

Tables hold a row for each object (N, 11), mount of a sensor (S, 8) and view (V, 6); their columns are named here.
All in `base_link` of the ego, SI. Random numbers come from outside.
"""

import math

import numpy as np

from pilot_common.compiled import compiled

# Of `objects`: centre, heading in (−π, π] with cosine and sine, size, height of the lower edge, velocity over ground.
X, Y, HEADING, COSINE, SINE, LENGTH, WIDTH, HEIGHT, BOTTOM, SPEED_X, SPEED_Y = range(11)
# Of `mounts`: place, viewing direction with cosine and sine, half of the field of view, range.
AT_X, AT_Y, AT_Z, YAW, YAW_COSINE, YAW_SINE, HALF_VIEW, RANGE = range(8)
# Of `views`: sensor (row of its mount), object, nearest point (distance, place in the object's frame), visible share.
SENSOR, OBJECT, DISTANCE, NEAREST_X, NEAREST_Y, VISIBLE = range(6)

RAYS = 8  # over the angle of an object: visible shares come in eighths


@compiled
def wrapped(angle: float) -> float:
    """The angle in (−π, π]."""
    return -((-angle + math.pi) % (2.0 * math.pi) - math.pi)


@compiled
def object_table(
    x: float,
    y: float,
    yaw: float,
    position: np.ndarray,
    heading: np.ndarray,
    way: np.ndarray,
    speed: np.ndarray,
    extent: np.ndarray,
    bottom: np.ndarray,
) -> np.ndarray:
    """The `objects` (N, 11) seen from a pose, of centres (N, 2), headings and directions of motion (N,) in `map`."""
    cosine, sine = math.cos(yaw), math.sin(yaw)
    objects = np.empty((len(speed), 11))
    for row in range(len(speed)):
        to_x, to_y = position[row, 0] - x, position[row, 1] - y
        turned, course = wrapped(heading[row] - yaw), way[row] - yaw
        objects[row, X], objects[row, Y] = to_x * cosine + to_y * sine, to_y * cosine - to_x * sine
        objects[row, HEADING] = turned
        objects[row, COSINE], objects[row, SINE] = math.cos(turned), math.sin(turned)
        objects[row, LENGTH : HEIGHT + 1] = extent[row]
        objects[row, BOTTOM] = bottom[row]
        objects[row, SPEED_X] = speed[row] * math.cos(course)
        objects[row, SPEED_Y] = speed[row] * math.sin(course)
    return objects


@compiled
def look(objects: np.ndarray, mounts: np.ndarray, seen_by: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """The `views` of what is in range and field of view, by sensor, then object; `seen_by` (N,) and `bits` (S,): kinds.

    Each object's angle is clipped to the field of view and rays are cast over it, past all nearer objects of the same sensor.
    """
    count = len(objects)
    views = np.empty((len(mounts) * count, 6))
    low, high, low_seen, high_seen = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    top, middle, bottom = np.empty(count), np.empty(count), np.empty(count)
    found = 0
    for sensor in range(len(mounts)):
        mount, first = mounts[sensor], found
        near = 0  # views of this sensor, those outside the field of view included
        for index in range(count):
            if not seen_by[index] & bits[sensor]:
                continue
            one = objects[index]
            x, y = one[X] - mount[AT_X], one[Y] - mount[AT_Y]
            half_length, half_width = 0.5 * one[LENGTH], 0.5 * one[WIDTH]
            local_x = -(x * one[COSINE] + y * one[SINE])  # the sensor in the object's frame
            local_y = x * one[SINE] - y * one[COSINE]
            nearest_x = min(max(local_x, -half_length), half_length)
            nearest_y = min(max(local_y, -half_width), half_width)
            distance = math.hypot(local_x - nearest_x, local_y - nearest_y)
            bearing = math.atan2(
                y * mount[YAW_COSINE] - x * mount[YAW_SINE], x * mount[YAW_COSINE] + y * mount[YAW_SINE]
            )
            # Half of the angle that an object fills is less than this.
            slack = (half_length + half_width) / max(distance, 0.1)
            if distance > mount[RANGE] or abs(bearing) > mount[HALF_VIEW] + slack:
                continue
            left, right = 0.0, 0.0  # of the centre
            for along in (half_length, -half_length):
                for across in (half_width, -half_width):
                    corner_x = x + along * one[COSINE] - across * one[SINE]
                    corner_y = y + along * one[SINE] + across * one[COSINE]
                    swing = math.atan2(x * corner_y - y * corner_x, x * corner_x + y * corner_y)
                    left, right = max(left, swing), min(right, swing)
            low[near], high[near] = bearing + right, bearing + left
            low_seen[near] = max(low[near], -mount[HALF_VIEW])
            high_seen[near] = min(high[near], mount[HALF_VIEW])
            far, eye = max(distance, 0.1), mount[AT_Z] - one[BOTTOM]
            top[near], middle[near] = (one[HEIGHT] - eye) / far, (0.5 * one[HEIGHT] - eye) / far
            bottom[near] = -eye / far
            view = views[first + near]
            view[SENSOR], view[OBJECT], view[DISTANCE] = sensor, index, distance
            view[NEAREST_X], view[NEAREST_Y] = nearest_x, nearest_y
            near += 1
        for row in range(near):
            width = high_seen[row] - low_seen[row]
            hidden = 0
            for ray in range(RAYS):
                angle = low_seen[row] + width * (ray + 0.5) / RAYS
                for other in range(near):
                    if (
                        low[other] <= angle <= high[other]
                        and views[first + other, DISTANCE] < views[first + row, DISTANCE]
                        and top[other] >= middle[row]
                        and bottom[other] <= middle[row]  # one sees below an overhead sign
                    ):
                        hidden += 1
                        break
            share = max(width, 0.0) / max(high[row] - low[row], 1e-6)
            views[first + row, VISIBLE] = share * (1.0 - hidden / RAYS)
        for row in range(near):
            if high_seen[row] > low_seen[row]:
                views[found] = views[first + row]
                found += 1
    return views[:found].copy()


@compiled
def detection_probability(
    views: np.ndarray,
    mounts: np.ndarray,
    own: np.ndarray,
    full_range: float,
    fall: float,
    hidden: float,
    clear: float,
    hidden_factor: float,
) -> np.ndarray:
    """Of each view (V,), from that of the sensors `own` (S,): it falls with range and with what hides the object."""
    probability = np.empty(len(views))
    for row in range(len(views)):
        view = views[row]
        sensor = int(view[SENSOR])
        by_range = 1.0 - fall * max(view[DISTANCE] / mounts[sensor, RANGE] - full_range, 0.0)
        by_view = min(max((view[VISIBLE] - hidden) / (clear - hidden), hidden_factor), 1.0)
        probability[row] = own[sensor] * by_range * by_view
    return probability


@compiled
def reflections(
    views: np.ndarray,
    probability: np.ndarray,
    draw: np.ndarray,
    second_probability: float,
    second_range: float,
) -> tuple[np.ndarray, int]:
    """Rows of the views that return an echo, then of those that return a second one; how many the former are."""
    rows = np.empty(2 * len(views), np.int64)
    count = 0
    for row in range(len(views)):
        if draw[0, row] < probability[row]:
            rows[count] = row
            count += 1
    first = count
    for row in rows[:first]:
        if draw[1, row] < second_probability and views[row, DISTANCE] < second_range:
            rows[count] = row
            count += 1
    return rows[:count], first


@compiled
def radar_returns(
    views: np.ndarray,
    rows: np.ndarray,
    along: np.ndarray,
    objects: np.ndarray,
    mounts: np.ndarray,
    strength: np.ndarray,
    clutter: float,
    false_sensor: np.ndarray,
    false_draw: np.ndarray,
    noise: np.ndarray,
    errors: np.ndarray,
    speed: float,
    yaw_rate: float,
    standing: float,
    fastest: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Sensor rows (M,) and range, azimuth, range rate, cross-section (4, M) of echoes, by sensor; clutter after objects.

    `rows` as of `reflections`, the last `len(along)` moved over their face by a share `along` of its half. `strength` (N,) and
    `clutter` are mean cross-sections. `false_draw` (4, F): range, azimuth, whether it stands, how fast it moves.
    `noise` (R + F, 4) comes in units of `errors` (S, 4).
    """
    true = len(rows)
    count = true + len(false_sensor)
    sensors, echo = np.empty(count, np.int64), np.empty((count, 4))
    for row in range(count):
        sensor = int(views[rows[row], SENSOR]) if row < true else false_sensor[row - true]
        mount = mounts[sensor]
        own_x, own_y = speed - yaw_rate * mount[AT_Y], yaw_rate * mount[AT_X]
        if row < true:
            view = views[rows[row]]
            index = int(view[OBJECT])
            one, mean = objects[index], strength[index]
            x, y = view[NEAREST_X], view[NEAREST_Y]
            if row >= true - len(along):
                share = along[row - true + len(along)]
                if abs(x) >= 0.5 * one[LENGTH] - 1e-9:  # front or rear face; a corner counts to it
                    y = 0.5 * one[WIDTH] * share
                else:
                    x = 0.5 * one[LENGTH] * share
            to_x = x * one[COSINE] - y * one[SINE] + one[X] - mount[AT_X]
            to_y = x * one[SINE] + y * one[COSINE] + one[Y] - mount[AT_Y]
            distance = max(math.hypot(to_x, to_y), 1e-3)
            azimuth = wrapped(math.atan2(to_y, to_x) - mount[YAW])
            rate = ((one[SPEED_X] - own_x) * to_x + (one[SPEED_Y] - own_y) * to_y) / distance
        else:
            draw, mean = false_draw[:, row - true], clutter
            distance, azimuth = draw[0] * mount[RANGE], (2.0 * draw[1] - 1.0) * mount[HALF_VIEW]
            direction = azimuth + mount[YAW]
            rate = -own_x * math.cos(direction) - own_y * math.sin(direction)
            if draw[2] >= standing:
                rate = (2.0 * draw[3] - 1.0) * fastest
        sensors[row] = sensor
        echo[row, 0] = distance + noise[row, 0] * errors[sensor, 0]
        echo[row, 1] = azimuth + noise[row, 1] * errors[sensor, 1]
        echo[row, 2] = rate + noise[row, 2] * errors[sensor, 2]
        echo[row, 3] = noise[row, 3] * errors[sensor, 3] + mean
    ordered, told = np.empty(count, np.int64), np.empty((4, count))
    kept = 0
    for sensor in range(len(mounts)):
        for row in range(count):
            inside = (
                0.1 < echo[row, 0] <= mounts[sensor, RANGE] and abs(echo[row, 1]) <= mounts[sensor, HALF_VIEW]
            )
            if sensors[row] == sensor and inside:
                ordered[kept], told[:, kept] = sensor, echo[row]
                kept += 1
    return ordered[:kept], told[:, :kept].copy()


@compiled
def lidar_boxes(
    views: np.ndarray,
    rows: np.ndarray,
    noise: np.ndarray,
    objects: np.ndarray,
    mounts: np.ndarray,
    errors: np.ndarray,
    box_range: float,
    centre: float,
    turn: float,
    size: float,
    clear: float,
    spread: float,
) -> tuple[np.ndarray, ...]:
    """Sensor rows, objects, whether whole (M,), positions (M, 3), covariances (M, 2, 2), headings, extents (M, 3), scores.

    Beyond the share `box_range` of the range a box is not whole: its position is the centre of the near face. `noise` (M, 7) is
    in units of the deviations of the box fit (`centre`, `turn`, `size`, and `spread` of the score about `clear`), and of
    `errors` (S, 2) along and across the beam.
    """
    count = len(rows)
    sensors, indices = np.empty(count, np.int64), np.empty(count, np.int64)
    whole, heading, score = np.empty(count, np.bool_), np.empty(count), np.empty(count)
    position, covariance, extent = np.empty((count, 3)), np.empty((count, 2, 2)), np.empty((count, 3))
    for row in range(count):
        view = views[rows[row]]
        sensor, index = int(view[SENSOR]), int(view[OBJECT])
        mount, one = mounts[sensor], objects[index]
        sensors[row], indices[row] = sensor, index
        whole[row] = view[DISTANCE] <= box_range * mount[RANGE]
        x = y = 0.0
        if not whole[row]:
            if abs(view[NEAREST_X]) >= 0.5 * one[LENGTH] - 1e-9:
                x = np.sign(view[NEAREST_X]) * 0.5 * one[LENGTH]
            else:
                y = np.sign(view[NEAREST_Y]) * 0.5 * one[WIDTH]
        at_x = x * one[COSINE] - y * one[SINE] + one[X]
        at_y = x * one[SINE] + y * one[COSINE] + one[Y]
        to_x, to_y = at_x - mount[AT_X], at_y - mount[AT_Y]
        distance = math.hypot(to_x, to_y)
        beam_x, beam_y = to_x / max(distance, 1e-3), to_y / max(distance, 1e-3)
        along = math.sqrt(errors[sensor, 0] ** 2 + centre**2)
        across = math.sqrt((errors[sensor, 1] * distance) ** 2 + centre**2)
        position[row, 0] = at_x + beam_x * along * noise[row, 0] - beam_y * across * noise[row, 1]
        position[row, 1] = at_y + beam_y * along * noise[row, 0] + beam_x * across * noise[row, 1]
        position[row, 2] = one[BOTTOM]
        covariance[row, 0, 0] = along**2 * beam_x * beam_x + across**2 * beam_y * beam_y
        covariance[row, 1, 1] = along**2 * beam_y * beam_y + across**2 * beam_x * beam_x
        covariance[row, 0, 1] = covariance[row, 1, 0] = (along**2 - across**2) * beam_x * beam_y
        heading[row] = wrapped(one[HEADING] + turn * noise[row, 2])
        for axis in range(3):
            extent[row, axis] = max(one[LENGTH + axis] + size * noise[row, 3 + axis], 0.2)
        score[row] = min(max(clear + spread * noise[row, 6], 0.0), 1.0)
    return sensors, indices, whole, position, covariance, heading, extent, score
