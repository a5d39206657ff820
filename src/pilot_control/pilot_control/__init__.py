"""Lateral and longitudinal control of the vehicle along a trajectory."""
