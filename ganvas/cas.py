"""Classification accuracy score: a classifier that saw generated samples only, tested on real ones.

High only if the samples are both right and as varied as the data. Source: Ravuri & Vinyals 2019, arXiv:1905.10887; "GAN-train"
in Shmelkov et al. 2018, arXiv:1807.09499. Its reverse, "GAN-test", is the measure `requested`.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ganvas.data.source import Source
from ganvas.engine import portrait, train
from ganvas.game import Classifies
from ganvas.games import RECIPES
from ganvas.games.recipes import adapt_recipe
from ganvas.machine import settle
from ganvas.metrics.classification import accuracy
from ganvas.plan import fresh, settled


def score(images: Tensor, labels: Tensor, test: Source, seed: int = 0, shown: int = 360_000, device: str = "auto") -> float:
    """The accuracy on `test` of the classifier recipe trained on uint8 images [N, C, H, W] with their labels [N]."""
    data = Source("generated", {"real": images, "label": labels}, classes=test.classes)
    recipe = RECIPES.get(f"classifier-{test.name}", RECIPES["classifier-mnist"])
    recipe = adapt_recipe(replace(recipe, train=replace(recipe.train, images=shown, seed=seed)), data)
    plan = settled(recipe, data, device)
    settle(plan)
    state = fresh(recipe, plan)
    for _ in train(state, data, recipe.train):
        pass
    game = portrait(state)
    return accuracy(game.classify, test, device=plan.device) if isinstance(game, Classifies) else 0.0
