"""Train without the name of a recipe: the recipe that suits the data, with the options of the user."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ganvas.games.recipe_choice import choose_for_source
from ganvas.training.options import TrainOptions
from ganvas.utils.parsing import parse_index


def choose(options: TrainOptions, settings: Mapping[str, Any]) -> tuple[str, TrainOptions, dict[str, Any], str]:
    """The name of the recipe, the options and settings with what it needs, and one line for the user.

    A setting of the user is kept; settings of the choice are added. The length, too, is only chosen if the user gave none.

    Raises:
        UsageError: there is no data to choose by.
        DataError: the data cannot be read, or no recipe takes it.
    """
    source = options.data or settings.get("data.source")
    fit = options.fit or settings.get("data.fit")
    images = options.images or parse_index(str(settings.get("train.images", "")))
    choice = choose_for_source(source, options.minutes, images, options.device, fit)
    options = dataclasses.replace(options, minutes=choice.minutes)
    return choice.recipe, options, {**choice.settings, **settings}, choice.text()
