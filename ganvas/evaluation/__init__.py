"""Models measured against real data."""
