"""Classification accuracy score: a classifier that saw generated samples only, tested on real ones.

High only if the samples are both right and as varied as the data. Source: Ravuri & Vinyals 2019, arXiv:1905.10887; "GAN-train"
in Shmelkov et al. 2018, arXiv:1807.09499. Its reverse, "GAN-test", is the measure `requested`.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ganvas.core.capabilities import Classifies
from ganvas.data.table import TableDataset
from ganvas.engine.autotune import choose_plan, initial_state
from ganvas.engine.loop import train
from ganvas.engine.state import averaged_game
from ganvas.evaluation.accuracy import accuracy
from ganvas.games import RECIPES
from ganvas.games.recipes import adapt_recipe
from ganvas.runtime.process_settings import apply_plan


def classification_accuracy_score(
    images: Tensor, labels: Tensor, test: TableDataset, seed: int = 0, shown: int = 360_000, device: str = "auto"
) -> float:
    """The accuracy on `test` of the classifier recipe trained on uint8 images [N, C, H, W] with their labels [N]."""
    data = TableDataset("generated", {"real": images, "label": labels}, classes=test.classes)
    recipe = RECIPES.get(f"classifier-{test.name}", RECIPES["classifier-mnist"])
    recipe = adapt_recipe(replace(recipe, train=replace(recipe.train, images=shown, seed=seed)), data)
    plan = choose_plan(recipe, data, device)
    apply_plan(plan)
    state = initial_state(recipe, plan)
    for _ in train(state, data, recipe.train):
        pass
    game = averaged_game(state)
    return accuracy(game.classify, test, device=plan.device) if isinstance(game, Classifies) else 0.0
