"""Camera and lidar networks and their run-time back ends."""
