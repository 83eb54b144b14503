"""Super-resolution: how far squares of enlarged photographs are from the true ones, at three strengths and by bicubic.

    python bench/enlargement.py RUN PHOTOS [--side 64]

RUN is a model of sr-photos..., PHOTOS a folder of whole photographs. Each is shrunk, enlarged, and cut into squares. Prints a
JSON row for each way to enlarge: the plain kernel distance, times 1,000, and the Frechet distance, of the features of the
extra `photos`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.core.capabilities import Upscales
from ganvas.inference.feature_extractors import load_photos
from ganvas.inference.model import Model, load
from ganvas.metrics.frechet import frechet_distance
from ganvas.metrics.kernel_distance import polynomial_mmd

STRENGTHS = (0.0, 0.5, 1.0)


def enlarge(model: Model, scale: int, path: Path) -> Iterator[tuple[str, Image.Image]]:
    """A photograph, and what is made of it once it is shrunk, by name."""
    with Image.open(path) as opened:
        whole = opened.convert("RGB")
    truth = whole.crop((0, 0, whole.width - whole.width % scale, whole.height - whole.height % scale))
    small = truth.resize((truth.width // scale, truth.height // scale), Image.Resampling.BICUBIC)
    yield "truth", truth
    yield "bicubic", small.resize(truth.size, Image.Resampling.BICUBIC)
    for strength in STRENGTHS:
        yield f"strength {strength:g}", model.upscale(small, strength=strength)


def cut(image: Image.Image, side: int) -> Tensor:
    """The squares of a picture, uint8 [N, 3, side, side]; what is left over at the right and below is not used."""
    pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
    return pixels.unfold(1, side, side).unfold(2, side, side).permute(1, 2, 0, 3, 4).flatten(0, 1)


def main() -> None:
    """Measure the model that is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--side", type=int, default=64)
    asked = parser.parse_args()
    model, extractor = load(asked.run), load_photos()
    if not isinstance(model.game, Upscales):
        raise SystemExit(f"{asked.run}: expected a model that enlarges, such as sr-photos")
    squares: dict[str, list[Tensor]] = {}
    for path in sorted(asked.photos.iterdir()):
        for name, image in enlarge(model, model.game.scale, path):
            squares.setdefault(name, []).append(cut(image, asked.side))
    features = {name: extractor.features(torch.cat(parts)) for name, parts in squares.items()}
    truth = features.pop("truth")
    for name, made in features.items():
        distances = {"kernel": round(1000 * polynomial_mmd(made, truth), 1), "frechet": round(frechet_distance(made, truth), 1)}
        print(json.dumps({"way": name, "squares": len(truth)} | distances), flush=True)


if __name__ == "__main__":
    main()
