"""The card of a bundle: what other code may rely on after `Model` was loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganvas.config import DataConfig
from ganvas.core.capabilities import Classifies, Conditional
from ganvas.core.game import Game
from ganvas.errors import DataError, UsageError
from ganvas.utils.settings import from_dict


def check_card(game: Game, card: Mapping[str, Any]) -> None:
    """Check the parts of a card that describe the model: name, data, images, classes. The game itself is rebuilt already.

    Raises:
        DataError: a part is missing or of the wrong kind; the message says which.
    """
    recipe = card.get("recipe")
    if not isinstance(recipe, Mapping) or not isinstance(recipe.get("name"), str):
        raise DataError("its card has no name of a recipe (recipe.name); save the model again")
    try:
        from_dict(DataConfig, recipe.get("data"), "recipe.data.")  # type: ignore[arg-type]
    except UsageError as wrong:
        raise DataError(f"its card describes no data: {wrong}") from None
    items = card.get("items")
    if type(items) is not int or items < 0:
        raise DataError(f"its card has no number of images (items): found {items!r}")
    classes = card.get("classes")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise DataError("its card has no list of class names (classes)")
    known = getattr(game, "classes", 0) if isinstance(game, (Conditional, Classifies)) else 0
    if known and len(classes) != known:
        raise DataError(f"its card names {len(classes)} classes, and its networks have {known}")
