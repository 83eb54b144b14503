"""Make the example pictures of the page /translate: static/translate/examples/KIND-NUMBER.png, all from test splits.

`python tools/translate_examples.py scikit_image-0.26.0-*.whl`: the photographs come from that package, the astronaut (NASA,
public domain) and the coffee (Rachel Michetti, CC0). The others are embedded in ganvas.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.data.builtin import earth
from ganvas.data.open_fields import open_fields

OUT = Path(__file__).parents[1] / "ganvas" / "studio" / "static" / "translate" / "examples"
EMOJI = (201, 19, 72)  # rows of the test split: a face, a beetle, a guitar
PLACES = ((68, 14, 0), (64, 64, 30), (58, 30, 64))  # squares of 128 test pixels, and the corner of a square of 64 in them
PHOTOS = {"astronaut.png": (512, 512), "coffee.png": (600, 400)}
QUALITY = 85


def save(kind: str, number: int, image: Image.Image) -> None:
    """Write one example."""
    path = OUT / f"{kind}-{number}.{'jpg' if kind == 'photo' else 'png'}"
    if kind == "photo":
        image.save(path, quality=QUALITY)
    elif kind == "map":
        image.save(path, optimize=True)
    else:
        image.quantize(255, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}  {path.stat().st_size:,} bytes")


def as_image(pixels: Tensor) -> Image.Image:
    """uint8 [3, H, W] as a picture."""
    return Image.fromarray(pixels.movedim(0, -1).contiguous().numpy())


def save_emoji() -> None:
    """Emoji in the styles of both sets."""
    for source in ("emoji-shading", "emoji-styles"):
        data = open_fields(DataConfig(source=source, split="test"), ("source", "real"))
        for field, name in data.facts.names.items():
            for number, pixels in enumerate(data.rows(torch.tensor(EMOJI))[field], 1):
                save(name, number, as_image(pixels))


def save_earth() -> None:
    """The drawn map at 128 pixels, and the other layers at 64, as the models learn them."""
    drawn, (names, colors) = earth.read_layer("map"), earth.read_legend()
    sea = torch.isin(drawn, torch.tensor([names.index(name) for name in earth.WET], dtype=drawn.dtype))
    corners, _ = earth.list_squares("test", 128, sea)
    layers = {"relief": "relief", "day": "satellite", "night": "night"}
    for number, (row, down, right) in enumerate(PLACES, 1):
        y, x = corners[row].tolist()
        image = Image.fromarray(drawn[y : y + 128, x : x + 128].numpy())
        image.putpalette(np.array(colors, np.uint8).tobytes())
        save("map", number, image)
        for kind, layer in layers.items():
            pixels = earth.read_layer(layer)[:, y + down : y + down + 64, x + right : x + right + 64]
            save(kind, number, as_image(pixels))


def save_photos(wheel: str) -> None:
    """Photographs of the package scikit-image."""
    with zipfile.ZipFile(wheel) as archive:
        for number, (name, size) in enumerate(PHOTOS.items(), 1):
            with Image.open(io.BytesIO(archive.read(f"skimage/data/{name}"))) as image:
                save("photo", number, image.convert("RGB").resize(size, Image.Resampling.LANCZOS))


def main() -> None:
    """Make all of them."""
    OUT.mkdir(parents=True, exist_ok=True)
    save_emoji()
    save_earth()
    save_photos(sys.argv[1])


if __name__ == "__main__":
    main()
