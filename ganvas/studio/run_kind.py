"""What kind of run a recipe makes: what it counts, whether it draws samples, which other runs it can be compared with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ganvas.games import GAMES
from ganvas.run import KINDS

UNKNOWN_KIND = {"unit": "images", "draws": False, "alike": ""}


def describe_kind(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What a page must know of a run's game, so that no page knows a game by name. `recipe` is its recipe.json, or {}.

    `unit` is what it counts; `draws`: whether it makes samples from noise; `alike` is equal for all runs that can be compared
    with each other, "" if none can. A file may hold anything: a recipe that cannot be read is of an unknown kind.
    """
    try:
        return _describe(recipe)
    except (AttributeError, TypeError):
        return dict(UNKNOWN_KIND)


def _describe(recipe: Mapping[str, Any]) -> dict[str, Any]:

    game, config = GAMES.get(recipe.get("game", "")), recipe.get("config", {})
    if game is None:
        return dict(UNKNOWN_KIND)
    draws = hasattr(game, "sample")  # `Samples` has properties, so `issubclass` cannot answer this
    if "text" in game.needs:
        unit, size = "lines", [config.get("alphabet"), config.get("vocabulary")]
    else:
        size = sample_shape(config, getattr(game.config_type, "dims", 2))
        unit = KINDS.get(len(size) - 1, KINDS[0])
    data = [recipe.get("data", {}).get(name) for name in ("source", "channels", "fit")]
    text = json.dumps([unit, size, data]).encode()  # it holds a path, so that only its hash leaves this machine
    return {"unit": unit, "draws": draws, "alike": hashlib.sha256(text).hexdigest()[:16] if draws else ""}


def sample_shape(config: Mapping[str, Any], dims: int) -> list[int]:
    """The shape of one sample; `dims` of space if the config does not say."""

    if config.get("point"):
        return [config["point"]]
    if "resolution" not in config:
        return list(config.get("shape", (2,)))
    dims = config.get("dims", dims)
    if dims not in KINDS:
        raise TypeError(dims)
    return [config.get("channels", 1), *[config["resolution"]] * dims]
