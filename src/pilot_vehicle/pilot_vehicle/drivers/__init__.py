"""What carries the gate's actuation to a car and the car's state back: one module per bus or simulated car."""
