"""Plant, traffic, sensor models and the lockstep loop."""
