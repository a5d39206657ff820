"""Constants of nature and of standards."""

GRAVITY = 9.81  # m/s², as in the CommonRoad vehicle models
AIR_DENSITY = 1.225  # kg/m³, ISO 2533 at sea level
