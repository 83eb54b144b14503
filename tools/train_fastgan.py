"""Train the weights with which FastGAN begins: `python tools/train_fastgan.py ../shared/datasets`.

FastGAN itself, from new weights, on views of the drawings, photographs and the earth that `tools/train_redraw.py` learns from
too. So not on fluent-3d.zip, nor on the last six photographs, nor on the west of the earth, by which GANs are measured.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import tempfile
from pathlib import Path

from PIL import Image
from safetensors.torch import load_file, save_file
from train_picture_network import HELD_OUT_PHOTOS, choose_background, read_places, view_emoji
from train_redraw import STYLES, read_drawings, view_somewhere

from ganvas.games.fastgan import FILE
from ganvas.inference.model_file import discriminator_path
from ganvas.training.api import train

PHOTO_VIEWS, EARTH_VIEWS = 2500, 1000
ROUNDS = (286_464, 400_000)  # images; the learning rate falls to zero in each
WHITE = (255, 255, 255)


def make_views(datasets: Path) -> list[Image.Image]:
    """Each drawing on white and on another ground; squares of photographs; squares of the earth."""
    rng = random.Random(3)
    drawings = [drawing for style in STYLES for drawing in read_drawings(datasets, style)]
    places = read_places(datasets)
    photos, earth = places[:-2][:-HELD_OUT_PHOTOS], places[-2:]
    views = [view_emoji(drawing, rng, WHITE) for drawing in drawings]
    views += [view_emoji(drawing, rng, choose_background(rng)) for drawing in drawings]
    views += [view_somewhere(rng.choice(photos), rng, 0, 1) for _ in range(PHOTO_VIEWS)]
    return views + [view_somewhere(rng.choice(earth), rng, 0.3, 1) for _ in range(EARTH_VIEWS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, help="the folder with emoji/, photos/ and earth/")
    parser.add_argument("--images", type=int, nargs="+", default=ROUNDS, help="of each round")
    parser.add_argument("--out", type=Path, default=FILE)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "views"
        folder.mkdir()
        for number, view in enumerate(make_views(asked.datasets)):
            view.save(folder / f"{number:05}.png")
        run: Path | None = None
        for number, images in enumerate(asked.images):
            begin, run = run, Path(temporary) / f"round-{number}"
            new = {"config.pretrained": "false"} if begin is None else {}
            train("fastgan-images", data=str(folder), images=images, seed=0, out=run, from_model=begin, **new)
        bundle = Path(run or "") / "model.safetensors"
        weights = load_file(bundle) | load_file(discriminator_path(bundle))
    # Half precision: the file has half the size.
    kept = {name: weight.half() for name, weight in weights.items() if not name.startswith("redraw.")}
    save_file(kept, asked.out)
    print(f"{asked.out}: {asked.out.stat().st_size:,} bytes, SHA-256 {hashlib.sha256(asked.out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
