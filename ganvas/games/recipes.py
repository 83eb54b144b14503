"""Resolve a recipe: apply the user's settings, open its data, and adapt its config to the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ganvas.config import Recipe
from ganvas.core.fields import FIELDS, unknown_field
from ganvas.core.modality import IMAGES, POINTS, TEXT, VOXELS, Modality
from ganvas.data.dataset import Dataset
from ganvas.data.open import open_source
from ganvas.data.open_fields import open_fields
from ganvas.data.photo_tiles import open_squares
from ganvas.data.table import TableDataset
from ganvas.data.units import choose_units
from ganvas.errors import DataError, UsageError, unknown_name
from ganvas.games import GAMES, RECIPES
from ganvas.games.common.rules import with_objective
from ganvas.games.registry import find_game, find_recipe
from ganvas.utils.settings import assign, from_dict

SAMPLES = {"real", "label", "text"}  # fields of one table; a game that needs others gets pairs or domains

# Recipes to suggest if the chosen game cannot take data of this kind.
SUGGESTED: Mapping[Modality, str] = {
    POINTS: "gan-...",
    IMAGES: "fastgan-...",
    VOXELS: "voxel-...",
    TEXT: "textgan-... or textlm-...",
}


def parse_recipe(plain: Mapping[str, Any]) -> Recipe:
    """A recipe from plain JSON values.

    Raises:
        DataError: its game is unknown.
        UsageError: a setting is unknown, missing or of the wrong type.
    """
    if not isinstance(plain.get("game"), str) or plain["game"] not in GAMES:
        raise DataError(f"recipe.json: expected the name of a known game, found {plain.get('game')!r}")
    return from_dict(Recipe, plain, config=GAMES[plain["game"]].config_type)


def own_things(recipe: Recipe) -> str:
    """What the folder of a user holds, for a recipe without data: "pictures" or "clips"."""
    return "clips" if "driving" in GAMES[recipe.game].needs else "pictures"


def require_source(recipe: Recipe) -> None:
    """Raises: UsageError: the recipe has no data, and the user gave none."""
    if not recipe.data.source:
        raise UsageError(f"{recipe.name} trains on your own {own_things(recipe)}: say where they are with --data FOLDER")


def open_data(recipe: Recipe, first: str = "") -> Dataset:
    """The data of a recipe, at the resolution of its game, with the fields that the game needs.

    `first` is what to do before another recipe can be used.

    Raises:
        DataError: it cannot be used, or the game does not take data of this kind.
        UsageError: the recipe has no data, and the user gave none.
    """
    require_source(recipe)
    if recipe.data.crop > recipe.data.tile:  # without it the next start would take the crop for the whole
        raise UsageError(f"data.crop={recipe.data.crop}: expected data.tile, the side it is taken from, to be larger")
    needs, size = GAMES[recipe.game].needs, getattr(recipe.config, "resolution", None)
    data: Dataset
    if set(needs) <= SAMPLES and recipe.data.tile:
        data = open_squares(recipe.data, channels=recipe.data.channels)
    elif set(needs) <= SAMPLES:
        data = open_source(recipe.data, resolution=size, channels=recipe.data.channels, pictures=False)
    else:
        data = open_fields(recipe.data, needs, resolution=size, channels=recipe.data.channels)
    _require_kind(recipe, data, first)
    if not isinstance(data, TableDataset) or not recipe.data.center:  # of points only
        return data
    return data.in_units(recipe.data.center, recipe.data.scale)


def open_samples(recipe: Recipe) -> TableDataset:
    """The data of a recipe whose game has no inputs: one table of samples.

    Raises:
        DataError: it cannot be used, or is no table of samples.
        UsageError: the recipe has no data, and the user gave none.
    """
    data = open_data(recipe)
    if not isinstance(data, TableDataset):
        raise DataError(f"{data.name}: expected one table of samples, found {', '.join(data.modalities)}; choose other data")
    return data


def adapt_recipe(recipe: Recipe, data: Dataset, first: str = "") -> Recipe:
    """The recipe with the settings of its game that the data decides: shape, channels, classes, alphabet.

    `first` is what to do before another recipe can be used, such as "leave --from out".

    Raises:
        DataError: the game needs a field or a kind of data that this data does not have.
    """
    _require_kind(recipe, data, first)
    game = GAMES[recipe.game]
    for name in game.needs:
        if name not in FIELDS:
            raise unknown_field(name)
        if name == "label" and name not in data.modalities:
            labels = "give one folder per class" if data.modality is IMAGES else "give labels beside the samples"
            advice = f"{labels}{_suggest_without_classes(recipe, first)}"
            raise DataError(f"{recipe.game} needs classes and {data.name} has none; {advice}")
        if name not in data.modalities:
            held = ", ".join(data.modalities)
            raise DataError(f"{recipe.game} needs the field {name!r} ({FIELDS[name].meaning}) and {data.name} has {held}")
    facts = data.facts
    config = recipe.config.adapt(facts) if hasattr(recipe.config, "adapt") else facts.fill(recipe.config)
    if isinstance(data, TableDataset) and data.modality is POINTS and not recipe.data.center:
        units = choose_units(data.table)
        if units is not None:
            recipe = replace(recipe, data=replace(recipe.data, center=units.center, scale=units.scale))
    return replace(recipe, config=config)


def modalities_of(config: object) -> tuple[Modality, ...]:
    """The kinds of samples that a game with this config takes: its `takes`, or images."""
    takes: tuple[Modality, ...] = getattr(config, "takes", (IMAGES,))
    return takes


def _require_kind(recipe: Recipe, data: Dataset, first: str = "") -> None:
    """Raises: DataError: the game does not take samples of this kind."""
    takes, found = modalities_of(recipe.config), data.modality
    if found not in takes:
        shape = ", ".join(["N", *map(str, data.facts.shape)])
        advice = f"; {_join(first, f'use a {SUGGESTED[found]} recipe')}" if found in SUGGESTED else "; choose other data"
        *most, last = map(_describe_kind, takes)
        needs = f"{', '.join(most)} or {last}" if most else last
        raise DataError(f"{recipe.game} needs {needs} and {data.name} holds {_describe_kind(found)} [{shape}]{advice}")


def _describe_kind(modality: Modality) -> str:
    return "text" if modality is TEXT else modality.unit


def _suggest_without_classes(recipe: Recipe, first: str) -> str:
    """What to do with data without classes, such as the recipe to use for it, after `first`."""
    plain = recipe.name.removesuffix("-conditional")
    if plain != recipe.name and plain in RECIPES:
        return f", or {_join(first, f'use {plain}')}"
    advice = getattr(GAMES[recipe.game], "without_classes", "")
    if advice and not advice.startswith("-"):  # an option goes with the same recipe and model
        advice = _join(first, advice)
    return f", or {advice}" if advice else ""


def _join(first: str, then: str) -> str:
    return f"{first} and {then}" if first else then


ARGUMENTS = {  # settings with their own argument, here and on the command line
    "images": "train.images",
    "seed": "train.seed",
    "batch": "train.batch",
    "precision": "train.precision",
    "balance": "train.balance",
    "eval_every": "train.eval_every",
    "fit": "data.fit",
    "data": "data.source",
}

ALSO = ("objective", "minutes")  # arguments that are more than one setting, or none

DECIDED_BY_DATA = (
    *(f"config.{name}" for name in ("shape", "point", "dims", "classes", "length", "vocabulary", "alphabet")),
    *(f"config.{name}" for name in ("legend", "colors", "domains", "source_channels")),
    "data.center",
    "data.scale",
)


def refuse_contradictions(settings: Mapping[str, Any], **named: Any) -> None:
    """Check that no setting is given twice, by `settings` and by an argument, even with one value: one would be lost.

    Raises:
        UsageError: one is.
    """
    given = [name for name, value in named.items() if value is not None]
    if "minutes" in given and "images" in given:
        raise UsageError("--minutes and --images both set the length of the run; give one of them")
    both = {**ARGUMENTS, "minutes": "train.images", "objective": "config.rules.objective"}
    words = {"minutes": "the length of the run", "images": "the length of the run", "objective": "the objective"}
    for name in given:
        if (path := both.get(name)) in settings:
            what = words.get(name, path)
            raise UsageError(f"--{name.replace('_', '-')} and --set {path} both set {what}; give one of them")


def resolve_recipe(recipe: str | Recipe, settings: Mapping[str, Any] = MappingProxyType({}), **named: Any) -> Recipe:
    """A recipe with the objective, then `settings` by dotted path, as `{"train.batch": "128"}`, then the `named` arguments.

    Raises:
        UsageError: no such recipe, setting or value, or the data decides the setting.
    """
    chosen = find_recipe(recipe) if isinstance(recipe, str) else recipe
    if stranger := next((name for name in named if name not in (*ARGUMENTS, *ALSO)), None):
        raise unknown_name("argument", stranger, [*ARGUMENTS, *ALSO])
    refuse_contradictions(settings, **named)
    objective, _ = named.pop("objective", None), named.pop("minutes", None)
    if objective is not None:  # before the settings: a setting the user names wins over the defaults of the objective
        if not hasattr(chosen.config, "rules"):
            raise UsageError(f"{chosen.name} has no discriminator, so it has no objective; leave --objective out")
        chosen = replace(chosen, config=replace(chosen.config, rules=with_objective(chosen.config.rules, objective)))
    for path, value in {**settings, **{ARGUMENTS[name]: value for name, value in named.items() if value is not None}}.items():
        if path in DECIDED_BY_DATA:
            raise UsageError(f"{path}: the data decides it, not {value!r}; leave it out")
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        chosen = assign(chosen, path, text)
        if path == "config.channels":  # otherwise the channels of the images would replace it
            chosen = assign(chosen, "data.channels", text)
    if not issubclass(type(chosen.config), find_game(chosen.game).config_type):
        raise UsageError(f"game: {chosen.name}'s settings are not those of {chosen.game}; choose a recipe of that game")
    return chosen
