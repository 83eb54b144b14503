"""The earth, embedded in the package: a satellite picture, the relief, the lights at night and a drawn map, cut into squares.

All layers are of 4096 x 2048 pixels and aligned: a pixel is 9.8 km at the equator. Pairs are relief and satellite picture, or
map and satellite picture; the domains day and night are for games without pairs. The map has ten classes and was drawn by
rules: `tools/embed_pictures.py` has them. See embedded/README.md for sources and licences.

The splits are by longitude, so that no place is in both: four bands of 192 pixels are the test split. Between them the
training split has 16 strips; whole strips are held out, because squares of one strip overlap. Test squares overlap by half, so
intervals of measures are somewhat too narrow. Squares of nearly nothing but sea are left out, and so are the poles, where the
projection stretches the land.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.data.builtin.embedded_files import fit_pictures, read_embedded
from ganvas.data.collection import DataSource, ImageCollection
from ganvas.data.computed_pairs import bicubic_scale
from ganvas.data.dataset import Dataset
from ganvas.data.folder_layout import BOTH
from ganvas.data.paired import PairedDataset
from ganvas.data.readers.numpy_arrays import array_pictures
from ganvas.data.table import TableDataset, fingerprint
from ganvas.data.unpaired import UnpairedDataset
from ganvas.errors import DataError, UsageError
from ganvas.metrics.resize import shrink

SHA256: Mapping[str, str] = {
    "satellite.jpg": "dfd15cfe4bc348303f0b378a8399075045bca8502e7eaed99789752b240688bd",
    "relief.webp": "f53e5397faede7e194e9ef19105ca5af6352ef0304f720b28ae9e9912de57e52",
    "night.webp": "167108ad37a9ab58e429f6fa8aeabe2de5d01058880107ee7d426fa945078494",
    "map.png": "4fb68c4c578aefb80c9fb927405fc0628dd2ac72ae621f333b3d2ac6faead92c",
    "legend.csv": "5b79994e13926067d60a8e1bd0c27ff1fa0091d4c2b7c7897aee3870e489d345",
}
FOLDER_NAME = "earth"  # of the embedded files
LAYERS = {"satellite": "satellite.jpg", "relief": "relief.webp", "night": "night.webp"}
WIDTH, HEIGHT = 4096, 2048
SIDE = 64  # pixels of a square, if nothing else is wanted
STRIDE = 32  # pixels from one square to the next
POLE = 73  # degrees of latitude: beyond, no square is cut
SEA = 0.85  # share of sea in a square, at most
WET = ("deep sea", "shallow sea")
FIRST, BAND, APART = 900, 192, 1024  # pixels: where the first test band starts, its width, and from one to the next
STRIPS = 4  # of the training split, between two bands
HELD_OUT = 0.1  # share for the recipes: whole strips are held out, and one alone has too few squares to measure with
GRID = 4  # pixels: all edges are multiples, so that a square is a square of the shrunk picture too

Legend = tuple[tuple[str, ...], tuple[tuple[int, int, int], ...]]  # the names and the colors of the classes


def read_legend() -> Legend:
    """The names and the colors of the classes of the map, in the order of their numbers."""
    rows = list(csv.DictReader(io.StringIO(read_embedded(f"{FOLDER_NAME}/legend.csv", SHA256["legend.csv"]).decode())))
    colors = [bytes.fromhex(row["color"].removeprefix("#")) for row in rows]
    return tuple(row["name"] for row in rows), tuple((color[0], color[1], color[2]) for color in colors)


def read_layer(name: str) -> Tensor:
    """A layer as bytes [3, 2048, 4096]; of the map the class of each pixel [2048, 4096]."""
    file = "map.png" if name == "map" else LAYERS[name]
    with Image.open(io.BytesIO(read_embedded(f"{FOLDER_NAME}/{file}", SHA256[file]))) as picture:
        if name == "map":
            return torch.from_numpy(np.array(picture))
        return torch.from_numpy(np.array(picture.convert("RGB"))).movedim(-1, 0).contiguous()


def list_columns(split: str, side: int) -> list[tuple[int, int]]:
    """The left edges of squares of `side` pixels, and the strip in which each lies. No square leaves its strip.

    Raises:
        UsageError: a strip is narrower than a square.
    """
    bands = [(start, min(WIDTH, start + BAND)) for start in range(FIRST, WIDTH, APART)]
    edges = [0, *(edge for band in bands for edge in band)]
    between = list(zip(edges[::2], edges[1::2], strict=False))  # before each band
    strips = []
    for left, right in between:
        inner = [left + (right - left) * k // STRIPS // GRID * GRID for k in range(STRIPS + 1)]
        strips += list(itertools.pairwise(inner))
    found = bands if split == "test" else strips
    columns = [(x, k) for k, (left, right) in enumerate(found) for x in range(left, right - side + 1, STRIDE)]
    if not columns:
        raise UsageError(
            f"earth: squares of {side} pixels are wider than a strip of {BAND}; choose a smaller config.resolution"
        )
    return columns


def list_squares(split: str, side: int, sea: Tensor) -> tuple[Tensor, Tensor]:
    """The upper left corners int64 [N, 2] (row, column) of squares with enough land, and the strip of each [N].

    `sea` is bool [2048, 4096].
    """
    pole = round((90 - POLE) / 180 * HEIGHT / GRID) * GRID
    wet = torch.zeros(HEIGHT + 1, WIDTH + 1, dtype=torch.int32)
    wet[1:, 1:] = sea.int().cumsum(0, dtype=torch.int32).cumsum(1, dtype=torch.int32)
    rows = torch.arange(pole, HEIGHT - pole - side + 1, STRIDE)
    places, strips = [], []
    for x, strip in list_columns(split, side):
        count = wet[rows + side, x + side] - wet[rows, x + side] - wet[rows + side, x] + wet[rows, x]
        dry = rows[count <= SEA * side * side]
        places.append(torch.stack([dry, torch.full_like(dry, x)], 1))
        strips.append(torch.full_like(dry, strip))
    return torch.cat(places), torch.cat(strips)


def cut(layer: Tensor, places: Tensor, side: int) -> Tensor:
    """The squares [N, ..., side, side] of a layer [..., H, W]."""
    return torch.stack([layer[..., y : y + side, x : x + side] for y, x in places.tolist()])


def find(split: str) -> DataSource:
    """The squares of the satellite picture alone."""
    return DataSource(
        "embedded earth", (("earth", 0, 0), *((digest, 0, 0) for digest in SHA256.values())), partial(_load, split)
    )


def _load(split: str) -> ImageCollection:
    places, _ = list_squares(split, SIDE, _find_sea(read_layer("map")))
    images = cut(read_layer("satellite"), places, SIDE).movedim(1, -1).contiguous().numpy()
    return array_pictures(images, None, (), "embedded earth", BOTH, usual=True)


def open_earth(config: DataConfig, needs: Sequence[str], resolution: int | None = None, channels: int | None = None) -> Dataset:
    """The fields `needs`: ("source", "real") is relief and satellite picture, ("map", "real") the drawn map and the satellite
    picture, ("a", "b") day and night, ("low", "real") the satellite picture at two sizes.

    Squares of `config.tile` pixels (0: the resolution), of which `config.crop` pixels are taken at random while training. The
    training split of ("a", "b") has no pairs; the test split has.

    Raises:
        DataError: other fields.
        UsageError: squares that are too large, a crop of domains without pairs, or no bicubic reduction where "low" is needed.
    """
    kind, train = frozenset(needs) - {"label"}, config.split == "train"
    side = (config.tile or resolution or SIDE) if train else (config.crop or resolution or SIDE)
    crop = config.crop if train and config.crop != side else 0
    if train and kind == {"a", "b"} and crop:
        raise UsageError("data.crop: crops are for pairs; domains without pairs are taken whole; leave it 0")
    drawn = read_layer("map")
    places, strips = list_squares(config.split, side, _find_sea(drawn))

    def squares(name: str) -> Tensor:
        return fit_pictures(cut(read_layer(name), places, side), side, channels)

    def pair(names: Mapping[str, str], legend: Legend = ((), ()), scale: int = 1, **fields: Tensor) -> PairedDataset:
        return PairedDataset(
            config.source,
            fields,
            flip=config.flip and train,
            fingerprint=fingerprint(fields),
            splits=BOTH,
            names=names,
            legend=legend[0],
            colors=legend[1],
            groups=strips,
            crop=crop // scale,
        )

    if kind == {"source", "real"}:
        layers = ("satellite", "relief") if config.swap else ("relief", "satellite")
        return pair(dict(zip(("source", "real"), layers, strict=True)), real=squares(layers[1]), source=squares(layers[0]))
    if kind == {"map", "real"}:
        return pair({"map": "map", "real": "satellite"}, read_legend(), real=squares("satellite"), map=cut(drawn, places, side))
    if kind == {"low", "real"}:
        scale = bicubic_scale(config.pair, side)
        # Shrunk before it is cut, because the filter sees beyond the edges of a square.
        small = cut(shrink(read_layer("satellite")[None], scale)[0], places // scale, side // scale)
        low = fit_pictures(small, side // scale, channels)
        return pair({}, scale=scale, real=squares("satellite"), low=low)
    if kind == {"a", "b"}:
        days = {"day": "satellite", "night": "night"}
        first, second = reversed(days) if config.swap else days
        names = {"a": first, "b": second}
        if not train:
            return pair(names, a=squares(days[first]), b=squares(days[second]))

        def domain(name: str) -> TableDataset:
            fields = {"real": squares(days[name])}
            seal = fingerprint(fields)
            return TableDataset(name, fields, flip=config.flip, fingerprint=seal, splits=BOTH, groups=strips)

        return UnpairedDataset(domain(first), domain(second), names)
    raise DataError(f"earth has no field {' and '.join(sorted(kind))}; choose other data")


def _find_sea(drawn: Tensor) -> Tensor:
    names = read_legend()[0]
    return torch.isin(drawn, torch.tensor([names.index(name) for name in WET], dtype=drawn.dtype))
