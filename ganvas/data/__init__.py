"""Data: where samples come from, and the order in which training sees them."""

from ganvas.data.builtin.point_sets import MODES, POINTS, Mixture
from ganvas.data.open import BUILT_IN, absolute_source, open_source
from ganvas.data.order import flips, rows
from ganvas.data.table import Skipped, TableDataset

__all__ = [
    "BUILT_IN",
    "MODES",
    "POINTS",
    "Mixture",
    "Skipped",
    "TableDataset",
    "absolute_source",
    "flips",
    "open_source",
    "rows",
]
