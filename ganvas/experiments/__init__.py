"""Lessons: several runs that answer one question. A single run is in `ganvas.training`."""
