"""Label maps that a user drew, read with the classes that a model was trained with: by color, by palette or by number."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.modality import UNKNOWN
from ganvas.data.images import UnreadableError, silence_pillow
from ganvas.data.input_files import open_input
from ganvas.data.legend import Legend, number_classes, write_color
from ganvas.data.levels import Bytes
from ganvas.data.map_files import MapRule, RawMap, match_colors, read_map
from ganvas.data.source_names import find_path
from ganvas.errors import DataError, UsageError
from ganvas.inference.loaded_game import LoadedGame
from ganvas.media.image_files import Picture
from ganvas.utils.parsing import printable, spell_count

ENOUGH = 0.5  # share of the pixels that must have a color of the legend, or nearly so
SHOWN = 20  # classes that a message lists


def find_legend(model: LoadedGame) -> Legend:
    """The classes of the label maps that a model takes.

    Raises:
        UsageError: it takes none.
    """
    config: Any = model.game.config
    classes = getattr(config, "classes", None)
    if classes is None or "map" not in getattr(model.game, "takes", ()):
        raise UsageError(f"{model.name} does not paint label maps; choose a model of a spade recipe")
    made = number_classes(int(classes), tuple(tuple(color) for color in getattr(config, "colors", ())))
    return Legend(tuple(getattr(config, "legend", ())) or made.names, made.colors, made.colored)


def read_map_for(model: LoadedGame, given: Picture | str | Path) -> Bytes:
    """The classes of a drawn map, uint8 [H, W], 255: not known. Colors near those of the legend count as theirs.

    Raises:
        UsageError: the model takes no maps.
        DataError: it cannot be read, no pixel has a class, or most that are not transparent have no color of one; the message
            lists them.
    """
    legend = find_legend(model)
    if isinstance(given, Picture):
        file, name = BytesIO(), "map"
        given.save(file, "PNG")
        file.seek(0)
        return _classify(read_map(file), legend, name)
    path, name = find_path(str(given)), printable(Path(given).name)
    if not path.exists():
        raise DataError(f"{printable(given)}: no such file; check the path")
    try:
        with silence_pillow(), open_input(path) as stream:
            return _classify(read_map(stream), legend, name)
    except UnreadableError as error:
        raise DataError(f"{name}: {error}") from None


def _classify(raw: RawMap, legend: Legend, name: str) -> Bytes:
    opaque = np.ones(raw.values.shape, bool) if raw.clear is None else ~raw.clear
    numbered = _are_numbers(raw, legend)
    classes = raw.values if numbered else match_colors(raw.colors(), legend).astype(np.int64)
    if not numbered:
        known = (classes[opaque] != UNKNOWN).mean() if opaque.any() else 1.0
        if known < ENOUGH:
            _refuse_numbers(raw, legend, name)
            found = f"{1 - known:.0%} of the pixels have no color of a class"
            raise DataError(f"{name}: {found}; expected {describe_legend(legend)}; draw it with these colors")
    if (classes[opaque] == UNKNOWN).all():
        found = f"no pixel has a class: all are transparent, or {UNKNOWN}"
        raise DataError(f"{name}: {found}; expected {describe_legend(legend)}; draw it with these colors")
    return MapRule(legend, numbered=numbered).classify(raw)


def _refuse_numbers(raw: RawMap, legend: Legend, name: str) -> None:
    """Raises: DataError: most pixels are numbers of classes, as in a map without colors, and one is none."""
    strange = raw.values[(raw.values != UNKNOWN) & (raw.values >= len(legend.names))] if raw.numbered else raw.values[:0]
    if not 0 < strange.size <= (1 - ENOUGH) * raw.values.size:
        return
    pixels = spell_count(int((strange == strange[0]).sum()), "pixels")
    found = f"class {strange[0]} in {pixels} is not among the {len(legend.names)} classes"
    expected = f"expected 0 to {len(legend.names) - 1}, or {UNKNOWN} for not known, or the colors {describe_legend(legend)}"
    raise DataError(f"{name}: {found}; {expected}; correct it")


def _are_numbers(raw: RawMap, legend: Legend) -> bool:
    """Whether the pixels are numbers of classes, and not colors: a palette whose used colors are in the legend is colors."""
    if not raw.numbered:
        return False
    used = np.unique(raw.values)
    fits = bool((used[used != UNKNOWN] < len(legend.names)).all())
    if raw.palette:
        matched = match_colors(RawMap(used[None], True, None, raw.palette).colors(), legend)[0]
        return fits and bool((matched[used != UNKNOWN] == UNKNOWN).any())
    return fits and not (UNKNOWN in used and set(used.tolist()) <= {0, UNKNOWN})  # these are black and white, as in a scan


def describe_legend(legend: Legend) -> str:
    """The classes with their colors: "sea #0000ff, land #00ff00"."""
    parts = [f"{name} {write_color(color)}" for name, color in zip(legend.names, legend.colors, strict=True)]
    more = [f"{len(parts) - SHOWN} more"] if len(parts) > SHOWN else []
    return ", ".join([*parts[:SHOWN], *more])
