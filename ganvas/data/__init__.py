"""Data: sources of images and points, their order, and what is wrong with them."""

from ganvas.data.opening import BUILT_IN, located, open_source
from ganvas.data.order import flips, rows
from ganvas.data.points import MODES, POINTS, Mixture
from ganvas.data.report import Report, inspect
from ganvas.data.source import Skipped, Source

__all__ = [
    "BUILT_IN",
    "MODES",
    "POINTS",
    "Mixture",
    "Report",
    "Skipped",
    "Source",
    "flips",
    "inspect",
    "located",
    "open_source",
    "rows",
]
