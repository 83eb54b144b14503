"""ganvas: train, measure, show and use the family of generative adversarial networks.

model = ganvas.train("cgan-mnist", minutes=1)
model.sample(64, label=7, seed=3)          # uint8 [64, H, W, C]
ganvas.load("runs/00000-cgan-mnist-seed0").save("sheet.png", n=64)
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Loaded when first asked for, so that the command line answers --help without importing torch.
_HOME = {
    "train": "ganvas.training.api",
    "resume": "ganvas.training.api",
    "load": "ganvas.inference.model",
    "Model": "ganvas.inference.model",
    "Term": "ganvas.editing.traversal",
    "arithmetic": "ganvas.editing.traversal",
    "plane": "ganvas.editing.traversal",
    "traverse": "ganvas.editing.traversal",
    "neighbours": "ganvas.evaluation.training_neighbours",
    "strip": "ganvas.editing.strips",
    "RECIPES": "ganvas.games",
    "Recipe": "ganvas.config",
    "Game": "ganvas.core.capabilities",
    "Turn": "ganvas.core.capabilities",
    "Step": "ganvas.core.capabilities",
}
__all__ = [
    "RECIPES",
    "Game",
    "Model",
    "Recipe",
    "Step",
    "Term",
    "Turn",
    "arithmetic",
    "load",
    "neighbours",
    "plane",
    "resume",
    "strip",
    "train",
    "traverse",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ganvas' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
