"""Motorway and parking planners behind one interface."""
