"""Choose a recipe for data: what `ganvas train --data FOLDER` plays if no recipe is named.

The rules are few, so that they can be read and corrected. docs/systems/fastgan.md has the measurements behind the choice
for color pictures; the limits of the sides are estimates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ganvas.config import DataConfig
from ganvas.core.modality import IMAGES, POINTS, TEXT, VOXELS
from ganvas.data.open import open_source
from ganvas.data.pair_report import suggest_recipe
from ganvas.data.table import TableDataset
from ganvas.data.two_sides import open_two_sides
from ganvas.errors import DataError, UsageError
from ganvas.games import RECIPES
from ganvas.layers.resolutions import can_be_halved
from ganvas.runtime.device import find_device

SMALL = 32  # sides up to which grey pictures are taken for drawings such as digits
MINUTES = 15.0  # of a training on pictures, if the user names neither minutes nor a number of images
# The longest training in minutes for a side in pixels, on a CPU and on a GPU; beyond the last one, the last side.
# A picture of twice the side costs about four times as much. FastGAN plays at half of it.
SIDES_CPU: tuple[tuple[float, int], ...] = ((45, 64), (float("inf"), 128))
SIDES_GPU: tuple[tuple[float, int], ...] = ((5, 64), (float("inf"), 128))
OWN = ("fastgan-images", "fastgan-images-conditional")  # for other pictures: without classes, with
DIGITS = ("dcgan-mnist-paired", "cgan-mnist-groups", "cgan-mnist")  # for those: few, many, with classes
GROUPED = 300  # pictures without classes, from which groups of them take the place of classes
IN_A_GROUP = 50  # pictures, on the average: the discriminator would know fewer by heart
MOST_GROUPS = 100
HELD_OUT = 20  # pictures: fewer are never held out, and then nothing shows that the discriminator knows the others by heart
FEW = 5_000  # pictures, below which a discriminator soon knows each of them


@dataclass(frozen=True)
class Choice:
    """A recipe with settings for the data, and the reason in words."""

    recipe: str
    settings: Mapping[str, str] = field(default_factory=dict)  # by dotted path, as for --set
    minutes: float | None = None  # None: the number of images of the recipe
    reason: str = ""

    def text(self) -> str:
        """One line for the user."""
        return f"{self.recipe}: {self.reason}; name another recipe to choose yourself"


def choose_for_source(
    source: str | None, minutes: float | None = None, images: int | None = None, device: str = "auto", fit: str | None = None
) -> Choice:
    """The recipe for the data `source`; `fit` is the setting `data.fit`.

    Raises:
        UsageError: no source, or another argument that cannot be used.
        DataError: the data cannot be read, or no recipe takes it.
    """
    if not source:
        raise UsageError("expected a recipe (see `ganvas recipes`) or your own data: --data FOLDER; got neither")
    if (choice := choose_for_sides(source, minutes)) is not None:
        return choice
    config = DataConfig(source=source) if fit is None else DataConfig(source=source, fit=fit)  # type: ignore[arg-type]
    return choose_recipe(open_source(config), minutes, images, find_device(device).type)


def choose_for_sides(source: str, minutes: float | None = None) -> Choice | None:
    """The recipe for pairs, for label maps with pictures, or for trainA/ and trainB/; None: the source is none of these.

    Raises:
        DataError: the source cannot be read.
    """
    two = open_two_sides(source)
    name = None if two is None else suggest_recipe(two)
    if two is None or name is None or name not in RECIPES:
        return None
    count = min(map(len, two.keys))
    a, b = two.names
    kind = {
        "pix2pix-images": f"{count:,} pairs of pictures, {a} > {b}",
        "spade-images": f"{count:,} label maps with pictures, {a} and {b}",
    }.get(name, f"{' and '.join(f'{len(side):,}' for side in two.keys)} pictures of two domains without pairs")
    return Choice(name, hold_out_enough(count), minutes, kind)


def choose_recipe(data: TableDataset, minutes: float | None = None, images: int | None = None, device: str = "cpu") -> Choice:
    """The recipe that suits such data and that time, by the kind, number, classes, colors and size of the samples.

    `data` is opened without a resolution, so it has the one that its pictures suggest. `device` is where it will train.

    Raises:
        DataError: no recipe takes such data.
    """
    n, classes, modality = len(data), len(data.classes), data.modality
    if modality is POINTS:
        dims = data.facts.shape[0]
        if dims > 2:
            raise DataError(f"{data.name}: points of {dims} numbers; expected 1 or 2, or name a recipe, such as gan-gaussians")
        name = "gan-normal1d" if dims == 1 else "gan-ring"
        return Choice(name, {}, minutes, f"{n:,} points {'on a line' if dims == 1 else 'in the plane'}")
    if modality is TEXT:
        return Choice("textgan-names", {}, minutes, f"{n:,} lines of text")
    if modality is VOXELS:
        return Choice("voxel-shapes", {}, minutes, f"{n:,} solids")
    if modality is not IMAGES:
        raise DataError(f"{data.name}: no recipe takes {modality.unit} alone; name one (see `ganvas recipes`)")
    channels, side = data.facts.shape[0], data.facts.shape[-1]
    kind = (
        f"{n:,} {'grey' if channels == 1 else 'color'} pictures {f'of {classes} classes' if classes > 1 else 'without classes'}"
    )
    name = name_for_pictures(channels, side, classes, n)
    if name not in OWN:
        settings = settings_for_digits(name, side, n)
        where = f" in {settings['config.groups']} groups" if "config.groups" in settings else ""
        reason = f"{kind}{where} at {settings['config.resolution']} pixels, as small as digits"
        return Choice(name, settings, minutes, reason)
    if minutes is None and images is None:
        minutes = MINUTES
    # Of a number of images nothing is known about the time, so the side is that of a quarter of an hour.
    side = choose_side(side, MINUTES if minutes is None else minutes, device)
    length = f"{minutes:g} minutes" if minutes is not None else f"{images:,} images"
    reason = f"{kind} at {side} pixels for {length} on {_describe(device)}"
    if 10 * HELD_OUT <= n < FEW:  # of fewer none are held out, so nothing would start it
        reason += ", augmented as soon as the discriminator knows them by heart"
    return Choice(name, {"config.resolution": str(side)} | hold_out_enough(n), minutes, reason)


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
        settings |= hold_out_enough(count)
    return settings


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


def choose_side(largest: int, minutes: float, device: str) -> int:
    """The side at which pictures are trained: what the time allows, but not more than they have; a power of two.

    Raises:
        UsageError: a time that is not positive.
    """
    if not minutes > 0:
        raise UsageError(f"minutes: expected a number above 0, got {minutes:g}")
    sides = SIDES_CPU if device == "cpu" else SIDES_GPU
    allowed = next(side for longest, side in sides if minutes <= longest)
    return max(32, min(allowed, 1 << (largest.bit_length() - 1)))


def _describe(device: str) -> str:
    return "the CPU" if device == "cpu" else device
