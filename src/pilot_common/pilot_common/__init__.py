"""The vocabulary of Highway Pilot: geometry, road coordinates, types, parameters, the graph table."""
