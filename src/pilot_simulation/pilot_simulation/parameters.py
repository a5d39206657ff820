"""The parameters of the simulation: what its sensor models share, beyond the errors of each sensor in the vehicle's files."""

from dataclasses import dataclass

from pilot_common.schema import parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectability:
    """When an object is seen at all. Its probability is the sensor's own, times a factor of range, times one of visibility."""

    full_range: float = parameter(
        "", 0.1, 1.0, "share of the range up to which the probability is the sensor's own"
    )
    probability_at_range: float = parameter("", 0.0, 1.0, "factor at the end of the range, linear in between")
    hidden: float = parameter("", 0.0, 1.0, "visible share of the angle up to which an object is not seen")
    clear: float = parameter(
        "", 0.0, 1.0, "visible share from which on it is seen as if it were free, linear in between"
    )

    def __post_init__(self) -> None:
        if self.clear <= self.hidden or self.full_range >= 1.0:
            raise ValueError("clear must lie above hidden, and full_range below 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraParameters:
    """Objects in the image."""

    detectability: Detectability
    smallest_box_px: float = parameter("px", 1.0, 100.0, "boxes narrower or lower are not reported")
    class_confusion: float = parameter("", 0.0, 0.5, "probability to report another class")
    score_mean: float = parameter("", 0.3, 1.0, "score of a clear object nearby")
    score_drop: float = parameter("", 0.0, 0.7, "less of it at the end of the range")
    score_deviation: float = parameter("", 0.0, 0.3, "standard deviation of the score")
    clutter_score: float = parameter("", 0.0, 1.0, "highest score of a false object")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkParameters:
    """Lane marks in the image of the first camera that looks ahead."""

    nearest: float = parameter("m", 1.0, 20.0, "first point ahead of the camera")
    farthest: float = parameter("m", 20.0, 150.0, "last point ahead of the camera")
    points: int = parameter("", 4, 60, "on a line, at distances in geometric progression")
    reach: float = parameter("m", 2.0, 20.0, "lines farther to the side are not reported")
    near_probability: float = parameter("", 0.0, 1.0, "to see a line of the own lane")
    far_probability: float = parameter("", 0.0, 1.0, "to see a line beyond")
    point_probability: float = parameter(
        "", 0.0, 1.0, "to see a point of a line that is seen, at the farthest; 1 at the nearest"
    )
    fewest_points: int = parameter("", 2, 20, "a line with fewer points is not reported")
    score_deviation: float = parameter("", 0.0, 0.3, "standard deviation of the score about 0.9")


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarParameters:
    """Returns."""

    detectability: Detectability
    under_ride: float = parameter(
        "", 0.0, 1.0, "probability factor of a hidden object: the beam passes under cars"
    )
    second_probability: float = parameter("", 0.0, 1.0, "of a second return from the same object")
    second_range: float = parameter("m", 0.0, 200.0, "farther objects return once")
    car_cross_section: float = parameter("dB m²", -10.0, 40.0, "mean of a car")
    truck_cross_section: float = parameter("dB m²", -10.0, 50.0, "mean of a truck")
    small_cross_section: float = parameter("dB m²", -30.0, 20.0, "mean of anybody else")
    cross_section_deviation: float = parameter("dB m²", 0.0, 15.0, "standard deviation")
    clutter_cross_section: float = parameter("dB m²", -40.0, 20.0, "mean of a false return")
    standing_clutter: float = parameter(
        "", 0.0, 1.0, "share of false returns from standing things; the others have any speed"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LidarParameters:
    """Boxes."""

    detectability: Detectability
    box_range: float = parameter(
        "", 0.05, 1.0, "share of the range up to which heading and extent are measured"
    )
    centre_deviation: float = parameter("m", 0.0, 1.0, "of the box fit, besides range and angle errors")
    heading_deviation: float = parameter("rad", 0.0, 0.5, "of the box fit")
    extent_deviation: float = parameter("m", 0.0, 1.0, "of the box fit")
    score_deviation: float = parameter("", 0.0, 0.3, "standard deviation of the score about 0.9")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """`config/parameters/simulation.yaml`."""

    camera: CameraParameters
    marks: MarkParameters
    radar: RadarParameters
    lidar: LidarParameters
