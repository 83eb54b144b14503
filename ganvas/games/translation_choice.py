"""Choose a recipe for data that a game can translate: pairs, label maps, two domains, clips, or photographs and a filter."""

from __future__ import annotations

from dataclasses import dataclass

from ganvas.config import DataConfig
from ganvas.data.clips import ClipTable
from ganvas.data.collection import ImageCollection, TargetFormat, choose_format
from ganvas.data.open import find, load
from ganvas.data.open_fields import SETS, find_two, open_fields
from ganvas.data.own_clips import count_clips
from ganvas.data.pair_report import suggest_recipe
from ganvas.data.photo_tiles import split_pair
from ganvas.data.source_names import naming
from ganvas.data.two_sides import TwoSides
from ganvas.games import GAMES, RECIPES
from ganvas.utils.parsing import spell_count

CLIPS = "motion-clips"


@dataclass(frozen=True)
class Translation:
    """A recipe that translates, and what was found in the data."""

    recipe: str
    text: str  # what was found, in words
    count: int  # pairs, photographs, or pictures of the smaller domain
    side: int = 0  # pixels that the pictures suggest; 0: the recipe has its own
    made: bool = False  # whether the recipe is made for this data


def find_translation(config: DataConfig) -> Translation | None:
    """The recipe that translates what `config` names; None: a source of samples, which other games learn to draw.

    Raises:
        DataError: the source cannot be read.
        UsageError: a setting does not fit.
    """
    if config.source in SETS:
        return _for_built_in(config)
    with naming(config.source):
        two = find_two(config)
        name = None if two is None else suggest_recipe(two)
        if two is not None and name is not None:
            return _for_sides(name, two)
        if not split_pair(config)[0] and (clips := count_clips(config)):
            return describe_found_clips(clips)
        return _for_photos(config)


def describe_found_clips(clips: int) -> Translation:
    """The recipe for so many clips of the user."""
    return Translation(CLIPS, spell_count(clips, "clips"), clips)


def _for_built_in(config: DataConfig) -> Translation:
    """The first recipe that is made for a built-in set, whose needs decide what of it is shown."""
    name = next(name for name, recipe in RECIPES.items() if recipe.data.source == config.source)
    data = open_fields(config, GAMES[RECIPES[name].game].needs)
    if isinstance(data, ClipTable):
        return Translation(name, spell_count(data.clips, "clips"), len(data), made=True)
    first, second = data.facts.names.values()
    paired = "a" not in data.modalities
    text = _describe_pairs(len(data), first, second) if paired else _describe_domains((len(data), len(data)), first, second)
    return Translation(name, text, len(data), made=True)


def _for_sides(name: str, two: TwoSides) -> Translation:
    counts = len(two.keys[0]), len(two.keys[1])
    side = choose_format(two.pictures[0 if two.map_side == 1 else 1], TargetFormat(None, None))[0]
    first, second = two.names[::-1] if name == "spade-images" and two.map_side == 1 else two.names
    if name == "cyclegan-images":
        return Translation(name, _describe_domains(counts, first, second), min(counts), side)
    if name == "spade-images":
        return Translation(name, f"{spell_count(two.count, 'label maps')} with pictures ({first} > {second})", two.count, side)
    return Translation(name, _describe_pairs(two.count, first, second), two.count, side)


def _for_photos(config: DataConfig) -> Translation | None:
    """The recipe with the filter or the bicubic reduction that the source or `data.pair` names; None: neither does."""
    pair, inner = split_pair(config)
    name = next((name for name, recipe in RECIPES.items() if pair and recipe.data.pair == pair), None)
    if name is None:
        return None
    photos = load(find(inner, config.split))
    count = len(photos.names) if isinstance(photos, ImageCollection) else len(photos.samples)
    return Translation(name, f"{spell_count(count, 'photographs')} (data.pair={pair})", count)


def _describe_pairs(count: int, first: str, second: str) -> str:
    return f"{spell_count(count, 'pairs')} of pictures ({first} > {second})"


def _describe_domains(counts: tuple[int, int], first: str, second: str) -> str:
    return f"{counts[0]:,} and {counts[1]:,} pictures of two domains without pairs ({first}, {second})"
