"""Choose a recipe for data: what `ganvas train --data FOLDER` plays if no recipe is named.

The rules are few, so that they can be read and corrected. docs/systems/fastgan.md has the measurements behind the choice
for color pictures; the limits of the sides are estimates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ganvas.config import DataConfig, Recipe
from ganvas.core.capabilities import Watched
from ganvas.core.modality import IMAGES, POINTS, TEXT, VOXELS
from ganvas.data.computed_domains import split_name
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError
from ganvas.games import GAMES, RECIPES
from ganvas.games.translation_choice import Translation, find_translation
from ganvas.layers.resolutions import can_be_halved
from ganvas.runtime.device import find_device
from ganvas.utils.parsing import spell_count

SMALL = 32  # sides up to which grey pictures are taken for drawings such as digits
MINUTES = 15.0  # of a training on pictures, if the user names neither minutes nor a number of images
# The longest training in minutes for a side in pixels; beyond the last one, the last side. FastGAN plays at 32 pixels for both,
# and draws its samples again: a larger side costs time in sheets and measurements, which a short run has not.
Sides = tuple[tuple[float, int], ...]
SIDES: Sides = ((5, 64), (float("inf"), 128))
TRANSLATED: Sides = (
    (45, 64),
    (float("inf"), 128),
)  # on a CPU; the networks play at the full side: twice of it costs four times
OWN = ("fastgan-images", "fastgan-images-conditional")  # for other pictures: without classes, with
DIGITS = ("dcgan-mnist-paired", "cgan-mnist-groups", "cgan-mnist")  # for those: few, many, with classes
GROUPED = 300  # pictures without classes, from which groups of them take the place of classes
IN_A_GROUP = 50  # pictures, on the average: the discriminator would know fewer by heart
MOST_GROUPS = 100
HELD_OUT = 20  # pictures: fewer are never held out; they show best whether the discriminator knows the others by heart
DOMAINS = "cogan-images"  # for domains that are computed of other pictures
MOST_OF_DOMAINS = 64  # pixels: its own side
FEW = 5_000  # pictures, below which a discriminator soon knows each of them
FEW_UNWATCHED = 2_000  # the same if none are held out: `FEW` of ganvas/engine/balance.py
RESOLUTION = 64  # pixels of the recipes that translate
MADE = "the recipe made for this data"
EXACT = 32  # pixels: a smaller suggested side is that of all pictures


@dataclass(frozen=True)
class Choice:
    """A recipe with settings for the data, and what was found in the data."""

    recipe: str
    settings: Mapping[str, str] = field(default_factory=dict)  # by dotted path, as for --set
    minutes: float | None = None  # None: the number of images of the recipe, or of the user
    found: str = ""  # the data in words
    count: int = 0
    side: int = 0  # of pictures, as they suggest it; 0: other data
    why: str = ""  # in words, if there is more to say than what was found
    device: str = "cpu"  # where it will train

    def text(self, recipe: Recipe) -> str:
        """One line for the user about what is trained, as `describe`, and how to choose."""
        return f"{self.describe(recipe)}; name another recipe to choose yourself"

    def describe(self, recipe: Recipe) -> str:
        """What is trained and why, in a line: `recipe`, the chosen one with all settings of the user."""
        parts = [self.found if not self.side else self._describe_pictures(recipe), *filter(None, [self.why])]
        if self.side and (times := _describe_augmentation(recipe, self.count)):
            parts.append(times)
        return f"{self.recipe}: {', '.join(parts)}"

    def _describe_pictures(self, recipe: Recipe) -> str:
        groups, side = getattr(recipe.config, "groups", 0), recipe.config.resolution
        where = f" in {groups} group{'s' * (groups != 1)}" if groups else ""
        enlarged = f", enlarged from {self.side}," if self.side < min(EXACT, side) else ""
        images = spell_count(recipe.train.images, "images")
        length = f"{self.minutes:g} minute{'s' * (self.minutes != 1)}" if self.minutes else images
        where_trained = "the CPU" if self.device == "cpu" else self.device
        drawn = getattr(recipe.config, "side", side)  # of FastGAN, whose samples are drawn again at twice the side
        again = f", made at {drawn} pixels and drawn again" if drawn < side else ""
        return f"{self.found}{where} at {side} pixels{enlarged} for {length} on {where_trained}{again}"


@dataclass(frozen=True)
class PictureFacts:
    """What the choice needs to know of pictures. `side` is the one that they suggest, `classes` 0 or 1 without classes."""

    count: int
    channels: int
    side: int
    classes: int = 0

    def text(self) -> str:
        """The pictures in words."""
        pictures = spell_count(self.count, f"{'grey' if self.channels == 1 else 'color'} pictures")
        return f"{pictures} {f'of {self.classes} classes' if self.classes > 1 else 'without classes'}"


def choose_for_source(
    config: DataConfig, minutes: float | None = None, images: int | None = None, device: str = "auto"
) -> Choice:
    """The recipe for the data of `config`, which has the settings of the user.

    Raises:
        UsageError: no source, or another argument that cannot be used.
        DataError: the data cannot be read, or no recipe takes it.
    """
    if not config.source:
        raise UsageError("expected a recipe (see `ganvas recipes`) or your own data: --data FOLDER; got neither")
    kind = find_device(device).type
    if (translation := find_translation(config)) is not None:
        return choose_translation(translation, minutes, images, kind)
    data = open_source(config, channels=config.channels, pictures=False)
    return choose_recipe(data, minutes, images, kind, config.source)


def name_for_source(source: str) -> str:
    """The first recipe that is made for the data `source`, by the name of its own data; "" if there is none."""
    return next((name for name, recipe in RECIPES.items() if source and recipe.data.source == source), "")


def choose_translation(found: Translation, minutes: float | None, images: int | None, device: str) -> Choice:
    """The choice of a recipe that translates. For own pictures, as for `choose_for_pictures`, the time decides the side."""
    if found.made:
        return Choice(found.recipe, {}, minutes, found.text, found.count, RESOLUTION, MADE, device)
    settings, length = hold_out_enough(found.count), MINUTES if minutes is None and images is None else minutes
    if found.side:
        settings["config.resolution"] = str(
            choose_side(found.side, length or MINUTES, TRANSLATED if device == "cpu" else SIDES)
        )
    return Choice(found.recipe, settings, length, found.text, found.count, found.side or RESOLUTION, device=device)


def choose_recipe(
    data: TableDataset, minutes: float | None = None, images: int | None = None, device: str = "cpu", source: str = ""
) -> Choice:
    """The recipe that suits such data and that time, by the kind, number, classes, colors and size of the samples.

    `data` is opened without a resolution, so it has the one that its pictures suggest. `device` is where it will train.
    A built-in or computed `source` has the recipe that is made for it.

    Raises:
        DataError: no recipe takes such data.
    """
    n, modality, own = len(data), data.modality, name_for_source(source)
    made = MADE if own else ""
    if modality is POINTS:
        dims = data.facts.shape[0]
        if dims > 2:
            raise DataError(f"{data.name}: points of {dims} numbers; expected 1 or 2, or name a recipe, such as gan-gaussians")
        name = own or ("gan-normal1d" if dims == 1 else "gan-ring")
        return Choice(
            name, {}, minutes, f"{spell_count(n, 'points')} {'on a line' if dims == 1 else 'in the plane'}", n, why=made
        )
    if modality is TEXT:
        return Choice(own or "textgan-names", {}, minutes, f"{spell_count(n, 'lines')} of text", n, why=made)
    if modality is VOXELS:
        if "label" not in data.modalities:
            raise DataError(
                f"{data.name}: {spell_count(n, 'solids')} without classes; expected labels beside them, as y in an .npz file"
            )
        return Choice(own or "voxel-shapes", {}, minutes, spell_count(n, "solids"), n, why=made)
    if modality is not IMAGES:
        raise DataError(f"{data.name}: no recipe takes {modality.unit} alone; name one (see `ganvas recipes`)")
    facts = PictureFacts(n, data.facts.shape[0], data.facts.shape[-1], len(data.classes))
    if own:
        return Choice(own, {}, minutes, facts.text(), n, facts.side, made, device)
    return choose_for_pictures(facts, minutes, images, device, domains=bool(split_name(source)[0]))


def choose_for_pictures(
    facts: PictureFacts, minutes: float | None = None, images: int | None = None, device: str = "cpu", domains: bool = False
) -> Choice:
    """The recipe for pictures of the user, as `choose_recipe`; with `domains` their classes are two computed domains."""
    n, side = facts.count, facts.side
    name = DOMAINS if domains else name_for_pictures(facts.channels, side, facts.classes, n)
    if name in DIGITS:
        settings, why = settings_for_digits(name, side, n), "as small as digits"
        return Choice(name, settings, minutes, facts.text(), n, side, why, device)
    if minutes is None and images is None:
        minutes = MINUTES
    # Of a number of images nothing is known about the time, so the side is that of a quarter of an hour.
    trained = choose_side(side, MINUTES if minutes is None else minutes)
    if domains:
        trained = min(MOST_OF_DOMAINS, trained) if side > SMALL else find_even_side(side)
    settings = {"config.resolution": str(trained)} | hold_out_enough(n)
    return Choice(name, settings, minutes, facts.text(), n, side, "in two domains" if domains else "", device)


def name_for_pictures(channels: int, side: int, classes: int, count: int) -> str:
    """The name of the recipe for `count` pictures of that many channels, pixels and classes (0: without)."""
    if channels > 1 or side > SMALL:
        return OWN[int(classes > 1)]
    return DIGITS[2 if classes > 1 else int(count >= GROUPED)]


def settings_for_digits(name: str, side: int, count: int) -> dict[str, str]:
    """The settings with which a recipe of `DIGITS` takes `count` pictures of `side` pixels, by dotted path."""
    settings = {"config.resolution": str(find_even_side(side))}
    if name == DIGITS[1]:
        settings["config.groups"] = str(max(1, min(MOST_GROUPS, count // IN_A_GROUP)))
    return settings | hold_out_enough(count)


def hold_out_enough(count: int) -> dict[str, str]:
    """The setting with which `HELD_OUT` of `count` pictures are held out, if they are so few that it needs one.

    Of fewer than ten times as many none are: the generator needs them more.
    """
    if int(DataConfig.held_out * count) >= HELD_OUT or count < 10 * HELD_OUT:
        return {}
    return {"data.held_out": f"{math.ceil(1000 * HELD_OUT / count) / 1000:g}"}


def find_even_side(side: int) -> int:
    """The largest side up to `side` pixels, but not below 8, that can be halved down to 4 to 7 pixels: 30 -> 28."""
    return next((found for found in range(side, 8, -1) if can_be_halved(found)), 8)


def choose_side(largest: int, minutes: float, sides: Sides = SIDES) -> int:
    """The side at which pictures are trained: what the time allows, but not more than they have; a power of two from 32 on.

    Raises:
        UsageError: a time that is not positive.
    """
    if not minutes > 0:
        raise UsageError(f"minutes: expected a number above 0, got {minutes:g}")
    allowed = next(side for longest, side in sides if minutes <= longest)
    return max(32, min(allowed, 1 << (largest.bit_length() - 1)))


def _describe_augmentation(recipe: Recipe, count: int) -> str:
    """When the balance augments pictures that the recipe is trained on, in words; "" if it hardly ever will, or never."""
    watched = issubclass(GAMES[recipe.game], Watched)
    if not watched or recipe.train.balance != "auto" or count >= FEW:
        return ""
    if int(recipe.data.held_out * count) >= HELD_OUT:
        return "augmented as soon as the discriminator knows them by heart"
    return "augmented while the discriminator is sure of them" if count < FEW_UNWATCHED else ""
