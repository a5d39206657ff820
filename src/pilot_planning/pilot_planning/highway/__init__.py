"""The motorway planner: speed by constraints with reasons, one smooth path to a lane centre, lane changes the driver confirms."""
