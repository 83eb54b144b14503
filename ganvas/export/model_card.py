"""The model card: Markdown that says what a model is, how good it was measured to be, of what data, and what it cannot do.

Its head has the fields that model hubs read. Only what was measured stands in it. Source of the form: arXiv:1810.03993.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas import __version__
from ganvas.core.capabilities import Animates, Classifies, Conditional, Inpaints, Samples, TakesInputs, Writes
from ganvas.data.computed_domains import split_name
from ganvas.data.open import shorten_path
from ganvas.data.source_names import BUILT_IN
from ganvas.errors import DataError, UsageError
from ganvas.inference.loaded_game import LoadedGame
from ganvas.utils.files import read_json, read_regular
from ganvas.utils.parsing import is_number, parse_json, printable

MOST_MEASURES = 40  # rows of the table
MOST_LICENCE = 60  # characters of the name of a licence
MNIST = "CC BY-SA 3.0 (LeCun, Cortes, Burges)"
EMOJI = "MIT (Fluent Emoji, Microsoft) and Apache-2.0 (Noto Emoji, Google)"
# The licence of the built-in data, by the beginning of the name; the texts are in ganvas/data/builtin/embedded/README.md.
DATA_LICENCES: Mapping[str, str] = {
    "mnist": MNIST,
    "stacked": MNIST,
    "fashion": "MIT (Zalando SE)",
    "names": "public domain (U.S. Census Bureau)",
    "words": "CC BY 3.0 US (Joseph Bonneau, Electronic Frontier Foundation)",
    "emoji-": EMOJI,
    "earth": "public domain (NASA, NOAA)",
}
DRAWN = "none: computed by ganvas"  # point sets, shapes, puppets, the oracle


@dataclass(frozen=True)
class Measure:
    """One measured number with its conditions."""

    name: str
    value: float
    interval: float | None
    floor: float | None
    count: int | None


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
        *(["---", *_head(model, licence), "---", ""] if hub else []),
        f"# {_cell(model.name)}",
        "",
        f"{_cell(about)[:1].upper()}{_cell(about)[1:]}. Made with ganvas {__version__}.",
        "",
        _table(("", ""), _facts(model, licence)),
        "",
        "## Measures",
        "",
        *_measures(run),
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
    if inner not in BUILT_IN:
        return shorten_path(source), "that of whoever made the data; not known to ganvas"
    return source, next((text for start, text in DATA_LICENCES.items() if inner.startswith(start)), DRAWN)


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
    if isinstance(game, TakesInputs):
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


def read_measures(run: Path) -> tuple[list[Measure], str]:
    """The measures that a run folder keeps, and what they were compared with: of the last evaluation, else of the training.

    A file that is damaged or missing has no measures.
    """
    if not run.is_dir():
        return [], ""
    with suppress(OSError, DataError, IndexError, KeyError, TypeError, AttributeError):
        row = parse_json(read_regular(run / "metrics.jsonl").decode("utf-8", "replace").splitlines()[-1], "metrics.jsonl")
        found = [_measure(name, each) for name, each in list(row["metrics"].items())[:MOST_MEASURES]]
        return [each for each in found if each is not None], str(row["reference"])
    with suppress(OSError, DataError, KeyError, TypeError):
        distance = read_json(run / "result.json")["distance"]
        only = Measure(str(distance["name"]), float(distance["value"]), None, _number(distance.get("floor")), None)
        return [only], "held-out data, at the end of the training"
    return [], ""


def onnx_usage(description: Mapping[str, Any], file: str) -> str:
    """How to run the exported file from Python, in the names and shapes of its inputs."""
    lines = ["import numpy as np", "import onnxruntime", "", f'session = onnxruntime.InferenceSession("{file}")', "inputs = {"]
    for each in description["inputs"]:
        shape = ", ".join(map(str, (4, *each["shape"])))
        if each["kind"] in ("class", "map"):
            value = f"np.zeros([{shape}], np.int64)"
        elif each["kind"] == "noise":
            value = f"np.random.default_rng(0).standard_normal([{shape}], np.float32)"
        else:
            value = f"np.zeros([{shape}], np.float32)"
        lines.append(f'    "{each["name"]}": {value},  # {each["about"]}')
    lines += ["}", f"{description['output']} = session.run(None, inputs)[0]"]
    if description["output"] == "pictures":
        lines.append("levels = np.clip((pictures + 1) * 127.5, 0, 255).round().astype(np.uint8)  # [N, C, H, W]")
    return "\n".join(["```python", *lines, "```"])


def _head(model: LoadedGame, licence: str | None) -> list[str]:
    """The fields that a hub reads, in YAML; every text is quoted as JSON, which is YAML as well."""
    game = model.game
    task = "unconditional-image-generation"
    if isinstance(game, Writes):
        task = "text-generation"
    elif isinstance(game, TakesInputs):
        task = "image-to-image"
    elif isinstance(game, Classifies):
        task = "image-classification"
    return [
        "library_name: ganvas",
        f"pipeline_tag: {task}",
        f"license: {licence or 'other'}",
        *(["license_name: not-stated"] if licence is None else []),
        f"tags: {json.dumps(['gan', 'ganvas', str(model.card['recipe']['game']), 'onnx'])}",
    ]


def _facts(model: LoadedGame, licence: str | None) -> list[tuple[str, str]]:
    data, data_licence = describe_data(model)
    weights = sum(weight.numel() for weight in model.game.parameters())
    rows = [
        ("Game", f"{model.card['recipe']['game']} ({model.card['recipe'].get('paper', '')})"),
        ("Data", data),
        ("Licence of the data", data_licence),
        ("Licence of the weights", licence or "not stated"),
        ("Trained on", f"{model.card['items']:,} samples shown" if model.card["items"] else "not stated"),
        ("Weights", f"{weights:,}"),
        ("Model", f"SHA-256 begins with {model.identity}"),
    ]
    if names := model.card["classes"]:
        few = ", ".join(printable(name, 40) for name in names[:20])
        rows.append(("Classes", f"{few}{', ...' if len(names) > 20 else ''}"))
    return rows


def _measures(run: Path) -> list[str]:
    measures, reference = read_measures(run)
    if not measures:
        return ["Not measured. `ganvas eval RUN` measures the model and keeps the numbers in its run folder."]
    rows = [
        (each.name, _digits(each.value), _digits(each.interval), _digits(each.floor), _digits(each.count)) for each in measures
    ]
    return [
        f"Against {_cell(reference)}. The floor is the score of as many other real samples.",
        "",
        _table(("measure", "value", "± 95 %", "floor", "samples"), rows),
    ]


def _measure(name: str, found: Any) -> Measure | None:
    if not isinstance(found, Mapping) or not is_number(found.get("value")):
        return None
    count = found.get("samples", found.get("count"))
    return Measure(
        name,
        float(found["value"]),
        _number(found.get("interval")),
        _number(found.get("floor")),
        count if type(count) is int else None,
    )


def _number(value: Any) -> float | None:
    return float(value) if is_number(value) else None


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: object) -> str:
    """A name from a file as plain text in one cell: no Markdown, no HTML."""
    plain = printable(text, 300)
    for mark in "\\`*[]<>|#":
        plain = plain.replace(mark, f"\\{mark}")
    return plain.replace("_", "\\_")
