"""What a model for photographs of any subject makes of three pictures that come with ganvas: coasts and mountains from above.

For a model whose own photographs are not here, or are too many to be read for a glance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL.Image import Image, Resampling

from ganvas.core.capabilities import Inpaints
from ganvas.data.builtin import earth
from ganvas.inference.holes import mark_hole
from ganvas.inference.picture_inpainting import inpaint_one
from ganvas.inference.picture_translation import list_ways, translate_along
from ganvas.media.grid import arrange_pictures, name_columns

Array = npt.NDArray[Any]

SIDE, GAP = 128, 6
PLACES = ((500, 2162), (648, 2935), (1010, 1130))  # top and left of squares of the satellite picture: Italy, Himalaya, Andes
SIZE = 2  # pixels of the sheet for each pixel


def draw_photo_sheet(game: Any) -> Image | None:
    """Input and output in a row, one picture below the other, each with names above. None: the game takes no photographs."""
    layer = earth.read_layer("satellite")
    rows = [_show(game, layer[:, y : y + SIDE, x : x + SIDE].movedim(0, -1).contiguous().numpy()) for y, x in PLACES]
    if not rows[0]:
        return None
    columns = [name_columns(_stack([row[name] for row in rows]), [name]) for name in rows[0]]
    return arrange_pictures(columns, len(columns), GAP)


def _show(game: Any, photo: Array) -> dict[str, Array]:
    """What is shown of a photograph uint8 [H, W, 3], by name."""
    if isinstance(game, Inpaints):
        hole = np.zeros(photo.shape[:2], bool)
        hole[20:26, 10:118] = hole[92:96, 24:120] = hole[30:110, 40:44] = hole[54:66, 76:88] = True  # scratches and a spot
        return {"hole": mark_hole(photo, hole), "filled": inpaint_one(game, photo, hole)}
    shown: dict[str, Array] = {}
    for way in list_ways(game):
        if way.of_maps:
            continue
        small = PIL.Image.fromarray(photo).resize((SIDE // way.scale, SIDE // way.scale), Resampling.BICUBIC)
        shown[way.source or "small"] = np.asarray(small.resize((SIDE, SIDE), Resampling.NEAREST))
        shown[way.target] = translate_along(way, np.asarray(small))
    return shown


def _stack(pictures: list[Array]) -> Image:
    """Pictures [H, W, 1 or 3] of one size, one below the other."""
    drawn = [PIL.Image.fromarray(each[..., 0] if each.shape[2] == 1 else each).convert("RGB") for each in pictures]
    large = [each.resize((SIZE * each.width, SIZE * each.height), Resampling.NEAREST) for each in drawn]
    return arrange_pictures(large, 1, GAP)
