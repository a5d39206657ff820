"""Scenarios, importers, recording, bag replay, metrics, reports."""
