"""What SUMO reads: a network of one straight edge, and the types of vehicles."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pilot_common.types import ObjectClass
from pilot_simulation.road import TrueRoad

END = 2000.0  # m of road behind the end of the true one, so that nobody arrives within sight


@dataclass(frozen=True, slots=True)
class VehicleType:
    """Size in m; time gap (s), acceleration and comfortable deceleration (m/s²) of the intelligent driver model."""

    name: str
    class_id: ObjectClass
    length: float
    width: float
    height: float
    time_gap: float
    acceleration: float
    deceleration: float


# Sizes of common European vehicles; time gaps and accelerations of Treiber, Kesting: Traffic Flow Dynamics, table 11.2.
TYPES = (
    VehicleType("hatchback", ObjectClass.CAR, 4.05, 1.78, 1.45, 1.0, 1.5, 2.0),
    VehicleType("saloon", ObjectClass.CAR, 4.75, 1.84, 1.45, 1.0, 1.6, 2.0),
    VehicleType("utility", ObjectClass.CAR, 4.80, 1.92, 1.68, 1.1, 1.4, 2.0),
    VehicleType("van", ObjectClass.CAR, 5.90, 2.05, 2.50, 1.2, 1.0, 1.8),
    VehicleType("rigid_lorry", ObjectClass.TRUCK, 10.0, 2.55, 3.6, 1.5, 0.8, 1.5),
    VehicleType("articulated_lorry", ObjectClass.TRUCK, 16.5, 2.55, 3.9, 1.7, 0.6, 1.5),
)


def write_network(file: Path, road: TrueRoad, margin: float, speed: float) -> None:
    """One edge along x from 0 with the road's lanes at their offsets; the leftmost of three or more is closed to trucks."""
    length, width = road.length + margin + END, float(road.width[0, 0])
    top = (road.lanes - 0.5) * width
    lanes = []
    for lane in range(road.lanes):
        closed = ' disallow="truck trailer"' if road.lanes > 1 and lane == road.lanes - 1 else ""
        y = lane * width
        lanes.append(
            f'<lane id="road_{lane}" index="{lane}" speed="{2.0 * speed:.3f}" length="{length:.2f}" width="{width:.3f}"'
            f' shape="0,{y:.3f} {length:.2f},{y:.3f}"{closed}/>'
        )
    box = f"0,0,{length:.2f},{top:.2f}"
    location = f'<location netOffset="0,0" convBoundary="{box}" origBoundary="{box}" projParameter="!"/>'
    names = " ".join(f"road_{lane}" for lane in range(road.lanes))
    rows = [
        '<net version="1.20">',
        location,
        '<edge id="road" from="start" to="end" priority="1">',
        *lanes,
        "</edge>",
        _junction("start", 0.0, "", -0.5 * width, top),
        _junction("end", length, names, -0.5 * width, top),
        "</net>",
    ]
    file.write_text("\n".join(rows), encoding="utf-8")


def _junction(name: str, x: float, lanes: str, bottom: float, top: float) -> str:
    shape = f"{x:.2f},{bottom:.2f} {x:.2f},{top:.2f}"
    return f'<junction id="{name}" type="dead_end" x="{x:.2f}" y="0" incLanes="{lanes}" intLanes="" shape="{shape}"/>'


def write_types(
    file: Path, ego_size: tuple[float, float], actor_sizes: Sequence[tuple[float, float]]
) -> None:
    """The vehicle types, one for the ego and one for each scripted actor, and the route along the edge."""
    rows = []
    for kind in TYPES:
        truck = kind.class_id is ObjectClass.TRUCK
        rows.append(
            f'<vType id="{kind.name}" vClass="{"truck" if truck else "passenger"}" length="{kind.length}" width="{kind.width}"'
            f' carFollowModel="IDM" tau="{kind.time_gap}" accel="{kind.acceleration}" decel="{kind.deceleration}"'
            ' emergencyDecel="9" minGap="2.5" speedFactor="1" speedDev="0" maxSpeed="70"/>'
        )
    mirrors = {"ego": ego_size} | {f"actor{index}": size for index, size in enumerate(actor_sizes)}
    for name, (length, width) in mirrors.items():
        rows.append(
            f'<vType id="{name}" length="{length}" width="{width}" tau="1.5" decel="2.5" speedDev="0" maxSpeed="90"/>'
        )
    file.write_text(
        f'<routes>\n{chr(10).join(rows)}\n<route id="road" edges="road"/>\n</routes>\n', encoding="utf-8"
    )
