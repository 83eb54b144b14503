"""The model card: Markdown that says what a model is, how good it was measured to be, of what data, and what it cannot do.

Its head has the fields that model hubs read. Only what was measured stands in it. Source of the form: arXiv:1810.03993.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ganvas import __version__
from ganvas.core.capabilities import Animates, Classifies, Conditional, Inpaints, Samples, TakesInputs, Upscales, Writes
from ganvas.data.computed_domains import split_name
from ganvas.data.open import shorten_path
from ganvas.data.source_names import BUILT_IN
from ganvas.errors import UsageError
from ganvas.export.card_measures import find_measures, find_shipped, list_meanings
from ganvas.export.hub_head import make_head
from ganvas.export.markdown_text import make_table, plain
from ganvas.inference.loaded_game import LoadedGame
from ganvas.utils.parsing import printable

MADE = "Made with ganvas"  # in each card
OWN_LICENCE = "apache-2.0"  # of ganvas, and of the models that come with it
MOST_LICENCE = 60  # characters of the name of a licence
MNIST = "CC BY-SA 3.0 (LeCun, Cortes, Burges)"
FLUENT = "MIT (Fluent Emoji, Microsoft)"
# What built-in data is, and its licence, by the beginning of the name; see ganvas/data/builtin/embedded/README.md.
BUILT_IN_DATA: Mapping[str, tuple[str, str]] = {
    "mnist": ("MNIST, handwritten digits", MNIST),
    "stacked": ("digits of MNIST, three in the colors of one picture", MNIST),
    "fashion": ("Fashion-MNIST, photographs of clothes", "MIT (Zalando SE)"),
    "names": ("given names of the census of the United States of 1990", "public domain (U.S. Census Bureau)"),
    "words": ("English words of the long list of the EFF", "CC BY 3.0 US (Joseph Bonneau, Electronic Frontier Foundation)"),
    "emoji-shading": ("Fluent Emoji, flat and shaded", FLUENT),
    "emoji-styles": ("Fluent Emoji and Noto Emoji", f"{FLUENT} and Apache-2.0 (Noto Emoji, Google)"),
    "emoji-clips": ("Fluent Emoji, animated", FLUENT),
    "earth": ("satellite pictures of the earth, and a map of ten classes", "public domain (NASA, NOAA)"),
}
DRAWN = ("drawn by ganvas", "none: computed by ganvas")  # point sets, shapes, puppets, the oracle
OWN = "that of whoever made the data; not known to ganvas"


def write_card(
    model: LoadedGame, run: Path, usage: str, notes: Sequence[str] = (), licence: str | None = None, hub: bool = False
) -> str:
    """The card of a model as Markdown. `usage` is the section on how to use it, `notes` lines on how it was exported.

    `run` is the folder or bundle that was loaded: a run folder has measures. `licence` of the weights, an identifier such as
    apache-2.0; None: the card says that none is stated. `hub`: with the head that model hubs read.

    Raises:
        UsageError: a licence that is no identifier.
    """
    require_licence(licence)
    recipe = model.card["recipe"]
    about = recipe.get("about") or f"a {recipe['game']} model"
    parts = [
        *(["---", *make_head(model, find_licence(model, licence)), "---", ""] if hub else []),
        f"# {plain(model.name)}",
        "",
        f"{plain(about)[:1].upper()}{plain(about)[1:]}. {MADE} {__version__}.",
        "",
        make_table(("", ""), _facts(model, licence)),
        "",
        "## Measures",
        "",
        *_measures(model, run),
        "",
        "## Use",
        "",
        usage,
        "",
        "## Limits",
        "",
        *(f"- {line}" for line in (*list_limits(model), *notes)),
        "",
    ]
    return "\n".join(parts)


def require_licence(licence: str | None) -> None:
    """Raises: UsageError: it is no identifier of a licence."""
    if licence is None:
        return
    if not 0 < len(licence) <= MOST_LICENCE or not all(letter.isalnum() or letter in "-.+_" for letter in licence):
        raise UsageError(f"licence: expected an identifier such as apache-2.0 or cc-by-4.0, got {printable(licence, 80)!r}")


def describe_data(model: LoadedGame) -> tuple[str, str]:
    """The data of the training, by the last part of a path, and their licence in words."""
    source = str(model.card["recipe"]["data"]["source"])
    inner = split_name(source)[1]
    if shipped := find_shipped(model):  # also of pictures that are not shipped
        return f"{shipped.data} ({shorten_path(source)})", shipped.licence if inner not in BUILT_IN else _built_in(inner)[1]
    if inner not in BUILT_IN:
        return shorten_path(source), OWN
    words, licence = _built_in(inner)
    return f"{source} ({words})", licence


def _built_in(name: str) -> tuple[str, str]:
    return next((found for start, found in BUILT_IN_DATA.items() if name.startswith(start)), DRAWN)


def list_limits(model: LoadedGame) -> list[str]:
    """What a user must know not to expect, from what the model is."""
    game, limits = model.game, []
    if isinstance(game, Writes):
        limits.append("It writes lines as short as those of its data, symbol by symbol, and knows no meaning.")
    elif isinstance(game, Samples):
        limits.append("It makes samples like its data and nothing else; rare kinds of them may be missing.")
        limits.append("A sample may be nearly a copy of a training picture: `ganvas neighbours` shows the nearest ones.")
    if isinstance(game, Conditional):
        limits.append(f"It knows {len(model.classes)} classes, and may miss the one that was asked for.")
    if isinstance(game, Upscales):
        limits.append(f"It was trained to make squares of {game.config.resolution} pixels; other motifs may look worse.")
    elif isinstance(game, TakesInputs):
        limits.append(f"It was trained on squares of {game.config.resolution} pixels; other sizes and motifs may look worse.")
    if isinstance(game, Inpaints):
        limits.append("What it puts into a hole is made up, and says nothing of what was there.")
    if isinstance(game, Animates):
        limits.append("The motion is made up from a clip; the picture never moved so. Do not pass it off as real.")
    if isinstance(game, Classifies):
        limits.append("It gives one of its classes for any input, also for one that belongs to none.")
    elif not isinstance(game, Writes):
        limits.append("Outputs are synthetic: say so where they are shown.")
    return limits


def find_licence(model: LoadedGame, licence: str | None) -> str | None:
    """The licence of the weights: what the user says, for models that come with ganvas that of ganvas; None: not stated."""
    return licence or (OWN_LICENCE if find_shipped(model) else None)


def _facts(model: LoadedGame, licence: str | None) -> list[tuple[str, str]]:
    data, data_licence = describe_data(model)
    weights = sum(weight.numel() for weight in model.game.parameters())
    rows = [
        ("Game", f"{model.card['recipe']['game']} ({model.card['recipe'].get('paper', '')})"),
        ("Data", data),
        ("Licence of the data", data_licence),
        ("Licence of the weights", find_licence(model, licence) or "not stated"),
        ("Trained on", f"{model.card['items']:,} samples shown" if model.card["items"] else "not stated"),
        ("Weights", f"{weights:,}"),
        ("Model", f"SHA-256 begins with {model.identity}"),
    ]
    if shipped := find_shipped(model):
        rows.append(("Made by", f"{shipped.command}, in {shipped.minutes:g} minutes on the {shipped.machine}"))
    if names := model.card["classes"]:
        few = ", ".join(printable(name, 40) for name in names[:20])
        rows.append(("Classes", f"{few}{', ...' if len(names) > 20 else ''}"))
    return rows


def _measures(model: LoadedGame, run: Path) -> list[str]:
    measures, reference = find_measures(model, run)
    if not measures:
        return ["Not measured. `ganvas eval RUN` measures the model and keeps the numbers in its run folder."]
    columns = [("measure", [each.name for each in measures]), ("value", [_digits(each.value) for each in measures])]
    for title, values in (
        ("± 95 %", [each.interval for each in measures]),
        ("floor", [each.floor for each in measures]),
        ("baseline", [each.baseline for each in measures]),
        ("samples", [each.count for each in measures]),
    ):
        if any(value is not None for value in values):
            columns.append((title, [_digits(value) for value in values]))
    said = f"Against {plain(reference)}."
    if any(each.floor is not None for each in measures):
        said += " The floor is the score of as many other real samples."
    if any(each.baseline is not None for each in measures):
        said += " The baseline is the score of something trivial, such as the copied input."
    rows = list(zip(*(values for _, values in columns), strict=True))
    meanings = [f"- {plain(name)}: {meaning}" for name, meaning in list_meanings(measures)]
    return [said, "", make_table([title for title, _ in columns], rows), *(["", *meanings] if meanings else [])]


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
