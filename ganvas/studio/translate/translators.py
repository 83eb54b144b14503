"""The models that the page /translate can use, and what it must know of each: what it takes, its directions, its classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganvas.config import Recipe
from ganvas.core.capabilities import Inpaints, Translates, Upscales
from ganvas.core.fields import FIELDS
from ganvas.core.modality import LABEL_MAPS
from ganvas.data.builtin.earth import read_legend
from ganvas.data.legend import number_classes
from ganvas.errors import GanvasError
from ganvas.games import GAMES
from ganvas.games.recipes import parse_recipe
from ganvas.studio.storage import Storage

EXAMPLES = Path(__file__).parents[1] / "static" / "translate" / "examples"
USUAL = "photo"  # the examples of a model whose own inputs are not here
MAP, PICTURE = "map", "picture"  # what goes in
WORDS = {"real": "picture", "source": "picture", "map": "drawing"}  # fields of models whose data had no names
Class = tuple[str, tuple[int, int, int]]  # name and color


def list_translators(storage: Storage) -> list[dict[str, Any]]:
    """Every model that translates pictures or maps, or fills holes, the newest run first."""
    described = [(name, describe_translator(recipe)) for name, _, recipe in storage.list_models()]
    return [{"id": name, **facts} for name, facts in described if facts]


def describe_translator(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a model with this recipe.json does on the page; None: it does nothing here.

    - `takes`: "map" (of classes) or "picture"; `fills`: whether it fills a hole that is painted over the picture;
    - `ways`: for each direction `to`, as `find_way` takes it; `source` and `title`, its input and its output in words; `back`,
      whether there is a way back; `examples`: the kind of its examples;
    - `side`: pixels of the pictures that it was trained with; `whole`: whether they were parts of larger ones, so that a
      picture goes in as large as it is;
    - `scale`: how many times larger the output is;
    - `legend`: for each class of the maps its name and its color.
    """
    try:
        recipe = parse_recipe(values)
        game = GAMES[recipe.game]
        if not issubclass(game, (Translates, Upscales, Inpaints)):
            return None
        return _describe(recipe, game)
    except (GanvasError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _describe(recipe: Recipe, game: type[Translates] | type[Upscales] | type[Inpaints]) -> dict[str, Any] | None:
    config: Any = recipe.config
    scale = int(config.scale) if issubclass(game, Upscales) else 1
    facts = {
        "recipe": recipe.name,
        "side": int(config.resolution) // scale,
        "whole": scale > 1 or recipe.data.tile > 0,
        "scale": scale,
        "fills": issubclass(game, Inpaints),
    }
    if not issubclass(game, Translates):
        to, title = ("filled", "filled") if facts["fills"] else (f"x{scale}", f"{scale} times as large")
        ways = [{"to": to, "source": PICTURE, "title": title, "back": False, "examples": USUAL}]
        return {**facts, "takes": PICTURE, "ways": ways, "legend": []}
    pairs = [tuple(direction.split(">")) for direction in game.directions]
    if any(LABEL_MAPS in FIELDS[target].modalities for _, target in pairs):
        return None
    names = _name_fields(game, getattr(config, "domains", ()))
    legend = _list_classes(config) if "map" in game.takes else []
    takes = MAP if "map" in game.takes else PICTURE
    ways = [
        {
            "to": names[target],
            "source": WORDS.get(names[source], names[source]),
            "title": WORDS.get(names[target], names[target]),
            "back": (target, source) in pairs,
            "examples": _choose_examples(names[source], legend),
        }
        for source, target in pairs
    ]
    return {**facts, "takes": takes, "ways": ways, "legend": legend}


def _name_fields(game: type[Translates], domains: tuple[str, ...]) -> dict[str, str]:
    """What the user calls each field of the directions, as `Translates.names` has it; without names its own name."""
    fields = list(dict.fromkeys(field for direction in game.directions for field in direction.split(">")))
    return dict(zip(fields, domains if len(domains) == len(fields) else fields, strict=True))


def _list_classes(config: Any) -> list[Class]:
    made = number_classes(config.classes, config.colors)
    names = config.legend if len(config.legend) == config.classes else made.names
    return list(zip(names, made.colors, strict=True))


def _choose_examples(source: str, legend: Sequence[Class]) -> str:
    """The kind of the examples for inputs that are called `source`; "": there are none. Maps need the classes of the model."""
    if legend:
        return MAP if tuple(color for _, color in legend) == read_legend()[1] else ""
    return source if source in list_examples() else USUAL


def list_examples() -> dict[str, list[str]]:
    """The kinds of example pictures, and the names of their files: map-1.png is of the kind "map"."""
    found: dict[str, list[str]] = {}
    for path in sorted(EXAMPLES.glob("*-*.*")):
        found.setdefault(path.stem.rpartition("-")[0], []).append(path.name)
    return found
