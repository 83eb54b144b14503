"""From the name of a recipe, and what was typed beside it, to the recipe that is played."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ganvas.config import Recipe, assign
from ganvas.errors import UsageError, unknown
from ganvas.games import game_named, recipe_named
from ganvas.games.adversarial import with_objective

NAMED = {  # what has an argument of its own, here and on the command line
    "images": "train.images",
    "seed": "train.seed",
    "batch": "train.batch",
    "precision": "train.precision",
    "balance": "train.balance",
    "eval_every": "train.eval_every",
    "fit": "data.fit",
    "data": "data.source",
}
DECIDED = tuple(
    f"config.{name}" for name in ("shape", "point", "dims", "classes", "length", "vocabulary", "alphabet")
)  # by the data


def resolve(recipe: str | Recipe, settings: Mapping[str, Any] = MappingProxyType({}), **named: Any) -> Recipe:
    """A recipe by name with `settings` changed by dotted path, as `{"train.batch": "128"}`, then those with a name.

    Raises:
        UsageError: no such recipe, setting or value, or one that the data decides.
    """
    chosen = recipe_named(recipe) if isinstance(recipe, str) else recipe
    objective, minutes = named.pop("objective", None), named.pop("minutes", None)
    if minutes is not None and named.get("images") is not None:
        raise UsageError("--minutes and --images both bound the run; give one of them")
    if stranger := next((name for name in named if name not in NAMED), None):
        raise unknown("argument", stranger, [*NAMED, "objective"])
    for path, value in {**settings, **{NAMED[name]: value for name, value in named.items() if value is not None}}.items():
        if path in DECIDED:
            raise UsageError(f"{path}: the data decides it, not {value!r}; leave it out")
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        chosen = assign(chosen, path, text)
        if path == "config.channels":  # else the pictures would overrule it
            chosen = assign(chosen, "data.channels", text)
    if not issubclass(type(chosen.config), game_named(chosen.game).config_type):
        raise UsageError(f"game: {chosen.name}'s settings are not those of {chosen.game}; choose a recipe of that game")
    if objective is not None:
        if not hasattr(chosen.config, "rules"):
            raise UsageError(f"{chosen.name} has no adversary: --objective does not apply")
        chosen = replace(chosen, config=replace(chosen.config, rules=with_objective(chosen.config.rules, objective)))
    return chosen
