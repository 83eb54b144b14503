"""Write the pictures that come with ganvas, ganvas/data/builtin/embedded/emoji.zip and embedded/earth/: pairs of domains.

Usage: python tools/embed_pictures.py DATASETS [emoji] [earth]; DATASETS has emoji/fluent-3d.zip, fluent-flat.zip and noto.zip,
and earth/satellite.jpg, relief.jpg, night.jpg, height.png and water.png. Takes about a minute. The same Pillow writes the same
bytes on every run. Prints the checksums for ganvas/data/builtin/embedded/README.md, emoji_sets.py and earth.py, and the share
of each class of the drawn map.

The map is drawn by fixed rules from the satellite picture, the heights and the waters, then smoothed, so that it looks as if
a person had drawn it. Its classes are colors that one can name, and mountains.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

EMBEDDED = Path(__file__).parents[1] / "ganvas" / "data" / "builtin" / "embedded"
LIMIT = 16_000_000  # bytes of all files together
SIDE = 64  # pixels of an emoji
EMOJI = {"shaded": "fluent-3d", "flat": "fluent-flat", "noto": "noto"}  # style -> its archive; equal names are one emoji
DAY = (1980, 1, 1, 0, 0, 0)  # of all members: an archive without the time at which it was made

# The classes of the map in their order, and the color of each in its palette.
LEGEND = {
    "deep sea": (16, 42, 92),
    "shallow sea": (64, 132, 190),
    "ice": (245, 248, 250),
    "tundra": (168, 164, 152),
    "sand": (226, 196, 140),
    "red earth": (190, 104, 60),
    "mountain": (120, 96, 84),
    "steppe": (178, 160, 100),
    "grass": (124, 160, 70),
    "forest": (36, 92, 44),
}
STROKE = 9  # pixels: the commonest class in such a square wins
REDUCE = 2  # the land is classified at a half of the size, the coast at full size


def main() -> None:
    """Write what was asked for, and print its checksums."""
    datasets, parts = Path(sys.argv[1]), sys.argv[2:] or ["emoji", "earth"]
    written = []
    if "emoji" in parts:
        written.append(embed_emoji(datasets / "emoji"))
    if "earth" in parts:
        written += embed_earth(datasets / "earth")
    for path in written:
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.stat().st_size:>10,}  {path.relative_to(EMBEDDED)}")
    total = sum(path.stat().st_size for path in (EMBEDDED / "emoji.zip", *(EMBEDDED / "earth").iterdir()) if path.exists())
    print(f"{total:,} bytes of pictures, at most {LIMIT:,}")
    if total > LIMIT:
        raise SystemExit("too large")


def embed_emoji(folder: Path) -> Path:
    """One archive of lossless WebP files of 64 x 64 pixels on white: STYLE/CATEGORY/CODE.webp."""
    target = EMBEDDED / "emoji.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:  # WebP is compressed already
        for style, archive in EMOJI.items():
            with zipfile.ZipFile(folder / f"{archive}.zip") as originals:
                for name in sorted(each for each in originals.namelist() if each.endswith(".png")):
                    member = zipfile.ZipInfo(f"{style}/{name.removesuffix('.png')}.webp", DAY)
                    member.create_system, member.external_attr = 3, 0o644 << 16  # the same on every system
                    packed.writestr(member, encode_emoji(originals.read(name)))
    return target


def encode_emoji(png: bytes) -> bytes:
    """A picture with alpha -> lossless WebP on white."""
    with Image.open(io.BytesIO(png)) as opened:
        original = opened.convert("RGBA")
    ground = Image.new("RGBA", original.size, "white")
    ground.alpha_composite(original)  # before it is resized: colors of transparent pixels would bleed in
    picture = ground.convert("RGB")
    if picture.size != (SIDE, SIDE):
        picture = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "WEBP", lossless=True, quality=80, method=4)  # more effort saves 2 %, and takes 20 times as long
    return file.getvalue()


def embed_earth(folder: Path) -> list[Path]:
    """Four layers of one size, aligned to the pixel, and the legend of the map."""
    target = EMBEDDED / "earth"
    target.mkdir(exist_ok=True)
    shutil.copyfile(folder / "satellite.jpg", target / "satellite.jpg")  # as it is: the truth has no second loss
    for name, quality in (("relief", 75), ("night", 85)):
        with Image.open(folder / f"{name}.jpg") as layer:
            layer.convert("RGB").save(target / f"{name}.webp", "WEBP", quality=quality, method=4)
    drawn = draw_map(folder)
    shares = np.bincount(np.asarray(drawn).ravel(), minlength=len(LEGEND)) / (drawn.width * drawn.height)
    drawn.putpalette([value for color in LEGEND.values() for value in color])
    drawn.save(target / "map.png", "PNG", optimize=True, bits=4)
    lines = ["class,color,name", *(f"{k},#{r:02x}{g:02x}{b:02x},{name}" for k, (name, (r, g, b)) in enumerate(LEGEND.items()))]
    (target / "legend.csv").write_text("".join(f"{line}\n" for line in lines))
    print(*(f"{share:6.1%} {name}" for name, share in zip(LEGEND, shares, strict=True)), sep="\n")
    return [target / name for name in ("satellite.jpg", "relief.webp", "night.webp", "map.png", "legend.csv")]


def draw_map(folder: Path) -> Image.Image:
    """The class of each pixel, mode "L"."""
    with Image.open(folder / "satellite.jpg") as opened:
        picture = opened.convert("RGB")
    with Image.open(folder / "height.png") as opened:
        heights = opened.convert("L")
    with Image.open(folder / "water.png") as opened:
        water = np.asarray(opened.convert("L")) > 127
    small = picture.reduce(REDUCE)
    land = classify_land(_values(small.filter(ImageFilter.BoxBlur(1))), _values(heights.reduce(REDUCE)), find_slopes(heights))
    classes = land.repeat(REDUCE, 0).repeat(REDUCE, 1)
    names = list(LEGEND)
    shallow = _values(picture).sum(2) >= 150
    classes[water] = np.where(shallow, names.index("shallow sea"), names.index("deep sea"))[water]
    # Rivers, and what a person would not draw, are thinner than half a stroke: they go.
    return Image.fromarray(classes).filter(ImageFilter.ModeFilter(STROKE))


def find_slopes(heights: Image.Image) -> NDArray[np.int32]:
    """How much the height changes around a pixel, at the size of the classified land."""
    coarse = heights.reduce(4)
    highest, lowest = (np.asarray(coarse.filter(each(3))) for each in (ImageFilter.MaxFilter, ImageFilter.MinFilter))
    range_ = Image.fromarray(highest - lowest).filter(ImageFilter.BoxBlur(1))
    return _values(range_.resize((heights.width // REDUCE, heights.height // REDUCE), Image.Resampling.BILINEAR))


def classify_land(picture: NDArray[np.int32], heights: NDArray[np.int32], slopes: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Colors [H, W, 3], heights and slopes [H, W] -> the class of each pixel, as if all were land. A later rule wins."""
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    light = red + green + blue
    rules = {
        "steppe": light >= 0,
        "grass": (green >= red) | (light < 170),
        "forest": ((green >= red) & (light < 120)) | (light < 85),
        "sand": (light >= 390) & (red - blue >= 38),
        "red earth": (light >= 150) & (4 * green <= 3 * red + 12) & (red - blue >= 48),
        "tundra": (light >= 200) & (red - blue < 32),
        "mountain": (slopes >= 36) & (heights >= 40),
        "ice": (light >= 480) & (red - blue < 45),
    }
    names, classes = list(LEGEND), np.zeros(light.shape, np.uint8)
    for name, where in rules.items():
        classes[where] = names.index(name)
    return classes


def _values(image: Image.Image) -> NDArray[np.int32]:
    """The pixels as numbers that can be added."""
    return np.asarray(image).astype(np.int32)


if __name__ == "__main__":
    main()
