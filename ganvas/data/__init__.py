"""Data sets, their order, the loader; readers/ for files of a user, builtin/ for data sets of the package.

No models and no rendering: `ganvas.data.report`, which draws previews, is not in the list of names.
"""

from __future__ import annotations

import importlib
from typing import Any

# Name -> module. A module is imported at the first use of its name: what only decodes pictures must not import torch.
_MODULES = {
    "BUILT_IN": "ganvas.data.open",
    "MODES": "ganvas.data.builtin.point_sets",
    "POINTS": "ganvas.data.builtin.point_sets",
    "Mixture": "ganvas.data.builtin.point_sets",
    "Skipped": "ganvas.data.table",
    "TableDataset": "ganvas.data.table",
    "absolute_source": "ganvas.data.open",
    "flips": "ganvas.data.order",
    "open_source": "ganvas.data.open",
    "rows": "ganvas.data.order",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
