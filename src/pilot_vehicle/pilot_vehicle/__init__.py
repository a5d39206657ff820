"""Vehicle facts, vehicle models, the command gate and the drivers."""
