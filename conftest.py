"""Settings of every test run of the checkout."""

import os

# Test runs side by side must not hear one another; domains above 101 collide with ports of the system.
os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
