"""What a run remembers of its data, to notice that a folder or a file of the user has changed since the start.

Built-in sources are left out: they come with the package, and computed ones may differ between machines in the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ganvas.config import Recipe
from ganvas.data.computed_domains import split_name
from ganvas.data.dataset import Dataset
from ganvas.data.open import BUILT_IN
from ganvas.errors import DataError, GanvasError, UsageError
from ganvas.games.recipes import adapt_recipe, open_data
from ganvas.inference.sheet import INPUT_ROWS
from ganvas.utils.parsing import printable, quote, spell_count

SHOWN = 5  # class names in a message
NEEDED = 100  # different samples, of which training needs at least so many


def describe_data(recipe: Recipe, data: Dataset, count: int) -> dict[str, Any] | None:
    """The number of samples (`count`), the names of the classes and a hash of the contents; None: of a built-in source."""
    if split_name(recipe.data.source)[1] in BUILT_IN:
        return None
    return {"count": count, "classes": list(data.classes), "fingerprint": data.fingerprint}


def doubt_count(count: int) -> str:
    """A sentence if `count` samples to train on are too few, else ""."""
    if count >= NEEDED:
        return ""
    there = "there is 1 sample" if count == 1 else f"there are {count} samples"
    return f"{there}; training needs hundreds"


def find_unseen(recipe: Recipe, held_out: Dataset | None) -> Dataset | None:
    """The samples for the sheets: those held out, or those of the test split if it has more and a sheet has room for them."""
    count = len(held_out or ())
    if count < INPUT_ROWS and recipe.data.split != "test":
        with suppress(GanvasError):  # there is no such split
            test = open_data(replace(recipe, data=replace(recipe.data, split="test")))
            return test if len(test) > count else held_out
    return held_out


def parse_origin(plain: Any) -> dict[str, Any] | None:
    """The model that a run began with, as env.json holds it; None: with new weights. Raises: DataError: it is damaged."""
    return _parse(plain, "origin", {"name": str, "sha256": str, "recipe": str, "items": int})


def parse_description(plain: Any) -> dict[str, Any] | None:
    """A description of data as env.json holds it; None: the run was started on a built-in source, or by an older version.

    Raises:
        DataError: it is damaged.
    """
    return _parse(plain, "data", {"count": int, "classes": list, "fingerprint": str})


def _parse(plain: Any, what: str, kinds: Mapping[str, type]) -> dict[str, Any] | None:
    """A part of env.json with fields of these kinds, or None. Raises: DataError: it is damaged."""
    if plain is None:
        return None
    if not isinstance(plain, dict) or any(type(plain.get(name)) is not kind for name, kind in kinds.items()):
        raise DataError(f"env.json: {what}: expected {', '.join(kinds)}, found {printable(plain, 60)}")
    return plain


def find_changes(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None, unit: str) -> list[str]:
    """What differs between two descriptions of data, in words; [] if nothing does. `unit` is "images", "points", ..."""
    if before is None or now is None:
        return ["other data than before"]
    found = []
    old, new = before.get("classes"), now["classes"]
    if isinstance(old, list) and old != new:
        for what, names in (("new", [n for n in new if n not in old]), ("gone", [n for n in old if n not in new])):
            found += [f"{what} classes: {_list_names(names)}"] if names else []
        found = found or ["the classes are in another order"]
    if before.get("count") != now["count"]:
        found.append(f"{spell_count(now['count'], unit)}, it had {before.get('count'):,}")
    if not found and before.get("fingerprint") != now["fingerprint"]:
        found.append(f"other contents of the {spell_count(now['count'], unit)}")
    return found


def refuse_changes(folder: object, changes: Sequence[str], source: str | None = None) -> DataError:
    """The error for changed data: what changed, and how to continue. `source` is the other place that the user has named."""
    shown, place = printable(folder), "" if source is None else f" --data {quote(source)}"
    advice = f"put it back, or continue with it as it is: ganvas resume {quote(folder)}{place} --accept-data"
    return DataError(f"{shown}: its data is not that of the start: {'; '.join(changes)}; {advice}")


def check_networks(recipe: Recipe, data: Dataset, folder: object) -> None:
    """Check that the networks of a run can continue with changed data.

    Raises:
        DataError: they take samples of another size, or another number of classes.
    """
    try:
        fits = adapt_recipe(recipe, data).config == recipe.config
    except (DataError, UsageError):
        fits = False
    if not fits:
        raise DataError(
            f"{printable(folder)}: its networks do not fit {printable(data.name)}: another size or number of classes; start "
            f"a run that continues from it: ganvas branch {quote(folder)} --data PATH --out NEW"
        )


def _list_names(names: Sequence[str]) -> str:
    return ", ".join(printable(name, 60) for name in names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
