"""Parameters of detection: `config/parameters/detection.yaml`."""

from dataclasses import dataclass

from pilot_common.schema import parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What is known of the size of a class of objects before looking: mean and one standard deviation."""

    length: float = parameter("m", 0.1, 30.0, "mean")
    width: float = parameter("m", 0.1, 4.0, "mean")
    height: float = parameter("m", 0.2, 5.0, "mean")
    length_deviation: float = parameter("m", 0.01, 10.0, "one standard deviation")
    width_deviation: float = parameter("m", 0.01, 2.0, "one standard deviation")
    height_deviation: float = parameter("m", 0.01, 2.0, "one standard deviation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """One size per class, in the order of `ObjectClass`."""

    unknown: Size
    car: Size
    truck: Size
    two_wheeler: Size
    pedestrian: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """`config/parameters/detection.yaml`."""

    maximum_objects: int = parameter("", 1, 5000, "a message with more boxes is refused")
    maximum_line_points: int = parameter("", 10, 50000, "a message with more lane points is refused")
    edge_inflation: float = parameter("", 0.5, 10.0, "factor on the camera's pixel error")
    pitch_deviation: float = parameter("rad", 0.0, 0.05, "unknown pitch of the body")
    border_px: float = parameter(
        "px", 0.0, 50.0, "a box edge this close to the image border is cut off and says nothing"
    )
    class_misfit: float = parameter(
        "", 2.0, 100.0, "squared normalised residual above which the shape contradicts the class"
    )
    largest_misfit: float = parameter(
        "", 4.0, 1000.0, "squared normalised residual above which no box on the ground fits"
    )
    cut_turn: float = parameter(
        "rad", 0.0, 0.5, "standard deviation of the heading of boxes that the image border cuts off at a side"
    )
    road_turn: float = parameter(
        "1/m", 0.0, 0.01, "by how much an object's heading may differ from the car's, per metre"
    )
    smallest_depth: float = parameter("m", 0.1, 10.0, "nearer objects are not on the road outside")
    largest_deviation: float = parameter("m", 1.0, 200.0, "boxes whose place is known less well are dropped")
    extent_deviation: float = parameter(
        "m", 0.05, 2.0, "length and width known better than this make the extent valid"
    )
    front_yaw: float = parameter("rad", 0.0, 1.0, "cameras that look farther aside report no lane marks")
    nearest_mark: float = parameter("m", 0.0, 20.0, "lane points nearer than this are ignored")
    farthest_mark: float = parameter("m", 20.0, 300.0, "lane points farther than this are ignored")
    curvature_deviation: float = parameter("1/m", 1e-5, 0.1, "of roads, prior of the fit")
    curvature_rate_deviation: float = parameter("1/m²", 1e-7, 1e-2, "of roads, prior of the fit")
    point_floor: float = parameter(
        "m", 0.001, 0.5, "lateral error of a lane point at no distance: paint, road surface"
    )
    offset_floor: float = parameter("m", 0.0, 0.5, "offset error common to all points of a mark")
    heading_floor: float = parameter("rad", 0.0, 0.05, "heading error common to all points of a mark")
    outlier: float = parameter("", 1.0, 10.0, "normalised residual from which a point weighs less (Cauchy)")
    fewest_points: int = parameter("", 2, 50, "marks with fewer points are dropped")
    sizes: Sizes
