"""Object tracking over all sensors, lanes, ego motion, the world model."""
