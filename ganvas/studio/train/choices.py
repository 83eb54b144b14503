"""What the form of a new training offers: data, devices, lengths; and the settings that follow from what was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganvas.core.capabilities import Animates, TakesInputs
from ganvas.data.builtin import fashion_mnist, mnist
from ganvas.data.source_names import PICTURE_PAIRS
from ganvas.errors import ResourceError, UsageError
from ganvas.games import GAMES, RECIPES
from ganvas.games.recipe_choice import (
    DIGITS,
    Choice,
    PictureFacts,
    choose_for_pictures,
    choose_translation,
    name_for_source,
    settings_for_digits,
)
from ganvas.games.recipes import SAMPLES, resolve_recipe
from ganvas.games.translation_choice import describe_found_clips
from ganvas.runtime.device import DEVICES, find_device
from ganvas.studio.train.upload_sides import DOMAINS, MAPS, PAIRS, have_sides, read_translation
from ganvas.utils.parsing import printable

SOURCE_LABELS = {  # the built-in sources of pictures
    "mnist": "digits (MNIST)",
    "fashion": "clothes (Fashion-MNIST)",
    "stacked": "three digits in colors (stacked MNIST)",
    "emoji-shading": "emoji, flat and shaded",
    "emoji-styles": "emoji of two hands",
    "earth": "the earth: relief, map, day and night",
}
GAMES_IN_WORDS = {  # what a recipe of the game is, for a person who has not read its paper
    "cgan": "A GAN that you ask for a class",
    "gan": "The original GAN",
    "dcgan": "A convolutional GAN: the classic",
    "cogan": "Two GANs that share their first layers",
    "r3gan": "A modern GAN that trains steadily",
    "progan": "A GAN that grows from few pixels to many",
    "stylegan": "A GAN with a style for each layer",
    "stylegan2": "The second StyleGAN: cleaner pictures, also from few examples",
    "stylegan2-conditional": "The second StyleGAN, and you ask it for a class",
    "voxel": "A GAN of solids",
    "textgan": "A GAN that writes",
    "textlm": "No GAN: it predicts the next letter",
    "vae": "No GAN: an encoder and a decoder",
    "vae-conditional": "No GAN: an encoder and a decoder, by class",
    "self-conditioned": "A GAN that finds groups in the data by itself",
    "fastgan": "A GAN for your own pictures, also of few",
    "fastgan-conditional": "A GAN for your own pictures, and you ask it for a class",
    "classifier": "No generator: it names what it sees",
    "pix2pix": "A picture becomes another one, learned from pairs",
    "cyclegan": "Two kinds of pictures, each turned into the other, without pairs",
    "spade": "A drawn map becomes a picture",
    "srgan": "A small picture becomes a large one",
    "filters": "No discriminator: it learns what a filter does",
    "motion": "A still picture moves as a clip does",
    "inpainting": "Fills holes so that they cannot be seen",
}
FIELDS = {"train.seed": "“Seed”", "train.images": "“or images”"}  # settings that the form has fields for
FIRST_SOURCE = "mnist"  # chosen at first
OWN_DATA = "your own"  # how `ganvas recipes` calls the data of a recipe that brings none
SMALL_SIDE = 32  # pixels: pictures of this suggested size are not enlarged
EVAL_EVERY = 8000  # images between two measurements, if the length of the run is not given in images
EVALUATIONS = 16  # measurements of a run, if it is
SAMPLE_COUNTS = (500, 2000, 10_000)  # to compare two runs by
DEFAULT_SAMPLES = 2000


def list_sources() -> dict[str, dict[str, Any]]:
    """The built-in sources of pictures: label, and number of classes (0: no labels that a recipe could use)."""

    classes = {"mnist": len(mnist.DIGITS), "fashion": len(fashion_mnist.CLASSES)}
    return {name: {"label": label, "classes": classes.get(name, 0)} for name, label in SOURCE_LABELS.items()}


def list_devices() -> list[str]:
    """The names of the devices of this machine; "auto" first: a GPU if there is one, else the processor."""

    devices = ["auto"]
    for name in DEVICES:
        try:
            find_device(name)
            devices.append(name)
        except ResourceError:  # not on this machine
            continue
    return devices


def find_device_kind(name: str) -> str:
    """cpu, cuda, ... for a device's name. Raises: UsageError: no such name; ResourceError: no such device here."""

    return find_device(name).type


def match_recipe(row: Mapping[str, Any], labels: bool) -> dict[str, Any]:
    """What data a recipe of `ganvas recipes` can be trained on: `sources`, the built-in ones; `takes_pictures`: uploads.

    A recipe that needs labels does not take data without classes, and one that translates takes the sets of pairs. Of the
    uploads it takes those with the two `sides` that it needs, unless single pictures are enough: because it computes its
    pairs, or fills holes. One that animates takes `clips`.
    """
    source, game = row.get("data", ""), row.get("game", "")
    own, pictures = source == OWN_DATA, source in SOURCE_LABELS
    translates = game in GAMES and issubclass(GAMES[game], TakesInputs)
    sources = _list_pairs(GAMES[game].needs) if translates else _list_digits(labels)
    takes_own = own and (not translates or set(GAMES[game].needs) <= SAMPLES or bool(RECIPES[row["name"]].data.pair))
    facts = {"labels": labels, "sources": sources if pictures else [], "brings_data": not own}
    picture = "own.svg" if own else f"{source.replace(':', '-')}.png"  # of tools/recipe_pictures.py
    drawn = pictures and not translates
    animates = game in GAMES and issubclass(GAMES[game], Animates)
    facts["clips"] = own and animates
    facts["sides"] = _name_sides(GAMES[game].needs) if own and translates and not takes_own and not animates else ""
    return {**facts, "takes_pictures": drawn or takes_own, "kind": GAMES_IN_WORDS.get(game, ""), "picture": picture}


