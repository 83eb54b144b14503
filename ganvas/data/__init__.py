"""Data sets, their order, the loader; readers/ for files of a user, builtin/ for data sets of the package.

No models and no rendering: `ganvas.data.report`, which draws previews, is not imported here.
"""

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
