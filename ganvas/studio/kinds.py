"""What kind of run a recipe makes: what it is counted in, whether it draws, which others it can be compared with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

UNKNOWN = {"unit": "images", "draws": False, "alike": ""}


def kind(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What a page needs to know of a run's game, so that it need know no game: `recipe` is the run's recipe.json, or {}.

    `unit` is what it is counted in, `draws` whether something comes out of noise, `alike` the same for all runs that can be
    compared with it, "" where none can. What cannot be read, as a file may hold anything, is of no known kind.
    """
    try:
        return _kind(recipe)
    except (AttributeError, TypeError):
        return dict(UNKNOWN)


def _kind(recipe: Mapping[str, Any]) -> dict[str, Any]:
    from ganvas.core.modality import POINTS
    from ganvas.games import GAMES

    game, config = GAMES.get(recipe.get("game", "")), recipe.get("config", {})
    if game is None:
        return dict(UNKNOWN)
    draws = hasattr(game, "sample")  # `Samples` has properties too, which no class is asked for
    if "text" in game.needs:
        unit, size = "lines", [config.get("alphabet"), config.get("vocabulary")]
    else:
        size = shape(config, getattr(game.config_type, "dims", 2))
        unit = _units().get(len(size) - 1, POINTS.unit)
    data = [recipe.get("data", {}).get(name) for name in ("source", "channels", "fit")]
    spelt = json.dumps([unit, size, data]).encode()  # with a path in it: only its hash leaves this machine
    return {"unit": unit, "draws": draws, "alike": hashlib.sha256(spelt).hexdigest()[:16] if draws else ""}


def shape(config: Mapping[str, Any], dims: int) -> list[int]:
    """The shape of one sample; `dims` of space where the config does not say."""
    if config.get("point"):
        return [config["point"]]
    if "resolution" not in config:
        return list(config.get("shape", (2,)))
    dims = config.get("dims", dims)
    if dims not in _units():
        raise TypeError(dims)
    return [config.get("channels", 1), *[config["resolution"]] * dims]


def _units() -> dict[int, str]:
    """Dimensions of space that a sample fills -> what a run is counted in."""
    from ganvas.core.modality import IMAGES, POINTS, VOXELS

    return {kind.space: kind.unit for kind in (POINTS, IMAGES, VOXELS)}
