"""The kind of a run, from its recipe.json: its unit, whether it makes pictures, which page shows its model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ganvas.core.capabilities import (
    Animates,
    Classifies,
    Conditional,
    Encodes,
    Inpaints,
    Samples,
    TakesInputs,
    Translates,
    Upscales,
)
from ganvas.core.game import Game
from ganvas.core.modality import IMAGES, POINTS, VOXELS
from ganvas.games import GAMES
from ganvas.games.recipes import modalities_of

MODALITY_OF_SPACE = {kind.space: kind for kind in (POINTS, IMAGES, VOXELS)}  # by the dimensions of space that a sample fills
INPUTS: Mapping[type, tuple[str, ...]] = {  # capability -> the fields that its method takes
    Translates: (),
    Animates: ("source", "driving"),
    Inpaints: ("image", "mask"),
    Upscales: ("low",),
}
ABILITIES = ("takes", "gives", "inverts")
UNKNOWN_KIND = {
    "unit": IMAGES.unit,
    "draws": False,
    "explores": False,
    "alike": "",
    "takes": [],
    "gives": [],
    "inverts": False,
}


def describe_kind(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What a page must know of a run's game, so that no page tests the name of a game. `recipe` is its recipe.json, or {}.

    - `unit`: what its progress counts;
    - `draws`: whether it makes pictures, from noise or from inputs;
    - `explores`: whether the page /explore shows its model; if not, `explain_absence` says why;
    - `alike`: equal for all runs that can be compared with each other, "" if none can;
    - `takes`, `gives`: what goes into its model and what comes out: "noise", "label", the fields of a game with inputs;
      "images", "points", "lines", "solids", "labels";
    - `inverts`: whether it has an encoder, which turns a sample into its noise.

    A file may hold anything: a recipe that cannot be read is of an unknown kind.
    """
    try:
        return _describe(recipe)
    except (AttributeError, TypeError):
        return dict(UNKNOWN_KIND)


def explain_absence(recipe: Mapping[str, Any]) -> str:
    """Why the page /explore does not show a model of this recipe; "" if it does. One line for the user."""
    name = recipe.get("game", "")
    game = GAMES.get(name) if isinstance(name, str) else None
    if game is None:
        return "its recipe names no known game"
    if issubclass(game, Samples):
        return ""
    if issubclass(game, (Translates, Upscales, Inpaints)):
        return "it makes its output from inputs, not from noise; use the page Translate"
    if issubclass(game, Animates):
        return "it makes its output from inputs, not from noise; use the page Animate"
    if issubclass(game, TakesInputs):
        return "it makes its output from inputs, not from noise; its snapshots are on the page Train"
    return "it generates nothing"


def _describe(recipe: Mapping[str, Any]) -> dict[str, Any]:
    game, config = GAMES.get(recipe.get("game", "")), recipe.get("config", {})
    if game is None:
        return dict(UNKNOWN_KIND)
    samples, (modality, *others) = issubclass(game, Samples), modalities_of(game.config_type)
    if modality.grid and not others:  # a config of one kind of grid may leave out the shape
        size = sample_shape(config, modality.space) if "resolution" in config else []
    elif not others:
        size = [config.get("alphabet"), config.get("vocabulary")]
    else:
        size = sample_shape(config, getattr(game.config_type, "dims", IMAGES.space))
        modality = MODALITY_OF_SPACE.get(len(size) - 1, POINTS)
    data = [recipe.get("data", {}).get(name) for name in ("source", "channels", "fit")]
    text = json.dumps([modality.unit, size, data]).encode()  # it holds a path, so that only its hash leaves this machine
    return {
        "unit": modality.unit,
        "draws": samples or issubclass(game, TakesInputs),
        "explores": samples,
        "alike": hashlib.sha256(text).hexdigest()[:16] if samples else "",
        "takes": list_inputs(game, modality.unit),
        "gives": list_outputs(game, modality.unit),
        "inverts": samples and issubclass(game, Encodes),
    }


def list_inputs(game: type[Game], unit: str) -> list[str]:
    """What goes into a model of the game; `unit` is what its samples are called."""
    if issubclass(game, Samples):
        return ["noise", "label"] if issubclass(game, Conditional) else ["noise"]
    for kind, names in INPUTS.items():
        if issubclass(game, kind):
            return list(game.takes) if issubclass(game, Translates) else list(names)
    return [unit] if issubclass(game, Classifies) else []


def list_outputs(game: type[Game], unit: str) -> list[str]:
    """What comes out of a model of the game."""
    labels = ["labels"] if issubclass(game, Classifies) else []
    return [unit, *labels] if issubclass(game, (Samples, TakesInputs)) else labels


def sample_shape(config: Mapping[str, Any], dims: int) -> list[int]:
    """The shape of one sample; `dims` of space if the config does not say."""
    if config.get("point"):
        return [config["point"]]
    if "resolution" not in config:
        return list(config.get("shape", (2,)))
    dims = config.get("dims", dims)
    if dims not in MODALITY_OF_SPACE:
        raise TypeError(dims)
    return [config.get("channels", 1), *[config["resolution"]] * dims]
