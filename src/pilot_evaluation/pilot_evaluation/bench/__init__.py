"""Benches: each claim as a ratio, measured back to back in one run."""
