"""Fusion: the world around the car from all sensors, every step, with whatever sensors report."""

from dataclasses import dataclass

from pilot_common.messages import empty_arrays
from pilot_common.types import (
    Detections,
    EgoMotion,
    LaneMarks,
    Lanes,
    RadarReturns,
    Tracks,
    VehicleState,
    World,
)
from pilot_common.tyres import Tyres
from pilot_common.vehicle import SensorKind, Vehicle
from pilot_fusion import parameters as declared
from pilot_fusion.course import Course
from pilot_fusion.ego_motion import EgoMotionFilter
from pilot_fusion.lanes import LaneModel, no_lanes
from pilot_fusion.measurement import KINDS, Source
from pilot_fusion.screening import Screening
from pilot_fusion.tracker import Tracker
from pilot_fusion.world_view import WorldView, age_of

AHEAD = 0.35  # rad: sensors turned less look ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionInputs:
    """What a step sees: all messages since the last, in any order."""

    time: float
    vehicle_state: tuple[VehicleState, ...]
    camera_detections: tuple[Detections, ...]
    radar_returns: tuple[RadarReturns, ...]
    lidar_detections: tuple[Detections, ...]
    lane_marks: tuple[LaneMarks, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionOutputs:
    """The world, and why messages of this step were refused."""

    world: World
    refused: tuple[str, ...]


class Fusion:
    """Ego motion, tracker and lane model under one roof."""

    Inputs = FusionInputs
    Outputs = FusionOutputs
    Parameters = declared.Parameters

    def __init__(self, vehicle: Vehicle, parameters: declared.Parameters) -> None:
        self._vehicle = vehicle
        self._parameters = parameters
        self._screening = Screening(vehicle, parameters.maximum_rows)
        self._fitted_of_kind = tuple(tuple(vehicle.fitted(kind)) for kind in KINDS)
        self._fitted = tuple(index for fitted in self._fitted_of_kind for index in fitted)
        # Age from which a sensor's newest frame means that it is lost.
        self._confirming = frozenset(  # with all of them missing, radar has to be believed alone
            sensor.name
            for sensor in vehicle.sensors
            if sensor.kind in (SensorKind.CAMERA, SensorKind.LIDAR) and abs(sensor.yaw) < AHEAD
        )
        self._limit = tuple(parameters.sensor_lost + sensor.latency for sensor in vehicle.sensors)
        self._tracker = Tracker(vehicle, parameters)
        self._lanes = LaneModel(parameters.lane)
        self._view = WorldView(parameters)
        self.reset()

    def reset(self) -> None:
        """As before the first step."""
        self._ego = EgoMotionFilter(self._parameters.ego, Tyres(self._vehicle.facts))
        self._tracker.reset()
        self._lanes.reset()
        self._restarts = 0
        self._start: float | None = None
        self._last_frame: dict[int, float] = {}

    def step(self, inputs: FusionInputs) -> FusionOutputs:
        """The world at the newest vehicle state."""
        refused: list[str] = []
        if self._start is None or inputs.time < self._start:
            self._start = inputs.time
        self._ego.update(
            [state for state in inputs.vehicle_state if self._sound(self._screening.state(state), refused)]
        )
        if self._ego.restarts != self._restarts:
            self._restarts = self._ego.restarts
            self._tracker.forget()
            self._lanes.reset()
            self._last_frame.clear()
            self._start = inputs.time
        frames = self._frames(inputs, refused)
        marks = [
            m
            for m in inputs.lane_marks
            if self._usable(m, self._screening.marks(m), "lane_marks", inputs.time, refused)
        ]
        lanes = None
        if self._ego.newest is not None:
            self._lanes.update(marks, self._ego)
            self._ego.slip = self._lanes.slip
            lanes = self._lanes.lanes()
            self._tracker.update(frames, self._ego, Course(lanes, self._ego.newest))
        return FusionOutputs(world=self._world(inputs.time, lanes, refused), refused=tuple(refused))

    @staticmethod
    def _sound(reason: str, refused: list[str]) -> bool:
        if reason:
            refused.append(reason)
        return not reason

    def _usable(
        self,
        message: Detections | RadarReturns | LaneMarks,
        reason: str,
        topic: str,
        time: float,
        refused: list[str],
    ) -> bool:
        """Whether a message may be used; its sensors count as reporting where its content is sound."""
        if not reason and not abs(message.stamp) < float("inf"):
            reason = f"{topic} without a stamp"
        if not reason and message.stamp > time + self._parameters.ego.future:
            reason = f"{topic} from {message.stamp - time:.2f} s in the future"
        if not self._sound(reason, refused):
            return False
        if not isinstance(message, LaneMarks):
            for index in message.sensors.tolist():
                self._last_frame[index] = max(message.stamp, self._last_frame.get(index, message.stamp))
        # Before the first vehicle state nothing can be placed; that is said by the world itself.
        if (
            self._ego.newest is not None
            and message.stamp < self._ego.oldest_time - self._parameters.ego.future
        ):
            refused.append(f"{topic} from before the known motion, {time - message.stamp:.2f} s old")
            return False
        return True

    def _frames(
        self, inputs: FusionInputs, refused: list[str]
    ) -> list[tuple[Source, Detections | RadarReturns]]:
        """The usable frames of all sensors that report objects."""
        screening, time = self._screening, inputs.time
        frames: list[tuple[Source, Detections | RadarReturns]] = []
        for source, messages in (
            (Source.CAMERA, inputs.camera_detections),
            (Source.LIDAR, inputs.lidar_detections),
        ):
            kind = KINDS[source]
            topic = f"{kind.value}_detections"
            for message in messages:
                if self._usable(message, screening.detections(message, kind, topic), topic, time, refused):
                    frames.append((source, message))
        for returns in inputs.radar_returns:
            if self._usable(returns, screening.radar(returns), "radar_returns", time, refused):
                frames.append((Source.RADAR, returns))
        return frames

    def _world(self, time: float, lanes: Lanes | None, refused: list[str]) -> World:
        ego = self._ego.newest
        age = age_of(ego, time)
        lost = self._lost(time)
        if ego is None or lanes is None:
            motion = EgoMotion(
                x_odom=0.0, y_odom=0.0, yaw_odom=0.0, speed=0.0, acceleration=0.0, yaw_rate=0.0
            )
            return World(
                stamp=time,
                source_stamp=time,
                valid=False,
                reason="; ".join(["no vehicle state yet", *sorted(set(refused))]),
                sensors_lost=lost,
                ego=motion,
                lanes=no_lanes("no vehicle state yet"),
                tracks=Tracks(**empty_arrays(Tracks)),
            )
        stale = f"vehicle state is {age:.2f} s old" if age > self._parameters.ego.maximum_age else ""
        return World(
            stamp=ego.time,
            source_stamp=min(ego.time, *self._newest_of_kinds(time), ego.time),
            valid=not stale,
            reason="; ".join([*([stale] if stale else []), *sorted(set(refused))]),
            sensors_lost=lost,
            ego=ego.message(),
            lanes=lanes,
            tracks=self._view.tracks(self._tracker.bank, ego, lanes, self._confirming.issubset(lost)),
        )

    def _lost(self, time: float) -> tuple[str, ...]:
        """Names of fitted sensors that have not reported for too long, since the start at the earliest."""
        start = time if self._start is None else self._start
        return tuple(
            self._vehicle.sensors[index].name
            for index in self._fitted
            if time - self._last_frame.get(index, start) > self._limit[index]
        )

    def _newest_of_kinds(self, time: float) -> list[float]:
        """Stamp of the newest frame of each kind of sensor that is fitted and alive."""
        newest = []
        for fitted in self._fitted_of_kind:
            alive = [
                self._last_frame[index]
                for index in fitted
                if index in self._last_frame and time - self._last_frame[index] <= self._limit[index]
            ]
            if alive:
                newest.append(max(alive))
        return newest
