"""Train without the name of a recipe: that of a model, or the one that suits the data, with the options of the user."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ganvas.config import DataConfig, Recipe
from ganvas.games.recipe_choice import OWN, choose_for_source
from ganvas.games.recipes import refuse_contradictions, resolve_recipe
from ganvas.training.initial_weights import read_recipe_of_model
from ganvas.training.options import TrainOptions, require_minutes
from ganvas.utils.parsing import parse_index


def choose(options: TrainOptions, settings: Mapping[str, Any]) -> tuple[str | Recipe, TrainOptions, dict[str, Any], str]:
    """The recipe or its name, the options and settings with what it needs, and one line for the user, or "".

    A setting of the user is kept; settings of the choice are added. The length, too, is only chosen if the user gave none.
    The line describes what is trained, with the settings of the user.

    Raises:
        UsageError: there is no data to choose by, or a setting is given twice or has no such value.
        DataError: the data or the model cannot be read, or no recipe takes the data.
    """
    refuse_contradictions(settings, **options.recipe_fields)  # before the data is read
    require_minutes(options.minutes)
    source = options.data or settings.get("data.source")
    if options.from_model is not None:
        return read_recipe_of_model(options.from_model, other_data=bool(source)), options, dict(settings), ""
    images = parse_index(str(settings.get("train.images", ""))) if options.images is None else options.images
    choice = choose_for_source(_read_data_settings(options, settings), options.minutes, images, options.device)
    options = dataclasses.replace(options, minutes=choice.minutes)
    settings = {**choice.settings, **settings}
    return choice.recipe, options, settings, choice.text(resolve_recipe(choice.recipe, settings, **options.recipe_fields))


def _read_data_settings(options: TrainOptions, settings: Mapping[str, Any]) -> DataConfig:
    """How the data is read, by the settings of the user."""
    named = {name: value for name, value in settings.items() if name.startswith("data.") or name == "config.channels"}
    return resolve_recipe(OWN[0], named, data=options.data, fit=options.fit).data
