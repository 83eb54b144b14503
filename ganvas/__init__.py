"""ganvas: train, measure, show and use generative adversarial networks (GANs).

model = ganvas.train("cgan-mnist", minutes=1)
model.sample(64, label=7, seed=3)          # uint8 [64, H, W, C]
ganvas.load("runs/00000-cgan-mnist-seed0").save("sheet.png", n=64)

The names in `__all__` are the public ones; what edits samples is in `ganvas.editing`.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = [
    "RECIPES",
    "Duel",
    "Game",
    "Model",
    "Recipe",
    "Step",
    "Turn",
    "compare",
    "evaluate",
    "load",
    "resume",
    "studio",
    "train",
]

# Name -> module. A module is imported at the first use of its name: the command line must not import torch for --help.
_MODULES = {
    "RECIPES": "ganvas.games",
    "Duel": "ganvas.games.common.duel",
    "Game": "ganvas.core.game",
    "Model": "ganvas.inference.model",
    "Recipe": "ganvas.config",
    "Step": "ganvas.core.game",
    "Turn": "ganvas.core.game",
    "compare": "ganvas.evaluation.comparison",
    "evaluate": "ganvas.evaluation.evaluate",
    "load": "ganvas.inference.model",
    "resume": "ganvas.training.api",
    "studio": "ganvas.studio",
    "train": "ganvas.training.api",
    # Names of earlier versions, which stay.
    "Term": "ganvas.editing",
    "arithmetic": "ganvas.editing",
    "neighbours": "ganvas.evaluation.training_neighbours",
    "plane": "ganvas.editing",
    "strip": "ganvas.editing",
    "traverse": "ganvas.editing",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'ganvas' has no attribute {name!r}")
    module = importlib.import_module(_MODULES[name])
    return module if _MODULES[name] == f"ganvas.{name}" else getattr(module, name)
