"""Train without the name of a recipe: that of a model, or the one that suits the data, with the options of the user."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ganvas.config import Recipe
from ganvas.games.recipe_choice import choose_for_source
from ganvas.games.recipes import refuse_contradictions
from ganvas.training.initial_weights import read_recipe_of_model
from ganvas.training.options import TrainOptions
from ganvas.utils.parsing import parse_index


def choose(options: TrainOptions, settings: Mapping[str, Any]) -> tuple[str | Recipe, TrainOptions, dict[str, Any], str]:
    """The recipe or its name, the options and settings with what it needs, and one line for the user, or "".

    A setting of the user is kept; settings of the choice are added. The length, too, is only chosen if the user gave none.

    Raises:
        UsageError: there is no data to choose by, or a setting is given twice.
        DataError: the data or the model cannot be read, or no recipe takes the data.
    """
    refuse_contradictions(settings, **options.recipe_fields)  # before the data is read
    source = options.data or settings.get("data.source")
    if options.from_model is not None:
        return read_recipe_of_model(options.from_model, other_data=bool(source)), options, dict(settings), ""
    fit = options.fit or settings.get("data.fit")
    images = options.images or parse_index(str(settings.get("train.images", "")))
    choice = choose_for_source(source, options.minutes, images, options.device, fit)
    options = dataclasses.replace(options, minutes=choice.minutes)
    return choice.recipe, options, {**choice.settings, **settings}, choice.text()
