"""From a play session to a training of digits by the same rules: what the form of /train is filled in with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from ganvas.games.registry import find_recipe
from ganvas.studio.play.play_settings import PlaySettings

RECIPE = "gan-mnist"  # as the game on digits beside the points
TRAINING = ("learning_rate", "rates", "schedule", "adam", "balance")  # what a session decides of a training
PLAY_ONLY: Mapping[str, Callable[[PlaySettings], bool]] = {  # what no training has -> whether a session uses it
    "gradient descent in place of Adam": lambda setup: setup.optimiser == "sgd",
    "several moves of G in a step": lambda setup: setup.g_moves != 1,
    "a player that does not move": lambda setup: setup.d_moves == 0,
}


@dataclass(frozen=True)
class TrainingLink:
    """`address`: what stands behind `/train#`; `lacks`: what of the session a training does not have, in words."""

    address: str
    lacks: tuple[str, ...]


@lru_cache(maxsize=4)
def make_training_link(setup: PlaySettings) -> TrainingLink:
    """The form filled in with the loss, penalties, rates, moves and balance of a session, where the recipe has others."""
    settings = {f"set.{name}": write_value(value) for name, value in list_changes(setup).items()}
    lacks = tuple(words for words, uses in PLAY_ONLY.items() if uses(setup))
    return TrainingLink(f"new&{urlencode({'recipe': RECIPE, 'seed': setup.seed, **settings})}", lacks)


def list_changes(setup: PlaySettings) -> dict[str, Any]:
    """Names of settings of the recipe, as for --set, with the session's value where it differs."""
    recipe = find_recipe(RECIPE)
    rules = dataclasses.replace(setup.make_rules(), n_critic=max(1, setup.d_moves))
    training = setup.make_training()
    changes = {"config.noise": setup.noise} if setup.noise != recipe.config.noise else {}
    changes |= compare("config.rules", recipe.config.rules, rules)
    for name in TRAINING:
        before, after = getattr(recipe.train, name), getattr(training, name)
        if dataclasses.is_dataclass(before):
            changes |= compare(f"train.{name}", before, after)
        elif before != after:
            changes[f"train.{name}"] = after
    return changes


def compare(prefix: str, before: Any, after: Any) -> dict[str, Any]:
    """The fields of two groups of settings that differ, with the later value."""
    names = [field.name for field in dataclasses.fields(before)]
    return {f"{prefix}.{name}": getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


def write_value(value: Any) -> str:
    """A value as text for --set."""
    return value if isinstance(value, str) else json.dumps(dict(value) if isinstance(value, Mapping) else value)