def _list_digits(labels: bool) -> list[str]:
    """The built-in sources of pictures to draw; with `labels` those with classes."""
    drawn = {name: facts for name, facts in list_sources().items() if name not in PICTURE_PAIRS}
    return [name for name, facts in drawn.items() if facts["classes"] > 1 or not labels]


def _list_pairs(needs: Sequence[str]) -> list[str]:
    """The built-in sources of pairs that have these fields: one of them has maps."""
    return [name for name in PICTURE_PAIRS if "map" not in needs or name == "earth"]


def _name_sides(needs: Sequence[str]) -> str:
    return MAPS if "map" in needs else DOMAINS if "a" in needs else PAIRS


def suits(row: Mapping[str, Any], source: str, report: Mapping[str, Any]) -> bool:
    """Whether a recipe, as `match_recipe` describes it, takes a built-in source, or an upload with this report.

    Recipes for digits and clothes are for small grey pictures: of an upload they take no others.
    """
    if not report:
        return source in row["sources"] if source else bool(row["brings_data"])
    if report.get("clips") or row["clips"]:
        return bool(report.get("clips") and row["clips"])
    if row["sides"]:
        return have_sides(report, row["sides"])
    images = report.get("images") or {}
    small = images.get("channels") == 1 and images.get("resolution", 0) <= SMALL_SIDE
    has_classes = len(report.get("classes") or {}) > 1
    return bool(row["takes_pictures"]) and (has_classes or not row["labels"]) and (small or not row["brings_data"])


def rank_recipes(rows: Sequence[Mapping[str, Any]], source: str, report: Mapping[str, Any]) -> dict[str, Any]:
    """The recipes for some data: `best`, the one to begin with; `made` for such data; `others`, which can take them too.

    `minutes` is how long the best one takes unless the user says another length; None: as long as it says itself.
    """
    names = [row["name"] for row in rows if suits(row, source, report)]
    made = {row["name"] for row in rows if row.get("data") == (OWN_DATA if report else source)} if source or report else names
    choice = choose_for_report(report)
    best = choice.recipe if choice else name_for_source(source or FIRST_SOURCE)
    best = best if best in names else next((name for name in names if name in made), names[0] if names else "")
    first = [name for name in names if name in made and name != best]
    minutes = choice.minutes if choice and choice.recipe == best else None
    return {
        "best": best,
        "minutes": minutes,
        "made": first,
        "others": [name for name in names if name not in made and name != best],
    }


def choose_for_report(
    report: Mapping[str, Any], minutes: float | None = None, images: int | None = None, device: str = "cpu"
) -> Choice | None:
    """What `ganvas train --data` would choose for an upload with this report on that device; None: no upload."""
    pictures = report.get("images") or {}
    if not report:
        return None
    if clips := report.get("clips"):
        return choose_translation(describe_found_clips(clips), minutes, images, device)
    if (translation := read_translation(report)) is not None:
        return choose_translation(translation, minutes, images, device)
    channels, side = pictures.get("channels", 3), pictures.get("resolution", SMALL_SIDE)
    facts = PictureFacts(report.get("count", 0), channels, side, len(report.get("classes") or {}))
    return choose_for_pictures(facts, minutes, images, device)


def describe_choice(report: Mapping[str, Any], minutes: float | None, images: int | None, device: str) -> str:
    """Why a recipe is suggested for an upload with this report, in the words of `ganvas train --data`; "": no pictures."""
    choice = choose_for_report(report, minutes, images, device)
    return choice.describe(resolve_recipe(choice.recipe, choice.settings, images=images)) if choice else ""


def choose_minutes(
    recipe: str, report: Mapping[str, Any], minutes: float | None, images: int | None, device: str
) -> float | None:
    """The minutes of a training: as asked, or those of the choice for an upload; None: the recipe's number of images."""
    choice = choose_for_report(report, minutes, images, device)
    return choice.minutes if choice and choice.recipe == recipe else minutes


def require_no_field(settings: Mapping[str, str]) -> None:
    """Raises: UsageError: one of the other settings has a field of its own in the form, which would win in silence."""
    for name, field in FIELDS.items():
        if name in settings:
            raise UsageError(
                f"{name} has a field of its own: write {printable(settings[name], 40)} into {field}, and leave it out"
            )


def complete_settings(
    settings: Mapping[str, str],
    *,
    keep_all: bool,
    measure: bool,
    images: int | None,
    recipe: str,
    report: Mapping[str, Any],
    minutes: float | None = None,
    device: str = "cpu",
) -> dict[str, str]:
    """The settings of a new training with what the boxes of the form and the report on an upload add; a person's own win.

    The recipe that `ganvas train --data` would choose gets the settings that it would choose, on a `device` of this kind.
    """
    added: dict[str, str] = {}
    if keep_all:
        added["train.keep_all"] = "true"
    if measure:
        added["train.eval_every"] = str(max(1, round(images / EVALUATIONS)) if images else EVAL_EVERY)
    suggested = (report.get("images") or {}).get("resolution")
    choice = choose_for_report(report, minutes, images, device)
    if choice and choice.recipe == recipe and (suggested or report.get("clips")):
        added |= choice.settings
    elif recipe in DIGITS and suggested:
        added |= settings_for_digits(recipe, min(suggested, SMALL_SIDE), report.get("count", 0))
    elif recipe in RECIPES and not RECIPES[recipe].data.source and suggested == SMALL_SIDE:
        added["config.resolution"] = str(SMALL_SIDE)
    return {**added, **settings}
