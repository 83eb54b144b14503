"""Data: where samples come from, and the order in which training sees them."""

from ganvas.data.opening import BUILT_IN, located, open_source
from ganvas.data.order import flips, rows
from ganvas.data.points import MODES, POINTS, Mixture
from ganvas.data.source import Skipped, Source

__all__ = [
    "BUILT_IN",
    "MODES",
    "POINTS",
    "Mixture",
    "Skipped",
    "Source",
    "flips",
    "located",
    "open_source",
    "rows",
]
