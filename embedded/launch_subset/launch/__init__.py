"""The part of the official ROS 2 `launch` API that Highway Pilot uses, for machines without ROS 2.

Same names, same arguments, same meaning as in Jazzy and Kilted; a launch file that runs here runs there.
"""

from launch.missing import missing_names, refuse_missing_modules

refuse_missing_modules()

from launch import (  # noqa: E402
    actions,
    conditions,
    event_handlers,
    events,
    launch_description_sources,
    substitutions,
)
from launch.entity import Action, LaunchDescription, LaunchDescriptionEntity  # noqa: E402
from launch.event_handlers import EventHandler  # noqa: E402
from launch.events import Event  # noqa: E402
from launch.launch_context import LaunchContext  # noqa: E402
from launch.launch_description_sources import LaunchDescriptionSource  # noqa: E402
from launch.launch_service import LaunchService  # noqa: E402
from launch.substitutions import Substitution  # noqa: E402

# Names for annotations only, as in the official package.
SomeSubstitutionsType = object
SomeEntitiesType = object
SomeActionsType = object

__all__ = [
    "Action",
    "Event",
    "EventHandler",
    "LaunchContext",
    "LaunchDescription",
    "LaunchDescriptionEntity",
    "LaunchDescriptionSource",
    "LaunchService",
    "SomeActionsType",
    "SomeEntitiesType",
    "SomeSubstitutionsType",
    "Substitution",
    "actions",
    "conditions",
    "event_handlers",
    "events",
    "launch_description_sources",
    "substitutions",
]

__getattr__ = missing_names(__name__)
