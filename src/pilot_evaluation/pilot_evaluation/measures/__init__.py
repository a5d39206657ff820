"""What is measured of a drive, by subject. Every measure takes a `Run` and gives a `Measure`."""
